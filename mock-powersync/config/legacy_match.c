#include "mock-powersync/config/legacy_match.h"

#include <math.h>
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

/* Numbers without a fraction as JavaScript prints them. */
static json_t *without_points(const json_t *json) {
    double number = json_number_value(json);
    if (json_is_number(json))
        return number == floor(number) && fabs(number) < 9e18 ? json_integer((json_int_t)number)
                                                              : json_real(number);
    json_t *copy = json_copy((json_t *)(uintptr_t)json);
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++)
            json_array_set_new(copy, i, without_points(json_array_get(json, i)));
    } else if (json_is_object(json)) {
        const char *key;
        json_t *item;
        json_object_foreach((json_t *)(uintptr_t)json, key, item) {
            json_object_set_new(copy, key, without_points(item));
        }
    }
    return copy;
}

const char *legacy_item_text(const json_t *item, struct arena *arena) {
    json_t *plain = without_points(item);
    struct buffer text = {0};
    json_append(&text, plain);
    json_decref(plain);
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

static void set_value(struct legacy_set *set, size_t input, const char *text) {
    if (!set->values[input])
        set->order[set->count++] = (unsigned char)input;
    set->values[input] = text;
}

static bool add_value(struct legacy_sets *sets, size_t input, const char *text) {
    struct legacy_set set = {.count = 0};
    set_value(&set, input, text);
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
    static const struct legacy_set empty = {.count = 0};
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

/* The number that JavaScript sees in a value when it compares it with a number; NAN: none. */
static double number_of(const char *text) {
    if (text[0] == 't' || text[0] == 'f')
        return text[0] == 't';
    if (text[0] != '"')
        return text[0] == 'n' ? NAN : strtod(text, NULL);
    const char *start = text + 1 + strspn(text + 1, " ");
    char *end;
    double number = *start == '"' ? 0 : strtod(start, &end);
    return *start == '"' || end[strspn(end, " ")] == '"' ? number : NAN;
}

/* JavaScript's ==. */
static bool is_loosely_equal(const char *left, const char *right) {
    if (strchr("[{", left[0]) || strchr("[{", right[0]))
        return false;
    if (left[0] == '"' && right[0] == '"')
        return strcmp(left, right) == 0;
    return strcmp(left, right) == 0 || number_of(left) == number_of(right);
}

/* Every set of one with every set of the other. Where both have a value for an input and these differ, the
 * real service still takes the set, with the left one's value, and forgets what else the right one has. */
static bool join(struct legacy_sets *sets, const struct legacy_sets *left, const struct legacy_sets *right) {
    for (size_t i = 0; i < left->count; i++) {
        for (size_t j = 0; j < right->count; j++) {
            struct legacy_set both = left->sets[i];
            const struct legacy_set *other = &right->sets[j];
            for (size_t k = 0; k < other->count; k++) {
                size_t input = other->order[k];
                if (both.values[input] && !is_loosely_equal(both.values[input], other->values[input]))
                    break;
                set_value(&both, input, other->values[input]);
            }
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
