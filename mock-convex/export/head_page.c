#include "mock-convex/export/head_page.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export/export_row.h"

void convex_head_page_begin(struct convex_head_page *page, const unsigned char tablet[16]) {
    const struct convex_head_rows before = page->before;
    page->before = page->newest;
    page->newest = before;
    page->newest.count = page->next = 0;
    buffer_clear(&page->newest.text);
    if (memcmp(page->tablet, tablet, 16) != 0) {
        page->before.count = 0;
        memcpy(page->tablet, tablet, 16);
    }
}

/* The row as it was in the page before; NULL: it was not there, or was another revision. */
static const struct convex_head_row *find_before(struct convex_head_page *page,
                                                 const struct convex_revision *revision) {
    const unsigned char *internal = revision->document->internal;
    int order = -1;
    while (page->next < page->before.count &&
           (order = memcmp(page->before.rows[page->next].internal, internal, 16)) < 0)
        page->next++;
    if (page->next == page->before.count || order != 0)
        return NULL;
    const struct convex_head_row *row = &page->before.rows[page->next];
    return row->ts == revision->ts ? row : NULL;
}

void convex_head_page_append(struct convex_head_page *page, struct buffer *out,
                             const struct convex_revision *revision) {
    struct convex_head_rows *rows = &page->newest;
    const struct convex_head_row *before = find_before(page, revision);
    MEMORY_RESERVE(rows->rows, rows->capacity, rows->count + 1);
    struct convex_head_row *row = &rows->rows[rows->count++];
    row->ts = revision->ts;
    row->offset = rows->text.length;
    memcpy(row->internal, revision->document->internal, 16);
    if (before != NULL)
        buffer_append(&rows->text, page->before.text.data + before->offset, before->length);
    else
        convex_append_snapshot_row(&rows->text, revision, NULL, CONVEX_FORMAT_JSON);
    row->length = rows->text.length - row->offset;
    buffer_append(out, rows->text.data + row->offset, row->length);
}

static void free_rows(struct convex_head_rows *rows) {
    buffer_free(&rows->text);
    free(rows->rows);
    *rows = (struct convex_head_rows){0};
}

void convex_head_page_free(struct convex_head_page *page) {
    free_rows(&page->newest);
    free_rows(&page->before);
}
