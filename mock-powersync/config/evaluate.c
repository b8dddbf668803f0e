#include "mock-powersync/config/evaluate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

/* How many buckets one row or one subscription can have by one branch. */
enum { COMBINATIONS_MOST = 10000 };

/* The values of one parameter. */
struct choices {
    struct sql_value *values;
    size_t count;
};

/* All filters are evaluated, also behind one that is false. Sets `good` to false when one cannot be. */
static bool passes(const struct sync_condition *condition, const struct sync_scope *scope, bool *good) {
    bool all = true;
    for (size_t i = 0; i < condition->n_filters; i++) {
        struct sql_value value;
        if (!sync_expression_evaluate(condition->filters[i], scope, &value)) {
            *good = false;
            return false;
        }
        all = all && sql_value_is_true(&value);
    }
    return all;
}

static bool is_equal(const struct sql_value *left, const struct sql_value *right) {
    return left->kind != SQL_NULL && right->kind != SQL_NULL && sql_value_compare(left, right) == 0;
}

static bool values_of(const struct sync_operand *operand, const struct sync_scope *scope,
                      struct choices *choices) {
    if (operand->each)
        return sync_expression_each(operand->expression, scope, &choices->values, &choices->count);
    choices->values = memory_allocate_array(1, sizeof *choices->values);
    choices->count = 1;
    return sync_expression_evaluate(operand->expression, scope, choices->values);
}

/* How often all memberships hold; -1: evaluating failed. `empty` when an array has no items. */
static int64_t multiplicity(const struct sync_condition *condition, const struct sync_scope *scope,
                            bool *empty) {
    int64_t times = 1;
    for (size_t i = 0; i < condition->n_memberships; i++) {
        struct sql_value value;
        struct choices list = {0};
        struct sync_operand operand = {condition->memberships[i].list, true};
        bool good = values_of(&operand, scope, &list) &&
                    sync_expression_evaluate(condition->memberships[i].value, scope, &value);
        int64_t equal = 0;
        for (size_t j = 0; good && j < list.count; j++)
            equal += is_equal(&value, &list.values[j]);
        *empty = *empty || list.count == 0;
        free(list.values);
        if (!good || equal > COMBINATIONS_MOST)
            return -1;
        times *= equal;
        if (times > COMBINATIONS_MOST)
            return -1;
    }
    return times;
}

/* NULL and BLOB are in no bucket's name. */
static void drop_nameless(struct choices *choices) {
    size_t kept = 0;
    for (size_t i = 0; i < choices->count; i++)
        if (choices->values[i].kind != SQL_NULL && choices->values[i].kind != SQL_BLOB)
            choices->values[kept++] = choices->values[i];
    choices->count = kept;
}

static void free_choices(struct choices *choices, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(choices[i].values);
    free(choices);
}

/* Names */

struct names {
    const char **names;
    size_t count, capacity;
    struct arena *arena;
};

static void append_name(struct names *names, const struct buffer *prefix, const struct choices *choices,
                        size_t n_choices, const size_t *chosen) {
    struct buffer name = {0};
    buffer_append(&name, prefix->data, prefix->length);
    buffer_append_char(&name, '[');
    for (size_t i = 0; i < n_choices; i++) {
        if (i > 0)
            buffer_append_char(&name, ',');
        sql_value_append_parameter(&name, &choices[i].values[chosen[i]]);
    }
    buffer_append_char(&name, ']');
    MEMORY_RESERVE(names->names, names->capacity, names->count + 1);
    names->names[names->count++] = arena_copy_bytes(names->arena, name.data, name.length);
    buffer_free(&name);
}

/* One name for each combination of values, the last parameter the fastest. False: too many. */
static bool append_names(struct names *names, const struct buffer *prefix, const struct choices *choices,
                         size_t n_choices, int64_t times) {
    size_t total = (size_t)times;
    for (size_t i = 0; i < n_choices; i++) {
        if (choices[i].count > COMBINATIONS_MOST || total * choices[i].count > COMBINATIONS_MOST)
            return false;
        total *= choices[i].count;
    }
    size_t *chosen = memory_allocate_array(n_choices + 1, sizeof *chosen);
    for (size_t i = 0; i < total; i++) {
        append_name(names, prefix, choices, n_choices, chosen);
        for (size_t j = n_choices; j-- > 0;) {
            if (++chosen[j] < choices[j].count)
                break;
            chosen[j] = 0;
        }
    }
    free(chosen);
    return true;
}

static void append_prefix(struct buffer *out, int number, const char *stream, size_t variant) {
    assert(number >= 1);
    buffer_append_integer(out, number);
    buffer_append_char(out, '#');
    buffer_append_text(out, stream);
    buffer_append_char(out, '|');
    buffer_append_integer(out, (int64_t)variant);
}

/* Rows */

/* The values of the parameters that go through an array, or of those that do not. */
static bool row_choices(const struct sync_branch *branch, bool each, const struct sync_scope *scope,
                        struct choices *choices, bool *empty) {
    for (size_t i = 0; i < branch->n_parameters; i++) {
        if (branch->row_parameters[i].each != each)
            continue;
        if (!values_of(&branch->row_parameters[i], scope, &choices[i]))
            return false;
        *empty = *empty || choices[i].count == 0;
        drop_nameless(&choices[i]);
    }
    return true;
}

/* The buckets that one branch puts the row into. Arrays come first, then the filters: an array that is none
 * fails although the row is filtered out, an empty one is the end of it. False: evaluating failed. The
 * columns of a row that `matches` are evaluated even when there is no bucket for it. */
static bool row_names(const struct sync_branch *branch, const struct buffer *prefix,
                      const struct sync_scope *scope, struct names *names, bool *matches) {
    bool empty = false;
    int64_t times = multiplicity(&branch->row, scope, &empty);
    struct choices *choices = memory_allocate_array(branch->n_parameters + 1, sizeof *choices);
    bool good = times >= 0 && row_choices(branch, true, scope, choices, &empty);
    *matches = good && !empty && passes(&branch->row, scope, &good) && times > 0;
    good = good && (!*matches || row_choices(branch, false, scope, choices, &empty));
    good = good && (!*matches || append_names(names, prefix, choices, branch->n_parameters, times));
    free_choices(choices, branch->n_parameters);
    return good;
}

/* Later items overwrite earlier ones of the same name, which keep their place. False: evaluating failed. */
static bool select_columns(const struct sync_query *query, const struct sync_scope *scope,
                           struct row *output) {
    const struct row *source = scope->row;
    output->columns =
        arena_allocate(scope->arena, (source->count + 1) * query->n_items * sizeof *output->columns);
    for (size_t i = 0; i < query->n_items; i++) {
        const struct sync_query_item *item = &query->items[i];
        if (item->expression) {
            struct sql_value value;
            if (!sync_expression_evaluate(item->expression, scope, &value))
                return false;
            if (value.kind != SQL_BLOB) /* no column at all */
                row_set(output, item->output, &value);
            continue;
        }
        for (size_t j = 0; j < source->count; j++) {
            /* The first item of a query meets no earlier column; a document's names are unique. */
            if (i == 0)
                output->columns[output->count++] = source->columns[j];
            else
                row_set(output, source->columns[j].name, &source->columns[j].value);
        }
    }
    assert(output->count <= (source->count + 1) * query->n_items);
    return true;
}

static bool make_data(const struct sync_query *query, const struct sync_scope *scope,
                      struct bucket_output *output) {
    struct row row = {0};
    if (!select_columns(query, scope, &row))
        return false;
    struct buffer text = {0};
    row_append_json(&text, &row);
    output->object_type = query->object_type;
    output->data_length = text.length;
    output->data = arena_copy_bytes(scope->arena, text.data, text.length);
    buffer_clear(&text);
    const struct sql_value *id = row_get(&row, "id");
    if (id)
        sql_value_append_text(&text, id);
    output->object_id = arena_copy_text(scope->arena, buffer_text(&text));
    buffer_free(&text);
    return true;
}

struct outputs {
    struct bucket_output *outputs;
    size_t count, capacity;
};

/* Each branch stands alone: one that fails takes nothing from the others. Returns how many failed. */
static size_t evaluate_query(const struct sync_config *config, int number, const struct sync_query *query,
                             const struct sync_scope *scope, struct outputs *outputs) {
    size_t failed = 0;
    for (size_t i = 0; i < query->n_branches; i++) {
        struct names names = {.arena = scope->arena};
        struct buffer prefix = {0};
        struct bucket_output output = {0};
        append_prefix(&prefix, number, config->streams[query->stream].name, query->branches[i].variant);
        bool matches = true;
        bool good = row_names(&query->branches[i], &prefix, scope, &names, &matches);
        if (good && matches)
            good = make_data(query, scope, &output);
        MEMORY_RESERVE(outputs->outputs, outputs->capacity, outputs->count + names.count + 1);
        for (size_t j = 0; good && j < names.count; j++) {
            output.bucket = names.names[j];
            output.bucket_length = strlen(output.bucket);
            outputs->outputs[outputs->count++] = output;
        }
        failed += !good;
        buffer_free(&prefix);
        free(names.names);
    }
    return failed;
}

void evaluate_row(const struct sync_config *config, int number, const struct source_table *table,
                  const struct row *row, struct arena *arena, struct row_outputs *outputs) {
    struct sync_scope scope = {.row = row, .arena = arena};
    struct outputs all = {0};
    *outputs = (struct row_outputs){0};
    for (size_t i = 0; i < config->n_queries; i++)
        if (strcmp(config->queries[i].table, table->name) == 0)
            outputs->failed += evaluate_query(config, number, &config->queries[i], &scope, &all);
    outputs->buckets = arena_allocate(arena, (all.count + 1) * sizeof *outputs->buckets);
    if (all.count > 0)
        memcpy(outputs->buckets, all.outputs, all.count * sizeof *all.outputs);
    outputs->n_buckets = all.count;
    free(all.outputs);
}

/* Requests */

/* The values that all sources of a parameter have; how often is up to the first. False: evaluating failed. */
static bool request_choices(const struct sync_request_parameter *parameter, const struct sync_scope *scope,
                            struct choices *choices) {
    bool good = values_of(&parameter->sources[0], scope, choices);
    drop_nameless(choices);
    for (size_t i = 1; good && i < parameter->n_sources; i++) {
        struct choices other = {0};
        good = values_of(&parameter->sources[i], scope, &other);
        size_t kept = 0;
        for (size_t j = 0; good && j < choices->count; j++)
            for (size_t k = 0; k < other.count; k++)
                if (is_equal(&choices->values[j], &other.values[k])) {
                    choices->values[kept++] = choices->values[j];
                    break;
                }
        choices->count = kept;
        free(other.values);
    }
    if (good && parameter->n_sources == 2 && choices->count == 1) {
        /* The real service counts a common value once for each source: reasons show it. */
        choices->values = memory_resize(choices->values, 2, sizeof *choices->values);
        choices->values[choices->count++] = choices->values[0];
    }
    return good;
}

static bool request_names(const struct sync_request_side *side, size_t n_parameters,
                          const struct buffer *prefix, const struct sync_scope *scope, struct names *names) {
    bool good = true;
    if (!passes(&side->condition, scope, &good))
        return good;
    bool empty = false;
    int64_t times = multiplicity(&side->condition, scope, &empty);
    struct choices *choices = memory_allocate_array(n_parameters + 1, sizeof *choices);
    good = times >= 0;
    for (size_t i = 0; good && i < n_parameters; i++)
        good = request_choices(&side->parameters[i], scope, &choices[i]);
    good = good && append_names(names, prefix, choices, n_parameters, times);
    free_choices(choices, n_parameters);
    return good;
}

bool evaluate_request(const struct sync_stream_definition *stream, int number,
                      const struct sync_request_values *values, const struct lookup_source *lookups,
                      struct arena *arena, struct request_bucket **buckets, size_t *count,
                      const char **reason) {
    struct sync_scope scope = {.values = values, .arena = arena};
    struct names all = {.arena = arena};
    bool good = true;
    (void)lookups;
    for (size_t i = 0; i < stream->n_variants; i++) {
        struct buffer prefix = {0};
        append_prefix(&prefix, number, stream->name, i);
        const struct sync_branch *branch = stream->variants[i].branch;
        for (size_t j = 0; j < branch->n_requests; j++)
            good = request_names(&branch->requests[j], branch->n_parameters, &prefix, &scope, &all) && good;
        buffer_free(&prefix);
    }
    *count = all.count;
    *buckets = arena_allocate(arena, (all.count + 1) * sizeof **buckets);
    for (size_t i = 0; i < *count; i++)
        (*buckets)[i] = (struct request_bucket){all.names[i], stream->priority};
    free(all.names);
    *reason = good ? NULL : "Error evaluating bucket ids";
    return good;
}

bool sync_stream_has_lookups(const struct sync_stream_definition *stream) {
    (void)stream;
    return false;
}

char *evaluate_request_text(const json_t *parameters) {
    if (!json_is_object(parameters))
        return memory_copy_text("{}");
    json_t *copy = sync_json_with_reals(parameters);
    struct buffer text = {0};
    json_append(&text, copy);
    json_decref(copy);
    return buffer_take(&text);
}
