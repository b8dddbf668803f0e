#include "mock-powersync/config/sync_config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"

#define DEFAULT_PRIORITY 3

enum { VARIANTS_MOST = 100 }; /* of one stream */

/* An error at a key: the place of plain values such as `true` is not kept apart, that of keys is. */
static enum status refuse_key(const struct yaml_document *document, const json_t *object, const char *key,
                              struct error *error, const char *reason) {
    int line = 0, column = 0;
    yaml_key_place(document, object, key, &line, &column);
    return error_set_at(error, STATUS_INVALID, document->file, line, column, "%s: %s", key, reason);
}

static enum status check_keys(const struct yaml_document *document, const json_t *object,
                              const char *const *allowed, struct error *error) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        bool found = false;
        for (const char *const *name = allowed; *name; name++)
            found = found || strcmp(*name, key) == 0;
        if (!found)
            return refuse_key(document, object, key, error, "unknown key");
    }
    return STATUS_OK;
}

static enum status check_edition(const struct yaml_document *document, struct error *error) {
    static const char *const allowed[] = {"edition", "storage_version", NULL};
    const json_t *settings = json_object_get(document->root, "config");
    if (!json_is_object(settings))
        return yaml_error(document, document->root, error, "config: {edition: 3} is required");
    enum status status = check_keys(document, settings, allowed, error);
    if (status)
        return status;
    if (json_integer_or(settings, "edition", 1) != 3)
        return refuse_key(document, document->root, "config", error, "only edition 3 is supported");
    if (json_object_get(settings, "storage_version") && json_integer_or(settings, "storage_version", 0) != 2)
        return refuse_key(document, settings, "storage_version", error,
                          "only storage version 2 is supported");
    return STATUS_OK;
}

static void add_pattern(struct sync_config *config, const char *name) {
    for (size_t i = 0; i < config->n_patterns; i++)
        if (strcmp(config->patterns[i].name, name) == 0)
            return;
    MEMORY_RESERVE(config->patterns, config->patterns_capacity, config->n_patterns + 1);
    config->patterns[config->n_patterns++] = (struct source_pattern){.tag = memory_copy_text("default"),
                                                                     .schema = memory_copy_text("convex"),
                                                                     .name = memory_copy_text(name)};
}

/* The family of a branch, a new one when there is none yet. False: the stream has too many. */
static bool assign_variant(struct sync_stream_definition *stream, struct sync_branch *branch) {
    for (branch->variant = 0; branch->variant < stream->n_variants; branch->variant++)
        if (strcmp(stream->variants[branch->variant].branch->key, branch->key) == 0)
            return true;
    if (stream->n_variants == VARIANTS_MOST)
        return false;
    if (!stream->variants)
        stream->variants = memory_allocate_array(VARIANTS_MOST, sizeof *stream->variants);
    stream->variants[stream->n_variants++] = (struct sync_variant){.branch = branch};
    return true;
}

static void append_content(struct buffer *out, const struct sync_query *query,
                           const struct sync_branch *branch) {
    buffer_append_json_text(out, query->table);
    buffer_append_json_text(out, query->object_type);
    for (size_t i = 0; i < query->n_items; i++) {
        sync_expression_print(out, query->items[i].expression);
        buffer_append_json_text(out, query->items[i].output ? query->items[i].output : "*");
    }
    buffer_append_text(out, branch->row_key);
}

static bool is_same_content(const struct sync_query *left, const struct sync_query *right) {
    for (size_t i = 0; i < left->n_branches; i++) {
        for (size_t j = 0; j < right->n_branches; j++) {
            struct buffer a = {0}, b = {0};
            append_content(&a, left, &left->branches[i]);
            append_content(&b, right, &right->branches[j]);
            bool same = strcmp(buffer_text(&a), buffer_text(&b)) == 0;
            buffer_free(&a);
            buffer_free(&b);
            if (same)
                return true;
        }
    }
    return false;
}

/* The real service joins queries of a stream that store the same into one, whatever requests they are for. */
static bool repeats(const struct sync_config *config, size_t stream, const struct sync_query *query) {
    for (size_t i = 0; i < config->n_queries; i++)
        if (config->queries[i].stream == stream && is_same_content(&config->queries[i], query))
            return true;
    return false;
}

static enum status add_query(struct sync_config *config, size_t stream, const struct yaml_document *document,
                             const json_t *sql, struct error *error) {
    if (!json_is_string(sql))
        return yaml_error(document, sql, error, "a query must be a text");
    struct sync_query query;
    struct error inner = {0};
    if (sync_query_parse(&query, json_string_value(sql), &inner))
        return yaml_error(document, sql, error, "stream %s: %s", config->streams[stream].name, inner.message);
    query.stream = stream;
    if (repeats(config, stream, &query)) {
        sync_query_free(&query);
        return yaml_error(document, sql, error, "stream %s: two queries store the same; write one, with OR",
                          config->streams[stream].name);
    }
    for (size_t i = 0; i < query.n_branches; i++)
        if (!assign_variant(&config->streams[stream], &query.branches[i])) {
            sync_query_free(&query);
            return yaml_error(document, sql, error, "stream %s: more than %d kinds of buckets",
                              config->streams[stream].name, VARIANTS_MOST);
        }
    MEMORY_RESERVE(config->queries, config->queries_capacity, config->n_queries + 1);
    config->queries[config->n_queries] = query;
    config->n_queries++;
    add_pattern(config, query.table);
    return STATUS_OK;
}

static enum status add_queries(struct sync_config *config, size_t stream,
                               const struct yaml_document *document, const json_t *body,
                               struct error *error) {
    const json_t *one = json_object_get(body, "query");
    const json_t *many = json_object_get(body, "queries");
    if ((one != NULL) == (many != NULL))
        return yaml_error(document, body, error, "stream %s needs either query or queries",
                          config->streams[stream].name);
    if (one)
        return add_query(config, stream, document, one, error);
    if (!json_is_array(many) || json_array_size(many) == 0)
        return refuse_key(document, body, "queries", error, "must be a list of at least one query");
    size_t i;
    json_t *sql;
    json_array_foreach((json_t *)(uintptr_t)many, i, sql) {
        enum status status = add_query(config, stream, document, sql, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status read_bool(const struct yaml_document *document, const json_t *object, const char *key,
                             bool *value, struct error *error) {
    const json_t *found = json_object_get(object, key);
    if (found && !json_is_boolean(found))
        return refuse_key(document, object, key, error, "must be true or false");
    *value = json_is_true(found);
    return STATUS_OK;
}

static enum status read_stream(struct sync_config *config, const struct yaml_document *document,
                               const json_t *streams, const char *name, const json_t *body,
                               struct error *error) {
    static const char *const allowed[] = {
        "query", "queries", "auto_subscribe", "priority", "accept_potentially_dangerous_queries", NULL};
    if (!json_is_object(body))
        return refuse_key(document, streams, name, error, "a stream must be a mapping");
    struct sync_stream_definition *stream = &config->streams[config->n_streams++];
    stream->name = memory_copy_text(name);
    enum status status = check_keys(document, body, allowed, error);
    if (!status)
        status = read_bool(document, body, "auto_subscribe", &stream->auto_subscribe, error);
    bool ignored;
    if (!status)
        status = read_bool(document, body, "accept_potentially_dangerous_queries", &ignored, error);
    if (status)
        return status;
    const json_t *priority = json_object_get(body, "priority");
    int64_t number = priority ? json_integer_value(priority) : DEFAULT_PRIORITY;
    if ((priority && !json_is_integer(priority)) || number < 0 || number > 3)
        return refuse_key(document, body, "priority", error, "must be 0, 1, 2 or 3");
    stream->priority = (int)number;
    return add_queries(config, config->n_streams - 1, document, body, error);
}

static enum status read_root(struct sync_config *config, const struct yaml_document *document,
                             struct error *error) {
    static const char *const allowed[] = {"config", "streams", NULL};
    if (!json_is_object(document->root))
        return yaml_error(document, document->root, error, "a sync config must be a mapping");
    enum status status = check_keys(document, document->root, allowed, error);
    if (!status)
        status = check_edition(document, error);
    if (status)
        return status;
    json_t *streams = json_object_get(document->root, "streams");
    if (!json_is_object(streams) || json_object_size(streams) == 0)
        return yaml_error(document, document->root, error, "streams: at least one stream is required");
    config->streams = memory_allocate_array(json_object_size(streams), sizeof *config->streams);
    const char *name;
    json_t *body;
    json_object_foreach(streams, name, body) {
        status = read_stream(config, document, streams, name, body, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

enum status sync_config_parse(struct sync_config **config, const char *text, const char *file,
                              struct error *error) {
    assert(config && text && file);
    struct yaml_document document;
    enum status status = yaml_parse(&document, text, strlen(text), file, NULL, error);
    if (status)
        return status;
    struct sync_config *made = memory_allocate(sizeof *made);
    made->edition = 3;
    made->file = memory_copy_text(file);
    status = read_root(made, &document, error);
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
    for (size_t i = 0; i < config->n_streams; i++) {
        free(config->streams[i].variants);
        free(config->streams[i].name);
    }
    for (size_t i = 0; i < config->n_queries; i++)
        sync_query_free(&config->queries[i]);
    for (size_t i = 0; i < config->n_patterns; i++) {
        free(config->patterns[i].tag);
        free(config->patterns[i].schema);
        free(config->patterns[i].name);
    }
    for (size_t i = 0; i < config->n_warnings; i++)
        free(config->warnings[i].message);
    free(config->streams);
    free(config->queries);
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
