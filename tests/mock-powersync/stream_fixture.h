/* Sync streams on a storage that the test fills by hand: no source, no HTTP. What a stream writes is
 * collected, and a test may stop it from writing. Include once a test program.
 */
#ifndef TESTS_MOCK_POWERSYNC_STREAM_FIXTURE_H
#define TESTS_MOCK_POWERSYNC_STREAM_FIXTURE_H

#include <stdlib.h>

#include "base/bson.h"
#include "mock-powersync/document.h"
#include "mock-powersync/lines.h"
#include "mock-powersync/storage/compaction.h"
#include "mock-powersync/stream/sync_stream.h"
#include "net/net.h"

struct stream_fixture {
    struct world *world;
    struct net *net;
    struct storage *storage;
    struct bucket_storage *buckets; /* of the newest replication stream */
    const struct sync_config *config;
    int number;
    struct powersync_metrics metrics;
    struct sync_stream_environment environment;
    struct reader *readers; /* the open ones: a failed test leaves some */
};

/* One stream and what it wrote. */
struct reader {
    struct stream_fixture *fixture;
    struct reader *next;
    struct sync_stream *stream;
    enum line_format format;
    json_t *lines;
    struct buffer whole;
    bool full;   /* takes nothing more */
    size_t room; /* when > 0: full after so many more lines */
    bool ended;
    int failed; /* status */
    char code[20];
    char *text; /* description of the failure */
};

static inline void reader_write(void *context, const void *bytes, size_t length) {
    struct reader *reader = context;
    json_t *json;
    if (reader->format == LINE_BSON)
        assert_int_equal(bson_parse(bytes, length, &json, NULL), STATUS_OK);
    else
        json = json_parse(bytes, length, NULL);
    assert_non_null(json);
    assert_false(reader->ended || reader->failed || reader->full);
    json_array_append_new(reader->lines, json);
    buffer_append(&reader->whole, bytes, length);
    reader->full = reader->full || reader->room == 1;
    reader->room -= reader->room > 0;
}

static inline void reader_end(void *context) {
    ((struct reader *)context)->ended = true;
}

static inline void reader_fail(void *context, const struct http_error *error) {
    struct reader *reader = context;
    reader->failed = error->status;
    snprintf(reader->code, sizeof reader->code, "%s", error->code);
    reader->text = memory_copy_text(error->description);
}

static inline bool reader_ready(void *context) {
    return !((struct reader *)context)->full;
}

static inline struct reader *reader_open_as(struct stream_fixture *fixture, const char *user,
                                            const char *body, enum line_format format) {
    struct reader *reader = memory_allocate(sizeof *reader);
    reader->fixture = fixture;
    reader->next = fixture->readers;
    fixture->readers = reader;
    reader->format = format;
    reader->lines = json_array();
    json_t *json = json_parse(body, strlen(body), NULL);
    assert_non_null(json);
    struct sync_request request;
    struct http_error error;
    assert_true(sync_request_read(&request, json, &error));
    struct auth_user who = {
        .claims = json_pack("{s:s}", "sub", user), .id_text = memory_copy_text(user), .expires = INT32_MAX};
    const struct stream_transport transport = {reader_write, reader_end, reader_fail,
                                               reader_ready, true,       reader};
    reader->stream = sync_stream_create(&fixture->environment, &transport, format, &request, &who);
    sync_request_free(&request);
    json_decref(who.claims);
    free(who.id_text);
    return reader;
}

static inline void reader_run(struct reader *reader, int64_t time) {
    struct world *world = reader->fixture->world;
    assert_int_equal(world_run(world, world_now(world) + time, NULL), STATUS_OK);
}

/* Open a stream and let it say what it has to say. */
static inline struct reader *reader_open(struct stream_fixture *fixture, const char *user, const char *body) {
    struct reader *reader = reader_open_as(fixture, user, body, LINE_NDJSON_RAW);
    reader_run(reader, 100 * TIME_MILLISECOND);
    return reader;
}

static inline void reader_resume(struct reader *reader) {
    reader->full = false;
    sync_stream_resume(reader->stream);
}

static inline void reader_close(struct reader *reader) {
    struct reader **place = &reader->fixture->readers;
    while (*place != reader)
        place = &(*place)->next;
    *place = reader->next;
    sync_stream_destroy(reader->stream);
    json_decref(reader->lines);
    buffer_free(&reader->whole);
    free(reader->text);
    free(reader);
}

static inline void reader_forget(struct reader *reader) {
    json_array_clear(reader->lines);
}

/* Let time pass for what was committed, and check the kinds of all lines since the last look. */
static inline void reader_expect(struct reader *reader, const char *kinds) {
    reader_run(reader, 100 * TIME_MILLISECOND);
    lines_assert_kinds(reader->lines, kinds);
}

/* A row of a Convex table as JSON without its braces, under its _id; NULL: deleted. */
static inline void put_row(struct stream_fixture *fixture, const char *table, const char *id,
                           const char *fields) {
    struct arena arena = {0};
    struct row_outputs outputs = {0};
    char *text =
        memory_format("{\"_id\":\"%s\"%s%s}", id, fields && *fields ? "," : "", fields ? fields : "");
    json_t *json = json_parse(text, strlen(text), NULL);
    assert_non_null(json);
    if (fields) {
        struct row row = document_row(json, &arena);
        evaluate_row(fixture->config, fixture->number, &(struct source_table){"default", "convex", table},
                     &row, &arena, &outputs);
    }
    bucket_storage_save(fixture->buckets, table, id, &outputs, false);
    json_decref(json);
    free(text);
    arena_free(&arena);
}

static inline void commit(struct stream_fixture *fixture) {
    assert_true(bucket_storage_commit(fixture->buckets, fixture->buckets->lsn + 1, true));
}

static inline void put_committed(struct stream_fixture *fixture, const char *table, const char *id,
                                 const char *fields) {
    put_row(fixture, table, id, fields);
    commit(fixture);
}

/* Deploy a config and fill it from now on; the first commit makes it the one that is served. */
static inline void deploy(struct stream_fixture *fixture, const char *yaml) {
    struct replication_stream *stream;
    struct error error = {0};
    if (storage_deploy(fixture->storage, yaml, "sync.yaml", false, &stream, &error))
        fail_msg("%s", error.message);
    fixture->config = stream->config;
    fixture->buckets = stream->buckets;
    fixture->number = stream->number;
    fixture->buckets->snapshot_done = true;
}

static inline struct stream_fixture *stream_fixture_create(const char *yaml) {
    struct stream_fixture *fixture = memory_allocate(sizeof *fixture);
    const struct world_settings settings = {.seed = 1, .max_events = 1000000};
    const struct net_settings net = {.latency = TIME_MILLISECOND};
    fixture->world = world_create(&settings);
    fixture->net = net_create(fixture->world, &net);
    fixture->storage = storage_create();
    struct host *host = net_node(fixture->net, "powersync");
    fixture->environment = (struct sync_stream_environment){.host = host,
                                                            .storage = fixture->storage,
                                                            .metrics = &fixture->metrics,
                                                            .fetches = {.host = host, .free = 10},
                                                            .batch_operations = 1000,
                                                            .max_buckets = 1000,
                                                            .max_parameter_results = 1000,
                                                            .keepalive_interval = 20 * TIME_SECOND};
    deploy(fixture, yaml);
    commit(fixture);
    return fixture;
}

static inline void stream_fixture_destroy(struct stream_fixture *fixture) {
    while (fixture->readers)
        reader_close(fixture->readers);
    data_lines_free(&fixture->environment.lines);
    storage_check(fixture->storage);
    storage_destroy(fixture->storage);
    net_destroy(fixture->net);
    world_destroy(fixture->world);
    free(fixture);
}

#endif
