#include "mock-powersync/config/sync_config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "mock-powersync/config/legacy.h"
#include "mock-powersync/config/legacy_config.h"
#include "mock-powersync/config/sync_graph.h"
#include "mock-powersync/config/sync_plan.h"

#define DEFAULT_PRIORITY 3

/* An error at a key: the place of plain values such as `true` is not kept apart, that of keys is. */
static enum status refuse_key(const struct yaml_document *document, const json_t *object, const char *key,
                              struct error *error, const char *reason) {
    int line = 0, column = 0;
    yaml_key_place(document, object, key, &line, &column);
    return error_set_at(error, STATUS_INVALID, document->file, line, column, "%s: %s", key, reason);
}

static enum status check_flag(const struct yaml_document *document, const json_t *settings, const char *key,
                              bool wanted, struct error *error) {
    const json_t *value = json_object_get(settings, key);
    if (value && !json_is_boolean(value))
        return refuse_key(document, settings, key, error, "must be true or false");
    return !value || json_is_true(value) == wanted
               ? STATUS_OK
               : refuse_key(document, settings, key, error,
                            wanted ? "only true is supported" : "only false is supported");
}

/* Options that say how values of other sources look, or what edition 3 does anyway. */
static enum status check_options(const struct yaml_document *document, const json_t *settings,
                                 struct error *error) {
    static const char *const fixed[] = {"versioned_bucket_ids", "fixed_json_extract", NULL};
    static const char *const ignored[] = {"timestamps_iso8601", "custom_postgres_types",
                                          "sync_config_compiler", NULL};
    static const char *const precisions[] = {"seconds", "milliseconds", "microseconds", "nanoseconds", NULL};
    enum status status = check_flag(document, settings, "unstable_sqlite_expression_engine", false, error);
    for (size_t i = 0; fixed[i] && !status; i++)
        status = check_flag(document, settings, fixed[i], true, error);
    for (size_t i = 0; ignored[i] && !status; i++)
        if (json_object_get(settings, ignored[i]) && !json_is_boolean(json_object_get(settings, ignored[i])))
            status = refuse_key(document, settings, ignored[i], error, "must be true or false");
    const json_t *precision = json_object_get(settings, "timestamp_max_precision");
    if (status || !precision)
        return status;
    for (size_t i = 0; precisions[i]; i++)
        if (json_is_string(precision) && strcmp(json_string_value(precision), precisions[i]) == 0)
            return STATUS_OK;
    return refuse_key(document, settings, "timestamp_max_precision", error,
                      "must be seconds, milliseconds, microseconds or nanoseconds");
}

static enum status check_edition(const struct yaml_document *document, struct error *error) {
    static const char *const allowed[] = {"edition",
                                          "storage_version",
                                          "timestamps_iso8601",
                                          "versioned_bucket_ids",
                                          "fixed_json_extract",
                                          "custom_postgres_types",
                                          "timestamp_max_precision",
                                          "sync_config_compiler",
                                          "unstable_sqlite_expression_engine",
                                          NULL};
    const json_t *settings = json_object_get(document->root, "config");
    if (!json_is_object(settings))
        return yaml_error(document, document->root, error, "config: {edition: 3} is required");
    enum status status = yaml_check_keys(document, settings, allowed, error);
    if (status)
        return status;
    if (json_integer_or(settings, "edition", 1) != 3)
        return refuse_key(document, document->root, "config", error, "only edition 3 is supported");
    if (json_object_get(settings, "storage_version") && json_integer_or(settings, "storage_version", 0) != 2)
        return refuse_key(document, settings, "storage_version", error,
                          "only storage version 2 is supported");
    return check_options(document, settings, error);
}

/* Patterns */

static size_t add_pattern(struct sync_config *config, const struct source_pattern *wanted) {
    for (size_t i = 0; i < config->n_patterns; i++) {
        const struct source_pattern *pattern = &config->patterns[i];
        if (strcmp(pattern->tag, wanted->tag) == 0 && strcmp(pattern->schema, wanted->schema) == 0 &&
            strcmp(pattern->name, wanted->name) == 0 && pattern->prefix == wanted->prefix)
            return i;
    }
    MEMORY_RESERVE(config->patterns, config->patterns_capacity, config->n_patterns + 1);
    config->patterns[config->n_patterns] = (struct source_pattern){.tag = memory_copy_text(wanted->tag),
                                                                   .schema = memory_copy_text(wanted->schema),
                                                                   .name = memory_copy_text(wanted->name),
                                                                   .prefix = wanted->prefix};
    return config->n_patterns++;
}

size_t sync_config_add_pattern(struct sync_config *config, const char *schema, const char *name) {
    const char *dot = schema ? strchr(schema, '.') : NULL;
    size_t length = strlen(name);
    struct source_pattern pattern = {.prefix = length > 0 && name[length - 1] == '%'};
    pattern.tag = dot ? memory_copy_bytes(schema, (size_t)(dot - schema)) : memory_copy_text("default");
    pattern.schema = memory_copy_text(dot ? dot + 1 : schema ? schema : "convex");
    pattern.name = memory_copy_bytes(name, length - pattern.prefix);
    size_t index = add_pattern(config, &pattern);
    free(pattern.tag);
    free(pattern.schema);
    free(pattern.name);
    return index;
}

/* As in the real service: tables of buckets in the order of the buckets, then those of lookups. */
static void order_patterns(struct sync_config *config) {
    struct sync_plan *plan = &config->plan;
    struct source_pattern *ordered = memory_allocate_array(config->n_patterns + 1, sizeof *ordered);
    size_t *places = memory_allocate_array(config->n_patterns + 1, sizeof *places); /* + 1 */
    size_t count = 0;
    for (size_t i = 0; i < plan->n_buckets; i++)
        for (size_t j = 0; j < plan->buckets[i].n_evaluators; j++) {
            size_t pattern = plan->evaluators[plan->buckets[i].evaluators[j]].rows.pattern;
            places[pattern] = places[pattern] ? places[pattern] : ++count;
        }
    for (size_t i = 0; i < config->n_patterns; i++) /* lookups add theirs in their own order */
        places[i] = places[i] ? places[i] : ++count;
    for (size_t i = 0; i < config->n_patterns; i++)
        ordered[places[i] - 1] = config->patterns[i];
    for (size_t i = 0; i < plan->n_evaluators; i++)
        plan->evaluators[i].rows.pattern = places[plan->evaluators[i].rows.pattern] - 1;
    for (size_t i = 0; i < plan->n_indexes; i++)
        plan->indexes[i].rows.pattern = places[plan->indexes[i].rows.pattern] - 1;
    free(config->patterns);
    free(places);
    config->patterns = ordered;
    config->patterns_capacity = config->n_patterns + 1;
}

/* Warnings */

static void add_warning(struct sync_config *config, const char *message, int line, int column) {
    MEMORY_RESERVE(config->warnings, config->warnings_capacity, config->n_warnings + 1);
    config->warnings[config->n_warnings++] = (struct sync_warning){memory_copy_text(message), line, column};
}

void sync_config_warn(struct sync_config *config, const struct sync_text *text, int offset,
                      const char *message) {
    int line = 0, column = 0;
    if (text->yaml)
        sync_text_place(text, offset, &line, &column);
    add_warning(config, message, line, column);
}

/* Queries */

/* What one file is read with. */
struct file {
    struct sync_config *config;
    const struct yaml_document *document;
    const char *yaml; /* in the plan's arena */
    struct sync_subqueries global;
    struct error *error;
};

/* A place for messages about a query; `value` is the item of a list or the value of a key. */
static const struct sync_text *text_of(const struct file *file, const json_t *value) {
    struct arena *arena = &file->config->plan.arena;
    struct sync_text *text = arena_allocate(arena, sizeof *text);
    text->sql = arena_copy_text(arena, json_string_value(value));
    text->file = file->config->file;
    text->yaml = file->yaml;
    yaml_place(file->document, value, &text->line, &text->column);
    return text;
}

static enum status add_query(const struct file *file, struct sync_graph *graph,
                             const struct sync_subqueries *known, const json_t *sql) {
    if (!json_is_string(sql))
        return yaml_error(file->document, sql, file->error, "a query must be a text");
    struct sync_query query;
    struct sync_variant *variants;
    size_t count = 0;
    enum status status = sync_query_read(&query, file->config, text_of(file, sql), known, file->error);
    if (!status)
        status = sync_filter_make(&query, &file->config->plan.arena, &variants, &count, file->error);
    for (size_t i = 0; i < count && !status; i++)
        status = sync_graph_add(graph, &query, &variants[i], file->error);
    return status;
}

static enum status add_queries(const struct file *file, struct sync_graph *graph,
                               const struct sync_subqueries *known, const json_t *body) {
    const json_t *one = json_object_get(body, "query");
    const json_t *many = json_object_get(body, "queries");
    if ((one != NULL) == (many != NULL))
        return yaml_error(file->document, body, file->error, "a stream needs either query or queries");
    if (one)
        return add_query(file, graph, known, one);
    if (!json_is_array(many) || json_array_size(many) == 0)
        return refuse_key(file->document, body, "queries", file->error,
                          "must be a list of at least one query");
    size_t i;
    json_t *sql;
    json_array_foreach((json_t *)(uintptr_t)many, i, sql) {
        enum status status = add_query(file, graph, known, sql);
        if (status)
            return status;
    }
    return STATUS_OK;
}

/* Common table expressions: those of a stream stand before the global ones. */
static enum status read_with(const struct file *file, const json_t *object, struct sync_subqueries *known) {
    const json_t *with = json_object_get(object, "with");
    struct arena *arena = &file->config->plan.arena;
    size_t n_before = known->count;
    struct sync_subquery **before = known->items;
    if (!with)
        return STATUS_OK;
    if (!json_is_object(with))
        return refuse_key(file->document, object, "with", file->error,
                          "must be a mapping of names to queries");
    known->items = arena_allocate(arena, (n_before + json_object_size(with) + 1) * sizeof *known->items);
    known->count = 0;
    const char *name;
    json_t *sql;
    json_object_foreach((json_t *)(uintptr_t)with, name, sql) {
        if (!json_is_string(sql))
            return refuse_key(file->document, with, name, file->error, "a query must be a text");
        struct sync_subquery *subquery = arena_allocate(arena, sizeof *subquery);
        subquery->name = arena_copy_text(arena, name);
        yaml_key_place(file->document, with, name, &subquery->line, &subquery->column);
        known->items[known->count++] = subquery;
        enum status status = sync_subquery_read(subquery, file->config, text_of(file, sql), file->error);
        if (status)
            return status;
    }
    if (n_before > 0)
        memcpy(known->items + known->count, before, n_before * sizeof *before);
    known->count += n_before;
    return STATUS_OK;
}

static void warn_unused(const struct file *file, const struct sync_subqueries *known, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!known->items[i]->used)
            add_warning(file->config, "this common table expression is not used", known->items[i]->line,
                        known->items[i]->column);
}

static enum status compile_stream(const struct file *file, struct sync_stream_definition *stream,
                                  const json_t *body, bool warn) {
    struct sync_graph graph = {.config = file->config};
    struct sync_subqueries known = file->global;
    enum status status = read_with(file, body, &known);
    if (!status)
        status = add_queries(file, &graph, &known, body);
    if (!status)
        status = sync_graph_finish(&graph, stream, warn, file->error);
    if (!status)
        warn_unused(file, &known, known.count - file->global.count);
    sync_graph_free(&graph);
    return status;
}

static enum status read_bool(const struct yaml_document *document, const json_t *object, const char *key,
                             bool *value, struct error *error) {
    const json_t *found = json_object_get(object, key);
    if (found && !json_is_boolean(found))
        return refuse_key(document, object, key, error, "must be true or false");
    *value = json_is_true(found);
    return STATUS_OK;
}

static enum status read_stream(const struct file *file, const json_t *streams, const char *name,
                               const json_t *body) {
    static const char *const allowed[] = {
        "query", "queries", "auto_subscribe", "priority", "accept_potentially_dangerous_queries",
        "with",  NULL};
    struct error *error = file->error;
    const struct yaml_document *document = file->document;
    if (!json_is_object(body))
        return refuse_key(document, streams, name, error, "a stream must be a mapping");
    struct sync_stream_definition *stream = &file->config->streams[file->config->n_streams++];
    stream->name = memory_copy_text(name);
    enum status status = yaml_check_keys(document, body, allowed, error);
    if (!status)
        status = read_bool(document, body, "auto_subscribe", &stream->auto_subscribe, error);
    bool accepted = false;
    if (!status)
        status = read_bool(document, body, "accept_potentially_dangerous_queries", &accepted, error);
    if (status)
        return status;
    const json_t *priority = json_object_get(body, "priority");
    int64_t number = priority ? json_integer_value(priority) : DEFAULT_PRIORITY;
    if ((priority && !json_is_integer(priority)) || number < 0 || number > 3)
        return refuse_key(document, body, "priority", error, "must be 0, 1, 2 or 3");
    stream->priority = (int)number;
    return compile_stream(file, stream, body, !accepted);
}

static enum status read_streams(struct file *file, const json_t *streams) {
    struct sync_config *config = file->config;
    enum status status = read_with(file, file->document->root, &file->global);
    if (status)
        return status;
    config->streams = memory_allocate_array(json_object_size(streams), sizeof *config->streams);
    const char *name;
    json_t *body;
    json_object_foreach((json_t *)(uintptr_t)streams, name, body) {
        status = read_stream(file, streams, name, body);
        if (status)
            return status;
    }
    warn_unused(file, &file->global, file->global.count);
    order_patterns(config);
    return STATUS_OK;
}

static enum status read_root(struct sync_config *config, const struct yaml_document *document,
                             const char *yaml, struct error *error) {
    static const char *const allowed[] = {"config", "streams", "with", NULL};
    if (!json_is_object(document->root))
        return yaml_error(document, document->root, error, "a sync config must be a mapping");
    enum status status = yaml_check_keys(document, document->root, allowed, error);
    if (!status)
        status = check_edition(document, error);
    if (status)
        return status;
    json_t *streams = json_object_get(document->root, "streams");
    if (!json_is_object(streams) || json_object_size(streams) == 0)
        return yaml_error(document, document->root, error, "streams: at least one stream is required");
    struct file file = {.config = config,
                        .document = document,
                        .yaml = arena_copy_text(&config->plan.arena, yaml),
                        .error = error};
    return read_streams(&file, streams);
}

enum status sync_config_parse(struct sync_config **config, const char *text, const char *file,
                              struct error *error) {
    assert(config && text && file);
    struct yaml_document document;
    enum status status = yaml_parse(&document, text, strlen(text), file, NULL, error);
    if (status)
        return status;
    struct sync_config *made = memory_allocate(sizeof *made);
    made->edition = (int)json_integer_or(json_object_get(document.root, "config"), "edition", 1);
    made->file = memory_copy_text(file);
    status = made->edition == 3 ? read_root(made, &document, text, error)
                                : legacy_config_read(made, &document, text, error);
    yaml_release(&document);
    if (status)
        sync_config_destroy(made);
    else
        *config = made;
    return status;
}

void sync_config_destroy(struct sync_config *config) {
    if (!config)
        return;
    for (size_t i = 0; i < config->n_streams; i++)
        free(config->streams[i].name);
    for (size_t i = 0; i < config->n_patterns; i++) {
        free(config->patterns[i].tag);
        free(config->patterns[i].schema);
        free(config->patterns[i].name);
    }
    for (size_t i = 0; i < config->n_warnings; i++)
        free(config->warnings[i].message);
    sync_plan_free(&config->plan);
    if (config->rules)
        arena_free(&config->rules->arena);
    free(config->rules);
    free(config->streams);
    free(config->patterns);
    free(config->warnings);
    free(config->file);
    free(config);
}

bool sync_config_selects(const struct sync_config *config, const struct source_table *table) {
    for (size_t i = 0; i < config->n_patterns; i++)
        if (source_pattern_matches(&config->patterns[i], table))
            return true;
    return false;
}

const struct sync_stream_definition *sync_config_stream(const struct sync_config *config, const char *name) {
    for (size_t i = 0; i < config->n_streams; i++)
        if (strcmp(config->streams[i].name, name) == 0)
            return &config->streams[i];
    return NULL;
}
