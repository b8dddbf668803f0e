#include "scenario/scenario.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/fault_kinds.h"
#include "scenario/language.h"
#include "scenario/scenario_backend.h"
#include "scenario/services.h"

static const size_t file_most = (size_t)16 << 20;

/* What a scenario is that says nothing: docs/scenarios.md lists the same values. */
static void set_defaults(struct scenario *scenario, const char *file) {
    static const char *const users[] = {"alice", "bob"};
    scenario->file = arena_copy_text(&scenario->arena, file);
    scenario->description = "";
    scenario->app = app_all()[0];
    scenario->engine = "core";
    scenario->users = users;
    scenario->n_users = 2;
    scenario->devices_per_user = 1;
    scenario->tabs = 1;
    scenario->lists_per_user = 1;
    scenario->todos_per_list = 3;
    scenario->duration = TIME_MINUTE;
    scenario->settle_within = 150 * TIME_SECOND;
    scenario->between_writes = (struct reader_range){5 * TIME_SECOND, 15 * TIME_SECOND};
    scenario->rows_per_write = (struct reader_range){1, 5};
    scenario->latency = (struct reader_range){5 * TIME_MILLISECOND, 60 * TIME_MILLISECOND};
    scenario->jitter = (struct reader_range){0, 10 * TIME_MILLISECOND};
    scenario->give_up = 30 * TIME_SECOND;
    scenario->polling_interval = TIME_SECOND;
    scenario->upload = &upload_convex_mutation;
    scenario->upload_batch = 100;
    scenario->token_lifetime = TIME_HOUR;
    scenario->keepalive_interval = 20 * TIME_SECOND;
    scenario->service_processes = 1;
    scenario->connections = SERVICE_CONNECTIONS_USUAL;
    scenario->clear_local = true;
    scenario->swarm = true;
    scenario->fault_points = true;
    scenario->random_knobs = true;
    scenario->max_events = 5000000;
}

/* "scenarios/smoke/todo.yaml" -> "todo" */
static const char *name_of_file(struct arena *arena, const char *file) {
    const char *slash = strrchr(file, '/');
    const char *base = slash ? slash + 1 : file;
    const char *dot = strrchr(base, '.');
    return arena_copy_bytes(arena, base, dot && dot > base ? (size_t)(dot - base) : strlen(base));
}

static enum status check_backend(struct reader *reader, struct reader_value root,
                                 const struct scenario *scenario) {
    struct convex_deployment_options options = {0};
    struct arena arena = {0};
    struct error problem = {0};
    enum status status = scenario_fill_deployment(scenario, &arena, &options, &problem);
    arena_free(&arena);
    return status == STATUS_OK ? STATUS_OK
                               : reader_refuse(reader, reader_member(root.value, "backend"),
                                               "app `%s` and backend do not fit together: %s",
                                               scenario->app->name, problem.message);
}

static bool needs_owner(const struct app *app) {
    for (size_t i = 0; i < app->mapping.n_columns; i++)
        if (app->mapping.columns[i].meaning == COLUMN_OWNER)
            return true;
    return false;
}

static enum status check_upload(struct reader *reader, struct reader_value root,
                                const struct scenario *scenario) {
    struct reader_value upload = reader_member(root.value, "upload");
    const bool key_pairs = scenario->token_keys != TOKEN_KEYS_SHARED;
    if (scenario->n_users == 0)
        return STATUS_OK;
    if (needs_owner(scenario->app) && !scenario->upload->shows_token)
        return reader_refuse_key(reader, upload, "path",
                                 "the app %s needs a server that knows who uploads: upload-endpoint, "
                                 "sync-endpoint or signed-in-mutation",
                                 scenario->app->name);
    if (scenario->upload->shows_token && !scenario->upload->to_server && !key_pairs)
        return reader_refuse_key(reader, upload, "path",
                                 "the deployment knows tokens by key pairs only: tokens: {keys: published}");
    if (scenario->wrong_tokens > 0 && key_pairs)
        return reader_refuse_key(reader, reader_member(root.value, "tokens"), "wrong",
                                 "wrong tokens are made with the secret only: keys: shared");
    return STATUS_OK;
}

/* Whatever has to do with the app's other version needs one. */
static enum status check_versions(struct reader *reader, struct reader_value root,
                                  const struct scenario *scenario) {
    for (size_t i = 0; i < scenario->n_old_apps; i++)
        if (scenario_group_of(scenario, scenario->old_apps[i]))
            return reader_refuse(reader, reader_member(root.value, "old-app"),
                                 "`%s` is a plain Convex client: it has no schema", scenario->old_apps[i]);
    if (scenario->app->old_schema)
        return STATUS_OK;
    if (scenario->n_old_apps > 0)
        return reader_refuse(reader, reader_member(root.value, "old-app"), "the app %s has one version only",
                             scenario->app->name);
    return scenario_fault_find(scenario, "update-app")
               ? reader_refuse_key(reader, reader_member(root.value, "faults"), "update-app",
                                   "the app %s has one version only", scenario->app->name)
               : STATUS_OK;
}

/* What no single key can tell. */
static enum status check_whole(struct reader *reader, struct reader_value root, struct scenario *scenario) {
    size_t n_clients = scenario->n_users * (size_t)scenario->devices_per_user + scenario->n_reactive_clients;
    if (n_clients == 0)
        return reader_refuse(reader, reader_member(root.value, "users"),
                             "nobody takes part: a scenario needs `users` or `reactive` clients");
    if (n_clients > SCENARIO_CLIENTS_MOST)
        return reader_refuse(reader, scenario->n_reactive ? root : reader_member(root.value, "devices"),
                             "a world has at most %d clients", SCENARIO_CLIENTS_MOST);
    if (scenario->own_keys &&
        (!scenario->upload->checkpoint || client_checkpoints_are_custom(scenario->write_checkpoints)))
        return reader_refuse(
            reader, reader_member(root.value, "upload"),
            "keys of one's own need the path convex-mutation, and no custom write checkpoints");
    if (client_checkpoints_are_custom(scenario->write_checkpoints) && !scenario->upload->checkpoint)
        return reader_refuse(reader, reader_member(root.value, "write-checkpoints"),
                             "custom write checkpoints need the upload path convex-mutation, not %s",
                             scenario->upload->name);
    if (scenario->canary && scenario->n_expect_violates == 0)
        return reader_refuse(reader, reader_member(root.value, "canary"),
                             "a canary must fail: say which property, expect: {violates: [...]}");
    for (size_t i = 0; scenario->steps && i < scenario->n_faults; i++)
        if (fault_kind_find(scenario->faults[i].name)->class == FAULT_CLASS_TIMED)
            return reader_refuse_key(reader, reader_member(root.value, "faults"), scenario->faults[i].name,
                                     "with `steps`, `%s` is written as steps and not as a fault",
                                     scenario->faults[i].name);
    if (scenario->storage_in_file && scenario_services(scenario) > 1)
        return reader_refuse_key(reader, reader_member(root.value, "service"), "storage",
                                 "a storage in a file belongs to one process");
    if (scenario_fault_find(scenario, "rotate-keys") && !scenario_has_key_pairs(scenario))
        return reader_refuse_key(reader, reader_member(root.value, "faults"), "rotate-keys",
                                 SCENARIO_NO_TOKENS, "rotate-keys");
    if (scenario_fault_find(scenario, "backend-crash") && !scenario_has_backend(scenario))
        return reader_refuse_key(
            reader, reader_member(root.value, "faults"), "backend-crash",
            "there is no backend: devices upload to the deployment (upload: {path: ..})");
    if (scenario_fault_find(scenario, "retire") && !scenario->fetch_config)
        return reader_refuse_key(reader, reader_member(root.value, "faults"), "retire",
                                 "nobody tells devices of another process: it needs `credentials: "
                                 "config-then-token`");
    enum status status = check_upload(reader, root, scenario);
    if (status == STATUS_OK)
        status = check_versions(reader, root, scenario);
    if (status == STATUS_OK)
        status = scenario_check_tabs(reader, root, scenario);
    if (status == STATUS_OK)
        status = check_backend(reader, root, scenario);
    if (status != STATUS_OK)
        return status;
    if (!scenario->name)
        scenario->name = name_of_file(&scenario->arena, scenario->file);
    if (!scenario->sync_config)
        scenario->sync_config = scenario->app->sync_config;
    assert(scenario->name && scenario->description && scenario->duration > 0);
    assert(scenario->latency.low <= scenario->latency.high && scenario->rows_per_write.low >= 1);
    return STATUS_OK;
}

enum status scenario_parse(const char *text, size_t length, const char *file, struct scenario **result,
                           struct error *error) {
    assert(file && result);
    struct yaml_document document;
    *result = NULL;
    enum status status = yaml_parse(&document, text, length, file, NULL, error);
    if (status != STATUS_OK)
        return status;
    struct scenario *scenario = memory_allocate(sizeof *scenario);
    set_defaults(scenario, file);
    struct reader reader = {&document, &scenario->arena, error};
    struct reader_value root = {NULL, NULL, document.root};
    status = reader_mapping(&reader, root, "", scenario_language, scenario);
    if (status == STATUS_OK)
        status = check_whole(&reader, root, scenario);
    yaml_release(&document);
    if (status == STATUS_OK)
        *result = scenario;
    else
        scenario_free(scenario);
    return status;
}

static enum status read_file(const char *path, struct buffer *out, struct error *error) {
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot read %s: %s", path,
                         strerror(errno));
    char block[65536];
    size_t got;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && (got = fread(block, 1, sizeof block, file)) > 0) {
        buffer_append(out, block, got);
        if (out->length > file_most)
            status = error_set(error, STATUS_LIMIT, "%s is larger than 16 MiB", path);
    }
    if (status == STATUS_OK && ferror(file))
        status = error_set(error, STATUS_IO, "cannot read %s: %s", path, strerror(errno));
    fclose(file);
    return status;
}

enum status scenario_load(const char *path, struct scenario **scenario, struct error *error) {
    struct buffer text = {0};
    *scenario = NULL;
    enum status status = read_file(path, &text, error);
    if (status == STATUS_OK)
        status = scenario_parse(buffer_text(&text), text.length, path, scenario, error);
    buffer_free(&text);
    return status;
}

bool scenario_expects(const struct scenario *scenario, const char *property) {
    for (size_t i = 0; i < scenario->n_expect_violates; i++)
        if (!strcmp(scenario->expect_violates[i], property))
            return true;
    return false;
}

void scenario_free(struct scenario *scenario) {
    if (!scenario)
        return;
    convex_backend_free(scenario->backend);
    arena_free(&scenario->arena);
    free(scenario);
}
