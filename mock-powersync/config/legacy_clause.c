#include "mock-powersync/config/legacy_clause.h"

#include <stdio.h>
#include <string.h>

#include "mock-powersync/config/legacy_operation.h"

static void *refuse(const struct legacy_tools *tools, int offset, const char *reason) {
    sync_text_refuse(tools->text, offset, tools->error, "%s", reason);
    return NULL;
}

static void *refuse_hard(const struct legacy_tools *tools, int offset, const char *reason) {
    if (tools->hard)
        *tools->hard = true;
    return refuse(tools, offset, reason);
}

static struct legacy_clause *clause_of(const struct legacy_tools *tools, struct sync_expression *expression,
                                       bool of_row, bool of_request) {
    struct legacy_clause *clause = arena_allocate(tools->arena, sizeof *clause);
    *clause = (struct legacy_clause){.expression = expression, .of_row = of_row, .of_request = of_request};
    return clause;
}

static struct legacy_clause *constant(const struct legacy_tools *tools, struct sql_value value, int offset) {
    struct sync_expression *literal =
        sync_expression_create(tools->arena, EXPRESSION_LITERAL, tools->text, offset, 0);
    literal->literal = value;
    struct legacy_clause *clause = clause_of(tools, literal, true, true);
    clause->is_constant = true;
    return clause;
}

static bool reads_request(const struct legacy_tools *tools) {
    return tools->place != LEGACY_DATA;
}

/* Operations */

/* The value of a constant is known at once; one that cannot be had is refused. */
static struct legacy_clause *folded(const struct legacy_tools *tools, struct sync_expression *expression) {
    struct sync_scope scope = {.arena = tools->arena};
    struct sql_value value = {0};
    if (!sync_expression_evaluate(expression, &scope, &value))
        return refuse_hard(tools, expression->offset, "this constant cannot be evaluated");
    return constant(tools, value, expression->offset);
}

/* An operation over clauses of one side. */
static struct legacy_clause *compose(const struct legacy_tools *tools, const struct sync_operation *operation,
                                     struct legacy_clause *const *arguments, size_t count, int offset) {
    bool of_row = true, of_request = true;
    struct sync_expression *call = sync_expression_create(tools->arena, EXPRESSION_CALL, tools->text, offset,
                                                          operation->least > count  ? operation->least
                                                          : count > operation->most ? operation->most
                                                                                    : count);
    call->operation = operation;
    for (size_t i = 0; i < call->n_arguments; i++)
        if (i >= count)
            sync_expression_set(call, i,
                                constant(tools, (struct sql_value){.absent = true}, offset)->expression);
    bool is_constant = true;
    for (size_t i = 0; i < count; i++) {
        if (arguments[i]->match)
            return refuse(tools, offset, "a match with parameters cannot be used as a value");
        if (!arguments[i]->of_row && !reads_request(tools))
            return refuse(tools, offset, "bucket parameters cannot be used in expressions");
        of_row = of_row && arguments[i]->of_row;
        of_request = of_request && arguments[i]->of_request;
        is_constant = is_constant && arguments[i]->is_constant;
        if (!of_row && !of_request)
            return refuse(tools, offset,
                          "values of the table and parameters cannot be used in one expression");
        if (i < call->n_arguments)
            sync_expression_set(call, i, arguments[i]->expression);
    }
    return is_constant ? folded(tools, call) : clause_of(tools, call, of_row, of_request);
}

static struct legacy_clause *compose_two(const struct legacy_tools *tools, const char *name,
                                         struct legacy_clause *left, struct legacy_clause *right,
                                         int offset) {
    struct legacy_clause *arguments[2] = {left, right};
    return compose(tools, legacy_operation_operator(name, tools->fixed_json), arguments, 2, offset);
}

static struct sync_expression *logic(const struct legacy_tools *tools, enum sync_expression_kind kind,
                                     struct sync_expression *left, struct sync_expression *right) {
    struct sync_expression *expression =
        sync_expression_create(tools->arena, kind, tools->text, left->offset, right ? 2 : 1);
    sync_expression_set(expression, 0, left);
    if (right)
        sync_expression_set(expression, 1, right);
    return expression;
}

struct legacy_clause *legacy_clause_not(const struct legacy_tools *tools, struct legacy_clause *operand,
                                        int offset) {
    if (operand->match)
        return refuse(tools, offset, "NOT of a match with parameters is not supported");
    if (!operand->of_row && !reads_request(tools))
        return refuse(tools, offset, "bucket parameters cannot be used in expressions");
    struct sync_expression *expression = logic(tools, EXPRESSION_NOT, operand->expression, NULL);
    return operand->is_constant ? folded(tools, expression)
                                : clause_of(tools, expression, operand->of_row, operand->of_request);
}

/* Matches */

static void append_key(struct buffer *out, const struct sync_expression *expression) {
    buffer_printf(out, "(%d", (int)expression->kind);
    if (expression->kind == EXPRESSION_LITERAL) {
        buffer_printf(out, ":%d:", (int)expression->literal.kind);
        sql_value_append_parameter(out, &expression->literal);
    }
    if (expression->text)
        buffer_append_json_text(out, expression->text);
    if (expression->operation)
        buffer_append_text(out, expression->operation->name);
    for (size_t i = 0; i < expression->n_arguments; i++)
        append_key(out, expression->arguments[i]);
    buffer_append_char(out, ')');
}

static char *key_of(const struct legacy_tools *tools, const struct sync_expression *expression,
                    bool expands) {
    struct buffer text = {0};
    append_key(&text, expression);
    buffer_append_text(&text, expands ? "[*]" : "");
    char *key = arena_copy_bytes(tools->arena, buffer_text(&text), text.length);
    buffer_free(&text);
    return key;
}

static struct legacy_match *match_of(const struct legacy_tools *tools, enum legacy_match_kind kind,
                                     const struct sync_expression *row) {
    struct legacy_match *match = arena_allocate(tools->arena, sizeof *match);
    *match = (struct legacy_match){.kind = kind, .row = row};
    return match;
}

/* A match on one input, which others may share. NULL: too many. */
static struct legacy_match *match_input(const struct legacy_tools *tools, enum legacy_match_kind kind,
                                        const struct sync_expression *row, struct legacy_input input,
                                        int offset) {
    input.key = key_of(tools, input.request, input.expands);
    struct legacy_inputs *inputs = tools->inputs;
    size_t i = 0;
    while (i < inputs->count && strcmp(inputs->items[i].key, input.key) != 0)
        i++;
    if (i == LEGACY_INPUTS_MOST)
        return refuse(tools, offset, "the query uses too many parameters");
    inputs->items[i] = input;
    inputs->count = i == inputs->count ? i + 1 : inputs->count;
    struct legacy_match *match = match_of(tools, kind, row);
    match->input = i;
    match->inputs = UINT64_C(1) << i;
    match->unbounded = kind == MATCH_EACH;
    return match;
}

static struct legacy_clause *match_clause(const struct legacy_tools *tools, struct legacy_match *match) {
    struct legacy_clause *clause = arena_allocate(tools->arena, sizeof *clause);
    clause->match = match;
    return match ? clause : NULL;
}

struct legacy_clause *legacy_clause_equal(const struct legacy_tools *tools, struct legacy_clause *row,
                                          struct legacy_clause *request, int offset) {
    struct legacy_input input = {.request = request->expression};
    return match_clause(tools, match_input(tools, MATCH_EQUAL, row->expression, input, offset));
}

struct legacy_match *legacy_clause_match(const struct legacy_tools *tools, struct legacy_clause *clause,
                                         int offset) {
    if (clause->match)
        return clause->match;
    if (clause->of_row)
        return match_of(tools, MATCH_FILTER, clause->expression);
    struct legacy_input input = {.request = clause->expression, .as_boolean = true};
    return match_input(tools, MATCH_TRUE, NULL, input, offset);
}

static struct legacy_clause *match_both(const struct legacy_tools *tools, bool is_and,
                                        struct legacy_clause *left, struct legacy_clause *right, int offset) {
    struct legacy_match *a = legacy_clause_match(tools, left, offset);
    struct legacy_match *b = a ? legacy_clause_match(tools, right, offset) : NULL;
    if (!b)
        return NULL;
    if (is_and && a->unbounded && b->unbounded)
        return refuse(tools, offset, "several IN on arrays of the row are not supported");
    if (!is_and && a->inputs != b->inputs)
        return refuse(tools, offset,
                      "both sides of OR must use the same parameters; write separate queries otherwise");
    struct legacy_match *both = match_of(tools, is_and ? MATCH_AND : MATCH_OR, NULL);
    both->left = a;
    both->right = b;
    both->inputs = a->inputs | b->inputs;
    both->unbounded = a->unbounded || b->unbounded;
    return match_clause(tools, both);
}

struct legacy_clause *legacy_clause_combine(const struct legacy_tools *tools, bool is_and,
                                            struct legacy_clause *left, struct legacy_clause *right) {
    bool of_row = left->of_row && right->of_row;
    if (left->match || right->match || (!of_row && !(left->of_request && right->of_request)))
        return NULL;
    struct sync_expression *both =
        logic(tools, is_and ? EXPRESSION_AND : EXPRESSION_OR, left->expression, right->expression);
    return clause_of(tools, both, of_row, !of_row); /* of two constants, too */
}

/* True when both are of one side, as far as the place knows that side. */
static bool composes(const struct legacy_tools *tools, const struct legacy_clause *left,
                     const struct legacy_clause *right) {
    if (left->of_row && right->of_row)
        return true;
    return left->of_request && right->of_request && reads_request(tools);
}

struct legacy_clause *legacy_clause_membership(const struct legacy_tools *tools, bool overlap,
                                               struct legacy_clause *left, struct legacy_clause *right,
                                               int offset) {
    if (left->match || right->match)
        return refuse(tools, offset, "a match with parameters cannot be used as a value");
    if (composes(tools, left, right))
        return compose_two(tools, overlap ? "&&" : "in ", left, right, offset);
    struct legacy_input input = {.request = left->expression};
    if (left->of_request && right->of_row)
        return match_clause(tools, match_input(tools, MATCH_EACH, right->expression, input, offset));
    bool expands = tools->place == LEGACY_STREAM || (tools->place == LEGACY_PARAMETERS && tools->table);
    if (!expands || !left->of_row || !right->of_request)
        return refuse(tools, offset, "an array of parameters cannot be on the right of IN here");
    input = (struct legacy_input){.request = right->expression, .expands = true};
    return match_clause(
        tools, match_input(tools, overlap ? MATCH_OVERLAP : MATCH_MEMBER, left->expression, input, offset));
}

/* Names */

void legacy_clause_settle(const struct legacy_tools *tools, const struct legacy_match *match) {
    if (match->kind == MATCH_AND || match->kind == MATCH_OR) {
        legacy_clause_settle(tools, match->left);
        legacy_clause_settle(tools, match->right);
    } else if (match->kind != MATCH_FILTER) {
        tools->inputs->items[match->input].as_boolean = match->kind == MATCH_TRUE;
    }
}

bool legacy_clause_is_column(const struct legacy_tools *tools, const struct sync_expression *expression) {
    return expression && expression->kind == EXPRESSION_COLUMN && tools->table &&
           (!expression->qualifier || strcmp(expression->qualifier, tools->table) == 0);
}

static struct sync_expression *copied_column(const struct legacy_tools *tools,
                                             const struct sync_expression *column) {
    struct sync_expression *copy =
        sync_expression_create(tools->arena, EXPRESSION_COLUMN, tools->text, column->offset, 0);
    copy->text = column->text;
    copy->sides = SIDE_ROW;
    return copy;
}

static struct sync_expression *request_text(const struct legacy_tools *tools, const char *schema,
                                            int offset) {
    struct sync_expression *request =
        sync_expression_create(tools->arena, EXPRESSION_REQUEST, tools->text, offset, 0);
    request->text = schema;
    request->sides = SIDE_REQUEST;
    return request;
}

/* `name` of the JSON text that `schema` stands for. */
static struct legacy_clause *request_part(const struct legacy_tools *tools,
                                          const struct sync_operation *operation, const char *schema,
                                          const char *name, int offset) {
    struct sync_expression *call =
        sync_expression_create(tools->arena, EXPRESSION_CALL, tools->text, offset, 2);
    call->operation = operation;
    struct sql_value key = {.kind = SQL_TEXT, .text = name, .length = strlen(name)};
    sync_expression_set(call, 0, request_text(tools, schema, offset));
    sync_expression_set(call, 1, constant(tools, key, offset)->expression);
    return clause_of(tools, call, false, true);
}

static struct legacy_clause *make_parameter(const struct legacy_tools *tools,
                                            const struct sync_expression *column) {
    const char *of = column->qualifier;
    if (tools->place == LEGACY_DATA && of && strcmp(of, "bucket") == 0)
        return clause_of(tools, copied_column(tools, column), false, true);
    if (tools->place != LEGACY_PARAMETERS)
        return NULL;
    if (tools->function && (!of || strcmp(of, tools->function) == 0))
        return clause_of(tools, copied_column(tools, column), false, true);
    if (of && strcmp(of, "token_parameters") == 0)
        return request_part(tools, legacy_operation_token_parameter(), "auth", column->text, column->offset);
    if (of && strcmp(of, "user_parameters") == 0)
        return request_part(tools, legacy_operation_user_parameter(), "connection", column->text,
                            column->offset);
    return NULL;
}

static struct legacy_clause *make_column(const struct legacy_tools *tools,
                                         const struct sync_expression *column) {
    struct legacy_clause *parameter = make_parameter(tools, column);
    if (parameter)
        return parameter;
    if (legacy_clause_is_column(tools, column))
        return clause_of(tools, copied_column(tools, column), true, false);
    sync_text_refuse(tools->text, column->offset, tools->error, "undefined reference: %.60s%s%.60s",
                     column->qualifier ? column->qualifier : "", column->qualifier ? "." : "", column->text);
    return NULL;
}

/* Functions */

struct request_function {
    const char *schema, *name, *source;
    const char *key; /* of what it gives; NULL: all of it, or with an argument, what that says */
    size_t arguments;
};

static const struct request_function *find_request_function(const struct legacy_tools *tools,
                                                            const struct sync_expression *call) {
    static const struct request_function old[] = {{"request", "user_id", "auth", "sub", 0},
                                                  {"request", "jwt", "auth", NULL, 0},
                                                  {"request", "parameters", "connection", NULL, 0},
                                                  {"request", "parameter", "connection", NULL, 1}};
    static const struct request_function streams[] = {{"auth", "user_id", "auth", "sub", 0},
                                                      {"auth", "parameters", "auth", NULL, 0},
                                                      {"auth", "parameter", "auth", NULL, 1},
                                                      {"connection", "parameters", "connection", NULL, 0},
                                                      {"connection", "parameter", "connection", NULL, 1},
                                                      {"subscription", "parameters", "subscription", NULL, 0},
                                                      {"subscription", "parameter", "subscription", NULL, 1}};
    bool is_stream = tools->place == LEGACY_STREAM || tools->place == LEGACY_SUBQUERY;
    const struct request_function *table = is_stream ? streams : old;
    size_t count = is_stream ? sizeof streams / sizeof *streams : sizeof old / sizeof *old;
    for (size_t i = 0; i < count && reads_request(tools); i++)
        if (strcmp(table[i].schema, call->qualifier) == 0 && strcmp(table[i].name, call->text) == 0)
            return &table[i];
    return NULL;
}

static struct legacy_clause *make_request(const struct legacy_tools *tools,
                                          const struct sync_expression *call) {
    const struct request_function *function = find_request_function(tools, call);
    if (!function) {
        sync_text_refuse(tools->text, call->offset, tools->error, "function %.60s.%.60s is not defined here",
                         call->qualifier, call->text);
        return NULL;
    }
    if (call->n_arguments != function->arguments)
        return refuse(tools, call->offset, "the function takes another number of arguments");
    const struct sync_operation *operation = legacy_operation_operator("->>", true);
    if (function->arguments == 0)
        return function->key
                   ? request_part(tools, operation, function->source, function->key, call->offset)
                   : clause_of(tools, request_text(tools, function->source, call->offset), false, true);
    const struct sync_expression *name = call->arguments[0];
    if (name->kind != EXPRESSION_LITERAL)
        return refuse_hard(tools, name->offset, "the name of a parameter must be a constant");
    if (strcmp(function->source, "connection") == 0)
        operation = legacy_operation_connection_parameter();
    if (name->literal.kind == SQL_TEXT)
        return request_part(tools, operation, function->source, name->literal.text, call->offset);
    struct legacy_clause *nothing = constant(tools, (struct sql_value){0}, call->offset);
    return clause_of(tools, nothing->expression, false, true);
}

static struct legacy_clause *make_call(const struct legacy_tools *tools, const struct sync_expression *call,
                                       struct legacy_clause *const *arguments) {
    const char *name = call->text;
    bool is_word = name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")] == '\0';
    const struct sync_operation *operation = is_word ? legacy_operation_function(name, tools->fixed_json)
                                                     : legacy_operation_operator(name, tools->fixed_json);
    if (operation && call->n_arguments == 1 && strcmp(name, "substring") == 0)
        return refuse(tools, call->offset, "substring needs a start"); /* the parser's refusal there */
    if (operation)
        return compose(tools, operation, arguments, call->n_arguments, call->offset);
    sync_text_refuse(tools->text, call->offset, tools->error, "%s %.60s is not supported",
                     is_word ? "function" : "operator", name);
    return NULL;
}

/* = of one side, or between the row and the request. */
static struct legacy_clause *make_equal(const struct legacy_tools *tools, struct legacy_clause *left,
                                        struct legacy_clause *right, int offset) {
    if (left->of_request && right->of_request && reads_request(tools))
        return compose_two(tools, "=", left, right, offset);
    struct legacy_clause *row = left->of_row ? left : right, *other = left->of_row ? right : left;
    if (!row->of_row)
        return refuse(tools, offset, "= between two bucket parameters is not supported");
    if (other->match)
        return refuse(tools, offset, "a match with parameters cannot be used as a value");
    if (!other->of_row)
        return legacy_clause_equal(tools, row, other, offset);
    struct sync_expression *call =
        sync_expression_create(tools->arena, EXPRESSION_CALL, tools->text, offset, 2);
    call->operation = legacy_operation_operator("=", tools->fixed_json);
    sync_expression_set(call, 0, left->expression);
    sync_expression_set(call, 1, right->expression);
    return clause_of(tools, call, true, false);
}

/* IS [NOT] NULL; IS TRUE and IS FALSE are not supported. */
static struct legacy_clause *make_is(const struct legacy_tools *tools, const struct sync_expression *call) {
    const struct sync_expression *value = call->arguments[1];
    if (value->literal.kind != SQL_NULL)
        return refuse(tools, value->offset, "IS TRUE and IS FALSE are not supported");
    struct legacy_clause *operand = legacy_clause_make(tools, call->arguments[0]);
    return operand ? compose(tools, legacy_operation_operator("is null", true), &operand, 1, call->offset)
                   : NULL;
}

static bool is_named(const struct sync_expression *expression, const char *name) {
    return expression->kind == EXPRESSION_NAMED && !expression->qualifier &&
           strcmp(expression->text, name) == 0;
}

static struct legacy_clause *make_arguments(const struct legacy_tools *tools,
                                            const struct sync_expression *expression) {
    struct legacy_clause *arguments[8];
    if (expression->n_arguments > 8)
        return refuse(tools, expression->offset, "too many arguments");
    for (size_t i = 0; i < expression->n_arguments; i++)
        if (!(arguments[i] = legacy_clause_make(tools, expression->arguments[i])))
            return NULL;
    bool is_and = expression->kind == EXPRESSION_AND;
    if (is_and || expression->kind == EXPRESSION_OR) {
        struct legacy_clause *both = legacy_clause_combine(tools, is_and, arguments[0], arguments[1]);
        return both ? both : match_both(tools, is_and, arguments[0], arguments[1], expression->offset);
    }
    if (expression->kind == EXPRESSION_NOT)
        return legacy_clause_not(tools, arguments[0], expression->offset);
    if (expression->kind == EXPRESSION_IN)
        return legacy_clause_membership(tools, false, arguments[0], arguments[1], expression->offset);
    if (is_named(expression, "="))
        return make_equal(tools, arguments[0], arguments[1], expression->offset);
    return make_call(tools, expression, arguments);
}

static struct legacy_clause *make_literal(const struct legacy_tools *tools,
                                          const struct sync_expression *literal) {
    struct sql_value value = literal->literal;
    if (value.kind == SQL_INTEGER) /* integers went through a double */
        value.integer = value.integer > (INT64_MAX >> 10 << 10) ? INT64_MAX : (int64_t)(double)value.integer;
    return constant(tools, value, literal->offset);
}

struct legacy_clause *legacy_clause_make(const struct legacy_tools *tools,
                                         const struct sync_expression *expression) {
    if (!expression)
        return constant(tools, (struct sql_value){.kind = SQL_INTEGER, .integer = 1}, 0);
    switch (expression->kind) {
    case EXPRESSION_LITERAL:
        return make_literal(tools, expression);
    case EXPRESSION_COLUMN:
        return make_column(tools, expression);
    case EXPRESSION_NAMED:
        if (expression->qualifier)
            return make_request(tools, expression);
        if (is_named(expression, "is "))
            return make_is(tools, expression);
        if (is_named(expression, "->") || is_named(expression, "->>"))
            if (expression->arguments[1]->literal.kind != SQL_TEXT)
                return refuse(tools, expression->offset, "the key after -> and ->> must be a text");
        return make_arguments(tools, expression);
    case EXPRESSION_AND:
    case EXPRESSION_OR:
    case EXPRESSION_NOT:
    case EXPRESSION_IN:
        return make_arguments(tools, expression);
    case EXPRESSION_NOT_IN:
    case EXPRESSION_REQUEST:
    case EXPRESSION_CALL:
    case EXPRESSION_CASE:
    case EXPRESSION_OVERLAP:
    case EXPRESSION_SUBQUERY:
        break;
    }
    return refuse(tools, expression->offset,
                  expression->kind == EXPRESSION_CASE      ? "CASE is not supported here"
                  : expression->kind == EXPRESSION_OVERLAP ? "operator && is not supported here"
                  : expression->kind == EXPRESSION_NOT_IN  ? "NOT IN is not supported here"
                                                           : "a subquery is not supported here");
}

struct sync_expression *legacy_clause_row_value(const struct legacy_tools *tools,
                                                const struct sync_expression *expression) {
    struct legacy_clause *clause = legacy_clause_make(tools, expression);
    if (clause && !clause->of_row)
        return refuse(tools, expression->offset, "a value that depends on parameters is not allowed here");
    return clause ? clause->expression : NULL;
}

struct sync_expression *legacy_clause_request_value(const struct legacy_tools *tools,
                                                    const struct sync_expression *expression) {
    struct legacy_clause *clause = legacy_clause_make(tools, expression);
    if (clause && !clause->of_request)
        return refuse(tools, expression ? expression->offset : 0,
                      "only constants and parameters are allowed here");
    return clause ? clause->expression : NULL;
}
