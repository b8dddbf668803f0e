/* Fuzz target: backends in YAML (docs/backends.md). The input is the file.
 *
 * Checked for any input: nothing crashes; a refusal has a reason and a place; reading takes less than a
 * second. A backend that loads is deployed and its functions and routes are called, with arguments made from
 * their validators: every call is answered, errors as an envelope, and afterwards the deployment still
 * serves. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/memory.h"
#include "conversation.h"
#include "mock-convex/backend.h"
#include "mock-convex/validator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CALLS_MOST = 12, ITEMS_MOST = 4 };

/* A value that the validator takes, or almost: an id is of no table. */
static struct convex_value *value_for(const struct convex_validator *validator) {
    struct convex_value *value;
    if (validator == NULL)
        return convex_object();
    switch (validator->kind) {
    case CONVEX_V_INT64:
        return convex_int64(7);
    case CONVEX_V_FLOAT64:
        return convex_float64(2.5);
    case CONVEX_V_BOOLEAN:
        return convex_boolean(true);
    case CONVEX_V_STRING:
    case CONVEX_V_ID:
        return convex_string("[1]");
    case CONVEX_V_BYTES:
        return convex_bytes("\xff", 1);
    case CONVEX_V_LITERAL:
        return convex_copy(validator->literal);
    case CONVEX_V_ARRAY:
        value = convex_array();
        convex_array_append(value, value_for(validator->item));
        return value;
    case CONVEX_V_OBJECT:
        value = convex_object();
        for (size_t i = 0; i < validator->n_fields && i < ITEMS_MOST; i++)
            convex_object_set(value, validator->fields[i].name, value_for(validator->fields[i].value));
        return value;
    case CONVEX_V_UNION:
        return validator->n_members > 0 ? value_for(validator->members[0]) : convex_null();
    case CONVEX_V_RECORD:
        return convex_object();
    default:
        return convex_null();
    }
}

static void append_call(struct buffer *script, const struct convex_function *function) {
    static const char *const kinds[] = {"query", "mutation", "action"};
    if (function->kind == CONVEX_HTTP_ACTION)
        return;
    struct convex_value *args = value_for(function->args);
    buffer_printf(script,
                  "POST /api/%s\nauthorization: Convex prod:syncline-1|0123456789abcdef\n"
                  "content-type: application/json\n\n{\"path\":",
                  kinds[function->kind]);
    buffer_append_json_text(script, function->path);
    buffer_append_text(script, ",\"args\":");
    convex_append_json(script, args, CONVEX_FORMAT_ENCODED);
    buffer_append_text(script, "}\n---\n");
    convex_free(args);
}

static void append_request(struct buffer *script, const struct convex_http_route *route) {
    buffer_printf(script, "%s /http%s?a=1\nx-delivery-id: 1\n\n{\"order\":\"o1\",\"amount\":5}\n---\n",
                  route->method, route->path);
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

static void call(const struct convex_deployment_options *options, char *script) {
    const struct world_settings settings = {.seed = 1, .max_events = 2000};
    const struct net_settings links = {.latency = TIME_MILLISECOND, .give_up = 3 * TIME_SECOND};
    struct conversation_record records[CONVERSATION_RECORDS_MOST];
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    struct convex_deployment *deployment = convex_deployment_create(net_node(net, "convex"), options);
    size_t count = conversation_start_all(world, client, false, script, records);
    /* an action may sleep and fetch a thousand times before it answers */
    bool over = conversation_run(world, 2 * TIME_SECOND);
    for (size_t i = 0; i < count; i++)
        records[i].faulty = records[i].faulty || !records[i].answered;
    if (over)
        check_still_serves(world, client);
    convex_deployment_destroy(deployment);
    net_destroy(net);
    world_destroy(world);
    for (size_t i = 0; i < count; i++)
        conversation_free(&records[i]);
}

static void deploy(const struct convex_backend *backend) {
    const struct convex_deployment_options options = {.deploy_key = "prod:syncline-1|0123456789abcdef",
                                                      .schemaless = backend->schemaless,
                                                      .tables = backend->tables,
                                                      .n_tables = backend->n_tables,
                                                      .functions = backend->functions,
                                                      .n_functions = backend->n_functions,
                                                      .http_routes = backend->http_routes,
                                                      .n_http_routes = backend->n_http_routes,
                                                      .providers = backend->providers,
                                                      .n_providers = backend->n_providers,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = 9 * TIME_MILLISECOND,
                                                      .read_time = 2 * TIME_MILLISECOND};
    struct buffer script = {0};
    for (size_t i = 0; i < backend->n_functions && i < CALLS_MOST; i++)
        append_call(&script, &backend->functions[i]);
    for (size_t i = 0; i < backend->n_http_routes && i < ITEMS_MOST; i++)
        append_request(&script, &backend->http_routes[i]);
    buffer_append_text(&script, "");
    if (script.length > 0)
        call(&options, script.data);
    buffer_free(&script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct convex_backend *backend = NULL;
    struct error error = {0};
    clock_t before = clock();
    enum status status = convex_backend_parse((const char *)data, size, "backend.yaml", &backend, &error);
    assert(clock() - before < CLOCKS_PER_SEC || size > 65536);
    (void)before;
    if (status == STATUS_OK) {
        deploy(backend);
        convex_backend_free(backend);
    } else {
        assert(status == STATUS_INVALID && error.message[0] != 0);
        assert(strcmp(error.file, "backend.yaml") == 0 && error.line >= 0);
    }
    return 0;
}
