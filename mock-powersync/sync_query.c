#include "mock-powersync/sync_query.h"

#include <assert.h>
#include <jansson.h>
#include <pg_query.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

/* libpg_query counts characters of the query from 0; people count from 1. */
static enum status refuse(struct error *error, const json_t *node, const char *reason) {
    const json_t *location = json_object_get(node, "location");
    if (json_is_integer(location))
        return error_set(error, STATUS_INVALID, "%s (at character %d of the query)", reason,
                         (int)json_integer_value(location) + 1);
    return error_set(error, STATUS_INVALID, "%s", reason);
}

/* {"String":{"sval":"x"}} -> x */
static const char *name_part(const json_t *node) {
    return json_text(json_object_get(node, "String"), "sval");
}

/* A column reference as qualifier and name; name "*" only when `star`. */
struct column {
    const char *qualifier; /* NULL when absent */
    const char *name;
    bool star;
};

static enum status read_column(struct column *column, const json_t *reference, struct error *error) {
    *column = (struct column){0};
    const json_t *fields = json_object_get(reference, "fields");
    size_t count = json_array_size(fields);
    if (count < 1 || count > 2)
        return refuse(error, reference, "a column is written as column or table.column");
    if (count == 2)
        column->qualifier = name_part(json_array_get(fields, 0));
    const json_t *last = json_array_get(fields, count - 1);
    column->star = json_object_get(last, "A_Star") != NULL;
    column->name = name_part(last);
    if ((!column->star && !column->name) || (count == 2 && !column->qualifier))
        return refuse(error, reference, "this column reference is not supported");
    return STATUS_OK;
}

static enum status check_qualifier(const struct sync_query *query, const struct column *column,
                                   const json_t *reference, struct error *error) {
    if (!column->qualifier || strcmp(column->qualifier, query->object_type) == 0)
        return STATUS_OK;
    char reason[200];
    snprintf(reason, sizeof reason, "unknown table \"%.100s\"", column->qualifier);
    return refuse(error, reference, reason);
}

static enum status read_item(struct sync_query *query, struct sync_query_item *item, const json_t *target,
                             struct error *error) {
    const json_t *reference = json_object_get(json_object_get(target, "val"), "ColumnRef");
    if (!reference)
        return refuse(error, target, "only columns and * can be selected; expressions are not supported");
    struct column column;
    enum status status = read_column(&column, reference, error);
    if (!status)
        status = check_qualifier(query, &column, reference, error);
    if (status || column.star)
        return status;
    const char *alias = json_text(target, "name");
    item->source = memory_copy_text(column.name);
    item->output = memory_copy_text(alias ? alias : column.name);
    return STATUS_OK;
}

static enum status read_items(struct sync_query *query, const json_t *targets, struct error *error) {
    size_t count = json_array_size(targets);
    if (count == 0)
        return error_set(error, STATUS_INVALID, "the query selects nothing");
    query->items = memory_allocate_array(count, sizeof *query->items);
    query->n_items = count;
    for (size_t i = 0; i < count; i++) {
        const json_t *target = json_object_get(json_array_get(targets, i), "ResTarget");
        enum status status = read_item(query, &query->items[i], target, error);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status read_from(struct sync_query *query, const json_t *from, struct error *error) {
    if (json_array_size(from) != 1)
        return error_set(error, STATUS_INVALID, "the query must read FROM exactly one table");
    const json_t *table = json_object_get(json_array_get(from, 0), "RangeVar");
    if (!table)
        return error_set(error, STATUS_INVALID,
                         "FROM must name one table; joins and subqueries are not supported");
    const char *schema = json_text(table, "schemaname");
    if (schema && strcmp(schema, "convex") != 0)
        return refuse(error, table, "the only schema is convex");
    const char *name = json_text(table, "relname");
    if (!name || strchr(name, '%'))
        return refuse(error, table, "wildcard table names are not supported");
    if (json_object_get(table, "catalogname") || !json_is_true(json_object_get(table, "inh")))
        return refuse(error, table, "the table must be written as table or convex.table");
    const json_t *alias = json_object_get(table, "alias");
    if (json_object_get(alias, "colnames"))
        return refuse(error, table, "column aliases on a table are not supported");
    const char *output = json_text(alias, "aliasname");
    query->table = memory_copy_text(name);
    query->object_type = memory_copy_text(output ? output : name);
    return STATUS_OK;
}

static bool is_user_id(const json_t *node) {
    const json_t *call = json_object_get(node, "FuncCall");
    const json_t *path = json_object_get(call, "funcname");
    if (json_array_size(path) != 2 || json_object_get(call, "args") || json_object_get(call, "agg_star"))
        return false;
    const char *schema = name_part(json_array_get(path, 0));
    const char *name = name_part(json_array_get(path, 1));
    return schema && name && strcmp(schema, "auth") == 0 && strcmp(name, "user_id") == 0;
}

static enum status read_where(struct sync_query *query, const json_t *where, struct error *error) {
    static const char *form = "WHERE must have the form column = auth.user_id()";
    const json_t *expression = json_object_get(where, "A_Expr");
    const char *kind = json_text(expression, "kind");
    const json_t *symbols = json_object_get(expression, "name");
    const char *symbol = name_part(json_array_get(symbols, 0));
    if (!kind || strcmp(kind, "AEXPR_OP") != 0 || json_array_size(symbols) != 1 || !symbol ||
        strcmp(symbol, "=") != 0)
        return refuse(error, expression, form);
    const json_t *left = json_object_get(expression, "lexpr");
    const json_t *right = json_object_get(expression, "rexpr");
    const json_t *side = is_user_id(right) ? left : is_user_id(left) ? right : NULL;
    const json_t *reference = json_object_get(side, "ColumnRef");
    if (!reference)
        return refuse(error, expression, form);
    struct column column;
    enum status status = read_column(&column, reference, error);
    if (!status)
        status = check_qualifier(query, &column, reference, error);
    if (!status && column.star)
        status = refuse(error, reference, form);
    if (!status)
        query->user_column = memory_copy_text(column.name);
    return status;
}

/* Clauses that the parser knows and we do not. */
static enum status refuse_other_clauses(const json_t *select, struct error *error) {
    static const char *const known[] = {"targetList", "fromClause", "whereClause", "limitOption", "op"};
    static const char *const clauses[][2] = {
        {"distinctClause", "DISTINCT"}, {"groupClause", "GROUP BY"}, {"havingClause", "HAVING"},
        {"sortClause", "ORDER BY"},     {"limitCount", "LIMIT"},     {"limitOffset", "OFFSET"},
        {"withClause", "WITH"},         {"windowClause", "WINDOW"},  {"lockingClause", "FOR UPDATE"},
        {"valuesLists", "VALUES"},      {"larg", "UNION"},           {"intoClause", "INTO"}};
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
        if (json_object_get(select, clauses[i][0]))
            return error_set(error, STATUS_INVALID, "%s is not supported in a sync stream", clauses[i][1]);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)select, key, value) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || strcmp(key, known[i]) == 0;
        if (!found)
            return error_set(error, STATUS_INVALID, "this form of SELECT is not supported (%s)", key);
    }
    return STATUS_OK;
}

static enum status read_select(struct sync_query *query, const json_t *tree, struct error *error) {
    const json_t *statements = json_object_get(tree, "stmts");
    if (json_array_size(statements) != 1)
        return error_set(error, STATUS_INVALID, "expected exactly one SELECT statement, found %d statements",
                         (int)json_array_size(statements));
    const json_t *statement = json_object_get(json_array_get(statements, 0), "stmt");
    const json_t *select = json_object_get(statement, "SelectStmt");
    if (!select)
        return error_set(error, STATUS_INVALID, "only SELECT statements can be synced");
    enum status status = refuse_other_clauses(select, error);
    if (!status)
        status = read_from(query, json_object_get(select, "fromClause"), error);
    if (!status)
        status = read_items(query, json_object_get(select, "targetList"), error);
    const json_t *where = json_object_get(select, "whereClause");
    if (!status && where)
        status = read_where(query, where, error);
    return status;
}

enum status sync_query_parse(struct sync_query *query, const char *sql, struct error *error) {
    assert(query && sql);
    *query = (struct sync_query){0};
    PgQueryParseResult result = pg_query_parse(sql);
    enum status status;
    if (result.error) {
        status = error_set(error, STATUS_INVALID, "%s (at character %d of the query)", result.error->message,
                           result.error->cursorpos);
    } else {
        json_t *tree = json_parse(result.parse_tree, strlen(result.parse_tree), error);
        status = tree ? read_select(query, tree, error) : STATUS_INVALID;
        json_decref(tree);
    }
    pg_query_free_parse_result(result);
    if (status)
        sync_query_free(query);
    assert(status || (query->table && query->object_type && query->n_items > 0));
    return status;
}

void sync_query_free(struct sync_query *query) {
    for (size_t i = 0; i < query->n_items; i++) {
        free(query->items[i].source);
        free(query->items[i].output);
    }
    free(query->items);
    free(query->table);
    free(query->object_type);
    free(query->user_column);
    *query = (struct sync_query){0};
}
