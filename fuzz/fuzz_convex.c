/* Fuzz target: what arrives at a Convex deployment. The input is a script of records, separated by lines
 * "---". A record is a request (a line "METHOD target", header lines, an empty line, the body) or a WebSocket
 * ("WS target", an empty line, then one message a line; a line that begins with "!" is binary).
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
#include "mock-convex/deployment.h"
#include "net/net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPLOY_KEY "prod:syncline-1|0123456789abcdef"

enum { RECORDS_MOST = 16, HEADERS_MOST = 16 };

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

static const struct convex_index indexes[] = {{.name = "by_args", .fields = {"args"}, .n_fields = 1}};
static const struct convex_table tables[] = {{.name = "things", .indexes = indexes, .n_indexes = 1}};
static const struct convex_function functions[] = {
    {.path = "a:add", .kind = CONVEX_MUTATION, .run = add},
    {.path = "a:list", .kind = CONVEX_QUERY, .run = list},
    {.path = "a:throw", .kind = CONVEX_MUTATION, .run = throw}};

/* --- what comes back --- */

struct record {
    bool websocket;
    bool answered; /* a complete response, or the socket is over or open */
    int status;
    struct buffer body;
    struct host *client;
    const char *messages; /* WebSocket: lines to send once it is open */
    char *version;        /* endVersion of the last Transition as JSON text; NULL: none yet */
};

static void check_response(const struct record *record) {
    assert(record->status >= 200 && record->status < 600);
    if (record->status < 400 || record->body.length == 0) {
        return;
    }
    json_t *json = json_parse(record->body.data, record->body.length, NULL);
    assert(json_object_size(json) == 2 && json_text(json, "code") && json_text(json, "message"));
    json_decref(json);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct record *record = context;
    (void)exchange;
    assert(record->status == 0);
    record->status = response->status;
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct record *record = context;
    (void)exchange;
    buffer_append(&record->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct record *record = context;
    (void)exchange;
    assert(!record->answered);
    record->answered = true;
    check_response(record);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    bool left_a_request_without_an_answer = true;
    (void)context;
    (void)exchange;
    (void)failure;
    assert(!left_a_request_without_an_answer);
    (void)left_a_request_without_an_answer;
}

static void on_opened(void *context, uint64_t socket) {
    struct record *record = context;
    for (const char *at = record->messages; *at != 0;) {
        size_t length = strcspn(at, "\n");
        bool binary = *at == '!';
        host_websocket_send(record->client, socket, binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, at, length);
        at += length + (at[length] != 0);
    }
    record->answered = true;
}

static void on_refused(void *context, uint64_t socket, const struct http_response *response) {
    struct record *record = context;
    (void)socket;
    assert(response->status >= 200); /* a route that is no WebSocket answers as ever */
    record->answered = true;
}

/* Each Transition begins where the last one ended. */
static void check_version(struct record *record, const json_t *message) {
    char *start = json_dumps(json_object_get(message, "startVersion"), JSON_SORT_KEYS);
    assert(start && (!record->version || strcmp(record->version, start) == 0));
    free(start);
    free(record->version);
    record->version = json_dumps(json_object_get(message, "endVersion"), JSON_SORT_KEYS);
    assert(record->version);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct record *record = context;
    (void)socket;
    assert(kind == WEBSOCKET_TEXT);
    json_t *json = json_parse(bytes, length, NULL);
    const char *type = json_text(json, "type");
    assert(type);
    if (strcmp(type, "Transition") == 0) {
        check_version(record, json);
    }
    json_decref(json);
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct record *record = context;
    (void)socket;
    assert(reason && code >= 1000);
    record->answered = true;
}

/* --- the script --- */

/* The text up to the next newline, terminated in place; NULL at the end. */
static char *next_line(char **at) {
    char *line = *at;
    if (*line == 0) {
        return NULL;
    }
    size_t length = strcspn(line, "\n");
    *at = line + length + (line[length] != 0);
    line[length] = 0;
    return line;
}

static bool is_token(const char *text, const char *also) {
    for (const char *at = text; *at != 0; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || strchr(also, *at) != NULL) {
            return false;
        }
    }
    return *text != 0;
}

/* Only what a host would pass on: a method and a target of printable characters, header names that are
 * tokens. */
static bool start(struct record *record, char *text) {
    static const struct http_client_events http = {on_head, on_body, on_end, on_failed};
    static const struct websocket_client_events websocket = {on_opened, on_refused, on_message, on_closed};
    struct http_header headers[HEADERS_MOST];
    struct http_request request = {.authority = "convex", .headers = headers};
    char *line = next_line(&text), *target = line != NULL ? strchr(line, ' ') : NULL;
    if (target == NULL) {
        return false;
    }
    *target++ = 0;
    if (!is_token(line, "") || !is_token(target, "#")) {
        return false;
    }
    request.method = line;
    request.target = target;
    while ((line = next_line(&text)) != NULL && *line != 0) {
        char *colon = strchr(line, ':');
        if (colon == NULL || request.n_headers == HEADERS_MOST) {
            return false;
        }
        *colon = 0;
        if (!is_token(line, "()<>@,;\\\"/[]?={}")) {
            return false;
        }
        headers[request.n_headers++] = (struct http_header){line, colon + 1 + strspn(colon + 1, " ")};
    }
    record->websocket = strcmp(request.method, "WS") == 0;
    if (record->websocket) {
        request.method = "GET";
        record->messages = text;
        host_websocket_connect(record->client, &request, &websocket, record);
    } else {
        request.body = text;
        request.body_length = strlen(text);
        host_http_send(record->client, &request, &http, record);
    }
    return true;
}

static void run(struct world *world, int64_t duration) {
    enum status status = world_run(world, world_now(world) + duration, NULL);
    assert(status == STATUS_OK);
    (void)status;
}

static void check_still_serves(struct world *world, struct host *client) {
    char question[] = "POST /api/query\ncontent-type: application/json\n\n{\"path\":\"a:list\",\"args\":{}}";
    struct record record = {.client = client};
    bool sent = start(&record, question);
    run(world, 10 * TIME_SECOND);
    assert(sent && record.answered && record.status == 200);
    (void)sent;
    buffer_free(&record.body);
}

static size_t start_all(struct world *world, struct host *client, char *script, struct record *records) {
    size_t count = 0;
    while (script != NULL && count < RECORDS_MOST) {
        char *end = strstr(script, "\n---\n"), *next = end != NULL ? end + 5 : NULL;
        if (end != NULL) {
            *end = 0;
        }
        records[count] = (struct record){.client = client};
        count += start(&records[count], script);
        run(world, 3 * TIME_MILLISECOND); /* some overlap, some do not */
        script = next;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct convex_deployment_options options = {.deploy_key = DEPLOY_KEY,
                                                             .tables = tables,
                                                             .n_tables = 1,
                                                             .functions = functions,
                                                             .n_functions = 3,
                                                             .mutation_time_low = TIME_MILLISECOND,
                                                             .mutation_time_high = 9 * TIME_MILLISECOND,
                                                             .read_time = 2 * TIME_MILLISECOND};
    const struct world_settings settings = {.seed = 1, .max_events = 1000000};
    const struct net_settings links = {.latency = TIME_MILLISECOND};
    struct record records[RECORDS_MOST];
    char *script = memory_allocate(size + 1);
    memcpy(script, data, size);
    script[size] = 0;
    struct world *world = world_create(&settings);
    struct net *net = net_create(world, &links);
    struct host *client = net_node(net, "client");
    struct convex_deployment *deployment = convex_deployment_create(net_node(net, "convex"), &options);
    size_t count = start_all(world, client, script, records);
    run(world, 20 * TIME_SECOND);
    check_still_serves(world, client);
    for (size_t i = 0; i < count; i++) {
        assert(records[i].answered);
    }
    convex_deployment_destroy(deployment);
    net_destroy(net);
    world_destroy(world);
    for (size_t i = 0; i < count; i++) {
        buffer_free(&records[i].body);
        free(records[i].version);
    }
    free(script);
    return 0;
}
