#include "mock-powersync/config/sync_query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/config/sync_branch.h"
#include "mock-powersync/config/sync_parser.h"

/* Every column belongs to the one table that there is. */
static enum status check_columns(const struct sync_query *query, const struct sync_expression *expression,
                                 struct error *error) {
    if (!expression)
        return STATUS_OK;
    if (expression->kind == EXPRESSION_COLUMN && expression->qualifier &&
        strcmp(expression->qualifier, query->object_type) != 0)
        return sync_parser_refuse(error, expression->offset, "unknown table \"%.100s\"",
                                  expression->qualifier);
    for (size_t i = 0; i < expression->n_arguments; i++) {
        enum status status = check_columns(query, expression->arguments[i], error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status read_table(struct sync_query *query, const struct sync_select *select,
                              struct error *error) {
    if (select->schema && strcmp(select->schema, "convex") != 0)
        return sync_parser_refuse(error, select->table_offset, "the only schema is convex");
    if (strchr(select->table, '%'))
        return sync_parser_refuse(error, select->table_offset, "wildcard table names are not supported");
    query->table = select->table;
    query->object_type = select->alias ? select->alias : select->table;
    return STATUS_OK;
}

/* JavaScript moves such names to the front of an object. */
static bool is_array_index(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && !name[digits] && (digits == 1 || name[0] != '0');
}

static enum status read_item(struct sync_query *query, const struct sync_select_item *from,
                             struct error *error) {
    const struct sync_expression *expression = from->expression;
    if (!expression && from->qualifier && strcmp(from->qualifier, query->object_type) != 0)
        return sync_parser_refuse(error, from->offset, "unknown table \"%.100s\"", from->qualifier);
    if (expression && expression->sides & SIDE_REQUEST)
        return sync_parser_refuse(error, from->offset, "values of a request cannot be synced");
    if (sync_expression_has_membership(expression))
        return sync_parser_refuse(error, from->offset,
                                  "IN with a JSON array and && are only supported in WHERE");
    if (from->name && is_array_index(from->name))
        return sync_parser_refuse(error, from->offset, "an output cannot be called %.40s: give it a name",
                                  from->name);
    query->items[query->n_items++] = (struct sync_query_item){expression, from->name};
    return check_columns(query, expression, error);
}

static enum status read_items(struct sync_query *query, const struct sync_select *select,
                              struct error *error) {
    query->items = arena_allocate(&query->arena, select->n_items * sizeof *query->items);
    bool from_table = false;
    for (size_t i = 0; i < select->n_items; i++) {
        enum status status = read_item(query, &select->items[i], error);
        if (status)
            return status;
        const struct sync_expression *expression = select->items[i].expression;
        from_table = from_table || !expression || expression->sides & SIDE_ROW;
    }
    return from_table ? STATUS_OK : sync_parser_refuse(error, 0, "the query selects no column of its table");
}

static enum status compile(struct sync_query *query, const struct sync_select *select, struct error *error) {
    enum status status = read_table(query, select, error);
    if (!status)
        status = read_items(query, select, error);
    if (!status)
        status = check_columns(query, select->where, error);
    if (!status)
        status = sync_branches_make(query, select->where, error);
    return status;
}

enum status sync_query_parse(struct sync_query *query, const char *sql, struct error *error) {
    assert(query && sql);
    *query = (struct sync_query){0};
    struct sync_select select;
    enum status status = sync_parser_read(&select, sql, &query->arena, error);
    if (!status)
        status = compile(query, &select, error);
    free(select.items);
    if (status)
        sync_query_free(query);
    assert(status || (query->table && query->object_type && query->n_items > 0 && query->n_branches > 0));
    return status;
}

void sync_query_free(struct sync_query *query) {
    arena_free(&query->arena);
    *query = (struct sync_query){0};
}
