#include "runner/bench_polling.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "kernel/time.h"
#include "runner/batch.h"
#include "runner/plot.h"
#include "runner/report_folder.h"
#include "runner/text_table.h"

#define SEEDS_MAX 10000

struct bench {
    const struct bench_polling_settings *settings;
    struct polling_table *table;
    const struct worker_job *jobs;
    uint64_t seeds;
    enum status status;
    struct error error;
};

static bool has_interval(const struct polling_table *table, int64_t interval) {
    for (size_t i = 0; i < table->n_rows; i++)
        if (table->rows[i].interval == interval)
            return true;
    return false;
}

static enum status add_interval(struct polling_table *table, const char *text, struct error *error) {
    uint64_t milliseconds = 0;
    enum status status = seed_parse_number(text, 3600000, &milliseconds, error);
    if (status != STATUS_OK)
        return status;
    int64_t interval = (int64_t)milliseconds * TIME_MILLISECOND;
    if (milliseconds == 0 || has_interval(table, interval))
        return error_set(error, STATUS_INVALID, "the polling interval %s ms is %s", text,
                         milliseconds == 0 ? "not above 0" : "named twice");
    if (table->n_rows == POLLING_INTERVALS_MAX)
        return error_set(error, STATUS_INVALID, "more than %d polling intervals", POLLING_INTERVALS_MAX);
    table->rows[table->n_rows++] = (struct polling_row){.interval = interval};
    return STATUS_OK;
}

enum status polling_intervals_parse(const char *text, struct polling_table *table, struct error *error) {
    char *copy = memory_copy_text(text), *rest = copy, *part;
    enum status status = STATUS_OK;
    *table = (struct polling_table){0};
    while (status == STATUS_OK && (part = strsep(&rest, ",")) != NULL)
        status = add_interval(table, part, error);
    free(copy);
    assert(status != STATUS_OK || table->n_rows > 0);
    return status;
}

static void take_result(void *context, size_t index, const json_t *result) {
    struct bench *bench = context;
    assert(bench->seeds > 0 && index / bench->seeds < bench->table->n_rows);
    struct polling_row *row = &bench->table->rows[index / bench->seeds];
    const json_t *delays = json_object_get(result, "delays");
    if (!json_bool_or(result, "passed", false) && bench->status == STATUS_OK) {
        const json_t *first = json_array_get(json_object_get(result, "violations"), 0);
        bench->status = error_set(&bench->error, STATUS_CONFLICT, "%s, seed %llu: violates %s (%s)",
                                  bench->settings->scenario, (unsigned long long)bench->jobs[index].seed,
                                  json_text(first, "property"), json_text(first, "seen"));
    }
    for (size_t i = 0; i < json_array_size(delays); i++)
        samples_add(&row->delays, json_integer_value(json_array_get(delays, i)));
    row->requests += (uint64_t)json_integer_or(result, "convex_requests", 0);
    row->virtual_time += json_integer_or(result, "virtual_ns", 0);
}

/* Thousandths of a unit as "12.345". */
static void append_thousandths(struct buffer *out, int64_t thousandths) {
    buffer_printf(out, "%lld.%03lld", (long long)(thousandths / 1000), (long long)(thousandths % 1000));
}

static int64_t milli_requests_per_second(const struct polling_row *row) {
    int64_t milliseconds = row->virtual_time / TIME_MILLISECOND;
    return milliseconds == 0 ? 0 : (int64_t)row->requests * 1000000 / milliseconds;
}

static const unsigned delay_columns[] = {500, 950, 50, 0,
                                         1000}; /* per mille: median, p95, p5, least, greatest */
#define DELAY_COLUMNS (sizeof delay_columns / sizeof delay_columns[0])

void polling_table_append_csv(const struct polling_table *table, struct buffer *out) {
    buffer_append_text(
        out, "interval_ms,delay_median_ms,delay_p95_ms,delay_p5_ms,delay_min_ms,delay_max_ms,requests_per_s,"
             "samples,simulated_s\n");
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct polling_row *row = &table->rows[i];
        buffer_printf(out, "%lld", (long long)(row->interval / TIME_MILLISECOND));
        for (size_t j = 0; j < DELAY_COLUMNS; j++) {
            buffer_append_char(out, ',');
            append_thousandths(out, samples_at(&row->delays, delay_columns[j]) / TIME_MICROSECOND);
        }
        buffer_append_char(out, ',');
        append_thousandths(out, milli_requests_per_second(row));
        buffer_printf(out, ",%zu,", row->delays.count);
        append_thousandths(out, row->virtual_time / TIME_MILLISECOND);
        buffer_append_char(out, '\n');
    }
}

void polling_table_append_text(const struct polling_table *table, struct buffer *out) {
    static const char *const heads[] = {"interval ms", "median ms", "p95 ms",     "p5 ms",
                                        "min ms",      "max ms",    "requests/s", "samples"};
    struct text_table text;
    text_table_init(&text, "rrrrrrrr");
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        text_table_add(&text, heads[i]);
    for (size_t i = 0; i < table->n_rows; i++) {
        const struct polling_row *row = &table->rows[i];
        struct buffer rate = {0};
        text_table_add_count(&text, (uint64_t)(row->interval / TIME_MILLISECOND));
        for (size_t j = 0; j < DELAY_COLUMNS; j++)
            text_table_add_count(
                &text, (uint64_t)((samples_at(&row->delays, delay_columns[j]) + TIME_MILLISECOND / 2) /
                                  TIME_MILLISECOND));
        append_thousandths(&rate, milli_requests_per_second(row));
        text_table_add(&text, buffer_text(&rate));
        text_table_add_count(&text, row->delays.count);
        buffer_free(&rate);
    }
    text_table_finish(&text, out);
}

static enum status write_folder(const struct bench_polling_settings *settings,
                                const struct polling_table *table, struct error *error) {
    struct buffer csv = {0};
    enum status status = report_folder_make(settings->folder, error);
    char *path = memory_format("%s/polling.csv", settings->folder);
    polling_table_append_csv(table, &csv);
    if (status == STATUS_OK)
        status = report_file_write(path, csv.data, csv.length, error);
    if (status == STATUS_OK) {
        fprintf(settings->out, "figures: %s\n", path);
        plot_make(settings->script, path, settings->folder, "polling", settings->out);
    }
    free(path);
    buffer_free(&csv);
    return status;
}

static struct worker_job *make_jobs(const struct bench_polling_settings *settings,
                                    const struct polling_table *table, uint64_t seeds) {
    struct worker_job *jobs = memory_allocate_array(table->n_rows * seeds, sizeof *jobs);
    for (size_t i = 0; i < table->n_rows; i++)
        for (uint64_t j = 0; j < seeds; j++)
            jobs[i * seeds + j] = (struct worker_job){.scenario = settings->scenario,
                                                      .seed = settings->seeds.first + j,
                                                      .delays = true,
                                                      .polling_interval = table->rows[i].interval};
    return jobs;
}

enum status bench_polling_run(const struct bench_polling_settings *settings, struct polling_table *table,
                              struct error *error) {
    uint64_t seeds = settings->seeds.last - settings->seeds.first + 1;
    assert(table->n_rows > 0);
    if (seeds > SEEDS_MAX)
        return error_set(error, STATUS_INVALID, "more than %d seeds for one interval", SEEDS_MAX);
    struct worker_job *jobs = make_jobs(settings, table, seeds);
    struct bench bench = {.settings = settings, .table = table, .jobs = jobs, .seeds = seeds};
    struct batch_settings batch = {.worker_arguments = settings->worker_arguments,
                                   .workers = settings->workers,
                                   .jobs = jobs,
                                   .n_jobs = table->n_rows * seeds,
                                   .context = &bench,
                                   .result = take_result};
    enum status status = batch_run(&batch, error);
    free(jobs);
    if (status == STATUS_OK && bench.status != STATUS_OK) {
        if (error != NULL)
            *error = bench.error;
        status = bench.status;
    }
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < table->n_rows; i++)
        samples_sort(&table->rows[i].delays);
    struct buffer text = {0};
    polling_table_append_text(table, &text);
    fputs(buffer_text(&text), settings->out);
    buffer_free(&text);
    return write_folder(settings, table, error);
}

void polling_table_free(struct polling_table *table) {
    for (size_t i = 0; i < table->n_rows; i++)
        samples_free(&table->rows[i].delays);
    *table = (struct polling_table){0};
}
