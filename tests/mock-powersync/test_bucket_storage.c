/* Rows through evaluation into buckets: which operations appear where, what commits show, and what documents
 * become. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/document.h"
#include "mock-powersync/storage/checksum.h"
#include "mock-powersync/storage/storage.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n"
                                "  all:\n"
                                "    query: SELECT uuid AS id, name FROM lists\n";

struct fixture {
    struct storage *whole;
    struct sync_config *config;
    struct bucket_storage *storage;
};

static int set_up(void **state) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    fixture->whole = storage_create();
    struct replication_stream *stream;
    assert_int_equal(storage_deploy(fixture->whole, yaml, "sync.yaml", false, &stream, NULL), STATUS_OK);
    fixture->config = stream->config;
    fixture->storage = stream->buckets;
    fixture->storage->snapshot_done = true;
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    storage_check(fixture->whole);
    storage_destroy(fixture->whole);
    free(fixture);
    return 0;
}

/* `document` NULL: deleted. */
static void save(struct fixture *fixture, const char *id, const char *document, bool skip_existing) {
    struct arena arena = {0};
    struct row_outputs outputs = {0};
    json_t *json = NULL;
    if (document) {
        json = json_parse(document, strlen(document), NULL);
        assert_non_null(json);
        struct row row = document_row(json, &arena);
        evaluate_row(fixture->config, 1, &(struct source_table){"default", "convex", "lists"}, &row, &arena,
                     &outputs);
    }
    bucket_storage_save(fixture->storage, "lists", id, &outputs, skip_existing);
    json_decref(json);
    arena_free(&arena);
    bucket_storage_check(fixture->storage);
}

static const struct bucket *bucket(struct fixture *fixture, const char *name) {
    return bucket_storage_bucket(fixture->storage, name, strlen(name));
}

static const struct bucket_operation *last(struct fixture *fixture, const char *name) {
    const struct bucket *found = bucket(fixture, name);
    assert_true(found->count > 0);
    return &found->operations[found->count - 1];
}

static void put_in_every_bucket(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"name\":\"x\",\"owner\":\"alice\"}", false);
    const struct bucket_operation *own = last(fixture, "1#own|0[\"alice\"]");
    assert_int_equal(own->op_id, 1);
    assert_string_equal(operation_object_type(own), "lists");
    assert_string_equal(operation_object_id(own), "l1");
    const char *data = "{\"_id\":\"j1\",\"uuid\":\"l1\",\"name\":\"x\",\"owner\":\"alice\",\"id\":\"l1\"}";
    assert_string_equal(own->data, data);
    assert_int_equal(own->checksum, checksum_put("lists", "l1", data, strlen(data)));
    assert_string_equal(last(fixture, "1#all|0[]")->data, "{\"id\":\"l1\",\"name\":\"x\"}");
    assert_int_equal(last(fixture, "1#all|0[]")->op_id, 2);
}

static void move_to_another_bucket(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":\"alice\"}", false);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":\"bob\"}", false);
    const struct bucket_operation *removed = last(fixture, "1#own|0[\"alice\"]");
    const struct bucket_operation *put = last(fixture, "1#own|0[\"bob\"]");
    assert_null(removed->data);
    assert_non_null(put->data);
    assert_true(put->op_id < removed->op_id); /* PUTs first */
    assert_string_equal(operation_object_id(removed), "l1");
    char subkey[37], other[37];
    operation_subkey(put, subkey);
    operation_subkey(removed, other);
    assert_string_equal(other, subkey);
    assert_int_equal(removed->checksum, checksum_remove(subkey));
    assert_int_equal(bucket(fixture, "1#own|0[\"alice\"]")->count, 2);
}

static void change_of_the_output_id(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\"}", false);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l2\"}", false);
    const struct bucket *all = bucket(fixture, "1#all|0[]");
    assert_int_equal(all->count, 3);
    assert_string_equal(operation_object_id(&all->operations[1]), "l2");
    assert_string_equal(operation_object_id(&all->operations[2]), "l1");
    assert_null(all->operations[2].data);
}

static void delete_and_come_back(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":\"alice\"}", false);
    save(fixture, "j1", NULL, false);
    assert_int_equal(bucket(fixture, "1#own|0[\"alice\"]")->count, 2);
    assert_null(last(fixture, "1#all|0[]")->data);
    save(fixture, "j1", NULL, false); /* again: nothing to remove */
    assert_int_equal(fixture->storage->last_op, 4);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":\"alice\"}", true);
    assert_non_null(last(fixture, "1#all|0[]")->data);
}

static void delete_of_an_unknown_row(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j9", NULL, false);
    assert_int_equal(fixture->storage->last_op, 0);
}

static void equal_update_is_a_new_put(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\"}", false);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\"}", false);
    assert_int_equal(bucket(fixture, "1#all|0[]")->count, 2);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\"}", true); /* a snapshot skips what is there */
    assert_int_equal(bucket(fixture, "1#all|0[]")->count, 2);
}

static void no_owner_no_bucket(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":null}", false);
    save(fixture, "j2", "{\"_id\":\"j2\",\"uuid\":\"l2\"}", false);
    assert_int_equal(fixture->storage->buckets.count, 1);
}

static void commits_show_and_wake(void *context) {
    ++*(int *)context;
}

static void visible_after_commit_only(void **state) {
    struct fixture *fixture = *state;
    struct watch watch = {0};
    int wakes = 0;
    struct bucket *all = bucket_storage_bucket(fixture->storage, "1#all|0[]", 9);
    watch_add(&all->watches, &watch, commits_show_and_wake, &wakes);
    save(fixture, "j1", "{\"_id\":\"j1\",\"uuid\":\"l1\"}", false);
    assert_int_equal(bucket_state_at(all, fixture->storage->checkpoint).count, 0);
    assert_int_equal(wakes, 0);
    assert_true(bucket_storage_commit(fixture->storage, 1000, false));
    struct bucket_state state_now = bucket_state_at(all, fixture->storage->checkpoint);
    assert_int_equal(state_now.count, 1);
    assert_int_equal(state_now.checksum, all->operations[0].checksum);
    assert_int_equal(wakes, 1);
    assert_false(bucket_storage_commit(fixture->storage, 2000, false)); /* nothing new */
    assert_int_equal(fixture->storage->lsn, 1000);
    assert_true(bucket_storage_commit(fixture->storage, 2000, true)); /* keepalive */
    assert_int_equal(fixture->storage->lsn, 2000);
    assert_int_equal(wakes, 1);
    save(fixture, "j1", NULL, false);
    assert_false(bucket_storage_commit(fixture->storage, 1500, true)); /* back in time: blocked */
    assert_int_equal(bucket_state_at(all, fixture->storage->checkpoint).count, 1);
    watch_remove(&watch);
}

static void checksums_at_every_checkpoint(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 50; i++) {
        char document[100];
        snprintf(document, sizeof document, "{\"_id\":\"j%d\",\"uuid\":\"l%d\",\"owner\":\"u%d\"}", i % 7,
                 i % 7, i % 3);
        save(fixture, document + 8, NULL, false);
        char id[4] = {'j', (char)('0' + i % 7), 0, 0};
        save(fixture, id, document, false);
    }
    const struct bucket *all = bucket(fixture, "1#all|0[]");
    for (uint64_t op = 0; op <= fixture->storage->last_op; op++) {
        uint32_t sum = 0;
        size_t count = 0;
        for (size_t i = 0; i < all->count && all->operations[i].op_id <= op; i++, count++)
            sum += all->operations[i].checksum;
        assert_int_equal(bucket_state_at(all, op).checksum, sum);
        assert_int_equal(bucket_state_at(all, op).count, count);
    }
}

/* Every Convex value as it is synced (fact: type mapping of the Convex module). */
static void type_mapping(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "j1",
         "{\"_component\":\"\",\"_table\":\"lists\",\"_ts\":1,\"_deleted\":false,\"_creationTime\":"
         "1700000000000.25,"
         "\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":1.0,\"int64\":\"9007199254740993\",\"whole\":1.0,\"part\":"
         "1.5,"
         "\"big\":10000000000000000.0,\"huge\":1e21,\"nan\":\"NaN\",\"minus\":-0.0,\"digits\":1,\"yes\":true,"
         "\"no\":false,\"none\":null,\"bytes\":\"AQI=\",\"list\":[1.0,true,\"a\",-0.0],\"thing\":{\"b\":"
         "\"7\",\"a\":null},"
         "\"text\":\"q\\\"\\\\\\u0001/\\u00e9\"}",
         false);
    assert_string_equal(
        last(fixture, "1#own|0[1]")->data,
        "{\"_creationTime\":1700000000000.25,\"_id\":\"j1\",\"uuid\":\"l1\",\"owner\":1.0,"
        "\"int64\":\"9007199254740993\",\"whole\":1.0,\"part\":1.5,\"big\":10000000000000000.0,\"huge\":1e+"
        "21,"
        "\"nan\":\"NaN\",\"minus\":0.0,\"digits\":1,\"yes\":1,\"no\":0,\"none\":null,\"bytes\":\"AQI=\","
        "\"list\":\"[1.0,true,\\\"a\\\",0.0]\",\"thing\":\"{\\\"b\\\":\\\"7\\\",\\\"a\\\":null}\","
        "\"text\":\"q\\\"\\\\\\u0001/é\",\"id\":\"l1\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_in_every_bucket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(move_to_another_bucket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(change_of_the_output_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(delete_and_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(delete_of_an_unknown_row, set_up, tear_down),
        cmocka_unit_test_setup_teardown(equal_update_is_a_new_put, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_owner_no_bucket, set_up, tear_down),
        cmocka_unit_test_setup_teardown(visible_after_commit_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checksums_at_every_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(type_mapping, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
