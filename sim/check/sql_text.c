#include "check/sql_text.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static bool is_word_byte(unsigned char byte) {
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           byte == '_' || byte == '$' || byte >= 0x80;
}

static size_t skip_space(const char *text, size_t at) {
    for (;;) {
        if (text[at] == ' ' || (text[at] >= '\t' && text[at] <= '\r')) {
            at++;
        } else if (text[at] == '-' && text[at + 1] == '-') {
            at += strcspn(text + at, "\n");
        } else if (text[at] == '/' && text[at + 1] == '*') {
            const char *end = strstr(text + at + 2, "*/");
            at = end == NULL ? at + strlen(text + at) : (size_t)(end - text) + 2;
        } else {
            return at;
        }
    }
}

/* The offset behind a quoted token that starts at `at`; a doubled quote is part of it. */
static size_t skip_quoted(const char *text, size_t at) {
    const char quote = text[at++];
    assert(quote == '\'' || quote == '"');
    while (text[at] != '\0') {
        if (text[at] != quote) {
            at++;
        } else if (text[at + 1] == quote) {
            at += 2;
        } else {
            return at + 1;
        }
    }
    return at;
}

struct sql_token sql_next_token(const char *text, size_t *position, int *depth) {
    const size_t start = skip_space(text, *position);
    size_t end = start;
    struct sql_token token = {.kind = SQL_END, .start = text + start, .depth = *depth};
    if (text[start] == '\'' || text[start] == '"') {
        token.kind = text[start] == '"' ? SQL_QUOTED : SQL_STRING;
        end = skip_quoted(text, start);
    } else if (is_word_byte((unsigned char)text[start])) {
        token.kind = SQL_WORD;
        while (is_word_byte((unsigned char)text[end]))
            end++;
    } else if (text[start] != '\0') {
        token.kind = SQL_SIGN;
        end = start + 1;
        if (text[start] == '(')
            token.depth = ++*depth;
        if (text[start] == ')')
            --*depth;
    }
    assert(end > start || token.kind == SQL_END);
    token.length = end - start;
    *position = end;
    return token;
}

bool sql_token_is(const struct sql_token *token, const char *word) {
    return (token->kind == SQL_WORD || token->kind == SQL_SIGN) && strlen(word) == token->length &&
           strncasecmp(token->start, word, token->length) == 0;
}

void sql_token_name(const struct sql_token *token, struct buffer *out) {
    assert(token->kind == SQL_WORD || token->kind == SQL_QUOTED);
    buffer_clear(out);
    const bool quoted = token->kind == SQL_QUOTED;
    const size_t from = quoted ? 1 : 0;
    const size_t to = quoted && token->length >= 2 ? token->length - 1 : token->length;
    for (size_t i = from; i < to; i++) {
        char byte = token->start[i];
        if (!quoted && byte >= 'A' && byte <= 'Z')
            byte = (char)(byte + ('a' - 'A'));
        if (quoted && byte == '"')
            i++;
        buffer_append_char(out, byte);
    }
}

void sql_append_name(struct buffer *out, const char *name) {
    buffer_append_char(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            buffer_append_char(out, '"');
        buffer_append_char(out, *name);
    }
    buffer_append_char(out, '"');
}
