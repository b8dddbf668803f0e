/* Hand-written traffic between the service and the deployment: polls one after the other, and two at once. */
#include "history_fixture.h"

#include "check/properties.h"

static const char deltas[] = "GET /api/document_deltas?cursor=1";
static struct fixture fixture;
static void *polls;

static int set_up(void **state) {
    (void)state;
    static const char *const only[] = {"one-poll"};
    fixture = fixture_open_for(only, 1);
    polls = property_one_poll.create(fixture.checker);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    property_one_poll.destroy(polls);
    fixture_close(&fixture);
    return 0;
}

static void wire(const char *node, enum wire_kind kind, uint64_t exchange, const char *target) {
    property_one_poll.wire(
        polls, 0, &(struct wire_event){.kind = kind, .exchange = exchange, .client = node, .target = target});
}

static void one_after_the_other(void **state) {
    (void)state;
    static const enum wire_kind ends[] = {WIRE_END_SEEN, WIRE_FAILED, WIRE_ABORTED};
    for (uint64_t i = 0; i < 9; i++) {
        wire("powersync", WIRE_REQUEST, i + 1, deltas);
        wire("powersync", WIRE_BODY_SEEN, i + 1, deltas);
        wire("powersync", ends[i % 3], i + 1, deltas);
    }
    expect_violations(&fixture, 0);
}

static void two_at_once(void **state) {
    (void)state;
    wire("powersync", WIRE_REQUEST, 1, deltas);
    wire("powersync", WIRE_REQUEST, 2, deltas);
    expect_violations(&fixture, 1);
    expect_last(&fixture,
                &(struct expected_violation){"one-poll", "powersync", "", "the answer to the poll before it",
                                             "a second poll", 0, 0});
}

static void processes_poll_each_for_itself(void **state) {
    (void)state;
    wire("replicator", WIRE_REQUEST, 1, deltas);
    wire("replicator-2", WIRE_REQUEST, 2, deltas);
    wire("powersync", WIRE_REQUEST, 3, "POST /api/mutation"); /* no poll */
    wire("powersync", WIRE_REQUEST, 4, "POST /api/mutation");
    expect_violations(&fixture, 0);
}

/* A process that crashed says no farewell; the next one begins with the schemas. */
static void a_new_process_begins_anew(void **state) {
    (void)state;
    wire("powersync", WIRE_REQUEST, 1, deltas);
    wire("powersync", WIRE_REQUEST, 2, "GET /api/json_schemas");
    wire("powersync", WIRE_REQUEST, 3, deltas);
    expect_violations(&fixture, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_after_the_other, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(processes_poll_each_for_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_process_begins_anew, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
