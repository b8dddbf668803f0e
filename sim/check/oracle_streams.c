#include "check/oracle_streams.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/yaml.h"
#include "check/oracle_sql.h"
#include "check/sql_text.h"

static const char *const config_name = "sync-config";

/* Reads the FROM items of a query. */
struct source_reader {
    const char *text;
    size_t position;
    int depth;
    struct sql_token token; /* the current one */
    struct oracle_source *sources;
    size_t count;
    size_t capacity;
};

static void reader_next(struct source_reader *reader) {
    reader->token = sql_next_token(reader->text, &reader->position, &reader->depth);
}

static bool is_name(const struct sql_token *token) {
    static const char *const keywords[] = {"where", "on",     "join",  "inner", "as",    "group",
                                           "order", "limit",  "left",  "right", "cross", "select",
                                           "full",  "having", "union", "using", "and",   "or"};
    for (size_t i = 0; i < sizeof keywords / sizeof keywords[0]; i++) {
        if (sql_token_is(token, keywords[i]))
            return false;
    }
    return token->kind == SQL_WORD || token->kind == SQL_QUOTED;
}

/* The current token is the first of a FROM item: a table, or something else that brings its own FROM. */
static void read_source(struct source_reader *reader) {
    assert(reader->token.start != NULL);
    if (!is_name(&reader->token))
        return;
    struct buffer name = {0};
    sql_token_name(&reader->token, &name);
    reader_next(reader);
    if (sql_token_is(&reader->token, ".")) { /* schema.table */
        reader_next(reader);
        if (is_name(&reader->token)) {
            sql_token_name(&reader->token, &name);
            reader_next(reader);
        }
    } else if (sql_token_is(&reader->token, "(")) { /* json_each(...) */
        buffer_free(&name);
        return;
    }
    MEMORY_RESERVE(reader->sources, reader->capacity, reader->count + 1);
    struct oracle_source *source = &reader->sources[reader->count++];
    source->table = buffer_take(&name);
    if (sql_token_is(&reader->token, "as"))
        reader_next(reader);
    if (is_name(&reader->token)) {
        sql_token_name(&reader->token, &name);
        source->alias = buffer_take(&name);
        reader_next(reader);
    } else {
        source->alias = memory_copy_text(source->table);
    }
}

/* Every table after FROM, JOIN or a comma of a FROM clause, at any depth. */
static void read_sources(struct source_reader *reader) {
    enum { MAX_DEPTH = 64 };
    bool in_from[MAX_DEPTH] = {false};
    reader_next(reader);
    while (reader->token.kind != SQL_END) {
        const int depth =
            reader->token.depth < 0 || reader->token.depth >= MAX_DEPTH ? 0 : reader->token.depth;
        const bool from = sql_token_is(&reader->token, "from") || sql_token_is(&reader->token, "join");
        const bool comma = sql_token_is(&reader->token, ",") && in_from[depth];
        if (from || sql_token_is(&reader->token, "where") || sql_token_is(&reader->token, "select"))
            in_from[depth] = from;
        if (sql_token_is(&reader->token, "("))
            in_from[depth] = false;
        reader_next(reader);
        if (from || comma)
            read_source(reader);
    }
}

static void drop_source(struct source_reader *reader, size_t index) {
    assert(index < reader->count);
    free(reader->sources[index].table);
    free(reader->sources[index].alias);
    reader->count--;
    memmove(reader->sources + index, reader->sources + index + 1,
            (reader->count - index) * sizeof *reader->sources);
}

static void find_sources(struct oracle_stream *stream) {
    struct buffer text = {0};
    buffer_printf(&text, "%s ; %s", stream->query, stream->with);
    struct source_reader reader = {.text = buffer_text(&text)};
    read_sources(&reader);
    if (reader.count > 0)
        stream->output_table = memory_copy_text(reader.sources[0].alias);
    for (size_t i = reader.count; i-- > 0;) {
        if (oracle_sql_defines(stream->with, reader.sources[i].table))
            drop_source(&reader, i);
    }
    assert(reader.count == 0 || stream->output_table != NULL);
    stream->sources = reader.sources;
    stream->n_sources = reader.count;
    buffer_free(&text);
}

/* A word of the condition that reads something else than the document: a query, or a common table expression
 * after IN. */
static bool reaches_out(const struct oracle_stream *stream, const struct sql_token *token,
                        const struct sql_token *before) {
    bool defined = false;
    if (sql_token_is(before, "in") && (token->kind == SQL_WORD || token->kind == SQL_QUOTED)) {
        struct buffer name = {0};
        sql_token_name(token, &name);
        defined = oracle_sql_defines(stream->with, buffer_text(&name));
        buffer_free(&name);
    }
    return defined || sql_token_is(token, "select") || sql_token_is(token, "from");
}

/* Recognise SELECT columns FROM table [WHERE condition]. */
static void find_one_table_form(struct oracle_stream *stream) {
    size_t position = 0;
    int depth = 0;
    struct sql_token token = sql_next_token(stream->query, &position, &depth);
    struct sql_token before = token;
    if (!sql_token_is(&token, "select") || stream->n_sources != 1 ||
        strcmp(stream->sources[0].table, stream->sources[0].alias) != 0)
        return;
    const size_t columns_start = position;
    size_t columns_end = 0;
    for (;;) {
        token = sql_next_token(stream->query, &position, &depth);
        if (token.kind == SQL_END || sql_token_is(&token, "distinct") || sql_token_is(&token, "select"))
            return;
        if (token.depth == 0 && sql_token_is(&token, "from"))
            break;
    }
    columns_end = (size_t)(token.start - stream->query);
    do { /* the table's name, perhaps with its schema; find_sources saw that there is no alias */
        token = sql_next_token(stream->query, &position, &depth);
    } while (token.kind == SQL_QUOTED || sql_token_is(&token, ".") || is_name(&token));
    if (token.kind != SQL_END && !sql_token_is(&token, "where"))
        return;
    assert(columns_end >= columns_start);
    const bool has_condition = token.kind != SQL_END;
    const size_t condition_start = position;
    while (token.kind != SQL_END) {
        before = token;
        token = sql_next_token(stream->query, &position, &depth);
        if (reaches_out(stream, &token, &before))
            return;
    }
    stream->one_table = true;
    stream->columns = memory_copy_bytes(stream->query + columns_start, columns_end - columns_start);
    if (has_condition)
        stream->condition = memory_copy_text(stream->query + condition_start);
}

struct loader {
    const struct yaml_document *document;
    struct oracle_streams *streams;
    size_t capacity;
    const struct client_schema *schema;
    const struct oracle_request *requests;
    size_t n_requests;
    struct error *error;
};

/* A stream that is being read: what all of its queries share. */
struct definition {
    const char *name;
    bool automatic;
    int priority;
};

/* Without the final semicolon, which would end a query that is put inside another. */
static char *copy_query(const char *text) {
    size_t length = strlen(text);
    while (length > 0 && strchr("; \t\r\n", text[length - 1]) != NULL)
        length--;
    return memory_copy_bytes(text, length);
}

static void free_stream(struct oracle_stream *stream) {
    for (size_t i = 0; i < stream->n_sources; i++) {
        free(stream->sources[i].table);
        free(stream->sources[i].alias);
    }
    free(stream->sources);
    free(stream->name);
    free(stream->query);
    free(stream->with);
    free(stream->output_table);
    free(stream->columns);
    free(stream->condition);
}

static bool is_wildcard(const char *table) {
    return *table != '\0' && table[strlen(table) - 1] == '%';
}

/* Copies the query with a table's name in place of the wildcard's. */
static void replace_wildcard(struct buffer *out, const char *query, const char *wildcard, const char *table) {
    struct sql_token token;
    struct buffer name = {0};
    size_t position = 0, copied = 0;
    int depth = 0;
    while ((token = sql_next_token(query, &position, &depth)).kind != SQL_END) {
        if (token.kind != SQL_QUOTED)
            continue;
        sql_token_name(&token, &name);
        if (strcmp(buffer_text(&name), wildcard) != 0)
            continue;
        buffer_append(out, query + copied, (size_t)(token.start - query) - copied);
        sql_append_name(out, table);
        copied = position;
    }
    buffer_append_text(out, query + copied);
    buffer_free(&name);
}

static enum status add_stream(struct loader *loader, const struct definition *definition, const char *with,
                              const json_t *place, const char *query);

/* A wildcard without an alias: rows keep the name of their own table, so each client table is a stream. */
static enum status expand_wildcard(struct loader *loader, const struct definition *definition,
                                   const char *with, const json_t *place, struct oracle_stream *stream) {
    struct oracle_stream whole = *stream; /* adding streams may move the array */
    const char *wildcard = whole.sources[0].table;
    enum status status = STATUS_OK;
    if (whole.n_sources != 1)
        status = yaml_error(loader->document, place, loader->error,
                            "the oracle knows a wildcard table beside others with an alias only");
    loader->streams->count--;
    for (size_t i = 0; status == STATUS_OK && i < loader->schema->n_tables; i++) {
        const char *table = loader->schema->tables[i].name;
        struct buffer query = {0};
        if (strncmp(table, wildcard, strlen(wildcard) - 1) != 0)
            continue;
        replace_wildcard(&query, whole.query, wildcard, table);
        status = add_stream(loader, definition, with, place, buffer_text(&query));
        buffer_free(&query);
    }
    free_stream(&whole);
    return status;
}

static const char *check_sql(const struct oracle_stream *stream) {
    static const struct oracle_sql_request nothing = {"NULL", "NULL", "NULL", "NULL"};
    struct buffer sql = {0};
    const char *refusal = oracle_sql_translate(&sql, stream->with, "", &nothing);
    if (refusal == NULL)
        refusal = oracle_sql_translate(&sql, stream->query, stream->with, &nothing);
    buffer_free(&sql);
    return refusal;
}

static enum status add_stream(struct loader *loader, const struct definition *definition, const char *with,
                              const json_t *place, const char *query) {
    struct oracle_streams *streams = loader->streams;
    MEMORY_RESERVE(streams->items, loader->capacity, streams->count + 1);
    struct oracle_stream *stream = &streams->items[streams->count++];
    *stream = (struct oracle_stream){.name = memory_copy_text(definition->name),
                                     .automatic = definition->automatic,
                                     .priority = definition->priority,
                                     .query = copy_query(query),
                                     .with = memory_copy_text(with)};
    const char *refusal = check_sql(stream);
    if (refusal != NULL)
        return yaml_error(loader->document, place, loader->error, "stream %s: %s", stream->name, refusal);
    find_sources(stream);
    if (stream->output_table == NULL)
        return yaml_error(loader->document, place, loader->error, "stream %s reads no table", stream->name);
    if (is_wildcard(stream->output_table))
        return expand_wildcard(loader, definition, with, place, stream);
    find_one_table_form(stream);
    return STATUS_OK;
}

static bool mentions(const char *query, const char *name) {
    struct sql_token token;
    struct buffer word = {0};
    size_t position = 0;
    int depth = 0;
    bool found = false;
    while (!found && (token = sql_next_token(query, &position, &depth)).kind != SQL_END) {
        if (token.kind == SQL_WORD || token.kind == SQL_QUOTED) {
            sql_token_name(&token, &word);
            found = strcmp(buffer_text(&word), name) == 0;
        }
    }
    buffer_free(&word);
    return found;
}

/* Adds `name AS (SELECT ...), ` for each entry that the query mentions, unless a closer one has the same
 * name. */
static enum status append_with(struct loader *loader, struct buffer *with, json_t *entries,
                               const char *query) {
    const char *name;
    json_t *text;
    if (entries != NULL && !json_is_object(entries))
        return yaml_error(loader->document, entries, loader->error, "`with` must map names to SELECT texts");
    json_object_foreach(entries, name, text) {
        if (!json_is_string(text))
            return yaml_error(loader->document, text, loader->error, "`with` must map names to SELECT texts");
        if (oracle_sql_defines(buffer_text(with), name) || !mentions(query, name))
            continue;
        sql_append_name(with, name);
        buffer_printf(with, " AS (%s), ", json_string_value(text));
    }
    return STATUS_OK;
}

static enum status load_query(struct loader *loader, const struct definition *definition,
                              const json_t *stream, json_t *common, const json_t *query) {
    if (!json_is_string(query))
        return yaml_error(loader->document, query, loader->error, "a stream's query must be a text");
    struct buffer with = {0};
    const char *text = json_string_value(query);
    enum status status = append_with(loader, &with, json_object_get(stream, "with"), text);
    if (status == STATUS_OK)
        status = append_with(loader, &with, common, text);
    if (status == STATUS_OK)
        status = add_stream(loader, definition, buffer_text(&with), query, text);
    buffer_free(&with);
    return status;
}

static bool is_asked_for(const struct loader *loader, const char *name) {
    for (size_t i = 0; i < loader->n_requests; i++)
        for (size_t j = 0; j < loader->requests[i].n_subscriptions; j++)
            if (strcmp(loader->requests[i].subscriptions[j].stream, name) == 0)
                return true;
    return false;
}

/* The priority that clients ask for instead of the stream's own. */
static int asked_priority(const struct loader *loader, const char *name, int usual) {
    for (size_t i = 0; i < loader->n_requests; i++)
        for (size_t j = 0; j < loader->requests[i].n_subscriptions; j++) {
            const struct client_subscription *asked = &loader->requests[i].subscriptions[j];
            if (asked->overrides && strcmp(asked->stream, name) == 0)
                return asked->priority;
        }
    return usual;
}

static enum status load_stream(struct loader *loader, const char *name, const json_t *stream,
                               json_t *common) {
    const json_t *query = json_object_get(stream, "query");
    const json_t *queries = json_object_get(stream, "queries");
    if (!json_is_object(stream) || (query == NULL) == (queries == NULL))
        return yaml_error(loader->document, stream, loader->error, "stream %s needs `query` or `queries`",
                          name);
    const struct definition definition = {
        .name = name,
        .automatic = json_bool_or(stream, "auto_subscribe", false),
        .priority = asked_priority(loader, name, (int)json_integer_or(stream, "priority", 3))};
    if (!definition.automatic && !is_asked_for(loader, name))
        return STATUS_OK;
    if (query != NULL)
        return load_query(loader, &definition, stream, common, query);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(queries); i++)
        status = load_query(loader, &definition, stream, common, json_array_get(queries, i));
    return status;
}

enum status oracle_streams_load(struct oracle_streams *streams, const char *yaml,
                                const struct client_schema *schema, const struct oracle_request *requests,
                                size_t n_requests, struct error *error) {
    assert(yaml != NULL);
    *streams = (struct oracle_streams){0};
    struct yaml_document document;
    enum status status = yaml_parse(&document, yaml, strlen(yaml), config_name, NULL, error);
    if (status != STATUS_OK)
        return status;
    struct loader loader = {.document = &document,
                            .streams = streams,
                            .schema = schema,
                            .requests = requests,
                            .n_requests = n_requests,
                            .error = error};
    json_t *root = json_object_get(document.root, "streams");
    const char *name;
    json_t *stream;
    if (!json_is_object(root))
        status = error_set_at(error, STATUS_INVALID, config_name, 1, 1, "the sync config has no `streams`");
    json_object_foreach(root, name, stream) {
        if (status == STATUS_OK)
            status = load_stream(&loader, name, stream, json_object_get(document.root, "with"));
    }
    yaml_release(&document);
    if (status != STATUS_OK)
        oracle_streams_free(streams);
    return status;
}

void oracle_streams_free(struct oracle_streams *streams) {
    for (size_t i = 0; i < streams->count; i++)
        free_stream(&streams->items[i]);
    free(streams->items);
    *streams = (struct oracle_streams){0};
}

static bool source_is(const char *source, const char *table) {
    return is_wildcard(source) ? strncmp(source, table, strlen(source) - 1) == 0 : strcmp(source, table) == 0;
}

bool oracle_stream_reads(const struct oracle_stream *stream, const char *table) {
    for (size_t i = 0; i < stream->n_sources; i++) {
        if (source_is(stream->sources[i].table, table))
            return true;
    }
    return false;
}
