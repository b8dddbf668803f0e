#include "scenario/stage_disk.h"

#include <assert.h>
#include <string.h>

#include "client/client.h"
#include "scenario/fault_kinds.h"

enum { FLAKY_ONE_IN = 8 };

/* Other engines than `core` keep their data where no disk is: there power loss is the end of a process, and
 * nothing else happens. */
static bool has_databases(const struct stage *stage) {
    return !strncmp(stage->scenario->engine, "core", 4);
}

bool stage_uses_disks(const struct stage *stage) {
    bool uses = stage->scenario->disk || stage->scenario->tabs > 1;

    if (!has_databases(stage))
        return false;

    for (size_t i = 0; i < stage->scenario->n_faults; i++)
        uses |= fault_kind_strikes_disk(fault_kind_find(stage->scenario->faults[i].name));
    for (size_t i = 0; i < stage->plan->n_steps; i++)
        uses |= fault_kind_strikes_disk(fault_kind_of_step(&stage->plan->steps[i])) ||
                stage->plan->steps[i].nth > 0;
    return uses;
}

void stage_disk_create(struct stage *stage, struct stage_client *client) {
    assert(stage->pool && !client->disk);
    client->disk = disk_create(client->host);
    disk_skip_syncs(client->disk, host_mutant(client->host, "skip-syncs"));
    client_pool_use_disk(stage->pool, client->name,
                         &(struct client_disk){.disk = client->disk,
                                               .synchronous_full = stage->scenario->synchronous_full,
                                               .statements_struck = stage->scenario->statements_struck,
                                               .shared = stage->scenario->tabs > 1});
}

static void on_dark(void *context) {
    struct stage_client *client = context;

    client->outages++;
    stage_crash_client(client->stage, client, true);
}

static void on_end(void *context) {
    struct stage_client *client = context;

    client->outages++;
    stage_crash_client(client->stage, client, false);
}

/* Inside an operation of the disk: the process ends as soon as it is out of there. No timer of its own: its
 * first tab may be frozen. */
static void on_power_gone(void *context) {
    struct stage_client *client = context;

    world_schedule(client->stage->world, 0, on_dark, client);
}

static void on_halt(void *context) {
    struct stage_client *client = context;

    world_schedule(client->stage->world, 0, on_end, client);
}

void stage_disk_begin(struct stage *stage, struct stage_client *client, const struct scenario_step *step) {
    if (!client->disk) {
        if (step->kind == STEP_POWER_LOSS || step->kind == STEP_CRASH)
            stage_crash_client(stage, client, false);
        return;
    }
    switch (step->kind) {
    case STEP_CRASH:
        assert(step->nth > 0);
        disk_end_process_at(client->disk, (uint64_t)step->nth, on_halt, client);
        break;
    case STEP_POWER_LOSS:
        if (step->nth > 0)
            disk_lose_power_at(client->disk, (uint64_t)step->nth, on_power_gone, client);
        else
            stage_crash_client(stage, client, true);
        break;
    case STEP_DISK_FULL:
        disk_set_full(client->disk, ++client->full > 0);
        break;
    case STEP_DISK_ERROR:
        disk_set_flaky(client->disk, ++client->flaky > 0 ? FLAKY_ONE_IN : 0);
        break;
    default:
        assert(step->kind == STEP_DISK_READ_ONLY);
        disk_set_read_only(client->disk, ++client->read_only > 0);
    }
}

static enum status end_outage(struct stage_client *client, const struct scenario_step *step,
                              struct error *error) {
    if (!client->disk)
        return stage_restart_client(client, error);
    if (step->nth > 0 && client->outages == 0) { /* the moment did not come */
        disk_lose_power_at(client->disk, 0, NULL, NULL);
        return STATUS_OK;
    }
    client->outages -= step->nth > 0;
    return stage_restart_client(client, error);
}

enum status stage_disk_end(struct stage_client *client, const struct scenario_step *step,
                           struct error *error) {
    if (!client->disk && step->kind != STEP_POWER_LOSS && step->kind != STEP_CRASH)
        return STATUS_OK;
    switch (step->kind) {
    case STEP_POWER_LOSS:
    case STEP_CRASH:
        return end_outage(client, step, error);
    case STEP_DISK_FULL:
        disk_set_full(client->disk, --client->full > 0);
        break;
    case STEP_DISK_ERROR:
        disk_set_flaky(client->disk, --client->flaky > 0 ? FLAKY_ONE_IN : 0);
        break;
    default:
        assert(step->kind == STEP_DISK_READ_ONLY);
        disk_set_read_only(client->disk, --client->read_only > 0);
    }
    return stage_client_revive(client, error);
}

void stage_disk_heal(struct stage_client *client) {
    if (!client->disk)
        return;
    client->outages = client->full = client->flaky = client->read_only = 0;
    disk_set_full(client->disk, false);
    disk_set_flaky(client->disk, 0);
    disk_set_read_only(client->disk, false);
    disk_lose_power_at(client->disk, 0, NULL, NULL);
}

enum { FILE_VERSIONS = 18, ROLLBACK_VERSION = 1 };

/* A single file needs no log beside it: bytes 18 and 19 say so. */
void stage_keep_databases(struct stage *stage) {
    for (size_t i = 0; stage->options->keep_database && i < stage->names.count; i++) {
        struct client *client = stage->clients[i].client;
        sqlite3 *database = client ? client_database(client) : NULL;
        sqlite3_int64 length = 0;
        unsigned char *bytes = database ? sqlite3_serialize(database, "main", &length, 0) : NULL;
        if (!bytes)
            continue;
        assert(length > FILE_VERSIONS + 1);
        bytes[FILE_VERSIONS] = bytes[FILE_VERSIONS + 1] = ROLLBACK_VERSION;
        stage->options->keep_database(stage->options->keep_context, stage->clients[i].name, bytes,
                                      (size_t)length);
        sqlite3_free(bytes);
    }
}
