#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/blame.h"
#include "scenario/fault_kinds.h"
#include "scenario/stage_private.h"

static void add_count(struct stage_count **counts, size_t *n, const char *name, uint64_t count) {
    *counts = memory_resize(*counts, *n + 1, sizeof **counts);
    (*counts)[(*n)++] = (struct stage_count){memory_copy_text(name), count};
}

static uint64_t wire_count(const struct stage *stage, const char *name) {
    assert(name);
    const struct net_counter *counters;
    size_t n = net_counters(stage->net, &counters);
    for (size_t i = 0; i < n; i++)
        if (!strcmp(counters[i].name, name))
            return counters[i].count;
    return 0;
}

static bool plan_has(const struct plan *plan, const struct fault_kind *kind) {
    for (size_t i = 0; i < plan->n_steps; i++)
        if (fault_kind_of_step(&plan->steps[i]) == kind)
            return true;
    return false;
}

static void add_door(struct stage *stage, const struct fault_rules *rules, const struct host *door) {
    for (size_t i = 0; door && i < rules->count; i++) {
        char *name = memory_format("%s: %s", door->name, rules->rules[i].name);
        add_count(&stage->result->faults, &stage->result->n_faults, name, fault_host_counts(door)[i].struck);
        free(name);
    }
}

/* Faults that the scenario allows or the plan contains, also those that never happened. */
static void fill_faults(struct stage *stage) {
    struct stage_result *result = stage->result;
    for (const struct fault_kind *kind = fault_kinds; kind->name; kind++) {
        if (!scenario_fault_find(stage->scenario, kind->name) && !plan_has(stage->plan, kind))
            continue;
        uint64_t count = kind->class == FAULT_CLASS_TIMED ? stage->fired[kind - fault_kinds]
                                                          : wire_count(stage, kind->counter);
        add_count(&result->faults, &result->n_faults, kind->name, count);
    }
    add_door(stage, &stage->scenario->server_faults.convex.rules, stage->doors.convex);
    add_door(stage, &stage->scenario->server_faults.backend.rules, stage->doors.backend);
    add_door(stage, &stage->scenario->server_faults.issuer.rules, stage->doors.issuer);
    for (size_t i = 0; i < stage->n_services; i++)
        add_door(stage, &stage->scenario->server_faults.powersync.rules, stage->services[i].door);
}

static void fill_counters(struct stage *stage) {
    struct stage_result *result = stage->result;
    const struct world_counter *counters;
    size_t n = world_fault_points(stage->world, &counters);
    for (size_t i = 0; i < n; i++)
        add_count(&result->fault_points, &result->n_fault_points, counters[i].name, counters[i].fired);
    n = world_marks(stage->world, &counters);
    for (size_t i = 0; i < n; i++)
        add_count(&result->marks, &result->n_marks, counters[i].name, counters[i].reached);
    n = world_knobs(stage->world, &counters);
    for (size_t i = 0; i < n; i++)
        add_count(&result->knobs, &result->n_knobs, counters[i].name, counters[i].reached);
}

static struct violation *append_violation(struct stage_result *result) {
    result->violations =
        memory_resize(result->violations, result->n_violations + 1, sizeof *result->violations);
    return &result->violations[result->n_violations++];
}

/* Everything is copied: the result outlives the checker, the history and the world. */
static void copy_violation(struct stage_result *result, const struct violation *from) {
    assert(from->property);
    struct violation *to = append_violation(result);
    *to = *from;
    to->property = memory_copy_text(from->property);
    to->client = memory_copy_text(from->client ? from->client : "");
    to->table = memory_copy_text(from->table ? from->table : "");
    to->row = memory_copy_text(from->row ? from->row : "");
    to->expected = memory_copy_text(from->expected ? from->expected : "");
    to->seen = memory_copy_text(from->seen ? from->seen : "");
    to->explanation = memory_copy_text(from->explanation ? from->explanation : "");
}

void stage_add_violation(struct stage *stage, const struct violation *violation) {
    copy_violation(stage->result, violation);
}

static void judge(struct stage *stage) {
    struct stage_result *result = stage->result;
    assert(stage->checker);
    result->passed = result->n_violations == 0;
    result->as_expected = stage->scenario->n_expect_violates > 0 ? !result->passed : result->passed;
    for (size_t i = 0; stage->scenario->n_expect_violates > 0 && i < result->n_violations; i++)
        if (!scenario_expects(stage->scenario, result->violations[i].property))
            result->as_expected = false;
}

static void fill_trace(struct stage *stage) {
    struct stage_result *result = stage->result;
    result->trace_hash = history_trace_hash(stage->history);
    result->trace_length = history_trace_length(stage->history);
    const uint64_t *marks;
    result->n_trace_marks = history_trace_marks(stage->history, &marks);
    result->trace_marks = memory_allocate_array(result->n_trace_marks + 1, sizeof *marks);
    if (result->n_trace_marks > 0)
        memcpy(result->trace_marks, marks, result->n_trace_marks * sizeof *marks);
}

void stage_fill_result(struct stage *stage) {
    struct stage_result *result = stage->result;
    const struct violation *const *violations;
    size_t n = checker_violations(stage->checker, &violations);
    struct buffer steps = {0};
    for (size_t i = 0; i < n; i++)
        copy_violation(result, violations[i]);
    if (result->n_violations > 0)
        blame_steps(stage->plan, stage->history, &result->violations[0], &steps);
    result->steps_text = buffer_take(&steps);
    judge(stage);
    fill_trace(stage);
    assert(result->trace_length > 0 && !result->faults);
    result->virtual_time = world_now(stage->world);
    result->events = world_events(stage->world);
    result->commits = stage->commits;
    result->local_writes = stage->local_writes;
    result->applied = stage->applied;
    result->judged = checker_judged(stage->checker);
    result->exchanges = net_exchanges(stage->net);
    result->convex_requests = stage->convex_requests;
    if (stage->freshness)
        result->n_delays = freshness_take(stage->freshness, &result->delays);
    fill_faults(stage);
    fill_counters(stage);
}

static void free_counts(struct stage_count *counts, size_t n) {
    for (size_t i = 0; i < n; i++)
        free(counts[i].name);
    free(counts);
}

void stage_result_free(struct stage_result *result) {
    for (size_t i = 0; i < result->n_violations; i++) {
        const struct violation *violation = &result->violations[i];
        free((void *)(uintptr_t)violation->property);
        free((void *)(uintptr_t)violation->client);
        free((void *)(uintptr_t)violation->table);
        free((void *)(uintptr_t)violation->row);
        free(violation->expected);
        free(violation->seen);
        free(violation->explanation);
    }
    free(result->violations);
    free(result->steps_text);
    free(result->trace_marks);
    free_counts(result->faults, result->n_faults);
    free_counts(result->fault_points, result->n_fault_points);
    free_counts(result->marks, result->n_marks);
    free_counts(result->knobs, result->n_knobs);
    free(result->delays);
    buffer_free(&result->narration);
    *result = (struct stage_result){0};
}
