#include "runner/bench_worlds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kernel/time.h"
#include "runner/batch.h"
#include "runner/statistics.h"
#include "runner/text_table.h"

#define SEEDS_MAX 1000

/* What the seeds of one scenario came to, with checks and without. */
struct figures {
    struct samples cpu, unchecked_cpu, start; /* ns */
    int64_t virtual_time;                     /* ns, of all seeds */
    int64_t peak;                             /* bytes, of the worker */
};

struct run {
    struct figures figures;
    const struct worker_job *jobs;
    enum status status;
    struct error error;
};

static void take_result(void *context, size_t index, const json_t *result) {
    struct run *run = context;
    const struct worker_job *job = &run->jobs[index];
    const int64_t cpu = json_integer_or(result, "cpu_ns", 0);
    if (!json_bool_or(result, "passed", false) && run->status == STATUS_OK) {
        const json_t *first = json_array_get(json_object_get(result, "violations"), 0);
        run->status =
            error_set(&run->error, STATUS_CONFLICT, "%s, seed %llu: violates %s (%s)", job->scenario,
                      (unsigned long long)job->seed, json_text(first, "property"), json_text(first, "seen"));
    }
    if (!job->measure)
        return;
    if (job->unchecked) {
        samples_add(&run->figures.unchecked_cpu, cpu);
        return;
    }
    samples_add(&run->figures.cpu, cpu);
    samples_add(&run->figures.start, json_integer_or(result, "start_cpu_ns", 0));
    run->figures.virtual_time += json_integer_or(result, "virtual_ns", 0);
    if (json_integer_or(result, "peak_bytes", 0) > run->figures.peak)
        run->figures.peak = json_integer_or(result, "peak_bytes", 0);
}

static int64_t sum(const struct samples *samples) {
    int64_t total = 0;
    for (size_t i = 0; i < samples->count; i++)
        total += samples->values[i];
    return total;
}

static void add_number(struct text_table *table, const char *format, double number) {
    char text[64];
    snprintf(text, sizeof text, format, number);
    text_table_add(table, text);
}

static void add_row(struct text_table *table, const char *scenario, const char *engine,
                    struct figures *figures) {
    const char *name = strrchr(scenario, '/');
    const double cpu = (double)sum(&figures->cpu), unchecked = (double)sum(&figures->unchecked_cpu);
    samples_sort(&figures->start);
    samples_sort(&figures->cpu);
    text_table_add(table, name == NULL ? scenario : name + 1);
    text_table_add(table, engine);
    add_number(table, "%.2f", (double)samples_at(&figures->cpu, 500) / (double)TIME_SECOND);
    add_number(table, "%.1f", (double)figures->virtual_time / cpu);
    add_number(table, "%.2f", (double)figures->cpu.count * (double)TIME_SECOND / cpu);
    add_number(table, "%.0f", 100 * (cpu - unchecked) / cpu);
    add_number(table, "%.2f", (double)samples_at(&figures->start, 500) / (double)TIME_SECOND);
    add_number(table, "%.0f", (double)figures->peak / 1048576);
}

static void free_figures(struct figures *figures) {
    samples_free(&figures->cpu);
    samples_free(&figures->unchecked_cpu);
    samples_free(&figures->start);
}

/* Each seed twice, one after the other: with all checks and without any. */
static enum status run_one(const struct bench_worlds_settings *settings, const char *scenario, size_t engine,
                           struct text_table *table, struct error *error) {
    const size_t seeds = (size_t)(settings->seeds.last - settings->seeds.first + 1);
    const size_t n_jobs = 2 * seeds + 1;
    struct worker_job *jobs = memory_allocate_array(n_jobs, sizeof *jobs);
    struct run run = {.jobs = jobs};
    for (size_t i = 0; i < n_jobs; i++)
        jobs[i] = (struct worker_job){.scenario = scenario,
                                      .seed = settings->seeds.first + (i > 0 ? (i - 1) / 2 : 0),
                                      .measure = i > 0, /* the first one warms up */
                                      .unchecked = i % 2 == 0};
    const struct batch_settings batch = {.worker_arguments = settings->worker_arguments[engine],
                                         .workers = 1,
                                         .jobs = jobs,
                                         .n_jobs = n_jobs,
                                         .context = &run,
                                         .result = take_result};
    enum status status = batch_run(&batch, error);
    if (status == STATUS_OK && run.status != STATUS_OK) {
        status = run.status;
        if (error != NULL)
            *error = run.error;
    }
    if (status == STATUS_OK)
        add_row(table, scenario, settings->engines[engine], &run.figures);
    free_figures(&run.figures);
    free(jobs);
    return status;
}

enum status bench_worlds_run(const struct bench_worlds_settings *settings, struct error *error) {
    static const char *const heads[] = {"scenario",    "engine",   "CPU s a seed", "simulated s/CPU s",
                                        "seeds/CPU s", "checks %", "start, CPU s", "peak MiB"};
    struct text_table table;
    struct buffer text = {0};
    enum status status = STATUS_OK;
    if (settings->seeds.last - settings->seeds.first >= SEEDS_MAX)
        return error_set(error, STATUS_INVALID, "more than %d seeds", SEEDS_MAX);
    text_table_init(&table, "llrrrrrr");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        text_table_add(&table, heads[i]);
    for (size_t i = 0; status == STATUS_OK && i < settings->n_scenarios; i++)
        for (size_t j = 0; status == STATUS_OK && j < settings->n_engines; j++)
            status = run_one(settings, settings->scenarios[i], j, &table, error);
    text_table_finish(&table, &text);
    if (status == STATUS_OK)
        fputs(buffer_text(&text), settings->out);
    buffer_free(&text);
    return status;
}
