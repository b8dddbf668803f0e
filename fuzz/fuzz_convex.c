/* Fuzz target: what arrives at a Convex deployment, as a script (conversation.h).
 *
 * Checked for any input: nothing crashes; every request is answered, an error by an empty body or an envelope
 * of exactly two texts; every message to a WebSocket is a JSON object with a type, the versions of its
 * transitions join up; afterwards the deployment still serves. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "conversation.h"
#include "fuzz_keys.h"
#include "mock-convex/deployment.h"
#include "mock-convex/validator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPLOY_KEY "prod:syncline-1|0123456789abcdef"

/* --- the deployment's app --- */

static enum status add(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    char id[40];
    struct convex_value *document = convex_object();
    convex_object_set(document, "args", convex_copy(args));
    enum status status = convex_insert(context, "things", document, id, error);
    *result = status == STATUS_OK ? convex_string(id) : NULL;
    return status;
}

static enum status list(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    const struct convex_value **documents;
    size_t count;
    const struct convex_value *key = convex_object_get(args, "key");
    enum status status =
        convex_find(context, "things", "by_args", &key, key != NULL, 10, &documents, &count, error);
    *result = convex_array();
    for (size_t i = 0; i < count; i++) {
        convex_array_append(*result, convex_copy(documents[i]));
    }
    free(documents);
    return status;
}

static enum status throw(struct convex_context * context, const struct convex_value *args,
                         struct convex_value **result, struct error *error) {
    (void)result; return convex_throw(context, convex_copy(args), error);
}

/* Twice itself, later. */
static enum status later(struct convex_context *context, const struct convex_value *args,
                         struct convex_value **result, struct error *error) {
    char id[40];
    const struct convex_value *delay = convex_object_get(args, "delay");
    const char *path = convex_object_text(args, "path");
    int64_t ms = delay != NULL && delay->kind == CONVEX_INT64 ? delay->as.integer % 10000 : 50;
    struct convex_value *none = convex_object();
    enum status status =
        convex_schedule(context, ms * TIME_MILLISECOND, path != NULL ? path : "a:add", none, id, error);
    if (status == STATUS_OK && convex_object_get(args, "cancel") != NULL) {
        status = convex_cancel(context, id, error);
    }
    *result = status == STATUS_OK ? convex_string(id) : NULL;
    convex_free(none);
    return status;
}

/* An action that does all that an action may do. Whatever fails ends it; what is pending is passed on. */
static enum status act(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    const char *url = convex_object_text(args, "url"), *path = convex_object_text(args, "path");
    const struct convex_value *request = convex_object_get(args, "request");
    struct convex_value *none = convex_object(), *added = NULL;
    enum status status = convex_run_mutation(context, "a:add", args, &added, error);
    convex_free(added);
    if (status == STATUS_OK) {
        status = convex_sleep(context, 7 * TIME_MILLISECOND, error);
    }
    if (status == STATUS_OK && url != NULL) {
        status = convex_fetch(context, url, request != NULL ? request : none, result, error);
    } else if (status == STATUS_OK && path != NULL) {
        status = convex_run_action(context, path, none, result, error);
    }
    convex_free(none);
    return status;
}

/* An HTTP action: gives back what it was given, or what the body says. */
static enum status hook(struct convex_context *context, const struct convex_value *args,
                        struct convex_value **result, struct error *error) {
    const struct convex_value *body = convex_object_get(args, "body");
    json_t *json = body != NULL && (body->kind == CONVEX_STRING || body->kind == CONVEX_BYTES)
                       ? json_parse(body->as.bytes.data, body->as.bytes.length, NULL)
                       : NULL;
    (void)context;
    enum status status = json != NULL ? convex_from_json(json, result, error) : STATUS_OK;
    json_decref(json);
    if (status == STATUS_OK && json == NULL) {
        *result = convex_object();
        convex_object_set(*result, "body", convex_string(convex_object_text(args, "path")));
    }
    return status;
}

static enum status who(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error) {
    const struct convex_value *user = convex_user(context);
    (void)args;
    (void)error;
    *result = user != NULL ? convex_copy(user) : convex_null();
    return STATUS_OK;
}

static enum status strict(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    char id[40];
    enum status status = convex_insert(context, "strict", convex_copy(args), id, error);
    *result = status == STATUS_OK ? convex_string(id) : NULL;
    return status;
}

static const struct convex_index indexes[] = {{.name = "by_args", .fields = {"args"}, .n_fields = 1}};
static const struct convex_http_route http_routes[] = {{"POST", "/hook", "a:hook"},
                                                       {"GET", "/files/", "a:hook"}};
static const struct convex_auth_provider providers[] = {
    {.issuer = "https://issuer.test", .application = "app", .jwks = FIXTURE_JWKS, .algorithm = "RS256"}};
static const struct convex_function functions[] = {
    {.path = "a:add", .kind = CONVEX_MUTATION, .run = add},
    {.path = "a:list", .kind = CONVEX_QUERY, .run = list},
    {.path = "a:throw", .kind = CONVEX_MUTATION, .run = throw},
    {.path = "a:later", .kind = CONVEX_MUTATION, .run = later},
    {.path = "a:act", .kind = CONVEX_ACTION, .run = act},
    {.path = "a:hook", .kind = CONVEX_HTTP_ACTION, .run = hook},
    {.path = "a:who", .kind = CONVEX_QUERY, .run = who},
    {.path = "a:strict", .kind = CONVEX_MUTATION, .run = strict}};

/* What documents of the table "strict" may be: something of everything. */
static struct convex_validator *strict_validator(void) {
    static const char text[] =
        "{\"text\":\"string\",\"thing?\":\"id things\",\"list?\":{\"array\":{\"union\":[\"int64\",\"null\","
        "{\"literal\":\"x\"}]}},\"map?\":{\"record\":{\"keys\":\"string\",\"values\":\"bytes\"}}}";
    struct convex_validator *validator = NULL;
    json_t *json = json_parse(text, sizeof text - 1, NULL);
    enum status status = convex_validator_from_json(json, &validator, NULL, NULL);
    assert(status == STATUS_OK);
    (void)status;
    json_decref(json);
    return validator;
}

/* --- one input --- */

static void check_still_serves(struct world *world, struct host *client) {
    char question[] = "POST /api/query\ncontent-type: application/json\n\n{\"path\":\"a:list\",\"args\":{}}";
    struct conversation_record record = {.client = client};
    bool sent = conversation_start(&record, question);
    conversation_run(world, 10 * TIME_SECOND);
    assert(sent && record.answered && record.status == 200);
    (void)sent;
    conversation_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct convex_validator *validator = strict_validator();
    const struct convex_table tables[] = {{.name = "things", .indexes = indexes, .n_indexes = 1},
                                          {.name = "strict", .document = validator}};
    const struct convex_deployment_options options = {.deploy_key = DEPLOY_KEY,
                                                      .tables = tables,
                                                      .n_tables = 2,
                                                      .functions = functions,
                                                      .n_functions = sizeof functions / sizeof functions[0],
                                                      .http_routes = http_routes,
                                                      .n_http_routes = 2,
                                                      .providers = providers,
                                                      .n_providers = 1,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = 9 * TIME_MILLISECOND,
                                                      .read_time = 2 * TIME_MILLISECOND};
    const struct world_settings settings = {.seed = 1, .max_events = 100000};
    const struct net_settings links = {.latency = TIME_MILLISECOND};
    struct conversation_record records[CONVERSATION_RECORDS_MOST];
    char *script = memory_allocate(size + 1);
    memcpy(script, data, size);
    script[size] = 0;
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    struct convex_deployment *deployment = convex_deployment_create(net_node(net, "convex"), &options);
    size_t count = conversation_start_all(world, client, false, script, records);
    if (conversation_run(world, 40 * TIME_SECOND)) { /* a fetch to nowhere ends after 30 s */
        check_still_serves(world, client);
        for (size_t i = 0; i < count; i++) {
            assert(records[i].answered);
        }
    }
    convex_deployment_destroy(deployment);
    net_destroy(net);
    world_destroy(world);
    for (size_t i = 0; i < count; i++) {
        conversation_free(&records[i]);
    }
    convex_validator_free(validator);
    free(script);
    return 0;
}
