/* Streams that an app opens and leaves while it runs, between scripted servers: 10 ms one way, no jitter. */
#include "fake_parties.h"

static const struct client_subscription page = {.stream = "page", .parameters = "{\"n\":1}", .ttl = 5};
static const char asked_page[] = " asked\n    page/{\"n\":1} gone\n", asked_nothing[] = " asked\n",
                  keepalive[] = "{\"token_expires_in\":3600}";

static struct fake_parties *open_connected(uint64_t seed) {
    struct fake_parties *fake = fake_open_with_client(seed);

    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    return fake;
}

static void subscribe(struct fake_parties *fake) {
    assert_int_equal(client_subscribe(fake->client, &page, NULL), STATUS_OK);
}

static void count_call(void *context) {
    ++*(int *)context;
}

/* The request changes, and the app sees no disconnect. */
static void test_open(void **state) {
    struct fake_parties *fake = open_connected(1);
    struct client_status status;

    (void)state;
    subscribe(fake);
    client_status(fake->client, &status);
    assert_true(status.connected);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_notes(fake, asked_page, 1);
    assert_notes(fake, "disconnected", 0);
    subscribe(fake); /* by a second page: nothing new to ask for */
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    fake_close(fake);
}

/* Keepalives renew what is open; what was left by all pages goes with the first one after its 5 s. */
static void test_time_to_live(void **state) {
    struct fake_parties *fake = open_connected(2);

    (void)state;
    subscribe(fake);
    subscribe(fake);
    for (int i = 0; i < 10; i++) {
        fake_run(fake, TIME_SECOND);
        fake_send_line(fake, keepalive);
    }
    assert_int_equal(fake->streams, 2);
    client_unsubscribe(fake->client, &page);
    fake_run(fake, 3 * TIME_SECOND);
    fake_send_line(fake, keepalive);
    fake_run(fake, 3 * TIME_SECOND);
    fake_send_line(fake, keepalive);
    fake_run(fake, TIME_SECOND / 10);
    client_unsubscribe(fake->client, &page); /* now nobody has it open */
    fake_run(fake, 4 * TIME_SECOND);
    fake_send_line(fake, keepalive);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    fake_run(fake, TIME_SECOND);
    fake_send_line(fake, keepalive);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 3);
    assert_notes(fake, " left\n", 1);
    assert_notes(fake, asked_nothing, 2); /* also the beginning of what was asked before */
    fake_close(fake);
}

/* Letting go at once does not wait for the time to be over. */
static void test_unsubscribe_all(void **state) {
    struct fake_parties *fake = open_connected(3);

    (void)state;
    subscribe(fake);
    fake_run(fake, TIME_SECOND);
    client_unsubscribe(fake->client, &page);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(client_unsubscribe_all(fake->client, &page, NULL), STATUS_OK);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 3);
    fake_close(fake);
}

/* What a process had open it has open no longer, but its streams stay for their time. */
static void test_crash(void **state) {
    struct fake_parties *fake = open_connected(4);

    (void)state;
    subscribe(fake);
    fake_run(fake, TIME_SECOND);
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    assert_int_equal(client_restart(fake->client, NULL), STATUS_OK);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 3);
    assert_notes(fake, " asked\n", 1); /* the same as before */
    fake_run(fake, 5 * TIME_SECOND);
    fake_send_line(fake, keepalive);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 4);
    fake_close(fake);
}

/* Clearing takes the database's list; the app asks anew for what it has open. */
static void test_clear(void **state) {
    const struct client_clearing clearing = {.local = true};
    struct fake_parties *fake = open_connected(5);
    struct client_stream_status status;

    (void)state;
    subscribe(fake);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(client_disconnect_and_clear(fake->client, clearing, NULL), STATUS_OK);
    assert_true(client_stream_status(fake->client, &page, &status));
    assert_true(status.subscribed);
    assert_false(status.active);
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, " asked\n", 1); /* again for it */
    fake_close(fake);
}

/* A page waits for a checkpoint that was asked for with it; once it was there nobody waits again. */
static void test_first_sync(void **state) {
    struct fake_parties *fake = open_connected(6);
    struct client_stream_status status;
    int calls = 0;

    (void)state;
    assert_false(client_stream_status(fake->client, &page, &status));
    fake->refuse_streams = 1;
    fake->refuse_status = 503;
    subscribe(fake);
    client_wait_for_stream(fake->client, &page, count_call, &calls);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->refuse_streams, 0);
    assert_int_equal(calls, 0);
    fake_run(fake, 6 * TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(calls, 1);
    assert_true(client_stream_status(fake->client, &page, &status));
    assert_true(status.subscribed && !status.is_default && status.last_synced_at > 0);
    client_disconnect(fake->client);
    client_wait_for_stream(fake->client, &page, count_call, &calls);
    assert_int_equal(calls, 2);
    assert_notes(fake, " synced\n", 2);
    fake_close(fake);
}

/* Offline nobody hears of a first sync, and what is subscribed to shows in the status all the same. */
static void test_offline(void **state) {
    struct fake_parties *fake = fake_open_with_client(7);
    struct client_stream_status status;
    int calls = 0, whole = 0;

    (void)state;
    subscribe(fake);
    client_wait_for_stream(fake->client, &page, count_call, &calls);
    client_wait_for_first_sync(fake->client, count_call, &whole);
    fake_run(fake, 60 * TIME_SECOND);
    assert_int_equal(calls + whole, 0);
    assert_true(client_stream_status(fake->client, &page, &status));
    assert_true(status.subscribed && status.last_synced_at == 0);
    fake_close(fake);
}

/* One stream ends before the next begins, however often the app connects, and the last word counts. */
static void test_connect_again(void **state) {
    struct fake_parties *fake = open_connected(8);
    struct client_status status;

    (void)state;
    client_connect_again(fake->client);
    client_connect_again(fake->client);
    client_disconnect(fake->client);
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "connection connected\n", 2);
    client_connect_again(fake->client);
    client_disconnect(fake->client);
    fake_run(fake, 20 * TIME_SECOND);
    assert_notes(fake, "connection connected\n", 2);
    client_status(fake->client, &status);
    assert_false(status.connected || status.connecting);
    assert_int_equal(fake->stream, 0); /* the service has none either */
    fake_close(fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_open),
                                       cmocka_unit_test(test_time_to_live),
                                       cmocka_unit_test(test_unsubscribe_all),
                                       cmocka_unit_test(test_crash),
                                       cmocka_unit_test(test_clear),
                                       cmocka_unit_test(test_first_sync),
                                       cmocka_unit_test(test_offline),
                                       cmocka_unit_test(test_connect_again)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
