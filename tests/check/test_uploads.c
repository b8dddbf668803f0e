/* Histories that keep or break what upload paths must keep: atomic-upload, type-fidelity, ownership,
 * parent-first, and where deleting is a mark deletions-stay, told-of-loss, no-orphans. */
#include <stdint.h>

#include "check/history_fixture.h"

#define ALICE_1 "11111111-1111-4111-8111-111111111111"

static const struct column_mapping columns[] = {{"todos", "completed", COLUMN_BOOLEAN, NULL},
                                                {"todos", "owner_id", COLUMN_OWNER, NULL},
                                                {"todos", "parent", COLUMN_COPIED, "todos"}};
static const struct client_mapping mapping = {.columns = columns, .n_columns = 3};
static const struct client_mapping marking = {.columns = columns, .n_columns = 3, .soft_delete = true};

static struct fixture open(const char *property) {
    return fixture_open_mapped(&mapping, &property, 1);
}

/* alice-1 writes todos a and b in transaction 1, and begins to upload it. Returns the write's record. */
static uint64_t begin_two(struct fixture *fixture) {
    fixture_row(fixture, "PUT", "todos", "a", "{\"description\":\"milk\",\"completed\":0,\"rank\":1.5}");
    fixture_row(fixture, "PUT", "todos", "b", "{\"description\":\"bread\",\"completed\":0,\"rank\":1.5}");
    const uint64_t record =
        fixture_add(fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, ALICE_1);
    return record;
}

static void part_receipt(struct fixture *fixture, int op, int rows) {
    const char *id = arena_format(&fixture->arena, "receipt-%d-%d", op, (int)fixture->time);
    fixture_row(fixture, NULL, "upload_receipts", id,
                arena_format(&fixture->arena,
                             "{\"_id\":\"%s\",\"client_id\":\"" ALICE_1 "\",\"transaction_id\":\"1\","
                             "\"op_id\":\"%d\",\"rows\":%d.0}",
                             id, op, rows));
}

static void close_with(struct fixture *fixture, size_t violations) {
    checker_finish(fixture->checker);
    expect_violations(fixture, violations);
    fixture_close(fixture);
}

/* --- atomic-upload, and how no-lost-write counts parts --- */

static void test_together(void **state) {
    (void)state;
    struct fixture fixture = open("atomic-upload");
    begin_two(&fixture);
    fixture_document(&fixture, "a", "alice", NULL, "milk");
    fixture_document(&fixture, "b", "alice", NULL, "bread");
    part_receipt(&fixture, 1, 2); /* a part that is the whole */
    fixture_commit(&fixture);
    close_with(&fixture, 0);
}

static void test_row_by_row(void **state) {
    (void)state;
    struct fixture fixture = open("atomic-upload");
    const uint64_t write = begin_two(&fixture);
    fixture_document(&fixture, "a", "alice", NULL, "milk");
    part_receipt(&fixture, 1, 1);
    const uint64_t commit = fixture_commit(&fixture);
    fixture_document(&fixture, "b", "alice", NULL, "bread");
    part_receipt(&fixture, 2, 1);
    fixture_commit(&fixture); /* said once */
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"atomic-upload", "alice-1", "a", "2 rows in one commit",
                                             "a commit with 1 of them", write, commit});
    close_with(&fixture, 1);
}

static void finish_parts(struct fixture *fixture, int first_again) {
    begin_two(fixture);
    for (int op = 1; op <= 2; op++) {
        fixture_document(fixture, op == 1 ? "a" : "b", "alice", NULL, op == 1 ? "milk" : "bread");
        part_receipt(fixture, op, 1);
        fixture_commit(fixture);
    }
    if (first_again) {
        part_receipt(fixture, 1, 1);
        fixture_commit(fixture);
    }
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_ACKNOWLEDGED, 1, NULL);
    for (size_t i = 0; i < 3; i++)
        fixture_queue(fixture, fixture_clients[i], 0);
}

static void test_parts_are_one_write(void **state) {
    (void)state;
    struct fixture fixture = open("no-lost-write");
    finish_parts(&fixture, 0);
    close_with(&fixture, 0);
    fixture = open("no-lost-write");
    finish_parts(&fixture, 1);
    close_with(&fixture, 1);
}

/* --- type-fidelity --- */

/* The document of todo a as the commit leaves it. Returns how many violations there are. */
static void arrive(const char *written, const char *document, size_t violations) {
    struct fixture fixture = open("type-fidelity");
    fixture_row(&fixture, "PUT", "todos", "a", written);
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, ALICE_1);
    fixture_row(&fixture, NULL, "todos", "document-a", document);
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    close_with(&fixture, violations);
}

static void test_values(void **state) {
    static const char all[] = "{\"description\":\"x\",\"completed\":1,\"rank\":0.25}";
    (void)state;
    arrive(all, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":true,\"rank\":0.25}", 0);
    arrive(all, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":1.0,\"rank\":0.25}", 1);
    arrive(all, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":false,\"rank\":0.25}", 1);
    arrive(all, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":true,\"rank\":\"0.25\"}", 1);
    arrive(all, "{\"uuid\":\"a\",\"description\":\"y\",\"completed\":true,\"rank\":0.25}", 1);
    arrive(all, "{\"uuid\":\"a\",\"completed\":true,\"rank\":0.25}", 1);
}

static void test_null_stays_null(void **state) {
    static const char some[] = "{\"description\":\"x\",\"completed\":null}";
    (void)state;
    arrive(some, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":null,\"rank\":null}", 0);
    arrive(some, "{\"uuid\":\"a\",\"description\":\"x\"}", 0); /* no field reads as null */
    arrive(some, "{\"uuid\":\"a\",\"description\":\"x\",\"completed\":false}", 1);
    arrive(some, "{\"uuid\":\"a\",\"description\":\"x\",\"rank\":0.0}", 1);
}

/* --- ownership --- */

static void test_own_rows(void **state) {
    (void)state;
    struct fixture fixture = open("ownership");
    fixture_document(&fixture, "c", "bob", NULL, "his");
    fixture_commit(&fixture); /* nobody's upload: the seed */
    begin_two(&fixture);
    fixture_document(&fixture, "a", "alice", NULL, "milk");
    fixture_document(&fixture, "b", "alice", NULL, "bread");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    close_with(&fixture, 0);
}

static void test_row_taken(void **state) {
    (void)state;
    struct fixture fixture = open("ownership");
    fixture_document(&fixture, "a", "bob", NULL, "his");
    fixture_commit(&fixture);
    const uint64_t write = begin_two(&fixture);
    fixture_document(&fixture, "a", "alice", NULL, "milk");
    fixture_receipt(&fixture, ALICE_1, 1);
    const uint64_t commit = fixture_commit(&fixture);
    expect_last(&fixture,
                &(struct expected_violation){"ownership", "alice-1", "a", "only rows of alice change",
                                             "a row of bob", write, commit});
    close_with(&fixture, 1);
}

static void test_row_given_away(void **state) {
    (void)state;
    struct fixture fixture = open("ownership");
    begin_two(&fixture);
    fixture_document(&fixture, "a", "bob", NULL, "milk");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    close_with(&fixture, 1);
}

/* --- parent-first --- */

static void child(struct fixture *fixture, const char *uuid, const char *parent) {
    fixture_row(fixture, NULL, "todos", arena_format(&fixture->arena, "document-%s", uuid),
                arena_format(&fixture->arena, "{\"uuid\":\"%s\",\"parent\":%s}", uuid, parent));
}

static void test_parents(void **state) {
    (void)state;
    struct fixture fixture = open("parent-first");
    child(&fixture, "b", "\"a\""); /* together, in any order */
    child(&fixture, "a", "null");
    fixture_commit(&fixture);
    fixture_deleted(&fixture, "a");
    fixture_commit(&fixture);
    child(&fixture, "c", "\"a\""); /* it was there once */
    fixture_commit(&fixture);
    expect_violations(&fixture, 0);
    child(&fixture, "d", "\"e\"");
    const uint64_t commit = fixture_commit(&fixture);
    expect_last(&fixture, &(struct expected_violation){"parent-first", "", "d", "todos e is there",
                                                       "it has never been", 0, commit});
    close_with(&fixture, 1);
}

/* --- deleting is a mark --- */

static struct fixture open_marking(const char *property) {
    return fixture_open_mapped(&marking, &property, 1);
}

/* A todo of alice's; `parent` and `deleted` are JSON. */
static void marked(struct fixture *fixture, const char *uuid, const char *description, const char *parent,
                   const char *deleted) {
    fixture_row(fixture, NULL, "todos", arena_format(&fixture->arena, "document-%s", uuid),
                arena_format(&fixture->arena,
                             "{\"uuid\":\"%s\",\"owner_id\":\"alice\",\"description\":\"%s\",\"parent\":%s,"
                             "\"deletedAt\":%s}",
                             uuid, description, parent, deleted));
}

static void test_deletions(void **state) {
    (void)state;
    struct fixture fixture = open_marking("deletions-stay");
    marked(&fixture, "a", "milk", "null", "null");
    fixture_commit(&fixture);
    marked(&fixture, "a", "milk", "null", "5.0");
    fixture_commit(&fixture);
    begin_two(&fixture); /* puts it anew, and somebody may delete it again at once */
    marked(&fixture, "a", "milk", "null", "7.0");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    marked(&fixture, "a", "milk", "null", "null");
    fixture_commit(&fixture);
    marked(&fixture, "a", "milk", "null", "9.0");
    fixture_commit(&fixture);
    expect_violations(&fixture, 0);
    marked(&fixture, "a", "milk", "null", "11.0");
    fixture_commit(&fixture);
    expect_violations(&fixture, 1);
    marked(&fixture, "a", "bread", "null", "11.0");
    fixture_commit(&fixture);
    close_with(&fixture, 2);
}

/* alice-1 changes todo a, and the answer to the upload says `told`. */
static void change_of(struct fixture *fixture, const char *told, size_t violations) {
    fixture_row(fixture, "PATCH", "todos", "a", "{\"description\":\"late\"}");
    fixture_add(fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, ALICE_1);
    fixture_receipt(fixture, ALICE_1, 1);
    fixture_commit(fixture);
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_ACKNOWLEDGED, 1, told);
    close_with(fixture, violations);
}

static struct fixture open_deleted(const char *mark) {
    struct fixture fixture = open_marking("told-of-loss");
    marked(&fixture, "a", "milk", "null", mark);
    fixture_commit(&fixture);
    return fixture;
}

static void test_told(void **state) {
    (void)state;
    struct fixture fixture = open_deleted("null");
    change_of(&fixture, NULL, 0);
    fixture = open_deleted("5.0");
    change_of(&fixture, "not there any more: todos/a", 0);
    fixture = open_deleted("5.0");
    change_of(&fixture, NULL, 1);
    fixture = open_marking("told-of-loss"); /* its PUT never arrived */
    change_of(&fixture, NULL, 1);
    fixture = open("told-of-loss"); /* deleting is no mark: nobody has promised anything */
    change_of(&fixture, NULL, 0);
}

static void test_orphans(void **state) {
    (void)state;
    struct fixture fixture = open_marking("no-orphans");
    marked(&fixture, "a", "list", "null", "null");
    marked(&fixture, "b", "milk", "\"a\"", "null");
    marked(&fixture, "c", "bread", "\"a\"", "5.0"); /* gone with its parent */
    marked(&fixture, "d", "salt", "\"never-there\"", "null");
    fixture_commit(&fixture);
    marked(&fixture, "a", "list", "null", "6.0");
    fixture_commit(&fixture); /* for a while */
    marked(&fixture, "a", "list", "null", "null");
    fixture_commit(&fixture);
    close_with(&fixture, 0);
    fixture = open_marking("no-orphans");
    marked(&fixture, "b", "milk", "\"a\"", "null");
    const uint64_t before = fixture_commit(&fixture);
    marked(&fixture, "a", "list", "null", "6.0");
    const uint64_t commit = fixture_commit(&fixture);
    checker_finish(fixture.checker);
    expect_last(&fixture,
                &(struct expected_violation){"no-orphans", "", "b", "todos a is there, of the same owner",
                                             "it is deleted", before, commit});
    fixture_close(&fixture);
}

static void test_half_given_away(void **state) {
    (void)state;
    struct fixture fixture = open_marking("no-orphans");
    marked(&fixture, "b", "milk", "\"a\"", "null");
    const uint64_t first = fixture_commit(&fixture);
    fixture_document(&fixture, "a", "bob", NULL, "list");
    const uint64_t second = fixture_commit(&fixture);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"no-orphans", "", "b", "todos a is there, of the same owner",
                                             "the one is alice's, the other bob's", first, second});
    fixture_close(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_together),
                                       cmocka_unit_test(test_row_by_row),
                                       cmocka_unit_test(test_parts_are_one_write),
                                       cmocka_unit_test(test_values),
                                       cmocka_unit_test(test_null_stays_null),
                                       cmocka_unit_test(test_own_rows),
                                       cmocka_unit_test(test_row_taken),
                                       cmocka_unit_test(test_row_given_away),
                                       cmocka_unit_test(test_parents),
                                       cmocka_unit_test(test_deletions),
                                       cmocka_unit_test(test_told),
                                       cmocka_unit_test(test_orphans),
                                       cmocka_unit_test(test_half_given_away)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
