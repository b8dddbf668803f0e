/* Fuzz target: what arrives at a PowerSync service's routes, as a script of requests (conversation.h).
 *
 * Checked for any input: nothing crashes; an answer of a status from 400 on is empty, plain text or an error
 * body that says its own status; what is no sync stream is answered within a minute; afterwards the service
 * still answers. Users are accepted with the secret "secret", operators with the token "operator". */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/jwt_key.h"
#include "conversation.h"
#include "mock-powersync/service.h"
#include "tests/mock-powersync/fake_convex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char sync_config[] =
    "config: {edition: 3}\n"
    "streams:\n"
    "  own:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT * FROM lists WHERE owner = auth.user_id()\n"
    "  some:\n"
    "    query: SELECT * FROM lists WHERE kind = subscription.parameter('kind')\n";

/* The node has the name that scripts are sent to. */
static struct powersync_service *start(struct host *host) {
    static const char *const audiences[] = {"powersync"}, *const tokens[] = {"operator"};
    char *jwks = jwt_jwks_of_secret(NULL, "secret");
    const struct powersync_options options = {
        .sync_config = sync_config,
        .source = {.deployment = "source", .deploy_key = "key"},
        .auth = {.jwks = jwks, .audiences = audiences, .n_audiences = 1},
        .api_tokens = tokens,
        .n_api_tokens = 1};
    struct powersync_service *service;
    enum status status = powersync_service_create(host, &options, &service, NULL);
    assert(status == STATUS_OK);
    (void)status;
    free(jwks);
    return service;
}

static void check_answer(const struct conversation_record *record) {
    json_t *json = json_parse(buffer_text(&record->body), record->body.length, NULL);
    const json_t *error = json_object_get(json, "error");
    bool packed = record->body.length > 1 && (unsigned char)record->body.data[0] == 0x1f;
    bool plain = packed || record->body.length == 0 ||
                 strcmp(buffer_text(&record->body), "Invalid Preflight Request") == 0;
    assert(record->status < 400 || plain ||
           (json_text(error, "code") && json_text(error, "name") && json_text(error, "description") &&
            json_integer_or(error, "status", 0) == record->status));
    (void)error;
    (void)plain;
    json_decref(json);
}

static void check_still_answers(struct world *world, struct host *client) {
    char question[] = "GET /probes/liveness\n\n";
    struct conversation_record record = {.client = client, .faulty = true};
    bool sent = conversation_start(&record, question);
    conversation_run(world, 10 * TIME_SECOND);
    assert(sent && record.answered && record.status == 200);
    (void)sent;
    conversation_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const struct world_settings settings = {.seed = 1, .max_events = 200000};
    const struct net_settings links = {.latency = TIME_MILLISECOND};
    struct conversation_record records[CONVERSATION_RECORDS_MOST];
    char *script = memory_allocate(size + 1);
    memcpy(script, data, size);
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    struct fake_convex *source = fake_convex_create(net_node(net, "source"));
    fake_put(source, FAKE_START, "lists", "j1", ",\"owner\":\"alice\",\"kind\":\"a\"");
    struct powersync_service *service = start(net_node(net, "convex"));
    conversation_run(world, TIME_SECOND);
    size_t count = conversation_start_all(world, client, true, script, records);
    if (conversation_run(world, 60 * TIME_SECOND)) {
        for (size_t i = 0; i < count; i++)
            if (records[i].answered)
                check_answer(&records[i]);
        check_still_answers(world, client);
    }
    powersync_service_destroy(service);
    for (size_t i = 0; i < count; i++)
        conversation_free(&records[i]);
    fake_convex_destroy(source);
    net_destroy(net);
    world_destroy(world);
    free(script);
    return 0;
}
