/* The rows of the newest first page of list_snapshot, as they were written. PowerSync reads that page for
 * every write checkpoint and wants nothing of it but the timestamp: most of its rows are those of last time.
 * At most one page of rows is kept. A zeroed struct is empty. */
#ifndef MOCK_CONVEX_EXPORT_HEAD_PAGE_H
#define MOCK_CONVEX_EXPORT_HEAD_PAGE_H

#include "base/buffer.h"
#include "mock-convex/store/store.h"

struct convex_head_row {
    unsigned char internal[16];
    int64_t ts; /* of its revision */
    size_t offset, length;
};

struct convex_head_rows {
    struct buffer text;
    struct convex_head_row *rows; /* in the order of the page, which is that of the ids */
    size_t count, capacity;
};

struct convex_head_page {
    unsigned char tablet[16]; /* whose rows they are */
    struct convex_head_rows newest, before;
    size_t next; /* in `before`: those ahead of it have been passed */
};

/* Begin a page; then each of its rows is appended, in order. */
void convex_head_page_begin(struct convex_head_page *page, const unsigned char tablet[16]);
void convex_head_page_append(struct convex_head_page *page, struct buffer *out,
                             const struct convex_revision *revision);
void convex_head_page_free(struct convex_head_page *page);

#endif
