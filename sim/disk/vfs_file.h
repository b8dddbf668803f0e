/* Files of a disk as SQLite knows them: its I/O methods over disk.h. One connection at a time has a file; a
 * handle from before a crash fails at everything but closing. There is no shared memory, so WAL needs the
 * exclusive locking mode. */
#ifndef SYNCLINE_DISK_VFS_FILE_H
#define SYNCLINE_DISK_VFS_FILE_H

#include <sqlite3.h>

#include "disk/disk.h"

struct vfs_file {
    sqlite3_file base; /* first: SQLite hands it back */
    struct disk *disk;
    struct disk_file *file;
    uint64_t life;      /* of the disk, when it was opened */
    char *delete_later; /* its name, when it goes with this handle */
};

/* Fills `file`; SQLite's codes. */
int vfs_file_open(struct disk *disk, const char *name, struct vfs_file *file, int flags, int *out_flags);

#endif
