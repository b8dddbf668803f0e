/* Isolation by hand-written streams: what a service may send to whom, given the commits. */
#include "check/history_fixture.h"

#include "check/properties.h"

struct scene {
    struct fixture fixture;
    void *isolation;
};

/* Alice owns "a", bob owns "b", which was carol's before anybody looked. */
static struct scene open_scene(void) {
    struct scene scene = {.fixture = fixture_open()};
    scene.isolation = property_isolation.create(scene.fixture.checker);
    fixture_document(&scene.fixture, "a", "alice", NULL, "hers");
    fixture_document(&scene.fixture, "b", "bob", NULL, "his");
    fixture_commit(&scene.fixture);
    return scene;
}

static void wire(struct scene *scene, struct wire_event event) {
    event.client = "alice-1";
    event.server = "powersync";
    event.target = "POST /sync/stream";
    event.exchange = 7;
    property_isolation.wire(scene->isolation, 1, &event);
}

static void line(struct scene *scene, const char *text) {
    wire(scene, (struct wire_event){.kind = WIRE_WRITE, .bytes = text, .length = strlen(text)});
    wire(scene, (struct wire_event){.kind = WIRE_WRITE, .bytes = "\n", .length = 1});
}

static void start(struct scene *scene) {
    static const struct http_header header = {"content-type", "application/x-ndjson"};
    static const struct http_response head = {.status = 200, .headers = &header, .n_headers = 1};
    wire(scene, (struct wire_event){.kind = WIRE_REQUEST, .bytes = "{}", .length = 2});
    wire(scene, (struct wire_event){.kind = WIRE_RESPONSE, .status = 200, .response = &head});
}

#define CHECKPOINT(count)                                                                                    \
    "{\"checkpoint\":{\"last_op_id\":\"9\",\"buckets\":[{\"bucket\":\"x[]\",\"checksum\":0,\"count\":" count \
    ",\"priority\":3}]}}"
#define COMPLETE "{\"checkpoint_complete\":{\"last_op_id\":\"9\"}}"

/* One operation of bucket x[] behind `after`. */
static void data(struct scene *scene, int after, const char *operation) {
    char text[512];
    snprintf(
        text, sizeof text,
        "{\"data\":{\"bucket\":\"x[]\",\"after\":\"%d\",\"has_more\":false,\"data\":[{\"op_id\":\"%d\",%s}],"
        "\"next_after\":\"%d\"}}",
        after, after + 1, operation, after + 1);
    line(scene, text);
}

#define PUT(id)                                                                                              \
    "\"op\":\"PUT\",\"object_type\":\"todos\",\"object_id\":\"" id "\",\"checksum\":1,\"subkey\":\"k\","     \
    "\"data\":\"{}\""
#define REMOVE(id)                                                                                           \
    "\"op\":\"REMOVE\",\"object_type\":\"todos\",\"object_id\":\"" id                                        \
    "\",\"checksum\":1,\"subkey\":\"k\",\"data\":null"

static void close_scene(struct scene *scene, size_t expected, const char *row) {
    const struct violation *const *violations;
    const size_t count = checker_violations(scene->fixture.checker, &violations);
    if (count != expected)
        fail_msg("%zu violations, %s", count, count > 0 ? violations[0]->explanation : "");
    if (row != NULL) {
        assert_string_equal(violations[0]->property, "isolation");
        assert_string_equal(violations[0]->client, "alice-1");
        assert_string_equal(violations[0]->row, row);
    }
    property_isolation.destroy(scene->isolation);
    fixture_close(&scene->fixture);
}

static void test_own_row(void **state) {
    (void)state;
    struct scene scene = open_scene();
    start(&scene);
    line(&scene, CHECKPOINT("1"));
    data(&scene, 0, PUT("a"));
    line(&scene, COMPLETE);
    property_isolation.finish(scene.isolation);
    close_scene(&scene, 0, NULL);
}

static void test_foreign_row(void **state) {
    (void)state;
    struct scene scene = open_scene();
    start(&scene);
    line(&scene, CHECKPOINT("1"));
    data(&scene, 0, PUT("b"));
    line(&scene, COMPLETE);
    close_scene(&scene, 1, "b");
}

/* History that the same checkpoint takes back may be anybody's. */
static void test_foreign_history(void **state) {
    (void)state;
    struct scene scene = open_scene();
    start(&scene);
    line(&scene, CHECKPOINT("2"));
    data(&scene, 0, PUT("b"));
    data(&scene, 1, REMOVE("b"));
    line(&scene, COMPLETE);
    line(&scene, "{\"checkpoint_diff\":{\"last_op_id\":\"9\",\"removed_buckets\":[],\"updated_buckets\":[{"
                 "\"bucket\":\"x[]\",\"checksum\":0,\"count\":4,\"priority\":3}]}}");
    data(&scene, 2, PUT("b"));
    data(&scene, 3, "\"op\":\"CLEAR\",\"checksum\":0");
    line(&scene, COMPLETE);
    close_scene(&scene, 0, NULL);
}

/* What was taken from alice may linger, but not for ever. */
static void test_row_that_was_taken_away(void **state) {
    (void)state;
    struct scene scene = open_scene();
    start(&scene);
    line(&scene, CHECKPOINT("1"));
    data(&scene, 0, PUT("a"));
    line(&scene, COMPLETE);
    fixture_document(&scene.fixture, "a", "bob", NULL, "now his");
    fixture_commit(&scene.fixture);
    line(&scene, COMPLETE);
    expect_violations(&scene.fixture, 0);
    property_isolation.finish(scene.isolation);
    close_scene(&scene, 1, "a");
}

/* A bucket that is removed, or that a new stream does not name, takes its rows along. */
static void test_removed_buckets(void **state) {
    (void)state;
    struct scene scene = open_scene();
    start(&scene);
    line(&scene, CHECKPOINT("1"));
    data(&scene, 0, PUT("b"));
    line(&scene,
         "{\"checkpoint_diff\":{\"last_op_id\":\"9\",\"removed_buckets\":[\"x[]\"],\"updated_buckets\":[]}}");
    line(&scene, COMPLETE);
    wire(&scene, (struct wire_event){.kind = WIRE_CLOSED});
    start(&scene);
    line(&scene, CHECKPOINT("1"));
    data(&scene, 0, PUT("b"));
    wire(&scene, (struct wire_event){.kind = WIRE_CLOSED});
    start(&scene);
    line(&scene, "{\"checkpoint\":{\"last_op_id\":\"9\",\"buckets\":[]}}");
    line(&scene, COMPLETE);
    property_isolation.finish(scene.isolation);
    close_scene(&scene, 0, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_own_row),         cmocka_unit_test(test_foreign_row),
        cmocka_unit_test(test_foreign_history), cmocka_unit_test(test_row_that_was_taken_away),
        cmocka_unit_test(test_removed_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
