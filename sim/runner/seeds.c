#include "runner/seeds.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "kernel/time.h"

#define SHARD_COUNT_MAX UINT64_C(1000000)

/* Reads digits from *text and moves it behind them. False: no digit, or above `highest`. */
static bool read_digits(const char **text, uint64_t highest, uint64_t *number) {
    const char *at = *text;
    uint64_t value = 0;
    assert(highest >= 9);
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (highest - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    assert(value <= highest);
    *text = at;
    *number = value;
    return true;
}

enum status seed_parse_number(const char *text, uint64_t highest, uint64_t *number, struct error *error) {
    const char *at = text;
    uint64_t value = 0;
    assert(highest >= 9);
    if (!read_digits(&at, highest, &value) || *at != '\0')
        return error_set(error, STATUS_INVALID, "'%s' is not a whole number from 0 to %llu", text,
                         (unsigned long long)highest);
    *number = value;
    return STATUS_OK;
}

enum status seed_range_parse(const char *text, struct seed_range *range, struct error *error) {
    const char *at = text;
    struct seed_range read = {0, 0};
    bool good = read_digits(&at, SEED_MAX, &read.first);
    read.last = read.first;
    if (good && *at == '-') {
        at++;
        good = read_digits(&at, SEED_MAX, &read.last);
    }
    if (!good || *at != '\0')
        return error_set(error, STATUS_INVALID, "'%s' is not a seed or a range of seeds such as 1-200", text);
    if (read.last < read.first)
        return error_set(error, STATUS_INVALID, "the range of seeds '%s' ends before it starts", text);
    *range = read;
    return STATUS_OK;
}

enum status shard_parse(const char *text, struct shard *shard, struct error *error) {
    const char *at = text;
    uint64_t number = 0, count = 0;
    bool good = read_digits(&at, SHARD_COUNT_MAX, &number) && *at == '/';
    at += good;
    good = good && read_digits(&at, SHARD_COUNT_MAX, &count) && *at == '\0';
    if (!good || number < 1 || number > count)
        return error_set(error, STATUS_INVALID, "'%s' is not a shard I/N with I from 1 to N", text);
    *shard = (struct shard){.index = number - 1, .count = count};
    assert(shard->index < shard->count);
    return STATUS_OK;
}

/* How one system numbers its jobs. */
struct shard_variables {
    const char *index;
    const char *count;
    const char *lowest; /* variable with the first number, or NULL */
    const char *step;   /* variable with the distance of two numbers, or NULL */
    uint64_t first;     /* the first number where no variable says it */
};

static const struct shard_variables shard_systems[] = {
    {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_STEP", 0},
    {"JOB_COMPLETION_INDEX", "COMPLETIONS", NULL, NULL, 0},
    {"CI_NODE_INDEX", "CI_NODE_TOTAL", NULL, NULL, 1},
};

static enum status number_from(const char *(*get)(const char *), const char *name, uint64_t otherwise,
                               uint64_t *number, struct error *error) {
    const char *text = name == NULL ? NULL : get(name);
    *number = otherwise;
    if (text == NULL || *text == '\0')
        return STATUS_OK;
    enum status status = seed_parse_number(text, SEED_MAX, number, error);
    if (status != STATUS_OK)
        error_prefix(error, "the environment variable %s", name);
    return status;
}

static enum status shard_from_system(const struct shard_variables *system, const char *(*get)(const char *),
                                     struct shard *shard, struct error *error) {
    uint64_t number = 0, count = 0, lowest = 0, step = 0;
    enum status status = number_from(get, system->index, 0, &number, error);
    if (status == STATUS_OK)
        status = number_from(get, system->count, 0, &count, error);
    if (status == STATUS_OK)
        status = number_from(get, system->lowest, system->first, &lowest, error);
    if (status == STATUS_OK)
        status = number_from(get, system->step, 1, &step, error);
    if (status != STATUS_OK)
        return status;
    if (count < 1 || count > SHARD_COUNT_MAX)
        return error_set(error, STATUS_INVALID,
                         "%s is set but %s does not say how many jobs there are; set it, or use --shard I/N",
                         system->index, system->count);
    if (step == 0 || number < lowest || (number - lowest) / step >= count)
        return error_set(error, STATUS_INVALID, "%s=%llu is not one of the %llu jobs that %s announces",
                         system->index, (unsigned long long)number, (unsigned long long)count, system->count);
    *shard = (struct shard){.index = (number - lowest) / step, .count = count};
    return STATUS_OK;
}

enum status shard_from_environment(const char *(*get)(const char *name), struct shard *shard,
                                   const char **source, struct error *error) {
    assert(get != NULL && source != NULL);
    *source = NULL;
    *shard = (struct shard){.index = 0, .count = 1};
    for (size_t i = 0; i < sizeof shard_systems / sizeof shard_systems[0]; i++) {
        const char *text = get(shard_systems[i].index);
        if (text == NULL || *text == '\0')
            continue;
        *source = shard_systems[i].index;
        return shard_from_system(&shard_systems[i], get, shard, error);
    }
    return STATUS_OK;
}

enum status wall_time_parse(const char *text, int64_t *time, struct error *error) {
    static const struct {
        const char *name;
        int64_t length;
    } units[] = {{"ms", TIME_MILLISECOND}, {"s", TIME_SECOND}, {"min", TIME_MINUTE}, {"h", TIME_HOUR}};
    const char *at = text;
    uint64_t number = 0;
    if (read_digits(&at, SEED_MAX, &number))
        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
            if (strcmp(at, units[i].name) == 0 && number > 0 &&
                number <= (uint64_t)(30 * TIME_DAY / units[i].length)) {
                *time = (int64_t)number * units[i].length;
                return STATUS_OK;
            }
    return error_set(
        error, STATUS_INVALID,
        "'%s' is not a length of time: a whole number above 0 with ms, s, min or h, at most 720h", text);
}
