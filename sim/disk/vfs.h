/* The SQLite VFS of a world: time is the node's wall clock, randomness comes from the seed. A database lives
 * in memory (":memory:", or DISK_VFS_SHARED, which shares its pages with others of this name), or as a file
 * on a node's disk ("alice-1/app.db"); other files are refused. It is the default VFS of the process while it
 * is open, so at most one can be open; SQLite keeps that registration, and it is the only process-wide state
 * of a world. */
#ifndef SYNCLINE_DISK_VFS_H
#define SYNCLINE_DISK_VFS_H

#include "disk/disk.h"
#include "kernel/world.h"

struct disk_vfs;

/* Opens a new database that begins as the image that was set last. Pages of DISK_VFS_PAGE bytes, no journal
 * on disk, nothing outside the main database. */
#define DISK_VFS_SHARED "shared"
enum { DISK_VFS_PAGE = 1024 };

/* Register as default VFS and reset SQLite's own random numbers. */
struct disk_vfs *disk_vfs_open(struct world *world);
void disk_vfs_close(struct disk_vfs *vfs);
/* Whose clock SQLite sees from now on (a client sets itself before it calls SQLite). Borrowed; NULL: the
 * world's. */
void disk_vfs_set_node(struct disk_vfs *vfs, struct host *host);
/* What DISK_VFS_SHARED begins as: a whole database. `length` 0: empty, as at first. */
void disk_vfs_set_image(struct disk_vfs *vfs, const unsigned char *bytes, size_t length);
/* Files "<node>/..." are on this disk from now on; NULL: on none. The disk is borrowed. */
void disk_vfs_mount(struct disk_vfs *vfs, const char *node, struct disk *disk);
/* One of several processes on a disk ends: what was opened while it was set (disk_vfs_set_node) is closed,
 * without a last word. disk_end_process ends them all. */
void disk_vfs_end_process(struct disk_vfs *vfs, const struct host *process);

#endif
