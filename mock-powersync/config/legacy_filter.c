#include "mock-powersync/config/legacy_filter.h"

#include "mock-powersync/config/legacy_query.h"

enum { TERMS_MOST = 1000, PARTS_MOST = 10000 };

static void *refuse(const struct legacy_tools *tools, int offset, const char *reason) {
    sync_text_refuse(tools->text, offset, tools->error, "%s", reason);
    return NULL;
}

static struct legacy_filter *create(const struct legacy_tools *tools, enum legacy_filter_kind kind,
                                    int offset, size_t n_parts) {
    struct legacy_filter *filter = arena_allocate(tools->arena, sizeof *filter);
    *filter = (struct legacy_filter){.kind = kind, .offset = offset, .n_parts = n_parts};
    filter->parts = arena_allocate(tools->arena, (n_parts + 1) * sizeof(struct legacy_filter *));
    return filter;
}

static struct legacy_filter *of_clause(const struct legacy_tools *tools, struct legacy_clause *clause,
                                       int offset) {
    if (!clause)
        return NULL;
    struct legacy_filter *filter = create(tools, clause->match ? FILTER_MATCH : FILTER_SIMPLE, offset, 0);
    filter->clause = clause;
    return filter;
}

static struct legacy_filter *negate_simple(const struct legacy_tools *tools, struct legacy_filter *filter) {
    return of_clause(tools, legacy_clause_not(tools, filter->clause, filter->offset), filter->offset);
}

static struct legacy_filter *not_of(const struct legacy_tools *tools, struct legacy_filter *operand) {
    struct legacy_filter *filter = create(tools, FILTER_NOT, operand->offset, 1);
    filter->parts[0] = operand;
    return filter;
}

/* Subqueries */

/* One AND of conditions, whatever they were written as; false: refused. */
static bool take_conditions(const struct legacy_tools *tools, struct legacy_filter *filter,
                            struct legacy_subquery_draft *draft) {
    if (filter->kind == FILTER_OR && filter->n_parts != 1)
        return refuse(tools, filter->offset, "OR is not supported in a subquery of a stream");
    if (filter->kind == FILTER_OR)
        return take_conditions(tools, filter->parts[0], draft);
    bool is_and = filter->kind == FILTER_AND;
    size_t count = is_and ? filter->n_parts : 1;
    draft->conditions = arena_allocate(tools->arena, (count + 2) * sizeof(struct legacy_filter *));
    for (size_t i = 0; i < count; i++) {
        struct legacy_filter *condition = is_and ? filter->parts[i] : filter;
        if (condition->kind != FILTER_SIMPLE && condition->kind != FILTER_MATCH)
            return refuse(tools, condition->offset, "this condition is not supported in a subquery");
        draft->conditions[draft->n_conditions++] = condition;
    }
    return true;
}

/* A column that does not compile is no error in the real service: the whole condition is true then, and so it
 * is here (`lost`). */
static struct sync_expression *make_column(const struct legacy_tools *inner, const struct sync_select *select,
                                           bool *lost) {
    struct error error = {0};
    bool hard = false;
    struct legacy_tools quiet = *inner;
    quiet.error = &error;
    quiet.hard = &hard;
    const struct sync_expression *expression = select->items[0].expression;
    struct sync_expression *column = expression ? legacy_clause_row_value(&quiet, expression) : NULL;
    *lost = !column && !hard;
    if (hard && inner->error)
        *inner->error = error;
    return column;
}

static struct legacy_subquery_draft *make_subquery(struct legacy_tools *inner,
                                                   const struct sync_select *select, int offset, bool *lost) {
    *lost = false;
    const struct sync_from *from = legacy_query_from(inner, select);
    if (!from || from->is_call)
        return from ? refuse(inner, offset, "a subquery reads from one table") : NULL;
    struct legacy_subquery_draft *draft = arena_allocate(inner->arena, sizeof *draft);
    draft->inputs = inner->inputs;
    if (legacy_query_table(inner, from, &draft->table))
        return NULL;
    if (select->n_items > 0 && !(draft->column = make_column(inner, select, lost)))
        return NULL;
    if (select->n_items != 1)
        return refuse(inner, offset, "a subquery must give one column");
    struct legacy_filter *where = legacy_filter_make(inner, select->where);
    where = where ? legacy_filter_normalise(inner, where) : NULL;
    return where && take_conditions(inner, where, draft) ? draft : NULL;
}

static struct legacy_tools tools_of_subquery(const struct legacy_tools *outer,
                                             const struct sync_select *select) {
    struct legacy_tools inner = *outer;
    inner.place = LEGACY_SUBQUERY;
    inner.table = select->n_from == 1 ? legacy_query_table_name(select->from) : NULL;
    inner.inputs = arena_allocate(outer->arena, sizeof *inner.inputs);
    return inner;
}

static struct legacy_filter *make_in_subquery(const struct legacy_tools *tools, struct legacy_clause *left,
                                              bool overlap, const struct sync_expression *right, int offset) {
    if (left->match || (overlap && !left->of_row))
        return refuse(tools, offset, "the left side must be a value of the row");
    struct legacy_tools inner = tools_of_subquery(tools, right->select);
    bool lost;
    struct legacy_subquery_draft *draft = make_subquery(&inner, right->select, right->offset, &lost);
    if (!draft)
        return lost ? of_clause(tools, legacy_clause_make(tools, NULL), offset) : NULL;
    if (!overlap && left->is_constant)
        return refuse(tools, offset, "the left side must depend on the row or on parameters");
    struct legacy_filter *filter = create(tools, overlap ? FILTER_OVERLAP : FILTER_IN, offset, 0);
    filter->subquery = draft;
    filter->clause = left;
    if (overlap || left->of_row)
        return filter;
    filter->kind = FILTER_EXISTS;
    struct legacy_clause *column = arena_allocate(tools->arena, sizeof *column);
    *column = (struct legacy_clause){.of_row = true, .expression = draft->column};
    struct legacy_clause *equal = legacy_clause_equal(&inner, column, left, offset);
    draft->conditions[draft->n_conditions] = of_clause(tools, equal, offset);
    return draft->conditions[draft->n_conditions++] ? filter : NULL;
}

/* The tree */

static struct legacy_filter *make_membership(const struct legacy_tools *tools,
                                             const struct sync_expression *expression, bool overlap) {
    struct legacy_clause *left = legacy_clause_make(tools, expression->arguments[0]);
    const struct sync_expression *right = expression->arguments[1];
    if (!left)
        return NULL;
    if (right->kind == EXPRESSION_SUBQUERY)
        return make_in_subquery(tools, left, overlap, right, expression->offset);
    struct legacy_clause *list = legacy_clause_make(tools, right);
    struct legacy_clause *both =
        list ? legacy_clause_membership(tools, overlap, left, list, expression->offset) : NULL;
    return of_clause(tools, both, expression->offset);
}

static struct legacy_filter *make_logic(const struct legacy_tools *tools,
                                        const struct sync_expression *expression) {
    bool is_and = expression->kind == EXPRESSION_AND;
    struct legacy_filter *left = legacy_filter_make(tools, expression->arguments[0]);
    struct legacy_filter *right = left ? legacy_filter_make(tools, expression->arguments[1]) : NULL;
    if (!right)
        return NULL;
    struct legacy_clause *both = NULL;
    if (left->kind == FILTER_SIMPLE && right->kind == FILTER_SIMPLE)
        both = legacy_clause_combine(tools, is_and, left->clause, right->clause);
    if (both)
        return of_clause(tools, both, expression->offset);
    struct legacy_filter *filter = create(tools, is_and ? FILTER_AND : FILTER_OR, expression->offset, 2);
    filter->parts[0] = left;
    filter->parts[1] = right;
    return filter;
}

struct legacy_filter *legacy_filter_make(const struct legacy_tools *tools,
                                         const struct sync_expression *where) {
    struct legacy_filter *inner;
    if (where && (where->kind == EXPRESSION_AND || where->kind == EXPRESSION_OR))
        return make_logic(tools, where);
    if (where && (where->kind == EXPRESSION_IN || where->kind == EXPRESSION_OVERLAP))
        return make_membership(tools, where, where->kind == EXPRESSION_OVERLAP);
    if (where && where->kind == EXPRESSION_NOT_IN) {
        inner = make_membership(tools, where, false);
        return inner ? not_of(tools, inner) : NULL;
    }
    if (where && where->kind == EXPRESSION_NOT) {
        inner = legacy_filter_make(tools, where->arguments[0]);
        return !inner                         ? NULL
               : inner->kind == FILTER_SIMPLE ? negate_simple(tools, inner)
                                              : not_of(tools, inner);
    }
    return of_clause(tools, legacy_clause_make(tools, where), where ? where->offset : 0);
}

/* The form */

static struct legacy_filter *normalise_not(const struct legacy_tools *tools, struct legacy_filter *filter) {
    struct legacy_filter *inner = filter->parts[0];
    if (inner->kind == FILTER_NOT)
        return legacy_filter_normalise(tools, inner->parts[0]);
    if (inner->kind == FILTER_SIMPLE)
        return negate_simple(tools, inner);
    if (inner->kind != FILTER_AND && inner->kind != FILTER_OR)
        return filter;
    struct legacy_filter *inverse =
        create(tools, inner->kind == FILTER_AND ? FILTER_OR : FILTER_AND, inner->offset, inner->n_parts);
    for (size_t i = 0; i < inner->n_parts; i++)
        if (!(inverse->parts[i] = legacy_filter_normalise(tools, not_of(tools, inner->parts[i]))))
            return NULL;
    return inverse;
}

/* An OR that stands in an AND which a NOT has made is not found there, and refused later on. */
static struct legacy_filter *hide_or(const struct legacy_tools *tools, struct legacy_filter *filter) {
    if (filter->kind != FILTER_OR)
        return filter;
    struct legacy_filter *hidden = create(tools, FILTER_AND, filter->offset, 1);
    hidden->parts[0] = filter;
    return hidden;
}

/* The parts of all parts of the kind, normalised, in order; others stay as they are. */
static struct legacy_filter *flatten(const struct legacy_tools *tools, struct legacy_filter *filter) {
    struct legacy_filter **parts = arena_allocate(tools->arena, (filter->n_parts + 1) * sizeof *parts);
    size_t count = 0;
    for (size_t i = 0; i < filter->n_parts; i++) {
        if (!(parts[i] = legacy_filter_normalise(tools, filter->parts[i])))
            return NULL;
        count += parts[i]->kind == filter->kind ? parts[i]->n_parts : 1;
    }
    if (count > PARTS_MOST)
        return refuse(tools, filter->offset, "the condition is too long");
    struct legacy_filter *flat = create(tools, filter->kind, filter->offset, count);
    size_t at = 0;
    for (size_t i = 0; i < filter->n_parts; i++) {
        if (parts[i]->kind == filter->kind) {
            for (size_t j = 0; j < parts[i]->n_parts; j++)
                flat->parts[at++] = hide_or(tools, parts[i]->parts[j]);
        } else {
            flat->parts[at++] = parts[i];
        }
    }
    return flat;
}

/* AND over ORs: one AND for each choice of a part from every OR, with all that is no OR behind it. */
static struct legacy_filter *distribute(const struct legacy_tools *tools, struct legacy_filter *filter) {
    size_t terms = 1, n_ors = 0;
    for (size_t i = 0; i < filter->n_parts; i++) {
        n_ors += filter->parts[i]->kind == FILTER_OR;
        terms *= filter->parts[i]->kind == FILTER_OR ? filter->parts[i]->n_parts : 1;
        if (terms > TERMS_MOST)
            return refuse(tools, filter->offset, "the condition has more than 1000 alternatives");
    }
    if (n_ors == 0)
        return filter;
    struct legacy_filter *all = create(tools, FILTER_OR, filter->offset, terms);
    for (size_t term = 0; term < terms; term++) {
        struct legacy_filter *one = create(tools, FILTER_AND, filter->offset, filter->n_parts);
        size_t rest = term, or_at = n_ors, plain_at = n_ors;
        for (size_t i = filter->n_parts; i-- > 0;)
            if (filter->parts[i]->kind == FILTER_OR) {
                one->parts[--or_at] = filter->parts[i]->parts[rest % filter->parts[i]->n_parts];
                rest /= filter->parts[i]->n_parts;
            }
        for (size_t i = 0; i < filter->n_parts; i++)
            if (filter->parts[i]->kind != FILTER_OR)
                one->parts[plain_at++] = filter->parts[i];
        all->parts[term] = one;
    }
    return all;
}

struct legacy_filter *legacy_filter_normalise(const struct legacy_tools *tools,
                                              struct legacy_filter *filter) {
    if (filter->kind == FILTER_NOT)
        return normalise_not(tools, filter);
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR)
        return filter;
    struct legacy_filter *flat = flatten(tools, filter);
    return flat && flat->kind == FILTER_AND ? distribute(tools, flat) : flat;
}

bool legacy_filter_is_positive(const struct legacy_filter *filter) {
    if (filter->kind != FILTER_AND && filter->kind != FILTER_OR)
        return filter->kind != FILTER_NOT;
    for (size_t i = 0; i < filter->n_parts; i++)
        if (!legacy_filter_is_positive(filter->parts[i]))
            return false;
    return true;
}
