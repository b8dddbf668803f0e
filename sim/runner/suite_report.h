/* What a suite does with each finished seed: sums, results.jsonl, results.sqlite, JUnit, failure and trace
 * files, and the lines for people. Seeds come in the order of the jobs. */
#ifndef SYNCLINE_RUNNER_SUITE_REPORT_H
#define SYNCLINE_RUNNER_SUITE_REPORT_H

#include <jansson.h>

#include "base/buffer.h"
#include "runner/outcome.h"
#include "runner/suite.h"
#include "runner/suite_scenarios.h"

struct suite_report;

struct suite_seed {
    size_t scenario;
    uint64_t seed;
    json_t *result;    /* a worker's result; fields that go elsewhere are removed from it */
    int64_t wall_time; /* ns */
};

/* Prepares the folder and opens its files. `started` as in results_run. */
enum status suite_report_create(const struct suite_settings *settings,
                                const struct suite_scenarios *scenarios, size_t workers,
                                struct suite_report **report, struct error *error);
/* `lines` gets what people should see of this seed, mostly nothing. */
enum status suite_report_add(struct suite_report *report, const struct suite_seed *seed,
                             enum outcome *outcome, struct buffer *lines, struct error *error);
const struct run_tally *suite_report_tally(const struct suite_report *report);
/* Writes JUnit and closes the files. Frees the report in any case. */
enum status suite_report_close(struct suite_report *report, const char *verdict, int64_t wall_time,
                               struct error *error);

#endif
