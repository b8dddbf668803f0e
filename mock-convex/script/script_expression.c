/* The text of an expression; see script_reader.h and docs/backends.md. By recursive descent, one function a
 * level of binding. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mock-convex/script/script_reader.h"

enum { LENGTH_MAX = 2000 };

struct parser {
    struct script_reader *reader;
    struct script_node node;
    const char *text, *at;
};

static enum status read_whole(struct parser *parser, const struct script_expression **out);

static enum status refuse(struct parser *parser, const char *what) {
    if (*parser->at == 0) {
        return script_refuse(parser->reader, parser->node, "%s at the end of `=%.200s`", what, parser->text);
    }
    return script_refuse(parser->reader, parser->node, "%s at `%.40s` in `=%.200s`", what, parser->at,
                         parser->text);
}

static void skip_space(struct parser *parser) {
    parser->at += strspn(parser->at, " \t\r\n");
}

/* Go past `token` when it is next. */
static bool take(struct parser *parser, const char *token) {
    skip_space(parser);
    size_t length = strlen(token);
    if (strncmp(parser->at, token, length) != 0) {
        return false;
    }
    parser->at += length;
    return true;
}

static enum status expect(struct parser *parser, const char *token) {
    char what[32] = "missing ";
    return take(parser, token) ? STATUS_OK : refuse(parser, strcat(what, token));
}

static bool is_word_byte(char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '_' || byte == '$';
}

static size_t word_length(const char *text) {
    size_t length = 0;
    while (is_word_byte(text[length])) {
        length++;
    }
    return length;
}

static struct script_expression *make(struct parser *parser, enum script_expression_kind kind) {
    return script_make(parser->reader, kind, NULL);
}

static enum status give(struct parser *parser, struct convex_value *literal,
                        const struct script_expression **out) {
    *out = script_make(parser->reader, SCRIPT_LITERAL, literal);
    return STATUS_OK;
}

/* --- the smallest parts --- */

static enum status read_number(struct parser *parser, const struct script_expression **out) {
    size_t digits = strspn(parser->at, "0123456789");
    char *end = NULL;
    errno = 0;
    if (parser->at[digits] == 'n') {
        long long integer = strtoll(parser->at, &end, 10);
        if (errno != 0) {
            return refuse(parser, "an integer that does not fit in 64 bits");
        }
        parser->at = end + 1;
        return is_word_byte(*parser->at) ? refuse(parser, "unexpected text")
                                         : give(parser, convex_int64(integer), out);
    }
    if (parser->at[0] == '0' && (parser->at[1] == 'x' || parser->at[1] == 'X')) {
        return refuse(parser, "not a number");
    }
    double number = strtod(parser->at, &end);
    if (end == parser->at || errno != 0 || is_word_byte(*end)) {
        return refuse(parser, "not a number");
    }
    parser->at = end;
    return give(parser, convex_float64(number), out);
}

static enum status read_text(struct parser *parser, const struct script_expression **out) {
    static const char escapes[] = "nt\\'\"", meanings[] = "\n\t\\'\"";
    struct buffer text = {0};
    char quote = *parser->at;
    const char *at = parser->at + 1;
    for (; *at != 0 && *at != quote; at++) {
        if (*at != '\\') {
            buffer_append_char(&text, *at);
            continue;
        }
        const char *escape = at[1] != 0 ? strchr(escapes, at[1]) : NULL;
        if (escape == NULL) {
            buffer_free(&text);
            return refuse(parser, "texts know \\n, \\t, \\\\, \\' and \\\" only:");
        }
        buffer_append_char(&text, meanings[escape - escapes]);
        at++;
    }
    if (*at == 0) {
        buffer_free(&text);
        return refuse(parser, "a text without its end");
    }
    parser->at = at + 1;
    struct convex_value *value = convex_string(buffer_text(&text));
    buffer_free(&text);
    return give(parser, value, out);
}

static enum status read_list(struct parser *parser, const struct script_expression **out) {
    struct script_part parts[64];
    size_t count = 0;
    enum status status = STATUS_OK;
    memset(parts, 0, sizeof parts);
    while (status == STATUS_OK && !take(parser, "]")) {
        if (count == sizeof parts / sizeof *parts) {
            return refuse(parser, "more than 64 items (use a YAML list)");
        }
        status = count > 0 ? expect(parser, ",") : STATUS_OK;
        if (status == STATUS_OK) {
            status = read_whole(parser, &parts[count].value);
        }
        count++;
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct script_expression *list = make(parser, SCRIPT_ARRAY);
    struct script_part *copy = arena_allocate(&parser->reader->program->arena, (count + 1) * sizeof *copy);
    memcpy(copy, parts, count * sizeof *copy);
    list->parts = copy;
    list->n_parts = count;
    *out = list;
    return STATUS_OK;
}

static enum status read_function(struct parser *parser, const char *name,
                                 const struct script_expression **out) {
    static const struct {
        const char *name;
        enum script_operation operation;
    } functions[] = {{"floor", SCRIPT_FLOOR},          {"lower", SCRIPT_LOWER},
                     {"Number", SCRIPT_TO_NUMBER},     {"BigInt", SCRIPT_TO_INTEGER},
                     {"parseJson", SCRIPT_PARSE_JSON}, {"toJson", SCRIPT_TO_JSON}};
    bool now = strcmp(name, "now") == 0;
    if (now || strcmp(name, "random") == 0) {
        *out = make(parser, now ? SCRIPT_NOW : SCRIPT_RANDOM);
        return expect(parser, ")");
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(name, functions[i].name) == 0) {
            struct script_expression *call = make(parser, SCRIPT_OPERATION);
            call->operation = functions[i].operation;
            *out = call;
            enum status status = read_whole(parser, &call->a);
            return status == STATUS_OK ? expect(parser, ")") : status;
        }
    }
    return script_refuse(parser->reader, parser->node, "there is no function `%.64s`", name);
}

static enum status read_word(struct parser *parser, const struct script_expression **out) {
    char name[128];
    size_t length = word_length(parser->at), slot = 0;
    if (length >= sizeof name) {
        return refuse(parser, "a name that is too long");
    }
    memcpy(name, parser->at, length);
    name[length] = 0;
    parser->at += length;
    if (strcmp(name, "true") == 0 || strcmp(name, "false") == 0) {
        return give(parser, convex_boolean(name[0] == 't'), out);
    }
    if (strcmp(name, "null") == 0) {
        return give(parser, convex_null(), out);
    }
    if (strcmp(name, "undefined") == 0) {
        *out = make(parser, SCRIPT_LITERAL);
        return STATUS_OK;
    }
    if (take(parser, "(")) {
        return read_function(parser, name, out);
    }
    if (!script_find_variable(parser->reader, name, &slot)) {
        return script_refuse(parser->reader, parser->node, "there is no variable `%.64s` here", name);
    }
    struct script_expression *variable = make(parser, SCRIPT_VARIABLE);
    variable->slot = slot;
    *out = variable;
    return STATUS_OK;
}

static enum status read_primary(struct parser *parser, const struct script_expression **out) {
    skip_space(parser);
    char next = *parser->at;
    if (take(parser, "(")) {
        enum status status = read_whole(parser, out);
        return status == STATUS_OK ? expect(parser, ")") : status;
    }
    if (take(parser, "[")) {
        return read_list(parser, out);
    }
    if (next == '\'' || next == '"') {
        return read_text(parser, out);
    }
    if (next >= '0' && next <= '9') {
        return read_number(parser, out);
    }
    return is_word_byte(next) ? read_word(parser, out) : refuse(parser, "a value is missing");
}

/* --- parts of values --- */

static enum status read_name(struct parser *parser, struct script_expression *part) {
    skip_space(parser);
    size_t length = word_length(parser->at);
    part->kind = SCRIPT_MEMBER;
    part->name = arena_copy_bytes(&parser->reader->program->arena, parser->at, length);
    parser->at += length;
    return length > 0 ? STATUS_OK : refuse(parser, "a name is missing");
}

static bool is_dot(const char *at) { /* not that of "?.5" in a condition */
    return at[0] == '?' && at[1] == '.' && !(at[2] >= '0' && at[2] <= '9');
}

static enum status read_parts(struct parser *parser, const struct script_expression **out) {
    enum status status = read_primary(parser, out);
    for (;;) {
        skip_space(parser);
        bool optional = is_dot(parser->at), item = *parser->at == '[', dot = *parser->at == '.';
        if (status != STATUS_OK || (!optional && !item && !dot)) {
            return status;
        }
        struct script_expression *part = make(parser, SCRIPT_ITEM);
        part->a = *out;
        part->optional = optional;
        *out = part;
        parser->at += optional ? 2 : dot ? 1 : 0;
        if (take(parser, "[")) {
            status = read_whole(parser, &part->b);
            status = status == STATUS_OK ? expect(parser, "]") : status;
        } else {
            status = read_name(parser, part);
        }
    }
}

/* --- operators --- */

static enum status read_unary(struct parser *parser, const struct script_expression **out) {
    skip_space(parser);
    bool negates = *parser->at == '!' && parser->at[1] != '=', minus = *parser->at == '-';
    if (!negates && !minus) {
        return read_parts(parser, out);
    }
    if (parser->reader->depth >= SCRIPT_DEPTH_MAX) {
        return refuse(parser, "nested too deep");
    }
    parser->at++;
    struct script_expression *operation = make(parser, SCRIPT_OPERATION);
    operation->operation = negates ? SCRIPT_NOT : SCRIPT_NEGATE;
    *out = operation;
    parser->reader->depth++;
    enum status status = read_unary(parser, &operation->a);
    parser->reader->depth--;
    return status;
}

struct operator{
    const char *token; /* longer ones of one beginning first */
    int level;         /* higher binds closer */
    enum script_expression_kind kind;
    enum script_operation operation;
};

static const struct operator operators[] = {{"??", 1, SCRIPT_OTHERWISE, SCRIPT_NOT},
                                            {"||", 1, SCRIPT_OR, SCRIPT_NOT},
                                            {"&&", 2, SCRIPT_AND, SCRIPT_NOT},
                                            {"===", 3, SCRIPT_OPERATION, SCRIPT_SAME},
                                            {"!==", 3, SCRIPT_OPERATION, SCRIPT_NOT_SAME},
                                            {"==", 3, SCRIPT_OPERATION, SCRIPT_EQUAL},
                                            {"!=", 3, SCRIPT_OPERATION, SCRIPT_NOT_EQUAL},
                                            {"<=", 4, SCRIPT_OPERATION, SCRIPT_LESS_EQUAL},
                                            {">=", 4, SCRIPT_OPERATION, SCRIPT_GREATER_EQUAL},
                                            {"<", 4, SCRIPT_OPERATION, SCRIPT_LESS},
                                            {">", 4, SCRIPT_OPERATION, SCRIPT_GREATER},
                                            {"+", 5, SCRIPT_OPERATION, SCRIPT_ADD},
                                            {"-", 5, SCRIPT_OPERATION, SCRIPT_SUBTRACT},
                                            {"*", 6, SCRIPT_OPERATION, SCRIPT_MULTIPLY},
                                            {"/", 6, SCRIPT_OPERATION, SCRIPT_DIVIDE}};
enum { CLOSEST = 6 };

static const struct operator* take_operator(struct parser *parser, int level) {
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        skip_space(parser);
        if (strncmp(parser->at, operators[i].token, strlen(operators[i].token)) == 0) {
            bool fits = operators[i].level == level;
            parser->at += fits ? strlen(operators[i].token) : 0;
            return fits ? &operators[i] : NULL;
        }
    }
    return NULL;
}

static enum status read_operators(struct parser *parser, int level, const struct script_expression **out) {
    if (level > CLOSEST) {
        return read_unary(parser, out);
    }
    enum status status = read_operators(parser, level + 1, out);
    while (status == STATUS_OK) {
        const struct operator* found = take_operator(parser, level);
        if (found == NULL) {
            return STATUS_OK;
        }
        struct script_expression *operation = make(parser, found->kind);
        operation->operation = found->operation;
        operation->a = *out;
        *out = operation;
        status = read_operators(parser, level + 1, &operation->b);
    }
    return status;
}

static enum status read_condition(struct parser *parser, const struct script_expression **out) {
    enum status status = read_operators(parser, 1, out);
    skip_space(parser);
    if (status != STATUS_OK || *parser->at != '?') {
        return status;
    }
    parser->at++;
    struct script_expression *condition = make(parser, SCRIPT_CONDITION);
    condition->a = *out;
    *out = condition;
    status = read_whole(parser, &condition->b);
    if (status == STATUS_OK) {
        status = expect(parser, ":");
    }
    return status == STATUS_OK ? read_whole(parser, &condition->c) : status;
}

static enum status read_whole(struct parser *parser, const struct script_expression **out) {
    if (parser->reader->depth >= SCRIPT_DEPTH_MAX) {
        return refuse(parser, "nested too deep");
    }
    parser->reader->depth++;
    enum status status = read_condition(parser, out);
    parser->reader->depth--;
    return status;
}

enum status script_read_expression(struct script_reader *reader, struct script_node node, const char *text,
                                   const struct script_expression **expression) {
    struct parser parser = {.reader = reader, .node = node, .text = text, .at = text};
    if (strlen(text) > LENGTH_MAX) { /* which also bounds how deep the tree is */
        return script_refuse(reader, node, "an expression has at most %d bytes", LENGTH_MAX);
    }
    enum status status = read_whole(&parser, expression);
    skip_space(&parser);
    if (status == STATUS_OK && *parser.at != 0) {
        return refuse(&parser, "unexpected text");
    }
    return status;
}
