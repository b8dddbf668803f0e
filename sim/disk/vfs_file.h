/* Files of a disk as SQLite knows them: its I/O methods over disk.h. Several connections may have a file
 * (vfs_share.h); a handle from before a crash fails at everything but closing. */
#ifndef SYNCLINE_DISK_VFS_FILE_H
#define SYNCLINE_DISK_VFS_FILE_H

#include <sqlite3.h>

#include "disk/disk.h"
#include "disk/vfs_share.h"

struct vfs_file {
    sqlite3_file base; /* first: SQLite hands it back */
    struct disk *disk;
    struct disk_file *file;
    uint64_t life;      /* of the disk, when it was opened */
    char *delete_later; /* its name, when it goes with this handle */

    struct vfs_opens *opens; /* which it is listed in */
    struct vfs_file *next, *previous;
    struct vfs_share *share;                /* NULL: no database */
    const struct host *process;             /* that opened it; NULL: none is known */
    bool ended;                             /* and has ended */
    int level;                              /* SQLITE_LOCK_... */
    unsigned index_shared, index_exclusive; /* locks of the index, one bit each */
};

/* The file `name` of the disk, for SQLite as `path`, opened by `process`. Fills `file`; SQLite's codes. */
struct vfs_file_place {
    struct disk *disk;
    const char *name, *path;
    struct vfs_opens *opens;
    const struct host *process;
};
int vfs_file_open(const struct vfs_file_place *place, struct vfs_file *file, int flags, int *out_flags);

#endif
