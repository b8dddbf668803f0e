#include "client/sdk_requests.h"

#include <assert.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/client_parts.h"
#include "client/sdk_headers.h"
#include "client/sdk_stream.h"
#include "client/sdk_upload.h"

static const int64_t watchdog = 10 * TIME_SECOND;

struct sdk_requests {
    struct client *client;
    bool seeded;
    bool refused;   /* the iteration's seed has failed */
    uint64_t timer; /* the watchdog; 0: nothing is awaited */
    struct http_call call;
    struct credentials_wait token;
};

void sdk_requests_post(struct client *client, struct http_call *call, const char *token, int64_t id,
                       void (*done)(void *context, const struct http_answer *answer), void *context) {
    struct http_request request = {
        .authority = client_service(client), .method = "POST", .target = "/sync/checkpoint-request"};
    struct sdk_headers headers;
    struct buffer body = {0};

    buffer_append_text(&body, "{\"client_id\":");
    buffer_append_json_text(&body, client->engine->operations->client_id(client->engine));
    buffer_append_text(&body, ",\"checkpoint_request_id\":\"");
    buffer_append_integer(&body, id);
    buffer_append_text(&body, "\"}");
    sdk_headers_fill(&headers, token, SDK_ACCEPT_ANY);
    request.headers = headers.list;
    request.n_headers = headers.count;
    request.body = buffer_text(&body);
    request.body_length = body.length;
    http_call_start(call, client->host, &request, done, context);
    sdk_headers_free(&headers);
    buffer_free(&body);
}

int64_t sdk_requests_read(const struct http_answer *answer, const char *key) {
    json_t *body = answer->status == 200 ? json_parse(answer->body, answer->length, NULL) : NULL;
    const char *text = body != NULL ? json_text(json_object_get(body, "data"), key) : NULL;
    int64_t id = 0;

    for (; text != NULL && *text >= '0' && *text <= '9' && id < INT64_MAX / 10 - 1; text++)
        id = id * 10 + (*text - '0');
    if (text == NULL || *text != 0)
        id = 0;
    json_decref(body);
    return id;
}

/* --- the seed --- */

/* Who waits for the seed fails with it. */
static void refuse(struct sdk_requests *requests, const char *reason) {
    requests->refused = true;
    sdk_upload_seeded(requests->client->uploads);
    sdk_stream_fail(requests->client->stream, reason);
}

static void on_seed(void *context, const struct http_answer *answer) {
    struct sdk_requests *requests = context;
    struct client *client = requests->client;
    int64_t id = sdk_requests_read(answer, "checkpoint_request_id");
    struct error error = {0};

    if (answer->status == 401)
        credentials_invalidate(&client->credentials);
    if (id == 0) {
        refuse(requests, "the checkpoint request failed");
        return;
    }
    if (client->engine->operations->request_id(client->engine, ENGINE_REQUEST_SEED, &id, &error) !=
        STATUS_OK) {
        refuse(requests, error.message);
        return;
    }
    requests->seeded = true;
    sdk_requests_watch(requests);
    sdk_upload_seeded(client->uploads);
}

void sdk_requests_begin(struct sdk_requests *requests, const char *token, int64_t id) {
    assert(requests->call.exchange == 0 && !requests->seeded);
    sdk_requests_post(requests->client, &requests->call, token, id, on_seed, requests);
}

bool sdk_requests_seeded(const struct sdk_requests *requests) {
    return requests->seeded;
}

bool sdk_requests_refused(const struct sdk_requests *requests) {
    return requests->refused;
}

/* --- the watchdog --- */

static bool waits(struct sdk_requests *requests) {
    struct engine_gate gate;

    engine_gate(requests->client->engine, &gate);
    return gate.queue_empty && gate.target != 0 && gate.target != ENGINE_TARGET_UNKNOWN &&
           gate.applied < gate.target;
}

static void on_asked_again(void *context, const struct http_answer *answer) {
    struct sdk_requests *requests = context;

    if (answer->status == 401)
        credentials_invalidate(&requests->client->credentials);
    sdk_requests_watch(requests);
}

static void on_token(void *context, const char *token) {
    struct sdk_requests *requests = context;
    struct engine *engine = requests->client->engine;
    int64_t id = 0;

    if (token == NULL ||
        engine->operations->request_id(engine, ENGINE_REQUEST_CURRENT, &id, NULL) != STATUS_OK || id == 0) {
        sdk_requests_watch(requests);
        return;
    }
    host_mark(requests->client->host, "client.checkpoint-requested-again");
    sdk_requests_post(requests->client, &requests->call, token, id, on_asked_again, requests);
}

static void on_watchdog(void *context) {
    struct sdk_requests *requests = context;

    requests->timer = 0;
    if (requests->seeded && requests->call.exchange == 0 && !credentials_waiting(&requests->token) &&
        waits(requests))
        credentials_get(&requests->client->credentials, &requests->token, on_token, requests);
}

void sdk_requests_watch(struct sdk_requests *requests) {
    if (requests->timer == 0 && requests->seeded && waits(requests))
        requests->timer = host_timer_set(requests->client->host, watchdog, on_watchdog, requests);
}

/* --- life --- */

struct sdk_requests *sdk_requests_create(struct client *client) {
    struct sdk_requests *requests = memory_allocate(sizeof *requests);

    requests->client = client;
    return requests;
}

void sdk_requests_destroy(struct sdk_requests *requests) {
    assert(requests->call.exchange == 0 && requests->timer == 0);
    free(requests);
}

void sdk_requests_end(struct sdk_requests *requests) {
    http_call_cancel(&requests->call);
    credentials_cancel(&requests->token);
    host_timer_cancel(requests->client->host, requests->timer);
    requests->timer = 0;
    requests->seeded = false;
    requests->refused = false;
}

void sdk_requests_forget(struct sdk_requests *requests) {
    http_call_forget(&requests->call);
    credentials_forget(&requests->token);
    requests->timer = 0;
    requests->seeded = false;
    requests->refused = false;
}
