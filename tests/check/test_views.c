/* The four properties of views, each with histories that keep it and histories that break exactly it. */
#include "history_fixture.h"

#define ALICE_1 "3b0f2b7e-client-of-alice-1"

/* Two todos of alice, one of them shared with bob, in one mutation; everybody has them. */
static uint64_t seed(struct fixture *fixture) {
    fixture_document(fixture, "a", "alice", "bob", "milk");
    fixture_document(fixture, "b", "alice", "bob", "eggs");
    const uint64_t record = fixture_commit(fixture);
    for (size_t i = 0; i < 3; i++) {
        fixture_shown(fixture, "a", "milk");
        fixture_shown(fixture, "b", "eggs");
        fixture_view(fixture, fixture_clients[i], "checkpoint");
    }
    expect_violations(fixture, 0);
    return record;
}

/* A local write of alice-1 that shows at once. Returns the record of the write. */
static uint64_t write_and_show(struct fixture *fixture, int transaction, const char *uuid,
                               const char *description) {
    const uint64_t record = fixture_write(fixture, "alice-1", transaction, uuid, description);
    fixture_shown(fixture, uuid, description);
    fixture_view(fixture, "alice-1", "write");
    return record;
}

static void start_upload(struct fixture *fixture, int transaction) {
    fixture_upload(fixture, "alice-1", NOTE_UPLOAD_STARTED, transaction, ALICE_1);
}

static uint64_t acknowledge(struct fixture *fixture, int transaction) {
    return fixture_upload(fixture, "alice-1", NOTE_UPLOAD_ACKNOWLEDGED, transaction, NULL);
}

/* --- histories that keep every promise --- */

static void test_a_whole_round(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    write_and_show(&fixture, 1, "c", "bread");
    write_and_show(&fixture, 2, "a", NULL);
    start_upload(&fixture, 1);
    fixture_document(&fixture, "c", "alice", NULL, "bread");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    acknowledge(&fixture, 1);
    start_upload(&fixture, 2);
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_FAILED, 2, "reset");
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_RESTART});
    fixture_shown(&fixture, "b", "eggs");
    fixture_shown(&fixture, "c", "bread");
    fixture_view(&fixture, "alice-1", "restart");
    start_upload(&fixture, 2);
    fixture_deleted(&fixture, "a");
    fixture_receipt(&fixture, ALICE_1, 2);
    fixture_commit(&fixture);
    acknowledge(&fixture, 2);
    fixture_view(&fixture, "alice-1", "checkpoint"); /* all of it was on the screen already */
    fixture_shown(&fixture, "c", "bread");           /* alice-2 first sees the state in between */
    fixture_view(&fixture, "alice-2", "checkpoint");
    fixture_shown(&fixture, "a", NULL);
    fixture_view(&fixture, "alice-2", "checkpoint");
    fixture_shown(&fixture, "a", NULL);
    fixture_view(&fixture, "bob-1", "checkpoint");
    for (size_t i = 0; i < 3; i++)
        fixture_queue(&fixture, fixture_clients[i], 0);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    assert_int_equal(checker_judged(fixture.checker), 3 + 2 + 1 + 1 + 2 + 1);
    fixture_close(&fixture);
}

/* A refused write vanishes with the next checkpoint. */
static void test_rejected_write_vanishes(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    write_and_show(&fixture, 1, "c", "bread");
    start_upload(&fixture, 1);
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_REJECTED, 1, "not allowed");
    fixture_shown(&fixture, "c", NULL);
    fixture_view(&fixture, "alice-1", "checkpoint");
    fixture_queue(&fixture, "alice-1", 0);
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* The same rows at several commits: any of them is good, and showing them twice is not going back. */
static void test_equal_views_of_several_commits(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    fixture_view(&fixture, "bob-1", "checkpoint");
    fixture_document(&fixture, "a", "alice", "bob", "milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "milk"); /* as at the first commit, and as at the third */
    fixture_view(&fixture, "bob-1", "checkpoint");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk"); /* as at the second, and as at the fourth */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* A commit that does not touch a user's rows, or that leaves them as they were, is no step for that user. */
static void test_commits_of_others(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "z", "carol", NULL, "secret");
    fixture_commit(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "milk");
    fixture_commit(&fixture);
    fixture_view(&fixture, "bob-1", "checkpoint");
    fixture_view(&fixture, "alice-1", "checkpoint");
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* An engine may publish while transactions are queued, if it puts them on top again. */
static void test_checkpoint_under_queued_writes(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    write_and_show(&fixture, 1, "a", "soy milk");
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_document(&fixture, "b", "alice", "bob", "six eggs");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "b", "six eggs");
    fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* --- atomic-visibility --- */

static void test_half_of_a_commit(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_document(&fixture, "b", "alice", "bob", "six eggs");
    fixture_deleted(&fixture, "never-there");
    const uint64_t commit = fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    const uint64_t view = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"atomic-visibility", "bob-1", "b", "[\"six eggs\",0,1.5]",
                                             "[\"eggs\",0,1.5]", commit, view});
    fixture_shown(&fixture, "b", "six eggs"); /* the rest comes later: no new violation */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* A part is recognised although later commits wrote the same rows. */
static void test_part_of_an_older_commit(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "c", "alice", "bob", "bread");
    fixture_document(&fixture, "d", "alice", "bob", "salt");
    fixture_deleted(&fixture, "a");
    const uint64_t commit = fixture_commit(&fixture);
    fixture_document(&fixture, "d", "alice", "bob", "sea salt");
    fixture_commit(&fixture);
    fixture_document(&fixture, "d", "alice", "bob", "rock salt");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "c", "bread");
    fixture_shown(&fixture, "a", NULL);
    const uint64_t view = fixture_view(&fixture, "alice-2", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"atomic-visibility", "alice-2", "d",
                                                       "[\"salt\",0,1.5]", "no row", commit, view});
    fixture_close(&fixture);
}

/* Another commit has fewer rows that differ, by chance; but only the part explains all of them. */
static void test_part_is_preferred_to_chance(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "c", "alice", "bob", "bread");
    fixture_document(&fixture, "d", "alice", "bob", "salt");
    fixture_commit(&fixture);
    const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++)
        fixture_document(&fixture, names[i], "alice", "bob", "new");
    const uint64_t commit = fixture_commit(&fixture);
    fixture_document(&fixture, "c", "alice", "bob", "bread"); /* now only d tells the view from this commit */
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "new");
    fixture_shown(&fixture, "b", "new");
    fixture_shown(&fixture, "c", "bread");
    fixture_shown(&fixture, "d", "salt");
    const uint64_t view = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"atomic-visibility", "bob-1", "c", "[\"new\",0,1.5]",
                                                       "[\"bread\",0,1.5]", commit, view});
    fixture_close(&fixture);
}

/* --- prefix-consistency --- */

static void test_mixture_of_commits(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_document(&fixture, "b", "alice", "bob", "six eggs");
    const uint64_t newest = fixture_commit(&fixture);
    fixture_shown(&fixture, "b", "six eggs"); /* the later commit without the earlier one */
    const uint64_t view = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"prefix-consistency", "bob-1", "a", "[\"oat milk\",0,1.5]",
                                             "[\"milk\",0,1.5]", newest, view});
    fixture_close(&fixture);
}

/* A row from nowhere is reported once, not at every checkpoint after it. */
static void test_phantom_row(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    const uint64_t commit = seed(&fixture);
    fixture_shown(&fixture, "ghost", "boo");
    const uint64_t view = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"prefix-consistency", "bob-1", "ghost", "no row",
                                                       "[\"boo\",0,1.5]", commit, view});
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    fixture_shown(&fixture, "ghost2", "boo");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 2);
    fixture_close(&fixture);
}

static void test_wrong_value(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    const uint64_t commit = seed(&fixture);
    fixture_row(&fixture, NULL, "todos", "a", "[\"milk\",0,1.25]");
    const uint64_t view = fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"prefix-consistency", "alice-1", "a", "[\"milk\",0,1.5]",
                                             "[\"milk\",0,1.25]", commit, view});
    fixture_close(&fixture);
}

/* Rows of another user. */
static void test_foreign_row(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "z", "alice", NULL, "private");
    const uint64_t commit = fixture_commit(&fixture);
    fixture_shown(&fixture, "z", "private");
    fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_shown(&fixture, "z", "private");
    const uint64_t view = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    /* bob's rows did not change with that commit: the first one is the closest that changed them */
    assert_true(commit > 1);
    expect_last(&fixture, &(struct expected_violation){"prefix-consistency", "bob-1", "z", "no row",
                                                       "[\"private\",0,1.5]", 1, view});
    fixture_close(&fixture);
}

/* The view after a local write shows a change that the write did not make. */
static void test_stray_change(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    const uint64_t write = fixture_write(&fixture, "alice-1", 1, "c", "bread");
    fixture_shown(&fixture, "c", "bread");
    fixture_shown(&fixture, "a", "oat milk");
    const uint64_t view = fixture_view(&fixture, "alice-1", "write");
    expect_violations(&fixture, 1);
    assert_true(write < view);
    expect_last(&fixture, &(struct expected_violation){"prefix-consistency", "alice-1", "a",
                                                       "[\"milk\",0,1.5]", "[\"oat milk\",0,1.5]", 2, view});
    fixture_close(&fixture);
}

static void test_restart_loses_a_synced_row(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_add(&fixture, "bob-1", (struct note){.kind = NOTE_CRASH});
    fixture_add(&fixture, "bob-1", (struct note){.kind = NOTE_RESTART});
    fixture_shown(&fixture, "b", "eggs");
    const uint64_t view = fixture_view(&fixture, "bob-1", "restart");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"prefix-consistency", "bob-1", "a", "[\"milk\",0,1.5]",
                                                       "no row", 4, view});
    fixture_close(&fixture);
}

/* --- monotonic-reads --- */

static void test_going_back(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    const uint64_t newer = fixture_view(&fixture, "bob-1", "checkpoint");
    fixture_shown(&fixture, "a", "milk");
    const uint64_t older = fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"monotonic-reads", "bob-1", "a", "[\"oat milk\",0,1.5]",
                                             "[\"milk\",0,1.5]", newer, older});
    fixture_shown(&fixture, "a", "oat milk"); /* forward again is fine */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* What another client of the same user has seen does not matter. */
static void test_clients_stand_apart(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    fixture_view(&fixture, "alice-1", "checkpoint");
    fixture_view(&fixture, "alice-2", "checkpoint"); /* still at the first commit */
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_restart_goes_back(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    const uint64_t newer = fixture_view(&fixture, "bob-1", "checkpoint");
    fixture_add(&fixture, "bob-1", (struct note){.kind = NOTE_CRASH});
    fixture_add(&fixture, "bob-1", (struct note){.kind = NOTE_RESTART});
    fixture_shown(&fixture, "a", "milk");
    fixture_shown(&fixture, "b", "eggs");
    const uint64_t view = fixture_view(&fixture, "bob-1", "restart");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"monotonic-reads", "bob-1", "a", "[\"oat milk\",0,1.5]",
                                             "[\"milk\",0,1.5]", newer, view});
    fixture_close(&fixture);
}

/* --- read-your-writes --- */

static void test_write_not_shown(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    const uint64_t write = fixture_write(&fixture, "alice-1", 1, "a", "oat milk");
    fixture_shown(&fixture, "a", "milk?");
    const uint64_t view = fixture_view(&fixture, "alice-1", "write");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"read-your-writes", "alice-1", "a", "[\"oat milk\",0,1.5]",
                                             "[\"milk?\",0,1.5]", write, view});
    fixture_close(&fixture);
}

/* No view at all was noted for the write; the next checkpoint finds out. */
static void test_write_without_view(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    const uint64_t write = fixture_write(&fixture, "alice-1", 1, "a", NULL);
    const uint64_t view = fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"read-your-writes", "alice-1", "a", "no row",
                                                       "[\"milk\",0,1.5]", write, view});
    fixture_close(&fixture);
}

/* The gate was open: the upload was accepted, but the checkpoint is from before its commit. */
static void test_flicker_after_acknowledgement(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    const uint64_t write = write_and_show(&fixture, 1, "c", "bread");
    start_upload(&fixture, 1);
    fixture_document(&fixture, "c", "alice", NULL, "bread");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    acknowledge(&fixture, 1);
    fixture_shown(&fixture, "c", NULL);
    const uint64_t view = fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"read-your-writes", "alice-1", "c",
                                                       "[\"bread\",0,1.5]", "no row", write, view});
    fixture_shown(&fixture, "c", "bread");
    fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* Another client of the same user may well be behind. */
static void test_others_need_not_have_it(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    write_and_show(&fixture, 1, "c", "bread");
    start_upload(&fixture, 1);
    fixture_document(&fixture, "c", "alice", NULL, "bread");
    fixture_receipt(&fixture, ALICE_1, 1);
    fixture_commit(&fixture);
    acknowledge(&fixture, 1);
    fixture_view(&fixture, "alice-2", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_queued_write_overwritten(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    const uint64_t write = write_and_show(&fixture, 1, "a", "soy milk");
    fixture_document(&fixture, "a", "alice", "bob", "oat milk");
    fixture_commit(&fixture);
    fixture_shown(&fixture, "a", "oat milk");
    const uint64_t view = fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"read-your-writes", "alice-1", "a",
                                             "{\"description\":\"soy milk\",\"completed\":0,\"rank\":1.5}",
                                             "[\"oat milk\",0,1.5]", write, view});
    fixture_close(&fixture);
}

static void test_restart_loses_an_own_write(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    write_and_show(&fixture, 1, "c", "bread");
    const uint64_t shown = history_length(fixture.history);
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_CRASH});
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_RESTART});
    fixture_shown(&fixture, "a", "milk");
    fixture_shown(&fixture, "b", "eggs");
    const uint64_t view = fixture_view(&fixture, "alice-1", "restart");
    expect_violations(&fixture, 1);
    expect_last(&fixture, &(struct expected_violation){"read-your-writes", "alice-1", "c",
                                                       "[\"bread\",0,1.5]", "no row", shown, view});
    fixture_close(&fixture);
}

/* Several operations on one row in one transaction: the last state counts, and a PATCH keeps the other
 * columns. */
static void test_operations_add_up(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    fixture_row(&fixture, "PUT", "todos", "c", "{\"description\":\"bread\",\"rank\":0.1}");
    fixture_row(&fixture, "PATCH", "todos", "c", "{\"completed\":1}");
    fixture_row(&fixture, "PATCH", "todos", "a", "{\"description\":null,\"rank\":3}");
    fixture_row(&fixture, "DELETE", "todos", "b", NULL);
    fixture_row(&fixture, "PATCH", "todos", "nowhere", "{\"completed\":1}");
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_row(&fixture, NULL, "todos", "c", "[\"bread\",1,0.1]");
    fixture_row(&fixture, NULL, "todos", "a", "[null,0,3.0]");
    fixture_row(&fixture, NULL, "todos", "b", NULL);
    fixture_view(&fixture, "alice-1", "write");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* --- limits --- */

static void test_sixteen_are_kept(void **state) {
    (void)state;
    struct fixture fixture = fixture_open();
    seed(&fixture);
    for (int i = 0; i < 40; i++) {
        fixture_shown(&fixture, arena_format(&fixture.arena, "ghost-%d", i), "boo");
        fixture_view(&fixture, "bob-1", "checkpoint");
    }
    expect_violations(&fixture, 16);
    fixture_close(&fixture);
}

static void test_chosen_properties_only(void **state) {
    (void)state;
    static const char *const chosen[] = {"monotonic-reads"};
    struct fixture fixture = fixture_open_for(chosen, 1);
    seed(&fixture);
    fixture_shown(&fixture, "ghost", "boo");
    fixture_view(&fixture, "bob-1", "checkpoint");
    checker_finish(fixture.checker);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_unknown_names(void **state) {
    (void)state;
    static const char *const chosen[] = {"monotonic-reads", "monotone-reads"};
    struct check_settings settings = {.schema = &fixture_schema,
                                      .sync_config = fixture_config,
                                      .clients = fixture_clients,
                                      .users = fixture_users,
                                      .n_clients = 3,
                                      .properties = chosen,
                                      .n_properties = 2};
    struct history *history = history_create();
    struct checker *checker;
    struct error error;
    assert_int_equal(checker_create(history, NULL, &settings, &checker, &error), STATUS_NOT_FOUND);
    assert_non_null(strstr(error.message, "monotone-reads"));
    settings.n_properties = 1;
    settings.sync_config = "streams: 7";
    assert_int_equal(checker_create(history, NULL, &settings, &checker, &error), STATUS_INVALID);
    history_destroy(history);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_round),
        cmocka_unit_test(test_rejected_write_vanishes),
        cmocka_unit_test(test_equal_views_of_several_commits),
        cmocka_unit_test(test_commits_of_others),
        cmocka_unit_test(test_checkpoint_under_queued_writes),
        cmocka_unit_test(test_half_of_a_commit),
        cmocka_unit_test(test_part_of_an_older_commit),
        cmocka_unit_test(test_part_is_preferred_to_chance),
        cmocka_unit_test(test_mixture_of_commits),
        cmocka_unit_test(test_phantom_row),
        cmocka_unit_test(test_wrong_value),
        cmocka_unit_test(test_foreign_row),
        cmocka_unit_test(test_stray_change),
        cmocka_unit_test(test_restart_loses_a_synced_row),
        cmocka_unit_test(test_going_back),
        cmocka_unit_test(test_clients_stand_apart),
        cmocka_unit_test(test_restart_goes_back),
        cmocka_unit_test(test_write_not_shown),
        cmocka_unit_test(test_write_without_view),
        cmocka_unit_test(test_flicker_after_acknowledgement),
        cmocka_unit_test(test_others_need_not_have_it),
        cmocka_unit_test(test_queued_write_overwritten),
        cmocka_unit_test(test_restart_loses_an_own_write),
        cmocka_unit_test(test_operations_add_up),
        cmocka_unit_test(test_sixteen_are_kept),
        cmocka_unit_test(test_chosen_properties_only),
        cmocka_unit_test(test_unknown_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
