/* Databases in memory as SQLite knows them: its I/O methods over page_store.h. A file has one connection and
 * ends with it; there are no logs, journals or faults. */
#ifndef SYNCLINE_DISK_VFS_MEMORY_H
#define SYNCLINE_DISK_VFS_MEMORY_H

#include <sqlite3.h>

#include "disk/page_store.h"

struct vfs_memory {
    sqlite3_file base; /* first: SQLite hands it back */
    struct page_store *store;
    struct paged_file file;
};

/* A new file that begins as `image` (NULL: empty). */
void vfs_memory_open(struct vfs_memory *memory, struct page_store *store, const struct paged_file *image);

#endif
