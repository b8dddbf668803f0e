/* A world with a service, something that plays Convex, and clients that collect the lines of their streams.
 * Include once a test program. */
#ifndef TESTS_MOCK_POWERSYNC_FIXTURE_H
#define TESTS_MOCK_POWERSYNC_FIXTURE_H

#include <zlib.h>

#include "base/bson.h"
#include "base/json.h"
#include "base/jwt.h"
#include "base/map.h"
#include "mock-powersync/fake_convex.h"
#include "mock-powersync/lines.h"
#include "mock-powersync/service.h"
#include "net/net.h"

#define TEST_SECRET "a secret of the tests"
#define TEST_KEY "prod:syncline-1|0123456789abcdef"

struct fixture {
    struct world *world;
    struct net *net;
    struct fake_convex *fake; /* NULL: the test brings its own deployment */
    struct host *service_host;
    struct powersync_service *service;
    const char *server; /* the node that clients talk to */
    struct map hosts;   /* clients' nodes by name */
};

/* One exchange of a client. */
struct client {
    struct fixture *fixture;
    struct host *host;
    uint64_t exchange;
    int status; /* 0: no head yet */
    char content_type[100];
    char accel_buffering[20];
    char encoding[20];   /* content-encoding */
    z_stream inflate;    /* when that is gzip */
    struct buffer body;  /* plain, without the complete lines of a stream */
    struct buffer whole; /* all of it */
    size_t wire_bytes;   /* as they came */
    json_t *lines;       /* array: complete lines so far */
    bool ended;
    bool failed;
};

static inline void client_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct client *client = context;
    (void)exchange;
    client->status = response->status;
    for (size_t i = 0; i < response->n_headers; i++) {
        if (strcmp(response->headers[i].name, "content-encoding") == 0)
            snprintf(client->encoding, sizeof client->encoding, "%s", response->headers[i].value);
        if (strcmp(response->headers[i].name, "content-type") == 0)
            snprintf(client->content_type, sizeof client->content_type, "%s", response->headers[i].value);
        if (strcmp(response->headers[i].name, "x-accel-buffering") == 0)
            snprintf(client->accel_buffering, sizeof client->accel_buffering, "%s",
                     response->headers[i].value);
    }
}

static inline bool client_reads_bson(const struct client *client) {
    return strstr(client->content_type, "bson") != NULL;
}

/* The next complete line at the front of the body; 0: there is none. */
static inline size_t client_line_length(const struct client *client) {
    const char *newline =
        client->body.length > 0 ? memchr(client->body.data, '\n', client->body.length) : NULL;
    if (!client_reads_bson(client))
        return newline ? (size_t)(newline - client->body.data) + 1 : 0;
    size_t length = bson_length(client->body.data, client->body.length);
    return length <= client->body.length ? length : 0;
}

static inline void client_plain(struct client *client, const void *bytes, size_t length) {
    buffer_append(&client->body, bytes, length);
    buffer_append(&client->whole, bytes, length);
    size_t line;
    while (client->status == 200 && !strstr(client->content_type, "/json") &&
           (line = client_line_length(client)) > 0) {
        json_t *json;
        if (client_reads_bson(client))
            assert_int_equal(bson_parse(client->body.data, line, &json, NULL), STATUS_OK);
        else
            json = json_parse(client->body.data, line - 1, NULL);
        assert_non_null(json);
        json_array_append_new(client->lines, json);
        buffer_consume(&client->body, line);
    }
}

static inline void client_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct client *client = context;
    unsigned char plain[4096];
    (void)exchange;
    client->wire_bytes += length;
    if (strcmp(client->encoding, "gzip") != 0) {
        client_plain(client, bytes, length);
        return;
    }
    z_stream *stream = &client->inflate;
    if (!stream->state)
        assert_int_equal(inflateInit2(stream, 15 + 16), Z_OK);
    stream->next_in = (unsigned char *)(uintptr_t)bytes;
    stream->avail_in = (unsigned)length;
    do {
        stream->next_out = plain;
        stream->avail_out = sizeof plain;
        int status = inflate(stream, Z_SYNC_FLUSH);
        assert_true(status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR);
        client_plain(client, plain, sizeof plain - stream->avail_out);
    } while (stream->avail_out == 0);
}

static inline void client_end(void *context, uint64_t exchange) {
    (void)exchange;
    ((struct client *)context)->ended = true;
}

static inline void client_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)exchange;
    (void)failure;
    ((struct client *)context)->failed = true;
}

static inline void run_for(struct fixture *fixture, int64_t time) {
    assert_int_equal(world_run(fixture->world, world_now(fixture->world) + time, NULL), STATUS_OK);
}

static inline int64_t wall_seconds(struct fixture *fixture) {
    return (TIME_WALL_START + world_now(fixture->world)) / TIME_SECOND;
}

/* Claims of a good token; the caller may change them. */
static inline json_t *good_claims(struct fixture *fixture, const char *user) {
    int64_t now = wall_seconds(fixture);
    return json_pack("{s:s,s:I,s:I,s:s}", "sub", user, "iat", (json_int_t)now, "exp",
                     (json_int_t)(now + 3600), "aud", "powersync");
}

static inline struct host *client_host(struct fixture *fixture, const char *name) {
    struct host *host = map_get(&fixture->hosts, name);
    if (!host) {
        host = net_node(fixture->net, name);
        map_set(&fixture->hosts, name, host);
    }
    return host;
}

/* Send a request as `node`; headers with the value NULL are left out. The caller closes the client. */
static inline struct client *client_ask(struct fixture *fixture, const char *node, const char *method,
                                        const char *target, const struct http_header *wanted, size_t n_wanted,
                                        const char *body) {
    static const struct http_client_events events = {client_head, client_body, client_end, client_failed};
    struct client *client = memory_allocate(sizeof *client);
    client->fixture = fixture;
    client->host = client_host(fixture, node);
    client->lines = json_array();
    struct http_header headers[8];
    size_t n_headers = 0;
    for (size_t i = 0; i < n_wanted; i++)
        if (wanted[i].value)
            headers[n_headers++] = wanted[i];
    struct http_request request = {fixture->server,        method, target, headers, n_headers, body,
                                   body ? strlen(body) : 0};
    client->exchange = host_http_send(client->host, &request, &events, client);
    return client;
}

/* `authorization` and `type` NULL: none. */
static inline struct client *client_send(struct fixture *fixture, const char *node, const char *method,
                                         const char *target, const char *authorization, const char *type,
                                         const char *body) {
    const struct http_header headers[] = {{"authorization", authorization}, {"content-type", type}};
    return client_ask(fixture, node, method, target, headers, 2, body);
}

static inline char *authorization_of(json_t *claims, const char *secret) {
    char *token = jwt_sign_hs256("syncline", claims, secret, strlen(secret));
    char *header = memory_format("Token %s", token);
    free(token);
    json_decref(claims);
    return header;
}

static inline struct client *client_get(struct fixture *fixture, const char *node, const char *user,
                                        const char *target) {
    char *header = authorization_of(good_claims(fixture, user), TEST_SECRET);
    struct client *client = client_send(fixture, node, "GET", target, header, NULL, NULL);
    free(header);
    return client;
}

/* Open a stream with this body. */
static inline struct client *client_open(struct fixture *fixture, const char *node, const char *user,
                                         const char *body) {
    char *header = authorization_of(good_claims(fixture, user), TEST_SECRET);
    struct client *client =
        client_send(fixture, node, "POST", "/sync/stream", header, "application/json", body);
    free(header);
    return client;
}

/* The same with headers of one's own: Accept and Accept-Encoding, NULL: none. */
static inline struct client *client_open_as(struct fixture *fixture, const char *node, const char *user,
                                            const char *body, const char *accept, const char *encoding) {
    char *header = authorization_of(good_claims(fixture, user), TEST_SECRET);
    const struct http_header headers[] = {{"authorization", header},
                                          {"content-type", "application/json"},
                                          {"accept", accept},
                                          {"accept-encoding", encoding}};
    struct client *client = client_ask(fixture, node, "POST", "/sync/stream", headers, 4, body);
    free(header);
    return client;
}

static inline void client_close(struct client *client) {
    if (!client->ended && !client->failed)
        host_http_abort(client->host, client->exchange);
    buffer_free(&client->body);
    buffer_free(&client->whole);
    if (client->inflate.state)
        inflateEnd(&client->inflate);
    json_decref(client->lines);
    free(client);
}

static inline size_t line_count(const struct client *client) {
    return json_array_size(client->lines);
}

static inline const json_t *line(const struct client *client, size_t index) {
    return lines_at(client->lines, index);
}

static inline const json_t *line_of(const struct client *client, size_t index, const char *kind) {
    return lines_of(client->lines, index, kind);
}

/* Forget the lines so far. */
static inline void forget_lines(struct client *client) {
    json_array_clear(client->lines);
}

static inline void assert_kinds(const struct client *client, const char *expected) {
    lines_assert_kinds(client->lines, expected);
}

static inline struct fixture *fixture_world(uint64_t seed) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    struct world_settings settings = {.seed = seed, .max_events = 10000000};
    fixture->world = world_create(&settings);
    struct net_settings net = {.latency = TIME_MILLISECOND, .jitter = 0, .give_up = 30 * TIME_SECOND};
    fixture->net = net_create(fixture->world, &net);
    fixture->server = "powersync";
    fixture->service_host = net_node(fixture->net, fixture->server);
    return fixture;
}

/* Start a service on `host` with these options; keys (unless it fetches them), audience and source are filled
 * in. */
static inline struct powersync_service *fixture_start_on(struct host *host,
                                                         struct powersync_options options) {
    static const char *const audiences[] = {"powersync"};
    char *jwks = jwt_jwks_of_secret("syncline", TEST_SECRET);
    struct powersync_service *service = NULL;
    struct error error = {0};
    options.sync_config_file = "sync.yaml";
    options.source = (struct powersync_source_options){.deployment = "convex", .deploy_key = TEST_KEY};
    options.auth.jwks = options.auth.n_jwks_uris ? NULL : jwks;
    options.auth.audiences = audiences;
    options.auth.n_audiences = 1;
    if (powersync_service_create(host, &options, &service, &error))
        fail_msg("%s", error.message);
    free(jwks);
    return service;
}

static inline void fixture_start(struct fixture *fixture, const char *sync_config) {
    fixture->service =
        fixture_start_on(fixture->service_host, (struct powersync_options){.sync_config = sync_config});
}

/* With the scripted Convex; the service is not started yet. */
static inline struct fixture *fixture_create(void) {
    struct fixture *fixture = fixture_world(1);
    fixture->fake = fake_convex_create(net_node(fixture->net, "convex"));
    return fixture;
}

static inline void fixture_destroy(struct fixture *fixture) {
    powersync_service_destroy(fixture->service);
    if (fixture->fake)
        fake_convex_destroy(fixture->fake);
    map_free(&fixture->hosts, NULL);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    free(fixture);
}

#endif
