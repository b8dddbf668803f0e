#include "scenario/stage_service.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "app/write_checkpoint.h"
#include "mock-powersync/storage/storage.h"
#include "scenario/services.h"
#include "scenario/stage_private.h"
#include "scenario/stage_tokens.h"

/* A file that lives in memory for as long as a connection is open: the stage keeps one. */
static const char storage_path[] = "file:/syncline-storage?vfs=memdb";

static enum powersync_role role_of(const struct stage *stage, const struct stage_process *process) {
    if (!stage->scenario->service_split)
        return POWERSYNC_UNIFIED;
    return process->answers ? POWERSYNC_API : POWERSYNC_REPLICATION;
}

static enum status start(struct stage *stage, struct stage_process *process, struct error *error) {
    const struct scenario *scenario = stage->scenario;
    const struct powersync_options options = {
        .role = role_of(stage, process),
        .storage = stage->service_storage,
        .sync_config = stage->sync_config,
        .sync_config_file = "sync-config.yaml",
        .source = {.deployment = "convex",
                   .deploy_key = stage_deploy_key,
                   .polling_interval = scenario->polling_interval,
                   .request_timeout = 60 * TIME_SECOND},
        .auth = stage_tokens_rules(stage),
        .write_checkpoint_table =
            client_checkpoints_are_custom(scenario->write_checkpoints) ? APP_WRITE_CHECKPOINTS : NULL,
        .limits = {.max_concurrent_connections = (size_t)scenario->connections},
        .strict_expiry = scenario->strict_expiry,
        .keepalive_interval = scenario->keepalive_interval,
        .notification_delay = scenario->notification_delay,
        .job_lock = scenario->job_lock};
    return powersync_service_create(process->host, &options, &process->service, error);
}

/* --- the storage --- */

static enum status open_storage(struct stage *stage, struct error *error) {
    if (stage->scenario->storage_in_file)
        return storage_open(&stage->service_storage, storage_path, error);
    stage->service_storage = storage_create();
    return STATUS_OK;
}

static void keep_file(struct stage *stage) {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
    const int code = sqlite3_open_v2(storage_path, &stage->storage_file, flags, NULL);
    assert(code == SQLITE_OK);
    (void)code;
}

/* --- life --- */

enum status stage_services_open(struct stage *stage, struct error *error) {
    const size_t count = scenario_services(stage->scenario);
    stage->services = arena_allocate(&stage->arena, count * sizeof *stage->services);
    stage->n_services = count;
    if (stage->scenario->storage_in_file)
        keep_file(stage);
    enum status status = open_storage(stage, error);
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        struct stage_process *process = &stage->services[i];
        process->name = scenario_service_name(stage->scenario, i);
        process->answers = scenario_service_answers(stage->scenario, i);
        process->host = server_door_open(net_node(stage->net, process->name),
                                         &stage->scenario->server_faults.powersync, &process->door);
        status = start(stage, process, error);
    }
    return status;
}

void stage_services_close(struct stage *stage) {
    for (size_t i = 0; i < stage->n_services; i++)
        if (stage->services[i].service)
            powersync_service_destroy(stage->services[i].service);
    if (stage->service_storage)
        storage_destroy(stage->service_storage);
    if (stage->storage_file)
        sqlite3_close(stage->storage_file);
    for (size_t i = 0; i < stage->n_services; i++)
        fault_host_destroy(stage->services[i].door);
}

static struct stage_process *find(struct stage *stage, const char *name) {
    size_t i = 0;
    while (i < stage->n_services && strcmp(stage->services[i].name, name) != 0)
        i++;
    assert(i < stage->n_services);
    return &stage->services[i];
}

/* --- crashes --- */

void stage_service_crash(struct stage *stage, const char *name) {
    struct stage_process *process = find(stage, name);
    if (process->crashes++ > 0)
        return;
    net_crash_node(stage->net, name);
    if (process->door)
        fault_host_crash(process->door);
    powersync_service_crash(process->service);
    if (!stage->scenario->storage_in_file)
        return;
    /* What was not flushed is gone with the process. */
    powersync_service_destroy(process->service);
    process->service = NULL;
    storage_destroy(stage->service_storage);
    stage->service_storage = NULL;
}

enum status stage_service_restart(struct stage *stage, const char *name, struct error *error) {
    struct stage_process *process = find(stage, name);
    assert(process->crashes > 0);
    if (process->gone || --process->crashes > 0)
        return STATUS_OK;
    if (process->service) {
        powersync_service_restart(process->service);
        return STATUS_OK;
    }
    enum status status = open_storage(stage, error);
    return status == STATUS_OK ? start(stage, process, error) : status;
}

enum status stage_services_heal(struct stage *stage, struct error *error) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < stage->n_services; i++) {
        struct stage_process *process = &stage->services[i];
        if (process->door)
            fault_host_stop(process->door);
        if (process->crashes == 0 || process->gone)
            continue;
        process->crashes = 1;
        status = stage_service_restart(stage, process->name, error);
    }
    return status;
}

/* --- operators --- */

bool stage_service_retire(struct stage *stage, const char *name) {
    struct stage_process *process = find(stage, name);
    size_t left = 0;
    for (size_t i = 0; i < stage->n_services; i++)
        left += stage->services[i].answers && !stage->services[i].retired;
    if (process->retired || left < 2)
        return false;
    process->retired = true;
    return true;
}

void stage_service_go(struct stage *stage, const char *name) {
    find(stage, name)->gone = true;
    stage_service_crash(stage, name);
}

static struct stage_process *somebody(const struct stage *stage) {
    for (size_t i = 0; i < stage->n_services; i++)
        if (stage->services[i].crashes == 0 && stage->services[i].answers)
            return &stage->services[i];
    return NULL;
}

bool stage_service_redeploy(struct stage *stage, const char *step, enum status *status, struct error *error) {
    const struct stage_process *process = somebody(stage);
    if (!process)
        return false;
    stage->sync_config =
        arena_format(&stage->arena, "%s\n# deployed again by %s\n", stage->scenario->sync_config, step);
    *status = powersync_service_deploy(process->service, stage->sync_config, "sync-config.yaml", error);
    return true;
}

bool stage_service_compact(struct stage *stage, enum status *status, struct error *error) {
    const struct stage_process *process = somebody(stage);
    if (!process)
        return false;
    *status = powersync_service_compact(process->service, error);
    return true;
}

int64_t stage_service_position(const struct stage *stage) {
    const struct stage_process *process = somebody(stage);
    return process ? powersync_service_position(process->service) : 0;
}
