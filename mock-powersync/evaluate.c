#include "mock-powersync/evaluate.h"

#include <assert.h>

void bucket_name_append(struct buffer *out, int number, const char *stream, size_t variant,
                        const struct sql_value *user) {
    assert(number >= 1);
    buffer_append_integer(out, number);
    buffer_append_char(out, '#');
    buffer_append_text(out, stream);
    buffer_append_char(out, '|');
    buffer_append_integer(out, (int64_t)variant);
    buffer_append_char(out, '[');
    if (user)
        sql_value_append_parameter(out, user);
    buffer_append_char(out, ']');
}

/* Later items overwrite earlier ones of the same name, which keep their place. */
static struct row select_columns(const struct sync_query *query, const struct row *source,
                                 struct arena *arena) {
    struct row output = {0};
    output.columns = arena_allocate(arena, (source->count + 1) * query->n_items * sizeof *output.columns);
    for (size_t i = 0; i < query->n_items; i++) {
        const struct sync_query_item *item = &query->items[i];
        if (item->source) {
            static const struct sql_value null = {.kind = SQL_NULL};
            const struct sql_value *value = row_get(source, item->source);
            row_set(&output, item->output, value ? value : &null);
            continue;
        }
        for (size_t j = 0; j < source->count; j++) {
            /* The first item of a query meets no earlier column; a document's names are unique. */
            if (i == 0)
                output.columns[output.count++] = source->columns[j];
            else
                row_set(&output, source->columns[j].name, &source->columns[j].value);
        }
    }
    assert(output.count <= (source->count + 1) * query->n_items);
    return output;
}

static bool evaluate_query(const struct sync_config *config, int number, const struct sync_query *query,
                           const struct row *source, struct arena *arena, struct bucket_output *output) {
    const struct sql_value *user = NULL;
    if (query->user_column) {
        user = row_get(source, query->user_column);
        if (!user || user->kind == SQL_NULL)
            return false; /* NULL equals nobody's id */
    }
    struct buffer text = {0};
    bucket_name_append(&text, number, config->streams[query->stream].name, query->variant, user);
    output->bucket_length = text.length;
    output->bucket = arena_copy_bytes(arena, text.data, text.length);
    output->object_type = query->object_type;

    struct row row = select_columns(query, source, arena);
    buffer_clear(&text);
    row_append_json(&text, &row);
    output->data_length = text.length;
    output->data = arena_copy_bytes(arena, text.data, text.length);

    buffer_clear(&text);
    const struct sql_value *id = row_get(&row, "id");
    if (id)
        sql_value_append_text(&text, id);
    output->object_id = arena_copy_text(arena, buffer_text(&text));
    buffer_free(&text);
    return true;
}

size_t evaluate_row(const struct sync_config *config, int number, const struct sync_table *table,
                    const json_t *document, struct arena *arena, struct bucket_output **outputs) {
    struct row source = row_from_document(document, arena);
    *outputs = arena_allocate(arena, table->n_queries * sizeof **outputs);
    size_t count = 0;
    for (size_t i = 0; i < table->n_queries; i++) {
        assert(table->queries[i] < config->n_queries);
        const struct sync_query *query = &config->queries[table->queries[i]];
        if (evaluate_query(config, number, query, &source, arena, &(*outputs)[count]))
            count++;
    }
    return count;
}
