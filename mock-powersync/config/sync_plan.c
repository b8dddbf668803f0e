#include "mock-powersync/config/sync_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mock-powersync/config/sync_source.h"

static void append_expressions(struct buffer *key, const struct sync_expression *const *expressions,
                               size_t count) {
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(key, i > 0 ? ',' : '(');
        sync_expression_append_key(key, expressions[i]);
    }
    buffer_append_char(key, ')');
}

static void append_function(struct buffer *key, const struct plan_function *function) {
    append_expressions(key, (const struct sync_expression *const *)function->arguments,
                       function->n_arguments);
}

/* A function's output is another parameter than a column of the same name. */
static void append_parameter(struct buffer *key, const struct sync_expression *parameter) {
    struct sync_expression *expression = (struct sync_expression *)(uintptr_t)parameter;
    struct sync_dependency dependency;
    sync_dependency_of(&expression, 1, &dependency, NULL);
    const struct sync_source *source = dependency.source;
    for (size_t i = 0; source && source->is_function && i < source->n_arguments; i++)
        sync_expression_append_key(key, source->arguments[i]);
    buffer_append_char(key, source && source->is_function ? 'f' : 's');
    sync_expression_append_key(key, parameter);
}

static void append_processor(struct buffer *key, const struct plan_processor *rows) {
    buffer_append_integer(key, (int64_t)rows->pattern);
    buffer_append_char(key, rows->names_schema ? '.' : ' ');
    append_expressions(key, rows->filters, rows->n_filters);
    for (size_t i = 0; i < rows->n_parameters; i++)
        append_parameter(key, rows->parameters[i]);
    for (size_t i = 0; i < rows->n_functions; i++)
        append_function(key, &rows->functions[i]);
}

static const char *keep(struct sync_plan *plan, struct buffer *key) {
    const char *kept = arena_copy_bytes(&plan->arena, buffer_text(key), key->length);
    buffer_free(key);
    return kept;
}

static const char *evaluator_key(struct sync_plan *plan, const struct plan_evaluator *evaluator) {
    struct buffer key = {0};
    append_processor(&key, &evaluator->rows);
    for (size_t i = 0; i < evaluator->n_columns; i++) {
        const struct plan_column *column = &evaluator->columns[i];
        buffer_append_char(&key, column->expression ? '=' : '*');
        if (!column->expression)
            continue;
        sync_expression_append_key(&key, column->expression);
        buffer_append_json_text(&key, column->name);
    }
    buffer_append_json_text(&key, evaluator->object_type ? evaluator->object_type : "");
    return keep(plan, &key);
}

size_t sync_plan_add_evaluator(struct sync_plan *plan, const struct plan_evaluator *evaluator) {
    const char *key = evaluator_key(plan, evaluator);
    for (size_t i = 0; i < plan->n_evaluators; i++)
        if (strcmp(plan->evaluators[i].key, key) == 0)
            return i;
    MEMORY_RESERVE(plan->evaluators, plan->evaluators_capacity, plan->n_evaluators + 1);
    plan->evaluators[plan->n_evaluators] = *evaluator;
    plan->evaluators[plan->n_evaluators].key = key;
    return plan->n_evaluators++;
}

size_t sync_plan_add_index(struct sync_plan *plan, const struct plan_index *index) {
    struct buffer text = {0};
    append_processor(&text, &index->rows);
    append_expressions(&text, index->outputs, index->n_outputs);
    const char *key = keep(plan, &text);
    for (size_t i = 0; i < plan->n_indexes; i++)
        if (strcmp(plan->indexes[i].key, key) == 0)
            return i;
    MEMORY_RESERVE(plan->indexes, plan->indexes_capacity, plan->n_indexes + 1);
    plan->indexes[plan->n_indexes] = *index;
    plan->indexes[plan->n_indexes].key = key;
    return plan->n_indexes++;
}

static bool has_evaluator(const struct plan_bucket *bucket, size_t evaluator) {
    for (size_t i = 0; i < bucket->n_evaluators; i++)
        if (bucket->evaluators[i] == evaluator)
            return true;
    return false;
}

static bool is_filled_by(const struct plan_bucket *bucket, const size_t *evaluators, size_t count) {
    if (bucket->n_evaluators != count)
        return false;
    for (size_t i = 0; i < count; i++)
        if (!has_evaluator(bucket, evaluators[i]))
            return false;
    return true;
}

size_t sync_plan_add_bucket(struct sync_plan *plan, const char *name, const size_t *evaluators,
                            size_t n_evaluators) {
    assert(n_evaluators > 0);
    for (size_t i = 0; i < plan->n_buckets; i++)
        if (is_filled_by(&plan->buckets[i], evaluators, n_evaluators))
            return i;
    MEMORY_RESERVE(plan->buckets, plan->buckets_capacity, plan->n_buckets + 1);
    struct plan_bucket *bucket = &plan->buckets[plan->n_buckets];
    *bucket = (struct plan_bucket){.name = name, .n_evaluators = n_evaluators};
    bucket->evaluators = arena_allocate(&plan->arena, n_evaluators * sizeof *evaluators);
    memcpy(bucket->evaluators, evaluators, n_evaluators * sizeof *evaluators);
    return plan->n_buckets++;
}

/* Keys of queriers */

static void append_lookup(struct buffer *key, const struct plan_querier *querier,
                          const struct plan_lookup *lookup);

static void append_values(struct buffer *key, const struct plan_querier *querier,
                          const struct plan_value *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct plan_value *value = &values[i];
        buffer_append_char(key, i > 0 ? ',' : '[');
        if (value->kind == PLAN_REQUEST) {
            sync_expression_append_key(key, value->expression);
        } else if (value->kind == PLAN_OUTPUT) {
            append_lookup(key, querier, &querier->lookups[value->lookup]);
            buffer_printf(key, "#%zu", value->output);
        } else {
            append_values(key, querier, value->values, value->n_values);
        }
    }
    buffer_append_char(key, ']');
}

static void append_lookup(struct buffer *key, const struct plan_querier *querier,
                          const struct plan_lookup *lookup) {
    if (!lookup->is_function) {
        buffer_printf(key, "i%zu", lookup->index);
        append_values(key, querier, lookup->inputs, lookup->n_inputs);
        return;
    }
    buffer_append_char(key, 'f');
    append_function(key, &lookup->function);
    append_expressions(key, lookup->outputs, lookup->n_outputs);
    append_expressions(key, lookup->filters, lookup->n_filters);
}

static int compare_texts(const void *left, const void *right) {
    return strcmp(*(char *const *)left, *(char *const *)right);
}

/* In which order lookups are made does not matter. */
static void append_lookups(struct buffer *key, const struct plan_querier *querier) {
    char **texts = memory_allocate_array(querier->n_lookups + 1, sizeof *texts);
    for (size_t i = 0; i < querier->n_lookups; i++) {
        struct buffer text = {0};
        append_lookup(&text, querier, &querier->lookups[i]);
        texts[i] = buffer_take(&text);
    }
    qsort(texts, querier->n_lookups, sizeof *texts, compare_texts);
    for (size_t i = 0; i < querier->n_lookups; i++) {
        buffer_append_text(key, texts[i]);
        buffer_append_char(key, ';');
        free(texts[i]);
    }
    free(texts);
}

char *sync_plan_querier_key(const struct plan_querier *querier) {
    struct buffer key = {0};
    append_expressions(&key, querier->filters, querier->n_filters);
    append_lookups(&key, querier);
    append_values(&key, querier, querier->values, querier->n_values);
    return buffer_take(&key);
}

void sync_plan_free(struct sync_plan *plan) {
    free(plan->evaluators);
    free(plan->indexes);
    free(plan->buckets);
    arena_free(&plan->arena);
    *plan = (struct sync_plan){0};
}
