/* The cursor of Data Sync: hex of a small record with a keyed checksum, so that a damaged or foreign one is
 * found out. Readers treat it as opaque. */
#ifndef MOCK_CONVEX_DATA_SYNC_CURSOR_H
#define MOCK_CONVEX_DATA_SYNC_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define CONVEX_SYNC_TABLES_MAX 4096

struct convex_sync_cursor {
    int64_t ts;       /* what was handed out is the state at this timestamp, ns */
    uint64_t sync_id; /* random */
    bool within;      /* the reader is inside `tablet`, after the document `internal` */
    unsigned char tablet[16];
    unsigned char internal[16];
    unsigned char (*done)[16]; /* tablets that were handed out whole; owned */
    size_t n_done;
};

/* Appends the text. `key` is the deployment's secret. */
void convex_sync_cursor_append(struct buffer *out, const struct convex_sync_cursor *cursor, const char *key);
/* STATUS_INVALID: damaged, or made with another key; the cursor is then empty. */
enum status convex_sync_cursor_parse(struct convex_sync_cursor *cursor, const char *text, const char *key);
void convex_sync_cursor_free(struct convex_sync_cursor *cursor);

bool convex_sync_cursor_is_done(const struct convex_sync_cursor *cursor, const unsigned char tablet[16]);
void convex_sync_cursor_add_done(struct convex_sync_cursor *cursor, const unsigned char tablet[16]);

#endif
