#include "mock-powersync/config/sync_expression.h"

#include <assert.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

struct sync_expression *sync_expression_create(struct arena *arena, enum sync_expression_kind kind,
                                               const struct sync_text *sql, int offset, size_t n_arguments) {
    struct sync_expression *expression = arena_allocate(arena, sizeof *expression);
    expression->kind = kind;
    expression->sql = sql;
    expression->offset = offset;
    expression->n_arguments = n_arguments;
    expression->arguments = arena_allocate(arena, (n_arguments + 1) * sizeof(struct sync_expression *));
    return expression;
}

void sync_expression_set(struct sync_expression *expression, size_t index, struct sync_expression *argument) {
    assert(index < expression->n_arguments);
    expression->arguments[index] = argument;
    if (argument)
        expression->sides |= argument->sides;
}

static struct sql_value boolean(bool is_true) {
    return (struct sql_value){.kind = SQL_INTEGER, .integer = is_true};
}

static struct sql_value request_value(const struct sync_expression *expression,
                                      const struct sync_scope *scope) {
    assert(scope->values);
    const char *text = strcmp(expression->text, "auth") == 0         ? scope->values->auth
                       : strcmp(expression->text, "connection") == 0 ? scope->values->connection
                                                                     : scope->values->subscription;
    return (struct sql_value){.kind = SQL_TEXT, .text = text, .length = strlen(text)};
}

/* Both sides of AND and OR are always evaluated: an error in either is an error of the whole. */
static bool evaluate_logic(const struct sync_expression *expression, const struct sync_scope *scope,
                           struct sql_value *value) {
    bool is_and = expression->kind == EXPRESSION_AND;
    bool result = is_and;
    for (size_t i = 0; i < expression->n_arguments; i++) {
        struct sql_value argument;
        if (!sync_expression_evaluate(expression->arguments[i], scope, &argument))
            return false;
        bool is_true = sql_value_is_true(&argument);
        result = is_and ? result && is_true : result || is_true;
    }
    *value = boolean(expression->kind == EXPRESSION_NOT ? !result : result);
    return true;
}

/* CASE stops at the first branch that is taken. */
static bool evaluate_case(const struct sync_expression *expression, const struct sync_scope *scope,
                          struct sql_value *value) {
    struct sql_value operand = {0}, when;
    const struct sync_expression *subject = expression->arguments[0];
    if (subject && !sync_expression_evaluate(subject, scope, &operand))
        return false;
    for (size_t i = 1; i + 1 < expression->n_arguments; i += 2) {
        if (!sync_expression_evaluate(expression->arguments[i], scope, &when))
            return false;
        if (subject && operand.kind == SQL_BLOB && when.kind == SQL_BLOB)
            return false; /* as any comparison of them */
        bool taken = subject ? operand.kind != SQL_NULL && when.kind != SQL_NULL &&
                                   sql_value_compare(&operand, &when) == 0
                             : sql_value_is_true(&when);
        if (taken)
            return sync_expression_evaluate(expression->arguments[i + 1], scope, value);
    }
    const struct sync_expression *otherwise = expression->arguments[expression->n_arguments - 1];
    if (otherwise)
        return sync_expression_evaluate(otherwise, scope, value);
    *value = (struct sql_value){0};
    return true;
}

static bool evaluate_call(const struct sync_expression *expression, const struct sync_scope *scope,
                          struct sql_value *value) {
    struct sql_value *arguments =
        arena_allocate(scope->arena, (expression->n_arguments + 1) * sizeof *arguments);
    for (size_t i = 0; i < expression->n_arguments; i++)
        if (!sync_expression_evaluate(expression->arguments[i], scope, &arguments[i]))
            return false;
    *value = (struct sql_value){0};
    if (!expression->operation->run(arguments, expression->n_arguments, scope->arena, value))
        return false;
    return value->kind != SQL_REAL || isfinite(value->real); /* '1e999' as a number */
}

/* A column of a function's output or of the row. */
static struct sql_value column_value(const struct sync_expression *expression,
                                     const struct sync_scope *scope) {
    const struct sql_value *found = NULL;
    for (size_t i = 0; i < scope->n_each; i++) {
        const struct sync_each *each = &scope->each[i];
        if (each->source != expression->source)
            continue;
        found = strcmp(expression->text, "value") == 0 ? &each->value
                : strcmp(expression->text, "key") == 0 ? &each->key
                                                       : NULL;
        return found ? *found : (struct sql_value){.absent = true};
    }
    assert(scope->row);
    found = row_get(scope->row, expression->text);
    return found ? *found : (struct sql_value){.absent = true};
}

bool sync_expression_evaluate(const struct sync_expression *expression, const struct sync_scope *scope,
                              struct sql_value *value) {
    switch (expression->kind) {
    case EXPRESSION_LITERAL:
        *value = expression->literal;
        return true;
    case EXPRESSION_COLUMN:
        *value = column_value(expression, scope);
        return true;
    case EXPRESSION_REQUEST:
        *value = request_value(expression, scope);
        return true;
    case EXPRESSION_AND:
    case EXPRESSION_OR:
    case EXPRESSION_NOT:
        return evaluate_logic(expression, scope, value);
    case EXPRESSION_CASE:
        return evaluate_case(expression, scope, value);
    case EXPRESSION_CALL:
        return evaluate_call(expression, scope, value);
    case EXPRESSION_IN:
    case EXPRESSION_NOT_IN:
    case EXPRESSION_OVERLAP:
    case EXPRESSION_SUBQUERY:
    case EXPRESSION_NAMED:
        break;
    }
    assert(false); /* compiled away */
    return false;
}

json_t *sync_json_with_reals(const json_t *json) {
    if (json_is_number(json)) {
        double number = json_number_value(json);
        return json_real(number == 0 ? 0.0 : number); /* the sign of zero is lost, too */
    }
    json_t *copy = json_copy((json_t *)(uintptr_t)json);
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++)
            json_array_set_new(copy, i, sync_json_with_reals(json_array_get(json, i)));
    } else if (json_is_object(json)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)(uintptr_t)json, key, value) {
            json_object_set_new(copy, key, sync_json_with_reals(value));
        }
    }
    return copy;
}

static struct sync_each *collect(const json_t *json, const struct sync_source *source, struct arena *arena,
                                 size_t *count) {
    size_t size = json_is_array(json)    ? json_array_size(json)
                  : json_is_object(json) ? json_object_size(json)
                                         : 1;
    struct sync_each *rows = memory_allocate_array(size + 1, sizeof *rows);
    if (json_is_object(json)) {
        const char *key;
        json_t *item;
        json_object_foreach((json_t *)(uintptr_t)json, key, item) {
            struct sql_value name = {
                .kind = SQL_TEXT, .text = arena_copy_text(arena, key), .length = strlen(key)};
            rows[(*count)++] = (struct sync_each){source, name, sql_value_from_json_copy(item, arena)};
        }
        return rows;
    }
    for (size_t i = 0; i < size; i++) {
        bool list = json_is_array(json);
        struct sql_value position = {.kind = list ? SQL_INTEGER : SQL_NULL, .integer = (int64_t)i};
        const json_t *item = list ? json_array_get(json, i) : json;
        rows[(*count)++] = (struct sync_each){source, position, sql_value_from_json_copy(item, arena)};
    }
    return rows;
}

bool sync_expression_each(const struct sql_value *list, const struct sync_source *source, struct arena *arena,
                          struct sync_each **rows, size_t *count) {
    *rows = NULL;
    *count = 0;
    if (list->kind == SQL_NULL)
        return true;
    json_t *json = list->kind == SQL_TEXT ? json_parse(list->text, list->length, NULL) : NULL;
    if (!json)
        return false;
    json_t *items = sync_json_with_reals(json);
    *rows = collect(items, source, arena, count);
    json_decref(items);
    json_decref(json);
    return true;
}
