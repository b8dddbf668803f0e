/* Just enough of SQL's lexical rules to find words in a query without being misled by strings, quoted names
 * and comments. The oracle changes a stream's query only by replacing whole tokens and leaves every meaning
 * to SQLite. */
#ifndef SYNCLINE_CHECK_SQL_TEXT_H
#define SYNCLINE_CHECK_SQL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum sql_token_kind {
    SQL_END,
    SQL_WORD,   /* unquoted identifier, keyword or number */
    SQL_QUOTED, /* "name" */
    SQL_STRING, /* 'text' */
    SQL_SIGN    /* any other single character */
};

struct sql_token {
    enum sql_token_kind kind;
    const char *start; /* in the query, quotes included */
    size_t length;
    int depth; /* of parentheses around it; a parenthesis itself counts as inside */
};

/* The token at or after `*position` (a byte offset, moved behind it; `*depth` starts at 0). */
struct sql_token sql_next_token(const char *text, size_t *position, int *depth);

/* A word equal to `word` without regard to case, or a sign equal to it. */
bool sql_token_is(const struct sql_token *token, const char *word);
/* The name that a word or quoted identifier stands for; unquoted names are folded to lower case, as the
 * service does. */
void sql_token_name(const struct sql_token *token, struct buffer *out);
/* "name" with quotes doubled. */
void sql_append_name(struct buffer *out, const char *name);

#endif
