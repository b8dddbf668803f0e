#include "runner/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runner/batch.h"
#include "runner/failure_file.h"
#include "runner/outcome.h"
#include "runner/report_folder.h"
#include "runner/suite.h"
#include "runner/violation_text.h"
#include "scenario/scenario.h"

/* What the run is compared with. */
struct recorded {
    bool from_file;
    bool has_verdict;
    struct failure failure; /* scenario, seed, property "" = passed, trace hash "" = unknown */
};

struct replay {
    const struct replay_settings *settings;
    struct recorded recorded;
    enum expectation expects;
    json_t *result;
};

static void keep_result(void *context, size_t index, const json_t *result) {
    struct replay *replay = context;
    assert(index == 0 && replay->result == NULL);
    replay->result = json_deep_copy(result);
}

/* One run in a process of its own. */
static enum status run_once(struct replay *replay, json_t **result, struct error *error) {
    struct worker_job job = {.scenario = replay->settings->path,
                             .seed = replay->recorded.failure.seed,
                             .narrate = replay->settings->trace,
                             .databases = replay->settings->databases,
                             .trace_marks = true};
    struct batch_settings batch = {.worker_arguments = replay->settings->worker_arguments,
                                   .workers = 1,
                                   .jobs = &job,
                                   .n_jobs = 1,
                                   .context = replay,
                                   .result = keep_result};
    enum status status = batch_run(&batch, error);
    *result = replay->result;
    replay->result = NULL;
    if (status == STATUS_OK && *result == NULL)
        status = error_set(error, STATUS_INTERNAL, "the worker gave no result");
    return status;
}

static const char *first_property(const json_t *result) {
    const json_t *first = json_array_get(json_object_get(result, "violations"), 0);
    const char *property = first == NULL ? NULL : json_text(first, "property");
    return property == NULL ? "" : property;
}

/* Turns a run into what a second one is compared with. */
static void record_result(struct replay *replay, const json_t *result) {
    uint64_t seed = replay->recorded.failure.seed;
    struct failure *failure = &replay->recorded.failure;
    const json_t *marks = json_object_get(result, "trace_marks");
    size_t index;
    json_t *mark;
    failure_free(failure);
    *failure = (struct failure){.seed = seed,
                                .scenario = memory_copy_text(replay->settings->path),
                                .property = memory_copy_text(first_property(result)),
                                .trace_hash = memory_copy_text(json_text(result, "trace_hash")),
                                .n_trace_marks = json_array_size(marks)};
    failure->trace_length = (uint64_t)json_integer_or(result, "trace_length", 0);
    failure->trace_marks = memory_allocate_array(failure->n_trace_marks, sizeof *failure->trace_marks);
    json_array_foreach(marks, index, mark) {
        failure->trace_marks[index] = memory_copy_text(json_string_value(mark));
    }
    replay->recorded.has_verdict = true;
}

static void say_where_different(const struct replay *replay, const json_t *result) {
    const struct failure *failure = &replay->recorded.failure;
    uint64_t length = (uint64_t)json_integer_or(result, "trace_length", 0);
    FILE *out = replay->settings->out;
    fprintf(out, "DIFFERENT trace: %s, recorded %s\n", json_text(result, "trace_hash"), failure->trace_hash);
    if (failure->trace_length > 0)
        fprintf(out, "  length    %llu records, recorded %llu\n", (unsigned long long)length,
                (unsigned long long)failure->trace_length);
    if (failure->n_trace_marks > 0)
        fprintf(out, "  differs   the first %llu records are equal, one of the next 1024 is not\n",
                (unsigned long long)failure_equal_records(failure, json_object_get(result, "trace_marks")));
    else
        fprintf(out, "  differs   somewhere: the record has no marks to compare with\n");
}

/* True when trace and verdict are as recorded. */
static bool compare(const struct replay *replay, const json_t *result) {
    const struct failure *failure = &replay->recorded.failure;
    const char *hash = json_text(result, "trace_hash"), *property = first_property(result);
    FILE *out = replay->settings->out;
    bool same = true;
    assert(hash != NULL);
    if (failure->trace_hash[0] != '\0' && strcmp(hash, failure->trace_hash) != 0) {
        say_where_different(replay, result);
        same = false;
    }
    if (replay->recorded.has_verdict && strcmp(property, failure->property) != 0) {
        fprintf(out, "DIFFERENT verdict: %s, recorded %s\n", property[0] == '\0' ? "passed" : property,
                failure->property[0] == '\0' ? "passed" : failure->property);
        same = false;
    }
    if (same)
        fprintf(out, "same %s%s%s\n", replay->recorded.has_verdict ? "verdict and trace" : "trace",
                hash[0] == '\0' ? "" : ", trace hash ", hash);
    return same;
}

static void show_result(const struct replay *replay, const json_t *result) {
    const struct replay_settings *settings = replay->settings;
    const char *narration = json_text(result, "narration");
    FILE *out = settings->out;
    if (narration != NULL)
        fputs(narration, out);
    if (json_bool_or(result, "passed", false)) {
        fprintf(out, "passed %s, seed %llu\n", settings->path,
                (unsigned long long)replay->recorded.failure.seed);
        return;
    }
    struct buffer text = {0};
    violation_text_append(&text, settings->path, replay->recorded.failure.seed, result, "");
    fputs(buffer_text(&text), out);
    buffer_free(&text);
}

/* A file that is no failure file is a scenario, and nothing is recorded. */
static enum status read_failure(struct replay *replay, struct error *error) {
    struct buffer text = {0};
    enum status status = report_file_read(replay->settings->path, &text, error);
    bool read = status == STATUS_OK; /* the file, whatever it is */
    if (read)
        status =
            failure_file_parse(buffer_text(&text), replay->settings->path, &replay->recorded.failure, error);
    buffer_free(&text);
    replay->recorded.from_file = replay->recorded.has_verdict = status == STATUS_OK;
    if (!read || status != STATUS_NOT_FOUND)
        return status;
    return STATUS_OK;
}

static enum status read_scenario(struct replay *replay, struct error *error) {
    struct scenario *scenario = NULL;
    enum status status = scenario_load(replay->settings->path, &scenario, error);
    if (status != STATUS_OK)
        return status;
    replay->expects = expectation_of(scenario);
    bool has_seed = replay->settings->has_seed || replay->recorded.from_file || scenario->has_seed;
    if (!replay->settings->has_seed && !replay->recorded.from_file)
        replay->recorded.failure.seed = scenario->seed;
    scenario_free(scenario);
    if (!has_seed)
        return error_set(error, STATUS_INVALID, "%s names no seed; say which one: replay --seed N %s",
                         replay->settings->path, replay->settings->path);
    return STATUS_OK;
}

/* A seed or a hash on the command line counts more than what the file says. */
static void apply_settings(struct replay *replay) {
    struct failure *failure = &replay->recorded.failure;
    const struct replay_settings *settings = replay->settings;
    if (!replay->recorded.from_file)
        *failure = (struct failure){.property = memory_copy_text(""), .trace_hash = memory_copy_text("")};
    if (settings->has_seed)
        failure->seed = settings->seed;
    if (settings->trace_hash != NULL) {
        free(failure->trace_hash);
        failure->trace_hash = memory_copy_text(settings->trace_hash);
    }
    assert(failure->property != NULL && failure->trace_hash != NULL);
}

static enum status run_and_compare(struct replay *replay, int *exit_status, struct error *error) {
    json_t *result = NULL, *second = NULL;
    assert(!replay->recorded.from_file || replay->recorded.has_verdict);
    bool recorded = replay->recorded.has_verdict || replay->settings->trace_hash != NULL;
    enum status status = run_once(replay, &result, error);
    if (status == STATUS_OK) {
        show_result(replay, result);
        if (!recorded) {
            record_result(replay, result);
            status = run_once(replay, &second, error);
        }
    }
    if (status == STATUS_OK) {
        bool same = compare(replay, recorded ? result : second);
        enum outcome outcome = outcome_of(result, replay->expects);
        bool fine = replay->recorded.from_file || (outcome != OUTCOME_FAILED && outcome != OUTCOME_SILENT);
        *exit_status = same && fine ? EXIT_EXPECTED : EXIT_VIOLATED;
    }
    if (result != NULL)
        json_decref(result);
    if (second != NULL)
        json_decref(second);
    return status;
}

int replay_run(const struct replay_settings *settings, struct error *error) {
    struct replay replay = {.settings = settings};
    assert(settings->path != NULL && settings->out != NULL);
    int exit_status = EXIT_EXPECTED;
    enum status status = read_failure(&replay, error);
    if (status != STATUS_OK)
        return suite_exit_status_of(status);
    apply_settings(&replay);
    status = read_scenario(&replay, error);
    if (status == STATUS_OK)
        status = run_and_compare(&replay, &exit_status, error);
    failure_free(&replay.recorded.failure);
    return status == STATUS_OK ? exit_status : suite_exit_status_of(status);
}
