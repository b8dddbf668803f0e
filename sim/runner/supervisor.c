#include "runner/supervisor.h"

#include <assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/json.h"
#include "base/memory.h"
#include "kernel/time.h"
#include "runner/installation.h"
#include "runner/worker_process.h"

#define TICK_MILLISECONDS 200
#define USUAL_WATCHDOG (120 * TIME_SECOND)
#define USUAL_MEMORY_LIMIT (UINT64_C(8) << 30)

struct supervisor;

struct slot {
    struct supervisor *supervisor;
    struct worker_process *process; /* NULL: not running */
    uint64_t job;                   /* 0: idle */
    bool finishing;                 /* its input was closed */
    enum job_end killed_for;        /* JOB_ANSWERED: not killed */
    int64_t job_started;            /* wall, ns */
    int64_t last_sign;              /* of life, wall, ns */
};

struct supervisor {
    const struct supervisor_settings *settings;
    uv_loop_t loop;
    uv_timer_t timer;
    uv_signal_t signals[2];
    struct slot *slots;
    bool stopping; /* hand out nothing more */
    bool interrupted;
    enum status status; /* of starting workers */
    struct error error;
};

static int64_t wall_now(const struct supervisor *supervisor) {
    (void)supervisor;
    return (int64_t)uv_hrtime();
}

static void fill_slot(struct slot *slot);

static void fill_all_slots(struct supervisor *supervisor) {
    for (size_t i = 0; i < supervisor->settings->workers; i++)
        if (supervisor->slots[i].job == 0)
            fill_slot(&supervisor->slots[i]);
}

static void report_job(struct slot *slot, enum job_end end, const json_t *message, const char *reason,
                       const char *errors) {
    struct supervisor *supervisor = slot->supervisor;
    assert(slot->job != 0);
    assert((end == JOB_ANSWERED) == (message != NULL));
    struct job_report report = {.job = slot->job,
                                .end = end,
                                .message = message,
                                .reason = reason,
                                .errors = errors,
                                .wall_time = wall_now(supervisor) - slot->job_started};
    slot->job = 0;
    if (!supervisor->interrupted)
        supervisor->settings->report(supervisor->settings->context, &report);
}

static void worker_line(void *context, const char *text, size_t length) {
    struct slot *slot = context;
    const struct supervisor_settings *settings = slot->supervisor->settings;
    json_t *message = json_parse(text, length, NULL);
    const char *type = message == NULL ? NULL : json_text(message, "type");
    uint64_t job = message == NULL ? 0 : (uint64_t)json_integer_or(message, "job", 0);
    slot->last_sign = wall_now(slot->supervisor);
    if (type == NULL || job != slot->job || job == 0) {
        worker_process_kill(slot->process); /* it speaks nonsense; its end is the finding */
    } else if (strcmp(type, "progress") == 0) {
        if (settings->progress != NULL)
            settings->progress(settings->context, job, json_integer_or(message, "virtual_ns", 0),
                               (uint64_t)json_integer_or(message, "events", 0));
    } else {
        report_job(slot, JOB_ANSWERED, message, NULL, NULL);
        fill_all_slots(slot->supervisor);
    }
    if (message != NULL)
        json_decref(message);
}

static void end_reason(const struct slot *slot, const struct worker_end *end, char *out, size_t size) {
    const struct supervisor_settings *settings = slot->supervisor->settings;
    if (slot->killed_for == JOB_STUCK)
        snprintf(out, size, "no progress for %lld s of wall time; the worker was killed",
                 (long long)(settings->watchdog / TIME_SECOND));
    else if (slot->killed_for == JOB_TOO_BIG)
        snprintf(out, size, "the worker used more than %llu MiB and was killed",
                 (unsigned long long)(settings->memory_limit >> 20));
    else if (end->signal != 0)
        snprintf(out, size, "the worker died of signal %d (%s)", end->signal, strsignal(end->signal));
    else
        snprintf(out, size, "the worker ended with exit status %lld", (long long)end->exit_status);
}

static void worker_gone(void *context, const struct worker_end *end) {
    struct slot *slot = context;
    struct supervisor *supervisor = slot->supervisor;
    const struct supervisor_settings *settings = supervisor->settings;
    char reason[160];
    assert(slot->process != NULL);
    end_reason(slot, end, reason, sizeof reason);
    slot->process = NULL;
    slot->finishing = false;
    if (slot->job != 0)
        report_job(slot, slot->killed_for == JOB_ANSWERED ? JOB_CRASHED : slot->killed_for, NULL, reason,
                   end->errors);
    else if ((end->exit_status != 0 || end->signal != 0) && !supervisor->interrupted &&
             settings->bad_end != NULL)
        settings->bad_end(settings->context, reason, end->errors);
    slot->killed_for = JOB_ANSWERED;
    fill_all_slots(supervisor);
}

static const struct worker_process_events worker_events = {.line = worker_line, .gone = worker_gone};

static bool start_worker(struct slot *slot) {
    struct supervisor *supervisor = slot->supervisor;
    const struct supervisor_settings *settings = supervisor->settings;
    /* By its path and not as /proc/self/exe, which names the instrumenting program when there is one. */
    char program[PATH_MAX] = "";
    if (settings->executable == NULL)
        installation_program(program, sizeof program);
    const char *executable = settings->executable == NULL ? program : settings->executable;
    supervisor->status = worker_process_start(&supervisor->loop, executable, settings->arguments,
                                              &worker_events, slot, &slot->process, &supervisor->error);
    if (supervisor->status != STATUS_OK)
        supervisor->stopping = true;
    return supervisor->status == STATUS_OK;
}

/* A free slot gets the next job; when there is none its worker may go. */
static void fill_slot(struct slot *slot) {
    struct supervisor *supervisor = slot->supervisor;
    const struct supervisor_settings *settings = supervisor->settings;
    struct buffer line = {0};
    uint64_t job = 0;
    if (slot->finishing)
        return; /* its end will be told, and then the slot is filled anew */
    bool found = !supervisor->stopping && settings->next_job(settings->context, &line, &job);
    if (!found || (slot->process == NULL && !start_worker(slot))) {
        if (slot->process != NULL) {
            slot->finishing = true;
            slot->last_sign = wall_now(supervisor);
            worker_process_finish(slot->process);
        }
        buffer_free(&line);
        return;
    }
    assert(job != 0 && slot->process != NULL);
    slot->job = job;
    slot->job_started = slot->last_sign = wall_now(supervisor);
    worker_process_send(slot->process, line.data, line.length);
    buffer_free(&line);
}

static void watch_slot(struct slot *slot, int64_t now) {
    const struct supervisor_settings *settings = slot->supervisor->settings;
    if (slot->process == NULL || slot->killed_for != JOB_ANSWERED)
        return;
    if (worker_process_memory(slot->process) > settings->memory_limit)
        slot->killed_for = JOB_TOO_BIG; /* first: one that is too big is often late because of that */
    else if (now - slot->last_sign > settings->watchdog)
        slot->killed_for = JOB_STUCK;
    if (slot->killed_for != JOB_ANSWERED)
        worker_process_kill(slot->process);
}

static void stop_when_idle(struct supervisor *supervisor) {
    for (size_t i = 0; i < supervisor->settings->workers; i++)
        if (supervisor->slots[i].process != NULL)
            return;
    uv_stop(&supervisor->loop);
}

static void timer_fired(uv_timer_t *timer) {
    struct supervisor *supervisor = timer->data;
    int64_t now = wall_now(supervisor);
    for (size_t i = 0; i < supervisor->settings->workers; i++)
        watch_slot(&supervisor->slots[i], now);
    if (supervisor->settings->tick != NULL)
        supervisor->settings->tick(supervisor->settings->context, now);
}

static void signal_came(uv_signal_t *handle, int number) {
    struct supervisor *supervisor = handle->data;
    (void)number;
    supervisor->stopping = supervisor->interrupted = true;
    for (size_t i = 0; i < supervisor->settings->workers; i++)
        if (supervisor->slots[i].process != NULL)
            worker_process_kill(supervisor->slots[i].process);
}

/* Whether anything still runs is asked once a turn of the loop, after all events of the turn. */
static void idle_check(uv_check_t *check) {
    stop_when_idle(check->data);
}

static void close_any(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void run_loop(struct supervisor *supervisor) {
    uv_check_t check;
    uv_loop_init(&supervisor->loop);
    uv_timer_init(&supervisor->loop, &supervisor->timer);
    supervisor->timer.data = supervisor;
    uv_timer_start(&supervisor->timer, timer_fired, 0, TICK_MILLISECONDS);
    uv_check_init(&supervisor->loop, &check);
    check.data = supervisor;
    uv_check_start(&check, idle_check);
    for (int i = 0; supervisor->settings->catch_signals && i < 2; i++) {
        uv_signal_init(&supervisor->loop, &supervisor->signals[i]);
        supervisor->signals[i].data = supervisor;
        uv_signal_start(&supervisor->signals[i], signal_came, i == 0 ? SIGINT : SIGTERM);
    }
    fill_all_slots(supervisor);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    uv_walk(&supervisor->loop, close_any, NULL);
    uv_run(&supervisor->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&supervisor->loop);
    assert(result == 0);
    (void)result;
}

enum status supervisor_run(const struct supervisor_settings *settings, bool *interrupted,
                           struct error *error) {
    struct supervisor_settings filled = *settings;
    struct supervisor supervisor = {.settings = &filled};
    assert(settings->workers >= 1 && settings->next_job != NULL && settings->report != NULL);
    if (filled.watchdog == 0)
        filled.watchdog = USUAL_WATCHDOG;
    if (filled.memory_limit == 0)
        filled.memory_limit = USUAL_MEMORY_LIMIT;
    supervisor.slots = memory_allocate_array(settings->workers, sizeof *supervisor.slots);
    for (size_t i = 0; i < settings->workers; i++)
        supervisor.slots[i].supervisor = &supervisor;
    signal(SIGPIPE, SIG_IGN); /* a worker that dies while a job is being sent */
    run_loop(&supervisor);
    free(supervisor.slots);
    if (interrupted != NULL)
        *interrupted = supervisor.interrupted;
    if (supervisor.status != STATUS_OK && error != NULL)
        *error = supervisor.error;
    return supervisor.status;
}
