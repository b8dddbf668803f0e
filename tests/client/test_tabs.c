/* What tabs share: who asked first has a lock first, whoever closes gives it up, whoever is frozen keeps it,
 * and the others hear of changes. Then two tabs on one database. */
#include "bench_world.h"

#include "client/client_parts.h"

enum { TABS = 3 };

static struct {
    struct bench_world bench;
    struct tabs *tabs;
    struct client clients[TABS];
    struct buffer log;
} fixture;

static void begin(void *context) {
    const struct client *client = context;
    buffer_printf(&fixture.log, "%d begins\n", (int)(client - fixture.clients) + 1);
}

static void changed(void *context) {
    const struct client *client = context;
    buffer_printf(&fixture.log, "%d hears\n", (int)(client - fixture.clients) + 1);
}

static void check_log(const char *expected) {
    assert_string_equal(buffer_text(&fixture.log), expected);
    buffer_clear(&fixture.log);
}

static void run_for(int64_t time) {
    assert_int_equal(world_run(fixture.bench.world, world_now(fixture.bench.world) + time, NULL), STATUS_OK);
}

static int set_up(void **state) {
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    fixture.bench = bench_open(1);
    fixture.tabs = tabs_create();
    for (size_t i = 0; i < TABS; i++) {
        struct client *client = &fixture.clients[i];
        client->host = i == 0 ? net_node(fixture.bench.net, "a") : net_process(fixture.bench.net, "a");
        client->tabs = fixture.tabs;
        client_watch(client, changed, client);
        tabs_add(fixture.tabs, client);
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    for (size_t i = 0; i < TABS; i++)
        tabs_remove(fixture.tabs, &fixture.clients[i]);
    tabs_destroy(fixture.tabs);
    bench_close(&fixture.bench);
    buffer_free(&fixture.log);
    return 0;
}

static void take(size_t tab, enum tabs_lock lock) {
    tabs_take(&fixture.clients[tab - 1], lock, begin, &fixture.clients[tab - 1]);
}

static void release(size_t tab, enum tabs_lock lock) {
    tabs_release(&fixture.clients[tab - 1], lock);
}

static void locks_go_round(void **state) {
    (void)state;
    take(3, TABS_SYNC);
    check_log(""); /* never from inside the call */
    take(1, TABS_SYNC);
    take(2, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("3 begins\n");
    take(2, TABS_CRUD);
    run_for(TIME_SECOND);
    check_log("2 begins\n"); /* the locks are two */
    release(3, TABS_SYNC);
    take(3, TABS_SYNC); /* behind the others now */
    run_for(TIME_SECOND);
    check_log("1 begins\n");
    release(2, TABS_SYNC); /* who no longer waits is passed over */
    release(1, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("3 begins\n");
}

static void no_tabs_no_waiting(void **state) {
    (void)state;
    struct client alone = {.host = fixture.clients[0].host};
    tabs_take(&alone, TABS_SYNC, begin, &fixture.clients[1]);
    check_log("2 begins\n");
    tabs_release(&alone, TABS_SYNC);
    tabs_announce(&alone, false);
}

static void who_closes_gives_up_his_lock(void **state) {
    (void)state;
    take(1, TABS_SYNC);
    take(2, TABS_SYNC);
    take(3, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("1 begins\n");
    assert_int_equal(tabs_close(&fixture.clients[1]), 2); /* it waited */
    assert_int_equal(tabs_close(&fixture.clients[0]), 1);
    run_for(TIME_SECOND);
    check_log("3 begins\n");
    assert_int_equal(tabs_open(&fixture.clients[0]), 2);
    take(1, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("");
    /* Closed between the grant and its arrival. */
    release(3, TABS_SYNC);
    tabs_close(&fixture.clients[0]);
    take(3, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("3 begins\n");
}

static void who_is_frozen_keeps_his_lock(void **state) {
    (void)state;
    take(1, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("1 begins\n");
    take(2, TABS_SYNC);
    net_freeze_process(fixture.clients[0].host);
    run_for(TIME_HOUR);
    check_log("");
    /* So does one that gets it in its sleep. */
    net_freeze_process(fixture.clients[1].host);
    net_thaw_process(fixture.bench.net, fixture.clients[0].host);
    release(1, TABS_SYNC);
    take(3, TABS_SYNC);
    run_for(TIME_SECOND);
    check_log("");
    net_thaw_process(fixture.bench.net, fixture.clients[1].host);
    run_for(TIME_SECOND);
    check_log("2 begins\n");
}

static void others_hear_of_changes(void **state) {
    (void)state;
    tabs_announce(&fixture.clients[1], false);
    tabs_announce(&fixture.clients[1], false);
    check_log("");
    run_for(TIME_SECOND);
    assert_int_equal(fixture.log.length, strlen("1 hears\n3 hears\n")); /* once each, in either order */
    assert_non_null(strstr(buffer_text(&fixture.log), "1 hears\n"));
    assert_non_null(strstr(buffer_text(&fixture.log), "3 hears\n"));
    buffer_clear(&fixture.log);
    tabs_announce(&fixture.clients[1], false);
    tabs_close(&fixture.clients[2]);
    tabs_announce(&fixture.clients[1], false); /* it is not there to hear */
    net_freeze_process(fixture.clients[0].host);
    run_for(TIME_SECOND);
    check_log("");
    net_thaw_process(fixture.bench.net, fixture.clients[0].host);
    run_for(TIME_SECOND);
    check_log("1 hears\n");
}

/* --- two engines on one database --- */

struct pair {
    struct disk *disk;
    struct host *hosts[2];
    struct engine *engines[2];
};

static struct pair open_pair(void) {
    struct pair pair = {0};
    struct error error = {0};
    pair.hosts[0] = net_node(fixture.bench.net, "b");
    pair.hosts[1] = net_process(fixture.bench.net, "b");
    pair.disk = disk_create(pair.hosts[0]);
    client_pool_use_disk(fixture.bench.pool, "b", &(struct client_disk){.disk = pair.disk, .shared = true});
    if (engine_core_create(fixture.bench.pool, pair.hosts[0], &pair.engines[0], &error) != STATUS_OK ||
        engine_core_join(pair.engines[0], pair.hosts[1], &pair.engines[1], &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return pair;
}

static void close_pair(struct pair *pair) {
    for (size_t i = 0; i < 2; i++)
        engine_destroy(pair->engines[i]);
    disk_destroy(pair->disk);
}

/* The number of the transaction. Only this row looks different to the app, whoever wrote the one before. */
static int64_t write_row(struct engine *engine, const char *id) {
    json_t *values = json_pack("{s:s}", "name", "a list");
    const struct client_operation operation = {CLIENT_PUT, "lists", id, values};
    struct engine_result result;
    struct error error = {0};
    if (engine->operations->write(engine, &operation, 1, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    assert_int_equal(result.n_rows, 1);
    assert_string_equal(result.rows[0].id, id);
    json_decref(values);
    return result.transaction;
}

static int64_t count_rows(struct engine *engine) {
    sqlite3_stmt *statement = NULL;
    int64_t count = -1;
    if (sqlite3_prepare_v2(engine->operations->database(engine), "SELECT count(*) FROM lists", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static struct engine_result restart(struct engine *engine) {
    struct engine_result result;
    struct error error = {0};
    if (engine->operations->restart(engine, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return result;
}

static void tabs_share_a_database(void **state) {
    (void)state;
    struct pair pair = open_pair();
    struct engine *one = pair.engines[0], *two = pair.engines[1];
    struct engine_transaction transaction;
    assert_string_equal(one->operations->client_id(one), two->operations->client_id(two));
    assert_int_equal(write_row(one, "l1"), 1);
    assert_int_equal(write_row(two, "l2"), 2);
    assert_int_equal(write_row(one, "l3"), 3);
    assert_int_equal(count_rows(two), 3);
    assert_int_equal(two->operations->next_transaction(two, 0, &transaction, NULL), STATUS_OK);
    assert_int_equal(transaction.transaction, 1); /* written by the other */
    assert_int_equal(two->operations->complete(two, transaction.last, ENGINE_TARGET_UNKNOWN, NULL),
                     STATUS_OK);
    engine_transaction_free(&transaction);
    assert_int_equal(one->operations->queue_head(one), 2);
    close_pair(&pair);
}

/* One that ends and comes back beside the other tells nothing; the first to come back after both have ended
 * tells all that they wrote. */
static void tabs_come_and_go(void **state) {
    (void)state;
    struct pair pair = open_pair();
    struct engine *one = pair.engines[0], *two = pair.engines[1];
    write_row(one, "l1");
    one->operations->end(one);
    write_row(two, "l2");
    struct engine_result result = restart(one);
    assert_true(result.joined);
    assert_int_equal(result.n_rows, 0);
    assert_int_equal(count_rows(one), 2);
    write_row(one, "l3");
    one->operations->end(one);
    two->operations->end(two);
    result = restart(two);
    assert_false(result.joined);
    assert_null(result.aftermath);
    assert_int_equal(result.n_rows, 3);
    assert_int_equal(result.survived, 3);
    assert_int_equal(result.promised, 3); /* whoever wrote them */
    assert_true(restart(one).joined);
    assert_int_equal(count_rows(one), 3);
    close_pair(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(locks_go_round, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_tabs_no_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_closes_gives_up_his_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_is_frozen_keeps_his_lock, set_up, tear_down),
        cmocka_unit_test_setup_teardown(others_hear_of_changes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tabs_share_a_database, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tabs_come_and_go, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
