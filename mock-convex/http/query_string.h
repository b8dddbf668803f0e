/* The query part of a URL, decoded as HTML forms are: '+' is a space, broken percent signs stay, bytes that
 * are not UTF-8 become U+FFFD. */
#ifndef MOCK_CONVEX_QUERY_STRING_H
#define MOCK_CONVEX_QUERY_STRING_H

#include <stddef.h>

struct convex_query_pair {
    char *name;
    char *value;
};

struct convex_query {
    struct convex_query_pair *pairs; /* in the order of the text */
    size_t count;
    size_t capacity;
};

void convex_query_parse(struct convex_query *query, const char *text); /* `text` may be NULL */
void convex_query_free(struct convex_query *query);
const char *convex_query_get(const struct convex_query *query,
                             const char *name); /* the first one; NULL: absent */
size_t convex_query_count(const struct convex_query *query, const char *name);

#endif
