#include "mock-powersync/config/legacy_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"

const char *legacy_value_text(const struct sql_value *value, struct arena *arena) {
    if (value->kind == SQL_BLOB)
        return NULL;
    struct buffer text = {0};
    sql_value_append_parameter(&text, value);
    const char *copy = arena_copy_bytes(arena, buffer_text(&text), text.length);
    buffer_free(&text);
    return copy;
}

const char *legacy_item_text(const json_t *item, struct arena *arena) {
    if (json_is_number(item)) {
        struct sql_value value = {.kind = SQL_REAL, .real = json_number_value(item)};
        value.real = value.real == 0 ? 0.0 : value.real;
        return legacy_value_text(&value, arena);
    }
    json_t *reals = sync_json_with_reals(item);
    struct buffer text = {0};
    json_append(&text, reals);
    json_decref(reals);
    const char *copy = arena_copy_bytes(arena, buffer_text(&text), text.length);
    buffer_free(&text);
    return copy;
}

bool legacy_input_value(const struct legacy_input *input, const struct sync_scope *scope, const char **text) {
    struct sql_value value;
    if (!sync_expression_evaluate(input->request, scope, &value))
        return false;
    if (input->as_boolean)
        *text = sql_value_is_true(&value) ? "1" : "0";
    else
        *text = legacy_value_text(&value, scope->arena);
    return true;
}

static bool add(struct legacy_sets *sets, const struct legacy_set *set) {
    if (sets->count == LEGACY_SETS_MOST)
        return false;
    MEMORY_RESERVE(sets->sets, sets->capacity, sets->count + 1);
    sets->sets[sets->count++] = *set;
    return true;
}

static bool add_value(struct legacy_sets *sets, size_t input, const char *text) {
    struct legacy_set set = {{NULL}};
    set.values[input] = text;
    return add(sets, &set);
}

static bool add_items(struct legacy_sets *sets, size_t input, const struct sql_value *list,
                      struct arena *arena) {
    json_t *json = list->kind == SQL_TEXT ? json_parse(list->text, list->length, NULL) : NULL;
    bool good = json_is_array(json);
    for (size_t i = 0; good && i < json_array_size(json); i++)
        good = add_value(sets, input, legacy_item_text(json_array_get(json, i), arena));
    json_decref(json);
    return good;
}

static bool match_value(const struct legacy_match *match, const struct sync_scope *scope,
                        struct legacy_sets *sets) {
    static const struct legacy_set empty = {{NULL}};
    struct sql_value value;
    if (match->kind == MATCH_TRUE)
        return add_value(sets, match->input, "1");
    if (!sync_expression_evaluate(match->row, scope, &value))
        return false;
    if (match->kind == MATCH_FILTER)
        return !sql_value_is_true(&value) || add(sets, &empty);
    if (value.kind == SQL_BLOB)
        return match->kind != MATCH_EACH;
    if (match->kind == MATCH_EACH || match->kind == MATCH_OVERLAP)
        return (value.kind == SQL_NULL && match->kind == MATCH_EACH) ||
               add_items(sets, match->input, &value, scope->arena);
    if (value.kind == SQL_NULL && match->kind == MATCH_EQUAL)
        return true;
    return add_value(sets, match->input, legacy_value_text(&value, scope->arena));
}

/* Every set of one with every set of the other; where both have a value, the right one's counts, equal or
 * not: so does the real service. */
static bool join(struct legacy_sets *sets, const struct legacy_sets *left, const struct legacy_sets *right) {
    for (size_t i = 0; i < left->count; i++) {
        for (size_t j = 0; j < right->count; j++) {
            struct legacy_set both = left->sets[i];
            for (size_t k = 0; k < LEGACY_INPUTS_MOST; k++)
                if (right->sets[j].values[k])
                    both.values[k] = right->sets[j].values[k];
            if (!add(sets, &both))
                return false;
        }
    }
    return true;
}

bool legacy_match_row(const struct legacy_match *match, const struct sync_scope *scope,
                      struct legacy_sets *sets) {
    if (match->kind == MATCH_OR)
        return legacy_match_row(match->left, scope, sets) && legacy_match_row(match->right, scope, sets);
    if (match->kind != MATCH_AND)
        return match_value(match, scope, sets);
    struct legacy_sets left = {0}, right = {0};
    bool good = legacy_match_row(match->left, scope, &left) && legacy_match_row(match->right, scope, &right);
    good = good && join(sets, &left, &right);
    free(left.sets);
    free(right.sets);
    return good;
}
