/* The service in front of the mock Convex deployment: the recorded documents and mutations of a real
 * service's session must give the same lines. Ids, times and the order inside one transaction are the
 * deployment's own, so they are not compared, nor what is computed from them; rows are compared as values,
 * numbers by value (the deployment behind the recording wrote 1 where Convex writes 1.0). */
#include "mock-powersync/unit.h"

#include "base/digest.h"
#include "mock-convex/deployment.h"
#include "mock-powersync/fixture.h"
#include "mock-powersync/recording.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  lists:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists\n"
                                "  todos:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM todos\n";

/* Operations {table, uuid, fields}: fields null deletes; a known uuid is patched, a new one inserted. */
static enum status apply_one(struct convex_context *context, const struct convex_value *operation,
                             struct error *error) {
    const char *table = convex_object_text(operation, "table");
    const struct convex_value *uuid = convex_object_get(operation, "uuid");
    const struct convex_value *fields = convex_object_get(operation, "fields");
    const struct convex_value **found;
    size_t count;
    char id[41] = "";
    enum status status = convex_find(context, table, "by_uuid", &uuid, 1, 1, &found, &count, error);
    if (status)
        return status;
    if (count > 0)
        snprintf(id, sizeof id, "%s", convex_object_text(found[0], "_id"));
    free((void *)found);
    if (fields->kind == CONVEX_NULL)
        return convex_delete(context, table, id, error);
    if (count > 0)
        return convex_patch(context, table, id, fields, error);
    return convex_insert(context, table, convex_copy(fields), id, error);
}

static enum status apply(struct convex_context *context, const struct convex_value *args,
                         struct convex_value **result, struct error *error) {
    const struct convex_value *operations = convex_object_get(args, "operations");
    *result = NULL;
    for (size_t i = 0; i < operations->as.array.count; i++) {
        enum status status = apply_one(context, operations->as.array.items[i], error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static const struct convex_index by_uuid = {.name = "by_uuid", .fields = {"uuid"}, .n_fields = 1};
static const struct convex_table tables[] = {
    {.name = "lists", .indexes = &by_uuid, .n_indexes = 1},
    {.name = "todos", .indexes = &by_uuid, .n_indexes = 1},
    {.name = "probe", .indexes = &by_uuid, .n_indexes = 1},
    {.name = "lists", .component = "shop", .indexes = &by_uuid, .n_indexes = 1}};
static const struct convex_function functions[] = {
    {.path = "test:apply", .kind = CONVEX_MUTATION, .run = apply},
    {.path = "test:apply", .component = "shop", .kind = CONVEX_MUTATION, .run = apply}};

struct setting {
    struct fixture *fixture;
    struct convex_deployment *deployment;
};

static struct setting set_up_convex(void) {
    struct setting setting = {.fixture = fixture_world(7)};
    struct convex_deployment_options options = {.deploy_key = TEST_KEY,
                                                .tables = tables,
                                                .n_tables = sizeof tables / sizeof *tables,
                                                .functions = functions,
                                                .n_functions = sizeof functions / sizeof *functions,
                                                .mutation_time_low = TIME_MILLISECOND,
                                                .mutation_time_high = 15 * TIME_MILLISECOND,
                                                .read_time = 2 * TIME_MILLISECOND};
    setting.deployment = convex_deployment_create(net_node(setting.fixture->net, "convex"), &options);
    return setting;
}

static void tear_down_convex(struct setting *setting) {
    powersync_service_destroy(setting->fixture->service);
    setting->fixture->service = NULL;
    convex_deployment_destroy(setting->deployment);
    fixture_destroy(setting->fixture);
}

static void run_operations_of(struct setting *setting, const char *path, json_t *operations) {
    json_t *json = json_pack("{s:o}", "operations", operations);
    struct convex_value *args = NULL;
    struct error error = {0};
    if (convex_from_json(json, &args, &error) ||
        convex_deployment_run(setting->deployment, path, args, NULL, &error))
        fail_msg("%s", error.message);
    convex_free(args);
    json_decref(json);
}

static void run_operations(struct setting *setting, json_t *operations) {
    run_operations_of(setting, "test:apply", operations);
}

/* Int64 as encoded JSON: the recorded text holds its decimal digits. */
static json_t *encoded_int64(const char *digits) {
    unsigned long long number = strtoull(digits, NULL, 10);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    struct buffer text = {0};
    base64_append(&text, bytes, sizeof bytes);
    json_t *json = json_pack("{s:s}", "$integer", text.data);
    buffer_free(&text);
    return json;
}

static void collect_operation(void *context, const json_t *operation) {
    json_t *operations = context;
    const char *data = json_text(operation, "data");
    json_t *fields = data ? recording_document(data) : json_null();
    json_object_del(fields, "_id");
    json_object_del(fields, "_creationTime");
    if (json_text(fields, "points"))
        json_object_set_new(fields, "points", encoded_int64(json_text(fields, "points")));
    json_array_append_new(operations, json_pack("{s:s,s:s,s:o}", "table", json_text(operation, "object_type"),
                                                "uuid", json_text(operation, "object_id"), "fields", fields));
}

static void assert_same_value(const json_t *ours, const json_t *real, const char *where);

/* Text that is JSON is compared as JSON. */
static void assert_same_text(const json_t *ours, const json_t *real, const char *where) {
    const char *a = json_string_value(ours), *b = json_string_value(real);
    assert_non_null(a);
    if (b[0] != '[' && b[0] != '{') {
        assert_string_equal(a, b);
        return;
    }
    json_t *inner_ours = json_parse(a, strlen(a), NULL), *inner_real = json_parse(b, strlen(b), NULL);
    assert_same_value(inner_ours, inner_real, where);
    json_decref(inner_ours);
    json_decref(inner_real);
}

static void assert_same_value(const json_t *ours, const json_t *real, const char *where) {
    if (json_is_object(real)) {
        assert_int_equal(json_object_size(ours), json_object_size(real));
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)real, key, value) {
            const json_t *mine = json_object_get(ours, key);
            assert_non_null(mine);
            if (strcmp(key, "_id") != 0 && strcmp(key, "_creationTime") != 0)
                assert_same_value(mine, value, key);
        }
    } else if (json_is_array(real)) {
        assert_int_equal(json_array_size(ours), json_array_size(real));
        for (size_t i = 0; i < json_array_size(real); i++)
            assert_same_value(json_array_get(ours, i), json_array_get(real, i), where);
    } else if (json_is_string(real)) {
        assert_same_text(ours, real, where);
    } else if (json_is_number(real)) {
        if (!json_is_number(ours) || json_number_value(ours) < json_number_value(real) ||
            json_number_value(ours) > json_number_value(real))
            fail_msg("%s: another number", where);
    } else if (!json_equal(ours, real)) {
        fail_msg("%s: another value", where);
    }
}

static void assert_same_keys(const json_t *ours, const json_t *real) {
    void *a = json_object_iter((json_t *)(uintptr_t)ours), *b = json_object_iter((json_t *)(uintptr_t)real);
    while (a && b) {
        assert_string_equal(json_object_iter_key(a), json_object_iter_key(b));
        a = json_object_iter_next((json_t *)(uintptr_t)ours, a);
        b = json_object_iter_next((json_t *)(uintptr_t)real, b);
    }
    assert_true(!a && !b);
}

static const json_t *operation_of(const json_t *operations, const char *object_id) {
    size_t i;
    json_t *operation;
    json_array_foreach((json_t *)(uintptr_t)operations, i, operation) {
        if (strcmp(json_text(operation, "object_id"), object_id) == 0)
            return operation;
    }
    fail_msg("no operation on %s", object_id);
    return NULL;
}

static void assert_same_data(const json_t *ours, const json_t *real) {
    assert_same_keys(ours, real);
    assert_string_equal(json_text(ours, "bucket"), json_text(real, "bucket"));
    assert_true(json_equal(json_object_get(ours, "has_more"), json_object_get(real, "has_more")));
    const json_t *our_list = json_object_get(ours, "data"), *real_list = json_object_get(real, "data");
    assert_int_equal(json_array_size(our_list), json_array_size(real_list));
    for (size_t i = 0; i < json_array_size(real_list); i++) {
        const json_t *wanted = json_array_get(real_list, i);
        const json_t *found = operation_of(our_list, json_text(wanted, "object_id"));
        assert_same_keys(found, wanted);
        assert_string_equal(json_text(found, "op"), json_text(wanted, "op"));
        assert_string_equal(json_text(found, "object_type"), json_text(wanted, "object_type"));
        assert_int_equal(strlen(json_text(found, "subkey")), 36);
        assert_same_value(json_object_get(found, "data"), json_object_get(wanted, "data"), "data");
    }
}

static void assert_same_buckets(const json_t *ours, const json_t *real) {
    assert_int_equal(json_array_size(ours), json_array_size(real));
    for (size_t i = 0; i < json_array_size(real); i++) {
        assert_same_keys(at(ours, i), at(real, i));
        static const char *const keys[] = {"bucket", "count", "priority", "subscriptions"};
        for (size_t k = 0; k < 4; k++)
            assert_true(
                json_equal(json_object_get(at(ours, i), keys[k]), json_object_get(at(real, i), keys[k])));
    }
}

static void assert_same_line(const json_t *ours, const json_t *real) {
    const char *kind = line_kind(real);
    assert_string_equal(line_kind(ours), kind);
    const json_t *a = json_object_get(ours, kind), *b = json_object_get(real, kind);
    if (strcmp(kind, "data") == 0) {
        assert_same_data(a, b);
        return;
    }
    assert_same_keys(a, b);
    assert_string_equal(json_text(a, "last_op_id"), json_text(b, "last_op_id"));
    assert_true(json_equal(json_object_get(a, "streams"), json_object_get(b, "streams")) ||
                !json_object_get(b, "streams"));
    assert_same_buckets(json_object_get(a, "buckets"), json_object_get(b, "buckets"));
    assert_same_buckets(json_object_get(a, "updated_buckets"), json_object_get(b, "updated_buckets"));
    assert_int_equal(json_array_size(json_object_get(a, "removed_buckets")), 0);
}

static void same_lines_as_the_real_service(void **state) {
    (void)state;
    static const char *const files[] = {"01-initial-sync.txt", "02-incremental-update.txt",
                                        "02b-incremental-insert.txt", "03-three-document-mutation.txt",
                                        "04-delete.txt"};
    struct setting setting = set_up_convex();
    struct client *client = NULL;
    for (size_t i = 0; i < 5; i++) {
        struct recording recording = recording_read(files[i]);
        json_t *operations = json_array();
        recording_operations(&recording, collect_operation, operations);
        run_operations(&setting, operations);
        if (i == 0) {
            fixture_start(setting.fixture, yaml);
            run_for(setting.fixture, 500 * TIME_MILLISECOND);
            client =
                client_open(setting.fixture, "raw-client-1", "user-1", "{\"buckets\":[],\"raw_data\":true}");
        }
        run_for(setting.fixture, 1500 * TIME_MILLISECOND);
        assert_int_equal(line_count(client), json_array_size(recording.lines));
        for (size_t k = 0; k < line_count(client); k++)
            assert_same_line(line(client, k), json_array_get(recording.lines, k));
        forget_lines(client);
        recording_free(&recording);
    }
    run_operations(&setting,
                   json_pack("[{s:s,s:s,s:{s:s}}]", "table", "probe", "uuid", "x", "fields", "marker", "x"));
    run_for(setting.fixture, 3 * TIME_SECOND);
    assert_kinds(client, "");
    client_close(client);
    tear_down_convex(&setting);
}

/* An acknowledged upload is part of the checkpoint that acknowledges it. */
static void write_checkpoint_covers_the_write(void **state) {
    (void)state;
    struct setting setting = set_up_convex();
    fixture_start(setting.fixture, yaml);
    run_for(setting.fixture, 2 * TIME_SECOND);
    struct client *stream = client_open(setting.fixture, "alice-1", "alice", "{\"client_id\":\"c1\"}");
    run_for(setting.fixture, TIME_SECOND);
    forget_lines(stream);
    run_operations(&setting,
                   json_pack("[{s:s,s:s,s:{s:s}}]", "table", "lists", "uuid", "l1", "fields", "uuid", "l1"));
    int64_t written = convex_deployment_latest(setting.deployment);
    struct client *get =
        client_get(setting.fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(setting.fixture, 2 * TIME_SECOND);
    assert_string_equal(buffer_text(&get->body), "{\"data\":{\"write_checkpoint\":\"1\"}}");
    assert_true(powersync_service_position(setting.fixture->service) >
                written); /* the marker came after it */
    bool seen = false, acknowledged = false;
    for (size_t i = 0; i < line_count(stream); i++) {
        const json_t *diff = json_object_get(line(stream, i), "checkpoint_diff");
        seen = seen || json_array_size(json_object_get(diff, "updated_buckets")) > 0;
        if (json_text(diff, "write_checkpoint"))
            acknowledged = true;
        assert_true(seen || !acknowledged);
    }
    assert_true(acknowledged);
    client_close(get);
    client_close(stream);
    tear_down_convex(&setting);
}

static json_t *insert_list(const char *uuid) {
    return json_pack("[{s:s,s:s,s:{s:s}}]", "table", "lists", "uuid", uuid, "fields", "uuid", uuid);
}

/* Does any line of the stream hold this text? */
static bool hears(const struct client *client, const char *text) {
    bool found = false;
    for (size_t i = 0; i < line_count(client) && !found; i++) {
        char *dump = json_dumps(line(client, i), 0);
        found = strstr(dump, text) != NULL;
        free(dump);
    }
    return found;
}

/* The service asks for the snapshot of a table, which is that of the root, and does not look at `_component`
 * in what comes later: the rows of both tables called lists are one table to it. */
static void components_merge(void **state) {
    (void)state;
    struct setting setting = set_up_convex();
    run_operations(&setting, insert_list("root-before"));
    run_operations_of(&setting, "shop//test:apply", insert_list("shop-before"));
    fixture_start(setting.fixture, yaml);
    run_for(setting.fixture, 2 * TIME_SECOND);
    struct client *client =
        client_open(setting.fixture, "raw-client-1", "user-1", "{\"buckets\":[],\"raw_data\":true}");
    run_for(setting.fixture, TIME_SECOND);
    assert_true(hears(client, "root-before"));
    assert_false(hears(client, "shop-before"));
    run_operations(&setting, insert_list("root-later"));
    run_operations_of(&setting, "shop//test:apply", insert_list("shop-later"));
    run_for(setting.fixture, 3 * TIME_SECOND);
    assert_true(hears(client, "root-later"));
    assert_true(hears(client, "shop-later"));
    assert_false(hears(client, "shop-before"));
    client_close(client);
    tear_down_convex(&setting);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_lines_as_the_real_service),
                                       cmocka_unit_test(write_checkpoint_covers_the_write),
                                       cmocka_unit_test(components_merge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
