#include "mock-powersync/config/legacy_query.h"

#include <string.h>

enum status legacy_query_read(struct legacy_tools *tools, enum legacy_place place, struct legacy_rules *rules,
                              const struct sync_text *sql, struct sync_select *select, struct error *error) {
    *tools = (struct legacy_tools){.place = place,
                                   .fixed_json = rules->fixed_json,
                                   .text = sql,
                                   .inputs = arena_allocate(&rules->arena, sizeof *tools->inputs),
                                   .arena = &rules->arena,
                                   .error = error};
    return sync_parser_read_names(select, sql, &rules->arena, error);
}

const char *legacy_query_table_name(const struct sync_from *from) {
    return from->alias ? from->alias : from->name;
}

const struct sync_from *legacy_query_from(const struct legacy_tools *tools,
                                          const struct sync_select *select) {
    if (select->n_from == 1 && select->from->name && select->from->n_columns == 0)
        return select->from;
    sync_text_refuse(tools->text, select->n_from > 0 ? select->from->offset : select->offset, tools->error,
                     "the query must read FROM exactly one table");
    return NULL;
}

enum status legacy_query_table(const struct legacy_tools *tools, const struct sync_from *from,
                               struct source_pattern *table) {
    const char *schema = from->schema ? from->schema : "convex";
    const char *dot = strchr(schema, '.');
    if (dot && strchr(dot + 1, '.'))
        return sync_text_refuse(tools->text, from->offset, tools->error, "a schema has at most one dot");
    size_t length = strlen(from->name);
    *table =
        (struct source_pattern){.tag = dot ? arena_copy_bytes(tools->arena, schema, (size_t)(dot - schema))
                                           : arena_copy_text(tools->arena, "default"),
                                .schema = arena_copy_text(tools->arena, dot ? dot + 1 : schema),
                                .prefix = length > 0 && from->name[length - 1] == '%'};
    table->name = arena_copy_bytes(tools->arena, from->name, length - table->prefix);
    return STATUS_OK;
}

/* JavaScript moves such names to the front of an object. */
static bool is_array_index(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && !name[digits] && (digits == 1 || name[0] != '0');
}

static enum status read_column(const struct legacy_tools *tools, const struct sync_select_item *item,
                               struct legacy_column *column) {
    *column = (struct legacy_column){.name = item->name};
    if (!item->expression)
        return STATUS_OK;
    if (!item->name)
        return sync_text_refuse(tools->text, item->offset, tools->error, "the column needs a name: AS name");
    if (is_array_index(item->name))
        return sync_text_refuse(tools->text, item->offset, tools->error,
                                "an output cannot be called %.40s: give it a name", item->name);
    column->expression = legacy_clause_row_value(tools, item->expression);
    return column->expression ? STATUS_OK : STATUS_INVALID;
}

enum status legacy_query_data(const struct legacy_tools *tools, const struct sync_select *select,
                              struct legacy_data *data) {
    enum status status = legacy_query_table(tools, select->from, &data->table);
    bool renamed = select->from->alias && strcmp(select->from->alias, select->from->name) != 0;
    data->object_type = data->table.prefix && !renamed ? NULL : legacy_query_table_name(select->from);
    data->columns = arena_allocate(tools->arena, (select->n_items + 1) * sizeof *data->columns);
    bool has_id = false;
    for (size_t i = 0; !status && i < select->n_items; i++) {
        struct legacy_column *column = &data->columns[data->n_columns++];
        status = read_column(tools, &select->items[i], column);
        has_id = has_id || !select->items[i].expression || (column->name && strcmp(column->name, "id") == 0);
    }
    if (!status && !has_id)
        return sync_text_refuse(tools->text, 0, tools->error, "the query must select a column \"id\"");
    return status;
}
