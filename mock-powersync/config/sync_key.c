/* Keys and hashes of expressions. The real service prints an expression as SQLite would read it, with "?" for
 * what comes from outside, and hashes that text: the same text here gives the same order of parameters. */
#include <assert.h>
#include <string.h>

#include "mock-powersync/config/sync_source.h"

struct printer {
    struct buffer *out;
    bool space; /* before the next word */
};

/* How tightly operators bind, as the printed text has it. */
enum binding {
    BINDING_NONE,
    BINDING_OR,
    BINDING_AND,
    BINDING_NOT,
    BINDING_EQUAL,
    BINDING_COMPARE,
    BINDING_BITS,
    BINDING_ADD,
    BINDING_MULTIPLY,
    BINDING_CONCATENATE
};

static void print(struct printer *printer, const struct sync_expression *expression, enum binding outer);

static void word(struct printer *printer, const char *text, bool space_before, bool space_after) {
    if (printer->space && space_before)
        buffer_append_char(printer->out, ' ');
    buffer_append_text(printer->out, text);
    printer->space = space_after;
}

static void quoted(struct printer *printer, const char *text, size_t length, char quote) {
    if (printer->space)
        buffer_append_char(printer->out, ' ');
    buffer_append_char(printer->out, quote);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == quote)
            buffer_append_char(printer->out, quote);
        buffer_append_char(printer->out, text[i]);
    }
    buffer_append_char(printer->out, quote);
    printer->space = true;
}

static void print_literal(struct printer *printer, const struct sql_value *value) {
    struct buffer text = {0};
    if (value->kind == SQL_TEXT) {
        quoted(printer, value->text, value->length, '\'');
        return;
    }
    if (value->kind == SQL_NULL)
        buffer_append_text(&text, "NULL");
    else if (value->kind == SQL_INTEGER)
        buffer_append_integer(&text, value->integer);
    else
        buffer_append_double(&text, value->real);
    word(printer, buffer_text(&text), true, true);
    buffer_free(&text);
}

static void print_list(struct printer *printer, struct sync_expression *const *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            word(printer, ",", false, true);
        print(printer, items[i], BINDING_NONE);
    }
}

static void print_case(struct printer *printer, const struct sync_expression *expression) {
    struct sync_expression *const *parts = expression->arguments;
    size_t last = expression->n_arguments - 1;
    word(printer, "CASE", true, true);
    if (parts[0])
        print(printer, parts[0], BINDING_NONE);
    for (size_t i = 1; i < last; i++) {
        word(printer, i % 2 ? "WHEN" : "THEN", true, true);
        print(printer, parts[i], BINDING_NONE);
    }
    if (parts[last]) {
        word(printer, "ELSE", true, true);
        print(printer, parts[last], BINDING_NONE);
    }
    word(printer, "END", true, true);
}

static enum binding binding_of(const char *operation) {
    static const struct {
        const char *name;
        enum binding binding;
    } bindings[] = {{"=", BINDING_EQUAL},    {"is ", BINDING_EQUAL},  {"between ", BINDING_EQUAL},
                    {"in ", BINDING_EQUAL},  {"<", BINDING_COMPARE},  {">", BINDING_COMPARE},
                    {"<=", BINDING_COMPARE}, {">=", BINDING_COMPARE}, {"&", BINDING_BITS},
                    {"|", BINDING_BITS},     {"<<", BINDING_BITS},    {">>", BINDING_BITS},
                    {"+", BINDING_ADD},      {"-", BINDING_ADD},      {"*", BINDING_MULTIPLY},
                    {"/", BINDING_MULTIPLY}, {"%", BINDING_MULTIPLY}, {"||", BINDING_CONCATENATE}};
    for (size_t i = 0; i < sizeof bindings / sizeof *bindings; i++)
        if (strcmp(bindings[i].name, operation) == 0)
            return bindings[i].binding;
    return BINDING_NONE;
}

static void print_function(struct printer *printer, const struct sync_expression *expression) {
    const char *name = expression->operation->name;
    if (strncmp(name, "cast ", 5) == 0) {
        word(printer, "CAST(", true, false);
        print(printer, expression->arguments[0], BINDING_NONE);
        word(printer, "AS", true, true);
        word(printer, name + 5, true, true);
        word(printer, ")", false, true);
        return;
    }
    if (strcmp(name, "json contains") == 0)
        name = "ps_json_contains";
    quoted(printer, name, strlen(name), '"');
    word(printer, "(", false, false);
    print_list(printer, expression->arguments, expression->n_arguments);
    word(printer, ")", false, true);
}

static void print_operator(struct printer *printer, const struct sync_expression *expression,
                           const char *name, enum binding own, enum binding outer) {
    struct sync_expression *const *arguments = expression->arguments;
    if (outer >= own)
        word(printer, "(", true, false);
    print(printer, arguments[0], own);
    if (strcmp(name, "in ") == 0) {
        word(printer, "IN", true, true);
        word(printer, "(", true, false);
        print_list(printer, arguments + 1, expression->n_arguments - 1);
        word(printer, ")", false, true);
    } else {
        bool between = strcmp(name, "between ") == 0;
        word(printer, between ? "BETWEEN" : strcmp(name, "is ") == 0 ? "is" : name, true, true);
        print(printer, arguments[1], own);
        if (between) {
            word(printer, "AND", true, true);
            print(printer, arguments[2], own);
        }
    }
    if (outer >= own)
        word(printer, ")", false, true);
}

static void print_not(struct printer *printer, const struct sync_expression *expression, enum binding outer) {
    if (outer >= BINDING_NOT)
        word(printer, "(", true, false);
    word(printer, "not", true, true);
    print(printer, expression->arguments[0], BINDING_NOT);
    if (outer >= BINDING_NOT)
        word(printer, ")", false, true);
}

static void print(struct printer *printer, const struct sync_expression *expression, enum binding outer) {
    switch (expression->kind) {
    case EXPRESSION_LITERAL:
        print_literal(printer, &expression->literal);
        return;
    case EXPRESSION_COLUMN:
    case EXPRESSION_REQUEST:
        word(printer, "?", true, true);
        return;
    case EXPRESSION_CASE:
        print_case(printer, expression);
        return;
    case EXPRESSION_AND:
        print_operator(printer, expression, "and", BINDING_AND, outer);
        return;
    case EXPRESSION_OR:
        print_operator(printer, expression, "or", BINDING_OR, outer);
        return;
    case EXPRESSION_NOT:
        print_not(printer, expression, outer);
        return;
    case EXPRESSION_CALL: {
        enum binding own = binding_of(expression->operation->name);
        if (own == BINDING_NONE)
            print_function(printer, expression);
        else
            print_operator(printer, expression, expression->operation->name, own, outer);
        return;
    }
    case EXPRESSION_IN:
    case EXPRESSION_NOT_IN:
    case EXPRESSION_OVERLAP:
    case EXPRESSION_SUBQUERY:
    case EXPRESSION_NAMED:
        break;
    }
    assert(false); /* not resolved */
}

static void append_leaf(void *context, const struct sync_expression *leaf) {
    buffer_append_char(context, leaf->kind == EXPRESSION_COLUMN ? 'c' : 'r');
    buffer_append_json_text(context, leaf->text);
}

void sync_expression_append_key(struct buffer *out, const struct sync_expression *expression) {
    struct buffer text = {0};
    struct printer printer = {.out = &text};
    print(&printer, expression, BINDING_NONE);
    buffer_append_json_string(out, text.data, text.length);
    buffer_free(&text);
    sync_expression_visit(expression, append_leaf, out);
}

/* Hashes */

enum { HASH_SEED = 614160925, HASH_MASK = 0x1fffffff };

static void add_unit(uint32_t *hash, uint32_t unit) {
    uint32_t mixed = (*hash + unit) & HASH_MASK;
    mixed = (mixed + ((mixed & 0x7ffff) << 10)) & HASH_MASK;
    *hash = mixed ^ (mixed >> 6);
}

/* Every UTF-16 unit of the text. */
static void add_text(uint32_t *hash, const char *text) {
    for (const unsigned char *at = (const unsigned char *)text; *at;) {
        uint32_t lead = *at++;
        uint32_t point = lead < 0x80   ? lead
                         : lead < 0xe0 ? lead & 0x1f
                         : lead < 0xf0 ? lead & 0x0f
                                       : lead & 0x07;
        while ((*at & 0xc0) == 0x80)
            point = point << 6 | (*at++ & 0x3fU);
        if (point > 0xffff) {
            add_unit(hash, 0xd800 + ((point - 0x10000) >> 10));
            add_unit(hash, 0xdc00 + ((point - 0x10000) & 0x3ff));
        } else {
            add_unit(hash, point);
        }
    }
}

static void hash_leaf(void *context, const struct sync_expression *leaf) {
    add_text(context, leaf->text);
}

static void add_expression(uint32_t *hash, const struct sync_expression *expression) {
    struct buffer text = {0};
    struct printer printer = {.out = &text};
    print(&printer, expression, BINDING_NONE);
    add_text(hash, buffer_text(&text));
    buffer_free(&text);
    sync_expression_visit(expression, hash_leaf, hash);
}

uint32_t sync_expression_hash(const struct sync_expression *expression, const struct sync_source *function) {
    uint32_t hash = HASH_SEED;
    if (function) {
        add_text(&hash, function->name);
        for (size_t i = 0; i < function->n_arguments; i++)
            add_expression(&hash, function->arguments[i]);
    }
    add_expression(&hash, expression);
    hash = (hash + ((hash & 0x3ffffff) << 3)) & HASH_MASK;
    hash ^= hash >> 11;
    return (hash + ((hash & 0x3fff) << 15)) & HASH_MASK;
}
