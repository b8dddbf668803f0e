/* A plan as a scenario that states everything the seed chose. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "reader/units.h"
#include "scenario/fault_kinds.h"
#include "scenario/language.h"

static void line_text(struct buffer *out, const char *key, const char *text) {
    buffer_printf(out, "%s: ", key);
    buffer_append_json_text(out, text); /* a JSON string is a YAML string */
    buffer_append_char(out, '\n');
}

/* A name that the language knows, or whose letters it restricts: it needs no quotes, but what needs them gets
 * them. */
static void append_name(struct buffer *out, const char *name) {
    assert(name);
    bool plain = *name >= 'a' && *name <= 'z' &&
                 strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-.") == strlen(name) &&
                 strcmp(name, "null") && strcmp(name, "true") && strcmp(name, "false");
    if (plain)
        buffer_append_text(out, name);
    else
        buffer_append_json_text(out, name);
}

static void append_names(struct buffer *out, const char *const *names, size_t count) {
    buffer_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i ? ", " : "");
        append_name(out, names[i]);
    }
    buffer_append_char(out, ']');
}

static void line_names(struct buffer *out, const char *key, const char *const *names, size_t count) {
    buffer_printf(out, "%s: ", key);
    append_names(out, names, count);
    buffer_append_char(out, '\n');
}

static void append_duration(struct buffer *out, const char *before, int64_t ns) {
    buffer_append_text(out, before);
    units_print_duration(out, ns);
}

static void write_head(struct buffer *out, const struct plan *plan, const struct scenario *scenario) {
    buffer_printf(out, "# What seed %" PRIu64 " makes of %s.\n", plan->seed, scenario->name);
    line_text(out, "name", scenario->name);
    line_text(out, "description", scenario->description);
    if (plan->seed <= INT64_MAX)
        buffer_printf(out, "seed: %" PRIu64 "\n", plan->seed);
    else
        buffer_printf(out, "seed: \"%" PRIu64 "\"\n", plan->seed);
    buffer_printf(out, "app: %s\n", scenario->app->name);
    if (scenario->backend)
        line_text(out, "backend", scenario->backend_file);
    if (strcmp(scenario->sync_config, scenario->app->sync_config) != 0)
        line_text(out, "sync-config", scenario->sync_config);
    buffer_printf(out, "engine: %s\n", scenario->engine);
    if (scenario->write_checkpoints != CLIENT_CHECKPOINTS_LEGACY)
        buffer_printf(out, "write-checkpoints: %s\n", client_checkpoints_name(scenario->write_checkpoints));
    if (scenario->fetch_config)
        buffer_append_text(out, "credentials: config-then-token\n");
    if (scenario->idle_timeout > 0) {
        append_duration(out, "idle-timeout: ", scenario->idle_timeout);
        buffer_append_char(out, '\n');
    }
    if (scenario->clear_at_sign_in)
        buffer_append_text(out, "clear-at: sign-in\n");
    line_names(out, "users", scenario->users, scenario->n_users);
    buffer_printf(out, "devices: %" PRId64 "\n", scenario->devices_per_user);
    if (scenario->tabs > 1)
        buffer_printf(out, "tabs: %" PRId64 "\n", scenario->tabs);
    if (scenario->shared_worker)
        buffer_append_text(out, "shared-worker: true\n");
    buffer_printf(out, "seed-data: {lists: %" PRId64 ", todos: %" PRId64 "}\n", scenario->lists_per_user,
                  scenario->todos_per_list);
    if (scenario->n_old_apps > 0)
        line_names(out, "old-app", scenario->old_apps, scenario->n_old_apps);
    if (!scenario->clear_local)
        buffer_append_text(out, "clear-local: false\n");
    if (scenario->disk)
        buffer_printf(out, "disk: {synchronous: %s, statements: %s}\n",
                      scenario->synchronous_full ? "full" : "normal",
                      scenario->statements_struck ? "struck" : "spared");
    if (scenario->reactive_text)
        buffer_printf(out, "reactive: %s\n", scenario->reactive_text);
    if (scenario->requests_text)
        buffer_printf(out, "requests: %s\n", scenario->requests_text);
    if (scenario->browse_text)
        buffer_printf(out, "browse: %s\n", scenario->browse_text);
    if (scenario->reacts > 0) {
        buffer_append_text(out, "workload: {reacts: ");
        units_print_rate(out, (uint32_t)scenario->reacts);
        buffer_append_text(out, "}\n");
    }
    append_duration(out, "run: {for: ", scenario->duration);
    append_duration(out, ", settle-within: ", scenario->settle_within);
    buffer_printf(out, ", max-events: %" PRIu64 "}\n", scenario->max_events);
}

/* What is not as usual. */
static void write_service(struct buffer *out, const struct scenario *scenario) {
    if (scenario->service_processes > 1)
        buffer_printf(out, ", processes: %" PRId64, scenario->service_processes);
    buffer_append_text(out, scenario->service_split ? ", split: true" : "");
    buffer_append_text(out, scenario->storage_in_file ? ", storage: file" : "");
    buffer_append_text(out, scenario->strict_expiry ? ", strict-expiry: true" : "");
    if (scenario->notification_delay > 0)
        append_duration(out, ", notification-delay: ", scenario->notification_delay);
    if (scenario->connections != SERVICE_CONNECTIONS_USUAL)
        buffer_printf(out, ", connections: %" PRId64, scenario->connections);
    if (scenario->job_lock > 0)
        append_duration(out, ", job-lock: ", scenario->job_lock);
}

static void write_timings(struct buffer *out, const struct plan *plan, const struct scenario *scenario) {
    int64_t low = scenario->latency.low < plan->latency ? scenario->latency.low : plan->latency;
    append_duration(out, "network: {latency: [", low);
    append_duration(out, ", ", plan->latency);
    append_duration(out, "], jitter: ", plan->jitter);
    append_duration(out, ", give-up: ", scenario->give_up);
    append_duration(out, "}\nservice: {polling-interval: ", scenario->polling_interval);
    append_duration(out, ", keepalive: ", scenario->keepalive_interval);
    write_service(out, scenario);
    buffer_printf(out, "}\nupload: {path: %s, batch: %" PRId64, scenario->upload->name,
                  scenario->upload_batch);
    if (scenario->own_keys)
        buffer_append_text(out, ", keys: own");
    append_duration(out, "}\ntokens: {lifetime: ", scenario->token_lifetime);
    if (scenario->wrong_tokens > 0) {
        buffer_append_text(out, ", wrong: ");
        units_print_rate(out, (uint32_t)scenario->wrong_tokens);
    }
    if (scenario->token_keys != TOKEN_KEYS_SHARED)
        buffer_printf(out, ", keys: %s", scenario_token_keys[scenario->token_keys]);
    buffer_append_text(out, "}\n");
}

static void write_rate(struct buffer *out, const char *name, uint32_t per_million) {
    if (per_million == 0)
        return;
    buffer_printf(out, "  %s: ", name);
    units_print_rate(out, per_million);
    buffer_append_char(out, '\n');
}

static void write_faults(struct buffer *out, const struct plan *plan) {
    if (!plan->refuse && !plan->reset && !plan->lose_response && !plan->stall && !plan->split_chunks)
        return;
    buffer_append_text(out, "faults:\n");
    write_rate(out, "refuse", plan->refuse);
    write_rate(out, "reset", plan->reset);
    write_rate(out, "lose-response", plan->lose_response);
    if (plan->stall) {
        buffer_append_text(out, "  stall: {rate: ");
        units_print_rate(out, plan->stall);
        append_duration(out, ", lasts: ", plan->stall_time);
        buffer_append_text(out, "}\n");
    }
    if (plan->split_chunks)
        buffer_append_text(out, "  split-chunks: true\n");
}

static void write_drives(struct buffer *out, const struct scenario *scenario) {
    if (scenario->n_drives > 0)
        buffer_append_text(out, "drive:\n");
    for (size_t i = 0; i < scenario->n_drives; i++) {
        const struct scenario_drive *drive = &scenario->drives[i];
        buffer_append_text(out, "  - {point: ");
        append_name(out, drive->point);
        buffer_printf(out, ", nth: [%" PRId64 ", %" PRId64 "]", drive->nth.low, drive->nth.high);
        if (drive->action.action == FAULT_DELAY)
            append_duration(out, ", delay: ", drive->action.delay);
        else
            buffer_append_text(out, ", error: true");
        buffer_append_text(out, "}\n");
    }
}

static void write_switches(struct buffer *out, const struct plan *plan, const struct scenario *scenario) {
    buffer_printf(out, "swarm: false\nfault-points: %s\nrandom-knobs: %s\n",
                  plan->fault_points ? "true" : "false", plan->random_knobs ? "true" : "false");
    write_drives(out, scenario);
    if (scenario->server_faults_text)
        buffer_printf(out, "server-faults: %s\n", scenario->server_faults_text);
    if (scenario->n_knobs > 0)
        buffer_append_text(out, "knobs:\n");
    for (size_t i = 0; i < scenario->n_knobs; i++) {
        buffer_append_text(out, "  ");
        append_name(out, scenario->knobs[i].name);
        buffer_printf(out, ": %" PRId64 "\n", scenario->knobs[i].value);
    }
    if (scenario->n_mutants > 0)
        line_names(out, "mutants", scenario->mutants, scenario->n_mutants);
    if (scenario->properties)
        line_names(out, "properties", scenario->properties, scenario->n_properties);
    if (scenario->n_expect_violates > 0) {
        buffer_append_text(out, "expect: {violates: ");
        append_names(out, scenario->expect_violates, scenario->n_expect_violates);
        buffer_append_text(out, "}\n");
    }
    if (scenario->canary)
        buffer_append_text(out, "canary: true\n");
}

static void write_ends(struct buffer *out, const struct scenario_step *step) {
    assert(step->from && step->to);
    const char *const ends[] = {step->from, step->to};
    append_names(out, ends, 2);
}

static void write_step(struct buffer *out, const struct scenario_step *step) {
    static const char *const keys[] = {[STEP_WRITE] = "write",
                                       [STEP_CALL] = "call",
                                       [STEP_BROWSE] = "subscribe",
                                       [STEP_CONNECT] = "connect",
                                       [STEP_OFFLINE] = "offline",
                                       [STEP_PARTITION] = "partition",
                                       [STEP_DISCONNECT] = "disconnect",
                                       [STEP_REDEPLOY] = "redeploy",
                                       [STEP_COMPACT] = "compact",
                                       [STEP_DROP_TABLE] = "drop-table",
                                       [STEP_CLEAR] = "clear",
                                       [STEP_SWITCH_USER] = "switch-user",
                                       [STEP_UPDATE_APP] = "update-app",
                                       [STEP_SESSION] = "session-expires",
                                       [STEP_SLEEP] = "sleep",
                                       [STEP_CLOCK] = "wrong-clock",
                                       [STEP_PORTAL] = "captive-portal",
                                       [STEP_RETIRE] = "retire",
                                       [STEP_VANISH] = "vanish",
                                       [STEP_LOSE_STORAGE] = "lose-storage",
                                       [STEP_AUDIENCE] = "wrong-audience",
                                       [STEP_POWER_LOSS] = "power-loss",
                                       [STEP_DISK_FULL] = "disk-full",
                                       [STEP_DISK_ERROR] = "disk-error",
                                       [STEP_DISK_READ_ONLY] = "disk-read-only",
                                       [STEP_CRASH] = "crash",
                                       [STEP_CLOSE_TAB] = "close-tab",
                                       [STEP_FREEZE_TAB] = "freeze-tab",
                                       [STEP_ROTATE_KEYS] = "rotate-keys"};
    assert(step->id && step->at >= 0 && step->lasts >= 0);
    buffer_append_text(out, "  - {id: ");
    append_name(out, step->id);
    append_duration(out, ", at: ", step->at);
    buffer_printf(out, ", %s%s: ", step->kind == STEP_PARTITION && step->one_way ? "one-way-" : "",
                  keys[step->kind]);
    if (step->kind == STEP_PARTITION)
        write_ends(out, step);
    else
        append_name(out, step->client);
    if (step->kind == STEP_WRITE) {
        assert(step->action.kind && step->action.rows >= 1 && step->lasts == 0);
        buffer_append_text(out, ", action: ");
        append_name(out, step->action.kind);
        buffer_printf(out, ", rows: %" PRId64 ", choice: %" PRIu64, step->action.rows, step->action.choice);
    } else if (step->kind == STEP_BROWSE) {
        buffer_printf(out, ", page: %" PRId64, step->page);
        append_duration(out, ", ttl: ", step->ttl);
        if (step->lasts > 0)
            append_duration(out, ", lasts: ", step->lasts);
    } else if (step->kind == STEP_CALL) {
        buffer_append_text(out, step->is_action ? ", action: " : ", mutation: ");
        buffer_append_json_text(out, step->path);
        buffer_printf(out, ", args: %s", step->args);
    } else if (step->kind == STEP_DROP_TABLE) {
        buffer_append_text(out, ", table: ");
        append_name(out, step->table);
    } else if (step->kind != STEP_REDEPLOY && step->kind != STEP_COMPACT && step->kind != STEP_CONNECT) {
        append_duration(out, ", lasts: ", step->lasts);
        if (step->nth > 0)
            buffer_printf(out, ", nth: %" PRId64, step->nth);
        if (step->tab > 0)
            buffer_printf(out, ", tab: %" PRId64, step->tab);
    }
    if (step->kind == STEP_SWITCH_USER) {
        buffer_append_text(out, ", to: ");
        append_name(out, step->to);
    } else if (step->kind == STEP_CLOCK) {
        append_duration(
            out, step->ahead < 0 ? ", behind: " : ", ahead: ", step->ahead < 0 ? -step->ahead : step->ahead);
    } else if (step->kind == STEP_CLEAR && step->soft) {
        buffer_append_text(out, ", soft: true");
    }
    buffer_append_text(out, "}\n");
}

void plan_write(const struct plan *plan, const struct scenario *scenario, struct buffer *out) {
    assert(scenario->app && scenario->sync_config);
    write_head(out, plan, scenario);
    write_timings(out, plan, scenario);
    write_faults(out, plan);
    write_switches(out, plan, scenario);
    buffer_append_text(out, plan->n_steps ? "steps:\n" : "steps: []\n");
    for (size_t i = 0; i < plan->n_steps; i++)
        write_step(out, &plan->steps[i]);
}

void plan_describe_step(const struct scenario_step *step, struct buffer *out) {
    buffer_printf(out, "%s (%" PRId64 ".%03" PRId64 " s): ", step->id, step->at / TIME_SECOND,
                  step->at % TIME_SECOND / TIME_MILLISECOND);
    switch (step->kind) {
    case STEP_WRITE:
        buffer_printf(out, "%s %s, %" PRId64 " row%s", step->client, step->action.kind, step->action.rows,
                      step->action.rows == 1 ? "" : "s");
        return;
    case STEP_CALL:
        buffer_printf(out, "%s calls %s with %.200s", step->client, step->path, step->args);
        return;
    case STEP_BROWSE:
        buffer_printf(out, "%s opens page %" PRId64, step->client, step->page);
        if (step->lasts == 0)
            return;
        break;
    case STEP_OFFLINE:
        buffer_printf(out, "%s offline", step->client);
        break;
    case STEP_PARTITION:
        buffer_printf(out, "no way from %s to %s%s", step->from, step->to, step->one_way ? "" : " or back");
        break;
    case STEP_CONNECT:
        buffer_printf(out, "%s connects once more", step->client);
        return;
    case STEP_DISCONNECT:
        buffer_printf(out, "%s disconnects", step->client);
        break;
    case STEP_CLEAR:
        buffer_printf(out, "%s clears its database%s and disconnects", step->client,
                      step->soft ? " softly" : "");
        break;
    case STEP_SWITCH_USER:
        buffer_printf(out, "%s signs out until %s signs in", step->client, step->to);
        break;
    case STEP_UPDATE_APP:
        buffer_printf(out, "the app on %s goes on with its other version", step->client);
        break;
    case STEP_SESSION:
        buffer_printf(out, "%s gets no tokens", step->client);
        break;
    case STEP_SLEEP:
        buffer_printf(out, "%s sleeps", step->client);
        break;
    case STEP_CLOCK:
        buffer_printf(out, "the clock of %s is %" PRId64 " s ahead", step->client, step->ahead / TIME_SECOND);
        break;
    case STEP_POWER_LOSS:
        buffer_printf(out, "%s loses power", step->client);
        break;
    case STEP_DISK_FULL:
        buffer_printf(out, "the disk of %s is full", step->client);
        break;
    case STEP_DISK_ERROR:
        buffer_printf(out, "the disk of %s fails now and then", step->client);
        break;
    case STEP_DISK_READ_ONLY:
        buffer_printf(out, "the disk of %s can only be read", step->client);
        break;
    case STEP_AUDIENCE:
        buffer_printf(out, "%s makes tokens for another audience", step->client);
        break;
    case STEP_PORTAL:
        buffer_printf(out, "%s is behind a captive portal", step->client);
        break;
    case STEP_CRASH:
        buffer_printf(out, "%s crashes", step->client);
        break;
    case STEP_CLOSE_TAB:
        buffer_printf(out, "tab %" PRId64 " of %s is closed", step->tab, step->client);
        break;
    case STEP_FREEZE_TAB:
        buffer_printf(out, "tab %" PRId64 " of %s is frozen", step->tab, step->client);
        break;
    case STEP_REDEPLOY:
        buffer_append_text(out, "the sync config is deployed again");
        return;
    case STEP_LOSE_STORAGE:
        buffer_printf(out, "%s loses its storage and is down", step->client);
        break;
    case STEP_VANISH:
        buffer_printf(out, "%s vanishes", step->client);
        break;
    case STEP_RETIRE:
        buffer_printf(out, "%s is to go for good", step->client);
        break;
    case STEP_COMPACT:
        buffer_append_text(out, "the buckets are compacted");
        return;
    case STEP_DROP_TABLE:
        buffer_printf(out, "the table %s of the deployment is deleted", step->table);
        return;
    case STEP_ROTATE_KEYS:
        buffer_printf(out, "%s signs with a new key and publishes the old one", step->client);
        break;
    }
    buffer_append_text(out, ", for ");
    units_print_duration(out, step->lasts);
}
