/* A source row from a document that a test has as JSON. */
#ifndef TESTS_MOCK_POWERSYNC_DOCUMENT_H
#define TESTS_MOCK_POWERSYNC_DOCUMENT_H

#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "mock-powersync/replication/convex_page.h"

static inline struct row document_row(const json_t *json, struct arena *arena) {
    struct buffer text = {0};
    struct convex_document document;
    json_append(&text, json);
    if (!convex_document_read(text.data, text.length, arena, &document)) {
        fprintf(stderr, "no document: %s\n", text.data);
        abort();
    }
    buffer_free(&text);
    return document.row;
}

#endif
