#include "client/sdk_upload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/percent.h"
#include "client/client_parts.h"
#include "client/connector.h"
#include "client/sdk_headers.h"
#include "client/sdk_requests.h"
#include "client/sdk_stream.h"

struct sdk_upload {
    struct client *client;
    bool started;
    bool running;            /* a run is going on */
    bool awaits_seed;        /* the run goes on when checkpoint requests have their seed */
    bool triggered;          /* begin another run when this one and the throttle are over */
    uint64_t throttle_timer; /* 0: the throttle is over */
    uint64_t retry_timer;    /* 0: not waiting */
    int64_t previous_head;   /* queue id that this run saw first in its last round; 0: none */

    struct connector *connector; /* the app's uploadData */
    int64_t sequence;            /* of the queue, when a write checkpoint was asked for */
    int64_t write_checkpoint;    /* the last one that came; 0: none */
    struct http_call call;
    struct credentials_wait token;
};

static bool mutant(const struct sdk_upload *uploads, const char *name) {
    return host_mutant(uploads->client->host, name);
}

static void begin_run(struct sdk_upload *uploads);
static void next_round(struct sdk_upload *uploads);

static void maybe_run_again(struct sdk_upload *uploads) {
    if (!uploads->running && uploads->throttle_timer == 0 && uploads->triggered)
        begin_run(uploads);
}

static void end_run(struct sdk_upload *uploads) {
    assert(uploads->running);
    uploads->running = false;
    tabs_release(uploads->client, TABS_CRUD);
    /* Mutant deaf-while-uploading: what was written since the queue was found empty is not noticed. */
    if (mutant(uploads, "deaf-while-uploading"))
        uploads->triggered = false;
    maybe_run_again(uploads);
}

static void on_throttle(void *context) {
    struct sdk_upload *uploads = context;

    uploads->throttle_timer = 0;
    maybe_run_again(uploads);
}

static void begin_rounds(void *context) {
    next_round(context);
}

/* A run and the throttle begin together, so at most one run begins in this time. Where the app has tabs, a
 * run waits until no other has one. */
static void begin_run(struct sdk_upload *uploads) {
    struct client *client = uploads->client;

    assert(uploads->started && !uploads->running && uploads->throttle_timer == 0);
    uploads->running = true;
    uploads->triggered = false;
    uploads->previous_head = 0;
    uploads->throttle_timer = host_timer_set(
        client->host, host_jitter(client->host, "sdk.upload-throttle", client->upload_throttle, 10),
        on_throttle, uploads);
    tabs_take(client, TABS_CRUD, begin_rounds, uploads);
}

static void on_retry(void *context) {
    struct sdk_upload *uploads = context;

    uploads->retry_timer = 0;
    /* Without a stream the run ends; the first line of the next one triggers another. */
    if (sdk_stream_connected(uploads->client->stream))
        next_round(uploads);
    else
        end_run(uploads);
}

/* Mutants: endless-rounds, the next round begins at once; no-upload-retry, there is none. */
static void fail_round(struct sdk_upload *uploads) {
    struct client *client = uploads->client;

    assert(uploads->retry_timer == 0);
    uploads->previous_head = 0;
    if (mutant(uploads, "endless-rounds")) {
        next_round(uploads);
        return;
    }
    if (mutant(uploads, "no-upload-retry")) {
        end_run(uploads);
        return;
    }
    uploads->retry_timer = host_timer_set(
        client->host, host_jitter(client->host, "sdk.upload-retry-delay", client->retry_delay, 10), on_retry,
        uploads);
}

static void on_uploaded(void *context, bool completed) {
    struct sdk_upload *uploads = context;

    if (!completed) {
        fail_round(uploads);
        return;
    }
    uploads->triggered = true; /* the queue changed */
    next_round(uploads);
}

static void use_write_checkpoint(struct sdk_upload *uploads, int64_t id) {
    struct client *client = uploads->client;
    struct note note = {.kind = NOTE_WRITE_CHECKPOINT, .timestamp = id};
    bool set = false;
    struct error error;
    enum status status;

    host_note(client->host, &note);
    uploads->write_checkpoint = id;
    /* Mutant inverted-target: it is only used when the queue is not empty. */
    if (mutant(uploads, "inverted-target")) {
        end_run(uploads);
        return;
    }
    status = client->engine->operations->set_target(client->engine, uploads->sequence, id, &set, &error);
    if (status != STATUS_OK) { /* the disk: what throws in the loop is tried again later */
        client_tell(client, "no write checkpoint: %s", error.message);
        fail_round(uploads);
        return;
    }
    if (set && client->requests != NULL)
        sdk_requests_watch(client->requests);
    /* Mutant no-retry-after-upload: the checkpoint that was held back is forgotten. */
    if (set && !mutant(uploads, "no-retry-after-upload"))
        sdk_stream_send(client->stream, ENGINE_COMPLETED_UPLOAD);
    else if (!set)
        host_mark(client->host, "client.write-checkpoint-outdated");
    end_run(uploads);
}

static void on_write_checkpoint(void *context, const struct http_answer *answer) {
    struct sdk_upload *uploads = context;
    int64_t id = 0;

    if (answer->status == 401)
        credentials_refused(&uploads->client->credentials);
    if (answer->failure != NULL)
        client_tell(uploads->client, "no write checkpoint: %s", answer->failure);
    else
        id = sdk_requests_read(answer, uploads->client->requests != NULL ? "checkpoint_request_id"
                                                                         : "write_checkpoint");
    if (answer->failure == NULL && id == 0)
        client_tell(uploads->client, "no write checkpoint: HTTP %d", answer->status);
    if (id > 0)
        use_write_checkpoint(uploads, id);
    else
        fail_round(uploads);
}

/* The run waits, and a stream that waits to be tried again does not. */
static void wait_for_seed(struct sdk_upload *uploads) {
    if (sdk_requests_refused(uploads->client->requests)) {
        client_tell(uploads->client, "no write checkpoint: the stream's checkpoint request failed");
        fail_round(uploads);
        return;
    }
    uploads->awaits_seed = true;
    sdk_stream_hurry(uploads->client->stream);
}

/* The number is the client's own; the stream may have ended while the token was fetched, and the counter's
 * seed with it. */
static void ask_for_next(struct sdk_upload *uploads, const char *token) {
    struct client *client = uploads->client;
    int64_t id = 0;

    if (sdk_requests_seeded(client->requests) &&
        client->engine->operations->request_id(client->engine, ENGINE_REQUEST_NEXT, &id, NULL) == STATUS_OK)
        sdk_requests_post(client, &uploads->call, token, id, on_write_checkpoint, uploads);
    else
        wait_for_seed(uploads);
}

static void on_token(void *context, const char *token) {
    struct sdk_upload *uploads = context;
    struct client *client = uploads->client;
    struct http_request request = {.authority = client_service(client), .method = "GET"};
    struct sdk_headers headers;
    struct buffer target = {0};

    if (token == NULL) {
        client_tell(client, "no write checkpoint: not signed in");
        client_set_error(&client->upload_error, "not signed in");
        fail_round(uploads);
        return;
    }
    if (client->requests != NULL) {
        ask_for_next(uploads, token);
        return;
    }
    buffer_append_text(&target, "/write-checkpoint2.json?client_id=");
    percent_encode(&target, client->engine->operations->client_id(client->engine));
    sdk_headers_fill(&headers, token, SDK_ACCEPT_ANY);
    request.target = buffer_text(&target);
    request.headers = headers.list;
    request.n_headers = headers.count;
    http_call_start(&uploads->call, client->host, &request, on_write_checkpoint, uploads);
    sdk_headers_free(&headers);
    buffer_free(&target);
}

/* Mutant idle-checkpoints: ask anyway, whenever a run finds the queue empty. */
static bool needs_write_checkpoint(const struct sdk_upload *uploads, const struct engine_gate *gate) {
    return (gate->target == ENGINE_TARGET_UNKNOWN && gate->sequence != 0) ||
           mutant(uploads, "idle-checkpoints");
}

/* The queue is empty. If something was uploaded since the last write checkpoint, ask for one. */
static void update_target(struct sdk_upload *uploads) {
    struct engine_gate gate;

    engine_gate(uploads->client->engine, &gate);
    if (!needs_write_checkpoint(uploads, &gate)) {
        end_run(uploads);
        return;
    }
    uploads->sequence = gate.sequence;
    if (uploads->client->requests != NULL && !sdk_requests_seeded(uploads->client->requests)) {
        wait_for_seed(uploads);
        return;
    }
    credentials_get(&uploads->client->credentials, &uploads->token, on_token, uploads);
}

void sdk_upload_seeded(struct sdk_upload *uploads) {
    if (!uploads->awaits_seed)
        return;
    uploads->awaits_seed = false;
    if (sdk_requests_seeded(uploads->client->requests))
        credentials_get(&uploads->client->credentials, &uploads->token, on_token, uploads);
    else
        wait_for_seed(uploads);
}

static void next_round(struct sdk_upload *uploads) {
    struct engine *engine = uploads->client->engine;
    int64_t head = engine->operations->queue_head(engine);

    assert(uploads->running && uploads->call.exchange == 0 && !connector_is_busy(uploads->connector));
    if (head == 0) {
        update_target(uploads);
    } else if (head == uploads->previous_head) {
        client_tell(uploads->client, "delaying due to previously encountered CRUD item");
        fail_round(uploads);
    } else {
        uploads->previous_head = head;
        connector_upload(uploads->connector, on_uploaded, uploads);
    }
}

struct sdk_upload *sdk_upload_create(struct client *client) {
    struct sdk_upload *uploads = memory_allocate(sizeof *uploads);

    uploads->client = client;
    uploads->connector = connector_create(client);
    return uploads;
}

void sdk_upload_destroy(struct sdk_upload *uploads) {
    if (uploads == NULL)
        return;
    if (uploads->started)
        sdk_upload_stop(uploads);
    connector_destroy(uploads->connector);
    free(uploads);
}

void sdk_upload_start(struct sdk_upload *uploads) {
    assert(!uploads->started);
    uploads->started = true;
    uploads->triggered = true;
    maybe_run_again(uploads);
}

void sdk_upload_stop(struct sdk_upload *uploads) {
    struct host *host = uploads->client->host;

    assert(uploads->started);
    host_timer_cancel(host, uploads->throttle_timer);
    host_timer_cancel(host, uploads->retry_timer);
    http_call_cancel(&uploads->call);
    credentials_cancel(&uploads->token);
    /* Mutant failed-state-stays: a loop that was waiting when it was stopped never runs again. */
    bool stays = uploads->retry_timer != 0 && mutant(uploads, "failed-state-stays");
    connector_cancel(uploads->connector);
    if (uploads->running)
        tabs_release(uploads->client, TABS_CRUD);
    sdk_upload_forget(uploads);
    uploads->running = stays;
}

void sdk_upload_forget(struct sdk_upload *uploads) {
    http_call_forget(&uploads->call);
    credentials_forget(&uploads->token);
    connector_forget(uploads->connector);
    uploads->started = false;
    uploads->running = false;
    uploads->awaits_seed = false;
    uploads->triggered = false;
    uploads->throttle_timer = 0;
    uploads->retry_timer = 0;
    uploads->write_checkpoint = 0;
}

void sdk_upload_trigger(struct sdk_upload *uploads) {
    if (!uploads->started)
        return;
    uploads->triggered = true;
    maybe_run_again(uploads);
}

int64_t sdk_upload_write_checkpoint(const struct sdk_upload *uploads) {
    return uploads->write_checkpoint;
}

bool sdk_upload_uploading(const struct sdk_upload *uploads) {
    return connector_is_busy(uploads->connector) || uploads->call.exchange != 0;
}
