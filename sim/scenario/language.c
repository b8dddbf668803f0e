#include "scenario/language.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/check.h"
#include "reader/units.h"
#include "scenario/fault_kinds.h"
#include "scenario/inventory.h"
#include "scenario/scenario_backend.h"
#include "scenario/services.h"

static const char *app_name(size_t index, const void *unused) {
    (void)unused;
    const struct app *const *apps = app_all();
    return apps[index] ? apps[index]->name : NULL;
}

static const char *property_name(size_t index, const void *unused) {
    (void)unused;
    return check_properties[index] ? check_properties[index]->name : NULL;
}

static const char *listed_name(size_t index, const void *names) {
    return ((const struct scenario_name *)names)[index].name;
}

static enum status check_listed(struct reader *reader, struct reader_value item, const char *what,
                                const struct scenario_name *names) {
    const char *text = json_string_value(item.value);
    assert(text && names->name);
    for (const struct scenario_name *name = names; name->name; name++)
        if (!strcmp(name->name, text))
            return STATUS_OK;
    return reader_refuse_name(reader, item, what, text, listed_name, names);
}

static enum status read_app(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *name;
    enum status status = reader_text(reader, value, &name);
    if (status != STATUS_OK)
        return status;
    scenario->app = app_find(name);
    return scenario->app ? STATUS_OK : reader_refuse_name(reader, value, "app", name, app_name, NULL);
}

static const char *inventory_id(size_t index, const void *unused) {
    (void)unused;
    return inventory_rows()[index].id;
}

static enum status check_cover(struct reader *reader, struct reader_value item, void *unused) {
    const char *id = json_string_value(item.value);
    (void)unused;
    for (const struct inventory_row *row = inventory_rows(); row->id; row++)
        if (!strcmp(row->id, id))
            return STATUS_OK;
    return reader_refuse_name(reader, item, "row of the inventory", id, inventory_id, NULL);
}

static enum status read_covers(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    return reader_texts(reader, value, check_cover, NULL, &scenario->covers, &scenario->n_covers);
}

static enum status read_engine(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    enum status status = reader_text(reader, value, &scenario->engine);
    return status == STATUS_OK ? check_listed(reader, value, "engine", scenario_engines()) : status;
}

/* Seeds above 2^63 - 1 are no YAML integers and come as digits in quotes. */
static enum status read_seed(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *digits = json_string_value(value.value);
    scenario->has_seed = true;
    if (digits && *digits && strspn(digits, "0123456789") == strlen(digits) && strlen(digits) <= 20) {
        scenario->seed = strtoull(digits, NULL, 10);
        return STATUS_OK;
    }
    int64_t seed;
    enum status status = reader_count(reader, value, 0, INT64_MAX, &seed);
    scenario->seed = status == STATUS_OK ? (uint64_t)seed : 0;
    return status;
}

bool scenario_good_name(const char *name) {
    return *name >= 'a' && *name <= 'z' && strlen(name) <= 30 &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

static enum status check_user(struct reader *reader, struct reader_value item, void *unused) {
    (void)unused;
    const char *name = json_string_value(item.value);
    if (scenario_is_service_name(name))
        return reader_refuse(reader, item, "`%s` is a process of the service, not a user", name);
    return scenario_good_name(name)
               ? STATUS_OK
               : reader_refuse(
                     reader, item,
                     "`%.60s` is no user name: a lower-case letter, then letters, digits or _, at most 30",
                     name);
}

static enum status name_users(struct reader *reader, struct scenario *scenario, int64_t count) {
    static const char *const usual[] = {"alice", "bob",   "carol", "dave", "erin",
                                        "frank", "grace", "heidi", "ivan", "judy"};
    assert(count >= 0 && count <= SCENARIO_CLIENTS_MOST);
    const char **users = arena_allocate(reader->arena, ((size_t)count + 1) * sizeof *users);
    for (size_t i = 0; i < (size_t)count; i++)
        users[i] = i < 10 ? usual[i] : arena_format(reader->arena, "user%zu", i + 1);
    scenario->users = users;
    scenario->n_users = (size_t)count;
    return STATUS_OK;
}

static enum status read_users(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (json_is_integer(value.value)) {
        int64_t count;
        enum status status = reader_count(reader, value, 0, SCENARIO_CLIENTS_MOST, &count);
        return status == STATUS_OK ? name_users(reader, scenario, count) : status;
    }
    if (!json_is_array(value.value))
        return reader_refuse(reader, value, "`users` must be a list of names or their number, this is %s",
                             reader_type(value.value));
    enum status status = reader_texts(reader, value, check_user, NULL, &scenario->users, &scenario->n_users);
    if (status == STATUS_OK && scenario->n_users > SCENARIO_CLIENTS_MOST)
        return reader_refuse(reader, value, "`users` must name at most %d users", SCENARIO_CLIENTS_MOST);
    return status;
}

/* `name` is "<prefix>-<1..most>" */
static bool is_numbered(const char *name, const char *prefix, int64_t most) {
    size_t length = strlen(prefix);
    if (strncmp(name, prefix, length) != 0 || name[length] != '-')
        return false;
    const char *digits = name + length + 1;
    return *digits >= '1' && *digits <= '9' && strlen(digits) <= 5 &&
           strspn(digits, "0123456789") == strlen(digits) && strtoll(digits, NULL, 10) <= most;
}

bool scenario_has_device(const struct scenario *scenario, const char *name) {
    assert(scenario->devices_per_user > 0); /* read before whatever names clients */
    for (size_t u = 0; u < scenario->n_users; u++)
        if (is_numbered(name, scenario->users[u], scenario->devices_per_user))
            return true;
    return false;
}

const struct scenario_reactive *scenario_group_of(const struct scenario *scenario, const char *name) {
    for (size_t i = 0; i < scenario->n_reactive; i++)
        if (is_numbered(name, scenario->reactive[i].name, scenario->reactive[i].clients))
            return &scenario->reactive[i];
    return NULL;
}

bool scenario_has_client(const struct scenario *scenario, const char *name) {
    return scenario_has_device(scenario, name) || scenario_group_of(scenario, name);
}

static enum status refuse_client(struct reader *reader, struct reader_value value,
                                 const struct scenario *scenario) {
    const char *name = json_string_value(value.value);
    struct buffer known = {0};
    if (scenario->n_users > 0)
        buffer_printf(&known, "`%s-1` to `%s-%lld`", scenario->users[0],
                      scenario->users[scenario->n_users - 1], (long long)scenario->devices_per_user);
    for (size_t i = 0; i < scenario->n_reactive && i < 10; i++)
        buffer_printf(&known, "%s`%s-1` to `%s-%lld`", known.length ? ", " : "", scenario->reactive[i].name,
                      scenario->reactive[i].name, (long long)scenario->reactive[i].clients);
    enum status status = reader_refuse(reader, value, "there is no client `%.60s`; clients are %s",
                                       name ? name : "", buffer_text(&known));
    buffer_free(&known);
    return status;
}

enum status scenario_check_client(struct reader *reader, struct reader_value value, void *target) {
    const struct scenario *scenario = target;
    const char *name = json_string_value(value.value);
    return name && scenario_has_client(scenario, name) ? STATUS_OK : refuse_client(reader, value, scenario);
}

static enum status read_old_apps(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    return reader_texts(reader, value, scenario_check_client, scenario, &scenario->old_apps,
                        &scenario->n_old_apps);
}

static enum status read_writers(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    return reader_texts(reader, value, scenario_check_client, scenario, &scenario->writers,
                        &scenario->n_writers);
}

static enum status read_actions(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    assert(scenario->app);
    const struct app_action_kind *kinds = scenario->app->actions;
    size_t n_kinds = 0;
    while (kinds[n_kinds].name)
        n_kinds++;
    struct field *fields = arena_allocate(reader->arena, (n_kinds + 1) * sizeof *fields);
    int64_t *weights = arena_allocate(reader->arena, n_kinds * sizeof *weights);
    for (size_t i = 0; i < n_kinds; i++)
        fields[i] = (struct field){.key = kinds[i].name,
                                   .kind = FIELD_COUNT,
                                   .offset = i * sizeof *weights,
                                   .low = 0,
                                   .high = 1000000};
    enum status status = reader_mapping(reader, value, "actions", fields, weights);
    if (status != STATUS_OK)
        return status;
    int64_t sum = 0;
    assert(n_kinds > 0);
    for (size_t i = 0; i < n_kinds; i++)
        sum += weights[i];
    if (sum == 0)
        return reader_refuse(reader, value, "`actions` must give at least one action a weight above 0");
    scenario->action_weights = weights;
    return STATUS_OK;
}

static enum status read_knobs(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`knobs` must be a mapping of names to numbers, this is %s",
                             reader_type(value.value));
    struct scenario_pin *pins =
        arena_allocate(reader->arena, (json_object_size(value.value) + 1) * sizeof *pins);
    const char *name;
    json_t *number;
    size_t count = 0;
    json_object_foreach((json_t *)(uintptr_t)value.value, name, number) {
        struct reader_value member = reader_member(value.value, name);
        enum status status = reader_count(reader, member, INT64_MIN, INT64_MAX, &pins[count].value);
        if (status != STATUS_OK)
            return status;
        pins[count++].name = arena_copy_text(reader->arena, name);
    }
    assert(count == json_object_size(value.value));
    scenario->knobs = pins;
    scenario->n_knobs = count;
    return STATUS_OK;
}

static enum status check_mutant(struct reader *reader, struct reader_value item, void *unused) {
    (void)unused;
    return check_listed(reader, item, "mutant", scenario_mutants());
}

static enum status read_mutants(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    return reader_texts(reader, value, check_mutant, NULL, &scenario->mutants, &scenario->n_mutants);
}

static enum status check_property(struct reader *reader, struct reader_value item, void *unused) {
    (void)unused;
    const char *name = json_string_value(item.value);
    return check_property_find(name)
               ? STATUS_OK
               : reader_refuse_name(reader, item, "property", name, property_name, NULL);
}

static enum status read_properties(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (json_is_string(value.value)) {
        if (strcmp(json_string_value(value.value), "all") != 0)
            return reader_refuse(reader, value, "`properties` must be `all` or a list of names");
        return STATUS_OK;
    }
    return reader_texts(reader, value, check_property, NULL, &scenario->properties, &scenario->n_properties);
}

/* What no check can see is expected like a property: the process that runs the seed dies. */
static enum status check_expected(struct reader *reader, struct reader_value item, void *unused) {
    const char *name = json_string_value(item.value);
    return name && !strcmp(name, "no-crash") ? STATUS_OK : check_property(reader, item, unused);
}

static enum status read_violates(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    enum status status = reader_texts(reader, value, check_expected, NULL, &scenario->expect_violates,
                                      &scenario->n_expect_violates);
    if (status == STATUS_OK && scenario->n_expect_violates == 0)
        return reader_refuse(reader, value, "`violates` must name at least one property");
    return status;
}

static enum status read_expect(struct reader *reader, struct reader_value value, void *target) {
    static const struct field fields[] = {{.key = "violates", .kind = FIELD_SPECIAL, .read = read_violates},
                                          {.key = NULL}};
    if (json_is_string(value.value) && !strcmp(json_string_value(value.value), "pass"))
        return STATUS_OK;
    if (!json_is_object(value.value) || json_object_size(value.value) == 0)
        return reader_refuse(reader, value, "`expect` must be `pass` or {violates: [property]}");
    return reader_mapping(reader, value, "expect", fields, target);
}

static enum status read_storage(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->storage_in_file = text && !strcmp(text, "file");
    return text && (scenario->storage_in_file || !strcmp(text, "memory"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`storage` must be memory or file");
}

static enum status read_synchronous(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->synchronous_full = text && !strcmp(text, "full");
    return text && (scenario->synchronous_full || !strcmp(text, "normal"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`synchronous` must be normal or full");
}

static enum status read_statements(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->statements_struck = text && !strcmp(text, "struck");
    return text && (scenario->statements_struck || !strcmp(text, "spared"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`statements` must be spared or struck");
}

static enum status read_disk(struct reader *reader, struct reader_value value, void *target) {
    static const struct field fields[] = {
        {.key = "synchronous", .kind = FIELD_SPECIAL, .read = read_synchronous},
        {.key = "statements", .kind = FIELD_SPECIAL, .read = read_statements},
        {.key = NULL}};
    struct scenario *scenario = target;
    scenario->disk = true;
    return reader_mapping(reader, value, "disk", fields, target);
}

static const char *upload_name(size_t index, const void *unused) {
    (void)unused;
    return upload_paths()[index] ? upload_paths()[index]->name : NULL;
}

static enum status read_upload_path(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *name;
    enum status status = reader_text(reader, value, &name);
    if (status != STATUS_OK)
        return status;
    for (const struct upload_path *const *path = upload_paths(); *path; path++)
        if (!strcmp((*path)->name, name)) {
            scenario->upload = *path;
            return STATUS_OK;
        }
    return reader_refuse_name(reader, value, "upload path", name, upload_name, NULL);
}

static enum status read_reacts(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    return text && units_read_rate(text, &scenario->reacts)
               ? STATUS_OK
               : reader_refuse(reader, value, "`reacts` must be a rate such as 20%%, at most 100%%");
}

static enum status read_wrong_tokens(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    return text && units_read_rate(text, &scenario->wrong_tokens)
               ? STATUS_OK
               : reader_refuse(reader, value, "`wrong` must be a rate such as 20%%, at most 100%%");
}

const char *const scenario_token_keys[TOKEN_KEYS_COUNT] = {
    [TOKEN_KEYS_SHARED] = "shared", [TOKEN_KEYS_LISTED] = "listed", [TOKEN_KEYS_PUBLISHED] = "published"};

static enum status read_token_keys(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    for (size_t i = 0; text && i < TOKEN_KEYS_COUNT; i++)
        if (!strcmp(text, scenario_token_keys[i])) {
            scenario->token_keys = (enum token_keys)i;
            return STATUS_OK;
        }
    return reader_refuse(reader, value, "`keys` must be shared, published or listed");
}

static enum status read_credentials(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->fetch_config = text && !strcmp(text, "config-then-token");
    return text && (scenario->fetch_config || !strcmp(text, "token"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`credentials` must be token or config-then-token");
}

static enum status read_clear_at(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->clear_at_sign_in = text && !strcmp(text, "sign-in");
    return text && (scenario->clear_at_sign_in || !strcmp(text, "sign-out"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`clear-at` must be sign-out or sign-in");
}

static enum status read_checkpoints(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    for (size_t i = 0; text && client_checkpoints_name((enum client_checkpoints)i); i++)
        if (!strcmp(client_checkpoints_name((enum client_checkpoints)i), text)) {
            scenario->write_checkpoints = (enum client_checkpoints)i;
            return STATUS_OK;
        }
    return reader_refuse(reader, value,
                         "`write-checkpoints` must be legacy, requests, custom or custom-as-meant");
}

#define PLACE(member) offsetof(struct scenario, member)
#define TEXT(key_, member)                                                                                   \
    { .key = key_, .kind = FIELD_TEXT, .offset = PLACE(member) }
#define BOOLEAN(key_, member)                                                                                \
    { .key = key_, .kind = FIELD_BOOLEAN, .offset = PLACE(member) }
#define NUMBER(kind_, key_, member, low_, high_)                                                             \
    { .key = key_, .kind = kind_, .offset = PLACE(member), .low = low_, .high = high_ }
#define SECTION(key_, fields_)                                                                               \
    { .key = key_, .kind = FIELD_SECTION, .section = fields_ }
#define SPECIAL(key_, read_)                                                                                 \
    { .key = key_, .kind = FIELD_SPECIAL, .read = read_ }
#define END                                                                                                  \
    { .key = NULL }

static const struct field seed_data_fields[] = {NUMBER(FIELD_COUNT, "lists", lists_per_user, 0, 10000),
                                                NUMBER(FIELD_COUNT, "todos", todos_per_list, 0, 10000), END};
static const struct field run_fields[] = {
    NUMBER(FIELD_DURATION, "for", duration, TIME_MILLISECOND, 30 * TIME_DAY),
    NUMBER(FIELD_DURATION, "settle-within", settle_within, TIME_SECOND, TIME_DAY),
    NUMBER(FIELD_COUNT, "max-events", max_events, 1000, INT64_MAX), END};
static const struct field workload_fields[] = {
    NUMBER(FIELD_DURATION_RANGE, "between-writes", between_writes, TIME_MILLISECOND, TIME_DAY),
    NUMBER(FIELD_COUNT_RANGE, "rows", rows_per_write, 1, SCENARIO_ROWS_MOST),
    SPECIAL("writers", read_writers),
    SPECIAL("reacts", read_reacts),
    SPECIAL("actions", read_actions),
    END};
static const struct field network_fields[] = {
    NUMBER(FIELD_DURATION_RANGE, "latency", latency, 0, TIME_MINUTE),
    NUMBER(FIELD_DURATION_RANGE, "jitter", jitter, 0, TIME_MINUTE),
    NUMBER(FIELD_DURATION, "give-up", give_up, TIME_MILLISECOND, TIME_DAY), END};
static const struct field service_fields[] = {
    NUMBER(FIELD_DURATION, "polling-interval", polling_interval, TIME_MILLISECOND, TIME_HOUR),
    NUMBER(FIELD_DURATION, "keepalive", keepalive_interval, TIME_MILLISECOND, TIME_HOUR),
    NUMBER(FIELD_COUNT, "processes", service_processes, 1, SERVICE_PROCESSES_MOST),
    NUMBER(FIELD_COUNT, "connections", connections, 1, SCENARIO_CLIENTS_MOST),
    BOOLEAN("split", service_split),
    SPECIAL("storage", read_storage),
    BOOLEAN("strict-expiry", strict_expiry),
    NUMBER(FIELD_DURATION, "notification-delay", notification_delay, 0, TIME_MINUTE),
    NUMBER(FIELD_DURATION, "job-lock", job_lock, 0, TIME_HOUR),
    END};
static enum status read_upload_keys(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    const char *text = json_string_value(value.value);
    scenario->own_keys = text && !strcmp(text, "own");
    return text && (scenario->own_keys || !strcmp(text, "numbers"))
               ? STATUS_OK
               : reader_refuse(reader, value, "`keys` must be numbers or own");
}

static const struct field upload_fields[] = {SPECIAL("path", read_upload_path),
                                             SPECIAL("keys", read_upload_keys),
                                             NUMBER(FIELD_COUNT, "batch", upload_batch, 1, 10000), END};
static const struct field token_fields[] = {
    NUMBER(FIELD_DURATION, "lifetime", token_lifetime, TIME_SECOND, 365 * TIME_DAY),
    SPECIAL("wrong", read_wrong_tokens), SPECIAL("keys", read_token_keys), END};

const struct field scenario_language[] = {
    TEXT("name", name),
    TEXT("description", description),
    SPECIAL("app", read_app),
    SPECIAL("backend", scenario_read_backend),
    TEXT("sync-config", sync_config),
    SPECIAL("engine", read_engine),
    SPECIAL("write-checkpoints", read_checkpoints),
    SPECIAL("credentials", read_credentials),
    SPECIAL("clear-at", read_clear_at),
    NUMBER(FIELD_DURATION, "idle-timeout", idle_timeout, TIME_SECOND, TIME_DAY),
    SPECIAL("seed", read_seed),
    SPECIAL("users", read_users),
    NUMBER(FIELD_COUNT, "devices", devices_per_user, 1, SCENARIO_CLIENTS_MOST),
    NUMBER(FIELD_COUNT, "tabs", tabs, 1, SCENARIO_TABS_MOST),
    BOOLEAN("shared-worker", shared_worker),
    SPECIAL("reactive", scenario_read_reactive),
    SPECIAL("requests", scenario_read_requests),
    SPECIAL("old-app", read_old_apps),
    BOOLEAN("clear-local", clear_local),
    SPECIAL("browse", scenario_read_browse),
    SPECIAL("disk", read_disk),
    SECTION("seed-data", seed_data_fields),
    SECTION("run", run_fields),
    SECTION("workload", workload_fields),
    SECTION("network", network_fields),
    SECTION("service", service_fields),
    SECTION("upload", upload_fields),
    SECTION("tokens", token_fields),
    SPECIAL("faults", scenario_read_faults),
    SPECIAL("server-faults", scenario_read_server_faults),
    BOOLEAN("swarm", swarm),
    BOOLEAN("fault-points", fault_points),
    BOOLEAN("random-knobs", random_knobs),
    SPECIAL("drive", scenario_read_drives),
    SPECIAL("knobs", read_knobs),
    SPECIAL("mutants", read_mutants),
    SPECIAL("properties", read_properties),
    SPECIAL("expect", read_expect),
    BOOLEAN("canary", canary),
    SPECIAL("covers", read_covers),
    SPECIAL("steps", scenario_read_steps),
    END};
