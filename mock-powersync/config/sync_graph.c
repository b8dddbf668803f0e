#include "mock-powersync/config/sync_graph.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/config/sync_config.h"
#include "mock-powersync/config/sync_plan.h"

enum { SOURCES_MOST = 100, QUERIERS_MOST = 100 };

/* One way in which rows of a source are told apart: by an expression, and what it must equal. */
struct partition {
    struct sync_expression *expression;
    char *key;
    uint32_t hash;
    struct plan_value *values;
    size_t n_values, capacity;
};

/* A source with the conditions that are about it. */
struct resolved {
    struct sync_source *source;
    const struct sync_expression **filters;
    size_t n_filters, filters_capacity;
    struct sync_source **functions; /* that are evaluated with its rows */
    size_t n_functions, functions_capacity;
    struct partition *partitions;
    size_t n_partitions, partitions_capacity;
    const struct sync_expression **outputs; /* of a lookup */
    size_t n_outputs, outputs_capacity;
    size_t stage; /* of a lookup: the higher, the earlier it is needed */
};

struct builder {
    struct sync_config *config;
    struct arena *arena;
    struct error *error;
    const struct sync_query *query;
    const struct sync_variant *variant;
    bool *done;                              /* by term */
    struct sync_source *stack[SOURCES_MOST]; /* being resolved */
    size_t n_stack;
    struct resolved *lookups[SOURCES_MOST]; /* in the order in which they were completed */
    size_t n_lookups;
    size_t stage;
    size_t positions[SOURCES_MOST]; /* of lookups in the querier */
};

static struct resolved *resolve_lookup(struct builder *builder, struct sync_source *source);

static void *refuse(const struct sync_expression *place, struct builder *builder, const char *reason) {
    sync_text_refuse(place->sql, place->offset, builder->error, "%s", reason);
    return NULL;
}

static bool belongs_to(const struct sync_source *function, const struct sync_source *table) {
    return function->attachment == ATTACHED_TO_TABLE && function->table == table;
}

static void add_function(struct resolved *resolved, struct sync_source *function) {
    for (size_t i = 0; i < resolved->n_functions; i++)
        if (resolved->functions[i] == function)
            return;
    MEMORY_RESERVE(resolved->functions, resolved->functions_capacity, resolved->n_functions + 1);
    resolved->functions[resolved->n_functions++] = function;
}

static void add_filter(struct resolved *resolved, const struct sync_expression *filter) {
    MEMORY_RESERVE(resolved->filters, resolved->filters_capacity, resolved->n_filters + 1);
    resolved->filters[resolved->n_filters++] = filter;
}

static void add_leaf_function(void *context, const struct sync_expression *leaf) {
    struct resolved *resolved = context;
    if (leaf->kind == EXPRESSION_COLUMN && leaf->source != resolved->source)
        add_function(resolved, leaf->source);
}

static char *key_of(const struct sync_expression *expression, const struct sync_source *function) {
    struct buffer key = {0};
    buffer_append_char(&key, function ? 'f' : 's');
    for (size_t i = 0; function && i < function->n_arguments; i++)
        sync_expression_append_key(&key, function->arguments[i]);
    sync_expression_append_key(&key, expression);
    return buffer_take(&key);
}

static struct partition *partition_by(struct resolved *resolved, struct sync_expression *expression,
                                      const struct sync_source *function) {
    char *key = key_of(expression, function);
    for (size_t i = 0; i < resolved->n_partitions; i++)
        if (strcmp(resolved->partitions[i].key, key) == 0) {
            free(key);
            return &resolved->partitions[i];
        }
    MEMORY_RESERVE(resolved->partitions, resolved->partitions_capacity, resolved->n_partitions + 1);
    struct partition *partition = &resolved->partitions[resolved->n_partitions++];
    *partition = (struct partition){
        .expression = expression, .key = key, .hash = sync_expression_hash(expression, function)};
    return partition;
}

static bool is_being_resolved(const struct builder *builder, const struct sync_source *source) {
    for (size_t i = 0; i < builder->n_stack; i++)
        if (builder->stack[i] == source || belongs_to(source, builder->stack[i]))
            return true;
    return false;
}

/* Which of the lookup's outputs the expression is; a new one when it is none yet. */
static size_t add_output(struct resolved *lookup, const struct sync_side *side) {
    char *wanted = key_of(side->expression, NULL);
    size_t found = 0;
    for (; found < lookup->n_outputs; found++) {
        char *key = key_of(lookup->outputs[found], NULL);
        bool same = strcmp(key, wanted) == 0;
        free(key);
        if (same)
            break;
    }
    free(wanted);
    if (found < lookup->n_outputs)
        return found;
    if (side->dependency.source != lookup->source)
        add_function(lookup, side->dependency.source);
    MEMORY_RESERVE(lookup->outputs, lookup->outputs_capacity, lookup->n_outputs + 1);
    lookup->outputs[lookup->n_outputs++] = side->expression;
    return found;
}

static size_t lookup_index(const struct builder *builder, const struct resolved *lookup) {
    size_t i = 0;
    while (builder->lookups[i] != lookup)
        i++;
    return i;
}

/* `own` side of an equality is of this source: rows are told apart by it, and the other side says which of
 * them are wanted. An equality with a source that is being resolved waits: from there it leads here. */
static bool add_link(struct builder *builder, struct resolved *resolved, size_t term,
                     const struct sync_side *own, const struct sync_side *other,
                     struct sync_source *function) {
    if (function)
        add_function(resolved, function);
    if (other->dependency.source && is_being_resolved(builder, other->dependency.source))
        return true;
    builder->done[term] = true;
    size_t partition = (size_t)(partition_by(resolved, own->expression, function) - resolved->partitions);
    struct plan_value value = {.kind = PLAN_REQUEST, .expression = other->expression};
    if (other->dependency.source) {
        struct resolved *lookup = resolve_lookup(builder, other->dependency.source);
        if (!lookup)
            return false;
        value = (struct plan_value){.kind = PLAN_OUTPUT, .lookup = lookup_index(builder, lookup)};
        value.output = add_output(lookup, other);
    }
    struct partition *into = &resolved->partitions[partition];
    MEMORY_RESERVE(into->values, into->capacity, into->n_values + 1);
    into->values[into->n_values++] = value;
    return true;
}

static bool add_term(struct builder *builder, struct resolved *resolved, size_t i) {
    const struct sync_term *term = &builder->variant->terms[i];
    struct sync_source *source = resolved->source;
    struct sync_source *left = term->left.dependency.source, *right = term->right.dependency.source;
    if (!term->right.expression) {
        if (!left || sync_source_target(left) != source)
            return true;
        add_filter(resolved, term->left.expression);
        builder->done[i] = true;
        sync_expression_visit(term->left.expression, add_leaf_function, resolved);
        return true;
    }
    if (left == source)
        return add_link(builder, resolved, i, &term->left, &term->right, NULL);
    if (right == source)
        return add_link(builder, resolved, i, &term->right, &term->left, NULL);
    if (left && belongs_to(left, source))
        return add_link(builder, resolved, i, &term->left, &term->right, left);
    if (right && belongs_to(right, source))
        return add_link(builder, resolved, i, &term->right, &term->left, right);
    return true;
}

static bool resolve(struct builder *builder, struct resolved *resolved) {
    assert(sync_source_target(resolved->source) == resolved->source);
    if (builder->n_stack == SOURCES_MOST)
        return refuse(builder->variant->terms[0].left.expression, builder, "the query reads too many tables");
    builder->stack[builder->n_stack++] = resolved->source;
    for (size_t i = 0; i < builder->variant->count; i++)
        if (!builder->done[i] && !add_term(builder, resolved, i))
            return false;
    builder->n_stack--;
    return true;
}

static void free_resolved(struct resolved *resolved) {
    for (size_t i = 0; i < resolved->n_partitions; i++) {
        free(resolved->partitions[i].key);
        free(resolved->partitions[i].values);
    }
    free(resolved->filters);
    free(resolved->functions);
    free(resolved->partitions);
    free(resolved->outputs);
}

static struct resolved *resolve_lookup(struct builder *builder, struct sync_source *source) {
    source = sync_source_target(source);
    for (size_t i = 0; i < builder->n_lookups; i++)
        if (builder->lookups[i]->source == source)
            return builder->lookups[i];
    struct resolved *lookup = arena_allocate(builder->arena, sizeof *lookup);
    lookup->source = source;
    lookup->stage = ++builder->stage;
    bool good = resolve(builder, lookup);
    builder->stage--;
    const char *reason = builder->n_lookups == SOURCES_MOST ? "the query reads too many tables"
                         : source->is_function && lookup->n_partitions > 0
                             ? "json_each of a request's value cannot be compared with several tables"
                             : NULL;
    if (good && reason)
        sync_text_refuse(source->sql, source->offset, builder->error, "%s", reason);
    if (!good || reason) {
        free_resolved(lookup);
        return NULL;
    }
    builder->lookups[builder->n_lookups++] = lookup;
    return lookup;
}

/* To the plan */

struct leaf_check {
    const struct resolved *resolved;
    const struct sync_expression *unknown;
};

static void check_leaf(void *context, const struct sync_expression *leaf) {
    struct leaf_check *check = context;
    const struct resolved *resolved = check->resolved;
    bool known = leaf->kind == EXPRESSION_REQUEST || leaf->source == resolved->source;
    for (size_t i = 0; i < resolved->n_functions; i++)
        known = known || resolved->functions[i] == leaf->source;
    if (!known)
        check->unknown = leaf;
}

/* Every source that the expressions read is evaluated with the rows. */
static bool check_expressions(struct builder *builder, const struct resolved *resolved,
                              const struct sync_expression *const *expressions, size_t count) {
    struct leaf_check check = {resolved, NULL};
    for (size_t i = 0; i < count && !check.unknown; i++)
        sync_expression_visit(expressions[i], check_leaf, &check);
    return !check.unknown || refuse(check.unknown, builder, "this function's values cannot be used here");
}

/* In the order of the real service: by the hashes of what they are. */
static void sort_partitions(struct resolved *resolved) {
    for (size_t i = 1; i < resolved->n_partitions; i++) {
        struct partition moved = resolved->partitions[i];
        size_t at = i;
        for (; at > 0 && resolved->partitions[at - 1].hash > moved.hash; at--)
            resolved->partitions[at] = resolved->partitions[at - 1];
        resolved->partitions[at] = moved;
    }
}

static const struct sync_expression **keep(struct arena *arena,
                                           const struct sync_expression *const *expressions, size_t count) {
    const struct sync_expression **kept = arena_allocate(arena, (count + 1) * sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[i] = expressions[i];
    return kept;
}

static struct plan_function make_function(const struct sync_source *source) {
    return (struct plan_function){source, source->arguments, source->n_arguments};
}

static bool make_processor(struct builder *builder, struct resolved *resolved,
                           struct plan_processor *processor) {
    struct arena *arena = builder->arena;
    sort_partitions(resolved);
    *processor = (struct plan_processor){
        .pattern = sync_config_add_pattern(builder->config, resolved->source->schema, resolved->source->name),
        .names_schema = resolved->source->schema != NULL,
        .filters = keep(arena, resolved->filters, resolved->n_filters),
        .n_filters = resolved->n_filters,
        .n_functions = resolved->n_functions,
        .n_parameters = resolved->n_partitions};
    processor->functions = arena_allocate(arena, (resolved->n_functions + 1) * sizeof *processor->functions);
    for (size_t i = 0; i < resolved->n_functions; i++)
        processor->functions[i] = make_function(resolved->functions[i]);
    processor->parameters =
        arena_allocate(arena, (resolved->n_partitions + 1) * sizeof *processor->parameters);
    for (size_t i = 0; i < resolved->n_partitions; i++)
        processor->parameters[i] = resolved->partitions[i].expression;
    return check_expressions(builder, resolved, processor->filters, processor->n_filters) &&
           check_expressions(builder, resolved, processor->parameters, processor->n_parameters);
}

/* What the partitions must equal, for the plan; lookups have their positions in the querier by now. */
static void make_values(const struct builder *builder, const struct resolved *resolved,
                        struct plan_value **values, size_t *count) {
    *values = arena_allocate(builder->arena, (resolved->n_partitions + 1) * sizeof **values);
    *count = resolved->n_partitions;
    for (size_t i = 0; i < *count; i++) {
        const struct partition *partition = &resolved->partitions[i];
        struct plan_value *all = arena_allocate(builder->arena, partition->n_values * sizeof *all);
        for (size_t j = 0; j < partition->n_values; j++) {
            all[j] = partition->values[j];
            if (all[j].kind == PLAN_OUTPUT)
                all[j].lookup = builder->positions[all[j].lookup];
        }
        (*values)[i] = partition->n_values == 1 ? all[0]
                                                : (struct plan_value){.kind = PLAN_INTERSECTION,
                                                                      .values = all,
                                                                      .n_values = partition->n_values};
    }
}

static bool make_lookup(struct builder *builder, struct resolved *from, struct plan_lookup *lookup) {
    struct plan_index index = {.outputs = keep(builder->arena, from->outputs, from->n_outputs),
                               .n_outputs = from->n_outputs};
    *lookup = (struct plan_lookup){
        .is_function = from->source->is_function, .outputs = index.outputs, .n_outputs = index.n_outputs};
    if (!check_expressions(builder, from, index.outputs, index.n_outputs))
        return false;
    if (lookup->is_function) {
        lookup->function = make_function(from->source);
        lookup->filters = keep(builder->arena, from->filters, from->n_filters);
        lookup->n_filters = from->n_filters;
        return true;
    }
    if (!make_processor(builder, from, &index.rows))
        return false;
    lookup->index = sync_plan_add_index(&builder->config->plan, &index);
    make_values(builder, from, &lookup->inputs, &lookup->n_inputs);
    return true;
}

/* The lookups that are needed first come first. */
static bool make_lookups(struct builder *builder, struct plan_querier *querier) {
    size_t deepest = 0;
    querier->lookups = arena_allocate(builder->arena, (builder->n_lookups + 1) * sizeof *querier->lookups);
    for (size_t i = 0; i < builder->n_lookups; i++)
        deepest = builder->lookups[i]->stage > deepest ? builder->lookups[i]->stage : deepest;
    struct resolved *order[SOURCES_MOST];
    for (size_t stage = deepest; stage > 0; stage--)
        for (size_t i = 0; i < builder->n_lookups; i++)
            if (builder->lookups[i]->stage == stage) {
                builder->positions[i] = querier->n_lookups;
                order[querier->n_lookups++] = builder->lookups[i];
            }
    for (size_t i = 0; i < querier->n_lookups; i++)
        if (!make_lookup(builder, order[i], &querier->lookups[i]))
            return false;
    return true;
}

static bool make_evaluator(struct builder *builder, struct resolved *primary, size_t *evaluator) {
    const struct sync_query *query = builder->query;
    const char *name = query->primary->name;
    bool prefix = name[0] && name[strlen(name) - 1] == '%';
    struct plan_evaluator made = {.columns = query->columns,
                                  .n_columns = query->n_columns,
                                  .object_type = query->primary->alias ? query->primary->alias
                                                 : prefix              ? NULL
                                                                       : name};
    if (!make_processor(builder, primary, &made.rows))
        return false;
    *evaluator = sync_plan_add_evaluator(&builder->config->plan, &made);
    return true;
}

/* A condition that leads to no row that is synced only says whether there are any: EXISTS. */
static bool resolve_rest(struct builder *builder) {
    for (size_t i = 0; i < builder->variant->count; i++) {
        const struct sync_term *term = &builder->variant->terms[i];
        struct sync_source *source = NULL;
        if (builder->done[i])
            continue;
        if (!term->right.expression)
            source = term->left.dependency.source;
        else if (term->left.dependency.request)
            source = term->right.dependency.source;
        else if (term->right.dependency.request)
            source = term->left.dependency.source;
        if (source && !resolve_lookup(builder, source))
            return false;
    }
    return true;
}

static bool make_request_filters(struct builder *builder, struct plan_querier *querier) {
    querier->filters =
        arena_allocate(builder->arena, (builder->variant->count + 1) * sizeof *querier->filters);
    for (size_t i = 0; i < builder->variant->count; i++) {
        const struct sync_term *term = &builder->variant->terms[i];
        if (builder->done[i])
            continue;
        if (term->right.expression || term->left.dependency.source)
            return refuse(term->left.expression, builder,
                          "this condition has nothing to do with the request or the table that is synced");
        querier->filters[querier->n_filters++] = term->left.expression;
    }
    return true;
}

static bool build(struct builder *builder, struct resolved *primary, struct sync_path *path,
                  size_t *evaluator) {
    if (!resolve(builder, primary) || !make_evaluator(builder, primary, evaluator) ||
        !resolve_rest(builder) || !make_request_filters(builder, &path->querier) ||
        !make_lookups(builder, &path->querier))
        return false;
    make_values(builder, primary, &path->querier.values, &path->querier.n_values);
    path->key = sync_plan_querier_key(&path->querier);
    return true;
}

static void add_path_evaluator(struct sync_path *path, size_t evaluator) {
    for (size_t i = 0; i < path->n_evaluators; i++)
        if (path->evaluators[i] == evaluator)
            return;
    MEMORY_RESERVE(path->evaluators, path->evaluators_capacity, path->n_evaluators + 1);
    path->evaluators[path->n_evaluators++] = evaluator;
}

/* Queries whose requests are the same share buckets. */
static void add_path(struct sync_graph *graph, struct sync_path *path, size_t evaluator) {
    for (size_t i = 0; i < graph->n_paths; i++)
        if (strcmp(graph->paths[i].key, path->key) == 0) {
            add_path_evaluator(&graph->paths[i], evaluator);
            free(path->key);
            return;
        }
    add_path_evaluator(path, evaluator);
    MEMORY_RESERVE(graph->paths, graph->capacity, graph->n_paths + 1);
    graph->paths[graph->n_paths++] = *path;
}

enum status sync_graph_add(struct sync_graph *graph, const struct sync_query *query,
                           const struct sync_variant *variant, struct error *error) {
    struct builder *builder = memory_allocate(sizeof *builder);
    *builder = (struct builder){.config = graph->config,
                                .arena = &graph->config->plan.arena,
                                .error = error,
                                .query = query,
                                .variant = variant};
    builder->done = memory_allocate_array(variant->count + 1, sizeof *builder->done);
    struct resolved primary = {.source = query->primary};
    struct sync_path path = {.number = graph->next_number++};
    size_t evaluator = 0;
    graph->text = graph->text ? graph->text : query->text;
    bool good = build(builder, &primary, &path, &evaluator);
    if (good)
        add_path(graph, &path, evaluator);
    free_resolved(&primary);
    for (size_t i = 0; i < builder->n_lookups; i++)
        free_resolved(builder->lookups[i]);
    free(builder->done);
    free(builder);
    return good ? STATUS_OK : STATUS_INVALID;
}

/* Warnings: who can ask for a bucket */

struct trust {
    bool known; /* by the token, or nothing of the request at all */
    const struct sync_expression *untrusted;
};

static void look_at_leaf(void *context, const struct sync_expression *leaf) {
    struct trust *trust = context;
    if (leaf->kind != EXPRESSION_REQUEST)
        return;
    if (strcmp(leaf->text, "auth") == 0)
        trust->known = true;
    else if (!trust->untrusted)
        trust->untrusted = leaf;
}

static void look_at(struct trust *all, const struct sync_expression *expression) {
    struct trust trust = {0};
    sync_expression_visit(expression, look_at_leaf, &trust);
    all->known = all->known || trust.known || !trust.untrusted;
    all->untrusted = all->untrusted ? all->untrusted : trust.untrusted;
}

static void look_at_values(struct trust *all, const struct plan_querier *querier,
                           const struct plan_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct plan_value *value = &values[i];
        const struct plan_lookup *lookup = &querier->lookups[value->lookup];
        if (value->kind == PLAN_REQUEST)
            look_at(all, value->expression);
        else if (value->kind == PLAN_INTERSECTION)
            look_at_values(all, querier, value->values, value->n_values);
        else if (lookup->is_function)
            look_at(all, lookup->function.arguments[0]);
        else
            look_at_values(all, querier, lookup->inputs, lookup->n_inputs);
    }
}

static void warn_of_untrusted(struct sync_config *config, const struct plan_querier *querier) {
    struct trust trust = {0};
    look_at_values(&trust, querier, querier->values, querier->n_values);
    for (size_t i = 0; i < querier->n_filters && !trust.known && !trust.untrusted; i++)
        for (size_t j = 0; j < querier->n_filters; j++)
            look_at(&trust, querier->filters[j]);
    if (!trust.known && trust.untrusted)
        sync_config_warn(
            config, trust.untrusted->sql, trust.untrusted->offset,
            "clients can send any value here, and nothing else says who gets these rows: compare with "
            "a value of auth, too");
}

enum status sync_graph_finish(struct sync_graph *graph, struct sync_stream_definition *stream, bool warn,
                              struct error *error) {
    struct sync_plan *plan = &graph->config->plan;
    if (graph->n_paths > QUERIERS_MOST)
        return sync_text_refuse(graph->text, 0, error,
                                "the stream has %zu kinds of buckets, at most %d are supported",
                                graph->n_paths, QUERIERS_MOST);
    stream->queriers = arena_allocate(&plan->arena, (graph->n_paths + 1) * sizeof *stream->queriers);
    stream->plan = plan;
    for (size_t i = 0; i < graph->n_paths; i++) {
        struct sync_path *path = &graph->paths[i];
        char *name = arena_format(&plan->arena, "%s|%zu", stream->name, path->number);
        path->querier.bucket = sync_plan_add_bucket(plan, name, path->evaluators, path->n_evaluators);
        stream->queriers[stream->n_queriers++] = path->querier;
        if (warn)
            warn_of_untrusted(graph->config, &path->querier);
    }
    return STATUS_OK;
}

void sync_graph_free(struct sync_graph *graph) {
    for (size_t i = 0; i < graph->n_paths; i++) {
        free(graph->paths[i].key);
        free(graph->paths[i].evaluators);
    }
    free(graph->paths);
    *graph = (struct sync_graph){0};
}
