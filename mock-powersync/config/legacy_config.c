#include "mock-powersync/config/legacy_config.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/legacy.h"

struct reader {
    struct sync_config *config;
    struct legacy_rules *rules;
    const struct yaml_document *document;
    const char *yaml; /* in the arena of the rules */
    struct error *error;
};

static enum status refuse(const struct reader *reader, const json_t *object, const char *key,
                          const char *reason) {
    return yaml_error_key(reader->document, object, key, reader->error, "%s: %s", key, reason);
}

static void warn(const struct reader *reader, const json_t *object, const char *key, const char *reason) {
    struct sync_config *config = reader->config;
    struct sync_warning warning = {.message = memory_format("%s: %s", key, reason)};
    yaml_key_place(reader->document, object, key, &warning.line, &warning.column);
    MEMORY_RESERVE(config->warnings, config->warnings_capacity, config->n_warnings + 1);
    config->warnings[config->n_warnings++] = warning;
}

/* Settings */

/* Absent: `usual`. */
static enum status read_bool(const struct reader *reader, const json_t *object, const char *key, bool usual,
                             bool *value) {
    const json_t *found = json_object_get(object, key);
    if (found && !json_is_boolean(found))
        return refuse(reader, object, key, "must be true or false");
    *value = found ? json_is_true(found) : usual;
    return STATUS_OK;
}

static enum status read_precision(const struct reader *reader, const json_t *settings, bool iso8601) {
    static const char *const names[] = {"seconds", "milliseconds", "microseconds", "nanoseconds"};
    const json_t *precision = json_object_get(settings, "timestamp_max_precision");
    bool known = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        known = known || (json_is_string(precision) && strcmp(json_string_value(precision), names[i]) == 0);
    if (precision && !known)
        return refuse(reader, settings, "timestamp_max_precision",
                      "must be seconds, milliseconds, microseconds or nanoseconds");
    if (precision && !iso8601)
        return refuse(reader, settings, "timestamp_max_precision", "needs timestamps_iso8601");
    return STATUS_OK;
}

/* What is for times and types of Postgres has no effect here, and neither has versioned_bucket_ids: from
 * storage version 2 on all names have the number. */
static enum status read_options(const struct reader *reader, const json_t *settings) {
    static const char *const accepted[] = {"versioned_bucket_ids", "custom_postgres_types"};
    bool later = reader->config->edition >= 2, iso8601, ignored;
    enum status status = read_bool(reader, settings, "fixed_json_extract", later, &reader->rules->fixed_json);
    for (size_t i = 0; !status && i < sizeof accepted / sizeof *accepted; i++)
        status = read_bool(reader, settings, accepted[i], later, &ignored);
    if (!status)
        status = read_bool(reader, settings, "timestamps_iso8601", later, &iso8601);
    if (!status)
        status = read_precision(reader, settings, iso8601);
    if (!status)
        status = read_bool(reader, settings, "unstable_sqlite_expression_engine", false, &ignored);
    if (!status && ignored)
        return refuse(reader, settings, "unstable_sqlite_expression_engine", "needs edition 3");
    return status;
}

static enum status read_settings(const struct reader *reader) {
    static const char *const allowed[] = {"edition",
                                          "storage_version",
                                          "timestamps_iso8601",
                                          "versioned_bucket_ids",
                                          "fixed_json_extract",
                                          "custom_postgres_types",
                                          "timestamp_max_precision",
                                          "unstable_sqlite_expression_engine",
                                          NULL};
    const json_t *settings = json_object_get(reader->document->root, "config");
    if (!settings)
        return STATUS_OK;
    if (!json_is_object(settings))
        return refuse(reader, reader->document->root, "config", "must be a mapping");
    enum status status = yaml_check_keys(reader->document, settings, allowed, reader->error);
    if (status)
        return status;
    const json_t *edition = json_object_get(settings, "edition");
    if (edition &&
        (!json_is_integer(edition) || json_integer_value(edition) < 1 || json_integer_value(edition) > 3))
        return refuse(reader, settings, "edition", "must be 1, 2 or 3");
    if (json_object_get(settings, "storage_version") && json_integer_or(settings, "storage_version", 0) != 2)
        return refuse(reader, settings, "storage_version", "only storage version 2 is supported");
    return read_options(reader, settings);
}

static enum status read_priority(const struct reader *reader, const json_t *body, int *priority,
                                 bool *given) {
    const json_t *value = json_object_get(body, "priority");
    *given = value != NULL;
    *priority = 3;
    if (value && (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > 3))
        return refuse(reader, body, "priority", "must be 0, 1, 2 or 3");
    if (value)
        *priority = (int)json_integer_value(value);
    return STATUS_OK;
}

/* Definitions */

static struct legacy_definition *add_definition(const struct reader *reader, const char *name,
                                                bool is_stream) {
    struct legacy_definition *definition = &reader->rules->definitions[reader->rules->n_definitions++];
    definition->name = arena_copy_text(&reader->rules->arena, name);
    definition->is_stream = is_stream;
    struct sync_stream_definition *stream = &reader->config->streams[reader->config->n_streams++];
    *stream = (struct sync_stream_definition){.name = memory_copy_text(name),
                                              .is_bucket_definition = !is_stream,
                                              .auto_subscribe = !is_stream,
                                              .subscription_brings_default = true,
                                              .priority = 3,
                                              .rules = reader->rules,
                                              .legacy = definition};
    return definition;
}

/* Where a query stands, for messages. */
static const struct sync_text *text_of(const struct reader *reader, const json_t *value) {
    struct arena *arena = &reader->rules->arena;
    struct sync_text *text = arena_allocate(arena, sizeof *text);
    *text = (struct sync_text){.sql = arena_copy_text(arena, json_string_value(value)),
                               .file = reader->config->file,
                               .yaml = reader->yaml};
    yaml_place(reader->document, value, &text->line, &text->column);
    return text;
}

static enum status add_parameters(const struct reader *reader, struct legacy_definition *definition,
                                  const json_t *sql, const int *priority) {
    if (!json_is_string(sql))
        return yaml_error(reader->document, sql, reader->error, "a query must be a text");
    return legacy_add_parameters(reader->rules, definition, text_of(reader, sql), priority, reader->error);
}

static enum status read_parameters(const struct reader *reader, struct legacy_definition *definition,
                                   const json_t *body, const int *priority) {
    static const struct sync_text nothing = {.sql = "SELECT", .file = ""};
    const json_t *queries = json_object_get(body, "parameters");
    size_t count = json_is_array(queries) ? json_array_size(queries) : 1;
    definition->parameter_queries =
        arena_allocate(&reader->rules->arena, (count + 1) * sizeof *definition->parameter_queries);
    if (!queries)
        return legacy_add_parameters(reader->rules, definition, &nothing, priority, reader->error);
    if (!json_is_array(queries))
        return add_parameters(reader, definition, queries, priority);
    enum status status = STATUS_OK;
    for (size_t i = 0; !status && i < count; i++)
        status = add_parameters(reader, definition, json_array_get(queries, i), priority);
    return status;
}

static enum status read_data(const struct reader *reader, struct legacy_definition *definition,
                             const json_t *body) {
    const json_t *queries = json_object_get(body, "data");
    if (!json_is_array(queries))
        return yaml_error_key(reader->document, body, "data", reader->error,
                              "%s: data must be a list of queries", definition->name);
    if (definition->n_parameter_queries == 0 && json_array_size(queries) > 0)
        return refuse(reader, body, "parameters", "at least one query is needed");
    definition->data_queries = arena_allocate(&reader->rules->arena, (json_array_size(queries) + 1) *
                                                                         sizeof *definition->data_queries);
    size_t i;
    json_t *sql;
    json_array_foreach((json_t *)(uintptr_t)queries, i, sql) {
        if (!json_is_string(sql))
            return yaml_error_item(reader->document, queries, i, reader->error, "a query must be a text");
        enum status status = legacy_add_data(reader->rules, definition, text_of(reader, sql), reader->error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status read_bucket(const struct reader *reader, const json_t *buckets, const char *name,
                               const json_t *body) {
    static const char *const allowed[] = {"accept_potentially_dangerous_queries", "priority", "parameters",
                                          "data", NULL};
    if (!json_is_object(body))
        return refuse(reader, buckets, name, "a bucket definition must be a mapping");
    int priority;
    bool given, ignored;
    enum status status = yaml_check_keys(reader->document, body, allowed, reader->error);
    if (!status)
        status = read_bool(reader, body, "accept_potentially_dangerous_queries", false, &ignored);
    if (!status)
        status = read_priority(reader, body, &priority, &given);
    if (status)
        return status;
    struct legacy_definition *definition = add_definition(reader, name, false);
    status = read_parameters(reader, definition, body, given ? &priority : NULL);
    return status ? status : read_data(reader, definition, body);
}

static bool is_defined(const struct reader *reader, const char *name) {
    return sync_config_stream(reader->config, name) != NULL;
}

static enum status read_stream(const struct reader *reader, const json_t *streams, const char *name,
                               const json_t *body) {
    if (!json_is_object(body))
        return refuse(reader, streams, name, "a stream must be a mapping");
    if (is_defined(reader, name))
        return refuse(reader, streams, name, "there is a bucket definition of this name");
    if (reader->config->edition < 2)
        return refuse(reader, streams, name, "streams need config: {edition: 2} or, better, 3");
    if (json_object_get(body, "with") || json_object_get(body, "queries"))
        return refuse(reader, body, json_object_get(body, "with") ? "with" : "queries", "needs edition 3");
    int priority;
    bool given, ignored, subscribe;
    enum status status = read_bool(reader, body, "auto_subscribe", false, &subscribe);
    if (!status)
        status = read_bool(reader, body, "accept_potentially_dangerous_queries", false, &ignored);
    if (!status)
        status = read_priority(reader, body, &priority, &given);
    if (status)
        return status;
    if (given)
        warn(reader, body, "priority", "without effect in edition 2, as in the real service");
    const json_t *sql = json_object_get(body, "query");
    if (!json_is_string(sql))
        return refuse(reader, body, "query", "must be one query");
    struct legacy_definition *definition = add_definition(reader, name, true);
    reader->config->streams[reader->config->n_streams - 1].auto_subscribe = subscribe;
    return legacy_read_stream(reader->rules, definition, text_of(reader, sql), reader->error);
}

/* Patterns, in the order of the snapshot: what is synced, then what parameters are looked up in. */

static void add_pattern(struct sync_config *config, const struct source_pattern *from) {
    for (size_t i = 0; i < config->n_patterns; i++) {
        const struct source_pattern *other = &config->patterns[i];
        if (strcmp(other->tag, from->tag) == 0 && strcmp(other->schema, from->schema) == 0 &&
            strcmp(other->name, from->name) == 0 && other->prefix == from->prefix)
            return;
    }
    MEMORY_RESERVE(config->patterns, config->patterns_capacity, config->n_patterns + 1);
    config->patterns[config->n_patterns++] =
        (struct source_pattern){memory_copy_text(from->tag), memory_copy_text(from->schema),
                                memory_copy_text(from->name), from->prefix};
}

static void add_data_patterns(struct sync_config *config, const struct legacy_definition *definition) {
    for (size_t i = 0; i < definition->n_data_queries; i++)
        add_pattern(config, &definition->data_queries[i].data.table);
    if (definition->n_variants > 0)
        add_pattern(config, &definition->data.table);
}

static void add_lookup_patterns(struct sync_config *config, const struct legacy_definition *definition) {
    for (size_t i = 0; i < definition->n_parameter_queries; i++)
        if (definition->parameter_queries[i].kind == PARAMETERS_TABLE)
            add_pattern(config, &definition->parameter_queries[i].table);
    for (size_t i = 0; i < definition->n_variants; i++)
        for (size_t j = 0; j < definition->variants[i].n_subqueries; j++)
            add_pattern(config, &definition->variants[i].subqueries[j].table);
}

static enum status read_definitions(const struct reader *reader) {
    const json_t *buckets = json_object_get(reader->document->root, "bucket_definitions");
    const json_t *streams = json_object_get(reader->document->root, "streams");
    size_t most = json_object_size(buckets) + json_object_size(streams) + 1;
    reader->config->streams = memory_allocate_array(most, sizeof *reader->config->streams);
    reader->rules->definitions =
        arena_allocate(&reader->rules->arena, most * sizeof *reader->rules->definitions);
    enum status status = STATUS_OK;
    const char *name;
    json_t *body;
    json_object_foreach((json_t *)(uintptr_t)buckets, name, body) {
        if (!status)
            status = read_bucket(reader, buckets, name, body);
    }
    json_object_foreach((json_t *)(uintptr_t)streams, name, body) {
        if (!status)
            status = read_stream(reader, streams, name, body);
    }
    for (size_t i = 0; !status && i < reader->rules->n_definitions; i++)
        add_data_patterns(reader->config, &reader->rules->definitions[i]);
    for (size_t i = 0; !status && i < reader->rules->n_definitions; i++)
        add_lookup_patterns(reader->config, &reader->rules->definitions[i]);
    return status;
}

enum status legacy_config_read(struct sync_config *config, const struct yaml_document *document,
                               const char *yaml, struct error *error) {
    static const char *const allowed[] = {"config", "bucket_definitions", "streams", NULL};
    static const char *const maps[] = {"bucket_definitions", "streams"};
    config->rules = memory_allocate(sizeof *config->rules);
    struct reader reader = {config, config->rules, document, arena_copy_text(&config->rules->arena, yaml),
                            error};
    if (!json_is_object(document->root))
        return yaml_error(document, document->root, error, "a sync config must be a mapping");
    enum status status = yaml_check_keys(document, document->root, allowed, error);
    if (!status)
        status = read_settings(&reader);
    if (status)
        return status;
    bool any = false;
    for (size_t i = 0; i < 2; i++) {
        const json_t *map = json_object_get(document->root, maps[i]);
        if (map && !json_is_object(map))
            return refuse(&reader, document->root, maps[i], "must be a mapping");
        any = any || map;
    }
    if (!any)
        return yaml_error(document, document->root, error,
                          "streams (with config: {edition: 3}) or bucket_definitions are required");
    if (json_object_get(document->root, "streams"))
        warn(&reader, document->root, "streams",
             "edition 2 has an early form of streams; config: {edition: 3} is recommended");
    return read_definitions(&reader);
}
