/* Lines that a real service sent, through the real core and through the model. */
#include "bench_world.h"

#include "client/line_splitter.h"
#include "wire_file.h"

struct session {
    struct bench_world bench;
    struct engine *engine;
    struct map shown;    /* what the engine told */
    struct map expected; /* what the lines say */
    int64_t op;          /* of the last applied checkpoint */
    int applied;
};

static enum client_engine tested;

static struct session *session_open(void) {
    struct session *session = memory_allocate(sizeof *session);
    struct error error = {0};

    session->bench = bench_open_for(tested, 1);
    assert_int_equal(engine_create(session->bench.pool, net_node(session->bench.net, "user-1-1"),
                                   &session->engine, &error),
                     STATUS_OK);
    return session;
}

static void session_close(struct session *session) {
    engine_destroy(session->engine);
    bench_close(&session->bench);
    map_free(&session->shown, free);
    map_free(&session->expected, free);
    free(session);
}

static char *start(struct session *session) {
    struct engine_result result;
    struct error error = {0};
    char *request;

    assert_int_equal(engine_start(session->engine, &result, &error), STATUS_OK);
    assert_true(result.establish);
    request = memory_copy_bytes(result.request, result.request_length);
    assert_int_equal(engine_send(session->engine, ENGINE_ESTABLISHED, &result, &error), STATUS_OK);
    return request;
}

/* Feed one line; the rows that are expected change with its operations. */
static struct engine_result feed(struct session *session, const char *line) {
    struct engine_result result;
    struct error error = {0};

    if (engine_line(session->engine, line, strlen(line), false, &result, &error) != STATUS_OK)
        fail_msg("%s: %s", line, error.message);
    shown_apply(&session->shown, &result);
    expected_apply_line(&session->expected, line);
    if (result.applied) {
        session->applied++;
        session->op = result.op;
        assert_same_rows(&session->shown, &session->expected);
    }
    return result;
}

static void feed_file(struct session *session, const char *name, const char *mark) {
    struct wire_file file = wire_open(name);
    const char *line;

    while ((line = wire_next(&file, mark)) != NULL) {
        struct engine_result result = feed(session, line);

        assert_false(result.close);
        assert_false(result.blocked);
    }
    wire_close(&file);
}

static void feed_first_five(struct session *session) {
    feed_file(session, "01-initial-sync.txt", "");
    feed_file(session, "02-incremental-update.txt", "");
    feed_file(session, "02b-incremental-insert.txt", "");
    feed_file(session, "03-three-document-mutation.txt", "");
    feed_file(session, "04-delete.txt", "");
}

static void test_recorded_session(void **state) {
    struct session *session = session_open();
    struct engine_gate gate;

    (void)state;
    free(start(session));
    feed_first_five(session);
    /* 01: 2 lists, 6 todos; 02 renames; 02b +1 list; 03 +1 list, +1 todo; 04 -1 list (the file names say so).
     */
    assert_int_equal(session->applied, 5);
    assert_int_equal(session->op, 14);
    assert_int_equal(session->shown.count, 3 + 7);
    assert_string_equal(map_get(&session->shown, "lists/00000000-0000-4000-8000-000000000002"),
                        "[\"renamed in batch\",\"user-1\",\"2026-01-01T00:00:00Z\"]");
    engine_gate(session->engine, &gate);
    assert_true(gate.queue_empty);
    assert_int_equal(gate.target, 0);
    session_close(session);
}

/* The operation that came between 04 and 09, from the other recording of the same service. */
static char *find_operation_15(void) {
    struct wire_file file = wire_open("sdk-ndjson-wire.txt");
    const char *line = wire_next(&file, "#1 < ");
    struct buffer out = {0};
    json_t *json;
    json_t *operation;
    size_t i;

    line = wire_next(&file, "#1 < "); /* the first line is the checkpoint, this one the data of lists */
    json = json_parse(line, strlen(line), NULL);
    json_array_foreach(json_object_get(json_object_get(json, "data"), "data"), i, operation) {
        if (strcmp(json_text(operation, "op_id"), "15") != 0)
            continue;
        buffer_append_text(&out, "{\"data\":{\"bucket\":\"1#lists|0[]\",\"after\":\"14\",\"data\":[");
        json_append(&out, operation);
        buffer_append_text(&out, "]}}");
    }
    json_decref(json);
    wire_close(&file);
    assert_true(out.length > 0);
    return buffer_take(&out);
}

static void test_resume(void **state) {
    struct session *session = session_open();
    struct wire_file file = wire_open("09-resume.txt");
    struct engine_result result;
    struct engine_gate gate;
    char *operation = find_operation_15();
    char *request;

    (void)state;
    free(start(session));
    feed_first_five(session);
    assert_int_equal(engine_send(session->engine, ENGINE_STOP, &result, NULL), STATUS_OK);
    request = start(session);
    /* Every bucket of an applied checkpoint stands at its last_op_id. */
    assert_non_null(strstr(request, "\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"14\"},"
                                    "{\"name\":\"1#todos|0[]\",\"after\":\"14\"}]"));
    feed(session, wire_next(&file, ""));
    feed(session, operation);
    assert_true(feed(session, wire_next(&file, "")).applied);
    assert_int_equal(session->op, 15);
    engine_gate(session->engine, &gate);
    assert_int_equal(gate.applied, 100); /* the line's write_checkpoint */
    free(request);
    free(operation);
    wire_close(&file);
    session_close(session);
}

/* The same without operation 15: the checksum of lists cannot add up. The bucket goes, the published rows
 * stay. */
static void test_missing_operation(void **state) {
    struct session *session = session_open();
    struct wire_file file = wire_open("09-resume.txt");
    struct engine_result result;
    char *request;

    (void)state;
    free(start(session));
    feed_first_five(session);
    assert_int_equal(engine_send(session->engine, ENGINE_STOP, &result, NULL), STATUS_OK);
    free(start(session));
    feed(session, wire_next(&file, ""));
    result = feed(session, wire_next(&file, ""));
    assert_false(result.applied);
    assert_true(result.close);
    assert_false(result.hide_disconnect);
    assert_same_rows(&session->shown, &session->expected);
    assert_int_equal(engine_send(session->engine, ENGINE_STOP, &result, NULL), STATUS_OK);
    request = start(session);
    assert_null(strstr(request, "1#lists|0[]"));
    assert_non_null(strstr(request, "1#todos|0[]"));
    free(request);
    wire_close(&file);
    session_close(session);
}

/* A session of the real JS SDK: same request but for the client id, and all its lines. */
static void test_sdk_session(void **state) {
    static const char recorded_id[] = "c8922ce7-8f50-47e2-8124-43b4ca02520b";
    struct session *session = session_open();
    struct wire_file file = wire_open("sdk-ndjson-wire.txt");
    const char *recorded = wire_next(&file, "#1 > ");
    char *own = start(session);
    char *at = strstr(own, session->engine->operations->client_id(session->engine));

    (void)state;
    assert_non_null(at);
    memcpy(at, recorded_id, sizeof recorded_id - 1);
    assert_string_equal(own, recorded);
    feed_file(session, "sdk-ndjson-wire.txt", "#1 < ");
    assert_int_equal(session->applied, 6); /* checkpoint_complete lines in the file */
    assert_int_equal(session->op, 31);
    free(own);
    wire_close(&file);
    session_close(session);
}

/* A checkpoint that changes nothing is applied all the same; an unknown line is no error, a wrong one is, and
 * keeps the data. */
static void test_odd_lines(void **state) {
    struct session *session = session_open();
    struct engine_result result;
    struct error error = {0};
    const char *wrong = "{\"checkpoint\":{\"last_op_id\":14,\"buckets\":[]}}";

    (void)state;
    free(start(session));
    feed_first_five(session);
    feed(session,
         "{\"checkpoint_diff\":{\"last_op_id\":\"20\",\"removed_buckets\":[],\"updated_buckets\":[]}}");
    result = feed(session, "{\"checkpoint_complete\":{\"last_op_id\":\"20\"}}");
    assert_true(result.applied);
    assert_int_equal(result.op, 20);
    assert_int_equal(result.n_rows, 0);
    result = feed(session, "{\"from_the_future\":{}}");
    assert_false(result.close);
    assert_int_equal(engine_line(session->engine, wrong, strlen(wrong), false, &result, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "expected a string"));
    /* The iteration is over. */
    wrong = "{\"token_expires_in\":60}";
    assert_int_equal(engine_line(session->engine, wrong, strlen(wrong), false, &result, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "No iteration is active"));
    session_close(session);
}

static void test_token_lines(void **state) {
    struct session *session = session_open();
    struct engine_result result;

    (void)state;
    free(start(session));
    result = feed(session, "{\"token_expires_in\":31}");
    assert_false(result.fetch_credentials);
    result = feed(session, "{\"token_expires_in\":30}");
    assert_true(result.fetch_credentials);
    assert_false(result.did_expire);
    assert_false(result.close);
    result = feed(session, "{\"token_expires_in\":0}");
    assert_true(result.fetch_credentials);
    assert_true(result.did_expire);
    assert_true(result.close);
    assert_false(result.hide_disconnect);
    session_close(session);
}

/* The service's BSON of the same data, cut into single bytes: the rows of the recorded session after
 * operation 15. */
static void test_binary_lines(void **state) {
    static const char *const files[] = {"01-initial-sync.txt", "02-incremental-update.txt",
                                        "02b-incremental-insert.txt", "03-three-document-mutation.txt",
                                        "04-delete.txt"};
    struct session *session = session_open();
    struct wire_file bson = wire_open("01c-initial-sync.bson");
    struct line_splitter splitter = {.binary = true};
    struct engine_result result = {0};
    char *operation = find_operation_15();
    const char *line;
    size_t length;

    (void)state;
    free(start(session));
    for (size_t i = 0; i < 8201; i++) { /* the size of the file */
        const char *byte = bson.text + i;
        size_t left = 1;

        while (line_splitter_next(&splitter, &byte, &left, &line, &length) == LINE_SPLITTER_LINE) {
            assert_int_equal(engine_line(session->engine, line, length, true, &result, NULL), STATUS_OK);
            shown_apply(&session->shown, &result);
        }
    }
    assert_true(result.applied);
    assert_int_equal(result.op, 15);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct wire_file file = wire_open(files[i]);

        while ((line = wire_next(&file, "")) != NULL)
            expected_apply_line(&session->expected, line);
        wire_close(&file);
    }
    expected_apply_line(&session->expected, operation);
    assert_same_rows(&session->shown, &session->expected);
    free(operation);
    line_splitter_reset(&splitter, false);
    wire_close(&bson);
    session_close(session);
}

static void write_list(struct session *session, const char *id) {
    json_t *values = json_pack("{s:s}", "name", "x");
    struct client_operation operation = {.kind = CLIENT_PUT, .table = "lists", .id = id, .values = values};
    struct engine_result result;

    assert_int_equal(session->engine->operations->write(session->engine, &operation, 1, &result, NULL),
                     STATUS_OK);
    json_decref(values);
}

/* A write checkpoint counts only for what was queued when it was asked for. */
static void test_outdated_target(void **state) {
    struct session *session = session_open();
    const struct engine_operations *operations = session->engine->operations;
    struct engine_gate gate;
    int64_t asked;
    bool set = true;

    (void)state;
    write_list(session, "l1");
    engine_gate(session->engine, &gate);
    assert_int_equal(gate.target, ENGINE_TARGET_UNKNOWN);
    assert_false(gate.queue_empty);
    assert_int_equal(operations->set_target(session->engine, gate.sequence, 5, &set, NULL), STATUS_OK);
    assert_false(set); /* still queued */
    assert_int_equal(operations->complete(session->engine, 1, ENGINE_TARGET_UNKNOWN, NULL), STATUS_OK);
    engine_gate(session->engine, &gate);
    asked = gate.sequence;
    write_list(session, "l2");
    assert_int_equal(operations->complete(session->engine, 2, ENGINE_TARGET_UNKNOWN, NULL), STATUS_OK);
    assert_int_equal(operations->set_target(session->engine, asked, 5, &set, NULL), STATUS_OK);
    assert_false(set); /* queued and uploaded meanwhile */
    assert_int_equal(operations->set_target(session->engine, asked + 1, 6, &set, NULL), STATUS_OK);
    assert_true(set);
    engine_gate(session->engine, &gate);
    assert_int_equal(gate.target, 6);
    assert_int_equal(operations->complete(session->engine, 2, 0, NULL), STATUS_OK);
    engine_gate(session->engine, &gate);
    assert_int_equal(gate.target, 0);
    session_close(session);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recorded_session),  cmocka_unit_test(test_resume),
        cmocka_unit_test(test_missing_operation), cmocka_unit_test(test_sdk_session),
        cmocka_unit_test(test_odd_lines),         cmocka_unit_test(test_token_lines),
        cmocka_unit_test(test_binary_lines),      cmocka_unit_test(test_outdated_target),
    };

    int failed = cmocka_run_group_tests_name("core", tests, NULL, NULL);

    tested = CLIENT_ENGINE_MODEL;
    return failed + cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
