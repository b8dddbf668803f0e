#include "runner/worker.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/map.h"
#include "client/core_versions.h"
#include "runner/report_folder.h"
#include "runner/result_message.h"
#include "scenario/plan.h"

#define PROGRESS_EVERY INT64_C(200000000) /* ns of wall time between two progress lines */

struct worker {
    const struct worker_settings *settings;
    FILE *answers;
    struct map scenarios; /* path -> struct scenario *, loaded once */
    struct map cores;     /* engine -> struct core_library *, opened when first needed */
    uint64_t job;         /* the one that runs */
    json_t *answer; /* to it, sent when all its memory is given back: a crash in there must not hit the next
                       job */
    const char *answer_type;
    int64_t last_progress;
    int64_t job_cpu, first_second_cpu; /* CPU time when the job began, and at virtual time 1 s; 0: not yet */
};

static void set_answer(struct worker *worker, const char *type, json_t *json) {
    assert(worker->answer == NULL);
    worker->answer = json;
    worker->answer_type = type;
}

static void send_answer(struct worker *worker) {
    struct buffer line = {0};
    json_t *json = worker->answer;
    assert(json != NULL);
    worker->answer = NULL;
    json_object_set_new(json, "type", json_string(worker->answer_type));
    json_object_set_new(json, "job", json_integer((json_int_t)worker->job));
    json_append(&line, json);
    buffer_append_char(&line, '\n');
    fwrite(line.data, 1, line.length, worker->answers);
    fflush(worker->answers);
    buffer_free(&line);
    json_decref(json);
}

static void set_error(struct worker *worker, const struct error *error) {
    char message[1400];
    json_t *json = json_object();
    assert(error->status != STATUS_OK);
    error_format(error, message, sizeof message);
    json_object_set_new(json, "status", json_integer(error->status));
    json_object_set_new(json, "message", json_string(message));
    set_answer(worker, "error", json);
}

static int64_t wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * TIME_SECOND + now.tv_nsec;
}

static int64_t cpu_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * TIME_SECOND + now.tv_nsec;
}

/* `peak_bytes` is that of the process: what earlier jobs needed counts. */
static void add_measures(const struct worker *worker, json_t *json) {
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    json_object_set_new(json, "cpu_ns", json_integer(cpu_now() - worker->job_cpu));
    if (worker->first_second_cpu > 0)
        json_object_set_new(json, "start_cpu_ns", json_integer(worker->first_second_cpu - worker->job_cpu));
    json_object_set_new(json, "peak_bytes", json_integer((json_int_t)usage.ru_maxrss * 1024));
}

/* The heart beat. Wall time only thins it out; nothing of it reaches the world. */
static void tell_progress(void *context, int64_t virtual_now, uint64_t events) {
    struct worker *worker = context;
    int64_t now = wall_now();
    assert(worker->job != 0);
    if (worker->first_second_cpu == 0)
        worker->first_second_cpu = cpu_now();
    if (now - worker->last_progress < PROGRESS_EVERY)
        return;
    worker->last_progress = now;
    fprintf(worker->answers, "{\"type\":\"progress\",\"job\":%llu,\"virtual_ns\":%lld,\"events\":%llu}\n",
            (unsigned long long)worker->job, (long long)virtual_now, (unsigned long long)events);
    fflush(worker->answers);
}

static enum status find_scenario(struct worker *worker, const char *path, struct scenario **scenario,
                                 struct error *error) {
    assert(path != NULL);
    *scenario = map_get(&worker->scenarios, path);
    if (*scenario != NULL)
        return STATUS_OK;
    enum status status = scenario_load(path, scenario, error);
    if (status != STATUS_OK)
        return status;
    if (worker->settings->engine != NULL)
        (*scenario)->engine = worker->settings->engine;
    map_set(&worker->scenarios, path, *scenario);
    return STATUS_OK;
}

static json_t *plan_json(const struct plan *plan, const struct scenario *scenario) {
    struct buffer text = {0};
    plan_write(plan, scenario, &text);
    json_t *json = json_stringn(buffer_text(&text), text.length);
    buffer_free(&text);
    return json != NULL ? json : json_string("");
}

/* A run that came to no verdict. Too many events and broken promises inside the stage are findings about this
 * seed; anything else is wrong input, which the caller must hear about. */
static json_t *result_of_failed_run(const struct error *error) {
    assert(error->status != STATUS_OK);
    if (error->status == STATUS_LIMIT)
        return result_message_make_ended("liveness", error->message,
                                         "the run was cut off at its limit of events");
    if (error->status == STATUS_INTERNAL)
        return result_message_make_ended("no-crash", error->message, NULL);
    return NULL;
}

/* A file that cannot be written is told, and no reason to lose the verdict. */
static void keep_database(void *context, const char *client, const void *bytes, size_t length) {
    const char *folder = context;
    struct error error = {0};
    char *path = memory_format("%s/%s.db", folder, client);
    enum status status = report_folder_make(folder, &error);
    if (status == STATUS_OK)
        status = report_file_write(path, bytes, length, &error);
    if (status != STATUS_OK)
        fprintf(stderr, "syncline: %s\n", error.message);
    free(path);
}

static enum status run_plan(struct worker *worker, const json_t *job, const struct scenario *scenario,
                            const struct plan *plan, struct error *error) {
    struct stage_result result = {0};
    bool narrate = json_bool_or(job, "narrate", false);
    struct stage_options options = {.core = map_get(&worker->cores, scenario->engine),
                                    .narrate = narrate,
                                    .freshness = json_bool_or(job, "delays", false),
                                    .flip_bit = (uint64_t)json_integer_or(job, "flip_delay", 0),
                                    .progress = tell_progress,
                                    .progress_context = worker};
    const char *databases = json_text(job, "databases");
    if (databases != NULL) {
        options.keep_database = keep_database;
        options.keep_context = (void *)(uintptr_t)databases;
    }
    struct error trouble = {0};
    json_t *json = NULL;
    bool failed = true;
    if (stage_run(scenario, plan, &options, &result, &trouble) == STATUS_OK) {
        failed = !result.passed;
        json = result_message_make(
            &result, &(struct result_message_options){.delays = json_bool_or(job, "delays", false),
                                                      .trace_marks = failed || narrate ||
                                                                     json_bool_or(job, "trace_marks", false),
                                                      .narration = narrate});
        stage_result_free(&result);
    } else {
        json = result_of_failed_run(&trouble);
    }
    if (json == NULL) {
        if (error != NULL)
            *error = trouble;
        return trouble.status;
    }
    if (json_bool_or(job, "measure", false))
        add_measures(worker, json);
    if (failed)
        json_object_set_new(json, "plan", plan_json(plan, scenario));
    set_answer(worker, "result", json);
    return STATUS_OK;
}

static enum status open_core(struct worker *worker, const char *engine, struct error *error) {
    const struct core_version *version = core_version_find(engine);
    struct core_library *core = NULL;
    if (map_has(&worker->cores, engine))
        return STATUS_OK;
    enum status status = version != NULL ? core_version_open(version, &core, error)
                                         : core_library_open(worker->settings->core, &core, error);
    if (status == STATUS_OK)
        map_set(&worker->cores, engine, core);
    return status;
}

static enum status run_job(struct worker *worker, const json_t *job, struct error *error) {
    struct scenario *scenario = NULL;
    struct plan *plan = NULL;
    const char *path = json_text(job, "scenario"), *want = json_text(job, "want");
    if (path == NULL)
        return error_set(error, STATUS_INVALID, "a job without a scenario");
    enum status status = find_scenario(worker, path, &scenario, error);
    if (status != STATUS_OK)
        return status;
    scenario->polling_interval = json_integer_or(job, "polling_interval_ns", scenario->polling_interval);
    status = plan_make(scenario, (uint64_t)json_integer_or(job, "seed", 0), &plan, error);
    if (status != STATUS_OK)
        return status;
    static const char *const nothing[] = {NULL};
    struct scenario unchecked = *scenario;
    unchecked.properties = nothing;
    unchecked.n_properties = 0;
    if (want != NULL) {
        json_t *json = json_object();
        json_object_set_new(json, "plan", plan_json(plan, scenario));
        set_answer(worker, "plan", json);
    } else {
        const bool needs_core = scenario->n_users > 0 && scenario_engine(scenario) != CLIENT_ENGINE_MODEL;
        status = needs_core ? open_core(worker, scenario->engine, error) : STATUS_OK;
        if (status == STATUS_OK)
            status = run_plan(worker, job, json_bool_or(job, "unchecked", false) ? &unchecked : scenario,
                              plan, error);
    }
    plan_free(plan);
    return status;
}

static void serve_line(struct worker *worker, const char *line, size_t length) {
    struct error error = {0};
    json_t *job = json_parse(line, length, &error);
    if (job == NULL) {
        worker->job = 0;
        set_error(worker, &error);
        send_answer(worker);
        return;
    }
    worker->job = (uint64_t)json_integer_or(job, "job", 0);
    worker->last_progress = wall_now();
    worker->job_cpu = cpu_now();
    worker->first_second_cpu = 0;
    if (run_job(worker, job, &error) != STATUS_OK)
        set_error(worker, &error);
    json_decref(job);
    send_answer(worker);
}

/* Answers go to a descriptor of their own: what a library prints must not get between the lines. */
static FILE *take_standard_output(void) {
    int answers = dup(STDOUT_FILENO);
    if (answers < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return NULL;
    return fdopen(answers, "w");
}

static void free_scenario(void *scenario) {
    scenario_free(scenario);
}

static void close_core(void *core) {
    core_library_close(core);
}

int worker_main(const struct worker_settings *settings) {
    struct worker worker = {.settings = settings};
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* nobody would read the rest */
    /* A key press reaches the whole process group; it is the supervisor that ends its workers. */
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    worker.answers = take_standard_output();
    if (worker.answers == NULL) {
        perror("syncline worker");
        return 3;
    }
    while ((length = getline(&line, &capacity, stdin)) > 0)
        serve_line(&worker, line, (size_t)length);
    free(line);
    map_clear(&worker.scenarios, free_scenario);
    map_free(&worker.scenarios, NULL);
    map_free(&worker.cores, close_core);
    fclose(worker.answers);
    return 0;
}
