/* Hand-written requests to the service, with tokens that it may take and tokens that it must not. */
#include "history_fixture.h"

#include "check/properties.h"

static struct history *history;
static struct checker *checker;
static void *gate;

static const char *refuse(void *context, const char *service, const char *token) {
    (void)context;
    assert_string_equal(service, "powersync");
    return strcmp(token, "good") == 0 ? NULL : "expired";
}

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"valid-tokens"};
    const struct check_settings settings = {.schema = &fixture_schema,
                                            .sync_config = fixture_config,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3,
                                            .properties = only,
                                            .n_properties = 1,
                                            .refuse_token = refuse};
    struct error error;
    history = history_create();
    if (checker_create(history, NULL, &settings, &checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    gate = property_valid_tokens.create(checker);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    property_valid_tokens.destroy(gate);
    checker_destroy(checker);
    history_destroy(history);
    return 0;
}

static void see(struct wire_event event) {
    event.client = "alice-1";
    event.server = "powersync";
    property_valid_tokens.wire(gate, 0, &event);
}

static void ask(uint64_t exchange, const char *target, const char *authorization) {
    const struct http_header headers[] = {{"Authorization", authorization}};
    const struct http_request request = {.headers = headers, .n_headers = 1};
    see((struct wire_event){
        .kind = WIRE_REQUEST_SEEN, .exchange = exchange, .target = target, .request = &request});
}

static void respond(uint64_t exchange, const char *target, int status) {
    see((struct wire_event){.kind = WIRE_RESPONSE, .exchange = exchange, .target = target, .status = status});
}

static size_t violations(void) {
    const struct violation *const *list;
    return checker_violations(checker, &list);
}

static void right_decisions(void **state) {
    (void)state;
    ask(1, "POST /sync/stream", "Bearer good");
    ask(2, "POST /sync/stream", "Token bad");
    respond(2, "POST /sync/stream", 401);
    respond(1, "POST /sync/stream", 200);
    ask(3, "POST /api/mutation", "Bearer bad"); /* another door */
    respond(3, "POST /api/mutation", 200);
    assert_int_equal(violations(), 0);
}

static void wrong_decisions(void **state) {
    (void)state;
    ask(1, "POST /sync/stream", "Token bad");
    respond(1, "POST /sync/stream", 200);
    assert_int_equal(violations(), 1);
    ask(2, "GET /write-checkpoint2.json?client_id=a", "Bearer bad");
    respond(2, "GET /write-checkpoint2.json?client_id=a", 200);
    assert_int_equal(violations(), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_decisions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wrong_decisions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
