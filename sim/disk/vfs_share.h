/* What connections to one database file share: the locks on it, and the index of its log. All connections
 * are of one thread, so shared memory is memory.
 *
 * A share begins with the first handle and is forgotten when the last living one goes, so who opens the file
 * after a crash begins with an empty index and reads the log anew. Its memory stays until the last handle is
 * closed, dead ones included: SQLite still points to it. */
#ifndef SYNCLINE_DISK_VFS_SHARE_H
#define SYNCLINE_DISK_VFS_SHARE_H

#include <sqlite3.h>

#include "base/map.h"
#include "kernel/host.h"

struct vfs_file; /* vfs_file.h */

struct vfs_share {
    unsigned handles; /* not closed, dead or not */
    char **regions;   /* of the index; NULL: not there yet */
    size_t n_regions;
    char *path; /* NULL: forgotten, and no longer in the map */
};

/* All files that are open, and the shares of those that are databases. Zero-initialise. */
struct vfs_opens {
    struct vfs_file *first;
    struct map shares; /* "alice-1/app.db" -> struct vfs_share */
};

void vfs_opens_free(struct vfs_opens *opens); /* every handle must have been closed */
/* A file was opened; `path` for databases, else NULL. */
void vfs_share_open(struct vfs_opens *opens, struct vfs_file *file, const char *path);
void vfs_share_close(struct vfs_file *file);
/* The process that opened files as `process` ends: its handles are dead, its locks are gone. */
void vfs_share_end(struct vfs_opens *opens, const struct host *process);

/* I/O methods of SQLite; the handle is alive. */
int vfs_share_lock(struct vfs_file *file, int level);
int vfs_share_unlock(struct vfs_file *file, int level);
bool vfs_share_is_reserved(const struct vfs_file *file);
int vfs_share_map(struct vfs_file *file, int region, int size, bool extend, void volatile **memory);
int vfs_share_lock_index(struct vfs_file *file, int offset, int count, int flags);
void vfs_share_unmap(struct vfs_file *file);

#endif
