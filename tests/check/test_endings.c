/* The properties that are judged at the end of a run: no-lost-write and convergence. */
#include "history_fixture.h"

#define ALICE_1 "3b0f2b7e-client-of-alice-1"

/* One todo that every client has, and a local write of alice-1 that is on its way. Returns the write's
 * record. */
static uint64_t begin_write(struct fixture *fixture) {
    fixture_document(fixture, "a", "alice", "bob", "milk");
    fixture_commit(fixture);
    for (size_t i = 0; i < 3; i++) {
        fixture_shown(fixture, "a", "milk");
        fixture_view(fixture, fixture_clients[i], "checkpoint");
    }
    const uint64_t write = fixture_write(fixture, "alice-1", 1, "c", "bread");
    fixture_shown(fixture, "c", "bread");
    fixture_view(fixture, "alice-1", "write");
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, ALICE_1);
    return write;
}

static uint64_t commit_write(struct fixture *fixture) {
    fixture_document(fixture, "c", "alice", NULL, "bread");
    fixture_receipt(fixture, ALICE_1, 1);
    return fixture_commit(fixture);
}

static uint64_t answer(struct fixture *fixture, enum note_kind kind) {
    return fixture_upload(fixture, "alice-1", kind, 1, NULL);
}

/* Everybody shows the newest commit, in which alice has c and bob has not. */
static void settle(struct fixture *fixture) {
    fixture_view(fixture, "alice-1", "checkpoint");
    fixture_shown(fixture, "c", "bread");
    fixture_view(fixture, "alice-2", "checkpoint");
    expect_violations(fixture, 0);
}

static void empty_queues(struct fixture *fixture) {
    for (size_t i = 0; i < 3; i++)
        fixture_queue(fixture, fixture_clients[i], 0);
}

/* --- no-lost-write --- */

static void test_committed_once(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    begin_write(&fixture);
    commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    settle(&fixture);
    empty_queues(&fixture);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static const char *const only_no_lost_write[] = {"no-lost-write"};

static void test_still_queued(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    begin_write(&fixture);
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\"}");
    fixture_queue(&fixture, "alice-1", 1);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* The backend said yes and did nothing. */
static void test_accepted_but_not_committed(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    const uint64_t write = begin_write(&fixture);
    const uint64_t answered = answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    fixture_queue(&fixture, "alice-1", 0);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"no-lost-write", "alice-1", "c", "committed once",
                                             "accepted by the backend, but in no commit", write, answered});
    fixture_close(&fixture);
}

static void test_committed_twice(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    begin_write(&fixture);
    const uint64_t first = commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_FAILED);
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, ALICE_1);
    const uint64_t second = commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    fixture_queue(&fixture, "alice-1", 0);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"no-lost-write", "alice-1", "c", "committed once",
                                                       "committed more than once", first, second});
    fixture_close(&fixture);
}

static void test_refused_but_committed(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    begin_write(&fixture);
    const uint64_t commit = commit_write(&fixture);
    const uint64_t refused = answer(&fixture, NOTE_UPLOAD_REJECTED);
    fixture_queue(&fixture, "alice-1", 0);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"no-lost-write", "alice-1", "c", "refused, and in no commit",
                                             "refused by the backend, but committed", commit, refused});
    fixture_close(&fixture);
}

/* The queue lost its first transaction and kept the second. */
static void test_vanished_from_the_queue(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    const uint64_t write = begin_write(&fixture);
    fixture_write(&fixture, "alice-1", 2, "d", "salt");
    fixture_shown(&fixture, "d", "salt");
    fixture_view(&fixture, "alice-1", "write");
    fixture_row(&fixture, "PUT", "todos", "d", "{\"description\":\"salt\"}");
    const uint64_t queue = fixture_queue(&fixture, "alice-1", 1);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){
                              "no-lost-write", "alice-1", "c", "committed once, refused, or still queued",
                              "neither committed nor refused nor queued", write, queue});
    fixture_close(&fixture);
}

/* Only a part of the transaction is left in the queue. */
static void test_queue_lost_an_operation(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\"}");
    fixture_row(&fixture, "PUT", "todos", "d", "{\"description\":\"salt\"}");
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\"}");
    fixture_queue(&fixture, "alice-1", 1);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* The answer was lost after the commit, and the run ended before the next attempt. */
static void test_committed_and_still_queued(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    begin_write(&fixture);
    commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_FAILED);
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\"}");
    fixture_queue(&fixture, "alice-1", 1);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* Transaction numbers are a client's own: those of alice-2 say nothing about alice-1. */
static void test_receipt_of_another_client(void **state) {
    (void)state;
    struct fixture fixture = fixture_open_for(only_no_lost_write, 1);
    begin_write(&fixture);
    fixture_upload(&fixture, "alice-2", NOTE_UPLOAD_STARTED, 1, "another-client");
    fixture_receipt(&fixture, "another-client", 1);
    fixture_commit(&fixture);
    answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* --- convergence --- */

static void test_client_left_behind(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    begin_write(&fixture);
    const uint64_t commit = commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    fixture_view(&fixture, "alice-1", "checkpoint");
    fixture_deleted(&fixture, "z"); /* touches nobody */
    fixture_commit(&fixture);
    empty_queues(&fixture);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    /* alice-2 last saw something in record 3: a commit and two views, of which the second is its own */
    expect_last(&fixture, &(struct expected_violation){"convergence", "alice-2", "c", "[\"bread\",0,1.5]",
                                                       "no row", commit, 3});
    fixture_close(&fixture);
}

static void test_queue_not_empty(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    const uint64_t write = begin_write(&fixture);
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\"}");
    const uint64_t queue = fixture_queue(&fixture, "alice-1", 1);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"convergence", "alice-1", "c", "an empty upload queue",
                                                       "1 queued transaction", write, queue});
    fixture_close(&fixture);
}

/* Its rows are right, but its gate is shut: it would show nothing that others write. */
static void test_write_checkpoint_never_applied(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    const uint64_t write = begin_write(&fixture);
    commit_write(&fixture);
    answer(&fixture, NOTE_UPLOAD_ACKNOWLEDGED);
    settle(&fixture);
    const uint64_t queue =
        fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_QUEUE, .text = "waiting"});
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){
                              "convergence", "alice-1", "", "nothing left to wait for",
                              "waits for the write checkpoint of its last upload", write, queue});
    fixture_close(&fixture);
}

/* A client that never showed anything. */
static void test_client_that_never_synced(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    fixture_document(&fixture, "a", "bob", NULL, "milk");
    const uint64_t commit = fixture_commit(&fixture);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"convergence", "bob-1", "a", "[\"milk\",0,1.5]",
                                                       "no row", commit, 0});
    fixture_close(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_committed_once),
        cmocka_unit_test(test_still_queued),
        cmocka_unit_test(test_accepted_but_not_committed),
        cmocka_unit_test(test_committed_twice),
        cmocka_unit_test(test_refused_but_committed),
        cmocka_unit_test(test_vanished_from_the_queue),
        cmocka_unit_test(test_queue_lost_an_operation),
        cmocka_unit_test(test_committed_and_still_queued),
        cmocka_unit_test(test_receipt_of_another_client),
        cmocka_unit_test(test_client_left_behind),
        cmocka_unit_test(test_queue_not_empty),
        cmocka_unit_test(test_write_checkpoint_never_applied),
        cmocka_unit_test(test_client_that_never_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
