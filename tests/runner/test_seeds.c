/* Seed ranges, shards and lengths of time, as text and from the environment; and the division of jobs over
 * shards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "kernel/time.h"
#include "runner/jobs.h"

static void ranges_are_read(void **state) {
    struct seed_range range = {0};
    (void)state;
    assert_int_equal(seed_range_parse("7", &range, NULL), STATUS_OK);
    assert_int_equal(range.first, 7);
    assert_int_equal(range.last, 7);
    assert_int_equal(seed_range_parse("1-200", &range, NULL), STATUS_OK);
    assert_int_equal(range.first, 1);
    assert_int_equal(range.last, 200);
    assert_int_equal(seed_range_parse("0-9223372036854775807", &range, NULL), STATUS_OK);
    assert_int_equal(range.last, INT64_MAX);
}

static void wrong_ranges_are_refused(void **state) {
    static const char *const wrong[] = {"",
                                        "-",
                                        "1-",
                                        "-5",
                                        "5-1",
                                        "1-2-3",
                                        " 1",
                                        "1 ",
                                        "0x10",
                                        "1..5",
                                        "+1",
                                        "9223372036854775808",
                                        "1-9223372036854775808",
                                        "99999999999999999999999",
                                        "1,2"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct seed_range range = {3, 4};
        struct error error = {0};
        assert_int_equal(seed_range_parse(wrong[i], &range, &error), STATUS_INVALID);
        assert_true(error.message[0] != '\0');
        assert_int_equal(range.first, 3); /* untouched */
    }
}

static void shards_count_from_one(void **state) {
    static const char *const wrong[] = {"0/3", "4/3",   "1",    "1/",   "/3",
                                        "1/0", "1/3/5", "1/3 ", "-1/3", "1/1000001"};
    struct shard shard = {0};
    (void)state;
    assert_int_equal(shard_parse("1/3", &shard, NULL), STATUS_OK);
    assert_int_equal(shard.index, 0);
    assert_int_equal(shard.count, 3);
    assert_int_equal(shard_parse("3/3", &shard, NULL), STATUS_OK);
    assert_int_equal(shard.index, 2);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(shard_parse(wrong[i], &shard, NULL), STATUS_INVALID);
}

static void times_need_units(void **state) {
    static const char *const wrong[] = {"60", "s", "0s", "-1s", "1.5s", "60 s", "1d", "721h", "60S"};
    int64_t time = 0;
    (void)state;
    assert_int_equal(wall_time_parse("60s", &time, NULL), STATUS_OK);
    assert_int_equal(time, 60 * TIME_SECOND);
    assert_int_equal(wall_time_parse("500ms", &time, NULL), STATUS_OK);
    assert_int_equal(time, 500 * TIME_MILLISECOND);
    assert_int_equal(wall_time_parse("720h", &time, NULL), STATUS_OK);
    assert_int_equal(time, 30 * TIME_DAY);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(wall_time_parse(wrong[i], &time, NULL), STATUS_INVALID);
}

/* A little environment: pairs of name and value. */
static const char *environment[12];

static const char *get(const char *name) {
    for (size_t i = 0; i + 1 < sizeof environment / sizeof environment[0] && environment[i] != NULL; i += 2)
        if (strcmp(environment[i], name) == 0)
            return environment[i + 1];
    return NULL;
}

struct environment_case {
    const char *variables[12];
    enum status status;
    uint64_t index, count;
    const char *source;
};

static void batch_systems_number_their_jobs(void **state) {
    static const struct environment_case cases[] = {
        {{NULL}, STATUS_OK, 0, 1, NULL},
        {{"SLURM_ARRAY_TASK_ID", "0", "SLURM_ARRAY_TASK_COUNT", "8"}, STATUS_OK, 0, 8, "SLURM_ARRAY_TASK_ID"},
        {{"SLURM_ARRAY_TASK_ID", "3", "SLURM_ARRAY_TASK_COUNT", "3", "SLURM_ARRAY_TASK_MIN", "1"},
         STATUS_OK,
         2,
         3,
         "SLURM_ARRAY_TASK_ID"},
        /* --array=10-30:10 */
        {{"SLURM_ARRAY_TASK_ID", "30", "SLURM_ARRAY_TASK_COUNT", "3", "SLURM_ARRAY_TASK_MIN", "10",
          "SLURM_ARRAY_TASK_STEP", "10"},
         STATUS_OK,
         2,
         3,
         "SLURM_ARRAY_TASK_ID"},
        {{"SLURM_ARRAY_TASK_ID", "5"}, STATUS_INVALID, 0, 0, NULL},
        {{"SLURM_ARRAY_TASK_ID", "8", "SLURM_ARRAY_TASK_COUNT", "8"}, STATUS_INVALID, 0, 0, NULL},
        {{"JOB_COMPLETION_INDEX", "4", "COMPLETIONS", "5"}, STATUS_OK, 4, 5, "JOB_COMPLETION_INDEX"},
        {{"JOB_COMPLETION_INDEX", "4"}, STATUS_INVALID, 0, 0, NULL},
        {{"CI_NODE_INDEX", "1", "CI_NODE_TOTAL", "4"}, STATUS_OK, 0, 4, "CI_NODE_INDEX"},
        {{"CI_NODE_INDEX", "4", "CI_NODE_TOTAL", "4"}, STATUS_OK, 3, 4, "CI_NODE_INDEX"},
        {{"CI_NODE_INDEX", "0", "CI_NODE_TOTAL", "4"}, STATUS_INVALID, 0, 0, NULL},
        {{"CI_NODE_TOTAL", "4"}, STATUS_OK, 0, 1, NULL}, /* a job that is not divided */
        {{"CI_NODE_INDEX", "one", "CI_NODE_TOTAL", "4"}, STATUS_INVALID, 0, 0, NULL},
        {{"CI_NODE_INDEX", "", "CI_NODE_TOTAL", ""}, STATUS_OK, 0, 1, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct shard shard = {9, 9};
        const char *source = "x";
        memcpy(environment, cases[i].variables, sizeof environment);
        assert_int_equal(shard_from_environment(get, &shard, &source, NULL), cases[i].status);
        if (cases[i].status != STATUS_OK)
            continue;
        assert_int_equal(shard.index, cases[i].index);
        assert_int_equal(shard.count, cases[i].count);
        if (cases[i].source == NULL)
            assert_null(source);
        else
            assert_string_equal(source, cases[i].source);
    }
}

#define SCENARIOS 4
#define SEEDS 13

/* For every number of shards: each job of an ordinary scenario comes in exactly one shard, a canary's in all.
 */
static void every_job_has_one_shard(void **state) {
    struct job_scenario scenarios[SCENARIOS] = {[2] = {.seeds_everywhere = 3}};
    (void)state;
    for (uint64_t count = 1; count <= 17; count++) {
        unsigned seen[SCENARIOS][SEEDS] = {{0}};
        for (uint64_t index = 0; index < count; index++) {
            struct job_list list = {.scenarios = scenarios,
                                    .n_scenarios = SCENARIOS,
                                    .seeds = {100, 112},
                                    .shard = {index, count}};
            uint64_t announced = job_list_count(&list), given = 0, seed;
            size_t scenario;
            while (job_list_next(&list, &scenario, &seed)) {
                assert_in_range(seed, 100, 112);
                seen[scenario][seed - 100]++;
                given++;
            }
            assert_int_equal(given, announced);
            assert_false(job_list_next(&list, &scenario, &seed)); /* and it stays at the end */
        }
        for (size_t i = 0; i < SCENARIOS; i++)
            for (size_t j = 0; j < SEEDS; j++)
                assert_int_equal(seen[i][j], i != 2 ? 1 : j < 3 ? count : 0);
    }
}

/* With as many shards as scenarios, each shard still sees each scenario. */
static void shards_mix_scenarios(void **state) {
    struct job_scenario scenarios[3] = {{0}, {0}, {0}};
    struct job_list list = {.scenarios = scenarios, .n_scenarios = 3, .seeds = {1, 3}, .shard = {1, 3}};
    bool seen[3] = {false};
    size_t scenario;
    uint64_t seed;
    (void)state;
    while (job_list_next(&list, &scenario, &seed))
        seen[scenario] = true;
    assert_true(seen[0] && seen[1] && seen[2]);
}

/* A file that names its seed runs once, in one shard, whatever the range. */
static void a_pinned_seed_runs_once(void **state) {
    struct job_scenario scenarios[2] = {[1] = {.pinned = true, .pinned_seed = 4711}};
    (void)state;
    for (uint64_t last = 1; last <= 5; last += 4) {
        unsigned pinned = 0, others = 0;
        for (uint64_t index = 0; index < 3; index++) {
            struct job_list list = {
                .scenarios = scenarios, .n_scenarios = 2, .seeds = {1, last}, .shard = {index, 3}};
            uint64_t announced = job_list_count(&list), given = 0, seed;
            size_t scenario;
            for (; job_list_next(&list, &scenario, &seed); given++) {
                pinned += scenario == 1;
                others += scenario == 0;
                if (scenario == 1)
                    assert_int_equal(seed, 4711);
            }
            assert_int_equal(given, announced);
        }
        assert_int_equal(pinned, 1);
        assert_int_equal(others, last);
    }
}

/* Pinned files and canaries alone: an endless range of seeds ends all the same. */
static void nothing_left_is_the_end(void **state) {
    struct job_scenario scenarios[2] = {{.seeds_everywhere = 3}, {.pinned = true, .pinned_seed = 4711}};
    struct job_list list = {
        .scenarios = scenarios, .n_scenarios = 2, .seeds = {1, SEED_MAX}, .shard = {1, 2}};
    size_t scenario;
    uint64_t seed, given = 0;
    (void)state;
    while (job_list_next(&list, &scenario, &seed))
        given++;
    assert_int_equal(given, 4);
}

static void endless_ranges_start_at_once(void **state) {
    struct job_scenario scenarios[1] = {{0}};
    struct job_list list = {
        .scenarios = scenarios, .n_scenarios = 1, .seeds = {1, SEED_MAX}, .shard = {0, 1}};
    size_t scenario;
    uint64_t seed;
    (void)state;
    assert_true(job_list_count(&list) == UINT64_MAX);
    for (uint64_t i = 1; i <= 1000; i++) {
        assert_true(job_list_next(&list, &scenario, &seed));
        assert_int_equal(seed, i);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(wrong_ranges_are_refused),
        cmocka_unit_test(shards_count_from_one),
        cmocka_unit_test(times_need_units),
        cmocka_unit_test(batch_systems_number_their_jobs),
        cmocka_unit_test(every_job_has_one_shard),
        cmocka_unit_test(shards_mix_scenarios),
        cmocka_unit_test(a_pinned_seed_runs_once),
        cmocka_unit_test(nothing_left_is_the_end),
        cmocka_unit_test(endless_ranges_start_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
