/* A world with the core, a pool and the tables of the recorded sessions, for tests of one engine without a
 * network. */
#ifndef TEST_CLIENT_BENCH_WORLD_H
#define TEST_CLIENT_BENCH_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/map.h"
#include "base/memory.h"
#include "client/core_library.h"
#include "client/engine.h"
#include "disk/row_text.h"
#include "net/net.h"

static const struct client_column wire_lists_columns[] = {
    {"name", "text"}, {"owner_id", "text"}, {"created_at", "text"}};
static const struct client_column wire_todos_columns[] = {
    {"description", "text"},     {"completed", "integer"}, {"list_uuid", "text"},    {"points", "text"},
    {"estimated_hours", "real"}, {"tags", "text"},         {"explicit_null", "text"}};
static const struct client_table wire_tables[] = {{"lists", wire_lists_columns, 3},
                                                  {"todos", wire_todos_columns, 7}};
static const struct client_schema wire_schema = {wire_tables, 2};

struct bench_world {
    struct world *world;
    struct net *net;
    struct disk_vfs *vfs;
    struct core_library *library;
    struct client_pool *pool;
};

static inline struct bench_world bench_open_for(enum client_engine engine, uint64_t seed) {
    struct world_settings settings = {.seed = seed, .max_events = 10000000};
    struct net_settings net = {.latency = 10 * TIME_MILLISECOND, .give_up = 30 * TIME_SECOND};
    struct bench_world bench;
    struct error error = {0};

    bench.world = world_create(&settings);
    bench.net = net_create(bench.world, &net);
    bench.vfs = disk_vfs_open(bench.world);
    assert_int_equal(core_library_open(NULL, &bench.library, &error), STATUS_OK);
    assert_int_equal(
        client_pool_create_for(engine, bench.library, bench.vfs, &wire_schema, &bench.pool, &error),
        STATUS_OK);
    return bench;
}

static inline struct bench_world bench_open(uint64_t seed) {
    return bench_open_for(CLIENT_ENGINE_CORE, seed);
}

static inline void bench_close(struct bench_world *bench) {
    client_pool_destroy(bench->pool);
    core_library_close(bench->library);
    disk_vfs_close(bench->vfs);
    net_destroy(bench->net);
    world_destroy(bench->world);
}

/* --- what is shown, by "table/id" --- */

static inline void shown_apply(struct map *shown, const struct engine_result *result) {
    for (size_t i = 0; i < result->n_rows; i++) {
        char *key = memory_format("%s/%s", result->rows[i].table, result->rows[i].id);

        free(result->rows[i].values != NULL ? map_set(shown, key, memory_copy_text(result->rows[i].values))
                                            : map_remove(shown, key));
        free(key);
    }
}

/* --- what should be shown: the newest PUT of each row, computed from the lines alone --- */

static inline void append_expected_value(struct buffer *out, const struct client_column *column,
                                         const json_t *row) {
    const json_t *value = json_object_get(row, column->name);

    if (value == NULL || json_is_null(value))
        buffer_append_text(out, "null");
    else
        json_append(out,
                    value); /* these rows hold text for text, whole numbers for integer, fractions for real */
}

static inline char *expected_row(const char *table, const char *data) {
    const struct client_table *schema = strcmp(table, "lists") == 0 ? &wire_tables[0] : &wire_tables[1];
    struct buffer out = {0};
    json_t *row = json_parse(data, strlen(data), NULL);

    assert_non_null(row);
    for (size_t c = 0; c < schema->n_columns; c++) {
        buffer_append_char(&out, c > 0 ? ',' : '[');
        append_expected_value(&out, &schema->columns[c], row);
    }
    buffer_append_char(&out, ']');
    json_decref(row);
    return buffer_take(&out);
}

static inline void expected_apply_operation(struct map *expected, const json_t *operation) {
    const char *type = json_text(operation, "object_type");
    const char *data = json_text(operation, "data");
    char *key = memory_format("%s/%s", type, json_text(operation, "object_id"));

    if (strcmp(json_text(operation, "op"), "PUT") == 0)
        free(map_set(expected, key, expected_row(type, data)));
    else
        free(map_remove(expected, key));
    free(key);
}

static inline void expected_apply_line(struct map *expected, const char *line) {
    json_t *json = json_parse(line, strlen(line), NULL);
    const json_t *operations = json_object_get(json_object_get(json, "data"), "data");
    json_t *operation;
    size_t i;

    assert_non_null(json);
    json_array_foreach(operations, i, operation) expected_apply_operation(expected, operation);
    json_decref(json);
}

static inline void assert_same_rows(const struct map *shown, const struct map *expected) {
    const struct map_entry *entry;
    size_t position = 0;

    assert_int_equal(shown->count, expected->count);
    while ((entry = map_next(expected, &position)) != NULL) {
        const char *text = map_get(shown, entry->key);

        if (text == NULL)
            fail_msg("%s is not shown", entry->key);
        else
            assert_string_equal(text, entry->value);
    }
}

#endif
