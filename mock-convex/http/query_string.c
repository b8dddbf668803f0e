#include "mock-convex/http/query_string.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/percent.h"
#include "mock-convex/value/utf8.h"

/* Undo percent-encoding. A zero byte ends the text: no name or value that means anything contains one. */
static char *decode(const char *text, size_t length) {
    struct buffer bytes = {0}, clean = {0};
    percent_decode(&bytes, text, length);
    convex_utf8_append(&clean, buffer_text(&bytes), bytes.length);
    buffer_free(&bytes);
    return buffer_take(&clean);
}

void convex_query_parse(struct convex_query *query, const char *text) {
    memset(query, 0, sizeof *query);
    while (text != NULL && *text != 0) {
        size_t length = strcspn(text, "&");
        const char *equals = memchr(text, '=', length);
        size_t name = equals != NULL ? (size_t)(equals - text) : length;
        if (length > 0) {
            MEMORY_RESERVE(query->pairs, query->capacity, query->count + 1);
            struct convex_query_pair *pair = &query->pairs[query->count++];
            pair->name = decode(text, name);
            pair->value = equals != NULL ? decode(equals + 1, length - name - 1) : memory_copy_text("");
        }
        text += length;
        text += *text == '&';
    }
}

void convex_query_free(struct convex_query *query) {
    assert(query->count <= query->capacity);
    for (size_t i = 0; i < query->count; i++) {
        free(query->pairs[i].name);
        free(query->pairs[i].value);
    }
    free(query->pairs);
    memset(query, 0, sizeof *query);
}

const char *convex_query_get(const struct convex_query *query, const char *name) {
    for (size_t i = 0; i < query->count; i++) {
        if (strcmp(query->pairs[i].name, name) == 0) {
            return query->pairs[i].value;
        }
    }
    return NULL;
}

size_t convex_query_count(const struct convex_query *query, const char *name) {
    assert(name != NULL);
    size_t count = 0;
    for (size_t i = 0; i < query->count; i++) {
        count += strcmp(query->pairs[i].name, name) == 0;
    }
    return count;
}
