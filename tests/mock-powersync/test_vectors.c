/* The mock against the recorded stream of a real service: the same documents and transactions must give the
 * same lines, byte for byte but for what depends on the real service's internal table ids (subkeys, and the
 * checksum of a REMOVE, which is made from one). */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"
#include "mock-powersync/recording.h"

static const char *const yaml = "config:\n"
                                "  edition: 3\n"
                                "streams:\n"
                                "  lists:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists\n"
                                "  todos:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM todos\n";

#define SEED_TS INT64_C(1795170324181658848) /* the boundary that the real service pinned */

struct replay {
    struct fixture *fixture;
    int64_t ts;
    struct map ids; /* uuid -> Convex id, for deletes */
};

static void replay_operation(void *context, const json_t *operation) {
    struct replay *replay = context;
    const char *uuid = json_text(operation, "object_id");
    const char *data = json_text(operation, "data");
    if (!data) {
        fake_put(replay->fixture->fake, replay->ts, json_text(operation, "object_type"),
                 map_get(&replay->ids, uuid), NULL);
        return;
    }
    json_t *document = recording_document(data);
    struct buffer text = {0};
    json_append(&text, document);
    fake_put(replay->fixture->fake, replay->ts, json_text(operation, "object_type"),
             json_text(document, "_id"), text.data);
    free(map_set(&replay->ids, uuid, memory_copy_text(json_text(document, "_id"))));
    buffer_free(&text);
    json_decref(document);
}

/* Equal values, keys in the same order. `removed`: a REMOVE happened, so sums of its bucket differ. */
static void assert_same(const json_t *ours, const json_t *real, bool removed, const char *where) {
    if (json_typeof(ours) != json_typeof(real))
        fail_msg("%s: another type", where);
    if (json_is_object(real)) {
        void *a = json_object_iter((json_t *)(uintptr_t)ours),
             *b = json_object_iter((json_t *)(uintptr_t)real);
        bool is_remove = json_text(real, "op") && strcmp(json_text(real, "op"), "REMOVE") == 0;
        for (; a && b; a = json_object_iter_next((json_t *)(uintptr_t)ours, a),
                       b = json_object_iter_next((json_t *)(uintptr_t)real, b)) {
            const char *key = json_object_iter_key(b);
            assert_string_equal(json_object_iter_key(a), key);
            bool sum = strcmp(key, "checksum") == 0;
            if (strcmp(key, "subkey") == 0 || (sum && (is_remove || (removed && json_text(real, "bucket")))))
                assert_int_equal(json_typeof(json_object_iter_value(a)),
                                 json_typeof(json_object_iter_value(b)));
            else
                assert_same(json_object_iter_value(a), json_object_iter_value(b), removed, key);
        }
        assert_true(!a && !b);
    } else if (json_is_array(real)) {
        assert_int_equal(json_array_size(ours), json_array_size(real));
        for (size_t i = 0; i < json_array_size(real); i++)
            assert_same(json_array_get(ours, i), json_array_get(real, i), removed, where);
    } else if (json_is_string(real)) {
        assert_string_equal(json_string_value(ours), json_string_value(real));
    } else if (!json_equal(ours, real)) {
        fail_msg("%s: another value", where);
    }
}

static void same_lines_as_the_real_service(void **state) {
    (void)state;
    static const char *const files[] = {"01-initial-sync.txt", "02-incremental-update.txt",
                                        "02b-incremental-insert.txt", "03-three-document-mutation.txt",
                                        "04-delete.txt"};
    struct fixture *fixture = fixture_create();
    struct replay replay = {.fixture = fixture};
    struct client *client = NULL;
    for (size_t i = 0; i < 5; i++) {
        struct recording recording = recording_read(files[i]);
        assert_in_range(json_array_size(recording.lines), 3, 4);
        replay.ts = recording.commit ? recording.commit : SEED_TS;
        recording_operations(&recording, replay_operation, &replay);
        if (i == 0) {
            fixture_start(fixture, yaml);
            run_for(fixture, 500 * TIME_MILLISECOND);
            client =
                client_open(fixture, "raw-client-1", "user-1",
                            "{\"buckets\":[],\"include_checksum\":true,\"raw_data\":true,\"client_id\":"
                            "\"raw-client-1\",\"streams\":{\"include_defaults\":true,\"subscriptions\":[]}}");
        }
        run_for(fixture, 1500 * TIME_MILLISECOND);
        assert_same(client->lines, recording.lines, i == 4, files[i]);
        forget_lines(client);
        recording_free(&recording);
    }
    /* A write that no stream selects: silence. */
    fake_put(fixture->fake, fixture->fake->latest + 1, "schema_only_probe", "j60", ",\"marker\":\"x\"");
    run_for(fixture, 3 * TIME_SECOND);
    assert_kinds(client, "");
    client_close(client);
    map_free(&replay.ids, free);
    fixture_destroy(fixture);
}

/* The same state without raw_data: rows as objects, as recorded (01b holds one more operation, from an
 * upload). */
static void embedded_rows(void **state) {
    (void)state;
    struct fixture *fixture = fixture_create();
    struct replay replay = {.fixture = fixture, .ts = SEED_TS};
    struct recording recording = recording_read("01-initial-sync.txt");
    recording_operations(&recording, replay_operation, &replay);
    fixture_start(fixture, yaml);
    run_for(fixture, 500 * TIME_MILLISECOND);
    struct client *client = client_open(fixture, "raw-client-1", "user-1", "{\"raw_data\":false}");
    run_for(fixture, 100 * TIME_MILLISECOND);
    char path[500], text[20000];
    snprintf(path, sizeof path, "%s/real-service-1.25.0/01b-initial-sync-raw_data-false.ndjson",
             TEST_VECTORS);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    assert_non_null(fgets(text, sizeof text, file)); /* the first data line */
    fclose(file);
    json_t *real = json_parse(text, strlen(text) - 1, NULL);
    const json_t *real_rows = json_object_get(json_object_get(real, "data"), "data");
    const json_t *our_rows = json_object_get(line_of(client, 1, "data"), "data");
    for (size_t i = 0; i < 2; i++)
        assert_same(at(our_rows, i), at(real_rows, i), false, "row");
    json_decref(real);
    client_close(client);
    recording_free(&recording);
    map_free(&replay.ids, free);
    fixture_destroy(fixture);
}

/* BSON, byte by byte: types, numbers and order of fields. Only subkeys may differ, and what is computed from
 * them: the checksum of a REMOVE, and so the sums of buckets. */
struct bson_pair {
    const unsigned char *ours, *real;
};

static size_t u32(const unsigned char *bytes) {
    return bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16 | (size_t)bytes[3] << 24;
}

static size_t value_size(unsigned char type, const unsigned char *bytes) {
    assert_true(type == 0x01 || type == 0x02 || type == 0x08 || type == 0x0a || type == 0x10);
    return type == 0x01 ? 8 : type == 0x02 ? 4 + u32(bytes) : type == 0x08 ? 1 : type == 0x10 ? 4 : 0;
}

/* Returns how many values differed where they may. */
static size_t assert_same_document(struct bson_pair *at) {
    const unsigned char *end = at->real + u32(at->real);
    const unsigned char *our_end = at->ours + u32(at->ours);
    bool is_put = false;
    size_t others = 0;
    at->ours += 4;
    at->real += 4;
    while (at->real < end - 1) {
        unsigned char our_type = *at->ours++, type = *at->real++;
        const char *key = (const char *)at->real;
        bool is_sum = strcmp(key, "checksum") == 0 && !is_put;
        assert_string_equal((const char *)at->ours, key);
        at->ours += strlen(key) + 1;
        at->real += strlen(key) + 1;
        assert_true(our_type == type || is_sum);
        if (type == 0x03 || type == 0x04) {
            others += assert_same_document(at);
            continue;
        }
        size_t ours = value_size(our_type, at->ours), real = value_size(type, at->real);
        bool same = ours == real && memcmp(at->ours, at->real, real) == 0;
        if (!same && !is_sum && strcmp(key, "subkey") != 0)
            fail_msg("another value of %s", key);
        is_put = is_put || (strcmp(key, "op") == 0 && strcmp((const char *)at->real + 4, "PUT") == 0);
        others += !same;
        at->ours += ours;
        at->real += real;
    }
    assert_int_equal(*at->ours++, 0);
    assert_int_equal(*at->real++, 0);
    assert_ptr_equal(at->ours, our_end);
    return others;
}

/* Each operation is a transaction of its own: a row that was changed twice has two. */
static void replay_one_by_one(void *context, const json_t *operation) {
    ((struct replay *)context)->ts++;
    replay_operation(context, operation);
}

static void same_bson_as_the_real_service(void **state) {
    (void)state;
    char path[500];
    static unsigned char real[100000];
    snprintf(path, sizeof path, "%s/real-service-1.25.0/01c-initial-sync.bson", TEST_VECTORS);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t length = fread(real, 1, sizeof real, file);
    fclose(file);
    struct fixture *fixture = fixture_create();
    struct replay replay = {.fixture = fixture, .ts = SEED_TS};
    struct recording recording = {.lines = json_array()};
    for (size_t at = 0, line; at < length; at += line) {
        json_t *json;
        line = bson_length(real + at, length - at);
        assert_int_equal(bson_parse(real + at, line, &json, NULL), STATUS_OK);
        json_array_append_new(recording.lines, json);
    }
    fixture_start(fixture, yaml);
    run_for(fixture, 500 * TIME_MILLISECOND);
    recording_operations(&recording, replay_one_by_one, &replay);
    run_for(fixture, 1500 * TIME_MILLISECOND);
    struct client *client = client_open_as(fixture, "raw-client-1", "user-1", "{}",
                                           "application/vnd.powersync.bson-stream", NULL);
    run_for(fixture, 100 * TIME_MILLISECOND);
    assert_string_equal(client->content_type, "application/vnd.powersync.bson-stream");
    assert_int_equal(line_count(client), json_array_size(recording.lines));
    struct bson_pair at = {(const unsigned char *)client->whole.data, real};
    size_t others = 0;
    while (at.real < real + length)
        others += assert_same_document(&at);
    assert_int_equal(others, 15 + 1 + 1); /* subkeys, one REMOVE, the sum of its bucket */
    assert_ptr_equal(at.ours, client->whole.data + client->whole.length);
    client_close(client);
    recording_free(&recording);
    map_free(&replay.ids, free);
    fixture_destroy(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_lines_as_the_real_service),
                                       cmocka_unit_test(embedded_rows),
                                       cmocka_unit_test(same_bson_as_the_real_service)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
