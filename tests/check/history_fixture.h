/* Hand-written histories for the properties: a small app with one table, three clients of two users, and one
 * function a kind of record. Every record is one millisecond after the one before. */
#ifndef SYNCLINE_TESTS_HISTORY_FIXTURE_H
#define SYNCLINE_TESTS_HISTORY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "kernel/time.h"

static const char fixture_config[] =
    "config:\n"
    "  edition: 3\n"
    "streams:\n"
    "  own_todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM todos WHERE owner_id = auth.user_id()\n"
    "  shared_todos:\n"
    "    auto_subscribe: true\n"
    "    query: SELECT *, uuid AS id FROM todos WHERE shared_with = auth.user_id()\n";

static const struct client_column fixture_columns[] = {
    {"description", "text"}, {"completed", "integer"}, {"rank", "real"}};
static const struct client_table fixture_tables[] = {{"todos", fixture_columns, 3}};
static const struct client_schema fixture_schema = {fixture_tables, 1};
static const char *const fixture_clients[] = {"alice-1", "alice-2", "bob-1"};
static const char *const fixture_users[] = {"alice", "alice", "bob"};

enum { FIXTURE_ROWS = 8 };

struct fixture {
    struct history *history;
    struct checker *checker;
    struct arena arena;
    int64_t time;
    int64_t timestamp;                  /* of the newest commit */
    struct note_row rows[FIXTURE_ROWS]; /* of the record being put together */
    size_t n_rows;
};

static inline struct fixture fixture_open_mapped(const struct client_mapping *mapping,
                                                 const char *const *properties, size_t n_properties) {
    struct fixture fixture = {.history = history_create(), .timestamp = TIME_WALL_START};
    const struct check_settings settings = {.schema = &fixture_schema,
                                            .mapping = mapping,
                                            .sync_config = fixture_config,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3,
                                            .properties = properties,
                                            .n_properties = n_properties};
    struct error error;
    if (checker_create(fixture.history, NULL, &settings, &fixture.checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

static inline struct fixture fixture_open_for(const char *const *properties, size_t n_properties) {
    return fixture_open_mapped(NULL, properties, n_properties);
}

static inline struct fixture fixture_open(void) {
    return fixture_open_for(NULL, 0);
}

static inline void fixture_close(struct fixture *fixture) {
    checker_destroy(fixture->checker);
    history_destroy(fixture->history);
    arena_free(&fixture->arena);
}

/* Rows of the next record. `values` is a JSON text, NULL where there is no row. */
static inline void fixture_row(struct fixture *fixture, const char *operation, const char *table,
                               const char *id, const char *values) {
    assert_true(fixture->n_rows < FIXTURE_ROWS);
    fixture->rows[fixture->n_rows++] = (struct note_row){operation, table, id, values};
}

/* Ends the record; returns its number. */
static inline uint64_t fixture_add(struct fixture *fixture, const char *node, struct note note) {
    note.rows = fixture->rows;
    note.n_rows = fixture->n_rows;
    fixture->n_rows = 0;
    fixture->time += TIME_MILLISECOND;
    return history_add(fixture->history, fixture->time, node, &note)->number;
}

/* A todo's document; `owner` and `shared` are users. */
static inline void fixture_document(struct fixture *fixture, const char *uuid, const char *owner,
                                    const char *shared, const char *description) {
    const char *id = arena_format(&fixture->arena, "document-%s", uuid);
    const char *with = shared == NULL ? "null" : arena_format(&fixture->arena, "\"%s\"", shared);
    fixture_row(
        fixture, NULL, "todos", id,
        arena_format(&fixture->arena,
                     "{\"_creationTime\":1767225600000.5,\"_id\":\"%s\",\"completed\":false,\"description\":"
                     "\"%s\",\"owner_id\":\"%s\",\"rank\":1.5,\"shared_with\":%s,\"uuid\":\"%s\"}",
                     id, description, owner, with, uuid));
}

static inline void fixture_deleted(struct fixture *fixture, const char *uuid) {
    fixture_row(fixture, NULL, "todos", arena_format(&fixture->arena, "document-%s", uuid), NULL);
}

/* The receipt of a local transaction, as the app's mutation writes it. */
static inline void fixture_receipt(struct fixture *fixture, const char *client_id, int transaction) {
    const char *id = arena_format(&fixture->arena, "receipt-%d-%d", transaction, (int)fixture->time);
    fixture_row(fixture, NULL, "upload_receipts", id,
                arena_format(&fixture->arena,
                             "{\"_creationTime\":1767225600000.5,\"_id\":\"%s\",\"client_id\":\"%s\","
                             "\"transaction_id\":\"%d\"}",
                             id, client_id, transaction));
}

static inline uint64_t fixture_commit(struct fixture *fixture) {
    fixture->timestamp += TIME_MILLISECOND;
    return fixture_add(
        fixture, "convex",
        (struct note){.kind = NOTE_COMMIT, .timestamp = fixture->timestamp, .text = "app:run"});
}

/* A todo as a client shows it; NULL: gone. */
static inline const char *fixture_text(struct fixture *fixture, const char *description) {
    return description == NULL ? NULL : arena_format(&fixture->arena, "[\"%s\",0,1.5]", description);
}

static inline void fixture_shown(struct fixture *fixture, const char *uuid, const char *description) {
    fixture_row(fixture, NULL, "todos", uuid, fixture_text(fixture, description));
}

static inline uint64_t fixture_view(struct fixture *fixture, const char *client, const char *cause) {
    return fixture_add(fixture, client, (struct note){.kind = NOTE_VIEW, .timestamp = 17, .text = cause});
}

/* A local write of one row: PUT with a description, or DELETE without. The rows of the view are the caller's.
 */
static inline uint64_t fixture_write(struct fixture *fixture, const char *client, int transaction,
                                     const char *uuid, const char *description) {
    const char *values =
        description == NULL
            ? NULL
            : arena_format(&fixture->arena, "{\"description\":\"%s\",\"completed\":0,\"rank\":1.5}",
                           description);
    fixture_row(fixture, description == NULL ? "DELETE" : "PUT", "todos", uuid, values);
    return fixture_add(fixture, client, (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = transaction});
}

static inline uint64_t fixture_upload(struct fixture *fixture, const char *client, enum note_kind kind,
                                      int transaction, const char *text) {
    return fixture_add(fixture, client,
                       (struct note){.kind = kind, .transaction = transaction, .text = text});
}

static inline uint64_t fixture_queue(struct fixture *fixture, const char *client, int transactions) {
    return fixture_add(fixture, client, (struct note){.kind = NOTE_QUEUE, .transaction = transactions});
}

static inline void expect_violations(struct fixture *fixture, size_t expected) {
    const struct violation *const *violations;
    const size_t count = checker_violations(fixture->checker, &violations);
    for (size_t i = 0; i < count && count != expected; i++)
        print_error("%s: %s %s/%s: %s\n", violations[i]->property, violations[i]->client,
                    violations[i]->table, violations[i]->row, violations[i]->explanation);
    assert_int_equal(count, expected);
}

struct expected_violation {
    const char *property;
    const char *client;
    const char *row;
    const char *expected;
    const char *seen;
    uint64_t first;
    uint64_t second;
};

/* The newest violation. */
static inline void expect_last(struct fixture *fixture, const struct expected_violation *expected) {
    const struct violation *const *violations;
    const size_t count = checker_violations(fixture->checker, &violations);
    assert_true(count > 0);
    const struct violation *violation = violations[count - 1];
    assert_string_equal(violation->property, expected->property);
    assert_string_equal(violation->client, expected->client);
    assert_string_equal(violation->table, *expected->row == 0 ? "" : "todos");
    assert_string_equal(violation->row, expected->row);
    assert_string_equal(violation->expected, expected->expected);
    assert_string_equal(violation->seen, expected->seen);
    assert_int_equal(violation->first_record, expected->first);
    assert_int_equal(violation->second_record, expected->second);
    assert_true(strlen(violation->explanation) > 0);
}

#endif
