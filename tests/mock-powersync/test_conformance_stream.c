/* Conformance scenarios of the sync stream, by their numbers; the stream talks to the storage alone. */
#include "mock-powersync/unit.h"

#include "mock-powersync/storage/checksum.h"
#include "mock-powersync/stream_fixture.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  lists:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT _id AS id, name FROM lists\n"
                                "  mine:\n"
                                "    priority: 1\n"
                                "    query: SELECT _id AS id, name FROM todos WHERE list = "
                                "subscription.parameter('list')\n"
                                "  urgent:\n"
                                "    priority: 0\n"
                                "    query: SELECT _id AS id, name FROM news\n";

static int set_up(void **state) {
    *state = stream_fixture_create(yaml);
    return 0;
}

static int tear_down(void **state) {
    stream_fixture_destroy(*state);
    return 0;
}

#define DEFAULTS "{\"raw_data\":true}"
/* mine for a and b, and the default stream */
#define SUBSCRIBED                                                                                           \
    "{\"raw_data\":true,\"streams\":{\"subscriptions\":["                                                    \
    "{\"stream\":\"mine\",\"parameters\":{\"list\":\"a\"},\"override_priority\":null},"                      \
    "{\"stream\":\"mine\",\"parameters\":{\"list\":\"b\"},\"override_priority\":null},"                      \
    "{\"stream\":\"urgent\",\"parameters\":null,\"override_priority\":null}]}}"
#define ALL_EMPTY "checkpoint partial_checkpoint_complete partial_checkpoint_complete checkpoint_complete"

static const json_t *operations(const struct reader *reader, size_t line) {
    return json_object_get(lines_of(reader->lines, line, "data"), "data");
}

static const json_t *updated(const struct reader *reader, size_t line) {
    return json_object_get(lines_of(reader->lines, line, "checkpoint_diff"), "updated_buckets");
}

static int64_t number(const json_t *object, const char *key) {
    return json_integer_value(json_object_get(object, key));
}

static void s1_empty_config(void **state) {
    struct reader *reader = reader_open(*state, "alice", DEFAULTS);
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    assert_json(lines_at(reader->lines, 0),
                "{\"checkpoint\":{\"last_op_id\":\"0\",\"buckets\":[{\"bucket\":\"1#lists|0[]\","
                "\"checksum\":0,\"count\":0,\"priority\":3,\"subscriptions\":[{\"default\":0}]}],"
                "\"streams\":[{\"name\":\"lists\",\"is_default\":true,\"errors\":[]}]}}");
    assert_json(lines_at(reader->lines, 1), "{\"checkpoint_complete\":{\"last_op_id\":\"0\"}}");
    reader_close(reader);
}

static void s2_s3_insert_and_update(void **state) {
    struct reader *reader = reader_open(*state, "alice", DEFAULTS);
    const uint32_t first = checksum_put("lists", "l1", "{\"id\":\"l1\",\"name\":\"x\"}", 22);
    const uint32_t second = checksum_put("lists", "l1", "{\"id\":\"l1\",\"name\":\"y\"}", 22);
    reader_forget(reader);
    put_committed(*state, "lists", "l1", "\"name\":\"x\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_int_equal(json_array_size(updated(reader, 0)), 1);
    assert_int_equal(number(at(updated(reader, 0), 0), "checksum"), (int32_t)first);
    const json_t *put = at(operations(reader, 1), 0);
    assert_string_equal(json_text(put, "op"), "PUT");
    assert_string_equal(json_text(put, "op_id"), "1");
    assert_string_equal(json_text(put, "data"), "{\"id\":\"l1\",\"name\":\"x\"}");
    assert_int_equal(number(put, "checksum"), first);
    reader_forget(reader);
    put_committed(*state, "lists", "l1", "\"name\":\"y\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_int_equal(number(at(updated(reader, 0), 0), "checksum"), (int32_t)(first + second));
    assert_int_equal(number(at(updated(reader, 0), 0), "count"), 2);
    assert_string_equal(json_text(lines_of(reader->lines, 1, "data"), "after"), "1");
    assert_string_equal(json_text(at(operations(reader, 1), 0), "op_id"), "2");
    reader_close(reader);
}

static void s4_row_moves(void **state) {
    put_committed(*state, "todos", "t1", "\"name\":\"x\",\"list\":\"a\"");
    struct reader *reader = reader_open(*state, "alice", SUBSCRIBED);
    reader_forget(reader);
    put_committed(*state, "todos", "t1", "\"name\":\"x\",\"list\":\"b\"");
    reader_expect(reader, "checkpoint_diff data data checkpoint_complete");
    assert_int_equal(json_array_size(updated(reader, 0)), 2);
    assert_string_equal(json_text(lines_of(reader->lines, 1, "data"), "bucket"), "1#mine|0[\"a\"]");
    const json_t *gone = at(operations(reader, 1), 0);
    assert_string_equal(json_text(gone, "op"), "REMOVE");
    assert_true(json_is_null(json_object_get(gone, "data")));
    assert_string_equal(json_text(lines_of(reader->lines, 2, "data"), "bucket"), "1#mine|0[\"b\"]");
    assert_string_equal(json_text(at(operations(reader, 2), 0), "op"), "PUT");
    reader_close(reader);
}

static void s6_s7_reconnect(void **state) {
    put_committed(*state, "lists", "l1", "\"name\":\"x\"");
    put_committed(*state, "lists", "l2", "\"name\":\"y\"");
    struct reader *reader =
        reader_open(*state, "alice", "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"2\"}]}");
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    const json_t *bucket = at(json_object_get(lines_of(reader->lines, 0, "checkpoint"), "buckets"), 0);
    assert_int_equal(number(bucket, "count"), 2);
    int64_t sum = number(bucket, "checksum");
    reader_close(reader);
    reader = reader_open(*state, "alice",
                         "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"1\"},{\"name\":\"unknown\","
                         "\"after\":\"9\"}]}");
    lines_assert_kinds(reader->lines, "checkpoint data checkpoint_complete");
    assert_int_equal(json_array_size(operations(reader, 1)), 1);
    assert_string_equal(json_text(at(operations(reader, 1), 0), "op_id"), "2");
    bucket = at(json_object_get(lines_of(reader->lines, 0, "checkpoint"), "buckets"), 0);
    assert_int_equal(number(bucket, "checksum"), sum);
    reader_close(reader);
    /* A position beyond the checkpoint: nothing to send, announced as it is. */
    reader = reader_open(*state, "alice", "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"99\"}]}");
    lines_assert_kinds(reader->lines, "checkpoint checkpoint_complete");
    reader_close(reader);
    reader = reader_open(*state, "alice", "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"x\"}]}");
    assert_int_equal(reader->failed, 500);
    assert_string_equal(reader->code, "PSYNC_S2001");
    reader_close(reader);
}

static void s8_priorities(void **state) {
    put_row(*state, "news", "n1", "\"name\":\"x\"");
    put_row(*state, "todos", "t1", "\"name\":\"x\",\"list\":\"a\"");
    put_committed(*state, "lists", "l1", "\"name\":\"x\"");
    struct reader *reader = reader_open(*state, "alice", SUBSCRIBED);
    lines_assert_kinds(reader->lines, "checkpoint data partial_checkpoint_complete data "
                                      "partial_checkpoint_complete data checkpoint_complete");
    assert_json(lines_at(reader->lines, 2),
                "{\"partial_checkpoint_complete\":{\"last_op_id\":\"3\",\"priority\":0}}");
    assert_json(lines_at(reader->lines, 4),
                "{\"partial_checkpoint_complete\":{\"last_op_id\":\"3\",\"priority\":1}}");
    reader_forget(reader);
    put_committed(*state, "lists", "l2", "\"name\":\"y\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    reader_close(reader);
}

/* 1500 operations of the lowest priority in lines of 100; after `sent` of them something is committed. */
static struct reader *interrupt(struct stream_fixture *fixture, size_t sent, const char *table,
                                const char *fields) {
    fixture->environment.batch_operations = 100;
    for (int i = 0; i < 1500; i++) {
        char id[16];
        snprintf(id, sizeof id, "l%d", i);
        put_row(fixture, "lists", id, "\"name\":\"x\"");
    }
    commit(fixture);
    struct reader *reader = reader_open_as(fixture, "alice", SUBSCRIBED, LINE_NDJSON_RAW);
    reader->room = 1 + 2 + sent / 100; /* the checkpoint, two empty priorities */
    reader_run(reader, 100 * TIME_MILLISECOND);
    assert_int_equal(json_array_size(reader->lines), 3 + sent / 100);
    put_committed(fixture, table, "new", fields);
    reader_run(reader, 100 * TIME_MILLISECOND);
    reader_resume(reader);
    reader_run(reader, 100 * TIME_MILLISECOND);
    return reader;
}

static size_t count_kind(const struct reader *reader, const char *kind) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(reader->lines); i++)
        count += strcmp(line_kind(lines_at(reader->lines, i)), kind) == 0;
    return count;
}

static void s9_interruption(void **state) {
    struct reader *reader = interrupt(*state, 1000, "news", "\"name\":\"x\"");
    /* 0..2 and ten lines of data, then */
    assert_int_equal(json_array_size(updated(reader, 13)), 1);
    assert_string_equal(json_text(at(updated(reader, 13), 0), "bucket"), "1#urgent|0[]");
    assert_int_equal(number(at(updated(reader, 13), 0), "checksum"),
                     (int32_t)checksum_put("news", "new", "{\"id\":\"new\",\"name\":\"x\"}", 23));
    assert_string_equal(json_text(lines_of(reader->lines, 14, "data"), "bucket"), "1#urgent|0[]");
    assert_json(lines_at(reader->lines, 15),
                "{\"partial_checkpoint_complete\":{\"last_op_id\":\"1501\",\"priority\":0}}");
    const json_t *rest = lines_of(reader->lines, 16, "data");
    assert_string_equal(json_text(rest, "bucket"), "1#lists|0[]");
    assert_string_equal(json_text(rest, "after"), "1000");
    assert_int_equal(count_kind(reader, "checkpoint_complete"), 1);
    assert_int_equal(count_kind(reader, "data"), 10 + 1 + 5);
    reader_close(reader);
}

static void s9_not_before_1000(void **state) {
    struct reader *reader = interrupt(*state, 900, "news", "\"name\":\"x\"");
    size_t diff = 0;
    while (strcmp(line_kind(lines_at(reader->lines, diff)), "checkpoint_diff") != 0)
        diff++;
    assert_int_equal(diff, 3 + 10); /* one more line of data, then it is interrupted */
    reader_close(reader);
}

static void s10_unrelated_change(void **state) {
    struct reader *reader = interrupt(*state, 1000, "todos", "\"name\":\"x\",\"list\":\"of another\"");
    assert_int_equal(count_kind(reader, "checkpoint_diff"), 0);
    assert_int_equal(count_kind(reader, "data"), 15);
    assert_int_equal(count_kind(reader, "checkpoint_complete"), 1);
    assert_json(lines_at(reader->lines, json_array_size(reader->lines) - 1),
                "{\"checkpoint_complete\":{\"last_op_id\":\"1500\"}}");
    reader_close(reader);
}

static void s11_s12_write_checkpoint(void **state) {
    struct stream_fixture *fixture = *state;
    struct write_checkpoints *checkpoints = &fixture->storage->write_checkpoints;
    struct reader *reader = reader_open(fixture, "alice", "{\"client_id\":\"c\"}");
    reader_forget(reader);
    assert_int_equal(write_checkpoints_next(checkpoints, "alice/c", fixture->buckets->lsn + 1, 0), 1);
    commit(fixture);
    reader_expect(reader, "checkpoint_diff checkpoint_complete");
    assert_json(
        lines_at(reader->lines, 0),
        "{\"checkpoint_diff\":{\"last_op_id\":\"0\",\"write_checkpoint\":\"1\",\"removed_buckets\":[],"
        "\"updated_buckets\":[]}}");
    reader_forget(reader);
    write_checkpoints_next(checkpoints, "alice/c", fixture->buckets->lsn + 2, 0); /* replication lags */
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_string_equal(json_text(lines_of(reader->lines, 0, "checkpoint_diff"), "write_checkpoint"), "1");
    reader_forget(reader);
    commit(fixture);
    reader_expect(reader, "checkpoint_diff checkpoint_complete");
    assert_string_equal(json_text(lines_of(reader->lines, 0, "checkpoint_diff"), "write_checkpoint"), "2");
    reader_close(reader);
}

static void s13_two_clients(void **state) {
    struct stream_fixture *fixture = *state;
    struct reader *one = reader_open(fixture, "alice", "{\"client_id\":\"c1\"}");
    struct reader *two = reader_open(fixture, "alice", "{\"client_id\":\"c2\"}");
    reader_forget(one);
    reader_forget(two);
    write_checkpoints_next(&fixture->storage->write_checkpoints, "alice/c2", fixture->buckets->lsn + 1, 0);
    commit(fixture);
    reader_expect(one, "");
    reader_expect(two, "checkpoint_diff checkpoint_complete");
    reader_close(one);
    reader_close(two);
}

static void s16_redeploy(void **state) {
    struct stream_fixture *fixture = *state;
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    struct reader *before = reader_open(fixture, "alice", DEFAULTS);
    reader_forget(before);
    deploy(fixture, "config: {edition: 3}\n"
                    "streams:\n"
                    "  lists: {auto_subscribe: true, query: \"SELECT _id AS id FROM lists\"}\n");
    put_row(fixture, "lists", "l1", "\"name\":\"x\"");
    reader_expect(before, "");
    assert_false(before->ended);
    commit(fixture);
    reader_expect(before, "");
    assert_true(before->ended && !before->failed);
    reader_close(before);
    struct reader *after =
        reader_open(fixture, "alice", "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"1\"}]}");
    lines_assert_kinds(after->lines, "checkpoint data checkpoint_complete");
    assert_string_equal(json_text(lines_of(after->lines, 1, "data"), "bucket"), "2#lists|0[]");
    assert_string_equal(json_text(lines_of(after->lines, 1, "data"), "after"), "0");
    reader_close(after);
}

/* What a client has after all lines of a bucket, and whether it may keep it: compare reduce() of two readers.
 */
struct reduced {
    struct map rows; /* type/id/subkey -> data */
    uint32_t sum;
};

static void reduce(const struct reader *reader, const char *bucket, struct reduced *reduced) {
    for (size_t i = 0; i < json_array_size(reader->lines); i++) {
        const json_t *data = json_object_get(lines_at(reader->lines, i), "data");
        if (!data || strcmp(json_text(data, "bucket"), bucket) != 0)
            continue;
        for (size_t j = 0; j < json_array_size(json_object_get(data, "data")); j++) {
            const json_t *operation = at(json_object_get(data, "data"), j);
            const char *kind = json_text(operation, "op");
            if (strcmp(kind, "CLEAR") == 0) {
                map_clear(&reduced->rows, free);
                reduced->sum = 0;
            }
            reduced->sum += (uint32_t)number(operation, "checksum");
            if (!json_text(operation, "object_id"))
                continue;
            char *key =
                memory_format("%s/%s", json_text(operation, "object_id"), json_text(operation, "subkey"));
            free(map_remove(&reduced->rows, key));
            if (strcmp(kind, "PUT") == 0)
                map_set(&reduced->rows, key, memory_copy_text(json_text(operation, "data")));
            free(key);
        }
    }
}

static void assert_reduced(struct reduced *reduced, const char *rows) {
    struct buffer text = {0};
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&reduced->rows, &i));)
        buffer_append_text(&text, entry->value);
    assert_string_equal(buffer_text(&text), rows);
    buffer_free(&text);
    map_free(&reduced->rows, free);
}

static void compact(struct stream_fixture *fixture) {
    const struct compaction_options all = {.minimum_operations = 1};
    assert_int_equal(storage_compact(fixture->storage, NULL, &all, NULL, NULL), STATUS_OK);
}

static void s17_compaction_invalidates(void **state) {
    struct stream_fixture *fixture = *state;
    put_row(fixture, "lists", "l1", "\"name\":\"x\"");
    put_committed(fixture, "lists", "l2", "\"name\":\"x\"");
    struct reader *reader = reader_open_as(fixture, "alice", DEFAULTS, LINE_NDJSON_RAW);
    reader->room = 1; /* the checkpoint */
    reader_run(reader, 100 * TIME_MILLISECOND);
    put_committed(fixture, "lists", "l2", "\"name\":\"y\"");
    compact(fixture);
    reader_resume(reader);
    reader_expect(reader, "checkpoint data checkpoint_diff data checkpoint_complete");
    assert_json(lines_at(reader->lines, 4), "{\"checkpoint_complete\":{\"last_op_id\":\"3\"}}");
    assert_string_equal(json_text(at(operations(reader, 1), 1), "op"), "MOVE");
    struct reduced reduced = {0};
    reduce(reader, "1#lists|0[]", &reduced);
    assert_int_equal((int32_t)reduced.sum, number(at(updated(reader, 2), 0), "checksum"));
    assert_reduced(&reduced, "{\"id\":\"l1\",\"name\":\"x\"}{\"id\":\"l2\",\"name\":\"y\"}");
    reader_close(reader);
}

/* The same in a high priority: nothing lower is sent for the checkpoint that cannot be completed. */
static void s17_lower_priorities_wait(void **state) {
    struct stream_fixture *fixture = *state;
    put_row(fixture, "news", "n1", "\"name\":\"x\"");
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    struct reader *reader = reader_open_as(fixture, "alice", SUBSCRIBED, LINE_NDJSON_RAW);
    reader->room = 1;
    reader_run(reader, 100 * TIME_MILLISECOND);
    put_committed(fixture, "news", "n1", "\"name\":\"y\"");
    compact(fixture);
    reader_resume(reader);
    reader_expect(reader, "checkpoint data checkpoint_diff data partial_checkpoint_complete "
                          "partial_checkpoint_complete data checkpoint_complete");
    assert_string_equal(json_text(lines_of(reader->lines, 6, "data"), "bucket"), "1#lists|0[]");
    reader_close(reader);
}

static void s18_clear(void **state) {
    struct stream_fixture *fixture = *state;
    struct reader *old = reader_open(fixture, "alice", DEFAULTS);
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    put_committed(fixture, "lists", "l2", "\"name\":\"x\"");
    reader_run(old, 100 * TIME_MILLISECOND);
    put_committed(fixture, "lists", "l1", NULL);
    reader_run(old, 100 * TIME_MILLISECOND);
    put_committed(fixture, "lists", "l2", "\"name\":\"y\"");
    reader_run(old, 100 * TIME_MILLISECOND);
    compact(fixture);
    struct reader *fresh = reader_open(fixture, "alice", DEFAULTS);
    lines_assert_kinds(fresh->lines, "checkpoint data checkpoint_complete");
    assert_string_equal(json_text(at(operations(fresh, 1), 0), "op"), "CLEAR");
    assert_null(json_object_get(at(operations(fresh, 1), 0), "data"));
    put_committed(fixture, "lists", "l3", "\"name\":\"z\"");
    reader_run(old, 100 * TIME_MILLISECOND);
    struct reduced one = {0}, two = {0};
    reduce(old, "1#lists|0[]", &one);
    reduce(fresh, "1#lists|0[]", &two);
    assert_int_equal(one.sum, two.sum);
    assert_reduced(&one, "{\"id\":\"l2\",\"name\":\"y\"}{\"id\":\"l3\",\"name\":\"z\"}");
    assert_reduced(&two, "{\"id\":\"l2\",\"name\":\"y\"}{\"id\":\"l3\",\"name\":\"z\"}");
    reader_close(old);
    reader_close(fresh);
}

static void s19_too_many_buckets(void **state) {
    struct stream_fixture *fixture = *state;
    struct buffer body = {0};
    fixture->environment.max_buckets = 5;
    buffer_append_text(&body, "{\"streams\":{\"subscriptions\":[");
    for (int i = 0; i < 5; i++)
        buffer_printf(&body,
                      "%s{\"stream\":\"mine\",\"parameters\":{\"list\":\"%d\"},\"override_priority\":null}",
                      i ? "," : "", i);
    buffer_append_text(&body, "]}}");
    struct reader *reader = reader_open(fixture, "alice", body.data);
    lines_assert_kinds(reader->lines, "");
    assert_int_equal(reader->failed, 500);
    assert_string_equal(reader->code, "PSYNC_S2305");
    assert_string_equal(reader->text, "Too many buckets: 6 (limit of 5)\nBy streams:\n  mine: 5\n  lists: 1");
    reader_close(reader);
    fixture->environment.max_buckets = 6;
    reader = reader_open(fixture, "alice", body.data);
    assert_int_equal(reader->failed, 0);
    buffer_free(&body);
    reader_close(reader);
}

static void s21_formats(void **state) {
    struct stream_fixture *fixture = *state;
    put_row(fixture, "lists", "l1", "\"name\":\"\\u00fc \\\"x\\\" 1.0\"");
    put_row(fixture, "lists", "l2", "\"name\":1.0");
    put_committed(fixture, "lists", "l1", NULL);
    struct reader *raw = reader_open(fixture, "alice", DEFAULTS);
    struct reader *binary = reader_open_as(fixture, "alice", DEFAULTS, LINE_BSON);
    struct reader *legacy = reader_open_as(fixture, "alice", DEFAULTS, LINE_NDJSON_EMBEDDED);
    reader_run(raw, 100 * TIME_MILLISECOND);
    lines_assert_kinds(raw->lines, "checkpoint data checkpoint_complete");
    assert_true(json_equal(raw->lines, binary->lines));
    assert_string_equal(json_text(at(operations(raw, 1), 0), "data"),
                        "{\"id\":\"l1\",\"name\":\"\xc3\xbc \\\"x\\\" 1.0\"}");
    assert_true(json_is_object(json_object_get(at(operations(legacy, 1), 0), "data")));
    assert_non_null(strstr(legacy->whole.data, "\"data\":{\"id\":\"l2\",\"name\":1.0}}"));
    assert_true(json_is_null(json_object_get(at(operations(legacy, 1), 2), "data")));
    /* What compaction leaves has no data, but for the legacy form. */
    put_committed(fixture, "lists", "l2", "\"name\":2.0");
    compact(fixture);
    struct reader *late = reader_open(fixture, "alice", DEFAULTS);
    struct reader *late_legacy = reader_open_as(fixture, "alice", DEFAULTS, LINE_NDJSON_EMBEDDED);
    reader_run(late, 100 * TIME_MILLISECOND);
    const json_t *clear = at(operations(late, 1), 0);
    assert_string_equal(json_text(clear, "op"), "CLEAR");
    assert_int_equal(json_object_size(clear), 3);
    assert_int_equal(json_object_size(at(operations(late_legacy, 1), 0)), 4);
    assert_true(json_is_null(json_object_get(at(operations(late_legacy, 1), 0), "data")));
    reader_close(raw);
    reader_close(binary);
    reader_close(legacy);
    reader_close(late);
    reader_close(late_legacy);
}

static void s22_s23_subscriptions(void **state) {
    struct reader *reader =
        reader_open(*state, "alice",
                    "{\"streams\":{\"subscriptions\":["
                    "{\"stream\":\"lists\",\"parameters\":null,\"override_priority\":1},"
                    "{\"stream\":\"nobody\",\"parameters\":null,\"override_priority\":null}]}}");
    const json_t *checkpoint = lines_of(reader->lines, 0, "checkpoint");
    assert_json(json_object_get(checkpoint, "streams"),
                "[{\"name\":\"lists\",\"is_default\":true,\"errors\":[]}]");
    assert_json(json_object_get(checkpoint, "buckets"),
                "[{\"bucket\":\"1#lists|0[]\",\"checksum\":0,\"count\":0,\"priority\":1,"
                "\"subscriptions\":[{\"sub\":0},{\"default\":0}]}]");
    reader_close(reader);
}

/* A reader that takes nothing: lines wait, newer checkpoints are told in one, and nothing is lost. */
static void slow_reader(void **state) {
    struct stream_fixture *fixture = *state;
    struct reader *reader = reader_open(fixture, "alice", DEFAULTS);
    reader_forget(reader);
    reader->full = true;
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof id, "l%d", i);
        put_committed(fixture, "lists", id, "\"name\":\"x\"");
        reader_expect(reader, "");
    }
    reader_run(reader, 60 * TIME_SECOND); /* no keepalives either */
    lines_assert_kinds(reader->lines, "");
    reader_resume(reader);
    reader_expect(reader, "checkpoint_diff data checkpoint_complete");
    assert_int_equal(json_array_size(operations(reader, 1)), 50);
    reader_close(reader);
}

/* Lines that were encoded before are used again, but not after compaction, nor in another form. */
static void lines_encoded_before(void **state) {
    struct stream_fixture *fixture = *state;
    put_committed(fixture, "news", "n1", "\"name\":\"x\""); /* takes the first id */
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    put_committed(fixture, "lists", "l2", "\"name\":\"x\"");
    put_committed(fixture, "lists", "l2", "\"name\":\"y\"");
    struct reader *one = reader_open(fixture, "alice", DEFAULTS);
    struct reader *two = reader_open(fixture, "bob", DEFAULTS);
    assert_string_equal(one->whole.data, two->whole.data);
    struct reader *other = reader_open_as(fixture, "bob", "{}", LINE_NDJSON_EMBEDDED);
    reader_run(other, 100 * TIME_MILLISECOND);
    assert_true(json_is_object(json_object_get(at(operations(other, 1), 0), "data")));
    compact(fixture);
    struct reader *late = reader_open(fixture, "carol", DEFAULTS);
    assert_int_equal(json_array_size(operations(late, 1)), 3);
    assert_string_equal(json_text(at(operations(late, 1), 1), "op"), "MOVE");
    /* From another position the same operations are another line. */
    struct reader *behind = reader_open(
        fixture, "dave", "{\"raw_data\":true,\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"1\"}]}");
    assert_string_equal(json_text(lines_of(behind->lines, 1, "data"), "after"), "1");
    assert_int_equal(json_array_size(operations(behind, 1)), 3);
    for (int i = 0; i < 100; i++) { /* more than are kept */
        char id[16];
        snprintf(id, sizeof id, "n%d", i);
        put_committed(fixture, "lists", id, "\"name\":\"x\"");
        reader_run(one, 50 * TIME_MILLISECOND);
    }
    reader_forget(one);
    reader_forget(two);
    put_committed(fixture, "lists", "l1", "\"name\":\"z\"");
    reader_expect(one, "checkpoint_diff data checkpoint_complete");
    assert_true(json_equal(one->lines, two->lines));
}

/* Sums are signed, what belongs to one row is not. */
static void checksums_of_compacted(void **state) {
    (void)state;
    struct bucket_operation operations[] = {{.op_id = 7, .kind = OPERATION_CLEAR, .checksum = UINT32_MAX},
                                            {.op_id = 8, .kind = OPERATION_MOVE, .checksum = UINT32_MAX}};
    const struct bucket bucket = {.name = "b", .operations = operations, .count = 2, .capacity = 2};
    struct buffer line = {0};
    sync_line_data(&line, LINE_NDJSON_RAW, &bucket, 0, 0, 2, false);
    assert_string_equal(line.data, "{\"data\":{\"bucket\":\"b\",\"after\":\"0\",\"has_more\":false,\"data\":["
                                   "{\"op_id\":\"7\",\"op\":\"CLEAR\",\"checksum\":-1},"
                                   "{\"op_id\":\"8\",\"op\":\"MOVE\",\"checksum\":4294967295}],"
                                   "\"next_after\":\"8\"}}\n");
    buffer_free(&line);
}

/* One credit at a time, as RSocket may give them: the same lines, never one too many. */
static void one_line_at_a_time(void **state) {
    struct stream_fixture *fixture = *state;
    for (int i = 0; i < 10; i++) {
        char id[16];
        snprintf(id, sizeof id, "r%d", i);
        put_row(fixture, "news", id, "\"name\":\"x\"");
        put_row(fixture, "lists", id, "\"name\":\"x\"");
        put_row(fixture, "todos", id, i % 2 ? "\"name\":\"x\",\"list\":\"a\"" : "\"list\":\"b\"");
    }
    commit(fixture);
    struct reader *free_one = reader_open(fixture, "alice", SUBSCRIBED);
    struct reader *slow = reader_open_as(fixture, "alice", SUBSCRIBED, LINE_NDJSON_RAW);
    slow->full = true;
    reader_run(slow, 100 * TIME_MILLISECOND);
    for (size_t i = 0; i < json_array_size(free_one->lines); i++) {
        lines_assert_kinds(slow->lines, "");
        slow->room = 1;
        reader_resume(slow);
        reader_run(slow, 100 * TIME_MILLISECOND);
        assert_int_equal(json_array_size(slow->lines), 1);
        assert_true(json_equal(lines_at(slow->lines, 0), lines_at(free_one->lines, i)));
        reader_forget(slow);
    }
    slow->room = 0;
    reader_resume(slow);
    reader_expect(slow, "");
}

/* Ten may read at once; who waits for half a minute gives up. */
static void data_fetches(void **state) {
    struct stream_fixture *fixture = *state;
    put_committed(fixture, "lists", "l1", "\"name\":\"x\"");
    struct fetch_place holder = {.granted = (void (*)(void *))(uintptr_t)1,
                                 .gave_up = (void (*)(void *))(uintptr_t)1};
    fixture->environment.fetches.free = 1;
    assert_true(fetch_slots_take(&fixture->environment.fetches, &holder));
    struct reader *one = reader_open(fixture, "alice", DEFAULTS);
    lines_assert_kinds(one->lines, "checkpoint");
    struct reader *two = reader_open(fixture, "bob", DEFAULTS);
    reader_run(one, 29 * TIME_SECOND);
    assert_int_equal(one->failed, 0);
    fetch_slots_leave(&holder);
    reader_run(one, 100 * TIME_MILLISECOND);
    assert_int_equal(count_kind(one, "checkpoint_complete"), 1);
    assert_int_equal(count_kind(two, "checkpoint_complete"), 1);
    assert_true(fetch_slots_take(&fixture->environment.fetches, &holder));
    struct reader *three = reader_open(fixture, "carol", DEFAULTS);
    reader_run(three, 31 * TIME_SECOND);
    assert_int_equal(three->failed, 500);
    assert_string_equal(three->text, "Timeout while waiting for data");
    fetch_slots_leave(&holder);
    assert_int_equal(fixture->environment.fetches.free, 1);
    reader_close(one);
    reader_close(two);
    reader_close(three);
}

static void nothing_is_served(void **state) {
    struct stream_fixture *fixture = *state;
    struct storage *whole = fixture->storage;
    fixture->environment.storage = storage_create();
    struct reader *reader = reader_open(fixture, "alice", DEFAULTS);
    assert_int_equal(reader->failed, 500);
    assert_string_equal(reader->code, "PSYNC_S2302");
    reader_close(reader);
    storage_destroy(fixture->environment.storage);
    fixture->environment.storage = whole;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(s1_empty_config),
                                       TEST(s2_s3_insert_and_update),
                                       TEST(s4_row_moves),
                                       TEST(s6_s7_reconnect),
                                       TEST(s8_priorities),
                                       TEST(s9_interruption),
                                       TEST(s9_not_before_1000),
                                       TEST(s10_unrelated_change),
                                       TEST(s11_s12_write_checkpoint),
                                       TEST(s13_two_clients),
                                       TEST(s16_redeploy),
                                       TEST(s17_compaction_invalidates),
                                       TEST(s17_lower_priorities_wait),
                                       TEST(s18_clear),
                                       TEST(s19_too_many_buckets),
                                       TEST(s21_formats),
                                       TEST(s22_s23_subscriptions),
                                       TEST(slow_reader),
                                       TEST(one_line_at_a_time),
                                       cmocka_unit_test(checksums_of_compacted),
                                       TEST(lines_encoded_before),
                                       TEST(data_fetches),
                                       TEST(nothing_is_served)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
