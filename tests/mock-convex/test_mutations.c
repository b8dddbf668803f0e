/* Mutations in virtual time: conflicts and retries, lost callers, what is noted, the checkpoint function. */
#include "fixture.h"

static uint64_t marks(struct fixture *fixture, const char *name) {
    const struct world_counter *counters;
    size_t count = world_marks(fixture->world, &counters);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(counters[i].name, name) == 0) {
            return counters[i].reached;
        }
    }
    return 0;
}

static double counter_of(struct fixture *fixture, const char *uuid) {
    json_t *json = get_json(fixture, "/api/list_snapshot?table_name=pets");
    json_t *values = json_object_get(json, "values");
    double count = -1;
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (strcmp(json_text(json_array_get(values, i), "uuid"), uuid) == 0) {
            count = json_real_value(json_object_get(json_array_get(values, i), "count"));
        }
    }
    json_decref(json);
    return count;
}

/* Ten callers increment one counter at the same moment. Each success counts exactly once. */
static void test_concurrent_increments(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answers[10];
    int succeeded = 0;
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        send_mutation(fixture, &answers[i], "pets:increment", "{\"uuid\":\"a\"}");
    }
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        char code[64];
        wait_for(fixture, &answers[i]);
        error_code(&answers[i].body, code);
        if (answers[i].status == 200) {
            succeeded++;
        } else {
            assert_int_equal(answers[i].status, 503);
            assert_string_equal(code, "OptimisticConcurrencyControlFailure");
            assert_non_null(strstr(buffer_text(&answers[i].body), "pets"));
        }
        buffer_free(&answers[i].body);
    }
    assert_true(succeeded >= 1);
    assert_true(marks(fixture, "convex.occ-retry") >= 9); /* all but the first run again at least once */
    assert_true(counter_of(fixture, "a") == (double)succeeded);
    assert_int_equal(fixture->commits, succeeded + 1);
    fixture_free(fixture);
}

/* Writers of different documents do not disturb each other. */
static void test_no_false_conflicts(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answers[8];
    for (int i = 0; i < 8; i++) {
        char args[32];
        snprintf(args, sizeof args, "{\"uuid\":\"u%d\"}", i);
        mutate(fixture, "pets:add", args);
    }
    for (int i = 0; i < 8; i++) {
        char args[32];
        snprintf(args, sizeof args, "{\"uuid\":\"u%d\"}", i);
        send_mutation(fixture, &answers[i], i % 2 ? "pets:increment" : "pets:remove", args);
    }
    for (int i = 0; i < 8; i++) {
        wait_for(fixture, &answers[i]);
        assert_int_equal(answers[i].status, 200);
        buffer_free(&answers[i].body);
    }
    assert_int_equal(marks(fixture, "convex.occ-retry"), 0);
    fixture_free(fixture);
}

/* A mutation of 5 ms while somebody else commits to the same document every millisecond: 5 attempts, then
 * 503, and nothing of it is left. */
static void test_exhaustion(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    char code[64], name[32];
    struct convex_value *args = convex_object();
    int others = 0;
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    convex_object_set(args, "uuid", convex_string("a"));
    send_mutation(fixture, &answer, "pets:increment", "{\"uuid\":\"a\"}");
    for (; answer.at == 0 && others < 10000; others++) {
        fixture_run(fixture, TIME_MILLISECOND);
        snprintf(name, sizeof name, "name %d", others);
        convex_object_set(args, "name", convex_string(name));
        assert_int_equal(convex_deployment_run(fixture->deployment, "pets:rename", args, NULL, NULL),
                         STATUS_OK);
    }
    error_code(&answer.body, code);
    assert_int_equal(answer.status, 503);
    assert_string_equal(code, "OptimisticConcurrencyControlFailure");
    assert_int_equal(marks(fixture, "convex.occ-retry"), 4);
    assert_int_equal(marks(fixture, "convex.occ-exhausted"), 1);
    /* 5 attempts of 5 ms and 4 delays of at most 100, 200, 400 and 800 ms, and 2 ms on the way */
    assert_true(answer.at >= 27 * TIME_MILLISECOND && answer.at <= (7 + 27 + 1500 + 1) * TIME_MILLISECOND);
    assert_true(counter_of(fixture, "a") == 0);
    assert_int_equal(fixture->commits, others + 1);
    convex_free(args);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* The caller goes away before the commit: it commits all the same. */
static void test_caller_gone(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    send_mutation(fixture, &answer, "pets:add", "{\"uuid\":\"a\"}");
    fixture_run(fixture, 3 * TIME_MILLISECOND); /* it has arrived (1 ms) and takes 5 ms */
    assert_int_equal(fixture->commits, 0);
    net_crash_node(fixture->net, "client");
    fixture_run(fixture, TIME_SECOND);
    assert_int_equal(fixture->commits, 1);
    fixture_free(fixture);
}

/* A reader that goes away while its answer waits, and a deployment destroyed with everything under way. */
static void test_destroyed_in_flight(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answers[4];
    send_mutation(fixture, &answers[0], "pets:add", "{\"uuid\":\"a\"}");
    send_request(fixture, &answers[1], "GET", "/api/json_schemas", AUTHORIZED, NULL, NULL, 0);
    uint64_t exchange = send_request(fixture, &answers[2], "GET", "/", NULL, NULL, NULL, 0);
    fixture_run(fixture, TIME_MILLISECOND);
    host_http_abort(fixture->client, exchange);
    fixture_run(fixture, TIME_MILLISECOND);
    send_mutation(fixture, &answers[3], "pets:add", "{\"uuid\":\"a\"}");
    fixture_run(fixture, TIME_MILLISECOND);
    fixture_free(fixture);
    for (size_t i = 0; i < LENGTH_OF(answers); i++) {
        buffer_free(&answers[i].body);
    }
}

static void test_time_of_a_mutation(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    int64_t start = world_now(fixture->world);
    send_mutation(fixture, &answer, "pets:add", "{\"uuid\":\"a\"}");
    wait_for(fixture, &answer);
    assert_int_equal(answer.at - start, 7 * TIME_MILLISECOND); /* 1 there, 5 until the commit, 1 back */
    assert_int_equal(convex_deployment_latest(fixture->deployment),
                     TIME_WALL_START + start + 6 * TIME_MILLISECOND);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

static void test_fault_error_commits_nothing(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    char code[64];
    world_drive_fault_point(fixture->world, "convex.before-commit", 1, (struct fault_point){FAULT_ERROR, 0});
    send_mutation(fixture, &answer, "pets:add", "{\"uuid\":\"a\"}");
    wait_for(fixture, &answer);
    error_code(&answer.body, code);
    assert_int_equal(answer.status, 503);
    assert_string_equal(code, "CommitterFullError");
    assert_int_equal(fixture->commits, 0);
    buffer_free(&answer.body);
    fixture_free(fixture);
}

/* NOTE_COMMIT carries the document as the export shows it, without metadata; deletions without values; a
 * transaction that wrote nothing is not noted. */
static void test_notes(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct buffer expected = {0};
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    json_t *json = get_json(fixture, "/api/list_snapshot?table_name=pets");
    json_t *row = json_array_get(json_object_get(json, "values"), 0);
    int64_t first = convex_deployment_latest(fixture->deployment);
    assert_int_equal(json_integer_value(json_object_get(row, "_ts")), first);
    buffer_printf(&expected, "%lld pets:add pets={\"_creationTime\":", (long long)first);
    buffer_append_double(&expected, json_real_value(json_object_get(row, "_creationTime")));
    buffer_printf(&expected, ",\"_id\":\"%s\",\"count\":0.0,\"name\":\"pet 0\",\"uuid\":\"a\"}\n",
                  json_text(row, "_id"));
    mutate(fixture, "pets:rename", "{\"uuid\":\"a\",\"name\":\"pet 0\"}"); /* changes nothing */
    mutate(fixture, "pets:rename", "{\"uuid\":\"nobody\",\"name\":\"x\"}");
    mutate(fixture, "pets:remove", "{\"uuid\":\"a\"}");
    buffer_printf(&expected, "%lld pets:remove pets=-\n",
                  (long long)convex_deployment_latest(fixture->deployment));
    mutate(fixture, "pets:blink", "{}");
    buffer_printf(&expected, "%lld pets:blink pets=-\n",
                  (long long)convex_deployment_latest(fixture->deployment));
    assert_string_equal(buffer_text(&fixture->notes), buffer_text(&expected));
    json_decref(json);
    buffer_free(&expected);
    fixture_free(fixture);
}

/* Seed scripts run outside HTTP and at once. */
static void test_deployment_run(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct convex_value *args = convex_object(), *result = NULL;
    struct error error = {0};
    convex_object_set(args, "uuid", convex_string("a"));
    assert_int_equal(convex_deployment_run(fixture->deployment, "pets:add", args, &result, &error),
                     STATUS_OK);
    assert_int_equal(result->kind, CONVEX_STRING);
    convex_free(result);
    assert_int_equal(convex_deployment_run(fixture->deployment, "pets:add", args, NULL, &error), STATUS_OK);
    assert_int_equal(convex_deployment_run(fixture->deployment, "pets:throw", args, NULL, &error),
                     STATUS_INVALID);
    assert_string_equal(error.message, "pets are not allowed here");
    assert_int_equal(convex_deployment_run(fixture->deployment, "no:thing", args, NULL, &error),
                     STATUS_NOT_FOUND);
    assert_int_equal(fixture->commits, 2);
    assert_int_equal(world_now(fixture->world), 0);
    convex_free(args);
    fixture_free(fixture);
}

/* One document, changed at each call; a second call within the same millisecond leaves nothing. */
static void test_checkpoints(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct convex_value *args = convex_object();
    const char *path = "powersync_checkpoints:createCheckpoint";
    mutate(fixture, path, "{}");
    fixture_run(fixture, 10 * TIME_MILLISECOND);
    mutate(fixture, path, "{}");
    assert_int_equal(fixture->commits, 2);
    json_t *json = get_json(fixture, "/api/document_deltas?cursor=0");
    json_t *values = json_object_get(json, "values");
    assert_int_equal(json_array_size(values), 2);
    assert_string_equal(json_text(json_array_get(values, 0), "_id"),
                        json_text(json_array_get(values, 1), "_id"));
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(json_text(json_array_get(values, i), "_table"), "powersync_checkpoints");
        assert_true(json_real_value(json_object_get(json_array_get(values, i), "last_updated")) >=
                    (double)(TIME_WALL_START / TIME_MILLISECOND));
    }
    json_decref(json);
    for (int i = 0; i < 2; i++) { /* no time passes between these */
        convex_deployment_run(fixture->deployment, path, args, NULL, NULL);
    }
    assert_int_equal(fixture->commits, 3);
    convex_free(args);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_concurrent_increments),
                                       cmocka_unit_test(test_no_false_conflicts),
                                       cmocka_unit_test(test_exhaustion),
                                       cmocka_unit_test(test_caller_gone),
                                       cmocka_unit_test(test_destroyed_in_flight),
                                       cmocka_unit_test(test_time_of_a_mutation),
                                       cmocka_unit_test(test_fault_error_commits_nothing),
                                       cmocka_unit_test(test_notes),
                                       cmocka_unit_test(test_deployment_run),
                                       cmocka_unit_test(test_checkpoints)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
