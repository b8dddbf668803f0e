/* The queries of a bucket definition. */
#include <string.h>

#include "mock-powersync/config/legacy_query.h"

static enum status refuse(const struct legacy_tools *tools, int offset, const char *reason) {
    return sync_text_refuse(tools->text, offset, tools->error, "%s", reason);
}

static size_t position_of(const struct legacy_definition *definition, const char *name) {
    size_t i = 0;
    while (i < definition->n_parameters && strcmp(definition->parameters[i], name) != 0)
        i++;
    return i;
}

/* Parameter queries */

static enum status read_priority(const struct legacy_tools *tools, const struct sync_select_item *item,
                                 bool given, struct legacy_parameter_query *query) {
    const struct sync_expression *expression = item->expression;
    if (given)
        return refuse(tools, item->offset, "the priority is set twice");
    if (query->kind == PARAMETERS_FUNCTION)
        return refuse(tools, item->offset, "_priority is not supported in a query on a function");
    if (expression->kind != EXPRESSION_LITERAL || expression->literal.kind != SQL_INTEGER ||
        expression->literal.integer < 0 || expression->literal.integer > 3)
        return refuse(tools, item->offset, "a priority is 0, 1, 2 or 3");
    query->priority = (int)expression->literal.integer;
    return STATUS_OK;
}

static enum status read_parameter(const struct legacy_tools *tools, const struct sync_select_item *item,
                                  struct legacy_parameter_query *query) {
    for (size_t i = 0; i < query->n_parameters; i++)
        if (strcmp(query->parameters[i].name, item->name) == 0)
            return refuse(tools, item->offset, "two parameters have one name");
    struct legacy_parameter *parameter = &query->parameters[query->n_parameters++];
    *parameter = (struct legacy_parameter){.name = item->name};
    parameter->of_row = query->kind == PARAMETERS_TABLE && legacy_clause_is_column(tools, item->expression);
    if (parameter->of_row) {
        parameter->output = query->n_outputs++;
        parameter->expression = legacy_clause_row_value(tools, item->expression);
    } else {
        parameter->expression = legacy_clause_request_value(tools, item->expression);
    }
    return parameter->expression ? STATUS_OK : STATUS_INVALID;
}

static enum status read_parameters(const struct legacy_tools *tools, const struct sync_select *select,
                                   bool given, struct legacy_parameter_query *query) {
    query->parameters = arena_allocate(tools->arena, (select->n_items + 1) * sizeof *query->parameters);
    for (size_t i = 0; i < select->n_items; i++) {
        const struct sync_select_item *item = &select->items[i];
        if (!item->expression)
            return refuse(tools, item->offset, "* is not supported here: name the columns");
        if (!item->name)
            return refuse(tools, item->offset, "the column needs a name: AS name");
        bool is_priority = strcmp(item->name, "_priority") == 0;
        enum status status =
            is_priority ? read_priority(tools, item, given, query) : read_parameter(tools, item, query);
        if (status)
            return status;
        given = given || is_priority;
    }
    return STATUS_OK;
}

static enum status read_source(struct legacy_tools *tools, const struct sync_select *select,
                               struct legacy_parameter_query *query) {
    if (query->kind == PARAMETERS_STATIC)
        return STATUS_OK;
    const struct sync_from *from = legacy_query_from(tools, select);
    if (!from)
        return STATUS_INVALID;
    if (query->kind == PARAMETERS_FUNCTION) {
        tools->function = legacy_query_table_name(from);
        if (strcmp(from->name, "json_each") != 0)
            return refuse(tools, from->offset, "the only table-valued function is json_each");
        /* Without an argument it is called with 1, there as here, and fails for each request. */
        query->argument =
            legacy_clause_request_value(tools, from->n_arguments > 0 ? from->arguments[0] : NULL);
        return query->argument ? STATUS_OK : STATUS_INVALID;
    }
    tools->table = from->name;
    if (from->alias && strcmp(from->alias, from->name) != 0)
        return refuse(tools, from->offset, "an alias is not supported in a parameter query");
    return legacy_query_table(tools, from, &query->table);
}

static enum status read_where(struct legacy_tools *tools, const struct sync_select *select,
                              struct legacy_parameter_query *query) {
    if (query->kind != PARAMETERS_TABLE) {
        query->filter = legacy_clause_request_value(tools, select->where);
        return query->filter ? STATUS_OK : STATUS_INVALID;
    }
    struct legacy_clause *clause = legacy_clause_make(tools, select->where);
    query->match = clause ? legacy_clause_match(tools, clause, 0) : NULL;
    if (!query->match)
        return STATUS_INVALID;
    legacy_clause_settle(tools, query->match);
    size_t expanding = 0;
    for (size_t i = 0; i < query->inputs->count; i++)
        expanding += query->inputs->items[i].expands;
    return expanding > 1 ? refuse(tools, 0, "several IN on arrays of parameters are not supported")
                         : STATUS_OK;
}

/* All parameter queries of a definition give the same parameters; the first one says in which order. */
static enum status agree(const struct legacy_tools *tools, struct legacy_definition *definition,
                         const struct legacy_parameter_query *query) {
    if (definition->n_parameter_queries == 1) {
        definition->parameters =
            arena_allocate(tools->arena, (query->n_parameters + 1) * sizeof *definition->parameters);
        for (size_t i = 0; i < query->n_parameters; i++)
            definition->parameters[definition->n_parameters++] = query->parameters[i].name;
        return STATUS_OK;
    }
    bool same = true;
    for (size_t i = 0; i < query->n_parameters; i++)
        same = same && position_of(definition, query->parameters[i].name) < definition->n_parameters;
    return same ? STATUS_OK : refuse(tools, 0, "all parameter queries must have the same parameters");
}

static enum status compile_parameters(struct legacy_tools *tools, struct legacy_definition *definition,
                                      const struct sync_select *select, bool given,
                                      struct legacy_parameter_query *query) {
    enum status status = read_source(tools, select, query);
    if (!status)
        status = read_where(tools, select, query);
    if (!status)
        status = read_parameters(tools, select, given, query);
    return status ? status : agree(tools, definition, query);
}

enum status legacy_add_parameters(struct legacy_rules *rules, struct legacy_definition *definition,
                                  const struct sync_text *sql, const int *priority, struct error *error) {
    struct sync_select select;
    struct legacy_parameter_query *query = &definition->parameter_queries[definition->n_parameter_queries++];
    query->number = (int)definition->n_parameter_queries;
    query->priority = priority ? *priority : 3;
    struct legacy_tools tools;
    enum status status = legacy_query_read(&tools, LEGACY_PARAMETERS, rules, sql, &select, error);
    query->inputs = tools.inputs;
    if (!status) {
        query->kind = select.n_from == 0       ? PARAMETERS_STATIC
                      : select.from[0].is_call ? PARAMETERS_FUNCTION
                                               : PARAMETERS_TABLE;
        status = compile_parameters(&tools, definition, &select, priority != NULL, query);
    }
    return status;
}

/* Data queries */

/* Which input of the match is which parameter of the bucket: each must be one. */
static enum status cover(const struct legacy_tools *tools, const struct legacy_definition *definition,
                         struct legacy_data_query *query) {
    size_t count = definition->n_parameters;
    query->inputs = arena_allocate(tools->arena, (count + 1) * sizeof *query->inputs);
    bool all = tools->inputs->count == count;
    for (size_t i = 0; all && i < count; i++) {
        const struct sync_expression *request = tools->inputs->items[i].request;
        size_t at = request->kind == EXPRESSION_COLUMN ? position_of(definition, request->text) : count;
        all = at < count;
        if (all)
            query->inputs[at] = i;
    }
    return all ? STATUS_OK
               : refuse(tools, 0, "the query must use all parameters of the bucket, and no others");
}

static enum status compile_data(struct legacy_tools *tools, const struct legacy_definition *definition,
                                const struct sync_select *select, struct legacy_data_query *query) {
    const struct sync_from *from = legacy_query_from(tools, select);
    if (!from || from->is_call)
        return from ? refuse(tools, from->offset, "a data query reads from a table") : STATUS_INVALID;
    tools->table = legacy_query_table_name(from);
    struct legacy_clause *clause = legacy_clause_make(tools, select->where);
    query->match = clause ? legacy_clause_match(tools, clause, 0) : NULL;
    if (!query->match)
        return STATUS_INVALID;
    enum status status = cover(tools, definition, query);
    return status ? status : legacy_query_data(tools, select, &query->data);
}

enum status legacy_add_data(struct legacy_rules *rules, struct legacy_definition *definition,
                            const struct sync_text *sql, struct error *error) {
    struct sync_select select;
    struct legacy_tools tools;
    enum status status = legacy_query_read(&tools, LEGACY_DATA, rules, sql, &select, error);
    if (!status)
        status = compile_data(&tools, definition, &select,
                              &definition->data_queries[definition->n_data_queries++]);
    return status;
}
