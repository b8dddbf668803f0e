#include "mock-powersync/config/evaluate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/legacy.h"

/* How many rows one row can become by the functions of one query. */
enum { COMBINATIONS_MOST = 10000 };

/* What a processor's rows are used for; false: evaluating failed. */
struct consumer {
    bool (*use)(void *context, const struct sync_scope *scope);
    void *context;
};

/* The outputs of one function for the row. */
struct expansion {
    struct sync_each *rows;
    size_t count;
};

static bool is_nameless(const struct sql_value *value) {
    return value->kind == SQL_NULL || value->kind == SQL_BLOB;
}

static bool expand(const struct plan_function *function, const struct sync_scope *scope,
                   struct expansion *expansion) {
    struct sql_value list;
    assert(function->n_arguments == 1);
    return sync_expression_evaluate(function->arguments[0], scope, &list) &&
           sync_expression_each(&list, function->source, scope->arena, &expansion->rows, &expansion->count);
}

/* The first filter that is false ends it. */
static bool evaluate_filters(const struct plan_processor *rows, const struct sync_scope *scope,
                             bool *passes) {
    for (size_t i = 0; i < rows->n_filters; i++) {
        struct sql_value value;
        if (!sync_expression_evaluate(rows->filters[i], scope, &value))
            return false;
        if (!sql_value_is_true(&value)) {
            *passes = false;
            return true;
        }
    }
    *passes = true;
    return true;
}

static bool evaluate_one(const struct plan_processor *rows, const struct sync_scope *scope,
                         const struct consumer *consumer) {
    bool passes;
    if (!evaluate_filters(rows, scope, &passes))
        return false;
    return !passes || consumer->use(consumer->context, scope);
}

/* Every combination of the functions' outputs, those of the last function the fastest. */
static bool evaluate_combinations(const struct plan_processor *rows, struct sync_scope scope,
                                  const struct expansion *expansions, const struct consumer *consumer) {
    size_t total = 1;
    for (size_t i = 0; i < rows->n_functions; i++) {
        if (expansions[i].count > COMBINATIONS_MOST || (total *= expansions[i].count) > COMBINATIONS_MOST)
            return false;
    }
    struct sync_each *each = memory_allocate_array(rows->n_functions + 1, sizeof *each);
    scope.each = each;
    scope.n_each = rows->n_functions;
    bool good = true;
    for (size_t i = 0; i < total && good; i++) {
        size_t rest = i;
        for (size_t j = rows->n_functions; j-- > 0; rest /= expansions[j].count)
            each[j] = expansions[j].rows[rest % expansions[j].count];
        good = evaluate_one(rows, &scope, consumer);
    }
    free(each);
    return good;
}

static bool evaluate_processor(const struct plan_processor *rows, const struct sync_scope *scope,
                               const struct consumer *consumer) {
    struct expansion *expansions = memory_allocate_array(rows->n_functions + 1, sizeof *expansions);
    bool good = true;
    for (size_t i = 0; i < rows->n_functions && good; i++)
        good = expand(&rows->functions[i], scope, &expansions[i]);
    good = good && evaluate_combinations(rows, *scope, expansions, consumer);
    for (size_t i = 0; i < rows->n_functions; i++)
        free(expansions[i].rows);
    free(expansions);
    return good;
}

/* [value,..] of a bucket's name or an index entry's key; `nameless` when there is none. */
static bool append_parameters(struct buffer *out, const struct plan_processor *rows,
                              const struct sync_scope *scope, bool *nameless) {
    *nameless = false;
    buffer_append_char(out, '[');
    for (size_t i = 0; i < rows->n_parameters; i++) {
        struct sql_value value;
        if (!sync_expression_evaluate(rows->parameters[i], scope, &value))
            return false;
        *nameless = *nameless || is_nameless(&value);
        if (i > 0)
            buffer_append_char(out, ',');
        sql_value_append_parameter(out, &value);
    }
    buffer_append_char(out, ']');
    return true;
}

/* Buckets */

struct bucket_outputs {
    const struct plan_evaluator *evaluator;
    const char *table;
    const char *prefix;
    struct bucket_output *items;
    size_t count, capacity;
};

/* Later columns overwrite earlier ones of the same name, which keep their place. */
static void add_star(size_t at, const struct row *source, struct row *output) {
    for (size_t i = 0; i < source->count; i++) {
        const struct row_column *column = &source->columns[i];
        if (at == 0) /* a row's names are unique */
            output->columns[output->count++] = *column;
        else
            row_set(output, column->name, &column->value);
    }
}

static bool select_columns(const struct plan_evaluator *evaluator, const struct sync_scope *scope,
                           struct row *output) {
    output->columns = arena_allocate(scope->arena, (scope->row->count + 1) * evaluator->n_columns *
                                                       sizeof *output->columns);
    for (size_t i = 0; i < evaluator->n_columns; i++) {
        const struct plan_column *column = &evaluator->columns[i];
        struct sql_value value;
        if (!column->expression) {
            add_star(i, scope->row, output);
            continue;
        }
        if (!sync_expression_evaluate(column->expression, scope, &value))
            return false;
        if (value.kind != SQL_BLOB) /* no column at all */
            row_set(output, column->name, &value);
    }
    return true;
}

static void make_output(struct bucket_output *output, const struct row *row, struct arena *arena) {
    struct buffer text = {0};
    row_append_json(&text, row);
    output->data_length = text.length;
    output->data = arena_copy_bytes(arena, text.data, text.length);
    buffer_clear(&text);
    const struct sql_value *id = row_get(row, "id");
    if (id)
        sql_value_append_text(&text, id);
    output->object_id = arena_copy_text(arena, buffer_text(&text));
    buffer_free(&text);
}

static bool use_for_bucket(void *context, const struct sync_scope *scope) {
    struct bucket_outputs *outputs = context;
    struct buffer name = {0};
    struct row row = {0};
    bool nameless;
    buffer_append_text(&name, outputs->prefix);
    bool good = select_columns(outputs->evaluator, scope, &row) &&
                append_parameters(&name, &outputs->evaluator->rows, scope, &nameless);
    if (good && !nameless) {
        MEMORY_RESERVE(outputs->items, outputs->capacity, outputs->count + 1);
        struct bucket_output *output = &outputs->items[outputs->count++];
        *output = (struct bucket_output){.bucket_length = name.length};
        output->bucket = arena_copy_bytes(scope->arena, name.data, name.length);
        output->object_type =
            outputs->evaluator->object_type ? outputs->evaluator->object_type : outputs->table;
        make_output(output, &row, scope->arena);
    }
    buffer_free(&name);
    return good;
}

static void evaluate_bucket(const struct sync_config *config, int number, const struct plan_bucket *bucket,
                            const struct source_table *table, const struct sync_scope *scope,
                            struct bucket_outputs *outputs, size_t *failed) {
    struct buffer prefix = {0};
    buffer_append_integer(&prefix, number);
    buffer_append_char(&prefix, '#');
    buffer_append_text(&prefix, bucket->name);
    outputs->prefix = buffer_text(&prefix);
    for (size_t i = 0; i < bucket->n_evaluators; i++) {
        outputs->evaluator = &config->plan.evaluators[bucket->evaluators[i]];
        const struct plan_processor *rows = &outputs->evaluator->rows;
        size_t before = outputs->count;
        if (!source_pattern_matches(&config->patterns[rows->pattern], table))
            continue;
        if (!evaluate_processor(rows, scope, &(struct consumer){use_for_bucket, outputs})) {
            outputs->count = before;
            (*failed)++;
        }
    }
    buffer_free(&prefix);
}

/* The parameter index */

struct entry {
    char *key;
    size_t key_length;
    struct buffer values;
};

struct entries {
    const struct plan_index *index;
    size_t number; /* of the index */
    struct entry *items;
    size_t count, capacity;
};

static void append_tuple(struct entries *entries, struct buffer *key, const struct buffer *tuple) {
    size_t i = 0;
    while (i < entries->count && (entries->items[i].key_length != key->length ||
                                  memcmp(entries->items[i].key, key->data, key->length) != 0))
        i++;
    if (i == entries->count) {
        MEMORY_RESERVE(entries->items, entries->capacity, entries->count + 1);
        entries->items[entries->count++] =
            (struct entry){.key = memory_copy_bytes(key->data, key->length), .key_length = key->length};
    }
    struct buffer *values = &entries->items[i].values;
    buffer_append_char(values, values->length == 0 ? '[' : ',');
    buffer_append(values, tuple->data, tuple->length);
}

static bool append_values(struct buffer *tuple, const struct plan_index *index,
                          const struct sync_scope *scope, bool *nameless) {
    buffer_append_char(tuple, '[');
    for (size_t i = 0; i < index->n_outputs; i++) {
        struct sql_value value;
        if (!sync_expression_evaluate(index->outputs[i], scope, &value))
            return false;
        *nameless = *nameless || is_nameless(&value);
        if (i > 0)
            buffer_append_char(tuple, ',');
        sql_value_append_json(tuple, &value);
    }
    buffer_append_char(tuple, ']');
    return true;
}

static bool use_for_index(void *context, const struct sync_scope *scope) {
    struct entries *entries = context;
    struct buffer key = {0}, tuple = {0};
    bool no_key = false, no_value = false;
    buffer_append_integer(&key, (int64_t)entries->number);
    bool good = append_values(&tuple, entries->index, scope, &no_value) &&
                append_parameters(&key, &entries->index->rows, scope, &no_key);
    if (good && !no_key && !no_value)
        append_tuple(entries, &key, &tuple);
    buffer_free(&key);
    buffer_free(&tuple);
    return good;
}

/* Adds the entries that a row leaves in one index. */
static bool evaluate_index(const struct plan_index *index, size_t number, const struct sync_scope *scope,
                           struct row_outputs *outputs, size_t *capacity) {
    struct entries entries = {.index = index, .number = number};
    bool good = evaluate_processor(&index->rows, scope, &(struct consumer){use_for_index, &entries});
    for (size_t i = 0; i < entries.count; i++) {
        struct entry *entry = &entries.items[i];
        buffer_append_char(&entry->values, ']');
        if (good) {
            MEMORY_RESERVE(outputs->lookups, *capacity, outputs->n_lookups + 1);
            outputs->lookups[outputs->n_lookups++] = (struct lookup_output){
                arena_copy_bytes(scope->arena, entry->key, entry->key_length), entry->key_length,
                arena_copy_bytes(scope->arena, entry->values.data, entry->values.length),
                entry->values.length};
        }
        free(entry->key);
        buffer_free(&entry->values);
    }
    free(entries.items);
    return good;
}

static void *move_to_arena(struct arena *arena, void *items, size_t count, size_t size) {
    void *moved = arena_allocate(arena, (count + 1) * size);
    if (count > 0)
        memcpy(moved, items, count * size);
    free(items);
    return moved;
}

void evaluate_row(const struct sync_config *config, int number, const struct source_table *table,
                  const struct row *row, struct arena *arena, struct row_outputs *outputs) {
    if (config->rules) {
        legacy_evaluate_row(config->rules, number, table, row, arena, outputs);
        return;
    }
    struct sync_scope scope = {.row = row, .arena = arena};
    struct bucket_outputs buckets = {.table = arena_copy_text(arena, table->name)};
    size_t capacity = 0;
    *outputs = (struct row_outputs){0};
    assert(number >= 1);
    for (size_t i = 0; i < config->plan.n_buckets; i++)
        evaluate_bucket(config, number, &config->plan.buckets[i], table, &scope, &buckets, &outputs->failed);
    for (size_t i = 0; i < config->plan.n_indexes; i++) {
        const struct plan_index *index = &config->plan.indexes[i];
        if (source_pattern_matches(&config->patterns[index->rows.pattern], table))
            outputs->failed += !evaluate_index(index, i, &scope, outputs, &capacity);
    }
    outputs->n_buckets = buckets.count;
    outputs->buckets = move_to_arena(arena, buckets.items, buckets.count, sizeof *buckets.items);
    outputs->lookups = move_to_arena(arena, outputs->lookups, outputs->n_lookups, sizeof *outputs->lookups);
}
