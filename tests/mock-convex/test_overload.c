/* Limits under load: the numbers and codes of the fact sheet (0.3, 2.4). */
#include "sync_script.h"

#define JSON "application/json"
#define MOST 40

struct load {
    struct fixture *fixture;
    struct answer answers[MOST];
};

static enum status naps_take(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    (void)args;
    (void)result;
    return convex_sleep(context, 20 * TIME_SECOND, error);
}

static enum status pets_heavy(struct convex_context *context, const struct convex_value *args,
                              struct convex_value **result, struct error *error) {
    struct convex_value *document = convex_object();
    char *text = memory_allocate(900001), id[40];
    (void)args;
    (void)result;
    memset(text, 'x', 900000);
    convex_object_set(document, "text", convex_string(text));
    free(text);
    return convex_insert(context, "empty", document, id, error);
}

static const struct convex_function functions[] = {
    {.path = "naps:take", .kind = CONVEX_ACTION, .run = naps_take},
    {.path = "pets:heavy", .kind = CONVEX_MUTATION, .run = pets_heavy},
    {.path = "pets:add", .kind = CONVEX_MUTATION, .run = pets_add},
    {.path = "pets:count", .kind = CONVEX_QUERY, .run = pets_count}};

static void begin(struct load *load, const struct convex_limits *limits, int64_t mutation_time) {
    struct convex_deployment_options options = fixture_options();
    memset(load, 0, sizeof *load);
    load->fixture = fixture_world();
    options.functions = functions;
    options.n_functions = LENGTH_OF(functions);
    options.switches.limits = *limits;
    options.mutation_time_low = options.mutation_time_high = mutation_time;
    fixture_deploy(load->fixture, &options);
}

static void end(struct load *load) {
    for (size_t i = 0; i < MOST; i++) {
        buffer_free(&load->answers[i].body);
    }
    fixture_free(load->fixture);
}

static void send(struct load *load, size_t index, const char *target, const char *path) {
    char body[200];
    snprintf(body, sizeof body, "{\"path\":\"%s\",\"args\":{}}", path);
    send_request(load->fixture, &load->answers[index], "POST", target, NULL, JSON, body, strlen(body));
}

/* Answers with this status; `code` NULL: any body. */
static int count(struct load *load, size_t n, int status, const char *code) {
    int found = 0;
    for (size_t i = 0; i < n; i++) {
        char text[64];
        error_code(&load->answers[i].body, text);
        found += load->answers[i].status == status && (code == NULL || strcmp(text, code) == 0);
    }
    return found;
}

/* Over a WebSocket the socket closes with 1013, and that is the end of the session: nothing is sent later. */
static void test_action_slots_on_a_socket(void **state) {
    const struct convex_limits limits = {.action_slots = 1};
    struct load load;
    struct script script = {0};
    (void)state;
    begin(&load, &limits, TIME_MILLISECOND);
    script_connect(&script, load.fixture, load.fixture->client, "/api/sync");
    fixture_run(load.fixture, TIME_SECOND);
    for (int i = 0; i < 2; i++) {
        char text[120];
        snprintf(text, sizeof text,
                 "{\"type\":\"Action\",\"requestId\":%d,\"udfPath\":\"naps:take\",\"args\":[{}]}", i);
        script_say(&script, load.fixture->client, text);
    }
    fixture_run(load.fixture, 9 * TIME_SECOND);
    assert_int_equal(script.closed, 0);
    fixture_run(load.fixture, 2 * TIME_SECOND);
    assert_int_equal(script.closed, 1013);
    assert_non_null(strstr(buffer_text(&script.log), "closed 1013 'TooManyConcurrentRequests'"));
    fixture_run(load.fixture, 60 * TIME_SECOND);
    script_free(&script);
    end(&load);
}

/* Two places, mutations of 3 s each: the third pair gets its places after 3 s, the next would after 6 s. */
static void test_function_slots(void **state) {
    const struct convex_limits limits = {.function_slots = 2};
    struct load load;
    (void)state;
    begin(&load, &limits, 3 * TIME_SECOND);
    for (size_t i = 0; i < 6; i++) {
        send(&load, i, "/api/mutation", "pets:add");
    }
    fixture_run(load.fixture, 3500 * TIME_MILLISECOND);
    assert_int_equal(count(&load, 6, 200, NULL), 2);
    fixture_run(load.fixture, 2 * TIME_SECOND);
    assert_int_equal(count(&load, 6, 429, "TooManyConcurrentRequests"), 2);
    fixture_run(load.fixture, 2 * TIME_SECOND);
    assert_int_equal(count(&load, 6, 200, NULL), 4);
    assert_int_equal(load.fixture->commits, 4);
    send(&load, 6, "/api/mutation", "pets:add"); /* all places are free again */
    fixture_run(load.fixture, 3500 * TIME_MILLISECOND);
    assert_int_equal(load.answers[6].status, 200);
    end(&load);
}

/* Queries take the same places. */
static void test_queries_wait(void **state) {
    const struct convex_limits limits = {.function_slots = 1};
    struct load load;
    (void)state;
    begin(&load, &limits, 4 * TIME_SECOND);
    send(&load, 0, "/api/mutation", "pets:add");
    send(&load, 1, "/api/query", "pets:count");
    fixture_run(load.fixture, 3 * TIME_SECOND);
    assert_int_equal(load.answers[1].status, 0);
    fixture_run(load.fixture, 2 * TIME_SECOND);
    assert_int_equal(load.answers[1].status, 200);
    assert_non_null(
        strstr(buffer_text(&load.answers[1].body), "\"value\":1.0")); /* it ran behind the commit */
    send(&load, 2, "/api/mutation", "pets:add");
    send(&load, 3, "/api/mutation", "pets:add");
    fixture_run(load.fixture, 100 * TIME_MILLISECOND);
    send(&load, 4, "/api/query", "pets:count");
    fixture_run(load.fixture, 6 * TIME_SECOND);
    assert_int_equal(load.answers[4].status, 429);
    fixture_run(load.fixture, 6 * TIME_SECOND);
    for (size_t i = 5; i < 15; i++) {
        send(&load, i, "/api/query", "pets:count");
    }
    fixture_run(load.fixture, TIME_SECOND);
    for (size_t i = 5; i < 15; i++) {
        assert_int_equal(load.answers[i].status, 200);
    }
    end(&load);
}

static void test_action_slots(void **state) {
    const struct convex_limits limits = {.action_slots = 3};
    struct load load;
    (void)state;
    begin(&load, &limits, TIME_MILLISECOND);
    for (size_t i = 0; i < 5; i++) {
        send(&load, i, "/api/action", "naps:take");
    }
    send(&load, 5, "/api/mutation", "pets:add"); /* has places of its own */
    fixture_run(load.fixture, 9 * TIME_SECOND);
    assert_int_equal(count(&load, 5, 429, NULL), 0);
    assert_int_equal(load.answers[5].status, 200);
    fixture_run(load.fixture, 2 * TIME_SECOND);
    assert_int_equal(count(&load, 5, 429, "TooManyConcurrentRequests"), 2);
    fixture_run(load.fixture, 10 * TIME_SECOND);
    assert_int_equal(count(&load, 5, 200, NULL), 3);
    end(&load);
}

/* 4 MiB a second: five documents of 0.9 MB fit, what comes then tries again later and gets through. */
static void test_write_rate(void **state) {
    const struct convex_limits limits = {.write_rate = INT64_C(4) << 20};
    struct load load;
    (void)state;
    begin(&load, &limits, TIME_MILLISECOND);
    for (size_t i = 0; i < 12; i++) {
        send(&load, i, "/api/mutation", "pets:heavy");
    }
    fixture_run(load.fixture, 50 * TIME_MILLISECOND);
    assert_int_equal(load.fixture->commits, 5);
    fixture_run(load.fixture, 20 * TIME_SECOND);
    assert_int_equal(count(&load, 12, 200, NULL) + count(&load, 12, 429, "TooManyWrites"), 12);
    assert_in_range(load.fixture->commits, 6, 10);
    assert_int_equal(load.fixture->commits, count(&load, 12, 200, NULL));
    end(&load);
}

/* So little may be written that the five attempts, 3 s at most in all, see one second's place twice. */
static void test_too_many_writes(void **state) {
    const struct convex_limits limits = {.write_rate = 1};
    struct load load;
    (void)state;
    begin(&load, &limits, TIME_MILLISECOND);
    for (size_t i = 0; i < 30; i++) {
        send(&load, i, "/api/mutation", "pets:add");
    }
    fixture_run(load.fixture, 20 * TIME_SECOND);
    assert_true(count(&load, 30, 429, "TooManyWrites") >= 24);
    assert_int_equal(count(&load, 30, 200, NULL) + count(&load, 30, 429, "TooManyWrites"), 30);
    end(&load);
}

static void test_requests_queue(void **state) {
    const struct convex_limits limits = {.requests = 2};
    struct load load;
    (void)state;
    begin(&load, &limits, TIME_SECOND);
    for (size_t i = 0; i < 6; i++) {
        send(&load, i, "/api/mutation", "pets:add");
    }
    for (int seconds = 1; seconds <= 3; seconds++) {
        fixture_run(load.fixture, seconds == 1 ? 1500 * TIME_MILLISECOND : TIME_SECOND);
        assert_int_equal(count(&load, 6, 200, NULL), 2 * seconds);
    }
    for (size_t i = 6; i < MOST; i++) { /* none of these takes a place for ever */
        send_request(load.fixture, &load.answers[i], "GET", i % 2 ? "/version" : "/nothing", NULL, NULL, NULL,
                     0);
    }
    fixture_run(load.fixture, TIME_SECOND);
    for (size_t i = 6; i < MOST; i++) {
        assert_int_equal(load.answers[i].status, i % 2 ? 200 : 404);
    }
    end(&load);
}

/* 408 with an empty body; what was begun goes on. A request that waits is given up too. */
static void test_timeout(void **state) {
    const struct convex_limits limits = {.requests = 2, .request_timeout = 2 * TIME_SECOND};
    struct load load;
    (void)state;
    begin(&load, &limits, 5 * TIME_SECOND);
    send(&load, 0, "/api/mutation", "pets:add");
    send(&load, 1, "/api/action", "naps:take");
    send(&load, 2, "/api/query", "pets:count");
    fixture_run(load.fixture, 2500 * TIME_MILLISECOND);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(load.answers[i].status, 408);
        assert_int_equal(load.answers[i].body.length, 0);
    }
    assert_true(load.answers[2].status == 408 || load.answers[2].status == 200);
    fixture_run(load.fixture, 30 * TIME_SECOND);
    assert_int_equal(load.fixture->commits, 1);
    end(&load);
}

/* A deployment that ends while everything waits leaves nothing behind (seen by sanitizers). */
static void test_end_while_waiting(void **state) {
    const struct convex_limits limits = {.function_slots = 1, .action_slots = 1, .requests = 6};
    struct load load;
    (void)state;
    begin(&load, &limits, TIME_MINUTE);
    for (size_t i = 0; i < 12; i++) {
        send(&load, i,
             i % 3 == 0   ? "/api/mutation"
             : i % 3 == 1 ? "/api/action"
                          : "/api/query",
             i % 3 == 0   ? "pets:add"
             : i % 3 == 1 ? "naps:take"
                          : "pets:count");
    }
    fixture_run(load.fixture, TIME_SECOND);
    assert_int_equal(count(&load, 12, 200, NULL), 0);
    end(&load);
}

int main(void) {
    const struct CMUnitTest all[] = {cmocka_unit_test(test_function_slots),
                                     cmocka_unit_test(test_queries_wait),
                                     cmocka_unit_test(test_action_slots),
                                     cmocka_unit_test(test_write_rate),
                                     cmocka_unit_test(test_too_many_writes),
                                     cmocka_unit_test(test_requests_queue),
                                     cmocka_unit_test(test_action_slots_on_a_socket),
                                     cmocka_unit_test(test_timeout),
                                     cmocka_unit_test(test_end_while_waiting)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
