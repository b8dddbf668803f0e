/* Data lines that are kept for the next stream: which are shared, and how much memory they may take. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "mock-powersync/storage/storage.h"
#include "mock-powersync/stream/data_lines.h"

enum { ROW_BYTES = 100 * 1000, ROWS = 40 };

struct fixture {
    struct storage *whole;
    struct bucket_storage *storage;
    struct bucket *bucket;
    struct data_lines lines;
};

static void save(struct fixture *fixture, const char *id) {
    char *data = memory_format("{\"x\":\"%0*d\"}", ROW_BYTES - 8, 0);
    struct bucket_output output = {.bucket = "1#all|0[]",
                                   .bucket_length = 9,
                                   .object_type = "lists",
                                   .object_id = id,
                                   .data = data,
                                   .data_length = strlen(data)};
    const struct row_outputs outputs = {.buckets = &output, .n_buckets = 1};
    bucket_storage_save(fixture->storage, "lists", id, &outputs, false);
    free(data);
}

static int set_up(void **state) {
    static const char yaml[] = "config: {edition: 3}\nstreams:\n  all: {query: SELECT * FROM lists}\n";
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    struct replication_stream *stream;
    fixture->whole = storage_create();
    assert_int_equal(storage_deploy(fixture->whole, yaml, "sync.yaml", false, &stream, NULL), STATUS_OK);
    fixture->storage = stream->buckets;
    for (int i = 0; i < ROWS; i++) {
        char id[20];
        snprintf(id, sizeof id, "l%d", i);
        save(fixture, id);
    }
    fixture->bucket = bucket_storage_find(fixture->storage, "1#all|0[]", 9);
    assert_non_null(fixture->bucket);
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    data_lines_free(&fixture->lines);
    storage_destroy(fixture->whole);
    free(fixture);
    return 0;
}

/* The line of one row. */
static const struct buffer *line_of(struct fixture *fixture, size_t row) {
    return data_lines_get(&fixture->lines, LINE_NDJSON_RAW, fixture->storage, fixture->bucket, row, row, 1,
                          row + 1 < ROWS);
}

static size_t memory_of(const struct data_lines *lines) {
    size_t bytes = 0;
    for (size_t i = 0; i < DATA_LINES; i++)
        bytes += lines->lines[i].capacity;
    return bytes;
}

static void newest_lines_are_shared(void **state) {
    struct fixture *fixture = *state;
    const struct buffer *first = line_of(fixture, 0), *second = line_of(fixture, 1);
    assert_ptr_equal(line_of(fixture, 0), first);
    assert_ptr_equal(line_of(fixture, 1), second);
    assert_true(first->length > ROW_BYTES && strstr(first->data, "\"object_id\":\"l0\""));
}

static void memory_is_bounded(void **state) {
    struct fixture *fixture = *state;
    for (size_t row = 0; row < ROWS; row++) {
        const struct buffer *line = line_of(fixture, row);
        assert_true(memory_of(&fixture->lines) <= DATA_LINES_KEPT + line->capacity);
        char id[40];
        snprintf(id, sizeof id, "\"object_id\":\"l%zu\"", row);
        assert_non_null(strstr(line->data, id));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(newest_lines_are_shared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(memory_is_bounded, set_up, tear_down)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
