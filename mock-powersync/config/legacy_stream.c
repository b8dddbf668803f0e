/* A stream of edition 2: its conditions become variants, one for each part of the OR. */

#include "mock-powersync/config/legacy_filter.h"
#include "mock-powersync/config/legacy_query.h"

struct compiler {
    const struct legacy_tools *tools;
    int subqueries; /* numbered through all variants */
};

static enum status refuse(const struct legacy_tools *tools, int offset, const char *reason) {
    return sync_text_refuse(tools->text, offset, tools->error, "%s", reason);
}

static size_t count_parts(const struct legacy_filter *filter) {
    size_t count = 1;
    for (size_t i = 0; i < filter->n_parts; i++)
        count += count_parts(filter->parts[i]);
    return count;
}

static void make_room(const struct legacy_tools *tools, struct legacy_variant *variant, size_t count) {
    variant->row_filters = arena_allocate(tools->arena, count * sizeof *variant->row_filters);
    variant->request_filters = arena_allocate(tools->arena, count * sizeof *variant->request_filters);
    variant->exists = arena_allocate(tools->arena, count * sizeof *variant->exists);
    variant->parameters = arena_allocate(tools->arena, count * sizeof *variant->parameters);
    variant->subqueries = arena_allocate(tools->arena, count * sizeof *variant->subqueries);
}

static void add_simple(struct legacy_variant *variant, const struct legacy_clause *clause) {
    if (clause->of_row)
        variant->row_filters[variant->n_row_filters++] = clause->expression;
    else
        variant->request_filters[variant->n_request_filters++] = clause->expression;
}

static void add_match(struct legacy_variant *variant, const struct legacy_match *match,
                      const struct legacy_inputs *inputs) {
    variant->parameters[variant->n_parameters++] = (struct legacy_stream_parameter){
        .kind = STREAM_REQUEST, .match = match, .input = inputs->items[match->input]};
}

static enum status add_subquery(struct compiler *compiler, struct legacy_variant *variant,
                                const struct legacy_filter *filter) {
    const struct legacy_subquery_draft *draft = filter->subquery;
    struct legacy_subquery *subquery = &variant->subqueries[variant->n_subqueries++];
    *subquery = (struct legacy_subquery){
        .number = compiler->subqueries++, .table = draft->table, .column = draft->column};
    make_room(compiler->tools, &subquery->conditions, draft->n_conditions);
    for (size_t i = 0; i < draft->n_conditions; i++) {
        if (draft->conditions[i]->kind == FILTER_SIMPLE)
            add_simple(&subquery->conditions, draft->conditions[i]->clause);
        else
            add_match(&subquery->conditions, draft->conditions[i]->clause->match, draft->inputs);
    }
    if (subquery->conditions.n_parameters == 0)
        return refuse(compiler->tools, filter->offset, "the subquery must depend on the request");
    if (filter->kind == FILTER_EXISTS)
        variant->exists[variant->n_exists++] = variant->n_subqueries - 1;
    else
        variant->parameters[variant->n_parameters++] =
            (struct legacy_stream_parameter){.kind = filter->kind == FILTER_IN ? STREAM_IN : STREAM_OVERLAP,
                                             .row = filter->clause->expression,
                                             .subquery = variant->n_subqueries - 1};
    return STATUS_OK;
}

static enum status add_filter(struct compiler *compiler, struct legacy_variant *variant,
                              const struct legacy_filter *filter) {
    enum status status = STATUS_OK;
    switch (filter->kind) {
    case FILTER_SIMPLE:
        add_simple(variant, filter->clause);
        return STATUS_OK;
    case FILTER_MATCH:
        add_match(variant, filter->clause->match, compiler->tools->inputs);
        return STATUS_OK;
    case FILTER_IN:
    case FILTER_OVERLAP:
    case FILTER_EXISTS:
        return add_subquery(compiler, variant, filter);
    case FILTER_AND:
        for (size_t i = 0; !status && i < filter->n_parts; i++)
            status = add_filter(compiler, variant, filter->parts[i]);
        return status;
    case FILTER_NOT:
    case FILTER_OR:
        break;
    }
    return refuse(compiler->tools, filter->offset, "OR is only supported outermost");
}

static enum status make_variants(const struct legacy_tools *tools, const struct legacy_filter *filter,
                                 struct legacy_definition *stream) {
    struct compiler compiler = {tools, 0};
    bool is_or = filter->kind == FILTER_OR;
    size_t count = is_or ? filter->n_parts : 1;
    stream->variants = arena_allocate(tools->arena, (count + 1) * sizeof *stream->variants);
    for (size_t i = 0; i < count; i++) {
        const struct legacy_filter *term = is_or ? filter->parts[i] : filter;
        struct legacy_variant *variant = &stream->variants[stream->n_variants++];
        make_room(tools, variant, count_parts(term));
        enum status status = add_filter(&compiler, variant, term);
        if (status)
            return status;
    }
    return STATUS_OK;
}

static enum status compile(struct legacy_tools *tools, const struct sync_select *select,
                           struct legacy_definition *stream) {
    const struct sync_from *from = legacy_query_from(tools, select);
    if (!from || from->is_call)
        return from ? refuse(tools, from->offset, "a stream reads from a table") : STATUS_INVALID;
    tools->table = legacy_query_table_name(from);
    struct legacy_filter *filter = legacy_filter_make(tools, select->where);
    filter = filter ? legacy_filter_normalise(tools, filter) : NULL;
    if (!filter)
        return STATUS_INVALID;
    if (!legacy_filter_is_positive(filter))
        return refuse(tools, filter->offset,
                      "NOT is not supported before a match with parameters or a subquery");
    enum status status = make_variants(tools, filter, stream);
    return status ? status : legacy_query_data(tools, select, &stream->data);
}

enum status legacy_read_stream(struct legacy_rules *rules, struct legacy_definition *stream,
                               const struct sync_text *sql, struct error *error) {
    struct sync_select select;
    struct legacy_tools tools;
    enum status status = legacy_query_read(&tools, LEGACY_STREAM, rules, sql, &select, error);
    if (!status)
        status = compile(&tools, &select, stream);
    return status;
}
