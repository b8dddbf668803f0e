/* The SDK's loops between scripted servers on a simulated network: 10 ms one way, no jitter. */
#include "fake_parties.h"

/* When a note with this text came first, ms. */
static long long time_of(struct fake_parties *fake, const char *part) {
    const char *at = strstr(buffer_text(&fake->notes), part);

    if (at == NULL)
        fail_msg("no \"%s\" in\n%s", part, buffer_text(&fake->notes));
    while (at > fake->notes.data && at[-1] != '\n')
        at--;
    return atoll(at);
}

static void test_connects_and_shows(void **state) {
    struct fake_parties *fake = fake_open_with_client(1);

    (void)state;
    client_connect(fake->client);
    client_connect(fake->client); /* idempotent */
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    assert_int_equal(fake->tokens, 1);
    assert_non_null(strstr(buffer_text(&fake->transcript), "GET /token?user=alice -\n"));
    assert_non_null(strstr(buffer_text(&fake->transcript), "POST /sync/stream Token t1\n"));
    /* Token and stream cost a round trip of 20 ms each, then one way for the lines. */
    assert_int_equal(time_of(fake, "view ts=2 checkpoint"), 40);
    assert_notes(fake, "    lists/l1 [\"Inbox\",\"alice\",null]\n", 1);
    assert_notes(fake, "    lists/l2 [\"Work\",\"alice\",null]\n", 1);
    assert_cell(fake, "lists", "name", "l2", "Work");
    assert_true(client_settled(fake->client));
    /* Nothing new but a checkpoint: told without rows. */
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "view ts=2 checkpoint\n", 2);
    assert_notes(fake, "    lists/", 2);
    /* The same row once more: the app sees no difference. */
    fake_put(fake, "lists", "l2", "{\"name\":\"Work\",\"owner_id\":\"alice\"}");
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "view ts=3 checkpoint\n", 1);
    assert_notes(fake, "    lists/", 2);
    fake_close(fake);
}

/* A write blocks every checkpoint until one carries the write checkpoint that was asked for after the upload.
 */
static void test_gate(void **state) {
    struct fake_parties *fake = fake_open_with_client(2);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->hold_checkpoints = true;
    fake_write(fake, CLIENT_PATCH, "lists", "l1", "{\"name\":\"Mine\"}");
    assert_notes(fake, "write tx=1 w1\n    PATCH lists/l1 {\"name\":\"Mine\"}\n", 1);
    assert_notes(fake, "view write\n    lists/l1 [\"Mine\",\"alice\",null]\n", 1);
    assert_false(client_settled(fake->client));
    fake_run(fake, 2 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 1);
    assert_notes(fake, "upload-started tx=1", 1);
    assert_notes(fake, "upload-acknowledged tx=1", 1);
    assert_int_not_equal(fake->held_checkpoint, 0);
    /* Somebody else's change must wait too: the checkpoint does not know the write checkpoint. */
    fake_put(fake, "lists", "l2", "{\"name\":\"Theirs\",\"owner_id\":\"alice\"}");
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l2", "Work");
    assert_cell(fake, "lists", "name", "l1", "Mine");
    assert_false(client_settled(fake->client));
    /* The id arrives; the checkpoint that is held back has none, so it stays back. */
    answer_checkpoint(fake, fake->held_checkpoint);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "write-checkpoint ts=1\n", 1);
    assert_cell(fake, "lists", "name", "l2", "Work");
    assert_false(client_settled(fake->client));
    /* A checkpoint with the id publishes all at once, the backend's result of the write included. */
    fake_put(fake, "lists", "l1", "{\"name\":\"Mine, checked\",\"owner_id\":\"alice\"}");
    fake_publish(fake, 1);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake,
                 "view ts=4 checkpoint\n    lists/l1 [\"Mine, checked\",\"alice\",null]\n"
                 "    lists/l2 [\"Theirs\",\"alice\",null]\n",
                 1);
    assert_true(client_settled(fake->client));
    fake_close(fake);
}

/* The checkpoint with the id comes before the answer with the id: it is held back, and applied by
 * completed_upload. */
static void test_checkpoint_before_id(void **state) {
    struct fake_parties *fake = fake_open_with_client(3);
    const struct world_counter *marks;
    size_t n_marks;
    bool marked = false;

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->hold_checkpoints = true;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"New\"}");
    fake_run(fake, 2 * TIME_SECOND);
    fake_put(fake, "lists", "l3", "{\"name\":\"New\",\"owner_id\":\"alice\"}");
    fake_publish(fake, 1);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "view ts=3 checkpoint", 0);
    n_marks = world_marks(fake->bench.world, &marks);
    for (size_t i = 0; i < n_marks; i++)
        marked |= strcmp(marks[i].name, "client.checkpoint-blocked-by-upload") == 0 && marks[i].reached == 1;
    assert_true(marked);
    answer_checkpoint(fake, fake->held_checkpoint);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "view ts=3 checkpoint\n    lists/l3 [\"New\",\"alice\",null]\n", 1);
    assert_true(client_settled(fake->client));
    fake_close(fake);
}

/* A second write while the id is on its way: that id is not used, another is asked for. */
static void test_write_during_request(void **state) {
    struct fake_parties *fake = fake_open_with_client(4);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->hold_checkpoints = true;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"One\"}");
    fake_run(fake, 2 * TIME_SECOND);
    fake_write(fake, CLIENT_PUT, "lists", "l4", "{\"name\":\"Two\"}");
    fake->hold_checkpoints = false;
    answer_checkpoint(fake, fake->held_checkpoint);
    fake_run(fake, 10 * TIME_MILLISECOND);
    fake_publish(fake, 1);
    fake_run(fake, 20 * TIME_MILLISECOND);
    assert_cell(fake, "lists", "name", "l3", "One"); /* not published: the service does not have it */
    fake_run(fake, 5 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 2);
    assert_notes(fake, "write-checkpoint ts=2\n", 1);
    fake_publish(fake, 2);
    fake_run(fake, TIME_SECOND);
    assert_true(client_settled(fake->client));
    assert_cell(fake, "lists", "name", "l3", "-");
    fake_close(fake);
}

static void test_upload_body(void **state) {
    struct fake_parties *fake = fake_open_with_client(5);
    json_t *row = json_pack("{s:s, s:n, s:i, s:f}", "description", "say \"hi\"", "tags", "completed", 1,
                            "estimated_hours", 1.5);
    const struct client_operation operations[] = {
        {.kind = CLIENT_PUT, .table = "todos", .id = "t1", .values = row},
        {.kind = CLIENT_DELETE, .table = "lists", .id = "l1"},
        {.kind = CLIENT_DELETE, .table = "lists", .id = "nobody"}, /* meets no row: is not part of it */
    };
    char *expected;

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(client_write(fake->client, operations, 3, NULL, NULL), STATUS_OK);
    fake_run(fake, 2 * TIME_SECOND);
    expected = memory_format(
        "{\"path\":\"sync:applyTransaction\",\"args\":{\"clientId\":\"%s\",\"transactionId\":\"1\","
        "\"operations\":[{\"op\":\"PUT\",\"table\":\"todos\",\"id\":\"t1\",\"data\":{\"completed\":1,"
        "\"description\":\"say \\\"hi\\\"\",\"estimated_hours\":1.5}},{\"op\":\"DELETE\","
        "\"table\":\"lists\",\"id\":\"l1\"}]},\"format\":\"json\"}\n",
        client_id(fake->client));
    assert_string_equal(buffer_text(&fake->uploads), expected);
    assert_notes(fake, "    DELETE lists/nobody", 0);
    assert_notes(fake, "    lists/l1 gone\n", 1);
    free(expected);
    json_decref(row);
    fake_close(fake);
}

/* All rows or none, and nothing to tell. */
static void test_failed_write(void **state) {
    struct fake_parties *fake = fake_open_with_client(6);
    json_t *row = json_pack("{s:s}", "name", "x");
    const struct client_operation operations[] = {
        {.kind = CLIENT_PUT, .table = "lists", .id = "l9", .values = row},
        {.kind = CLIENT_PUT, .table = "nothing", .id = "n1", .values = row},
    };
    const struct client_operation none = {.kind = CLIENT_DELETE, .table = "lists", .id = "nobody"};

    (void)state;
    assert_int_equal(client_write(fake->client, operations, 2, NULL, NULL), STATUS_NOT_FOUND);
    assert_cell(fake, "lists", "name", "l9", "-");
    assert_int_equal(client_write(fake->client, &none, 1, NULL, NULL), STATUS_OK);
    assert_int_equal(fake->notes.length, 0);
    assert_true(client_settled(fake->client));
    json_decref(row);
    fake_close(fake);
}

static void run_to_end(struct fake_parties *fake, size_t chunk) {
    fake->chunk = chunk;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_put(fake, "todos", "t1", "{\"description\":\"gr\\u00fcn \\n {[\\\"\",\"completed\":1}");
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
}

/* Wherever the body is cut, the same is told at the same time. */
static void test_chunks(void **state) {
    struct fake_parties *whole = fake_open_with_client(7);

    (void)state;
    run_to_end(whole, 0);
    assert_notes(whole, "    todos/t1 [\"grün \\n {[\\\"\",1,null,null,null,null,null]\n", 1);
    for (size_t chunk = 1; chunk < 40; chunk += 3) {
        char *expected = memory_copy_text(buffer_text(&whole->notes));
        struct fake_parties *cut;

        fake_close(whole); /* one world at a time */
        cut = fake_open_with_client(7);
        run_to_end(cut, chunk);
        assert_string_equal(buffer_text(&cut->notes), expected);
        free(expected);
        whole = cut;
    }
    fake_close(whole);
}

/* 5 s +-10 % after the stream ended, and resumed where it stood. */
static void test_reconnect_delay(void **state) {
    struct fake_parties *fake = fake_open_with_client(8);
    long long closed, again;

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    host_http_end(fake->service, fake->stream);
    fake_run(fake, 8 * TIME_SECOND);
    assert_int_equal(fake->streams, 2);
    closed = time_of(fake, "connection disconnected: end of stream");
    buffer_consume(&fake->notes, (size_t)(strstr(fake->notes.data, "disconnected") - fake->notes.data));
    again = time_of(fake, "connection connecting");
    assert_in_range(again - closed, 4500, 5500);
    assert_int_equal(fake->tokens, 1); /* still kept */
    /* No operation twice: the client asked for what comes after op 2. */
    assert_notes(fake, "view ts=2 checkpoint\n", 1);
    assert_notes(fake, "    lists/", 0);
    fake_close(fake);
}

static void test_refused_and_reset(void **state) {
    struct fake_parties *fake = fake_open_with_client(9);

    (void)state;
    host_http_listen(fake->service, NULL, NULL);
    client_connect(fake->client);
    fake_run(fake, 14 * TIME_SECOND);
    /* At about 0, 5 and 10 s: constant, no back-off. */
    assert_notes(fake, "connection disconnected: refused\n", 3);
    assert_notes(fake, "connection connecting\n", 3);
    fake_close(fake);
}

static void test_unauthorized(void **state) {
    struct fake_parties *fake = fake_open_with_client(10);

    (void)state;
    fake->refuse_streams = 1;
    fake->refuse_status = 401;
    client_connect(fake->client);
    fake_run(fake, 8 * TIME_SECOND);
    assert_notes(fake, "disconnected: HTTP 401: {\"error\":{}}\n", 1);
    assert_int_equal(fake->tokens, 2);
    assert_non_null(strstr(buffer_text(&fake->transcript), "POST /sync/stream Token t2\n"));
    assert_int_equal(fake->streams, 1);
    fake_close(fake);
}

/* Another refusal keeps the token. */
static void test_unavailable(void **state) {
    struct fake_parties *fake = fake_open_with_client(11);

    (void)state;
    fake->refuse_streams = 1;
    fake->refuse_status = 503;
    client_connect(fake->client);
    fake_run(fake, 8 * TIME_SECOND);
    assert_notes(fake, "disconnected: HTTP 503: {\"error\":{}}\n", 1);
    assert_int_equal(fake->tokens, 1);
    assert_int_equal(fake->streams, 1);
    fake_close(fake);
}

static void test_not_signed_in(void **state) {
    struct fake_parties *fake = fake_open_with_client(12);

    (void)state;
    fake->issuer_silent = true;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "disconnected: not signed in\n", 1);
    fake->issuer_silent = false;
    fake_run(fake, 6 * TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    fake_close(fake);
}

/* Soon to expire: a new token in the background, a restart without delay, and a second fetch because the
 * first is not kept (as the JS SDK). Expired: closed, and a new token after the delay. */
static void test_token_expiry(void **state) {
    struct fake_parties *fake = fake_open_with_client(13);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_send_line(fake, "{\"token_expires_in\":20}");
    fake_run(fake, 200 * TIME_MILLISECOND);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(fake->tokens, 3);
    assert_notes(fake, "disconnected", 0);
    fake_send_line(fake, "{\"token_expires_in\":0}");
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, "disconnected: token expired\n", 1);
    assert_int_equal(fake->streams, 2);
    fake_run(fake, 6 * TIME_SECOND);
    assert_int_equal(fake->streams, 3);
    assert_int_equal(fake->tokens, 4);
    fake_close(fake);
}

/* The write checkpoint's 401 invalidates the token as well; the stream stays, the run goes on after 5 s. */
static void test_checkpoint_unauthorized(void **state) {
    struct fake_parties *fake = fake_open_with_client(14);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->refuse_checkpoints = 1;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"New\"}");
    fake_run(fake, 8 * TIME_SECOND);
    assert_int_equal(fake->tokens, 2);
    assert_int_equal(fake->upload_count, 1);
    assert_notes(fake, "write-checkpoint ts=1\n", 1);
    assert_int_equal(fake->streams, 1);
    fake_close(fake);
}

/* The backend did it, its answer was lost: the same transaction goes again, after about 5 s. */
static void test_lost_answer(void **state) {
    struct fake_parties *fake = fake_open_with_client(15);
    char *first, *second;

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->lose_uploads = 1;
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"New\"}");
    fake_run(fake, 8 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 2);
    first = strtok(fake->uploads.data, "\n");
    second = strtok(NULL, "\n");
    assert_string_equal(first, second);
    assert_notes(fake, "upload-failed tx=1 reset\n", 1);
    assert_notes(fake, "upload-acknowledged tx=1", 1);
    assert_in_range(time_of(fake, "upload-acknowledged") - time_of(fake, "upload-failed"), 4500, 5600);
    fake_close(fake);
}

/* Everything is down: the run of uploads ends with its first failure, and the first line of the next stream
 * starts another. */
static void test_outage(void **state) {
    static const struct http_server_events service_events = {service_request, service_closed};
    static const struct http_server_events backend_events = {backend_request, nobody_closed};
    struct fake_parties *fake = fake_open_with_client(27);

    (void)state;
    host_http_listen(fake->service, NULL, NULL);
    host_http_listen(fake->backend, NULL, NULL);
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"New\"}");
    client_connect(fake->client);
    fake_run(fake, 7 * TIME_SECOND);
    assert_notes(fake, "upload-failed tx=1 refused\n", 1);
    host_http_listen(fake->backend, &backend_events, fake);
    fake_run(fake, 20 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 0);
    host_http_listen(fake->service, &service_events, fake);
    fake_run(fake, 7 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 1);
    assert_in_range(time_of(fake, "upload-acknowledged") - time_of(fake, "connection connected"), 0, 100);
    fake_close(fake);
}

/* Refused for good: told, and the queue moves on. */
static void test_rejected(void **state) {
    struct fake_parties *fake = fake_open_with_client(16);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake->upload_status = -200;
    fake_write(fake, CLIENT_PATCH, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, 2 * TIME_SECOND);
    assert_notes(fake, "upload-rejected tx=1 list is locked\n", 1);
    assert_notes(fake, "write-checkpoint ts=1\n", 1);
    fake_publish(fake, 1);
    fake_run(fake, TIME_SECOND);
    assert_cell(fake, "lists", "name", "l1", "Inbox"); /* as the service has it */
    assert_true(client_settled(fake->client));
    fake_close(fake);
}

/* Three transactions in order, at most one run a second. */
static void test_queue_order(void **state) {
    struct fake_parties *fake = fake_open_with_client(17);
    const char *first, *second, *third;

    (void)state;
    fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
    fake_write(fake, CLIENT_PUT, "lists", "b", "{\"name\":\"2\"}");
    fake_write(fake, CLIENT_PUT, "lists", "c", "{\"name\":\"3\"}");
    client_note_queue(fake->client);
    assert_notes(fake, "queue tx=3\n    PUT lists/a {\"name\":\"1\"}\n    PUT lists/b {\"name\":\"2\"}\n", 1);
    assert_int_equal(fake->upload_count, 0); /* offline */
    client_connect(fake->client);
    fake_run(fake, 3 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 3);
    first = strstr(fake->uploads.data, "\"transactionId\":\"1\"");
    second = strstr(fake->uploads.data, "\"transactionId\":\"2\"");
    third = strstr(fake->uploads.data, "\"transactionId\":\"3\"");
    assert_true(first != NULL && first < second && second < third);
    assert_int_equal(fake->write_checkpoints, 1); /* one id for all */
    fake_close(fake);
}

static void test_throttle(void **state) {
    struct fake_parties *fake = fake_open_with_client(18);

    (void)state;
    client_connect(fake->client); /* the first run starts here, at 0 */
    fake_run(fake, 100 * TIME_MILLISECOND);
    fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
    fake_run(fake, 790 * TIME_MILLISECOND);
    assert_int_equal(fake->upload_count, 0);
    fake_run(fake, 230 * TIME_MILLISECOND); /* 1 s + 10 % and the way there */
    assert_int_equal(fake->upload_count, 1);
    fake_close(fake);
}

/* A new connection has a throttle of its own: the old one's end means nothing. */
static void test_throttle_after_reconnect(void **state) {
    struct fake_parties *fake = fake_open_with_client(29);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, 600 * TIME_MILLISECOND);
    client_disconnect(fake->client);
    client_connect(fake->client); /* a run starts here, at 600 ms: the next at 1500 ms or later */
    fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
    fake_run(fake, 880 * TIME_MILLISECOND);
    assert_int_equal(fake->upload_count, 0);
    fake_run(fake, 230 * TIME_MILLISECOND);
    assert_int_equal(fake->upload_count, 1);
    fake_close(fake);
}

/* What is committed survives the end of the process; what was in memory does not. */
static void test_crash(void **state) {
    struct fake_parties *fake = fake_open_with_client(19);
    char *id = NULL;

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    id = memory_copy_text(client_id(fake->client));
    fake->lose_uploads = 1;
    fake_write(fake, CLIENT_PATCH, "lists", "l1", "{\"name\":\"Mine\"}");
    fake_run(fake, 15 * TIME_MILLISECOND); /* on its way */
    net_crash_node(fake->bench.net, "alice-1");
    client_crash(fake->client);
    assert_int_equal(client_write(fake->client, NULL, 0, NULL, NULL), STATUS_CONFLICT);
    fake_run(fake, 10 * TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    buffer_clear(&fake->notes);
    assert_int_equal(client_restart(fake->client, NULL), STATUS_OK);
    assert_notes(fake, "restart\n", 2); /* the note, and the text of the view that follows */
    assert_notes(fake, "    lists/l1 [\"Mine\",\"alice\",null]\n    lists/l2 [\"Work\",\"alice\",null]\n", 1);
    assert_string_equal(client_id(fake->client), id);
    assert_false(client_settled(fake->client));
    client_note_queue(fake->client);
    assert_notes(fake, "queue tx=1\n    PATCH lists/l1 {\"name\":\"Mine\"}\n", 1);
    fake_run(fake, 12 * TIME_SECOND);
    assert_notes(fake, "upload-acknowledged tx=1", 1);
    assert_int_equal(fake->streams, 2);
    assert_int_equal(fake->sent, 2); /* resumed behind op 2 */
    fake_publish(fake, fake->write_checkpoints);
    fake_run(fake, TIME_SECOND);
    assert_true(client_settled(fake->client));
    free(id);
    fake_close(fake);
}

/* A crash at any moment of a busy start leaves no callback behind, and the client comes back. */
static void test_crash_any_time(void **state) {
    (void)state;
    for (int64_t at = 0; at < 130; at += 5) {
        struct fake_parties *fake = fake_open_with_client(20);

        fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
        client_connect(fake->client);
        fake_run(fake, at * TIME_MILLISECOND);
        net_crash_node(fake->bench.net, "alice-1");
        client_crash(fake->client);
        fake_run(fake, TIME_SECOND);
        assert_int_equal(client_restart(fake->client, NULL), STATUS_OK);
        fake_run(fake, 20 * TIME_SECOND);
        fake_publish(fake, fake->write_checkpoints);
        fake_run(fake, TIME_SECOND);
        assert_true(client_settled(fake->client));
        fake_close(fake);
    }
}

static void test_disconnect(void **state) {
    struct fake_parties *fake = fake_open_with_client(21);

    (void)state;
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    client_disconnect(fake->client);
    client_disconnect(fake->client); /* idempotent */
    assert_notes(fake, "disconnected: by the app\n", 1);
    fake_run(fake, TIME_SECOND);
    assert_int_equal(fake->stream, 0); /* the service saw it go */
    fake_write(fake, CLIENT_PUT, "lists", "l3", "{\"name\":\"Offline\"}");
    fake_run(fake, 20 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 0);
    assert_cell(fake, "lists", "name", "l3", "Offline");
    client_connect(fake->client);
    fake_run(fake, 3 * TIME_SECOND);
    assert_int_equal(fake->upload_count, 1);
    assert_int_equal(fake->streams, 2);
    fake_close(fake);
}

/* While it waits for the next attempt: the old wait is over, the new connection begins at once. */
static void test_disconnect_while_waiting(void **state) {
    struct fake_parties *fake = fake_open_with_client(28);

    (void)state;
    fake->refuse_streams = 1;
    fake->refuse_status = 503;
    fake->upload_status = 500;
    fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    client_disconnect(fake->client);
    fake->upload_status = 0;
    client_connect(fake->client);
    fake_run(fake, 10 * TIME_SECOND);
    assert_int_equal(fake->streams, 1);
    assert_int_equal(fake->upload_count, 2);
    assert_notes(fake, "upload-failed tx=1 HTTP 500\n", 1);
    fake_close(fake);
}

/* In the middle of everything: no event follows for what was given up. */
static void test_disconnect_any_time(void **state) {
    (void)state;
    for (int64_t at = 0; at < 130; at += 5) {
        struct fake_parties *fake = fake_open_with_client(22);

        fake_write(fake, CLIENT_PUT, "lists", "a", "{\"name\":\"1\"}");
        client_connect(fake->client);
        fake_run(fake, at * TIME_MILLISECOND);
        client_disconnect(fake->client);
        fake_run(fake, at % 2 * TIME_SECOND);
        client_connect(fake->client);
        fake_run(fake, 20 * TIME_SECOND);
        fake_publish(fake, fake->write_checkpoints);
        fake_run(fake, TIME_SECOND);
        assert_true(client_settled(fake->client));
        fake_close(fake);
    }
}

/* Mutant: the gate opens with complete(), so a checkpoint from before the upload takes the write away. */
static void test_mutant_gate_open(void **state) {
    for (int mutant = 0; mutant < 2; mutant++) {
        struct fake_parties *fake = fake_open_with_client(23);

        (void)state;
        if (mutant == 1)
            world_enable_mutant(fake->bench.world, "gate-open");
        client_connect(fake->client);
        fake_run(fake, TIME_SECOND);
        fake_write(fake, CLIENT_PATCH, "lists", "l1", "{\"name\":\"Mine\"}");
        fake_run(fake, TIME_SECOND);
        fake_put(fake, "lists", "l2", "{\"name\":\"Theirs\"}");
        fake_publish(fake, 0); /* the service has not seen the upload */
        fake_run(fake, TIME_SECOND);
        assert_int_equal(fake->write_checkpoints, mutant == 1 ? 0 : 1);
        assert_cell(fake, "lists", "name", "l1", mutant == 1 ? "Inbox" : "Mine");
        fake_close(fake);
    }
}

static void test_mutant_phantom_row(void **state) {
    struct fake_parties *fake = fake_open_with_client(24);

    (void)state;
    world_enable_mutant(fake->bench.world, "phantom-row");
    client_connect(fake->client);
    fake_run(fake, TIME_SECOND);
    fake_publish(fake, 0);
    fake_run(fake, TIME_SECOND);
    assert_notes(fake, " [\"phantom\",\"phantom\",\"phantom\"]\n", 1);
    assert_true(client_settled(fake->client)); /* nothing of it is queued */
    fake_close(fake);
}

static char *busy_run(uint64_t seed) {
    struct fake_parties *fake = fake_open_with_client(seed);
    char *text;

    net_set_faults(fake->bench.net,
                   &(struct net_faults){.reset = 200000, .lose_response = 200000, .split_chunks = true});
    client_connect(fake->client);
    for (int i = 0; i < 20; i++) {
        char id[8];

        snprintf(id, sizeof id, "r%d", i);
        fake_write(fake, CLIENT_PUT, "lists", id, "{\"name\":\"x\"}");
        fake_run(fake, 3 * TIME_SECOND);
        if (fake->stream != 0)
            fake_publish(fake, fake->write_checkpoints);
    }
    buffer_append_text(&fake->notes, client_id(fake->client));
    text = buffer_take(&fake->notes);
    fake_close(fake);
    return text;
}

static void test_determinism(void **state) {
    char *first = busy_run(25);
    char *second = busy_run(25);
    char *other = busy_run(26);

    (void)state;
    assert_string_equal(first, second);
    assert_string_not_equal(first, other);
    assert_non_null(strstr(first, "upload-failed")); /* the faults did something */
    free(first);
    free(second);
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connects_and_shows),
        cmocka_unit_test(test_gate),
        cmocka_unit_test(test_checkpoint_before_id),
        cmocka_unit_test(test_write_during_request),
        cmocka_unit_test(test_upload_body),
        cmocka_unit_test(test_failed_write),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_reconnect_delay),
        cmocka_unit_test(test_refused_and_reset),
        cmocka_unit_test(test_unauthorized),
        cmocka_unit_test(test_unavailable),
        cmocka_unit_test(test_not_signed_in),
        cmocka_unit_test(test_token_expiry),
        cmocka_unit_test(test_checkpoint_unauthorized),
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_outage),
        cmocka_unit_test(test_rejected),
        cmocka_unit_test(test_queue_order),
        cmocka_unit_test(test_throttle),
        cmocka_unit_test(test_throttle_after_reconnect),
        cmocka_unit_test(test_crash),
        cmocka_unit_test(test_crash_any_time),
        cmocka_unit_test(test_disconnect),
        cmocka_unit_test(test_disconnect_while_waiting),
        cmocka_unit_test(test_disconnect_any_time),
        cmocka_unit_test(test_mutant_gate_open),
        cmocka_unit_test(test_mutant_phantom_row),
        cmocka_unit_test(test_determinism),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
