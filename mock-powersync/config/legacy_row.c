/* What a row contributes by rules of editions 1 and 2. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "mock-powersync/config/legacy_product.h"

struct evaluation {
    const struct legacy_rules *rules;
    int number;
    const struct source_table *table;
    const struct row *row;
    struct arena *arena;
    struct row_outputs *outputs;
    size_t buckets_capacity, lookups_capacity;
};

/* Output rows */

/* A column that has a value already stays; NULL is none. */
static void add_star(const struct row *source, struct row *output) {
    for (size_t i = 0; i < source->count; i++) {
        const struct row_column *column = &source->columns[i];
        if (column->name[0] == '_')
            continue;
        const struct sql_value *before = row_get(output, column->name);
        if (!before || before->kind == SQL_NULL)
            row_set(output, column->name, &column->value);
    }
}

static bool make_columns(const struct legacy_data *data, const struct sync_scope *scope, struct row *output) {
    size_t most = (scope->row->count + 1) * (data->n_columns + 1);
    output->columns = arena_allocate(scope->arena, most * sizeof *output->columns);
    for (size_t i = 0; i < data->n_columns; i++) {
        struct sql_value value;
        if (!data->columns[i].expression) {
            add_star(scope->row, output);
            continue;
        }
        if (!sync_expression_evaluate(data->columns[i].expression, scope, &value))
            return false;
        row_set(output, data->columns[i].name, &value);
    }
    assert(output->count <= most);
    return true;
}

static bool make_data(const struct evaluation *evaluation, const struct legacy_data *data,
                      const struct sync_scope *scope, struct bucket_output *output) {
    struct row row = {0};
    if (!make_columns(data, scope, &row))
        return false;
    struct buffer text = {0};
    row_append_json(&text, &row);
    output->object_type =
        data->object_type ? data->object_type : arena_copy_text(scope->arena, evaluation->table->name);
    output->data_length = text.length;
    output->data = arena_copy_bytes(scope->arena, text.data, text.length);
    buffer_clear(&text);
    const struct sql_value *id = row_get(&row, "id");
    if (id && id->kind != SQL_BLOB)
        sql_value_append_text(&text, id);
    output->object_id = arena_copy_text(scope->arena, buffer_text(&text));
    buffer_free(&text);
    return true;
}

/* One output for each name; a row without a bucket is not looked at further. */
static bool add_outputs(struct evaluation *evaluation, const struct legacy_data *data,
                        const struct sync_scope *scope, const struct legacy_texts *names) {
    struct row_outputs *outputs = evaluation->outputs;
    struct bucket_output output = {0};
    if (names->count == 0)
        return true;
    if (!make_data(evaluation, data, scope, &output))
        return false;
    MEMORY_RESERVE(outputs->buckets, evaluation->buckets_capacity, outputs->n_buckets + names->count);
    for (size_t i = 0; i < names->count; i++) {
        output.bucket = names->texts[i];
        output.bucket_length = strlen(output.bucket);
        outputs->buckets[outputs->n_buckets++] = output;
    }
    return true;
}

/* In a table that was found by its prefix there is one more column: the rest of its name. */
static struct row with_suffix(const struct evaluation *evaluation, const struct source_pattern *pattern) {
    const struct row *row = evaluation->row;
    if (!pattern->prefix)
        return *row;
    struct row longer = {arena_allocate(evaluation->arena, (row->count + 1) * sizeof *row->columns),
                         row->count};
    if (row->count > 0)
        memcpy(longer.columns, row->columns, row->count * sizeof *row->columns);
    const char *suffix = arena_copy_text(evaluation->arena, evaluation->table->name + strlen(pattern->name));
    struct sql_value value = {.kind = SQL_TEXT, .text = suffix, .length = strlen(suffix)};
    row_set(&longer, "_table_suffix", &value);
    return longer;
}

/* Bucket definitions */

static const char *value_or_null(const struct legacy_set *set, size_t input) {
    return set->values[input] ? set->values[input] : "null";
}

static bool names_of_sets(const struct legacy_sets *sets, const char *prefix, const size_t *inputs,
                          size_t n_inputs, struct arena *arena, struct legacy_texts *names) {
    struct legacy_texts *values = memory_allocate_array(n_inputs + 1, sizeof *values);
    bool good = true;
    for (size_t i = 0; good && i < sets->count; i++) {
        for (size_t j = 0; j < n_inputs; j++) {
            values[j].count = 0;
            legacy_texts_add(&values[j], value_or_null(&sets->sets[i], inputs ? inputs[j] : j));
        }
        good = legacy_product(prefix, values, n_inputs, arena, names);
    }
    legacy_texts_free(values, n_inputs);
    return good;
}

static void add_data(struct evaluation *evaluation, const struct legacy_definition *definition,
                     const struct legacy_data_query *query) {
    if (!source_pattern_matches(&query->data.table, evaluation->table))
        return;
    struct row row = with_suffix(evaluation, &query->data.table);
    struct sync_scope scope = {.row = &row, .arena = evaluation->arena};
    struct legacy_sets sets = {0};
    struct legacy_texts names = {0};
    const char *prefix =
        legacy_bucket_prefix(evaluation->number, definition->name, false, 0, evaluation->arena);
    bool good =
        legacy_match_row(query->match, &scope, &sets) &&
        names_of_sets(&sets, prefix, query->inputs, definition->n_parameters, evaluation->arena, &names) &&
        add_outputs(evaluation, &query->data, &scope, &names);
    evaluation->outputs->failed += !good;
    free(sets.sets);
    free(names.texts);
}

/* A row leaves one entry under a key. */
static void add_lookups(struct evaluation *evaluation, const struct legacy_texts *keys, const char *values) {
    struct row_outputs *outputs = evaluation->outputs;
    struct map seen = {0};
    MEMORY_RESERVE(outputs->lookups, evaluation->lookups_capacity, outputs->n_lookups + keys->count);
    for (size_t i = 0; i < keys->count; i++)
        if (!map_set(&seen, keys->texts[i], outputs))
            outputs->lookups[outputs->n_lookups++] =
                (struct lookup_output){keys->texts[i], strlen(keys->texts[i]), values, strlen(values)};
    map_free(&seen, NULL);
}

/* [[value,..]]; NULL: evaluating failed. */
static const char *tuple_of(const struct legacy_parameter_query *query, const struct sync_scope *scope) {
    struct buffer text = {0};
    buffer_append_text(&text, "[[");
    bool good = true;
    for (size_t i = 0; good && i < query->n_parameters; i++) {
        struct sql_value value;
        if (!query->parameters[i].of_row)
            continue;
        good = sync_expression_evaluate(query->parameters[i].expression, scope, &value);
        const char *json = good ? legacy_value_text(&value, scope->arena) : NULL;
        buffer_append_text(&text, query->parameters[i].output > 0 ? "," : "");
        buffer_append_text(&text, json ? json : "null");
    }
    buffer_append_text(&text, "]]");
    const char *copy = good ? arena_copy_bytes(scope->arena, text.data, text.length) : NULL;
    buffer_free(&text);
    return copy;
}

static void add_parameters(struct evaluation *evaluation, const struct legacy_definition *definition,
                           const struct legacy_parameter_query *query) {
    if (query->kind != PARAMETERS_TABLE || !source_pattern_matches(&query->table, evaluation->table))
        return;
    struct sync_scope scope = {.row = evaluation->row, .arena = evaluation->arena};
    struct legacy_sets sets = {0};
    struct legacy_texts keys = {0};
    const char *prefix = legacy_lookup_prefix(definition->name, query->number, evaluation->arena);
    bool good = legacy_match_row(query->match, &scope, &sets) &&
                names_of_sets(&sets, prefix, NULL, query->inputs->count, evaluation->arena, &keys);
    const char *values = good && keys.count > 0 ? tuple_of(query, &scope) : "";
    if (good && values)
        add_lookups(evaluation, &keys, values);
    evaluation->outputs->failed += !good || !values;
    free(sets.sets);
    free(keys.texts);
}

/* Streams */

static bool values_of_match(const struct legacy_stream_parameter *parameter, const struct sync_scope *scope,
                            struct legacy_texts *values) {
    struct legacy_sets sets = {0};
    bool good = legacy_match_row(parameter->match, scope, &sets);
    for (size_t i = 0; good && i < sets.count; i++) {
        const char *text = sets.sets[i].values[parameter->match->input];
        if (text && strcmp(text, "null") != 0)
            legacy_texts_add(values, text);
    }
    free(sets.sets);
    return good;
}

static bool values_of_array(const struct sql_value *list, struct arena *arena, struct legacy_texts *values) {
    json_t *json = list->kind == SQL_TEXT ? json_parse(list->text, list->length, NULL) : NULL;
    bool good = json_is_array(json);
    for (size_t i = 0; good && i < json_array_size(json); i++) {
        struct sql_value item = sql_value_from_json_copy(json_array_get(json, i), arena);
        legacy_texts_add(values, legacy_value_text(&item, arena));
    }
    json_decref(json);
    return good || list->kind == SQL_NULL;
}

static bool values_of_row(const struct legacy_stream_parameter *parameter, const struct sync_scope *scope,
                          struct legacy_texts *values) {
    struct sql_value value;
    if (parameter->kind == STREAM_REQUEST)
        return values_of_match(parameter, scope, values);
    if (!sync_expression_evaluate(parameter->row, scope, &value))
        return false;
    if (parameter->kind == STREAM_OVERLAP)
        return values_of_array(&value, scope->arena, values);
    const char *text = legacy_value_text(&value, scope->arena); /* NULL has one, too */
    if (text)
        legacy_texts_add(values, text);
    return true;
}

/* prefix[..] for each combination with which the row meets the variant; false: evaluating failed. What comes
 * behind a condition that does not hold is not evaluated. */
static bool instantiate(const struct legacy_variant *variant, const char *prefix,
                        const struct sync_scope *scope, struct legacy_texts *into) {
    struct legacy_texts *choices = memory_allocate_array(variant->n_parameters + 1, sizeof *choices);
    bool good = true, meets = true;
    for (size_t i = 0; good && meets && i < variant->n_row_filters; i++) {
        struct sql_value value;
        good = sync_expression_evaluate(variant->row_filters[i], scope, &value);
        meets = good && sql_value_is_true(&value);
    }
    for (size_t i = 0; good && meets && i < variant->n_parameters; i++) {
        good = values_of_row(&variant->parameters[i], scope, &choices[i]);
        meets = choices[i].count > 0;
    }
    good = good && (!meets || legacy_product(prefix, choices, variant->n_parameters, scope->arena, into));
    legacy_texts_free(choices, variant->n_parameters);
    return good;
}

/* In the real service the conditions of streams do not see columns of tables that are found by a prefix. */
static struct sync_scope scope_of_conditions(const struct evaluation *evaluation,
                                             const struct source_pattern *pattern) {
    static const struct row empty;
    return (struct sync_scope){.row = pattern->prefix ? &empty : evaluation->row, .arena = evaluation->arena};
}

static void add_variant(struct evaluation *evaluation, const struct legacy_definition *stream,
                        size_t number) {
    if (!source_pattern_matches(&stream->data.table, evaluation->table))
        return;
    struct row row = with_suffix(evaluation, &stream->data.table);
    struct sync_scope scope = {.row = &row, .arena = evaluation->arena};
    struct sync_scope conditions = scope_of_conditions(evaluation, &stream->data.table);
    struct legacy_texts names = {0};
    const char *prefix =
        legacy_bucket_prefix(evaluation->number, stream->name, true, number, evaluation->arena);
    bool good = instantiate(&stream->variants[number], prefix, &conditions, &names) &&
                add_outputs(evaluation, &stream->data, &scope, &names);
    evaluation->outputs->failed += !good;
    free(names.texts);
}

static void add_subquery(struct evaluation *evaluation, const struct legacy_definition *stream,
                         const struct legacy_subquery *subquery) {
    if (!source_pattern_matches(&subquery->table, evaluation->table))
        return;
    struct sync_scope scope = scope_of_conditions(evaluation, &subquery->table);
    struct sql_value value;
    struct legacy_texts keys = {0};
    const char *prefix = legacy_lookup_prefix(stream->name, subquery->number, evaluation->arena);
    bool good = sync_expression_evaluate(subquery->column, &scope, &value);
    const char *text = good ? legacy_value_text(&value, evaluation->arena) : NULL;
    good = good && (!text || instantiate(&subquery->conditions, prefix, &scope, &keys));
    if (good && text)
        add_lookups(evaluation, &keys, arena_format(evaluation->arena, "[[%s]]", text));
    evaluation->outputs->failed += !good;
    free(keys.texts);
}

static void add_definition(struct evaluation *evaluation, const struct legacy_definition *definition) {
    for (size_t i = 0; i < definition->n_data_queries; i++)
        add_data(evaluation, definition, &definition->data_queries[i]);
    for (size_t i = 0; i < definition->n_parameter_queries; i++)
        add_parameters(evaluation, definition, &definition->parameter_queries[i]);
    for (size_t i = 0; i < definition->n_variants; i++) {
        add_variant(evaluation, definition, i);
        for (size_t j = 0; j < definition->variants[i].n_subqueries; j++)
            add_subquery(evaluation, definition, &definition->variants[i].subqueries[j]);
    }
}

/* Move what was collected into the arena. */
static void *kept(struct arena *arena, void *items, size_t size) {
    void *copy = arena_allocate(arena, size + 1);
    if (size > 0)
        memcpy(copy, items, size);
    free(items);
    return copy;
}

void legacy_evaluate_row(const struct legacy_rules *rules, int number, const struct source_table *table,
                         const struct row *row, struct arena *arena, struct row_outputs *outputs) {
    *outputs = (struct row_outputs){0};
    struct evaluation evaluation = {rules, number, table, row, arena, outputs, 0, 0};
    for (size_t i = 0; i < rules->n_definitions; i++)
        add_definition(&evaluation, &rules->definitions[i]);
    outputs->buckets = kept(arena, outputs->buckets, outputs->n_buckets * sizeof *outputs->buckets);
    outputs->lookups = kept(arena, outputs->lookups, outputs->n_lookups * sizeof *outputs->lookups);
}
