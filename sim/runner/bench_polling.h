/* The polling benchmark: one scenario with one polling interval after another; how long a change takes from
 * its commit to other people's devices, and what the polling costs in requests. Everything is measured in
 * virtual time, so the figures of equal inputs are equal. */
#ifndef SYNCLINE_RUNNER_BENCH_POLLING_H
#define SYNCLINE_RUNNER_BENCH_POLLING_H

#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "runner/seeds.h"
#include "runner/statistics.h"

#define POLLING_INTERVALS_MAX 64

struct polling_row {
    int64_t interval;      /* ns */
    struct samples delays; /* ns, sorted at the end */
    uint64_t requests;     /* to the deployment */
    int64_t virtual_time;  /* ns, in which they were sent */
};

struct polling_table {
    struct polling_row rows[POLLING_INTERVALS_MAX];
    size_t n_rows;
};

/* "50,100,250" (ms, each 1..3600000, no interval twice): fills the rows' intervals. */
enum status polling_intervals_parse(const char *text, struct polling_table *table, struct error *error);

struct bench_polling_settings {
    const char *scenario;    /* path */
    struct seed_range seeds; /* at most 10000 */
    const char *folder;      /* polling.csv, polling.png, polling.svg */
    const char *script;      /* polling.gnuplot, or NULL: no figure */
    size_t workers;          /* 0: one for each CPU */
    const char *const *worker_arguments;
    FILE *out;
};

/* Runs, prints the table, writes the folder. A seed that violates a property measures nothing: the bench ends
 * with STATUS_CONFLICT and says which seed. */
enum status bench_polling_run(const struct bench_polling_settings *settings, struct polling_table *table,
                              struct error *error);
void polling_table_free(struct polling_table *table);

/* The parts, for tests. */
void polling_table_append_csv(const struct polling_table *table, struct buffer *out);
void polling_table_append_text(const struct polling_table *table, struct buffer *out);

#endif
