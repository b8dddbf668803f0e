#include "client/sdk_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "client/client_parts.h"
#include "client/line_damage.h"
#include "client/line_splitter.h"
#include "client/sdk_headers.h"
#include "client/sdk_requests.h"
#include "client/sdk_upload.h"

static const size_t refusal_most = 4096; /* bytes of it that are kept */
static const char bson_type[] = "application/vnd.powersync.bson-stream";

struct sdk_stream {
    struct client *client;
    bool started;   /* between start and stop */
    bool waiting;   /* another tab streams */
    bool iterating; /* the engine has an iteration */
    bool connected; /* as the app's status shows it */
    bool had_line;  /* of this iteration */
    bool lose_line; /* mutant lost-line: the next one */
    bool given_up;  /* mutant strict-lines: it has met a line that it does not know */
    bool doubled;   /* mutant second-stream */
    uint64_t twin;  /* its second exchange; 0: none */
    char *request;  /* body to send once the token is there */
    size_t request_length;
    int64_t checkpoint_request; /* id to ask for with it; 0: none */
    uint64_t exchange;          /* POST /sync/stream; 0: none */
    int refused;                /* its status, when that is not 200; 0: it is, or not known yet */
    struct buffer refusal;      /* what the service says of it */
    uint64_t silence; /* the end of the client's patience; 0: it has no end, or there is no stream */
    uint64_t timer;   /* the next iteration; 0: none */
    struct line_splitter splitter;
    struct credentials_wait token;
    struct credentials_wait prefetch;
};

static void run_iteration(void *context);

static void tell_connection(struct sdk_stream *stream, const char *text) {
    client_tell_connection(stream->client, text);
}

/* Let go of everything that belongs to the iteration, except the engine's part. */
static void release(struct sdk_stream *stream) {
    stream->iterating = false;
    stream->twin = 0;
    stream->had_line = false;
    stream->lose_line = false;
    stream->exchange = 0;
    stream->silence = 0;
    stream->refused = 0;
    buffer_free(&stream->refusal);
    free(stream->request);
    stream->request = NULL;
    line_splitter_reset(&stream->splitter, false);
}

/* Every end of an iteration, whatever the reason, sends `stop` to the engine. What it answers no longer
 * matters, and only a disk can make it fail (the next start ends the
 * iteration then). */
static void end_iteration(struct sdk_stream *stream) {
    struct engine_result result;
    enum status stopped;

    assert(stream->iterating);
    host_http_abort(stream->client->host, stream->exchange);
    host_timer_cancel(stream->client->host, stream->silence);
    host_http_abort(stream->client->host, stream->twin);
    credentials_cancel(&stream->token);
    if (stream->client->requests != NULL)
        sdk_requests_end(stream->client->requests);
    release(stream);
    stopped = engine_send(stream->client->engine, ENGINE_STOP, &result, NULL);
    assert((stopped == STATUS_OK || stopped == STATUS_IO) && result.n_rows == 0);
    tabs_release(stream->client, TABS_SYNC);
}

static void wait_and_restart(struct sdk_stream *stream, int64_t delay) {
    assert(stream->timer == 0 && !stream->iterating);
    stream->timer = host_timer_set(stream->client->host, delay, run_iteration, stream);
}

static void fail_iteration(struct sdk_stream *stream, const char *reason) {
    char *text = memory_format("disconnected: %s", reason); /* which the iteration may own */

    client_set_error(&stream->client->download_error, reason);
    end_iteration(stream);
    /* Mutant stays-connected: the core's status says so after it has closed, and the SDK leaves it. */
    stream->connected = stream->connected && host_mutant(stream->client->host, "stays-connected");
    tell_connection(stream, text);
    free(text);
    /* Mutant forget-token-on-error: every failure is taken for one of the token. */
    if (host_mutant(stream->client->host, "forget-token-on-error"))
        credentials_invalidate(&stream->client->credentials);
    wait_and_restart(stream,
                     host_jitter(stream->client->host, "sdk.retry-delay", stream->client->retry_delay, 10));
}

/* The engine closes: with a reason that it keeps to itself (wrong checksum, expired token, end of stream), or
 * because the request must change, which the app does not see as a disconnect. */
static void close_iteration(struct sdk_stream *stream, bool hide_disconnect, const char *reason) {
    if (!hide_disconnect) {
        fail_iteration(stream, reason);
        return;
    }
    end_iteration(stream);
    wait_and_restart(stream, 0);
}

static void on_silence(void *context) {
    struct sdk_stream *stream = context;

    stream->silence = 0;
    fail_iteration(stream, "nothing was heard for too long");
}

static void watch_silence(struct sdk_stream *stream) {
    struct client *client = stream->client;

    host_timer_cancel(client->host, stream->silence);
    stream->silence =
        client->idle_timeout > 0 ? host_timer_set(client->host, client->idle_timeout, on_silence, stream) : 0;
}

static void on_prefetched(void *context, const char *token) {
    struct sdk_stream *stream = context;

    /* The result itself is dropped: the restarted iteration fetches again. */
    if (token != NULL)
        sdk_stream_send(stream, ENGINE_REFRESHED_TOKEN);
    else
        client_tell(stream->client, "could not prefetch a token");
}

static void fetch_credentials(struct sdk_stream *stream, bool did_expire) {
    credentials_invalidate(&stream->client->credentials);
    if (did_expire || credentials_waiting(&stream->prefetch))
        return;
    credentials_prefetch(&stream->client->credentials, &stream->prefetch, on_prefetched, stream);
}

/* Do what the engine asked for. False when the iteration is over. */
static bool handle(struct sdk_stream *stream, enum status status, const struct engine_result *result,
                   const struct error *error, const char *reason) {
    client_tell_view(stream->client, "checkpoint", result);
    if (result->blocked)
        host_mark(stream->client->host, "client.checkpoint-blocked-by-upload");
    if (status != STATUS_OK) {
        fail_iteration(stream, error->message);
        return false;
    }
    if (result->fetch_credentials)
        fetch_credentials(stream, result->did_expire);
    if (result->close)
        close_iteration(stream, result->hide_disconnect,
                        result->fetch_credentials && result->did_expire ? "token expired" : reason);
    return stream->iterating;
}

void sdk_stream_send(struct sdk_stream *stream, enum engine_event event) {
    struct engine_result result;
    struct error error = {0};
    enum status status;

    if (!stream->iterating)
        return;
    status = engine_send(stream->client->engine, event, &result, &error);
    /* Mutant lost-line: a local event takes the place of the line that is read at the same time. */
    stream->lose_line = event == ENGINE_COMPLETED_UPLOAD && host_mutant(stream->client->host, "lost-line");
    handle(stream, status, &result, &error, event == ENGINE_END ? "end of stream" : "closed by the core");
}

/* Mutant strict-lines: a client that takes only lines of the kinds that it knows, and gives up at another. */
static bool is_strange(struct sdk_stream *stream, const char *line, size_t length) {
    static const char name[] = "from_a_later_release";
    const size_t looked_at = length < 32 ? length : 32;
    stream->given_up = stream->given_up || (host_mutant(stream->client->host, "strict-lines") &&
                                            memmem(line, looked_at, name, sizeof name - 1) != NULL);
    return stream->given_up;
}

/* Mutant damaged-sum: one data line in eight arrives with a wrong sum in it. NULL: this one is as it was. */
static char *damaged(const struct sdk_stream *stream, const char *line, size_t length) {
    struct host *host = stream->client->host;

    if (!host_mutant(host, "damaged-sum") || host_random(host, "mutant.damaged-sum") % 8 != 0)
        return NULL;
    return line_damage(line, length, stream->splitter.binary);
}

static bool take_line(struct sdk_stream *stream, const char *line, size_t length) {
    struct engine_result result;
    struct error error = {0};
    enum status status;
    char *copy;

    if (stream->lose_line || (host_mutant(stream->client->host, "deaf-to-keepalives") &&
                              memmem(line, length < 32 ? length : 32, "token_expires_in", 16) != NULL)) {
        stream->lose_line = false;
        return true;
    }
    if (is_strange(stream, line, length)) {
        fail_iteration(stream, "a line of an unknown kind");
        return false;
    }
    if (!stream->had_line) {
        /* What was written while offline goes out now. Mutant no-push-on-reconnect: it waits. */
        stream->had_line = true;
        if (!host_mutant(stream->client->host, "no-push-on-reconnect"))
            sdk_upload_trigger(stream->client->uploads);
    }
    copy = damaged(stream, line, length);
    status = engine_line(stream->client->engine, copy != NULL ? copy : line, length, stream->splitter.binary,
                         &result, &error);
    free(copy);
    return handle(stream, status, &result, &error, "closed by the core");
}

static const char *header_of(const struct http_response *response, const char *name) {
    for (size_t i = 0; i < response->n_headers; i++)
        if (strcasecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return "";
}

/* The whole answer is told: it says what is wrong with a token. */
static void fail_refused(struct sdk_stream *stream) {
    const bool says = stream->refusal.length > 0;
    char *reason = memory_format("HTTP %d%s%s", stream->refused, says ? ": " : "",
                                 says ? buffer_text(&stream->refusal) : "");

    fail_iteration(stream, reason);
    free(reason);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct sdk_stream *stream = context;

    assert(exchange == stream->exchange && stream->iterating);
    if (response->status != 200) {
        stream->refused = response->status;
        if (response->status == 401)
            credentials_refused(&stream->client->credentials);
        return;
    }
    line_splitter_reset(&stream->splitter, strcmp(header_of(response, "content-type"), bson_type) == 0);
    stream->connected = true;
    client_set_error(&stream->client->download_error, NULL);
    tell_connection(stream, "connected");
    sdk_stream_send(stream, ENGINE_ESTABLISHED);
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct sdk_stream *stream = context;
    const char *rest = bytes;
    const char *line;
    size_t line_length;
    enum line_splitter_outcome outcome;

    assert(exchange == stream->exchange && stream->iterating);
    watch_silence(stream);
    if (stream->refused != 0) {
        if (stream->refusal.length + length <= refusal_most)
            buffer_append(&stream->refusal, bytes, length);
        return;
    }
    while ((outcome = line_splitter_next(&stream->splitter, &rest, &length, &line, &line_length)) ==
           LINE_SPLITTER_LINE)
        if (!take_line(stream, line, line_length))
            return;
    if (outcome == LINE_SPLITTER_TOO_LONG)
        fail_iteration(stream, "line too long");
}

static void on_end(void *context, uint64_t exchange) {
    struct sdk_stream *stream = context;
    const char *line;
    size_t length;

    assert(exchange == stream->exchange && stream->iterating);
    if (stream->refused != 0) {
        fail_refused(stream);
        return;
    }
    if (line_splitter_finish(&stream->splitter, &line, &length) == LINE_SPLITTER_LINE &&
        !take_line(stream, line, length))
        return;
    stream->exchange = 0;
    sdk_stream_send(stream, ENGINE_END);
    if (stream->iterating) /* an engine that does not close by itself */
        fail_iteration(stream, "end of stream");
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct sdk_stream *stream = context;

    assert(exchange == stream->exchange && stream->iterating);
    stream->exchange = 0;
    fail_iteration(stream, http_failure_text(failure));
}

static const struct http_client_events stream_events = {
    .head = on_head, .body = on_body, .end = on_end, .failed = on_failed};

static void ignore_head(void *context, uint64_t exchange, const struct http_response *response) {
    (void)context, (void)exchange, (void)response;
}

static void ignore_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    (void)context, (void)exchange, (void)bytes, (void)length;
}

static void end_twin(void *context, uint64_t exchange) {
    (void)exchange;
    ((struct sdk_stream *)context)->twin = 0;
}

static void fail_twin(void *context, uint64_t exchange, enum http_failure failure) {
    (void)failure;
    end_twin(context, exchange);
}

static const struct http_client_events twin_events = {
    .head = ignore_head, .body = ignore_body, .end = end_twin, .failed = fail_twin};

static void on_token(void *context, const char *token) {
    struct sdk_stream *stream = context;
    struct sdk_headers headers;
    struct http_request request = {
        .authority = client_service(stream->client), .method = "POST", .target = "/sync/stream"};

    assert(stream->iterating && stream->exchange == 0);
    if (token == NULL) {
        fail_iteration(stream, "not signed in");
        /* Mutant token-error-ends-loop: what fetchCredentials throws goes up to where nobody catches it. */
        if (host_mutant(stream->client->host, "token-error-ends-loop")) {
            host_timer_cancel(stream->client->host, stream->timer);
            stream->timer = 0;
        }
        return;
    }
    sdk_headers_fill(&headers, token, SDK_ACCEPT_STREAM);
    request.headers = headers.list;
    request.n_headers = headers.count;
    request.body = stream->request;
    request.body_length = stream->request_length;
    stream->exchange = host_http_send(stream->client->host, &request, &stream_events, stream);
    watch_silence(stream);
    if (stream->doubled)
        stream->twin = host_http_send(stream->client->host, &request, &twin_events, stream);
    if (stream->client->requests != NULL)
        sdk_requests_begin(stream->client->requests, token,
                           stream->checkpoint_request > 0 ? stream->checkpoint_request : 1);
    sdk_headers_free(&headers);
}

/* Mutant gate-lost-on-connect: what uploads wait for is forgotten whenever a stream begins. */
static void lose_gate(struct engine *engine) {
    struct error error;

    engine->operations->complete(engine, 0, 0, &error);
}

static void begin_iteration(void *context) {
    struct sdk_stream *stream = context;
    struct engine_result result;
    struct error error = {0};
    enum status status;

    assert(stream->started && !stream->iterating);
    stream->waiting = false;
    stream->iterating = true;
    tell_connection(stream, "connecting");
    if (host_mutant(stream->client->host, "gate-lost-on-connect"))
        lose_gate(stream->client->engine);
    status = engine_start(stream->client->engine, &result, &error);
    if (status == STATUS_OK && result.establish) {
        stream->request = memory_copy_bytes(result.request, result.request_length);
        stream->request_length = result.request_length;
        stream->checkpoint_request = result.checkpoint_request;
        open_streams_tell_request(stream->client, result.request, result.request_length);
    }
    if (!handle(stream, status, &result, &error, "closed by the core"))
        return;
    if (stream->request == NULL) {
        fail_iteration(stream, "the core asks for no stream");
        return;
    }
    credentials_get(&stream->client->credentials, &stream->token, on_token, stream);
}

/* One tab of an app streams: for one iteration, then the next that waits. */
static void run_iteration(void *context) {
    struct sdk_stream *stream = context;

    stream->timer = 0;
    stream->waiting = true;
    tabs_take(stream->client, TABS_SYNC, begin_iteration, stream);
}

struct sdk_stream *sdk_stream_create(struct client *client) {
    struct sdk_stream *stream = memory_allocate(sizeof *stream);

    stream->client = client;
    return stream;
}

void sdk_stream_destroy(struct sdk_stream *stream) {
    if (stream == NULL)
        return;
    if (stream->started)
        sdk_stream_stop(stream);
    assert(!stream->iterating && stream->timer == 0);
    free(stream);
}

void sdk_stream_start(struct sdk_stream *stream) {
    assert(!stream->started);
    stream->started = true;
    run_iteration(stream);
}

void sdk_stream_stop(struct sdk_stream *stream) {
    assert(stream->started);
    stream->started = false;
    host_timer_cancel(stream->client->host, stream->timer);
    stream->timer = 0;
    credentials_cancel(&stream->prefetch);
    if (stream->iterating)
        end_iteration(stream);
    stream->connected = false;
    if (stream->waiting) { /* it was not connected */
        stream->waiting = false;
        tabs_release(stream->client, TABS_SYNC);
        return;
    }
    tell_connection(stream, "disconnected: by the app");
}

void sdk_stream_forget(struct sdk_stream *stream) {
    release(stream);
    credentials_forget(&stream->token);
    credentials_forget(&stream->prefetch);
    stream->started = false;
    stream->waiting = false;
    stream->connected = false;
    stream->timer = 0;
}

bool sdk_stream_started(const struct sdk_stream *stream) {
    return stream->started;
}

void sdk_stream_double(struct sdk_stream *stream) {
    stream->doubled = true;
}

bool sdk_stream_connected(const struct sdk_stream *stream) {
    return stream->connected;
}

bool sdk_stream_connecting(const struct sdk_stream *stream) {
    return stream->iterating && !stream->connected;
}

void sdk_stream_hurry(struct sdk_stream *stream) {
    if (stream->timer == 0)
        return;
    host_timer_cancel(stream->client->host, stream->timer);
    stream->timer = 0;
    wait_and_restart(stream, 0);
}

void sdk_stream_fail(struct sdk_stream *stream, const char *reason) {
    if (stream->iterating)
        fail_iteration(stream, reason);
}
