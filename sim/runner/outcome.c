#include "runner/outcome.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

enum expectation expectation_of(const struct scenario *scenario) {
    if (scenario_expects(scenario, "no-crash"))
        return EXPECTS_CRASH;
    return scenario->n_expect_violates > 0 ? EXPECTS_VIOLATION : EXPECTS_NOTHING;
}

/* A worker that has ended could not say whether that was expected. */
static bool is_crash(const json_t *result) {
    const char *property = json_text(json_array_get(json_object_get(result, "violations"), 0), "property");
    return property != NULL && strcmp(property, "no-crash") == 0;
}

enum outcome outcome_of(const json_t *result, enum expectation expects) {
    bool passed = json_bool_or(result, "passed", false);
    assert(!passed || json_array_size(json_object_get(result, "violations")) == 0);
    if (passed)
        return expects ? OUTCOME_SILENT : OUTCOME_PASSED;
    if (expects == EXPECTS_CRASH && is_crash(result))
        return OUTCOME_EXPECTED;
    return expects && json_bool_or(result, "as_expected", false) ? OUTCOME_EXPECTED : OUTCOME_FAILED;
}

const char *outcome_name(enum outcome outcome) {
    static const char *const names[] = {"passed", "failed", "expected", "silent"};
    assert((size_t)outcome < sizeof names / sizeof names[0]);
    return names[outcome];
}

bool scenario_tally_silent(const struct scenario_tally *tally) {
    return tally->expects && tally->seeds > 0 && tally->outcomes[OUTCOME_FAILED] == 0 &&
           tally->outcomes[OUTCOME_EXPECTED] == 0;
}

bool scenario_tally_bad(const struct scenario_tally *tally) {
    return tally->outcomes[OUTCOME_FAILED] > 0 || scenario_tally_silent(tally);
}

void count_table_add(struct count_table *table, const char *name, uint64_t count) {
    uint64_t *sum = map_get(&table->counts, name);
    if (sum == NULL) {
        sum = memory_allocate(sizeof *sum);
        map_set(&table->counts, name, sum);
    }
    assert(*sum <= UINT64_MAX - count);
    *sum += count;
}

uint64_t count_table_get(const struct count_table *table, const char *name) {
    const uint64_t *sum = map_get(&table->counts, name);
    return sum == NULL ? 0 : *sum;
}

void count_table_free(struct count_table *table) {
    map_clear(&table->counts, free);
    map_free(&table->counts, NULL);
}

void run_tally_init(struct run_tally *tally, size_t n) {
    *tally = (struct run_tally){.n_scenarios = n};
    tally->scenarios = memory_allocate_array(n, sizeof *tally->scenarios);
}

static uint64_t figure(const json_t *result, const char *name) {
    int64_t value = json_integer_or(result, name, 0);
    return value < 0 ? 0 : (uint64_t)value;
}

/* Returns the sum of what was added. */
static uint64_t add_counts(struct count_table *table, const json_t *counts) {
    const char *name;
    json_t *value;
    uint64_t sum = 0;
    json_object_foreach((json_t *)counts, name, value) {
        uint64_t count = json_integer_value(value) < 0 ? 0 : (uint64_t)json_integer_value(value);
        count_table_add(table, name, count);
        sum += count;
    }
    return sum;
}

static void note_find(struct scenario_tally *tally, const json_t *result) {
    const json_t *first = json_array_get(json_object_get(result, "violations"), 0);
    tally->until_found = tally->seeds;
    tally->found_by = memory_copy_text(json_text(first, "property"));
}

void run_tally_add(struct run_tally *tally, size_t scenario, enum outcome outcome, const json_t *result) {
    assert(scenario < tally->n_scenarios);
    struct scenario_tally *mine = &tally->scenarios[scenario];
    uint64_t fired = add_counts(&tally->faults, json_object_get(result, "faults"));
    fired += add_counts(&tally->fault_points, json_object_get(result, "fault_points"));
    add_counts(&tally->marks, json_object_get(result, "marks"));
    mine->seeds++;
    mine->outcomes[outcome]++;
    if (outcome == OUTCOME_EXPECTED && mine->until_found == 0)
        note_find(mine, result);
    mine->commits += figure(result, "commits");
    mine->judged += figure(result, "judged");
    mine->faults_fired += fired;
    tally->seeds++;
    tally->failed += outcome == OUTCOME_FAILED;
    tally->virtual_time += json_integer_or(result, "virtual_ns", 0);
    tally->faults_fired += fired;
    assert(tally->failed <= tally->seeds);
}

bool run_tally_bad(const struct run_tally *tally) {
    for (size_t i = 0; i < tally->n_scenarios; i++)
        if (scenario_tally_bad(&tally->scenarios[i]))
            return true;
    return false;
}

void run_tally_free(struct run_tally *tally) {
    for (size_t i = 0; i < tally->n_scenarios; i++) {
        free(tally->scenarios[i].name);
        free(tally->scenarios[i].found_by);
    }
    free(tally->scenarios);
    count_table_free(&tally->faults);
    count_table_free(&tally->fault_points);
    count_table_free(&tally->marks);
}
