/* Runs scenarios that are written in a test. Needs the client core from npm. */
#ifndef TEST_SCENARIO_STAGE_RUN_H
#define TEST_SCENARIO_STAGE_RUN_H

#include "cmocka_all.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/core_library.h"
#include "scenario/stage.h"

static struct core_library *stage_run_core;

static inline int stage_run_open_core(void **state) {
    struct error error = {0};
    (void)state;
    if (core_library_open(NULL, &stage_run_core, &error) != STATUS_OK)
        fprintf(stderr, "%s\n", error.message);
    return stage_run_core ? 0 : -1;
}

static inline int stage_run_close_core(void **state) {
    (void)state;
    core_library_close(stage_run_core);
    return 0;
}

/* One seed, with its narration. The caller frees the scenario and the result. */
static inline struct scenario *stage_run_text(const char *text, uint64_t seed, struct stage_result *result) {
    const struct stage_options options = {.core = stage_run_core, .narrate = true};
    struct scenario *scenario = NULL;
    struct plan *plan = NULL;
    struct error error = {0};
    if (scenario_parse(text, strlen(text), "x.yaml", &scenario, &error) != STATUS_OK)
        fail_msg("refused at %d:%d: %s", error.line, error.column, error.message);
    assert_int_equal(plan_make(scenario, seed, &plan, &error), STATUS_OK);
    if (stage_run(scenario, plan, &options, result, &error) != STATUS_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, error.message);
    plan_free(plan);
    return scenario;
}

/* How often a fault happened; UINT64_MAX: nobody counts it. */
static inline uint64_t stage_run_fault(const struct stage_result *result, const char *name) {
    for (size_t i = 0; i < result->n_faults; i++)
        if (!strcmp(result->faults[i].name, name))
            return result->faults[i].count;
    return UINT64_MAX;
}

#endif
