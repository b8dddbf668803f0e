#include "runner/suite_report.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "runner/failure_file.h"
#include "runner/junit.h"
#include "runner/report_folder.h"
#include "runner/results.h"
#include "runner/violation_text.h"

#define FAILURES_IN_FULL 10 /* later ones get one line each */

struct suite_report {
    const struct suite_settings *settings;
    const struct suite_scenarios *scenarios;
    struct run_tally tally;
    struct results *results;
    struct junit *junit;
    FILE *lines; /* results.jsonl */
    char *lines_path;
};

static void free_report(struct suite_report *report) {
    if (report->lines != NULL)
        fclose(report->lines);
    junit_destroy(report->junit);
    run_tally_free(&report->tally);
    free(report->lines_path);
    free(report);
}

static void init_tally(struct suite_report *report) {
    run_tally_init(&report->tally, report->scenarios->count);
    for (size_t i = 0; i < report->scenarios->count; i++) {
        const struct suite_scenario *item = &report->scenarios->items[i];
        struct scenario_tally *tally = &report->tally.scenarios[i];
        tally->name = memory_copy_text(item->name);
        tally->file = item->file;
        tally->canary = item->canary;
        tally->expects = item->expects;
        size_t suite = junit_add_suite(report->junit, item->name, item->file);
        assert(suite == i);
        (void)suite;
    }
}

static enum status open_results(struct suite_report *report, size_t workers, struct error *error) {
    const struct suite_settings *settings = report->settings;
    assert(settings->command != NULL && settings->version != NULL && workers > 0);
    char started[32];
    time_t now = time(NULL);
    struct tm utc;
    strftime(started, sizeof started, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    struct results_run run = {.command = settings->command,
                              .version = settings->version,
                              .engine = settings->engine == NULL ? "" : settings->engine,
                              .core = settings->core == NULL ? "" : settings->core,
                              .workers = (int64_t)workers,
                              .seeds = settings->seeds,
                              .shard = settings->shard,
                              .started = started};
    char *path = memory_format("%s/results.sqlite", settings->folder);
    enum status status = results_create(path, &run, &report->results, error);
    free(path);
    return status;
}

static enum status open_lines(struct suite_report *report, struct error *error) {
    report->lines_path = memory_format("%s/results.jsonl", report->settings->folder);
    report->lines = fopen(report->lines_path, "wb");
    if (report->lines == NULL)
        return error_set(error, STATUS_IO, "cannot write %s: %s", report->lines_path, strerror(errno));
    return STATUS_OK;
}

enum status suite_report_create(const struct suite_settings *settings,
                                const struct suite_scenarios *scenarios, size_t workers,
                                struct suite_report **out, struct error *error) {
    struct suite_report *report = memory_allocate(sizeof *report);
    report->settings = settings;
    report->scenarios = scenarios;
    report->junit = junit_create();
    init_tally(report);
    enum status status = report_folder_prepare(settings->folder, error);
    if (status == STATUS_OK)
        status = open_lines(report, error);
    if (status == STATUS_OK)
        status = open_results(report, workers, error);
    if (status != STATUS_OK) {
        free_report(report);
        return status;
    }
    *out = report;
    return STATUS_OK;
}

const struct run_tally *suite_report_tally(const struct suite_report *report) {
    return &report->tally;
}

/* "failures/<scenario>-<seed>.yaml", relative to the report folder; the caller frees it. */
static char *seed_file(const char *folder, const char *scenario, uint64_t seed, const char *ending) {
    struct buffer path = {0};
    buffer_printf(&path, "%s/", folder);
    report_file_name(&path, scenario);
    buffer_printf(&path, "-%llu%s", (unsigned long long)seed, ending);
    return buffer_take(&path);
}

static enum status write_in_folder(const struct suite_report *report, const char *folder, const char *file,
                                   const struct buffer *text, struct error *error) {
    char *path = memory_format("%s/%s", report->settings->folder, folder);
    enum status status = report_folder_make(path, error);
    free(path);
    path = memory_format("%s/%s", report->settings->folder, file);
    if (status == STATUS_OK)
        status = report_file_write(path, text->data, text->length, error);
    free(path);
    return status;
}

/* Without a plan (making it crashed too) there is nothing to pin: *file stays NULL. */
static enum status write_failure(const struct suite_report *report, const struct suite_seed *seed,
                                 char **file, struct error *error) {
    const struct suite_scenario *scenario = &report->scenarios->items[seed->scenario];
    const char *plan = json_text(seed->result, "plan");
    const char *engine = report->settings->engine == NULL ? scenario->engine : report->settings->engine;
    struct buffer text = {0};
    if (plan == NULL)
        return STATUS_OK;
    *file = seed_file("failures", scenario->name, seed->seed, ".yaml");
    failure_file_write(&text, scenario->file, seed->seed, engine, seed->result, plan);
    enum status status = write_in_folder(report, "failures", *file, &text, error);
    buffer_free(&text);
    return status;
}

static enum status write_trace(const struct suite_report *report, const struct suite_seed *seed,
                               struct error *error) {
    const struct suite_scenario *scenario = &report->scenarios->items[seed->scenario];
    const char *narration = json_text(seed->result, "narration");
    struct buffer text = {0};
    if (narration == NULL)
        return STATUS_OK;
    char *file = seed_file("traces", scenario->name, seed->seed, ".txt");
    buffer_printf(&text, "%s\n# scenario: %s\n# seed: %llu\n# trace-hash: %s\n%s", TRACE_FILE_FIRST_LINE,
                  scenario->file, (unsigned long long)seed->seed, json_text(seed->result, "trace_hash"),
                  narration);
    enum status status = write_in_folder(report, "traces", file, &text, error);
    free(file);
    buffer_free(&text);
    return status;
}

/* One line of results.jsonl: who, then the worker's fields. No wall time, so that equal runs have equal
 * files. */
static enum status write_line(struct suite_report *report, const struct suite_seed *seed,
                              enum outcome outcome, struct error *error) {
    static const char *const elsewhere[] = {"type", "job", "plan", "narration", "delays"};
    const struct suite_scenario *scenario = &report->scenarios->items[seed->scenario];
    json_t *line = json_object();
    struct buffer text = {0};
    json_object_set_new(line, "scenario", json_string(scenario->name));
    json_object_set_new(line, "file", json_string(scenario->file));
    json_object_set_new(line, "seed", json_integer((json_int_t)seed->seed));
    json_object_set_new(line, "outcome", json_string(outcome_name(outcome)));
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        json_object_del(seed->result, elsewhere[i]);
    json_object_update(line, seed->result);
    json_append(&text, line);
    buffer_append_char(&text, '\n');
    bool good = fwrite(text.data, 1, text.length, report->lines) == text.length;
    buffer_free(&text);
    json_decref(line);
    return good ? STATUS_OK
                : error_set(error, STATUS_IO, "cannot write %s: %s", report->lines_path, strerror(errno));
}

static char *replay_command(const struct suite_report *report, const struct suite_seed *seed,
                            const char *file) {
    const struct suite_settings *settings = report->settings;
    if (file != NULL)
        return memory_format("%s replay %s/%s", settings->program, settings->folder, file);
    return memory_format("%s replay --seed %llu %s", settings->program, (unsigned long long)seed->seed,
                         report->scenarios->items[seed->scenario].file);
}

/* A failed seed for people and for CI. */
static void tell_failure(struct suite_report *report, const struct suite_seed *seed, const char *file,
                         struct buffer *lines) {
    const struct suite_scenario *scenario = &report->scenarios->items[seed->scenario];
    const json_t *first = json_array_get(json_object_get(seed->result, "violations"), 0);
    char *replay = replay_command(report, seed, file);
    struct buffer full = {0}, message = {0};
    assert(first != NULL && report->tally.failed > 0);
    violation_text_append(&full, scenario->name, seed->seed, seed->result, replay);
    violation_text_append_line(&message, first);
    if (report->tally.failed <= FAILURES_IN_FULL)
        buffer_append(lines, full.data, full.length);
    else
        buffer_printf(lines, "FAILED %s, seed %llu: %s (%s)\n", scenario->name,
                      (unsigned long long)seed->seed, json_text(first, "property"), replay);
    junit_add_seed(report->junit, seed->scenario, seed->seed, seed->wall_time,
                   &(struct junit_failure){.type = json_text(first, "property"),
                                           .message = buffer_text(&message),
                                           .text = buffer_text(&full)});
    buffer_free(&full);
    buffer_free(&message);
    free(replay);
}

enum status suite_report_add(struct suite_report *report, const struct suite_seed *seed,
                             enum outcome *outcome, struct buffer *lines, struct error *error) {
    assert(seed->scenario < report->scenarios->count);
    const struct suite_scenario *scenario = &report->scenarios->items[seed->scenario];
    char *file = NULL;
    *outcome = outcome_of(seed->result, scenario->expects);
    run_tally_add(&report->tally, seed->scenario, *outcome, seed->result);
    enum status status = write_trace(report, seed, error);
    if (status == STATUS_OK && *outcome == OUTCOME_FAILED)
        status = write_failure(report, seed, &file, error);
    if (*outcome == OUTCOME_FAILED)
        tell_failure(report, seed, file, lines);
    else
        junit_add_seed(report->junit, seed->scenario, seed->seed, seed->wall_time, NULL);
    if (status == STATUS_OK)
        status = write_line(report, seed, *outcome, error);
    if (status == STATUS_OK)
        status = results_add(report->results,
                             &(struct results_seed){.scenario = scenario->name,
                                                    .file = scenario->file,
                                                    .seed = seed->seed,
                                                    .outcome = *outcome,
                                                    .wall_time = seed->wall_time,
                                                    .failure_file = file,
                                                    .result = seed->result},
                             error);
    free(file);
    return status;
}

static void add_silent_scenarios(struct suite_report *report) {
    for (size_t i = 0; i < report->tally.n_scenarios; i++)
        if (scenario_tally_silent(&report->tally.scenarios[i]))
            junit_add_case(
                report->junit, i, "expected violation",
                &(struct junit_failure){.type = "expected-violation-missing",
                                        .message = "no seed showed the violation that the scenario expects",
                                        .text = "The scenario plants a bug that the checks must see."});
}

static enum status save_junit(struct suite_report *report, struct error *error) {
    char *path = memory_format("%s/junit.xml", report->settings->folder);
    add_silent_scenarios(report);
    enum status status = junit_save(report->junit, path, error);
    free(path);
    if (status == STATUS_OK && report->settings->junit != NULL)
        status = junit_save(report->junit, report->settings->junit, error);
    return status;
}

enum status suite_report_close(struct suite_report *report, const char *verdict, int64_t wall_time,
                               struct error *error) {
    enum status status = save_junit(report, error);
    enum status closed =
        results_close(report->results, verdict, wall_time, status == STATUS_OK ? error : NULL);
    if (status == STATUS_OK)
        status = closed;
    if (fflush(report->lines) != 0 && status == STATUS_OK)
        status = error_set(error, STATUS_IO, "cannot write %s: %s", report->lines_path, strerror(errno));
    free_report(report);
    return status;
}
