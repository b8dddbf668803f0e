/* Write checkpoints by checkpoint requests, between scripted servers: 10 ms one way, no jitter. */
#include "fake_parties.h"

/* Every stream begins with a request for 1 at least; the counter goes on behind what the service knows. */
static void test_numbers(void **state) {
    struct fake_parties *fake = fake_open_with_requests(1, 40);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n");
    fake_write(fake, CLIENT_PUT, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, 2 * TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n41\n");
    assert_int_equal(count_of(&fake->transcript, "write-checkpoint2"), 0);
    assert_notes(fake, "write-checkpoint ts=41\n", 1);
    assert_false(client_settled(fake->client));
    fake_put(fake, "lists", "l1", "{\"name\":\"Mine, checked\"}");
    fake_publish(fake, 40); /* the request before: not yet */
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l1", "Mine");
    fake_publish(fake, 41);
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l1", "Mine, checked");
    assert_true(client_settled(fake->client));
    fake_close(fake);
}

/* Not applied after 10 s: the same number is asked for again, until it is. */
static void test_watchdog(void **state) {
    struct fake_parties *fake = fake_open_with_requests(2, 0);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_write(fake, CLIENT_PUT, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, 2 * TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n");
    fake_run(fake, 7 * TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n");
    fake_run(fake, 3 * TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n2\n");
    fake_run(fake, 10 * TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n2\n2\n");
    fake_publish(fake, 2);
    fake_run(fake, 60 * TIME_SECOND);
    assert_true(client_settled(fake->client));
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n2\n2\n");
    fake_close(fake);
}

/* Without a seed there is no iteration: it fails, and the next one asks again 5 s +-10 % later. What was
 * uploaded meanwhile waits for its number. */
static void test_failed_seed(void **state) {
    struct fake_parties *fake = fake_open_with_requests(3, 0);

    (void)state;
    fake->refuse_checkpoints = 1;
    fake_write(fake, CLIENT_PUT, "lists", "l1", "{\"name\":\"Mine\"}");
    client_connect(fake->client);
    fake_run(fake, 4 * TIME_SECOND);
    assert_notes(fake, "disconnected: the checkpoint request failed", 1);
    assert_int_equal(fake->upload_count, 1);
    assert_string_equal(buffer_text(&fake->requested), "");
    fake_run(fake, 4 * TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(fake->tokens, 2); /* 401 has dropped the first */
    assert_string_equal(buffer_text(&fake->requested), "1\n2\n");
    fake_close(fake);
}

/* After a restart the first request is for what is awaited, so that the service cannot have forgotten it. */
static void test_restart(void **state) {
    struct fake_parties *fake = fake_open_with_requests(4, 6);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_write(fake, CLIENT_PUT, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, 2 * TIME_SECOND);
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    fake->stored_request = 0;
    assert_int_equal(client_restart(fake->client, NULL), STATUS_OK);
    fake_run(fake, TIME_SECOND);
    assert_string_equal(buffer_text(&fake->requested), "1\n7\n7\n");
    fake_close(fake);
}

/* Who needs a number does not wait until the stream is tried again: it is tried at once. But only once: as
 * long as the service refuses, the next attempts come after the usual delay. */
static void test_hurry(void **state) {
    struct fake_parties *fake = fake_open_with_requests(5, 0);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, 2 * TIME_SECOND);
    host_http_reset(fake->service, fake->stream);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    fake->refuse_streams = 1;
    fake->refuse_status = 503;
    fake_write(fake, CLIENT_PUT, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->refuse_streams, 0);
    assert_int_equal(fake->streams, 1);
    fake_run(fake, 2 * TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    fake_run(fake, 4 * TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    assert_notes(fake, "write-checkpoint ts=2\n", 1);
    fake_close(fake);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_numbers), cmocka_unit_test(test_watchdog),
                                       cmocka_unit_test(test_failed_seed), cmocka_unit_test(test_restart),
                                       cmocka_unit_test(test_hurry)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
