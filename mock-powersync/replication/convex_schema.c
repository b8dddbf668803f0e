#include "mock-powersync/replication/convex_schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

#define INT64_WORDS                                                                                          \
    "int64 represented as base10 string" /* how json_schemas marks what looks like a string                  \
                                          */
#define BYTES_WORDS "base64 bytes"

struct source_table convex_table(const char *name) {
    return (struct source_table){CONVEX_TAG, CONVEX_SCHEMA, name};
}

static int compare_names(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

const char **convex_schema_match(const json_t *schemas, const struct source_pattern *pattern, size_t *count) {
    const char **names = memory_allocate_array(json_object_size(schemas) + 1, sizeof *names);
    const char *name;
    json_t *schema;
    *count = 0;
    json_object_foreach((json_t *)(uintptr_t)schemas, name, schema) {
        const struct source_table table = convex_table(name);
        if (strcmp(name, CONVEX_MARKER_TABLE) != 0 && source_pattern_matches(pattern, &table))
            names[(*count)++] = name;
    }
    qsort(names, *count, sizeof *names, compare_names);
    assert(*count <= json_object_size(schemas));
    return names;
}

struct column_type {
    const char *type;
    const char *sqlite_type;
};

/* The type of one JSON schema; a union is what its alternatives other than null agree on. */
static struct column_type type_of(const json_t *schema) {
    static const struct column_type unknown = {"unknown", "text"};
    static const struct {
        const char *json;
        struct column_type column;
    } types[] = {{"number", {"float64", "real"}}, {"boolean", {"boolean", "integer"}},
                 {"string", {"string", "text"}},  {"array", {"array", "text"}},
                 {"object", {"object", "text"}},  {"null", {"null", "null"}}};
    const char *words = json_text(schema, "$description");
    if (words && strcmp(words, INT64_WORDS) == 0)
        return (struct column_type){"int64", "text"};
    if (words && strcmp(words, BYTES_WORDS) == 0)
        return (struct column_type){"bytes", "text"};
    if (words && strncmp(words, "Id(", 3) == 0)
        return (struct column_type){"id", "text"};
    if (words && strcmp(words, "float64") == 0)
        return (struct column_type){"float64", "real"};
    const char *json = json_text(schema, "type");
    for (size_t i = 0; json && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i].json, json) == 0)
            return types[i].column;
    return unknown;
}

static struct column_type column_type(const json_t *schema) {
    const json_t *alternatives = json_object_get(schema, "anyOf");
    if (!alternatives || json_text(schema, "$description"))
        return type_of(schema);
    struct column_type found = {NULL, NULL};
    size_t i;
    json_t *alternative;
    json_array_foreach((json_t *)(uintptr_t)alternatives, i, alternative) {
        struct column_type type = type_of(alternative);
        if (strcmp(type.type, "null") == 0)
            continue;
        if (found.type && strcmp(found.type, type.type) != 0)
            return type_of(NULL);
        found = type;
    }
    return found.type ? found : type_of(NULL);
}

static struct source_table_schema describe_table(const char *name, const json_t *schema,
                                                 struct arena *arena) {
    const json_t *properties = json_object_get(schema, "properties");
    struct source_column *columns =
        arena_allocate(arena, (json_object_size(properties) + 1) * sizeof *columns);
    struct source_table_schema table = {.name = name, .columns = columns};
    const char *column;
    json_t *property;
    json_object_foreach((json_t *)(uintptr_t)properties, column, property) {
        struct column_type type = column_type(property);
        columns[table.n_columns++] = (struct source_column){column, type.type, type.sqlite_type};
    }
    return table;
}

struct source_schema convex_schema_describe(const json_t *schemas, struct arena *arena) {
    const struct source_pattern all = {
        .tag = (char[]){CONVEX_TAG}, .schema = (char[]){CONVEX_SCHEMA}, .name = (char[]){""}, .prefix = true};
    size_t count;
    const char **names = convex_schema_match(schemas, &all, &count);
    struct source_table_schema *tables = arena_allocate(arena, (count + 1) * sizeof *tables);
    for (size_t i = 0; i < count; i++)
        tables[i] = describe_table(names[i], json_object_get(schemas, names[i]), arena);
    free(names);
    return (struct source_schema){CONVEX_SCHEMA, tables, count};
}
