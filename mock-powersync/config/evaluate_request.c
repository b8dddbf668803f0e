#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/config/legacy.h"

/* How many buckets, or keys of a lookup, one querier can come to. */
enum { COMBINATIONS_MOST = 10000 };

/* A row that a lookup found. Values that stem from different rows of one set do not go together. */
struct origin {
    size_t set, row;
};

/* One value of a parameter, with the rows that it comes from. */
struct choice {
    struct sql_value value;
    const struct origin *origins;
    size_t n_origins;
    bool has_row; /* it is a column of this row of several columns: */
    struct origin row;
};

struct choices {
    struct choice *items;
    size_t count, capacity;
};

/* What a lookup found: rows of as many values as it has outputs. */
struct found {
    struct choice *values;
    size_t capacity;
    size_t n_rows;
    bool done;
};

struct evaluation {
    const struct plan_querier *querier;
    const struct sync_scope *scope;
    const struct lookup_source *lookups;
    struct found *found;
    size_t n_sets;
    bool stopped; /* a limit was exceeded */
};

static bool is_nameless(const struct sql_value *value) {
    return value->kind == SQL_NULL || value->kind == SQL_BLOB;
}

/* As in JavaScript an integer of a row and a number of a request are not the same. */
static bool is_identical(const struct sql_value *a, const struct sql_value *b) {
    return a->kind == b->kind && sql_value_compare(a, b) == 0;
}

static struct choice *add_choice(struct choices *choices, struct choice choice) {
    MEMORY_RESERVE(choices->items, choices->capacity, choices->count + 1);
    choices->items[choices->count] = choice;
    return &choices->items[choices->count++];
}

static void free_choices(struct choices *choices, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(choices[i].items);
    free(choices);
}

/* Intersections */

/* What is known of a row while its values are compared. */
struct row_state {
    struct origin row;
    struct sql_value value;
    bool has_value;
    bool done; /* it has been counted, or its values contradict each other */
};

struct intersection {
    struct row_state *states;
    size_t n_states, states_capacity;
    struct choices values; /* all of them, of equal value one after the other */
};

static struct row_state *state_of(struct intersection *intersection, struct origin row) {
    for (size_t i = 0; i < intersection->n_states; i++)
        if (intersection->states[i].row.set == row.set && intersection->states[i].row.row == row.row)
            return &intersection->states[i];
    MEMORY_RESERVE(intersection->states, intersection->states_capacity, intersection->n_states + 1);
    struct row_state *state = &intersection->states[intersection->n_states++];
    *state = (struct row_state){.row = row};
    return state;
}

/* JavaScript's ==, by which the real service compares the columns of one row: a text equals the number that
 * it says. */
static bool is_loosely_equal(const struct sql_value *a, const struct sql_value *b) {
    if ((a->kind == SQL_TEXT) == (b->kind == SQL_TEXT))
        return sql_value_compare(a, b) == 0;
    const struct sql_value *text = a->kind == SQL_TEXT ? a : b, *number = a->kind == SQL_TEXT ? b : a;
    const char *digits = number->kind == SQL_INTEGER ? "+-0123456789" : "+-.eE0123456789";
    char *end;
    if (strspn(text->text, digits) != text->length)
        return false;
    struct sql_value said = {.kind = SQL_REAL, .real = strtod(text->text, &end)};
    return !*end && sql_value_compare(&said, number) == 0;
}

/* A row whose columns differ has no common value. */
static void note_row(struct intersection *intersection, const struct choice *choice) {
    if (!choice->has_row)
        return;
    struct row_state *state = state_of(intersection, choice->row);
    if (state->has_value && !is_loosely_equal(&state->value, &choice->value))
        state->done = true;
    state->value = choice->value;
    state->has_value = true;
}

static bool is_skipped(struct intersection *intersection, const struct choice *choice) {
    if (!choice->has_row)
        return false;
    const struct row_state *state = state_of(intersection, choice->row);
    return state->done || (state->has_value && !is_loosely_equal(&state->value, &choice->value));
}

static bool has_value(const struct choices *choices, const struct sql_value *value, size_t *behind) {
    bool found = false;
    for (size_t i = 0; i < choices->count; i++)
        if (is_identical(&choices->items[i].value, value)) {
            found = true;
            *behind = i + 1;
        }
    return found;
}

static void insert_choice(struct choices *choices, size_t at, struct choice choice) {
    choice.has_row = false;
    add_choice(choices, choice);
    memmove(&choices->items[at + 1], &choices->items[at], (choices->count - 1 - at) * sizeof *choices->items);
    choices->items[at] = choice;
}

static void add_first(struct intersection *intersection, const struct choices *column) {
    for (size_t i = 0; i < column->count; i++) {
        const struct choice *choice = &column->items[i];
        size_t at = intersection->values.count;
        if (is_skipped(intersection, choice))
            continue;
        has_value(&intersection->values, &choice->value, &at);
        insert_choice(&intersection->values, at, *choice);
        for (size_t j = 0; j < choice->n_origins; j++)
            state_of(intersection, choice->origins[j])->done = true;
    }
}

static void add_next(struct intersection *intersection, const struct choices *column) {
    struct choices *values = &intersection->values;
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < values->count; i++) {
        size_t unused;
        if (has_value(column, &values->items[i].value, &unused))
            values->items[kept++] = values->items[i];
    }
    values->count = kept;
    for (size_t i = 0; i < column->count; i++)
        if (has_value(values, &column->items[i].value, &at) && !is_skipped(intersection, &column->items[i]))
            insert_choice(values, at, column->items[i]);
}

/* What all columns have in common. A value is there once for every way to it, as in the real service: reasons
 * show it. */
static struct choices intersect(const struct choices *columns, size_t count) {
    struct intersection intersection = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < columns[i].count; j++)
            note_row(&intersection, &columns[i].items[j]);
    for (size_t i = 0; i < count; i++) {
        if (i == 0)
            add_first(&intersection, &columns[i]);
        else
            add_next(&intersection, &columns[i]);
        if (intersection.values.count == 0)
            break;
    }
    free(intersection.states);
    return intersection.values;
}

/* Parameters */

static bool choices_of(struct evaluation *evaluation, const struct plan_value *value,
                       struct choices *choices);

static bool choices_in_common(struct evaluation *evaluation, const struct plan_value *value,
                              struct choices *choices) {
    struct choices *columns = memory_allocate_array(value->n_values, sizeof *columns);
    bool good = true;
    size_t total = 0;
    for (size_t i = 0; i < value->n_values && good; i++) {
        good = choices_of(evaluation, &value->values[i], &columns[i]);
        total += columns[i].count;
    }
    good = good && total <= COMBINATIONS_MOST;
    if (good)
        *choices = intersect(columns, value->n_values);
    free_choices(columns, value->n_values);
    return good;
}

/* False: evaluating failed. */
static bool choices_of(struct evaluation *evaluation, const struct plan_value *value,
                       struct choices *choices) {
    struct sql_value found;
    if (value->kind == PLAN_INTERSECTION)
        return choices_in_common(evaluation, value, choices);
    if (value->kind == PLAN_REQUEST) {
        if (!sync_expression_evaluate(value->expression, evaluation->scope, &found))
            return false;
        if (!is_nameless(&found))
            add_choice(choices, (struct choice){.value = found});
        return true;
    }
    const struct plan_lookup *lookup = &evaluation->querier->lookups[value->lookup];
    const struct found *rows = &evaluation->found[value->lookup];
    assert(rows->done);
    for (size_t i = 0; i < rows->n_rows; i++)
        add_choice(choices, rows->values[i * lookup->n_outputs + value->output]);
    return true;
}

/* Combinations */

struct combiner {
    const struct choices *choices; /* of each parameter */
    size_t n_parameters;
    const struct choice **chosen;
    struct origin *used; /* rows that the choices so far come from */
    size_t n_used, used_capacity;
    size_t count;
    void (*use)(void *context, const struct choice *const *chosen, size_t count);
    void *context;
};

/* False: it is of another row than what is chosen already. */
static bool take_rows(struct combiner *combiner, const struct choice *choice) {
    for (size_t i = 0; i < choice->n_origins; i++) {
        struct origin origin = choice->origins[i];
        size_t j = 0;
        while (j < combiner->n_used && combiner->used[j].set != origin.set)
            j++;
        if (j < combiner->n_used && combiner->used[j].row != origin.row)
            return false;
        if (j < combiner->n_used)
            continue;
        MEMORY_RESERVE(combiner->used, combiner->used_capacity, combiner->n_used + 1);
        combiner->used[combiner->n_used++] = origin;
    }
    return true;
}

/* Every combination of choices whose rows go together. False: too many. */
static bool combine_from(struct combiner *combiner, size_t parameter) {
    if (parameter == combiner->n_parameters) {
        combiner->use(combiner->context, combiner->chosen, combiner->n_parameters);
        return ++combiner->count <= COMBINATIONS_MOST;
    }
    bool good = true;
    for (size_t i = 0; i < combiner->choices[parameter].count && good; i++) {
        size_t before = combiner->n_used;
        combiner->chosen[parameter] = &combiner->choices[parameter].items[i];
        if (take_rows(combiner, combiner->chosen[parameter]))
            good = combine_from(combiner, parameter + 1);
        combiner->n_used = before;
    }
    return good;
}

static bool combine(struct evaluation *evaluation, const struct plan_value *values, size_t count,
                    void (*use)(void *context, const struct choice *const *chosen, size_t count),
                    void *context) {
    struct choices *choices = memory_allocate_array(count + 1, sizeof *choices);
    struct combiner combiner = {.choices = choices, .n_parameters = count, .use = use, .context = context};
    combiner.chosen = memory_allocate_array(count + 1, sizeof *combiner.chosen);
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = choices_of(evaluation, &values[i], &choices[i]);
    good = good && combine_from(&combiner, 0);
    free_choices(choices, count);
    free(combiner.chosen);
    free(combiner.used);
    return good;
}

/* Lookups */

static struct choice *add_row(struct found *found, size_t n_outputs) {
    MEMORY_RESERVE(found->values, found->capacity, (found->n_rows + 1) * n_outputs + 1);
    struct choice *row = found->values + found->n_rows * n_outputs;
    memset(row, 0, n_outputs * sizeof *row);
    found->n_rows++;
    return row;
}

static bool passes(const struct sync_expression *const *filters, size_t count, const struct sync_scope *scope,
                   bool *good) {
    for (size_t i = 0; i < count; i++) {
        struct sql_value value;
        *good = sync_expression_evaluate(filters[i], scope, &value);
        if (!*good || !sql_value_is_true(&value))
            return false;
    }
    return true;
}

/* One output row of a function of the request. */
static bool add_function_row(struct evaluation *evaluation, const struct plan_lookup *lookup,
                             const struct sync_each *each, struct origin origin, struct found *found) {
    struct sync_scope scope = *evaluation->scope;
    scope.each = each;
    scope.n_each = 1;
    bool good = true;
    if (!passes(lookup->filters, lookup->n_filters, &scope, &good))
        return good;
    struct sql_value *values = arena_allocate(scope.arena, (lookup->n_outputs + 1) * sizeof *values);
    for (size_t i = 0; i < lookup->n_outputs; i++)
        if (!sync_expression_evaluate(lookup->outputs[i], &scope, &values[i]))
            return false;
    for (size_t i = 0; i < lookup->n_outputs; i++)
        if (is_nameless(&values[i]))
            return true;
    struct origin *kept = arena_allocate(scope.arena, sizeof *kept);
    *kept = (struct origin){origin.set, found->n_rows};
    struct choice *row = add_row(found, lookup->n_outputs);
    for (size_t i = 0; i < lookup->n_outputs; i++)
        row[i] = (struct choice){values[i], kept, 1, true, *kept};
    return true;
}

static bool call_function(struct evaluation *evaluation, const struct plan_lookup *lookup,
                          struct found *found) {
    struct sql_value list;
    struct sync_each *rows = NULL;
    size_t count = 0;
    struct origin origin = {.set = evaluation->n_sets++};
    const struct plan_function *function = &lookup->function;
    bool good = sync_expression_evaluate(function->arguments[0], evaluation->scope, &list) &&
                sync_expression_each(&list, function->source, evaluation->scope->arena, &rows, &count);
    for (size_t i = 0; i < count && good; i++)
        good = add_function_row(evaluation, lookup, &rows[i], origin, found);
    free(rows);
    found->done = true;
    return good;
}

/* A key that is looked up, and all ways to it. */
struct wanted {
    char *key;
    size_t key_length;
    struct way {
        struct origin *origins;
        size_t n_origins;
        size_t set;
    } * ways;
    size_t n_ways, capacity;
};

struct lookup_call {
    struct evaluation *evaluation;
    const struct plan_lookup *lookup;
    struct map index; /* exact values -> struct wanted */
    struct found *found;
    const struct wanted *wanted; /* that is being looked up */
    struct choice *rows;         /* of it, without origins */
    size_t n_rows, rows_capacity;
};

static void append_exact(struct buffer *out, const struct sql_value *value) {
    buffer_append_char(out, (char)('0' + (int)value->kind));
    sql_value_append_parameter(out, value);
}

static void want(void *context, const struct choice *const *chosen, size_t count) {
    struct lookup_call *call = context;
    struct arena *arena = call->evaluation->scope->arena;
    struct buffer exact = {0}, key = {0};
    size_t n_origins = 0;
    buffer_append_integer(&key, (int64_t)call->lookup->index);
    for (size_t i = 0; i < count; i++) {
        buffer_append_char(&key, i > 0 ? ',' : '[');
        sql_value_append_parameter(&key, &chosen[i]->value);
        append_exact(&exact, &chosen[i]->value);
        n_origins += chosen[i]->n_origins;
    }
    buffer_append_text(&key, count > 0 ? "]" : "[]");
    struct wanted *wanted = map_get_bytes(&call->index, buffer_text(&exact), exact.length);
    if (!wanted) {
        wanted = memory_allocate(sizeof *wanted);
        wanted->key_length = key.length;
        wanted->key = buffer_take(&key);
        map_set_bytes(&call->index, buffer_text(&exact), exact.length, wanted);
    }
    buffer_free(&exact);
    buffer_free(&key);
    MEMORY_RESERVE(wanted->ways, wanted->capacity, wanted->n_ways + 1);
    struct way *way = &wanted->ways[wanted->n_ways++];
    *way = (struct way){arena_allocate(arena, (n_origins + 1) * sizeof *way->origins), 0,
                        call->evaluation->n_sets++};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < chosen[i]->n_origins; j++)
            way->origins[way->n_origins++] = chosen[i]->origins[j];
}

static void free_wanted(void *value) {
    struct wanted *wanted = value;
    free(wanted->key);
    free(wanted->ways);
    free(wanted);
}

static void take_tuple(void *context, const char *tuple, size_t length) {
    struct lookup_call *call = context;
    size_t n_outputs = call->lookup->n_outputs;
    json_t *json = json_parse(tuple, length, NULL);
    assert(json_array_size(json) == n_outputs);
    MEMORY_RESERVE(call->rows, call->rows_capacity, (call->n_rows + 1) * n_outputs + 1);
    for (size_t i = 0; i < n_outputs; i++)
        call->rows[call->n_rows * n_outputs + i] = (struct choice){
            .value = sql_value_from_json_copy(json_array_get(json, i), call->evaluation->scope->arena)};
    call->n_rows++;
    json_decref(json);
}

/* The found rows once for each way to their key. Columns of one row only go together; of a row of one column
 * nothing needs to be known. */
static void add_found_rows(struct lookup_call *call) {
    struct arena *arena = call->evaluation->scope->arena;
    size_t n_outputs = call->lookup->n_outputs;
    for (size_t i = 0; i < call->wanted->n_ways; i++) {
        const struct way *way = &call->wanted->ways[i];
        for (size_t j = 0; j < call->n_rows; j++) {
            struct choice *row = add_row(call->found, n_outputs);
            struct choice made = {.origins = way->origins, .n_origins = way->n_origins};
            if (n_outputs > 1) {
                struct origin *origins = arena_allocate(arena, (way->n_origins + 1) * sizeof *origins);
                memcpy(origins, way->origins, way->n_origins * sizeof *origins);
                origins[way->n_origins] = (struct origin){way->set, j};
                made = (struct choice){.origins = origins,
                                       .n_origins = way->n_origins + 1,
                                       .has_row = true,
                                       .row = origins[way->n_origins]};
            }
            for (size_t k = 0; k < n_outputs; k++) {
                row[k] = made;
                row[k].value = call->rows[j * n_outputs + k].value;
            }
        }
    }
}

static bool look_up(struct evaluation *evaluation, size_t position) {
    const struct plan_lookup *lookup = &evaluation->querier->lookups[position];
    struct lookup_call call = {
        .evaluation = evaluation, .lookup = lookup, .found = &evaluation->found[position]};
    bool good = combine(evaluation, lookup->inputs, lookup->n_inputs, want, &call);
    struct map_entry *entry;
    for (size_t i = 0; good && (entry = map_next(&call.index, &i));) {
        call.wanted = entry->value;
        call.n_rows = 0;
        const struct lookup_source *source = evaluation->lookups;
        good = source->find(source->context, call.wanted->key, call.wanted->key_length, take_tuple, &call);
        evaluation->stopped = !good;
        if (good)
            add_found_rows(&call);
    }
    call.found->done = true;
    map_free(&call.index, free_wanted);
    free(call.rows);
    return good;
}

/* Functions of the request first: where one of them gives nothing, nothing is looked up. `empty`: some lookup
 * found nothing. */
static bool make_lookups(struct evaluation *evaluation, bool *empty) {
    const struct plan_querier *querier = evaluation->querier;
    for (size_t i = 0; i < querier->n_lookups; i++) {
        if (!querier->lookups[i].is_function)
            continue;
        if (!call_function(evaluation, &querier->lookups[i], &evaluation->found[i]))
            return false;
        *empty = *empty || evaluation->found[i].n_rows == 0;
    }
    for (size_t i = 0; i < querier->n_lookups && !*empty; i++)
        if (!querier->lookups[i].is_function && !look_up(evaluation, i))
            return false;
    for (size_t i = 0; i < querier->n_lookups; i++)
        *empty = *empty || evaluation->found[i].n_rows == 0;
    return true;
}

/* Buckets */

struct names {
    struct request_bucket *items;
    size_t count, capacity;
    const char *prefix;
    int priority;
    struct arena *arena;
};

static void add_name(void *context, const struct choice *const *chosen, size_t count) {
    struct names *names = context;
    struct buffer name = {0};
    buffer_append_text(&name, names->prefix);
    buffer_append_char(&name, '[');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buffer_append_char(&name, ',');
        sql_value_append_parameter(&name, &chosen[i]->value);
    }
    buffer_append_char(&name, ']');
    MEMORY_RESERVE(names->items, names->capacity, names->count + 1);
    names->items[names->count++] =
        (struct request_bucket){arena_copy_bytes(names->arena, name.data, name.length), names->priority};
    buffer_free(&name);
}

static bool evaluate_querier(struct evaluation *evaluation, struct names *names) {
    const struct plan_querier *querier = evaluation->querier;
    bool good = true, empty = false;
    if (!passes(querier->filters, querier->n_filters, evaluation->scope, &good))
        return good;
    evaluation->found = memory_allocate_array(querier->n_lookups + 1, sizeof *evaluation->found);
    good = make_lookups(evaluation, &empty) &&
           (empty || combine(evaluation, querier->values, querier->n_values, add_name, names));
    for (size_t i = 0; i < querier->n_lookups; i++)
        free(evaluation->found[i].values);
    free(evaluation->found);
    return good;
}

bool evaluate_request(const struct sync_stream_definition *stream, int number,
                      const struct sync_request_values *values, const struct lookup_source *lookups,
                      struct arena *arena, struct request_bucket **buckets, size_t *count,
                      const char **reason) {
    if (stream->legacy)
        return legacy_evaluate_request(stream->rules, stream->legacy, number, values, lookups, arena, buckets,
                                       count, reason);
    struct sync_scope scope = {.values = values, .arena = arena};
    struct names names = {.arena = arena};
    struct evaluation evaluation = {.scope = &scope, .lookups = lookups};
    bool good = true;
    assert(lookups || !sync_stream_has_lookups(stream));
    for (size_t i = 0; i < stream->n_queriers && !evaluation.stopped; i++) {
        const struct plan_querier *querier = &stream->queriers[i];
        const char *family = stream->plan->buckets[querier->bucket].name;
        size_t before = names.count;
        evaluation.querier = querier;
        names.prefix = arena_format(arena, "%d#%s", number, family);
        names.priority = stream->priority;
        if (!evaluate_querier(&evaluation, &names)) {
            names.count = evaluation.stopped ? 0 : before;
            good = false;
        }
    }
    *count = names.count;
    *buckets = arena_allocate(arena, (names.count + 1) * sizeof **buckets);
    if (names.count > 0)
        memcpy(*buckets, names.items, names.count * sizeof **buckets);
    free(names.items);
    *reason = good                 ? NULL
              : evaluation.stopped ? "Too many parameter query results"
                                   : "Error evaluating bucket ids";
    return good;
}

bool sync_stream_has_lookups(const struct sync_stream_definition *stream) {
    if (stream->legacy)
        return legacy_has_lookups(stream->legacy);
    for (size_t i = 0; i < stream->n_queriers; i++)
        for (size_t j = 0; j < stream->queriers[i].n_lookups; j++)
            if (!stream->queriers[i].lookups[j].is_function)
                return true;
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
