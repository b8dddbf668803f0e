/* Which buckets a request gets by rules of editions 1 and 2. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/config/legacy_product.h"

struct inquiry {
    const struct legacy_rules *rules;
    const struct legacy_definition *definition;
    int number;
    struct sync_scope scope;
    const struct lookup_source *lookups;
    bool stopped; /* by a limit */
    struct request_bucket *buckets;
    size_t count, capacity;
};

static void add_bucket(struct inquiry *inquiry, const char *name, int priority) {
    MEMORY_RESERVE(inquiry->buckets, inquiry->capacity, inquiry->count + 1);
    inquiry->buckets[inquiry->count++] = (struct request_bucket){name, priority};
}

/* The index */

struct found {
    struct legacy_texts tuples;
    struct arena *arena;
};

static void take_tuple(void *context, const char *tuple, size_t length) {
    struct found *found = context;
    legacy_texts_add(&found->tuples, arena_copy_bytes(found->arena, tuple, length));
}

/* All tuples under the keys; each key is asked once. False: stopped by a limit. */
static bool look_up(struct inquiry *inquiry, const struct legacy_texts *keys, struct found *found) {
    struct legacy_texts asked = {0};
    bool good = true;
    found->arena = inquiry->scope.arena;
    assert(inquiry->lookups);
    for (size_t i = 0; good && i < keys->count; i++) {
        if (legacy_texts_have(&asked, keys->texts[i]))
            continue;
        legacy_texts_add(&asked, keys->texts[i]);
        good = inquiry->lookups->find(inquiry->lookups->context, keys->texts[i], strlen(keys->texts[i]),
                                      take_tuple, found);
        inquiry->stopped = inquiry->stopped || !good;
    }
    free(asked.texts);
    return good;
}

static const char *tuple_item(const json_t *tuple, size_t index, struct arena *arena) {
    const json_t *item = json_array_get(tuple, index);
    if (!item)
        return "null";
    struct sql_value value = sql_value_from_json_copy(item, arena);
    return legacy_value_text(&value, arena);
}

/* Parameter queries */

static const char *prefix_of(const struct inquiry *inquiry, size_t variant) {
    const struct legacy_definition *definition = inquiry->definition;
    return legacy_bucket_prefix(inquiry->number, definition->name, definition->is_stream, variant,
                                inquiry->scope.arena);
}

/* The bucket of one row of a parameter query, unless a parameter is a BLOB (`nameless`). False: evaluating
 * failed. */
static bool add_row_bucket(struct inquiry *inquiry, const struct legacy_parameter_query *query,
                           const struct sync_scope *scope, const json_t *tuple, bool *nameless) {
    struct buffer name = {0};
    bool good = true;
    *nameless = false;
    buffer_append_text(&name, prefix_of(inquiry, 0));
    for (size_t i = 0; good && !*nameless && i < query->n_parameters; i++) {
        const struct legacy_parameter *parameter = &query->parameters[i];
        struct sql_value value = {0};
        const char *text = NULL;
        if (parameter->of_row)
            text = tuple_item(tuple, parameter->output, scope->arena);
        else if ((good = sync_expression_evaluate(parameter->expression, scope, &value)))
            text = legacy_value_text(&value, scope->arena);
        *nameless = !text;
        buffer_append_char(&name, i == 0 ? '[' : ',');
        buffer_append_text(&name, text ? text : "");
    }
    buffer_append_text(&name, query->n_parameters == 0 ? "[]" : "]");
    if (good && !*nameless)
        add_bucket(inquiry, arena_copy_bytes(scope->arena, name.data, name.length), query->priority);
    buffer_free(&name);
    return good;
}

static bool add_filtered(struct inquiry *inquiry, const struct legacy_parameter_query *query,
                         const struct sync_scope *scope, bool *nameless) {
    struct sql_value value;
    *nameless = false;
    if (!sync_expression_evaluate(query->filter, scope, &value))
        return false;
    return !sql_value_is_true(&value) || add_row_bucket(inquiry, query, scope, NULL, nameless);
}

/* A row of json_each. Without fixed_json_extract a JSON null is the text "null". */
static bool add_item(struct inquiry *inquiry, const struct legacy_parameter_query *query,
                     struct sql_value key, const json_t *item) {
    struct arena *arena = inquiry->scope.arena;
    struct sql_value value = sql_value_from_json_copy(item, arena);
    if (json_is_null(item) && !inquiry->rules->fixed_json)
        value = (struct sql_value){.kind = SQL_TEXT, .text = "null", .length = 4};
    struct row_column columns[2] = {{"key", key}, {"value", value}};
    struct row row = {columns, 2};
    struct sync_scope scope = {.row = &row, .values = inquiry->scope.values, .arena = arena};
    bool nameless;
    return add_filtered(inquiry, query, &scope, &nameless) && !nameless;
}

static bool add_items(struct inquiry *inquiry, const struct legacy_parameter_query *query,
                      const json_t *json) {
    bool good = true;
    const char *name;
    json_t *item;
    for (size_t i = 0; good && json_is_array(json) && i < json_array_size(json); i++)
        good = add_item(inquiry, query, (struct sql_value){.kind = SQL_INTEGER, .integer = (int64_t)i},
                        json_array_get(json, i));
    json_object_foreach((json_t *)(uintptr_t)json, name, item) {
        struct sql_value key = {.kind = SQL_TEXT, .length = strlen(name)};
        key.text = arena_copy_text(inquiry->scope.arena, name);
        good = good && add_item(inquiry, query, key, item);
    }
    if (!json_is_array(json) && !json_is_object(json))
        good = add_item(inquiry, query, (struct sql_value){0}, json);
    return good;
}

static bool add_function(struct inquiry *inquiry, const struct legacy_parameter_query *query) {
    struct sql_value list;
    /* json_each(value): a column of its own is known only when it has been called */
    if (query->argument->sides & SIDE_ROW ||
        !sync_expression_evaluate(query->argument, &inquiry->scope, &list))
        return false;
    if (list.kind == SQL_NULL) /* a parameter that is not there is an error */
        return !list.absent;
    json_t *json = list.kind == SQL_TEXT ? json_parse(list.text, list.length, NULL) : NULL;
    if (!json)
        return false;
    json_t *items = sync_json_with_reals(json);
    size_t before = inquiry->count;
    bool good = add_items(inquiry, query, items);
    if (!good)
        inquiry->count = before;
    json_decref(items);
    json_decref(json);
    return good;
}

/* The values of one input; `valid` false: there are none, and so no keys. */
static bool input_values(const struct legacy_input *input, const struct sync_scope *scope,
                         struct legacy_texts *values, bool *valid) {
    const char *text = NULL;
    struct sql_value list;
    if (!input->expands) {
        if (!legacy_input_value(input, scope, &text))
            return false;
        *valid = text != NULL;
        if (text)
            legacy_texts_add(values, text);
        return true;
    }
    if (!sync_expression_evaluate(input->request, scope, &list))
        return false;
    json_t *json = list.kind == SQL_TEXT ? json_parse(list.text, list.length, NULL) : NULL;
    *valid = json_array_size(json) > 0;
    for (size_t i = 0; i < json_array_size(json); i++)
        legacy_texts_add(values, legacy_item_text(json_array_get(json, i), scope->arena));
    json_decref(json);
    return true;
}

static bool keys_of(struct inquiry *inquiry, const struct legacy_parameter_query *query,
                    struct legacy_texts *keys) {
    size_t count = query->inputs->count;
    struct legacy_texts *values = memory_allocate_array(count + 1, sizeof *values);
    bool good = true, valid = true;
    for (size_t i = 0; i < count; i++) /* an array without items ends it before other values are looked at */
        if (query->inputs->items[i].expands)
            good = good && input_values(&query->inputs->items[i], &inquiry->scope, &values[i], &valid);
    for (size_t i = 0; good && valid && i < count; i++) {
        bool one = true;
        if (!query->inputs->items[i].expands)
            good = input_values(&query->inputs->items[i], &inquiry->scope, &values[i], &one);
        valid = valid && one;
    }
    if (good && valid)
        good = legacy_product(
            legacy_lookup_prefix(inquiry->definition->name, query->number, inquiry->scope.arena), values,
            count, inquiry->scope.arena, keys);
    legacy_texts_free(values, count);
    return good;
}

static bool add_table(struct inquiry *inquiry, const struct legacy_parameter_query *query) {
    struct legacy_texts keys = {0};
    struct found found = {{0}, NULL};
    bool nameless;
    bool good = keys_of(inquiry, query, &keys) && look_up(inquiry, &keys, &found);
    for (size_t i = 0; good && i < found.tuples.count; i++) {
        json_t *tuple = json_parse(found.tuples.texts[i], strlen(found.tuples.texts[i]), NULL);
        good = add_row_bucket(inquiry, query, &inquiry->scope, tuple, &nameless);
        json_decref(tuple);
    }
    free(keys.texts);
    free(found.tuples.texts);
    return good;
}

static bool add_query(struct inquiry *inquiry, const struct legacy_parameter_query *query) {
    bool nameless;
    if (query->kind == PARAMETERS_TABLE)
        return add_table(inquiry, query);
    return query->kind == PARAMETERS_FUNCTION ? add_function(inquiry, query)
                                              : add_filtered(inquiry, query, &inquiry->scope, &nameless);
}

/* Streams */

/* Items that are booleans, arrays or objects do not count. */
static bool stream_values(const struct legacy_input *input, const struct sync_scope *scope,
                          struct legacy_texts *values) {
    bool valid;
    struct sql_value list;
    if (!input->expands)
        return input_values(input, scope, values, &valid);
    if (!sync_expression_evaluate(input->request, scope, &list))
        return false;
    if (list.kind != SQL_TEXT)
        return true;
    json_t *json = json_parse(list.text, list.length, NULL);
    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        if (json_is_string(item) || json_is_number(item) || json_is_null(item))
            legacy_texts_add(values, legacy_item_text(item, scope->arena));
    }
    bool good = json != NULL;
    json_decref(json);
    return good;
}

/* What the request alone decides. `possible` false: no bucket, whatever the subqueries give. */
static bool request_choices(const struct inquiry *inquiry, const struct legacy_variant *variant,
                            struct legacy_texts *choices, bool *possible) {
    bool good = true;
    *possible = true;
    for (size_t i = 0; good && *possible && i < variant->n_request_filters; i++) {
        struct sql_value value;
        good = sync_expression_evaluate(variant->request_filters[i], &inquiry->scope, &value);
        *possible = good && sql_value_is_true(&value);
    }
    for (size_t i = 0; good && *possible && i < variant->n_parameters; i++) {
        if (variant->parameters[i].kind != STREAM_REQUEST)
            continue;
        good = stream_values(&variant->parameters[i].input, &inquiry->scope, &choices[i]);
        *possible = choices[i].count > 0;
    }
    return good;
}

/* A subquery whose own conditions rule the request out is an error, as in the real service. */
static bool subquery_keys(const struct inquiry *inquiry, const struct legacy_subquery *subquery,
                          struct legacy_texts *keys) {
    size_t count = subquery->conditions.n_parameters;
    struct legacy_texts *choices = memory_allocate_array(count + 1, sizeof *choices);
    bool possible;
    bool good = request_choices(inquiry, &subquery->conditions, choices, &possible) && possible;
    const char *prefix =
        legacy_lookup_prefix(inquiry->definition->name, subquery->number, inquiry->scope.arena);
    good = good && legacy_product(prefix, choices, count, inquiry->scope.arena, keys);
    legacy_texts_free(choices, count);
    return good;
}

static bool ask_subquery(struct inquiry *inquiry, const struct legacy_texts *keys,
                         struct legacy_texts *results) {
    struct found found = {{0}, NULL};
    bool good = look_up(inquiry, keys, &found);
    for (size_t i = 0; good && i < found.tuples.count; i++) {
        json_t *tuple = json_parse(found.tuples.texts[i], strlen(found.tuples.texts[i]), NULL);
        legacy_texts_add(results, tuple_item(tuple, 0, inquiry->scope.arena));
        json_decref(tuple);
    }
    free(found.tuples.texts);
    return good;
}

static bool ask_subqueries(struct inquiry *inquiry, const struct legacy_variant *variant,
                           struct legacy_texts *results) {
    struct legacy_texts *keys = memory_allocate_array(variant->n_subqueries + 1, sizeof *keys);
    bool good = true;
    for (size_t i = 0; good && i < variant->n_subqueries; i++)
        good = subquery_keys(inquiry, &variant->subqueries[i], &keys[i]);
    for (size_t i = 0; good && i < variant->n_subqueries; i++)
        good = ask_subquery(inquiry, &keys[i], &results[i]);
    legacy_texts_free(keys, variant->n_subqueries);
    return good;
}

static void take_results(const struct legacy_variant *variant, const struct legacy_texts *results,
                         struct legacy_texts *choices) {
    for (size_t i = 0; i < variant->n_parameters; i++) {
        if (variant->parameters[i].kind == STREAM_REQUEST)
            continue;
        const struct legacy_texts *from = &results[variant->parameters[i].subquery];
        for (size_t j = 0; j < from->count; j++)
            legacy_texts_add(&choices[i], from->texts[j]);
    }
}

static bool add_names(struct inquiry *inquiry, const struct legacy_variant *variant, size_t number,
                      const struct legacy_texts *choices) {
    struct legacy_texts names = {0};
    bool good = legacy_product(prefix_of(inquiry, number), choices, variant->n_parameters,
                               inquiry->scope.arena, &names);
    for (size_t i = 0; good && i < names.count; i++)
        add_bucket(inquiry, names.texts[i], 3); /* a stream's own priority counts for nothing there */
    free(names.texts);
    return good;
}

static bool add_variant(struct inquiry *inquiry, size_t number) {
    const struct legacy_variant *variant = &inquiry->definition->variants[number];
    struct legacy_texts *choices = memory_allocate_array(variant->n_parameters + 1, sizeof *choices);
    struct legacy_texts *results = memory_allocate_array(variant->n_subqueries + 1, sizeof *results);
    bool possible;
    bool good = request_choices(inquiry, variant, choices, &possible);
    if (good && possible) {
        good = ask_subqueries(inquiry, variant, results);
        for (size_t i = 0; i < variant->n_exists; i++)
            possible = possible && results[variant->exists[i]].count > 0;
        take_results(variant, results, choices);
        good = good && (!possible || add_names(inquiry, variant, number, choices));
    }
    legacy_texts_free(choices, variant->n_parameters);
    legacy_texts_free(results, variant->n_subqueries);
    return good;
}

bool legacy_evaluate_request(const struct legacy_rules *rules, const struct legacy_definition *definition,
                             int number, const struct sync_request_values *values,
                             const struct lookup_source *lookups, struct arena *arena,
                             struct request_bucket **buckets, size_t *count, const char **reason) {
    struct inquiry inquiry = {.rules = rules,
                              .definition = definition,
                              .number = number,
                              .scope = {.values = values, .arena = arena},
                              .lookups = lookups};
    bool good = true;
    for (size_t i = 0; i < definition->n_parameter_queries && !inquiry.stopped; i++)
        good = add_query(&inquiry, &definition->parameter_queries[i]) && good;
    for (size_t i = 0; i < definition->n_variants && !inquiry.stopped; i++)
        good = add_variant(&inquiry, i) && good;
    *count = inquiry.stopped ? 0 : inquiry.count;
    *reason = good              ? NULL
              : inquiry.stopped ? "Too many parameter query results"
                                : "Error evaluating bucket ids";
    *buckets = arena_allocate(arena, (inquiry.count + 1) * sizeof **buckets);
    if (inquiry.count > 0)
        memcpy(*buckets, inquiry.buckets, inquiry.count * sizeof **buckets);
    free(inquiry.buckets);
    return good;
}

bool legacy_has_lookups(const struct legacy_definition *definition) {
    for (size_t i = 0; i < definition->n_parameter_queries; i++)
        if (definition->parameter_queries[i].kind == PARAMETERS_TABLE)
            return true;
    for (size_t i = 0; i < definition->n_variants; i++)
        if (definition->variants[i].n_subqueries > 0)
            return true;
    return false;
}
