/* A client between three tiny scripted servers: issuer, service and backend. The service keeps one bucket "b"
 * with a list of operations; a test says when it publishes and what goes wrong. Everything that the client
 * tells is kept as text. */
#ifndef TEST_CLIENT_FAKE_PARTIES_H
#define TEST_CLIENT_FAKE_PARTIES_H

#include "bench_world.h"

#include "client/client.h"

struct fake_operation {
    char *json; /* without op_id and checksum */
};

struct fake_parties {
    struct bench_world bench;
    struct host *issuer, *service, *backend;
    struct client *client;
    struct buffer notes; /* "<ms> <kind> tx=.. ts=.. <text>\n" and one line a row */
    struct buffer
        transcript; /* requests as the servers saw them: "<ms> POST /sync/stream <authorization>\n" */

    int tokens;         /* given out so far: the n-th is "t<n>" */
    bool issuer_silent; /* answers 503 */
    int refuse_streams; /* this many streams are answered with refuse_status */
    int refuse_status;

    uint64_t stream;   /* the open stream's exchange; 0: none */
    int streams;       /* opened so far */
    bool fresh;        /* nothing was sent on this stream yet */
    size_t sent;       /* operations sent on this stream */
    size_t downloaded; /* operations sent on all streams */
    char *operations[64];
    size_t n_operations;
    size_t chunk; /* bytes a write; 0: whole lines */

    int64_t write_checkpoints; /* given out so far */
    uint64_t held_checkpoint;  /* hold_checkpoints: the exchange that waits */
    bool hold_checkpoints;
    bool use_requests;       /* the client numbers its write checkpoints */
    int64_t stored_request;  /* the largest number that it has asked for */
    struct buffer requested; /* bodies of checkpoint requests, one a line */
    int refuse_checkpoints;  /* this many are answered with 401 */

    struct buffer uploads; /* bodies, one a line */
    int upload_count;
    int lose_uploads;  /* this many are processed, but the answer is reset */
    int upload_status; /* 0: 200 success; -200: 200 with status error */
};

static inline void fake_respond(struct host *host, uint64_t exchange, int status, const char *type,
                                const char *body) {
    struct http_header header = {"content-type", type};
    struct http_response response = {.status = status, .headers = &header, .n_headers = 1};

    host_http_respond(host, exchange, &response);
    if (body == NULL)
        return;
    host_http_write(host, exchange, body, strlen(body));
    host_http_end(host, exchange);
}

static inline const char *fake_header(const struct http_request *request, const char *name) {
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return "-";
}

static inline void fake_record(struct fake_parties *fake, const struct http_request *request) {
    buffer_printf(&fake->transcript, "%lld %s %s %s\n",
                  (long long)(world_now(fake->bench.world) / TIME_MILLISECOND), request->method,
                  request->target, fake_header(request, "authorization"));
}

/* --- issuer --- */

static inline void issuer_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fake_parties *fake = context;
    char body[64];

    fake_record(fake, request);
    if (fake->issuer_silent) {
        fake_respond(fake->issuer, exchange, 503, "text/plain", "later");
        return;
    }
    snprintf(body, sizeof body, "{\"token\":\"t%d\"}", ++fake->tokens);
    fake_respond(fake->issuer, exchange, 200, "application/json", body);
}

/* --- service --- */

static inline void fake_send(struct fake_parties *fake, const char *text, size_t length) {
    size_t step = fake->chunk > 0 ? fake->chunk : length;

    for (size_t at = 0; at < length; at += step)
        host_http_write(fake->service, fake->stream, text + at, at + step <= length ? step : length - at);
}

static inline void fake_send_line(struct fake_parties *fake, const char *line) {
    char *text = memory_format("%s\n", line);

    assert_true(fake->stream != 0);
    fake_send(fake, text, strlen(text));
    free(text);
}

/* All operations so far as one checkpoint. Every operation has checksum 7, its number is its op id. */
static inline void fake_publish(struct fake_parties *fake, int64_t write_checkpoint) {
    struct buffer out = {0};
    size_t n = fake->n_operations;

    assert_true(fake->stream != 0);
    buffer_printf(&out, "{\"checkpoint%s\":{\"last_op_id\":\"%zu\",", fake->fresh ? "" : "_diff", n);
    if (write_checkpoint > 0)
        buffer_printf(&out, "\"write_checkpoint\":\"%lld\",", (long long)write_checkpoint);
    buffer_printf(
        &out, "%s:[{\"bucket\":\"b\",\"checksum\":%zu,\"count\":%zu,\"priority\":3,\"subscriptions\":[]}]",
        fake->fresh ? "\"streams\":[],\"buckets\"" : "\"removed_buckets\":[],\"updated_buckets\"", 7 * n, n);
    buffer_append_text(&out, "}}\n");
    if (fake->sent < n) {
        buffer_append_text(&out, "{\"data\":{\"bucket\":\"b\",\"data\":[");
        for (size_t i = fake->sent; i < n; i++)
            buffer_printf(&out, "%s{\"op_id\":\"%zu\",\"checksum\":7,%s}", i > fake->sent ? "," : "", i + 1,
                          fake->operations[i]);
        buffer_append_text(&out, "]}}\n");
    }
    buffer_printf(&out, "{\"checkpoint_complete\":{\"last_op_id\":\"%zu\"}}\n", n);
    fake->fresh = false;
    fake->downloaded += n - fake->sent;
    fake->sent = n;
    fake_send(fake, buffer_text(&out), out.length);
    buffer_free(&out);
}

static inline void fake_put(struct fake_parties *fake, const char *table, const char *id, const char *data) {
    struct buffer out = {0};

    assert_true(fake->n_operations < 64);
    buffer_printf(
        &out, "\"op\":\"PUT\",\"object_type\":\"%s\",\"object_id\":\"%s\",\"subkey\":\"k\",\"data\":", table,
        id);
    buffer_append_json_text(&out, data);
    fake->operations[fake->n_operations++] = buffer_take(&out);
}

static inline void open_stream(struct fake_parties *fake, uint64_t exchange,
                               const struct http_request *request) {
    json_t *body = json_parse(request->body, request->body_length, NULL);
    const char *after = json_text(json_array_get(json_object_get(body, "buckets"), 0), "after");

    assert_non_null(body);
    assert_string_equal(fake_header(request, "content-type"), "application/json");
    assert_string_equal(fake_header(request, "accept"),
                        "application/vnd.powersync.bson-stream;q=0.9,application/x-ndjson;q=0.8");
    fake->streams++;
    fake->stream = exchange;
    fake->fresh = true;
    fake->sent = after != NULL ? (size_t)atoll(after) : 0;
    fake_respond(fake->service, exchange, 200, "application/x-ndjson", NULL);
    fake_publish(fake, fake->write_checkpoints);
    json_decref(body);
}

static inline void answer_checkpoint(struct fake_parties *fake, uint64_t exchange) {
    char body[80];

    snprintf(body, sizeof body, "{\"data\":{\"write_checkpoint\":\"%lld\"}}",
             (long long)++fake->write_checkpoints);
    fake_respond(fake->service, exchange, 200, "application/json; charset=utf-8", body);
}

/* The service keeps the larger one, and says which that is. */
static inline void answer_request(struct fake_parties *fake, uint64_t exchange,
                                  const struct http_request *request) {
    json_t *body = json_parse(request->body, request->body_length, NULL);
    int64_t id = atoll(json_text(body, "checkpoint_request_id"));
    char text[80];

    assert_string_equal(json_text(body, "client_id"), client_id(fake->client));
    fake->stored_request = id > fake->stored_request ? id : fake->stored_request;
    snprintf(text, sizeof text, "{\"data\":{\"checkpoint_request_id\":\"%lld\"}}",
             (long long)fake->stored_request);
    buffer_printf(&fake->requested, "%lld\n", (long long)id);
    fake_respond(fake->service, exchange, 200, "application/json; charset=utf-8", text);
    json_decref(body);
}

static inline void service_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fake_parties *fake = context;

    fake_record(fake, request);
    if (strcmp(request->target, "/sync/stream") == 0) {
        if (fake->refuse_streams > 0) {
            fake->refuse_streams--;
            fake_respond(fake->service, exchange, fake->refuse_status, "application/json", "{\"error\":{}}");
        } else {
            open_stream(fake, exchange, request);
        }
    } else if (fake->refuse_checkpoints > 0) {
        fake->refuse_checkpoints--;
        fake_respond(fake->service, exchange, 401, "application/json", "{\"error\":{}}");
    } else if (strcmp(request->target, "/sync/checkpoint-request") == 0) {
        answer_request(fake, exchange, request);
    } else if (fake->hold_checkpoints) {
        fake->held_checkpoint = exchange;
    } else {
        answer_checkpoint(fake, exchange);
    }
}

static inline void service_closed(void *context, uint64_t exchange) {
    struct fake_parties *fake = context;

    if (exchange == fake->stream)
        fake->stream = 0;
}

/* --- backend --- */

static inline void backend_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fake_parties *fake = context;

    fake_record(fake, request);
    fake->upload_count++;
    buffer_append(&fake->uploads, request->body, request->body_length);
    buffer_append_char(&fake->uploads, '\n');
    if (fake->lose_uploads > 0) {
        fake->lose_uploads--;
        host_http_reset(fake->backend, exchange);
    } else if (fake->upload_status == -200) {
        fake_respond(fake->backend, exchange, 200, "application/json",
                     "{\"status\":\"error\",\"errorMessage\":\"list is locked\"}");
    } else if (fake->upload_status != 0) {
        fake_respond(fake->backend, exchange, fake->upload_status, "text/html", "<html>sorry</html>");
    } else {
        fake_respond(fake->backend, exchange, 200, "application/json",
                     "{\"status\":\"success\",\"value\":null}");
    }
}

static inline void nobody_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

/* --- notes --- */

static inline void keep_note(void *context, int64_t now, const char *node, const struct note *note) {
    static const char *const kinds[] = {"commit",
                                        "write",
                                        "view",
                                        "upload-started",
                                        "upload-acknowledged",
                                        "upload-rejected",
                                        "upload-failed",
                                        "write-checkpoint",
                                        "connection",
                                        "crash",
                                        "restart",
                                        "queue",
                                        "text",
                                        [NOTE_IDENTITY] = "identity",
                                        [NOTE_WATCHED] = "watched",
                                        [NOTE_STREAMS] = "streams"};
    struct fake_parties *fake = context;

    (void)node;
    buffer_printf(&fake->notes, "%lld %s", (long long)(now / TIME_MILLISECOND), kinds[note->kind]);
    if (note->transaction != 0 && note->kind != NOTE_CONNECTION)
        buffer_printf(&fake->notes, " tx=%lld", (long long)note->transaction);
    if (note->timestamp != 0)
        buffer_printf(&fake->notes, " ts=%lld", (long long)note->timestamp);
    buffer_printf(&fake->notes, "%s%s\n", note->text != NULL ? " " : "",
                  note->text != NULL ? note->text : "");
    for (size_t i = 0; i < note->n_rows; i++)
        buffer_printf(&fake->notes, "    %s%s%s/%s %s\n",
                      note->rows[i].operation != NULL ? note->rows[i].operation : "",
                      note->rows[i].operation != NULL ? " " : "", note->rows[i].table, note->rows[i].id,
                      note->rows[i].values != NULL ? note->rows[i].values : "gone");
}

/* --- stage --- */

static inline enum status fake_create_client(struct fake_parties *fake, struct client **client) {
    struct client_settings settings = {.user = "alice",
                                       .service = "powersync",
                                       .backend = "convex",
                                       .issuer = "issuer",
                                       .upload = &upload_convex_mutation,
                                       .upload_throttle = TIME_SECOND,
                                       .retry_delay = 5 * TIME_SECOND,
                                       .write_checkpoints = fake->use_requests ? CLIENT_CHECKPOINTS_REQUESTS
                                                                               : CLIENT_CHECKPOINTS_LEGACY};

    return client_create(fake->bench.pool, net_node(fake->bench.net, "alice-1"), &settings, client, NULL);
}

static inline struct fake_parties *fake_open(uint64_t seed) {
    static const struct http_server_events issuer_events = {issuer_request, nobody_closed};
    static const struct http_server_events service_events = {service_request, service_closed};
    static const struct http_server_events backend_events = {backend_request, nobody_closed};
    struct fake_parties *fake = memory_allocate(sizeof *fake);

    fake->bench = bench_open(seed);
    fake->issuer = net_node(fake->bench.net, "issuer");
    fake->service = net_node(fake->bench.net, "powersync");
    fake->backend = net_node(fake->bench.net, "convex");
    host_http_listen(fake->issuer, &issuer_events, fake);
    host_http_listen(fake->service, &service_events, fake);
    host_http_listen(fake->backend, &backend_events, fake);
    world_observe(fake->bench.world, &(struct world_observer){.note = keep_note, .context = fake});
    return fake;
}

/* The usual beginning, with a client that makes checkpoint requests; the service knows this one of it. */
static inline struct fake_parties *fake_open_with_requests(uint64_t seed, int64_t stored) {
    struct fake_parties *fake = fake_open(seed);

    fake->use_requests = true;
    fake->stored_request = stored;
    assert_int_equal(fake_create_client(fake, &fake->client), STATUS_OK);
    return fake;
}

/* The usual beginning: a service with two lists, a client. */
static inline struct fake_parties *fake_open_with_client(uint64_t seed) {
    struct fake_parties *fake = fake_open(seed);

    fake_put(fake, "lists", "l1", "{\"name\":\"Inbox\",\"owner_id\":\"alice\"}");
    fake_put(fake, "lists", "l2", "{\"name\":\"Work\",\"owner_id\":\"alice\"}");
    assert_int_equal(fake_create_client(fake, &fake->client), STATUS_OK);
    return fake;
}

static inline void fake_close(struct fake_parties *fake) {
    client_destroy(fake->client);
    bench_close(&fake->bench);
    for (size_t i = 0; i < fake->n_operations; i++)
        free(fake->operations[i]);
    buffer_free(&fake->notes);
    buffer_free(&fake->transcript);
    buffer_free(&fake->uploads);
    buffer_free(&fake->requested);
    free(fake);
}

static inline void fake_run(struct fake_parties *fake, int64_t time) {
    struct error error = {0};

    if (world_run(fake->bench.world, world_now(fake->bench.world) + time, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static inline void fake_write(struct fake_parties *fake, enum client_operation_kind kind, const char *table,
                              const char *id, const char *values) {
    json_t *json = values != NULL ? json_parse(values, strlen(values), NULL) : NULL;
    struct client_operation operation = {.kind = kind, .table = table, .id = id, .values = json};

    assert_int_equal(client_write(fake->client, &operation, 1, "w1", NULL), STATUS_OK);
    json_decref(json);
}

/* One column of one row through the app's view; "-" when there is no such row. The caller frees it. */
static inline char *fake_read(struct fake_parties *fake, const char *table, const char *column,
                              const char *id) {
    char *sql = memory_format("SELECT %s FROM %s WHERE id = '%s'", column, table, id);
    sqlite3_stmt *statement;
    char *text;

    assert_int_equal(sqlite3_prepare_v2(client_database(fake->client), sql, -1, &statement, NULL), SQLITE_OK);
    text = memory_copy_text(
        sqlite3_step(statement) == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : "-");
    sqlite3_finalize(statement);
    free(sql);
    return text;
}

static inline void assert_cell(struct fake_parties *fake, const char *table, const char *column,
                               const char *id, const char *expected) {
    char *text = fake_read(fake, table, column, id);

    assert_string_equal(text, expected);
    free(text);
}

/* How often `part` occurs. */
static inline int count_of(const struct buffer *text, const char *part) {
    const char *at = buffer_text(text);
    int count = 0;

    while ((at = strstr(at, part)) != NULL) {
        count++;
        at += strlen(part);
    }
    return count;
}

static inline void assert_notes(struct fake_parties *fake, const char *part, int times) {
    if (count_of(&fake->notes, part) != times)
        fail_msg("expected %d times \"%s\" in\n%s", times, part, buffer_text(&fake->notes));
}

#endif
