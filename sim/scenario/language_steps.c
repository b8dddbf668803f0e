/* `steps:`, a pinned plan: what happens is written down instead of drawn from a seed. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "scenario/fault_kinds.h"
#include "scenario/generator.h"
#include "scenario/language.h"
#include "scenario/plan.h"
#include "scenario/services.h"

#define PLACE(member) offsetof(struct scenario_step, member)

static enum status read_client_of(struct reader *reader, struct reader_value value,
                                  struct scenario_step *step, enum step_kind kind) {
    step->kind = kind;
    return reader_text(reader, value, &step->client);
}

static enum status read_clear(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CLEAR);
}

static enum status read_switch_user(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_SWITCH_USER);
}

static enum status read_session(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_SESSION);
}

static enum status read_update(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_UPDATE_APP);
}

static enum status read_sleep(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_SLEEP);
}

static enum status read_clock(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CLOCK);
}

static enum status read_write(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_WRITE);
}

static enum status read_call(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CALL);
}

static enum status read_offline(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_OFFLINE);
}

static enum status read_disconnect(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_DISCONNECT);
}

static enum status read_crash(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CRASH);
}

static enum status read_power_loss(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_POWER_LOSS);
}

static enum status read_disk_full(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_DISK_FULL);
}

static enum status read_disk_error(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_DISK_ERROR);
}

static enum status read_read_only(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_DISK_READ_ONLY);
}

static enum status read_close_tab(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CLOSE_TAB);
}

static enum status read_freeze_tab(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_FREEZE_TAB);
}

static enum status read_portal(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_PORTAL);
}

static enum status read_audience(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_AUDIENCE);
}

static enum status read_rotate(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_ROTATE_KEYS);
}

static enum status read_redeploy(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_REDEPLOY);
}

static enum status read_lose_storage(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_LOSE_STORAGE);
}

static enum status read_vanish(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_VANISH);
}

static enum status read_retire(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_RETIRE);
}

static enum status read_compact(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_COMPACT);
}

static enum status read_drop(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_DROP_TABLE);
}

static enum status read_browse(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_BROWSE);
}

static enum status read_connect(struct reader *reader, struct reader_value value, void *step) {
    return read_client_of(reader, value, step, STEP_CONNECT);
}

static enum status read_ends(struct reader *reader, struct reader_value value, struct scenario_step *step,
                             bool one_way) {
    const char *const *ends;
    size_t count;
    enum status status = reader_texts(reader, value, NULL, NULL, &ends, &count);
    if (status != STATUS_OK)
        return status;
    if (count != 2)
        return reader_refuse(reader, value, "`%s` must name two nodes: [alice-1, powersync]", value.key);
    assert(strcmp(ends[0], ends[1]) != 0);
    step->kind = STEP_PARTITION;
    step->one_way = one_way;
    step->from = ends[0];
    step->to = ends[1];
    return STATUS_OK;
}

static enum status read_partition(struct reader *reader, struct reader_value value, void *step) {
    return read_ends(reader, value, step, false);
}

static enum status read_one_way(struct reader *reader, struct reader_value value, void *step) {
    return read_ends(reader, value, step, true);
}

/* What is written is taken as it is: a choice is drawn with a stream that says the same for every seed. */
static enum status read_args(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_step *step = target;
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`args` must be a mapping, this is %s", reader_type(value.value));
    enum status status = generator_check(reader, value);
    if (status != STATUS_OK)
        return status;
    struct random_stream stream = random_stream_make(0, "step.args");
    struct buffer text = {0};
    generator_draw(value.value, &stream, &text);
    step->args = arena_copy_text(reader->arena, buffer_text(&text));
    buffer_free(&text);
    return STATUS_OK;
}

static enum status read_action(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_step *step = target;
    return reader_text(reader, value, &step->action.kind);
}

/* A small number is pleasant to type, any number of 63 bits is taken. */
static enum status read_choice(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_step *step = target;
    int64_t choice;
    enum status status = reader_count(reader, value, 0, INT64_MAX, &choice);
    step->action.choice = status == STATUS_OK ? (uint64_t)choice : 0;
    return status;
}

static enum status read_behind(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_step *step = target;
    int64_t behind = 0;
    enum status status = reader_duration(reader, value, 0, 365 * TIME_DAY, &behind);
    step->ahead = -behind;
    return status;
}

/* The keys that say what a step does: a step has exactly one of them. */
#define KINDS                                                                                                \
    {.key = "write", .kind = FIELD_SPECIAL, .read = read_write},                                             \
        {.key = "call", .kind = FIELD_SPECIAL, .read = read_call},                                           \
        {.key = "subscribe", .kind = FIELD_SPECIAL, .read = read_browse},                                    \
        {.key = "connect", .kind = FIELD_SPECIAL, .read = read_connect},                                     \
        {.key = "offline", .kind = FIELD_SPECIAL, .read = read_offline},                                     \
        {.key = "partition", .kind = FIELD_SPECIAL, .read = read_partition},                                 \
        {.key = "one-way-partition", .kind = FIELD_SPECIAL, .read = read_one_way},                           \
        {.key = "disconnect", .kind = FIELD_SPECIAL, .read = read_disconnect},                               \
        {.key = "power-loss", .kind = FIELD_SPECIAL, .read = read_power_loss},                               \
        {.key = "disk-full", .kind = FIELD_SPECIAL, .read = read_disk_full},                                 \
        {.key = "disk-error", .kind = FIELD_SPECIAL, .read = read_disk_error},                               \
        {.key = "disk-read-only", .kind = FIELD_SPECIAL, .read = read_read_only},                            \
        {.key = "rotate-keys", .kind = FIELD_SPECIAL, .read = read_rotate},                                  \
        {.key = "close-tab", .kind = FIELD_SPECIAL, .read = read_close_tab},                                 \
        {.key = "freeze-tab", .kind = FIELD_SPECIAL, .read = read_freeze_tab},                               \
        {.key = "redeploy", .kind = FIELD_SPECIAL, .read = read_redeploy},                                   \
        {.key = "clear", .kind = FIELD_SPECIAL, .read = read_clear},                                         \
        {.key = "switch-user", .kind = FIELD_SPECIAL, .read = read_switch_user},                             \
        {.key = "update-app", .kind = FIELD_SPECIAL, .read = read_update},                                   \
        {.key = "session-expires", .kind = FIELD_SPECIAL, .read = read_session},                             \
        {.key = "sleep", .kind = FIELD_SPECIAL, .read = read_sleep},                                         \
        {.key = "wrong-clock", .kind = FIELD_SPECIAL, .read = read_clock},                                   \
        {.key = "wrong-audience", .kind = FIELD_SPECIAL, .read = read_audience},                             \
        {.key = "retire", .kind = FIELD_SPECIAL, .read = read_retire},                                       \
        {.key = "lose-storage", .kind = FIELD_SPECIAL, .read = read_lose_storage},                           \
        {.key = "vanish", .kind = FIELD_SPECIAL, .read = read_vanish},                                       \
        {.key = "captive-portal", .kind = FIELD_SPECIAL, .read = read_portal},                               \
        {.key = "compact", .kind = FIELD_SPECIAL, .read = read_compact},                                     \
        {.key = "drop-table", .kind = FIELD_SPECIAL, .read = read_drop}, {                                   \
        .key = "crash", .kind = FIELD_SPECIAL, .read = read_crash                                            \
    }

static const struct field kind_fields[] = {KINDS, {.key = NULL}};

static const struct field step_fields[] = {
    {.key = "id", .kind = FIELD_TEXT, .offset = PLACE(id)},
    {.key = "at", .kind = FIELD_DURATION, .offset = PLACE(at), .high = 30 * TIME_DAY},
    KINDS,
    {.key = "lasts", .kind = FIELD_DURATION, .offset = PLACE(lasts), .high = 30 * TIME_DAY},
    {.key = "action", .kind = FIELD_SPECIAL, .read = read_action},
    {.key = "rows", .kind = FIELD_COUNT, .offset = PLACE(action.rows), .low = 1, .high = SCENARIO_ROWS_MOST},
    {.key = "mutation", .kind = FIELD_TEXT, .offset = PLACE(path)},
    {.key = "args", .kind = FIELD_SPECIAL, .read = read_args},
    {.key = "choice", .kind = FIELD_SPECIAL, .read = read_choice},
    {.key = "to", .kind = FIELD_TEXT, .offset = PLACE(to)},
    {.key = "ahead", .kind = FIELD_DURATION, .offset = PLACE(ahead), .high = 365 * TIME_DAY},
    {.key = "behind", .kind = FIELD_SPECIAL, .read = read_behind},
    {.key = "table", .kind = FIELD_TEXT, .offset = PLACE(table)},
    {.key = "soft", .kind = FIELD_BOOLEAN, .offset = PLACE(soft)},
    {.key = "tab", .kind = FIELD_COUNT, .offset = PLACE(tab), .low = 1, .high = SCENARIO_TABS_MOST},
    {.key = "page", .kind = FIELD_COUNT, .offset = PLACE(page), .low = 1, .high = SCENARIO_PAGES_MOST},
    {.key = "ttl", .kind = FIELD_DURATION, .offset = PLACE(ttl), .low = TIME_SECOND, .high = 30 * TIME_DAY},
    {.key = "nth", .kind = FIELD_COUNT, .offset = PLACE(nth), .low = 0, .high = 1000000},
    {.key = NULL}};

static enum status need(struct reader *reader, struct reader_value step, const char *key, const char *why) {
    return json_object_get(step.value, key) ? STATUS_OK
                                            : reader_refuse(reader, step, "a step needs `%s`%s", key, why);
}

static enum status refuse_keys(struct reader *reader, struct reader_value step, const char *const *keys,
                               const char *why) {
    for (; *keys; keys++)
        if (json_object_get(step.value, *keys))
            return reader_refuse_key(reader, step, *keys, "`%s` %s", *keys, why);
    return STATUS_OK;
}

static enum status check_one_kind(struct reader *reader, struct reader_value step) {
    const char *first = NULL;
    for (const struct field *field = kind_fields; field->key; field++) {
        if (!json_object_get(step.value, field->key))
            continue;
        if (first)
            return reader_refuse_key(reader, step, field->key,
                                     "a step does one thing: `%s` or `%s`, not both", first, field->key);
        first = field->key;
    }
    if (first)
        return STATUS_OK;
    return reader_refuse(
        reader, step,
        "a step needs one of: write, call, subscribe, offline, partition, one-way-partition, disconnect, "
        "crash, power-loss, disk-full, disk-error, disk-read-only, rotate-keys, redeploy, compact, "
        "drop-table, clear, "
        "switch-user, update-app, session-expires, sleep, wrong-clock, captive-portal, wrong-audience, "
        "retire, lose-storage, vanish, close-tab, freeze-tab");
}

static bool is_node(const struct scenario *scenario, const char *name) {
    return scenario_has_client(scenario, name) || scenario_has_service(scenario, name) ||
           (scenario_has_backend(scenario) && !strcmp(name, SCENARIO_BACKEND)) ||
           !strcmp(name, "powersync") || !strcmp(name, "convex") || !strcmp(name, "issuer");
}

/* Devices write, plain Convex clients call. */
static enum status check_doer(struct reader *reader, struct reader_value value,
                              const struct scenario *scenario, const struct scenario_step *step,
                              const char *key) {
    bool plain = scenario_group_of(scenario, step->client) != NULL;
    if (step->kind == STEP_WRITE && plain)
        return reader_refuse(reader, reader_member(value.value, "write"),
                             "`%s` is a plain Convex client: it does `call` and not `write`", step->client);
    if (step->kind == STEP_CALL && !plain)
        return reader_refuse(reader, reader_member(value.value, "call"),
                             "`%s` is a device: it does `write` and not `call`", step->client);
    if (step->kind == STEP_UPDATE_APP && !scenario->app->old_schema)
        return reader_refuse(reader, reader_member(value.value, key), "the app %s has one version only",
                             scenario->app->name);
    if (plain && step_is_for_devices(step->kind))
        return reader_refuse(reader, reader_member(value.value, key),
                             "`%s` is a plain Convex client: `%s` is for devices", step->client, key);
    if (plain && (step->kind == STEP_POWER_LOSS || step->kind == STEP_DISK_FULL ||
                  step->kind == STEP_DISK_ERROR || step->kind == STEP_DISK_READ_ONLY))
        return reader_refuse(reader, value, "`%s` is a plain Convex client: it has no disk", step->client);
    return STATUS_OK;
}

static bool has_user(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->n_users; i++)
        if (!strcmp(scenario->users[i], name))
            return true;
    return false;
}

/* The keys that one kind of step has for itself. */
static enum status check_own_keys(struct reader *reader, struct reader_value value,
                                  const struct scenario *scenario, const struct scenario_step *step) {
    static const char *const of_switch[] = {"to", NULL}, *const of_clock[] = {"ahead", "behind", NULL},
                             *const of_clear[] = {"soft", NULL}, *const of_browse[] = {"page", "ttl", NULL};
    enum status status = STATUS_OK;
    if (step->kind != STEP_SWITCH_USER)
        status = refuse_keys(reader, value, of_switch, "is for `switch-user`");
    if (status == STATUS_OK && step->kind != STEP_CLOCK)
        status = refuse_keys(reader, value, of_clock, "is for `wrong-clock`");
    if (status == STATUS_OK && step->kind != STEP_CLEAR)
        status = refuse_keys(reader, value, of_clear, "is for `clear`");
    if (status == STATUS_OK && step->kind != STEP_BROWSE)
        status = refuse_keys(reader, value, of_browse, "is for `subscribe`");
    if (status != STATUS_OK)
        return status;
    if (step->kind == STEP_CLOCK && step->ahead == 0)
        return reader_refuse(reader, value,
                             "a step needs `ahead` or `behind`: by how much the clock is wrong");
    if (step->kind != STEP_SWITCH_USER)
        return STATUS_OK;
    status = need(reader, value, "to", ": who signs in");
    if (status == STATUS_OK && !has_user(scenario, step->to))
        return reader_refuse(reader, reader_member(value.value, "to"), "there is no user `%.60s`", step->to);
    return status;
}

static enum status check_who(struct reader *reader, struct reader_value value,
                             const struct scenario *scenario, const struct scenario_step *step) {
    if (step->kind == STEP_PARTITION) {
        const char *key = step->one_way ? "one-way-partition" : "partition";
        const json_t *ends = json_object_get(value.value, key);
        for (size_t i = 0; i < 2; i++)
            if (!is_node(scenario, json_string_value(json_array_get(ends, i))))
                return reader_refuse(
                    reader, reader_item(ends, i),
                    "there is no node `%.60s`; nodes are the clients, powersync, convex, issuer and, with an "
                    "upload path to it, backend",
                    json_string_value(json_array_get(ends, i)));
        return STATUS_OK;
    }
    if (step->kind == STEP_CRASH && !strcmp(step->client, "convex"))
        return STATUS_OK;
    if (step->kind == STEP_CRASH && scenario_has_service(scenario, step->client))
        return STATUS_OK;
    if (step->kind == STEP_CRASH && scenario_has_backend(scenario) && !strcmp(step->client, SCENARIO_BACKEND))
        return STATUS_OK;
    if (step->kind == STEP_REDEPLOY || step->kind == STEP_COMPACT) {
        const char *key = step->kind == STEP_REDEPLOY ? "redeploy" : "compact";
        return !strcmp(step->client, "powersync") && scenario->n_users > 0
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, key),
                                   "only `powersync` does that, where somebody has a device");
    }
    if (step->kind == STEP_DROP_TABLE)
        return !strcmp(step->client, "convex")
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, "drop-table"),
                                   "only `convex` has tables, not `%.60s`", step->client);
    if (step->kind == STEP_VANISH)
        return scenario_has_service(scenario, step->client)
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, "vanish"),
                                   "only a process of the service vanishes, not `%.60s`", step->client);
    if (step->kind == STEP_LOSE_STORAGE)
        return !strcmp(step->client, "powersync") && scenario->n_users > 0
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, "lose-storage"),
                                   "only `powersync` has one, where somebody has a device");
    if (step->kind == STEP_RETIRE)
        return scenario->fetch_config && scenario_has_service(scenario, step->client) &&
                       strncmp(step->client, "powersync", 9) == 0
                   ? STATUS_OK
                   : reader_refuse(
                         reader, reader_member(value.value, "retire"),
                         "only a process that answers devices goes, and only where they are told of "
                         "another (credentials: config-then-token)");
    assert(step->client);
    if (step->kind == STEP_CLOCK && is_node(scenario, step->client))
        return strcmp(step->client, "convex") != 0
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, "wrong-clock"),
                                   "the deployment's clock is always right: its timestamps never go back");
    if (step->kind == STEP_ROTATE_KEYS) {
        struct reader_value who = reader_member(value.value, "rotate-keys");
        if (strcmp(step->client, "issuer") != 0)
            return reader_refuse(reader, who, "only `issuer` has keys, not `%.60s`", step->client);
        return scenario_has_key_pairs(scenario)
                   ? STATUS_OK
                   : reader_refuse(reader, who, SCENARIO_NO_TOKENS, "rotate-keys");
    }
    if (step->kind == STEP_AUDIENCE)
        return !strcmp(step->client, "issuer") && scenario->n_users > 0
                   ? STATUS_OK
                   : reader_refuse(reader, reader_member(value.value, "wrong-audience"),
                                   "only `issuer` makes tokens, for those who have a device");
    static const char *const keys[] = {[STEP_WRITE] = "write",
                                       [STEP_CALL] = "call",
                                       [STEP_BROWSE] = "subscribe",
                                       [STEP_CONNECT] = "connect",
                                       [STEP_OFFLINE] = "offline",
                                       [STEP_DISCONNECT] = "disconnect",
                                       [STEP_CLEAR] = "clear",
                                       [STEP_SWITCH_USER] = "switch-user",
                                       [STEP_UPDATE_APP] = "update-app",
                                       [STEP_SESSION] = "session-expires",
                                       [STEP_SLEEP] = "sleep",
                                       [STEP_CLOCK] = "wrong-clock",
                                       [STEP_PORTAL] = "captive-portal",
                                       [STEP_POWER_LOSS] = "power-loss",
                                       [STEP_DISK_FULL] = "disk-full",
                                       [STEP_DISK_ERROR] = "disk-error",
                                       [STEP_DISK_READ_ONLY] = "disk-read-only",
                                       [STEP_CRASH] = "crash",
                                       [STEP_CLOSE_TAB] = "close-tab",
                                       [STEP_FREEZE_TAB] = "freeze-tab"};
    enum status status = scenario_check_client(reader, reader_member(value.value, keys[step->kind]),
                                               (void *)(uintptr_t)scenario);
    return status == STATUS_OK ? check_doer(reader, value, scenario, step, keys[step->kind]) : status;
}

static const char *action_name(size_t index, const void *actions) {
    return ((const struct app_action_kind *)actions)[index].name;
}

static enum status check_action(struct reader *reader, struct reader_value value,
                                const struct scenario *scenario, struct scenario_step *step) {
    enum status status = need(reader, value, "action", ": what the app does");
    if (status != STATUS_OK)
        return status;
    if (app_action_find(scenario->app, step->action.kind))
        return STATUS_OK;
    return reader_refuse_name(reader, reader_member(value.value, "action"), "action", step->action.kind,
                              action_name, scenario->app->actions);
}

/* `action` names a function here, and not what an app does. */
static enum status check_call(struct reader *reader, struct reader_value value, struct scenario_step *step) {
    static const char *const of_writes[] = {"rows", "choice", "lasts", NULL};
    enum status status = refuse_keys(reader, value, of_writes, "is not for calls");
    if (status != STATUS_OK)
        return status;
    if (step->path && step->action.kind)
        return reader_refuse_key(reader, value, "action", "a call is a `mutation` or an `action`, not both");
    step->is_action = step->path == NULL;
    step->path = step->path ? step->path : step->action.kind;
    if (!step->path)
        return need(reader, value, "mutation", " or `action`: the path of a function");
    step->args = step->args ? step->args : "{}";
    return STATUS_OK;
}

static bool is_device_crash(const struct scenario *scenario, const struct scenario_step *step) {
    return step->kind == STEP_CRASH && scenario_has_device(scenario, step->client);
}

static enum status check_tab(struct reader *reader, struct reader_value value,
                             const struct scenario *scenario, struct scenario_step *step) {
    static const char *const of_tabs[] = {"tab", NULL};
    if (step->kind != STEP_CLOSE_TAB && step->kind != STEP_FREEZE_TAB)
        return refuse_keys(reader, value, of_tabs, "is for close-tab and freeze-tab");
    if (step->tab > scenario->tabs)
        return reader_refuse_key(reader, value, "tab", "a device has %lld tabs", (long long)scenario->tabs);
    step->tab = step->tab > 0 ? step->tab : 1;
    return STATUS_OK;
}

/* Without `lasts` the page stays open. */
static enum status check_browse(struct reader *reader, struct reader_value value,
                                const struct scenario *scenario, struct scenario_step *step) {
    static const char *const of_writes[] = {"action", "rows", "choice", NULL};
    enum status status = refuse_keys(reader, value, of_writes, "is for writes");
    if (status == STATUS_OK)
        status = need(reader, value, "page", ": its number in `browse: {pages: ...}`, from 1");
    if (status != STATUS_OK)
        return status;
    if ((size_t)step->page > scenario->browse.n_pages)
        return reader_refuse(reader, reader_member(value.value, "page"), "there are %zu pages, not %lld",
                             scenario->browse.n_pages, (long long)step->page);
    step->ttl = step->ttl > 0 ? step->ttl : CLIENT_STREAM_TTL * TIME_SECOND;
    return STATUS_OK;
}

static enum status check_step(struct reader *reader, struct reader_value value,
                              const struct scenario *scenario, struct scenario_step *step) {
    static const char *const of_writes[] = {"action", "rows", "choice", NULL};
    static const char *const of_faults[] = {"lasts", NULL};
    static const char *const of_calls[] = {"mutation", "args", NULL};
    static const char *const of_power[] = {"nth", NULL};
    enum status status = check_who(reader, value, scenario, step);
    if (status == STATUS_OK)
        status = need(reader, value, "at", ": the time when it happens");
    if (status == STATUS_OK && step->at >= scenario->duration)
        return reader_refuse(reader, reader_member(value.value, "at"),
                             "`at` must be before the end of the run (run: {for: ...})");
    if (status == STATUS_OK)
        status = check_own_keys(reader, value, scenario, step);
    if (status != STATUS_OK)
        return status;
    if (step->kind != STEP_POWER_LOSS && !is_device_crash(scenario, step))
        status = refuse_keys(reader, value, of_power, "is for power-loss, and for the crash of a device");
    if (status == STATUS_OK)
        status = check_tab(reader, value, scenario, step);
    if (status != STATUS_OK)
        return status;
    if (step->kind == STEP_CALL)
        return check_call(reader, value, step);
    status = refuse_keys(reader, value, of_calls, "is for calls");
    if (status != STATUS_OK)
        return status;
    if (step->kind == STEP_BROWSE)
        return check_browse(reader, value, scenario, step);
    if (step->kind == STEP_WRITE) {
        status = refuse_keys(reader, value, of_faults, "is for faults, a write takes no time");
        return status == STATUS_OK ? check_action(reader, value, scenario, step) : status;
    }
    if (step->kind == STEP_DROP_TABLE) {
        status = need(reader, value, "table", ": which one is deleted");
        if (status != STATUS_OK)
            return status;
    } else if (step->table) {
        return reader_refuse_key(reader, value, "table", "`table` is for `drop-table`");
    }
    if (step->kind == STEP_REDEPLOY || step->kind == STEP_COMPACT || step->kind == STEP_CONNECT ||
        step->kind == STEP_DROP_TABLE) {
        status = refuse_keys(reader, value, of_faults, "is for faults, this takes no time");
        return status == STATUS_OK ? refuse_keys(reader, value, of_writes, "is for writes") : status;
    }
    status = need(reader, value, "lasts", ": how long it goes on");
    return status == STATUS_OK ? refuse_keys(reader, value, of_writes, "is for writes") : status;
}

static enum status read_step(struct reader *reader, struct reader_value value,
                             const struct scenario *scenario, size_t index, struct scenario_step *step) {
    *step = (struct scenario_step){.action = {.rows = 1, .choice = index + 1}};
    enum status status = reader_mapping(reader, value, "", step_fields, step);
    if (status == STATUS_OK)
        status = check_one_kind(reader, value);
    if (status == STATUS_OK)
        status = check_step(reader, value, scenario, step);
    if (status != STATUS_OK)
        return status;
    assert(step->at < scenario->duration && step->lasts >= 0);
    if (!step->id)
        step->id = arena_format(reader->arena, "s%zu", index + 1);
    if (step->kind == STEP_WRITE)
        step->action.step = step->id;
    else
        step->action = (struct app_action){0};
    return STATUS_OK;
}

static int compare_steps(const void *a, const void *b) {
    const struct scenario_step *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return strcmp(x->id, y->id);
}

enum status scenario_read_steps(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (!json_is_array(value.value))
        return reader_refuse(reader, value, "`steps` must be a list, this is %s", reader_type(value.value));
    size_t count = json_array_size(value.value);
    struct scenario_step *steps = arena_allocate(reader->arena, (count + 1) * sizeof *steps);
    struct map ids = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct reader_value item = reader_item(value.value, i);
        status = read_step(reader, item, scenario, i, &steps[i]);
        if (status == STATUS_OK && map_set(&ids, steps[i].id, &steps[i]))
            status = reader_refuse(reader, item, "there are two steps with the id `%.60s`", steps[i].id);
    }
    map_free(&ids, NULL);
    if (status != STATUS_OK)
        return status;
    assert(ids.count == 0);
    qsort(steps, count, sizeof *steps, compare_steps);
    scenario->steps = steps;
    scenario->n_steps = count;
    return STATUS_OK;
}
