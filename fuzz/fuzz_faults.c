/* Fuzz target: files of faults. The input is YAML, as docs/faults.md has it.
 *
 * Checked for any input: nothing crashes; a refusal has a reason and a place; under rules that load, requests
 * and a WebSocket to a deployment behind the door come to some end, at the latest when the rules have
 * stopped; afterwards the deployment serves; what was struck is never more than what matched. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "conversation.h"
#include "fault/fault_file.h"
#include "mock-convex/deployment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char script[] =
    "POST /api/mutation\ncontent-type: application/json\n\n"
    "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{}}\n---\n"
    "GET /api/list_snapshot?format=json&tableName=powersync_checkpoints\n"
    "authorization: Convex prod:syncline-1|0123456789abcdef\n\n\n---\n"
    "WS /api/sync\n\n"
    "{\"type\":\"Connect\",\"sessionId\":\"3f0c6c3e-7d52-4f3c-9d6b-0e8f8f3b5a11\",\"connectionCount\":0,"
    "\"lastCloseReason\":null}\n"
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[]}\n"
    "{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"powersync_checkpoints:createCheckpoint\",\"args\":["
    "{}]}\n"
    "---\nGET /version\n\n\n---\nPOST /echo\n\n01234567890123456789\n---\nGET "
    "/api/document_deltas?cursor=0\n\n\n";

static void check_counts(const struct fault_settings *settings, const struct host *door) {
    const struct fault_count *counts = fault_host_counts(door);
    for (size_t i = 0; i < settings->rules.count; i++)
        assert(counts[i].struck <= counts[i].matched);
    (void)counts;
}

static void check_still_serves(struct world *world, struct host *client) {
    char question[] = "GET /version\n\n\n";
    struct conversation_record record = {.client = client};
    bool sent = conversation_start(&record, question);
    conversation_run(world, TIME_SECOND);
    assert(sent && record.answered && record.status == 200);
    (void)sent;
    conversation_free(&record);
}

static void serve(const struct fault_file *file) {
    const struct world_settings settings = {.seed = 1, .max_events = 200000};
    const struct net_settings links = {.latency = TIME_MILLISECOND, .give_up = 30 * TIME_SECOND};
    struct conversation_record records[CONVERSATION_RECORDS_MOST];
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    struct host *door = fault_host_create(net_node(net, "convex"), &file->convex);
    const struct convex_deployment_options options = {.deploy_key = "prod:syncline-1|0123456789abcdef",
                                                      .conflicts = (int)file->conflicts,
                                                      .bumps_when_idle = file->bumps_when_idle,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = 9 * TIME_MILLISECOND,
                                                      .read_time = 2 * TIME_MILLISECOND};
    struct convex_deployment *deployment = convex_deployment_create(door, &options);
    char *text = memory_copy_text(script);
    size_t count = conversation_start_all(world, client, true, text, records);
    if (conversation_run(world, 20 * TIME_SECOND)) {
        check_counts(&file->convex, door);
        fault_host_stop(door);
        if (conversation_run(world, 40 * TIME_SECOND)) {
            for (size_t i = 0; i < count; i++)
                assert(records[i].answered);
            check_still_serves(world, client);
        }
    }
    convex_deployment_destroy(deployment);
    fault_host_destroy(door);
    net_destroy(net);
    world_destroy(world);
    for (size_t i = 0; i < count; i++)
        conversation_free(&records[i]);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct yaml_document document;
    struct arena arena = {0};
    struct error error = {0};
    struct fault_file file;
    if (yaml_parse(&document, (const char *)data, size, "faults.yaml", NULL, &error) != STATUS_OK) {
        assert(error.message[0] != 0 && strcmp(error.file, "faults.yaml") == 0);
        return 0;
    }
    struct reader reader = {&document, &arena, &error};
    enum status status = fault_file_read(&reader, (struct reader_value){NULL, NULL, document.root}, &file);
    yaml_release(&document);
    if (status == STATUS_OK)
        serve(&file);
    else
        assert(status == STATUS_INVALID && error.message[0] != 0 && strcmp(error.file, "faults.yaml") == 0);
    arena_free(&arena);
    return 0;
}
