/* Sessions, clearing and what an app sees of its sync, between scripted servers: 10 ms one way, no jitter. */
#include "fake_parties.h"

static struct client_status status_of(struct fake_parties *fake) {
    struct client_status status;

    client_status(fake->client, &status);
    return status;
}

static void clear(struct fake_parties *fake, bool soft) {
    const struct client_clearing clearing = {.local = true, .soft = soft};

    assert_int_equal(client_disconnect_and_clear(fake->client, clearing, NULL), STATUS_OK);
}

static void test_clear(void **state) {
    struct fake_parties *fake = fake_open_with_client(1);
    char *id = memory_copy_text(client_id(fake->client));

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l1", "Inbox");
    fake->upload_status = 503;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"Lost\"}");
    clear(fake, false);
    assert_notes(fake, "view clear\n", 1);
    assert_cell(fake, "lists", "name", "l1", "-");
    assert_cell(fake, "lists", "name", "l3", "-");
    assert_true(client_settled(fake->client)); /* neither queue nor gate is left */
    assert_string_equal(client_id(fake->client), id);
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->sent, 2); /* downloaded again */
    assert_cell(fake, "lists", "name", "l1", "Inbox");
    /* Numbers of transactions go on, so receipts of the cleared ones stay theirs. */
    fake_write(fake, CLIENT_PUT, "lists", "l4", "{\"name\":\"Next\"}");
    assert_notes(fake, "write tx=2 w1\n", 1);
    free(id);
    fake_close(fake);
}

/* What was downloaded stays: the next stream goes on behind it, and its checkpoint shows everything. */
static void test_soft_clear(void **state) {
    struct fake_parties *fake = fake_open_with_client(2);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    clear(fake, true);
    assert_notes(fake, "view tx=1 clear\n", 1);
    assert_cell(fake, "lists", "name", "l1", "-");
    fake->stream = 0;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l1", "Inbox");
    assert_cell(fake, "lists", "name", "l2", "Work");
    assert_int_equal(fake->downloaded, 2); /* all of it by the first stream */
    fake_close(fake);
}

static void test_clear_needs_process(void **state) {
    struct fake_parties *fake = fake_open_with_client(3);
    struct error error = {0};

    (void)state;
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    assert_int_equal(client_disconnect_and_clear(fake->client, (struct client_clearing){0}, &error),
                     STATUS_CONFLICT);
    assert_string_equal(error.message, "alice-1 is not running");
    fake_close(fake);
}

static void test_sign_in_as_another(void **state) {
    struct fake_parties *fake = fake_open_with_client(4);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    clear(fake, false);
    client_sign_out(fake->client);
    assert_null(client_user(fake->client));
    client_connect(fake->client); /* nobody is signed in: no request leaves the device */
    fake_run(fake, 11 * TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    assert_int_equal(fake->tokens, 1);
    assert_string_equal(status_of(fake).download_error, "not signed in");
    client_disconnect(fake->client);
    client_sign_in(fake->client, "bob");
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(count_of(&fake->transcript, "GET /token?user=bob -\n"), 1);
    assert_int_equal(count_of(&fake->transcript, "POST /sync/stream Token t2\n"), 1);
    fake_close(fake);
}

/* A token that is there is used on; when the service refuses it, the app has no other until it signs in
 * again: an attempt every 5 s +-10 %. */
static void test_expired_session(void **state) {
    struct fake_parties *fake = fake_open_with_client(5);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    client_expire_session(fake->client, true);
    client_disconnect(fake->client);
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    fake->refuse_streams = 1;
    fake->refuse_status = 401;
    host_http_reset(fake->service, fake->stream);
    fake_run(fake, 30 * TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(fake->tokens, 1);
    assert_in_range(count_of(&fake->notes, "disconnected: not signed in"), 3, 5);
    client_expire_session(fake->client, false);
    fake_run(fake, 6 * TIME_SECOND);
    assert_int_equal(fake->streams, 3);
    assert_int_equal(fake->tokens, 2);
    fake_close(fake);
}

static void test_status(void **state) {
    struct fake_parties *fake = fake_open_with_client(6);

    (void)state;
    assert_false(status_of(fake).connected || status_of(fake).connecting || status_of(fake).has_synced);
    client_connect(fake->client);
    assert_true(status_of(fake).connecting);
    fake_run(fake, TIME_SECOND);
    assert_true(status_of(fake).connected && status_of(fake).has_synced);
    assert_false(status_of(fake).connecting || status_of(fake).downloading || status_of(fake).uploading);
    assert_null(status_of(fake).download_error);
    /* Applied 40 ms after the start, to the millisecond. */
    assert_int_equal(status_of(fake).n_priorities, 1);
    assert_int_equal(status_of(fake).priorities[0].priority, CLIENT_PRIORITY_ALL);
    assert_int_equal(status_of(fake).priorities[0].last_synced_at,
                     (TIME_WALL_START + 40 * TIME_MILLISECOND) / TIME_MICROSECOND);
    fake->upload_status = 503;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"New\"}");
    for (int i = 0; i < 300 && !status_of(fake).uploading; i++) /* the throttle: 1 s +-10 % after the first */
        fake_run(fake, TIME_MILLISECOND);
    assert_true(status_of(fake).uploading);
    fake_run(fake, TIME_SECOND);
    assert_false(status_of(fake).uploading);
    assert_string_equal(status_of(fake).upload_error, "HTTP 503");
    fake->upload_status = 0;
    fake_run(fake, 7 * TIME_SECOND);
    assert_null(status_of(fake).upload_error);
    fake->refuse_streams = 1;
    fake->refuse_status = 503;
    host_http_reset(fake->service, fake->stream);
    fake_run(fake, 5600 * TIME_MILLISECOND);
    assert_false(status_of(fake).connected);
    assert_string_equal(status_of(fake).download_error, "HTTP 503: {\"error\":{}}");
    fake_close(fake);
}

/* A checkpoint that has begun to arrive: downloading. hasSynced stays over a restart, and goes with the data.
 */
static void test_has_synced(void **state) {
    struct fake_parties *fake = fake_open_with_client(7);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_send_line(fake,
                   "{\"checkpoint_diff\":{\"last_op_id\":\"3\",\"removed_buckets\":[],\"updated_buckets\":"
                   "[{\"bucket\":\"b\",\"checksum\":21,\"count\":3,\"priority\":3}]}}");
    fake_run(fake, 20 * TIME_MILLISECOND);
    assert_true(status_of(fake).downloading);
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    assert_int_equal(client_restart(fake->client, NULL), STATUS_OK);
    client_disconnect(fake->client);
    assert_true(status_of(fake).has_synced);
    assert_false(status_of(fake).downloading);
    clear(fake, false);
    assert_false(status_of(fake).has_synced);
    fake_close(fake);
}

static void count_call(void *context) {
    ++*(int *)context;
}

static void test_first_sync(void **state) {
    struct fake_parties *fake = fake_open_with_client(8);
    int calls = 0;

    (void)state;
    client_wait_for_first_sync(fake->client, count_call, &calls);
    client_connect(fake->client);
    fake_run(fake, 39 * TIME_MILLISECOND);
    assert_int_equal(calls, 0);
    fake_run(fake, 2 * TIME_MILLISECOND);
    assert_int_equal(calls, 1);
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(calls, 1);
    client_wait_for_first_sync(fake->client, count_call, &calls); /* it has been */
    assert_int_equal(calls, 2);
    fake_close(fake);
}

/* However many changes: once, 30 ms after the first since it ran last. */
static void test_watch(void **state) {
    struct fake_parties *fake = fake_open_with_client(10);
    int calls = 0;

    (void)state;
    client_watch(fake->client, count_call, &calls);
    fake_write(fake, CLIENT_PUT, "lists", "l5", "{\"name\":\"One\"}");
    fake_write(fake, CLIENT_PUT, "lists", "l6", "{\"name\":\"Two\"}");
    fake_run(fake, 29 * TIME_MILLISECOND);
    assert_int_equal(calls, 0);
    fake_run(fake, TIME_MILLISECOND);
    assert_int_equal(calls, 1);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(calls, 1);
    clear(fake, false);
    fake_run(fake, 30 * TIME_MILLISECOND);
    assert_int_equal(calls, 2);
    client_connect(fake->client);
    fake_run(fake, 69 * TIME_MILLISECOND); /* the first checkpoint comes after 40 ms */
    assert_int_equal(calls, 2);
    fake_run(fake, TIME_MILLISECOND);
    assert_int_equal(calls, 3);
    fake_write(fake, CLIENT_PUT, "lists", "l7", "{\"name\":\"Three\"}");
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(calls, 3);
    fake_close(fake);
}

static void test_mutant_stale_credentials(void **state) {
    struct fake_parties *fake = fake_open_with_client(9);

    (void)state;
    world_enable_mutant(fake->bench.world, "stale-credentials");
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    clear(fake, false);
    client_sign_in(fake->client, "bob");
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(count_of(&fake->transcript, "POST /sync/stream Token t1\n"), 2);
    fake_close(fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_soft_clear),
        cmocka_unit_test(test_clear_needs_process),
        cmocka_unit_test(test_sign_in_as_another),
        cmocka_unit_test(test_expired_session),
        cmocka_unit_test(test_status),
        cmocka_unit_test(test_has_synced),
        cmocka_unit_test(test_first_sync),
        cmocka_unit_test(test_watch),
        cmocka_unit_test(test_mutant_stale_credentials),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
