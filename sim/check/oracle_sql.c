#include "check/oracle_sql.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "check/sql_text.h"

struct translation {
    struct buffer *out;
    const char *with;
    const struct oracle_sql_request *request;
    struct sql_token *tokens; /* the last one is SQL_END */
    size_t count;             /* without it */
    const char *refusal;
};

static void translate(struct translation *self, size_t from, size_t to);

bool oracle_sql_defines(const char *with, const char *name) {
    struct buffer head = {0};
    sql_append_name(&head, name);
    buffer_append_text(&head, " AS (");
    const bool found = strstr(with, buffer_text(&head)) != NULL;
    buffer_free(&head);
    return found;
}

/* --- looking at tokens --- */

static bool is(const struct translation *self, size_t at, const char *word) {
    return at < self->count && sql_token_is(&self->tokens[at], word);
}

/* Two signs without anything between them. */
static bool is_pair(const struct translation *self, size_t at, const char *first, const char *second) {
    return is(self, at, first) && is(self, at + 1, second) &&
           self->tokens[at].start + 1 == self->tokens[at + 1].start;
}

static bool is_any(const struct translation *self, size_t at, const char *const *words) {
    for (; *words != NULL; words++)
        if (is(self, at, *words))
            return true;
    return false;
}

static bool is_keyword(const struct translation *self, size_t at) {
    static const char *const keywords[] = {"select", "from",    "where", "and",      "or",   "not",   "in",
                                           "is",     "between", "as",    "join",     "on",   "inner", "when",
                                           "then",   "else",    "end",   "distinct", "case", NULL};
    return is_any(self, at, keywords);
}

/* A side of a condition begins behind `at - 1`, or ends before `at`. */
static bool begins_side(const struct translation *self, size_t from, size_t at) {
    static const char *const words[] = {"and",   "or", "not",  "(",    ",",    "select",
                                        "where", "on", "when", "then", "else", NULL};
    return at == from || is_any(self, at - 1, words);
}

static bool ends_side(const struct translation *self, size_t to, size_t at) {
    static const char *const words[] = {"and",  "or",  ")",  ",",    "then",  "when",
                                        "else", "end", "as", "from", "where", NULL};
    return at >= to || is_any(self, at, words);
}

/* Behind the bracket that closes the one at `at`. */
static size_t skip_brackets(const struct translation *self, size_t at) {
    size_t depth = 0;
    for (; at < self->count; at++) {
        depth += is(self, at, "(") || is(self, at, "[");
        if ((is(self, at, ")") || is(self, at, "]")) && --depth == 0)
            return at + 1;
    }
    return at;
}

/* Behind a name, literal, call or bracket that begins at `at`; `at` itself when none does. */
static size_t skip_base(const struct translation *self, size_t at) {
    if (at >= self->count || is_keyword(self, at))
        return at;
    if (is(self, at, "("))
        return skip_brackets(self, at);
    if (self->tokens[at].kind == SQL_STRING)
        return at + 1;
    if (self->tokens[at].kind == SQL_SIGN)
        return at;
    at++;
    while (is(self, at, ".") && at + 1 < self->count)
        at += 2;
    return is(self, at, "(") || is(self, at, "[") ? skip_brackets(self, at) : at;
}

/* The same with what binds closer than a comparison: `-> 'x'`, `->> 'x'`, `::type`. */
static size_t skip_primary(const struct translation *self, size_t at) {
    size_t end = skip_base(self, at);
    while (end > at) {
        size_t next = end;
        if (is_pair(self, end, "-", ">"))
            next = skip_base(self, end + (is(self, end + 2, ">") ? 3 : 2));
        else if (is_pair(self, end, ":", ":"))
            next = end + 3;
        if (next <= end || next > self->count)
            break;
        end = next;
    }
    return end;
}

/* Where the operand of a NOT ends: before AND (but that of a BETWEEN) or OR on its own level. */
static size_t skip_negated(const struct translation *self, size_t at, size_t to) {
    bool between = false;
    while (at < to && !ends_side(self, to, at)) {
        between |= is(self, at, "between");
        at = is(self, at, "(") ? skip_brackets(self, at) : at + 1;
        if (between && is(self, at, "and")) {
            between = false;
            at++;
        }
    }
    return at < to ? at : to;
}

/* --- writing --- */

static void put(struct translation *self, const char *text) {
    buffer_append_text(self->out, text);
}

/* A space before it, unless it stood right behind the token before. */
static void copy_token(struct translation *self, size_t at) {
    const struct sql_token *token = &self->tokens[at];
    if (at == 0 || self->tokens[at - 1].start + self->tokens[at - 1].length != token->start)
        put(self, " ");
    buffer_append(self->out, token->start, token->length);
}

static const char *request_value(const struct translation *self, size_t at) {
    if (is(self, at, "auth"))
        return self->request->token;
    if (is(self, at, "connection"))
        return self->request->connection;
    return is(self, at, "subscription") ? self->request->subscription : NULL;
}

/* auth.user_id(), x.parameters(), x.parameter(...): the token behind it, or `at`. */
static size_t translate_request(struct translation *self, size_t at) {
    const char *value = request_value(self, at);
    if (value == NULL || !is(self, at + 1, ".") || !is(self, at + 3, "("))
        return at;
    const size_t end = skip_brackets(self, at + 3);
    put(self, " ");
    if (is(self, at, "auth") && is(self, at + 2, "user_id")) {
        put(self, self->request->user);
    } else if (is(self, at + 2, "parameters")) {
        put(self, value);
    } else if (is(self, at + 2, "parameter")) {
        put(self, ORACLE_SQL_PARAMETER "(");
        put(self, value);
        put(self, ",");
        translate(self, at + 4, end - 1);
        put(self, ")");
    } else {
        self->refusal = "the oracle knows user_id(), parameter('..') and parameters() of a request";
    }
    return end;
}

/* What stands after IN: the token behind it. */
static size_t translate_set(struct translation *self, size_t at) {
    const bool list = is(self, at, "array") || is(self, at, "row");
    const size_t end = skip_primary(self, at);
    if (list && (is(self, at + 1, "[") || is(self, at + 1, "("))) {
        put(self, " (");
        translate(self, at + 2, end - 1);
        put(self, ")");
        return end;
    }
    struct buffer name = {0};
    if (at < self->count && (self->tokens[at].kind == SQL_WORD || self->tokens[at].kind == SQL_QUOTED))
        sql_token_name(&self->tokens[at], &name);
    const bool query =
        is(self, at, "(") || (end == at + 1 && oracle_sql_defines(self->with, buffer_text(&name)));
    buffer_free(&name);
    put(self, query ? "" : " (SELECT value FROM json_each(");
    translate(self, at, end);
    put(self, query ? "" : "))");
    return end;
}

/* Whether what stands between is a side of its own; else the operands are not what they look like. */
static bool is_whole(struct translation *self, size_t from, size_t to, size_t at, size_t end) {
    if (begins_side(self, from, at) && ends_side(self, to, end))
        return true;
    self->refusal =
        "the oracle reads != and NOT IN between simple values only: put brackets around each side";
    return false;
}

/* A primary with an operator behind it that SQLite does not have, or means differently: the token behind
 * both, or `at`. */
static size_t translate_operation(struct translation *self, size_t from, size_t to, size_t at) {
    const size_t middle = skip_primary(self, at);
    if (middle == at || middle >= to)
        return at;
    const bool unequal = is_pair(self, middle, "!", "=") || is_pair(self, middle, "<", ">");
    const bool not_in = is(self, middle, "not") && is(self, middle + 1, "in");
    if (unequal || not_in) {
        const size_t end = skip_primary(self, middle + 2);
        if (!is_whole(self, from, to, at, end))
            return to;
        put(self, " ((");
        translate(self, at, middle);
        put(self, unequal ? " =" : " IN");
        if (unequal)
            translate(self, middle + 2, end);
        else
            translate_set(self, middle + 2);
        put(self, ") IS NOT TRUE)");
        return end;
    }
    if (is_pair(self, middle, "&", "&")) {
        const size_t end = skip_primary(self, middle + 2);
        put(self, " " ORACLE_SQL_OVERLAP "(");
        translate(self, at, middle);
        put(self, ",");
        translate(self, middle + 2, end);
        put(self, ")");
        return end;
    }
    return at;
}

/* base::type, base::type::type */
static size_t translate_cast(struct translation *self, size_t at, size_t to) {
    const size_t base = skip_base(self, at);
    if (base == at || !is_pair(self, base, ":", ":") || base + 2 >= to)
        return at;
    put(self, " CAST(");
    translate(self, at, base);
    put(self, " AS ");
    copy_token(self, base + 2);
    put(self, ")");
    if (is_pair(self, base + 3, ":", ":"))
        self->refusal = "the oracle reads one :: after a value: write CAST for the other";
    return base + 3;
}

static size_t translate_not(struct translation *self, size_t at, size_t to) {
    const bool of_is = at > 0 && is(self, at - 1, "is");
    if (!is(self, at, "not") || of_is)
        return at;
    if (is(self, at + 1, "between")) {
        self->refusal = "the oracle does not read NOT BETWEEN: write NOT (x BETWEEN ..)";
        return to;
    }
    const size_t end = skip_negated(self, at + 1, to);
    put(self, " ((");
    translate(self, at + 1, end);
    put(self, ") IS NOT TRUE)");
    return end;
}

static size_t translate_next(struct translation *self, size_t from, size_t to, size_t at) {
    size_t next = translate_operation(self, from, to, at);
    if (next == at)
        next = translate_cast(self, at, to);
    if (next == at)
        next = translate_request(self, at);
    if (next == at)
        next = translate_not(self, at, to);
    if (next == at && is(self, at, "in")) {
        put(self, " IN");
        next = translate_set(self, at + 1);
    }
    if (next == at && is(self, at, "array") && is(self, at + 1, "[")) {
        next = skip_brackets(self, at + 1);
        put(self, " json_array(");
        translate(self, at + 2, next - 1);
        put(self, ")");
    }
    if (next == at)
        copy_token(self, next++);
    return next;
}

static void translate(struct translation *self, size_t from, size_t to) {
    assert(to <= self->count);
    for (size_t at = from; at < to && self->refusal == NULL;)
        at = translate_next(self, from, to, at);
}

static void read_tokens(struct translation *self, const char *text) {
    size_t position = 0, capacity = 0;
    int depth = 0;
    do {
        MEMORY_RESERVE(self->tokens, capacity, self->count + 1);
        self->tokens[self->count] = sql_next_token(text, &position, &depth);
    } while (self->tokens[self->count++].kind != SQL_END);
    self->count--;
}

const char *oracle_sql_translate(struct buffer *out, const char *text, const char *with,
                                 const struct oracle_sql_request *request) {
    struct translation self = {.out = out, .with = with, .request = request};
    read_tokens(&self, text);
    translate(&self, 0, self.count);
    free(self.tokens);
    return self.refusal;
}
