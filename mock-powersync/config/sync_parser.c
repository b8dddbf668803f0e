#include "mock-powersync/config/sync_parser.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

enum { DEPTH_MOST = 60, QUERY_MOST = 20000, COLUMNS_MOST = 200, TABLES_MOST = 20 };

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_SYMBOL,
    TOKEN_BAD
};

struct token {
    enum token_kind kind;
    const char *text; /* words in lower case, quoted names and strings without quotes */
    int start, end;
};

struct parser {
    const struct sync_text *text;
    const char *sql; /* the same */
    struct arena *arena;
    struct error *error;
    struct token token; /* the next one */
    int last_end;       /* where the one before it ended */
    int depth;
    bool names; /* sync_parser_read_names */
};

/* Tokens */

static bool is_letter(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

static bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

/* A quoted text with its quotes doubled inside. NULL: not closed. */
static const char *read_quoted(struct parser *parser, int *at) {
    char quote = parser->sql[*at];
    struct buffer text = {0};
    for (int i = *at + 1; parser->sql[i]; i++) {
        if (parser->sql[i] == quote && parser->sql[++i] != quote) {
            *at = i;
            const char *copy = arena_copy_bytes(parser->arena, buffer_text(&text), text.length);
            buffer_free(&text);
            return copy;
        }
        buffer_append_char(&text, parser->sql[i]);
    }
    buffer_free(&text);
    return NULL;
}

static enum token_kind read_number(const char *sql, int *at) {
    enum token_kind kind = TOKEN_INTEGER;
    while (is_digit(sql[*at]))
        (*at)++;
    if (sql[*at] == '.' && is_digit(sql[*at + 1])) {
        kind = TOKEN_FLOAT;
        for ((*at)++; is_digit(sql[*at]);)
            (*at)++;
    }
    return is_letter(sql[*at]) || sql[*at] == '.' ? TOKEN_BAD : kind;
}

static int symbol_length(const char *at) {
    static const char *const symbols[] = {"->>", "->", "||", "&&", "<=", ">=", "<>", "!=", "<<", ">>", "::"};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
        if (strncmp(at, symbols[i], strlen(symbols[i])) == 0)
            return (int)strlen(symbols[i]);
    return strchr("()[],.*=<>+-/%&|;", *at) ? 1 : 0;
}

static void read_word(struct parser *parser, struct token *token, int *at) {
    int start = *at;
    while (is_letter(parser->sql[*at]) || is_digit(parser->sql[*at]))
        (*at)++;
    char *word = arena_copy_bytes(parser->arena, parser->sql + start, (size_t)(*at - start));
    for (char *byte = word; *byte; byte++)
        *byte = (char)(*byte >= 'A' && *byte <= 'Z' ? *byte + 'a' - 'A' : *byte);
    token->text = word;
    /* E'...', U&"..." and the like */
    token->kind = parser->sql[*at] == '\'' || parser->sql[*at] == '"' ? TOKEN_BAD : TOKEN_WORD;
}

static void next(struct parser *parser) {
    const char *sql = parser->sql;
    int at = parser->token.end;
    parser->last_end = at;
    while (sql[at] == ' ' || sql[at] == '\t' || sql[at] == '\n' || sql[at] == '\r')
        at++;
    struct token token = {.start = at, .kind = TOKEN_BAD, .text = ""};
    if (!sql[at]) {
        token.kind = TOKEN_END;
    } else if (is_letter(sql[at])) {
        read_word(parser, &token, &at);
    } else if (sql[at] == '"' || sql[at] == '\'') {
        token.kind = sql[at] == '"' ? TOKEN_QUOTED : TOKEN_STRING;
        token.text = read_quoted(parser, &at);
        if (!token.text)
            token = (struct token){.start = token.start, .kind = TOKEN_BAD, .text = ""};
    } else if (is_digit(sql[at])) {
        token.kind = read_number(sql, &at);
        token.text = arena_copy_bytes(parser->arena, sql + token.start, (size_t)(at - token.start));
    } else if (!(sql[at] == '-' && sql[at + 1] == '-') && !(sql[at] == '/' && sql[at + 1] == '*') &&
               symbol_length(sql + at) > 0) {
        token.kind = TOKEN_SYMBOL;
        at += symbol_length(sql + at);
        token.text = arena_copy_bytes(parser->arena, sql + token.start, (size_t)(at - token.start));
    }
    token.end = at;
    parser->token = token;
}

static bool is_symbol(const struct parser *parser, const char *text) {
    return parser->token.kind == TOKEN_SYMBOL && strcmp(parser->token.text, text) == 0;
}

static bool is_word(const struct parser *parser, const char *text) {
    return parser->token.kind == TOKEN_WORD && strcmp(parser->token.text, text) == 0;
}

static bool take_symbol(struct parser *parser, const char *text) {
    bool found = is_symbol(parser, text);
    if (found)
        next(parser);
    return found;
}

static bool take_word(struct parser *parser, const char *text) {
    bool found = is_word(parser, text);
    if (found)
        next(parser);
    return found;
}

static void *refuse_token(struct parser *parser, const char *wanted) {
    const char *sql = parser->sql + parser->token.start;
    int length = parser->token.end - parser->token.start;
    if (sql[0] && (length <= 0 || length >= 60))
        for (length = 1; ((unsigned char)sql[length] & 0xc0) == 0x80;) /* a whole character */
            length++;
    if (parser->token.kind == TOKEN_END)
        sync_text_refuse(parser->text, parser->token.start, parser->error,
                         "syntax error at end of query, wanted %s", wanted);
    else
        sync_text_refuse(parser->text, parser->token.start, parser->error,
                         "syntax error at or near \"%.*s\", wanted %s", length, sql, wanted);
    return NULL;
}

static void *refuse(struct parser *parser, int offset, const char *reason) {
    sync_text_refuse(parser->text, offset, parser->error, "%s", reason);
    return NULL;
}

static bool expect_symbol(struct parser *parser, const char *text) {
    if (take_symbol(parser, text))
        return true;
    refuse_token(parser, text);
    return false;
}

static bool expect_word(struct parser *parser, const char *text) {
    if (take_word(parser, text))
        return true;
    refuse_token(parser, text);
    return false;
}

/* Words that no unquoted name can be. */
static bool is_reserved(const char *word) {
    static const char words[] =
        " all analyse analyze and any array as asc asymmetric at both case cast check collate "
        "column constraint create cross current_catalog current_date current_role current_schema "
        "current_time current_timestamp current_user default deferrable desc distinct do else "
        "end except exists false fetch for foreign from full grant group having ilike in "
        "initially inner intersect interval into is isnull join lateral leading left like limit "
        "localtime localtimestamp natural not notnull null offset on only or order outer "
        "overlaps placing precision primary references returning right row select session_user "
        "similar some symmetric table then to trailing true union unique user using variadic "
        "verbose when where window with operator between ";
    size_t length = strlen(word);
    for (const char *at = words; (at = strstr(at, word)); at += length)
        if (at[-1] == ' ' && at[length] == ' ')
            return true;
    return false;
}

static bool is_name(const struct parser *parser) {
    return parser->token.kind == TOKEN_QUOTED ||
           (parser->token.kind == TOKEN_WORD && !is_reserved(parser->token.text));
}

/* Expressions. Each level returns NULL after it has refused. */

static struct sync_expression *read_or(struct parser *parser);
static struct sync_expression *read_other(struct parser *parser);
static struct sync_expression *read_subquery(struct parser *parser, int offset);
static bool read_select(struct parser *parser, struct sync_select *select);

static struct sync_expression *literal(struct parser *parser, int offset, struct sql_value value) {
    struct sync_expression *expression =
        sync_expression_create(parser->arena, EXPRESSION_LITERAL, parser->text, offset, 0);
    expression->literal = value;
    return expression;
}

static struct sync_expression *text_literal(struct parser *parser, int offset, const char *text) {
    return literal(parser, offset,
                   (struct sql_value){.kind = SQL_TEXT, .text = text, .length = strlen(text)});
}

static struct sync_expression *combine(struct parser *parser, enum sync_expression_kind kind,
                                       struct sync_expression *left, struct sync_expression *right) {
    struct sync_expression *expression =
        sync_expression_create(parser->arena, kind, parser->text, left->offset, right ? 2 : 1);
    sync_expression_set(expression, 0, left);
    if (right)
        sync_expression_set(expression, 1, right);
    return expression;
}

static struct sync_expression *call(struct parser *parser, const char *operation,
                                    struct sync_expression *left, struct sync_expression *right) {
    struct sync_expression *expression =
        combine(parser, parser->names ? EXPRESSION_NAMED : EXPRESSION_CALL, left, right);
    expression->text = arena_copy_text(parser->arena, operation);
    if (parser->names)
        return expression;
    expression->text = NULL;
    expression->operation = sync_operation_find(operation);
    assert(expression->operation);
    return expression;
}

static struct sync_expression *negate(struct parser *parser, struct sync_expression *expression) {
    return combine(parser, EXPRESSION_NOT, expression, NULL);
}

static struct sync_expression *read_number_literal(struct parser *parser, bool negative) {
    struct token token = parser->token;
    struct sql_value value = {.kind = SQL_REAL};
    errno = 0;
    if (token.kind == TOKEN_INTEGER) {
        long long number = strtoll(token.text, NULL, 10);
        value = (struct sql_value){.kind = SQL_INTEGER, .integer = negative ? -number : number};
    } else {
        double number = strtod(token.text, NULL);
        value.real = number == 0 ? 0 : negative ? -number : number;
    }
    if (errno)
        return refuse(parser, token.start, "the number does not fit");
    next(parser);
    return literal(parser, token.start, value);
}

static bool is_number(const struct parser *parser) {
    return parser->token.kind == TOKEN_INTEGER || parser->token.kind == TOKEN_FLOAT;
}

/* Comma-separated expressions up to `end`; 0 or more. False: refused. */
static bool read_list(struct parser *parser, const char *end, struct sync_expression **items, size_t most,
                      size_t *count) {
    *count = 0;
    if (take_symbol(parser, end))
        return true;
    for (;;) {
        if (*count == most) {
            refuse_token(parser, "fewer values");
            return false;
        }
        if (!(items[*count] = read_or(parser)))
            return false;
        (*count)++;
        if (take_symbol(parser, end))
            return true;
        if (!expect_symbol(parser, ","))
            return false;
    }
}

static struct sync_expression *read_named_call(struct parser *parser, const char *schema, const char *name,
                                               int offset) {
    struct sync_expression *arguments[8];
    size_t count;
    if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return refuse(parser, offset, "there is no such function");
    if (!read_list(parser, ")", arguments, 8, &count))
        return NULL;
    struct sync_expression *expression =
        sync_expression_create(parser->arena, EXPRESSION_NAMED, parser->text, offset, count);
    expression->text = name;
    expression->qualifier = schema;
    for (size_t i = 0; i < count; i++)
        sync_expression_set(expression, i, arguments[i]);
    return expression;
}

static struct sync_expression *read_arguments(struct parser *parser, const char *name, int offset) {
    struct sync_expression *arguments[8];
    size_t count;
    if (!read_list(parser, ")", arguments, 8, &count))
        return NULL;
    const struct sync_operation *operation = strchr(name, ' ') ? NULL : sync_operation_find(name);
    if (!operation) {
        sync_text_refuse(parser->text, offset, parser->error, "function %.60s is not supported", name);
        return NULL;
    }
    if (count < operation->least || count > operation->most) {
        sync_text_refuse(parser->text, offset, parser->error, "function %s takes another number of arguments",
                         name);
        return NULL;
    }
    struct sync_expression *expression =
        sync_expression_create(parser->arena, EXPRESSION_CALL, parser->text, offset, count);
    expression->operation = operation;
    for (size_t i = 0; i < count; i++)
        sync_expression_set(expression, i, arguments[i]);
    return expression;
}

/* auth.user_id(), connection.parameter('x'), subscription.parameters(), ...: -> ->> as the real service does
 * it. */
static struct sync_expression *read_request(struct parser *parser, const char *schema, const char *name,
                                            int offset) {
    bool known = strcmp(schema, "auth") == 0 || strcmp(schema, "connection") == 0 ||
                 strcmp(schema, "subscription") == 0;
    struct sync_expression *arguments[1];
    size_t count;
    if (!known)
        return refuse(parser, offset, "functions are auth., connection. and subscription. or have no schema");
    if (!read_list(parser, ")", arguments, 1, &count))
        return NULL;
    struct sync_expression *request =
        sync_expression_create(parser->arena, EXPRESSION_REQUEST, parser->text, offset, 0);
    request->text = schema;
    request->sides = SIDE_REQUEST;
    if (strcmp(name, "parameters") == 0 && count == 0)
        return request;
    if (strcmp(name, "parameter") == 0 && count == 1)
        return call(parser, "->>", request, arguments[0]);
    if (strcmp(name, "user_id") == 0 && count == 0 && strcmp(schema, "auth") == 0)
        return call(parser, "->>", request, text_literal(parser, offset, "sub"));
    return refuse(parser, offset,
                  "unknown request function: there are auth.user_id(), and parameter('name') and "
                  "parameters() of auth, connection and subscription");
}

static struct sync_expression *read_named(struct parser *parser) {
    struct token first = parser->token;
    if (!is_name(parser))
        return refuse_token(parser, "an expression");
    next(parser);
    struct token last = first;
    if (take_symbol(parser, ".")) {
        if (!is_name(parser))
            return refuse_token(parser, "a column's name");
        last = parser->token;
        next(parser);
    }
    bool qualified = last.start != first.start;
    if (is_symbol(parser, "(") && parser->names) {
        next(parser);
        return read_named_call(parser, qualified ? first.text : NULL, last.text, first.start);
    }
    if (take_symbol(parser, "("))
        return qualified ? read_request(parser, first.text, last.text, first.start)
                         : read_arguments(parser, first.text, first.start);
    if (is_symbol(parser, ".") || is_symbol(parser, "["))
        return refuse_token(parser, "a column as column or table.column");
    struct sync_expression *column =
        sync_expression_create(parser->arena, EXPRESSION_COLUMN, parser->text, first.start, 0);
    column->sides = SIDE_ROW;
    column->text = last.text;
    column->qualifier = qualified ? first.text : NULL;
    return column;
}

static struct sync_expression *read_case(struct parser *parser, int offset) {
    struct sync_expression *parts[42] = {NULL};
    size_t count = 1;
    if (!is_word(parser, "when") && !(parts[0] = read_or(parser)))
        return NULL;
    while (take_word(parser, "when")) {
        if (count > 38)
            return refuse_token(parser, "at most 19 branches");
        if (!(parts[count++] = read_or(parser)) || !expect_word(parser, "then") ||
            !(parts[count++] = read_or(parser)))
            return NULL;
    }
    if (count == 1)
        return refuse_token(parser, "WHEN");
    if (take_word(parser, "else") && !(parts[count] = read_or(parser)))
        return NULL;
    count++;
    if (!expect_word(parser, "end"))
        return NULL;
    struct sync_expression *expression =
        sync_expression_create(parser->arena, EXPRESSION_CASE, parser->text, offset, count);
    for (size_t i = 0; i < count; i++)
        sync_expression_set(expression, i, parts[i]);
    return expression;
}

static struct sync_expression *cast(struct parser *parser, struct sync_expression *operand) {
    static const char *const types[] = {"text", "integer", "real", "numeric", "blob"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (!take_word(parser, types[i]))
            continue;
        if (is_symbol(parser, "(") || is_symbol(parser, "["))
            return refuse_token(parser, "a plain type");
        char name[20];
        snprintf(name, sizeof name, "cast %s", types[i]);
        return call(parser, name, operand, NULL);
    }
    return refuse_token(parser, "the type text, integer, real, numeric or blob");
}

static struct sync_expression *read_cast(struct parser *parser) {
    if (!expect_symbol(parser, "("))
        return NULL;
    struct sync_expression *operand = read_or(parser);
    if (!operand || !expect_word(parser, "as"))
        return NULL;
    struct sync_expression *result = cast(parser, operand);
    return result && expect_symbol(parser, ")") ? result : NULL;
}

static struct sync_expression *read_primary(struct parser *parser) {
    struct token token = parser->token;
    if (is_number(parser))
        return read_number_literal(parser, false);
    if (token.kind == TOKEN_STRING) {
        next(parser);
        return text_literal(parser, token.start, token.text);
    }
    if (take_symbol(parser, "-"))
        return is_number(parser) && parser->token.start == token.end
                   ? read_number_literal(parser, true)
                   : refuse(parser, token.start, "a minus before an expression is not supported");
    if (take_symbol(parser, "(")) {
        struct sync_expression *inner =
            is_word(parser, "select") ? read_subquery(parser, token.start) : read_or(parser);
        int end = parser->last_end;
        if (!inner || !expect_symbol(parser, ")"))
            return NULL;
        parser->last_end = end; /* the parenthesis is no part of what an output is called after */
        return inner;
    }
    if (take_word(parser, "true") || take_word(parser, "false"))
        return literal(parser, token.start,
                       (struct sql_value){.kind = SQL_INTEGER, .integer = token.text[0] == 't'});
    if (take_word(parser, "null"))
        return literal(parser, token.start, (struct sql_value){0});
    if (take_word(parser, "case"))
        return read_case(parser, token.start);
    if (take_word(parser, "cast"))
        return read_cast(parser);
    return read_named(parser);
}

/* -> and ->>: what follows is a constant. */
static struct sync_expression *read_key(struct parser *parser, const char *symbol,
                                        struct sync_expression *left) {
    struct sync_expression *key = NULL;
    if (parser->token.kind == TOKEN_STRING)
        key = read_primary(parser);
    else if (parser->token.kind == TOKEN_INTEGER || is_symbol(parser, "-"))
        key = read_primary(parser);
    else
        return refuse_token(parser, "a constant text or integer");
    if (!key)
        return NULL;
    if (key->literal.kind == SQL_REAL)
        return refuse(parser, key->offset, "the key must be a constant text or integer");
    return call(parser, symbol, left, key);
}

/* What binds more tightly than any operator between operands. */
static struct sync_expression *read_postfix(struct parser *parser) {
    struct sync_expression *expression = read_primary(parser);
    bool keyed = false;
    while (expression) {
        if (is_symbol(parser, "::") && keyed)
            return refuse_token(parser, "parentheses before ::");
        const char *symbol = is_symbol(parser, "->>") ? "->>" : is_symbol(parser, "->") ? "->" : NULL;
        if (symbol) {
            next(parser);
            expression = read_key(parser, symbol, expression);
            keyed = true;
        } else if (take_symbol(parser, "::")) {
            expression = cast(parser, expression);
        } else {
            return expression;
        }
    }
    return NULL;
}

static struct sync_expression *join(struct parser *parser, const char *symbol, struct sync_expression *left,
                                    struct sync_expression *right) {
    return strcmp(symbol, "&&") == 0 ? combine(parser, EXPRESSION_OVERLAP, left, right)
                                     : call(parser, symbol, left, right);
}

/* The one of these symbols that comes next, which is then passed; NULL: none of them. */
static const char *take_one_of(struct parser *parser, const char *const *symbols) {
    while (*symbols && !take_symbol(parser, *symbols))
        symbols++;
    return *symbols;
}

/* Operators between two operands of one level, from the left. */
static struct sync_expression *read_left(struct parser *parser, const char *const *symbols,
                                         struct sync_expression *(*read)(struct parser *)) {
    struct sync_expression *left = read(parser);
    while (left) {
        const char *symbol = take_one_of(parser, symbols);
        if (!symbol)
            return left;
        struct sync_expression *right = read(parser);
        left = right ? join(parser, symbol, left, right) : NULL;
    }
    return NULL;
}

static struct sync_expression *read_product(struct parser *parser) {
    static const char *const symbols[] = {"*", "/", "%", NULL};
    return read_left(parser, symbols, read_postfix);
}

static struct sync_expression *read_sum(struct parser *parser) {
    static const char *const symbols[] = {"+", "-", "||", NULL};
    return read_left(parser, symbols, read_product);
}

static struct sync_expression *read_other(struct parser *parser) {
    static const char *const symbols[] = {"&&", "&", "|", "<<", ">>", NULL};
    return read_left(parser, symbols, read_sum);
}

/* x IN ROW(...) and x IN ARRAY[...]: values of their own. */
static struct sync_expression *read_alternatives(struct parser *parser, struct sync_expression *left,
                                                 const char *end) {
    struct sync_expression *items[64];
    size_t count;
    int offset = parser->token.start;
    if (!read_list(parser, end, items, 64, &count))
        return NULL;
    if (count == 0)
        return refuse(parser, offset, "IN needs at least one value");
    struct sync_expression *all =
        sync_expression_create(parser->arena, EXPRESSION_CALL, parser->text, left->offset, count + 1);
    all->operation = sync_operation_find("in ");
    sync_expression_set(all, 0, left);
    for (size_t i = 0; i < count; i++)
        sync_expression_set(all, i + 1, items[i]);
    return all;
}

static struct sync_expression *read_in(struct parser *parser, struct sync_expression *left, bool negated) {
    struct sync_expression *alternatives;
    if (parser->names && (is_word(parser, "array") || is_word(parser, "row")))
        return refuse_token(parser, "a JSON array");
    if (take_word(parser, "array")) {
        alternatives = expect_symbol(parser, "[") ? read_alternatives(parser, left, "]") : NULL;
    } else if (take_word(parser, "row")) {
        alternatives = expect_symbol(parser, "(") ? read_alternatives(parser, left, ")") : NULL;
    } else {
        struct sync_expression *right = read_other(parser);
        return right ? combine(parser, negated ? EXPRESSION_NOT_IN : EXPRESSION_IN, left, right) : NULL;
    }
    return alternatives && negated ? negate(parser, alternatives) : alternatives;
}

static struct sync_expression *read_between(struct parser *parser, struct sync_expression *left) {
    struct sync_expression *low = read_other(parser);
    if (!low || !expect_word(parser, "and"))
        return NULL;
    struct sync_expression *high = read_other(parser);
    if (!high)
        return NULL;
    struct sync_expression *between =
        sync_expression_create(parser->arena, EXPRESSION_CALL, parser->text, left->offset, 3);
    between->operation = sync_operation_find("between ");
    if (parser->names) {
        between->kind = EXPRESSION_NAMED;
        between->text = "between ";
    }
    sync_expression_set(between, 0, left);
    sync_expression_set(between, 1, low);
    sync_expression_set(between, 2, high);
    return between;
}

static struct sync_expression *read_range(struct parser *parser) {
    struct sync_expression *left = read_other(parser);
    if (!left)
        return NULL;
    bool negated = take_word(parser, "not");
    if (take_word(parser, "in"))
        return read_in(parser, left, negated);
    if (!take_word(parser, "between"))
        return negated ? refuse_token(parser, "IN or BETWEEN") : left;
    struct sync_expression *between = read_between(parser, left);
    return between && negated ? negate(parser, between) : between;
}

static struct sync_expression *read_comparison(struct parser *parser) {
    static const char *const symbols[] = {"=", "<=", ">=", "<", ">", "!=", "<>", NULL};
    struct sync_expression *left = read_range(parser);
    while (left) {
        const char *symbol = take_one_of(parser, symbols);
        if (!symbol)
            return left;
        bool unequal = strcmp(symbol, "!=") == 0 || strcmp(symbol, "<>") == 0;
        struct sync_expression *right = read_range(parser);
        left = right ? call(parser, unequal ? parser->names ? "!=" : "=" : symbol, left, right) : NULL;
        left = left && unequal && !parser->names ? negate(parser, left) : left;
    }
    return NULL;
}

static struct sync_expression *read_is(struct parser *parser) {
    struct sync_expression *left = read_comparison(parser);
    while (left && (is_word(parser, "is") || is_word(parser, "isnull") || is_word(parser, "notnull"))) {
        int offset = parser->token.start;
        bool is = is_word(parser, "is"), negated = is_word(parser, "notnull");
        next(parser);
        negated = negated || (is && take_word(parser, "not"));
        struct sql_value value = {0};
        if (is && (is_word(parser, "true") || is_word(parser, "false")))
            value = (struct sql_value){.kind = SQL_INTEGER, .integer = is_word(parser, "true")};
        else if (is && !is_word(parser, "null"))
            return refuse_token(parser, "NULL, TRUE or FALSE");
        if (is)
            next(parser);
        left = call(parser, "is ", left, literal(parser, offset, value));
        left = negated ? negate(parser, left) : left;
    }
    return left;
}

static struct sync_expression *read_not(struct parser *parser) {
    int offset = parser->token.start;
    if (!take_word(parser, "not"))
        return read_is(parser);
    if (++parser->depth > DEPTH_MOST)
        return refuse(parser, offset, "the expression is nested too deeply");
    struct sync_expression *operand = read_not(parser);
    parser->depth--;
    return operand ? negate(parser, operand) : NULL;
}

static struct sync_expression *read_and(struct parser *parser) {
    struct sync_expression *left = read_not(parser);
    while (left && take_word(parser, "and")) {
        struct sync_expression *right = read_not(parser);
        left = right ? combine(parser, EXPRESSION_AND, left, right) : NULL;
    }
    return left;
}

static struct sync_expression *read_or(struct parser *parser) {
    if (++parser->depth > DEPTH_MOST)
        return refuse(parser, parser->token.start, "the expression is nested too deeply");
    struct sync_expression *left = read_and(parser);
    while (left && take_word(parser, "or")) {
        struct sync_expression *right = read_and(parser);
        left = right ? combine(parser, EXPRESSION_OR, left, right) : NULL;
    }
    parser->depth--;
    return left;
}

/* Columns */

/* table.* ; leaves the parser alone when it is something else. */
static bool take_star(struct parser *parser, const char **qualifier) {
    struct parser before = *parser;
    *qualifier = NULL;
    if (take_symbol(parser, "*"))
        return true;
    if (is_name(parser)) {
        *qualifier = parser->token.text;
        next(parser);
        if (take_symbol(parser, ".") && take_symbol(parser, "*"))
            return true;
    }
    *parser = before;
    return false;
}

static bool read_item(struct parser *parser, struct sync_select_item *item) {
    item->offset = parser->token.start;
    if (take_star(parser, &item->qualifier))
        return true;
    if (is_symbol(parser, "*"))
        return refuse_token(parser, "a column");
    int start = parser->token.start;
    item->expression = read_or(parser);
    if (!item->expression)
        return false;
    int end = parser->last_end;
    start += (int)strspn(parser->sql + start, "( \t\r\n"); /* parentheses around it do not count */
    if (take_word(parser, "as") ? true : is_name(parser)) {
        if (!is_name(parser))
            return refuse_token(parser, "a name");
        item->name = parser->token.text;
        item->named = true;
        next(parser);
    } else if (item->expression->kind == EXPRESSION_COLUMN) {
        item->name = item->expression->text;
    } else if (!parser->names) {
        item->name = arena_copy_bytes(parser->arena, parser->sql + start, (size_t)(end - start));
    }
    return true;
}

static bool read_items(struct parser *parser, struct sync_select *select) {
    struct sync_select_item items[COLUMNS_MOST];
    size_t count = 0;
    if (parser->names &&
        (parser->token.kind == TOKEN_END || is_word(parser, "from") || is_word(parser, "where")))
        return true;
    do {
        if (count == COLUMNS_MOST)
            return refuse_token(parser, "fewer columns");
        items[count] = (struct sync_select_item){0};
        if (!read_item(parser, &items[count++]))
            return false;
    } while (take_symbol(parser, ","));
    select->items = arena_allocate(parser->arena, count * sizeof *items);
    memcpy(select->items, items, count * sizeof *items);
    select->n_items = count;
    return true;
}

/* FROM */

/* (a, b): names for the columns of a subquery; elsewhere they mean nothing. */
static bool read_column_names(struct parser *parser, struct sync_from *from) {
    const char *names[COLUMNS_MOST];
    size_t count = 0;
    if (!take_symbol(parser, "("))
        return true;
    do {
        if (!is_name(parser) || count == COLUMNS_MOST)
            return refuse_token(parser, "a column's name");
        names[count++] = parser->token.text;
        next(parser);
    } while (take_symbol(parser, ","));
    from->columns = arena_allocate(parser->arena, count * sizeof *names);
    memcpy(from->columns, names, count * sizeof *names);
    from->n_columns = count;
    return expect_symbol(parser, ")");
}

static bool read_alias(struct parser *parser, struct sync_from *from) {
    if (take_word(parser, "as") ? true : is_name(parser)) {
        if (!is_name(parser))
            return refuse_token(parser, "a name");
        from->alias = parser->token.text;
        next(parser);
        return read_column_names(parser, from);
    }
    return from->name || refuse_token(parser, "a name for the subquery");
}

static bool read_call(struct parser *parser, struct sync_from *from) {
    struct sync_expression *arguments[8];
    from->is_call = true;
    if (!read_list(parser, ")", arguments, 8, &from->n_arguments))
        return false;
    from->arguments = arena_allocate(parser->arena, (from->n_arguments + 1) * sizeof *arguments);
    memcpy(from->arguments, arguments, from->n_arguments * sizeof *arguments);
    return true;
}

static bool read_name_or_call(struct parser *parser, struct sync_from *from) {
    if (!is_name(parser))
        return refuse_token(parser, "a table, a function or a subquery");
    from->name = parser->token.text;
    next(parser);
    if (take_symbol(parser, ".")) {
        if (!is_name(parser))
            return refuse_token(parser, "a table's name");
        from->schema = from->name;
        from->name = parser->token.text;
        next(parser);
    }
    if (is_symbol(parser, "."))
        return refuse_token(parser, "a table as table or schema.table");
    return take_symbol(parser, "(") ? read_call(parser, from) : true;
}

static struct sync_select *read_nested(struct parser *parser) {
    struct sync_select *select = arena_allocate(parser->arena, sizeof *select);
    if (++parser->depth > DEPTH_MOST)
        return refuse(parser, parser->token.start, "the query is nested too deeply");
    bool good = read_select(parser, select);
    parser->depth--;
    return good ? select : NULL;
}

static struct sync_expression *read_subquery(struct parser *parser, int offset) {
    struct sync_select *select = read_nested(parser);
    if (!select)
        return NULL;
    struct sync_expression *expression =
        sync_expression_create(parser->arena, EXPRESSION_SUBQUERY, parser->text, offset, 0);
    expression->select = select;
    return expression;
}

static bool read_subject(struct parser *parser, struct sync_from *from) {
    *from = (struct sync_from){.offset = parser->token.start};
    if (!take_symbol(parser, "("))
        return read_name_or_call(parser, from) && read_alias(parser, from);
    if (!is_word(parser, "select"))
        return refuse_token(parser, "a subquery");
    from->select = read_nested(parser);
    return from->select && expect_symbol(parser, ")") && read_alias(parser, from);
}

/* JOIN or INNER JOIN; false also when there is none. `good` turns false when it is another join. */
static bool take_join(struct parser *parser, bool *good) {
    static const char *const others[] = {"left", "right", "full", "cross", "natural"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (is_word(parser, others[i]))
            *good = refuse(parser, parser->token.start, "only inner joins are supported");
    if (take_word(parser, "inner") && !is_word(parser, "join"))
        *good = refuse_token(parser, "JOIN");
    return *good && take_word(parser, "join");
}

static bool read_from(struct parser *parser, struct sync_select *select) {
    struct sync_from from[TABLES_MOST];
    size_t count = 0;
    bool good = true, joined = false;
    do {
        if (count == TABLES_MOST)
            return refuse_token(parser, "fewer tables");
        if (!read_subject(parser, &from[count++]))
            return false;
        if (joined && is_word(parser, "using"))
            return refuse(parser, parser->token.start, "USING is not supported: write ON");
        if (joined && take_word(parser, "on") && !(from[count - 1].on = read_or(parser)))
            return false;
        joined = take_join(parser, &good);
    } while (good && (joined || take_symbol(parser, ",")));
    select->from = arena_allocate(parser->arena, count * sizeof *from);
    memcpy(select->from, from, count * sizeof *from);
    select->n_from = count;
    return good;
}

/* The statement */

static bool refuse_clauses(struct parser *parser) {
    static const char *const clauses[][2] = {
        {"group", "GROUP BY"}, {"order", "ORDER BY"}, {"limit", "LIMIT"},
        {"offset", "OFFSET"},  {"having", "HAVING"},  {"union", "UNION"},
        {"for", "FOR"},        {"window", "WINDOW"},  {"fetch", "FETCH"}};
    for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++)
        if (is_word(parser, clauses[i][0])) {
            sync_text_refuse(parser->text, parser->token.start, parser->error,
                             "%s is not supported in a sync stream", clauses[i][1]);
            return false;
        }
    return true;
}

static bool read_select(struct parser *parser, struct sync_select *select) {
    select->offset = parser->token.start;
    if (!take_word(parser, "select")) {
        if (is_word(parser, "with"))
            return refuse(parser, parser->token.start,
                          "WITH is not supported in a query: name subqueries under the key with");
        return refuse_token(parser, "only SELECT statements can be synced");
    }
    if (parser->names && is_word(parser, "distinct"))
        return refuse_token(parser, "no DISTINCT");
    if (!take_word(parser, "all") && take_word(parser, "distinct") && is_word(parser, "on"))
        return refuse_token(parser, "a column");
    if (!read_items(parser, select))
        return false;
    if (take_word(parser, "from") && !read_from(parser, select))
        return false;
    if (take_word(parser, "where") && !(select->where = read_or(parser)))
        return false;
    return refuse_clauses(parser);
}

static enum status read_query(struct sync_select *select, const struct sync_text *text, bool names,
                              struct arena *arena, struct error *error) {
    struct parser parser = {.text = text, .sql = text->sql, .arena = arena, .error = error, .names = names};
    *select = (struct sync_select){0};
    if (strlen(text->sql) > QUERY_MOST)
        return sync_text_refuse(text, 0, error, "a query is above 20000 bytes");
    next(&parser);
    if (!read_select(&parser, select))
        return STATUS_INVALID;
    take_symbol(&parser, ";");
    if (parser.token.kind == TOKEN_END)
        return STATUS_OK;
    refuse_token(&parser, "the end of the query: one SELECT");
    return STATUS_INVALID;
}

enum status sync_parser_read(struct sync_select *select, const struct sync_text *text, struct arena *arena,
                             struct error *error) {
    return read_query(select, text, false, arena, error);
}

enum status sync_parser_read_names(struct sync_select *select, const struct sync_text *text,
                                   struct arena *arena, struct error *error) {
    return read_query(select, text, true, arena, error);
}
