#include "mock-powersync/config/sync_query.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mock-powersync/config/sync_config.h"

enum { CONDITIONS_MOST = 100 };

/* What a name in a statement stands for. */
struct binding {
    const char *name;
    struct sync_source *source;
    struct sync_subquery *subquery; /* when source is NULL */
};

struct reader {
    struct sync_config *config;
    struct arena *arena;
    const struct sync_text *text;
    const struct sync_subqueries *known;
    struct error *error;
};

/* One SELECT that is being read. */
struct statement {
    struct reader *reader;
    struct statement *outer; /* whose names it can use, too */
    struct binding bindings[20];
    size_t n_bindings;
    struct sync_expression *conditions[CONDITIONS_MOST];
    size_t n_conditions;
};

static struct sync_expression *resolve(struct statement *statement, const struct sync_expression *expression);

static void *refuse(struct statement *statement, int offset, const char *reason) {
    sync_text_refuse(statement->reader->text, offset, statement->reader->error, "%s", reason);
    return NULL;
}

enum status sync_query_refuse_mixture(const struct sync_expression *culprit, struct error *error) {
    return sync_text_refuse(
        culprit->sql, culprit->offset, error,
        "data of different rows, or of a row and a request, can only be compared with =, IN or "
        "&&, and not inside NOT or another expression");
}

static struct sync_expression *node(struct statement *statement, enum sync_expression_kind kind,
                                    const struct sync_expression *place, struct sync_expression *left,
                                    struct sync_expression *right) {
    struct sync_expression *made =
        sync_expression_create(statement->reader->arena, kind, place->sql, place->offset,
                               right  ? 2
                               : left ? 1
                                      : 0);
    if (left)
        sync_expression_set(made, 0, left);
    if (right)
        sync_expression_set(made, 1, right);
    return made;
}

static struct sync_expression *call(struct statement *statement, const char *operation,
                                    const struct sync_expression *place, struct sync_expression *left,
                                    struct sync_expression *right) {
    struct sync_expression *made = node(statement, EXPRESSION_CALL, place, left, right);
    made->operation = sync_operation_find(operation);
    return made;
}

static bool add_condition(struct statement *statement, struct sync_expression *condition) {
    if (!condition)
        return false;
    if (statement->n_conditions == CONDITIONS_MOST)
        return refuse(statement, condition->offset, "the query has too many conditions");
    statement->conditions[statement->n_conditions++] = condition;
    return true;
}

/* Names */

static struct binding *default_binding(struct statement *statement) {
    while (statement && statement->n_bindings == 0)
        statement = statement->outer;
    return statement && statement->n_bindings == 1 ? &statement->bindings[0] : NULL;
}

static struct binding *find_binding(struct statement *statement, const char *name) {
    for (; statement; statement = statement->outer)
        for (size_t i = 0; i < statement->n_bindings; i++)
            if (strcasecmp(statement->bindings[i].name, name) == 0)
                return &statement->bindings[i];
    return NULL;
}

/* `qualifier` may be NULL: the only table there is. */
static struct binding *resolve_table(struct statement *statement, const char *qualifier, int offset) {
    struct binding *found = qualifier ? find_binding(statement, qualifier) : default_binding(statement);
    if (found)
        return found;
    if (qualifier)
        sync_text_refuse(statement->reader->text, offset, statement->reader->error,
                         "unknown table \"%.100s\"", qualifier);
    else
        refuse(statement, offset, "a name without its table, where several tables (or none) could be meant");
    return NULL;
}

static bool bind(struct statement *statement, const struct sync_from *from, struct sync_source *source,
                 struct sync_subquery *subquery) {
    const char *name = from->alias ? from->alias : from->name;
    for (size_t i = 0; i < statement->n_bindings; i++)
        if (strcasecmp(statement->bindings[i].name, name) == 0)
            return refuse(statement, from->offset, "this name is already given to another table");
    assert(statement->n_bindings < sizeof statement->bindings / sizeof *statement->bindings);
    statement->bindings[statement->n_bindings++] = (struct binding){name, source, subquery};
    return true;
}

static struct sync_subquery *find_known(struct statement *statement, const char *name) {
    const struct sync_subqueries *known = statement->reader->known;
    for (size_t i = 0; known && i < known->count; i++)
        if (strcasecmp(known->items[i]->name, name) == 0)
            return known->items[i];
    return NULL;
}

static struct sync_expression *resolve_column(struct statement *statement,
                                              const struct sync_expression *expression) {
    struct binding *binding = resolve_table(statement, expression->qualifier, expression->offset);
    if (!binding)
        return NULL;
    if (binding->source) {
        struct sync_expression *column = node(statement, EXPRESSION_COLUMN, expression, NULL, NULL);
        column->text = expression->text;
        column->source = binding->source;
        column->sides = SIDE_ROW;
        return column;
    }
    for (size_t i = 0; i < binding->subquery->n_columns; i++)
        if (strcmp(binding->subquery->names[i], expression->text) == 0)
            return binding->subquery->columns[i];
    return refuse(statement, expression->offset, "the subquery has no such column");
}

/* Copies of common table expressions */

struct copier {
    struct arena *arena;
    struct sync_source *from[20], *to[20];
    size_t count;
};

static struct sync_expression *copy(struct copier *copier, const struct sync_expression *expression);

static struct sync_source *copy_source(struct copier *copier, struct sync_source *source) {
    for (size_t i = 0; i < copier->count; i++)
        if (copier->from[i] == source)
            return copier->to[i];
    assert(copier->count < sizeof copier->from / sizeof *copier->from);
    struct sync_source *made = arena_allocate(copier->arena, sizeof *made);
    *made = *source;
    copier->from[copier->count] = source;
    copier->to[copier->count++] = made;
    if (!made->is_function)
        return made;
    made->arguments =
        arena_allocate(copier->arena, (made->n_arguments + 1) * sizeof(struct sync_expression *));
    for (size_t i = 0; i < made->n_arguments; i++)
        made->arguments[i] = copy(copier, source->arguments[i]);
    struct sync_dependency dependency;
    sync_dependency_of(made->arguments, made->n_arguments, &dependency, NULL);
    made->attachment = dependency.source    ? ATTACHED_TO_TABLE
                       : dependency.request ? ATTACHED_TO_REQUEST
                                            : ATTACHED_NOT;
    made->table = dependency.source;
    return made;
}

static struct sync_expression *copy(struct copier *copier, const struct sync_expression *expression) {
    if (!expression)
        return NULL;
    struct sync_expression *made = sync_expression_create(copier->arena, expression->kind, expression->sql,
                                                          expression->offset, expression->n_arguments);
    struct sync_expression **arguments = made->arguments;
    *made = *expression;
    made->arguments = arguments;
    for (size_t i = 0; i < made->n_arguments; i++)
        arguments[i] = copy(copier, expression->arguments[i]);
    if (made->source)
        made->source = copy_source(copier, made->source);
    return made;
}

static struct sync_subquery *copy_subquery(struct arena *arena, struct sync_subquery *subquery) {
    struct copier copier = {.arena = arena};
    struct sync_subquery *made = arena_allocate(arena, sizeof *made);
    *made = *subquery;
    subquery->used = true;
    made->columns = arena_allocate(arena, (made->n_columns + 1) * sizeof(struct sync_expression *));
    for (size_t i = 0; i < made->n_columns; i++)
        made->columns[i] = copy(&copier, subquery->columns[i]);
    made->where = copy(&copier, subquery->where);
    return made;
}

/* FROM */

static bool read_from_and_where(struct statement *statement, const struct sync_select *select);

static struct sync_source *add_function(struct statement *statement, const struct sync_from *from,
                                        const struct sync_text *sql) {
    struct sync_source *source = arena_allocate(statement->reader->arena, sizeof *source);
    *source = (struct sync_source){.is_function = true,
                                   .name = from->name,
                                   .alias = from->alias,
                                   .n_arguments = from->n_arguments,
                                   .sql = sql,
                                   .offset = from->offset};
    source->arguments =
        arena_allocate(statement->reader->arena, (from->n_arguments + 1) * sizeof(struct sync_expression *));
    if (from->schema || strcmp(from->name, "json_each") != 0)
        return refuse(statement, from->offset, "the only function that gives rows is json_each");
    if (from->n_arguments != 1)
        return refuse(statement, from->offset, "json_each takes one value");
    for (size_t i = 0; i < from->n_arguments; i++)
        if (!(source->arguments[i] = resolve(statement, from->arguments[i])))
            return NULL;
    struct sync_dependency dependency;
    const struct sync_expression *culprit;
    if (!sync_dependency_of(source->arguments, source->n_arguments, &dependency, &culprit)) {
        sync_query_refuse_mixture(culprit, statement->reader->error);
        return NULL;
    }
    if (dependency.source && dependency.source->is_function)
        return refuse(statement, from->offset,
                      "json_each can read tables and the request, not another function");
    source->attachment = dependency.source    ? ATTACHED_TO_TABLE
                         : dependency.request ? ATTACHED_TO_REQUEST
                                              : ATTACHED_NOT;
    source->table = dependency.source;
    return source;
}

/* A table that is no common table expression. A schema may be "tag.schema". */
static bool add_table(struct statement *statement, const struct sync_from *from) {
    const char *dot = from->schema ? strchr(from->schema, '.') : NULL;
    if (dot && strchr(dot + 1, '.'))
        return refuse(statement, from->offset, "a schema is a name, or a connection and a name");
    struct sync_source *source = arena_allocate(statement->reader->arena, sizeof *source);
    *source = (struct sync_source){.schema = from->schema,
                                   .name = from->name,
                                   .alias = from->alias,
                                   .sql = statement->reader->text,
                                   .offset = from->offset};
    return bind(statement, from, source, NULL);
}

static bool add_subquery(struct statement *statement, const struct sync_from *from,
                         struct sync_subquery *subquery) {
    return bind(statement, from, NULL, subquery) &&
           (!subquery->where || add_condition(statement, subquery->where));
}

static bool read_columns(struct statement *statement, const struct sync_select *select,
                         const struct sync_from *from, struct sync_subquery *subquery);

static bool add_nested(struct statement *statement, const struct sync_from *from) {
    struct sync_subquery *subquery = arena_allocate(statement->reader->arena, sizeof *subquery);
    struct statement *inner = memory_allocate(sizeof *inner); /* knows none of the outer names */
    inner->reader = statement->reader;
    bool good = read_from_and_where(inner, from->select) && read_columns(inner, from->select, from, subquery);
    free(inner);
    return good && add_subquery(statement, from, subquery);
}

static bool add_from(struct statement *statement, const struct sync_from *from) {
    if (from->select)
        return add_nested(statement, from);
    if (from->is_call) {
        struct sync_source *source = add_function(statement, from, statement->reader->text);
        return source && bind(statement, from, source, NULL);
    }
    struct sync_subquery *known = from->schema ? NULL : find_known(statement, from->name);
    return known ? add_subquery(statement, from, copy_subquery(statement->reader->arena, known))
                 : add_table(statement, from);
}

static bool read_from_and_where(struct statement *statement, const struct sync_select *select) {
    for (size_t i = 0; i < select->n_from; i++) {
        if (!add_from(statement, &select->from[i]))
            return false;
        if (select->from[i].on && !add_condition(statement, resolve(statement, select->from[i].on)))
            return false;
    }
    return !select->where || add_condition(statement, resolve(statement, select->where));
}

static void warn_unnamed(struct statement *statement, const struct sync_select_item *item) {
    if (!item->named && item->expression->kind != EXPRESSION_COLUMN)
        sync_config_warn(statement->reader->config, statement->reader->text, item->offset,
                         "the name of this column is not specified: give it an alias");
}

/* All conditions joined by AND; NULL: there are none. */
static struct sync_expression *all_conditions(struct statement *statement) {
    struct sync_expression *all = NULL;
    for (size_t i = 0; i < statement->n_conditions; i++) {
        struct sync_expression *condition = statement->conditions[i];
        all = all ? node(statement, EXPRESSION_AND, all, all, condition) : condition;
    }
    return all;
}

/* What a subquery gives: named expressions. `from` may rename them. */
static bool read_columns(struct statement *statement, const struct sync_select *select,
                         const struct sync_from *from, struct sync_subquery *subquery) {
    struct arena *arena = statement->reader->arena;
    subquery->names = arena_allocate(arena, (select->n_items + 1) * sizeof *subquery->names);
    subquery->columns = arena_allocate(arena, (select->n_items + 1) * sizeof(struct sync_expression *));
    if (from && from->n_columns > 0 && from->n_columns != select->n_items)
        return refuse(statement, from->offset, "the subquery has another number of columns than names");
    for (size_t i = 0; i < select->n_items; i++) {
        const struct sync_select_item *item = &select->items[i];
        if (!item->expression)
            return refuse(statement, item->offset,
                          "* is not supported in subqueries and common table expressions");
        const char *name = from && from->n_columns > 0 ? from->columns[i] : item->name;
        if (name == item->name)
            warn_unnamed(statement, item);
        for (size_t j = 0; j < i; j++)
            if (strcmp(subquery->names[j], name) == 0)
                return refuse(statement, item->offset, "two columns of the subquery have the same name");
        subquery->names[i] = name;
        if (!(subquery->columns[i] = resolve(statement, item->expression)))
            return false;
    }
    subquery->n_columns = select->n_items;
    subquery->where = all_conditions(statement);
    return true;
}

/* IN and && */

/* What one operand of IN or && compares with, and under which further conditions. */
struct operand {
    struct sync_expression *value;
    struct sync_expression *conditions[CONDITIONS_MOST];
    size_t n_conditions;
};

static bool expand_subquery(struct statement *statement, const struct sync_select *select,
                            struct operand *operand) {
    if (select->n_items != 1 || !select->items[0].expression)
        return refuse(statement, select->offset,
                      "this subquery must have a single column that is an expression");
    struct statement *inner = memory_allocate(sizeof *inner);
    inner->reader = statement->reader;
    inner->outer = statement;
    bool good =
        read_from_and_where(inner, select) && (operand->value = resolve(inner, select->items[0].expression));
    memcpy(operand->conditions, inner->conditions, inner->n_conditions * sizeof *inner->conditions);
    operand->n_conditions = inner->n_conditions;
    free(inner);
    return good;
}

static bool expand_known(struct statement *statement, struct sync_subquery *known,
                         const struct sync_expression *place, struct operand *operand) {
    if (known->n_columns != 1)
        return refuse(statement, place->offset,
                      "a common table expression after IN must have a single column");
    struct sync_subquery *copied = copy_subquery(statement->reader->arena, known);
    operand->value = copied->columns[0];
    if (copied->where)
        operand->conditions[operand->n_conditions++] = copied->where;
    return true;
}

/* The items of a JSON array. */
static bool expand_list(struct statement *statement, struct sync_expression *list, struct operand *operand) {
    struct sync_from from = {
        .name = "json_each", .is_call = true, .arguments = &list, .n_arguments = 1, .offset = list->offset};
    struct sync_source *source = add_function(statement, &from, list->sql);
    if (!source)
        return false;
    operand->value = node(statement, EXPRESSION_COLUMN, list, NULL, NULL);
    operand->value->text = "value";
    operand->value->source = source;
    operand->value->sides = SIDE_ROW;
    return true;
}

static struct sync_subquery *known_operand(struct statement *statement,
                                           const struct sync_expression *operand) {
    return operand->kind == EXPRESSION_COLUMN && !operand->qualifier ? find_known(statement, operand->text)
                                                                     : NULL;
}

static bool expand(struct statement *statement, struct sync_expression *expression, struct operand *operand) {
    *operand = (struct operand){0};
    struct sync_subquery *known = known_operand(statement, expression);
    if (expression->kind == EXPRESSION_SUBQUERY)
        return expand_subquery(statement, expression->select, operand);
    return known ? expand_known(statement, known, expression, operand)
                 : expand_list(statement, expression, operand);
}

static struct sync_expression *add_conditions(struct statement *statement, struct sync_expression *left,
                                              const struct operand *operand) {
    for (size_t i = 0; i < operand->n_conditions; i++)
        left = node(statement, EXPRESSION_AND, left, left, operand->conditions[i]);
    return left;
}

static struct sync_expression *resolve_in(struct statement *statement,
                                          const struct sync_expression *expression) {
    struct operand left = {0}, right = {0};
    struct sync_expression *list = expression->arguments[1];
    bool negated = expression->kind == EXPRESSION_NOT_IN;
    bool good = expression->kind == EXPRESSION_OVERLAP
                    ? expand(statement, expression->arguments[0], &left)
                    : (left.value = resolve(statement, expression->arguments[0])) != NULL;
    if (!good)
        return NULL;
    if (negated && list->kind != EXPRESSION_SUBQUERY && !known_operand(statement, list)) {
        struct sync_expression *items = resolve(statement, list);
        return items ? node(statement, EXPRESSION_NOT, expression,
                            call(statement, "json contains", expression, left.value, items), NULL)
                     : NULL;
    }
    if (!expand(statement, list, &right))
        return NULL;
    struct sync_expression *equal = call(statement, "=", expression, left.value, right.value);
    equal = add_conditions(statement, add_conditions(statement, equal, &left), &right);
    return negated ? node(statement, EXPRESSION_NOT, expression, equal, NULL) : equal;
}

static struct sync_expression *resolve(struct statement *statement,
                                       const struct sync_expression *expression) {
    switch (expression->kind) {
    case EXPRESSION_COLUMN:
        /* A json_each of our own making has its source already. */
        return resolve_column(statement, expression);
    case EXPRESSION_IN:
    case EXPRESSION_NOT_IN:
    case EXPRESSION_OVERLAP:
        return resolve_in(statement, expression);
    case EXPRESSION_SUBQUERY:
        return refuse(statement, expression->offset,
                      "subqueries are supported after IN, with &&, and in FROM only");
    case EXPRESSION_LITERAL:
    case EXPRESSION_REQUEST:
    case EXPRESSION_CALL:
    case EXPRESSION_CASE:
    case EXPRESSION_AND:
    case EXPRESSION_OR:
    case EXPRESSION_NOT:
    case EXPRESSION_NAMED:
        break;
    }
    struct sync_expression *made =
        sync_expression_create(statement->reader->arena, expression->kind, expression->sql,
                               expression->offset, expression->n_arguments);
    struct sync_expression **arguments = made->arguments;
    *made = *expression;
    made->arguments = arguments;
    for (size_t i = 0; i < made->n_arguments; i++)
        if (expression->arguments[i] && !(arguments[i] = resolve(statement, expression->arguments[i])))
            return NULL;
    return made;
}

/* Columns of the whole query */

/* JavaScript moves such names to the front of an object. */
static bool is_array_index(const char *name) {
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && !name[digits] && (digits == 1 || name[0] != '0');
}

static bool selects_from(struct statement *statement, struct sync_query *query, struct sync_source *source,
                         int offset) {
    if (source->is_function)
        return refuse(statement, offset, "only columns of tables can be synced, not those of functions");
    if (query->primary && query->primary != source)
        return refuse(statement, offset, "all columns of a query must be of one table");
    query->primary = source;
    return true;
}

struct column_check {
    struct statement *statement;
    struct sync_query *query;
    bool good;
};

static void check_leaf(void *context, const struct sync_expression *leaf) {
    struct column_check *check = context;
    if (!check->good)
        return;
    if (leaf->kind == EXPRESSION_COLUMN)
        check->good = selects_from(check->statement, check->query, leaf->source, leaf->offset);
    else
        check->good = refuse(check->statement, leaf->offset, "values of a request cannot be synced");
}

static bool add_column(struct statement *statement, struct sync_query *query,
                       struct sync_expression *expression, const char *name, int offset) {
    struct column_check check = {statement, query, true};
    sync_expression_visit(expression, check_leaf, &check);
    if (!check.good)
        return false;
    if (is_array_index(name))
        return refuse(statement, offset, "an output cannot be called by a number: give it a name");
    query->columns[query->n_columns++] = (struct plan_column){expression, name};
    return true;
}

static bool add_star(struct statement *statement, struct sync_query *query,
                     const struct sync_select_item *item, bool after_alias) {
    struct binding *binding = resolve_table(statement, item->qualifier, item->offset);
    if (!binding)
        return false;
    if (!binding->source) {
        for (size_t i = 0; i < binding->subquery->n_columns; i++)
            if (!add_column(statement, query, binding->subquery->columns[i], binding->subquery->names[i],
                            item->offset))
                return false;
        return true;
    }
    if (after_alias)
        sync_config_warn(statement->reader->config, statement->reader->text, item->offset,
                         "* overwrites the named columns before it where a row has columns of these names");
    query->columns[query->n_columns++] = (struct plan_column){NULL, NULL};
    return selects_from(statement, query, binding->source, item->offset);
}

static size_t columns_at_most(const struct statement *statement, const struct sync_select *select) {
    size_t widest = 1;
    for (size_t i = 0; i < statement->n_bindings; i++)
        if (statement->bindings[i].subquery && statement->bindings[i].subquery->n_columns > widest)
            widest = statement->bindings[i].subquery->n_columns;
    return select->n_items * widest;
}

static bool read_outputs(struct statement *statement, const struct sync_select *select,
                         struct sync_query *query) {
    bool after_alias = false;
    query->columns =
        arena_allocate(statement->reader->arena, columns_at_most(statement, select) * sizeof *query->columns);
    for (size_t i = 0; i < select->n_items; i++) {
        const struct sync_select_item *item = &select->items[i];
        if (!item->expression) {
            if (!add_star(statement, query, item, after_alias))
                return false;
            continue;
        }
        after_alias = after_alias || item->named;
        struct sync_expression *expression = resolve(statement, item->expression);
        if (!expression)
            return false;
        warn_unnamed(statement, item);
        if (!add_column(statement, query, expression, item->name, item->offset))
            return false;
    }
    return query->primary || refuse(statement, select->offset, "the query selects no column of a table");
}

/* Whole queries */

enum status sync_query_read(struct sync_query *query, struct sync_config *config,
                            const struct sync_text *text, const struct sync_subqueries *known,
                            struct error *error) {
    struct reader reader = {config, &config->plan.arena, text, known, error};
    struct sync_select select;
    *query = (struct sync_query){.text = text};
    enum status status = sync_parser_read(&select, text, reader.arena, error);
    if (status)
        return status;
    struct statement *statement = memory_allocate(sizeof *statement);
    statement->reader = &reader;
    bool good = read_from_and_where(statement, &select) && read_outputs(statement, &select, query);
    query->offset = select.where ? select.where->offset : select.offset;
    query->n_conditions = statement->n_conditions;
    query->conditions =
        arena_allocate(reader.arena, (query->n_conditions + 1) * sizeof(struct sync_expression *));
    memcpy(query->conditions, statement->conditions, query->n_conditions * sizeof(struct sync_expression *));
    free(statement);
    return good ? STATUS_OK : STATUS_INVALID;
}

enum status sync_subquery_read(struct sync_subquery *subquery, struct sync_config *config,
                               const struct sync_text *text, struct error *error) {
    struct reader reader = {config, &config->plan.arena, text, NULL, error};
    struct sync_select select;
    enum status status = sync_parser_read(&select, text, reader.arena, error);
    if (status)
        return status;
    struct statement *statement = memory_allocate(sizeof *statement);
    statement->reader = &reader;
    bool good = read_from_and_where(statement, &select) && read_columns(statement, &select, NULL, subquery);
    free(statement);
    return good ? STATUS_OK : STATUS_INVALID;
}
