#include "disk/vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "disk/vfs_file.h"
#include "disk/vfs_memory.h"

union opened_file {
    struct vfs_file on_disk;
    struct vfs_memory in_memory;
};

struct disk_vfs {
    sqlite3_vfs base; /* first: SQLite hands it back */
    struct world *world;
    struct host *node; /* NULL: the world's clock */
    struct map disks;  /* node name -> struct disk, borrowed */
    struct vfs_opens opens;
    struct page_store pages;
    struct paged_file image; /* what DISK_VFS_SHARED begins as */
};

static struct disk_vfs *vfs_of(sqlite3_vfs *base) {
    assert(base && base->xOpen);
    return (struct disk_vfs *)base;
}

/* --- files: on the disks of nodes --- */

/* "alice-1/app.db": the disk of alice-1, NULL when it has none; its file in `*name`. */
static struct disk *disk_of(sqlite3_vfs *base, const char **name) {
    const char *slash = *name ? strchr(*name, '/') : NULL;
    struct disk *disk;

    if (!slash)
        return NULL;
    disk = map_get_bytes(&vfs_of(base)->disks, *name, (size_t)(slash - *name));
    *name = slash + 1;
    return disk;
}

static int open_file(sqlite3_vfs *base, sqlite3_filename name, sqlite3_file *file, int flags,
                     int *out_flags) {
    struct disk_vfs *vfs = vfs_of(base);
    struct vfs_file_place place = {.path = name, .opens = &vfs->opens, .process = vfs->node};

    if (name != NULL && strcmp(name, DISK_VFS_SHARED) == 0 && (flags & SQLITE_OPEN_MAIN_DB) != 0) {
        vfs_memory_open((struct vfs_memory *)file, &vfs->pages, &vfs->image);
        if (out_flags)
            *out_flags = flags;
        return SQLITE_OK;
    }
    place.disk = disk_of(base, &name);
    place.name = name;
    file->pMethods = NULL; /* tells SQLite not to close it */
    return place.disk ? vfs_file_open(&place, (struct vfs_file *)file, flags, out_flags) : SQLITE_CANTOPEN;
}

static int delete_file(sqlite3_vfs *base, const char *name, int sync) {
    struct disk *disk = disk_of(base, &name);
    enum disk_answer answer = disk ? disk_delete_file(disk, name, sync != 0) : DISK_NO_FILE;

    return answer == DISK_DONE      ? SQLITE_OK
           : answer == DISK_NO_FILE ? SQLITE_IOERR_DELETE_NOENT
                                    : SQLITE_IOERR_DELETE;
}

static int has_file(sqlite3_vfs *base, const char *name, int flags, int *result) {
    struct disk *disk = disk_of(base, &name);

    (void)flags;
    *result = disk && disk_has_file(disk, name);
    return SQLITE_OK;
}

static int same_pathname(sqlite3_vfs *base, const char *name, int size, char *out) {
    (void)base;
    if (size <= 0 || strlen(name) >= (size_t)size)
        return SQLITE_CANTOPEN;
    (void)snprintf(out, (size_t)size, "%s", name);
    return SQLITE_OK;
}

/* --- randomness and time --- */

static int fill_randomness(sqlite3_vfs *base, int length, char *out) {
    struct disk_vfs *vfs = vfs_of(base);
    assert(length >= 0);
    for (int i = 0; i < length; i += 8) {
        uint64_t value = world_random(vfs->world, "sqlite", "randomness");
        for (int k = 0; k < 8 && i + k < length; k++)
            out[i + k] = (char)(value >> (8 * k) & 255); /* the same on any byte order */
    }
    return length;
}

static int no_sleep(sqlite3_vfs *base, int microseconds) {
    (void)base;
    return microseconds;
}

/* Milliseconds since noon of 24 November 4714 BC; the Unix epoch is day 2440587.5. */
static int current_time_64(sqlite3_vfs *base, sqlite3_int64 *milliseconds) {
    struct disk_vfs *vfs = vfs_of(base);
    int64_t wall = vfs->node ? host_wall_clock(vfs->node) : TIME_WALL_START + world_now(vfs->world);
    int64_t rounded_down = wall / TIME_MILLISECOND - (wall % TIME_MILLISECOND < 0);
    *milliseconds = INT64_C(210866760000000) + rounded_down;
    return SQLITE_OK;
}

static int current_time(sqlite3_vfs *base, double *days) {
    sqlite3_int64 milliseconds = 0;
    int result = current_time_64(base, &milliseconds);
    *days = (double)milliseconds / 86400000.0;
    return result;
}

static int no_last_error(sqlite3_vfs *base, int size, char *out) {
    (void)base;
    if (size > 0)
        out[0] = 0;
    return 0;
}

/* --- life --- */

struct disk_vfs *disk_vfs_open(struct world *world) {
    struct disk_vfs *vfs = memory_allocate(sizeof *vfs);
    static_assert((int)DISK_VFS_PAGE == (int)PAGE_STORE_PAGE, "one page size");
    vfs->world = world;
    vfs->base = (sqlite3_vfs){.iVersion = 2,
                              .szOsFile = (int)sizeof(union opened_file),
                              .mxPathname = 1024,
                              .zName = "syncline",
                              .xOpen = open_file,
                              .xDelete = delete_file,
                              .xAccess = has_file,
                              .xFullPathname = same_pathname,
                              .xRandomness = fill_randomness,
                              .xSleep = no_sleep,
                              .xCurrentTime = current_time,
                              .xGetLastError = no_last_error,
                              .xCurrentTimeInt64 = current_time_64};
    assert(!sqlite3_vfs_find("syncline")); /* one world at a time */
    int result = sqlite3_vfs_register(&vfs->base, 1);
    assert(result == SQLITE_OK);
    (void)result;
    sqlite3_randomness(0, NULL); /* drop the state of the generator: the next use asks this VFS for a seed */
    return vfs;
}

void disk_vfs_close(struct disk_vfs *vfs) {
    if (!vfs)
        return;
    sqlite3_vfs_unregister(&vfs->base);
    sqlite3_randomness(0, NULL);
    map_free(&vfs->disks, NULL);
    vfs_opens_free(&vfs->opens);
    paged_file_free(&vfs->pages, &vfs->image);
    page_store_free(&vfs->pages);
    free(vfs);
}

void disk_vfs_set_node(struct disk_vfs *vfs, struct host *host) {
    vfs->node = host;
}

void disk_vfs_set_image(struct disk_vfs *vfs, const unsigned char *bytes, size_t length) {
    assert(length % DISK_VFS_PAGE == 0);
    paged_file_free(&vfs->pages, &vfs->image);
    for (size_t i = 0; i < length / DISK_VFS_PAGE; i++)
        paged_file_write(&vfs->pages, &vfs->image, i, bytes + i * DISK_VFS_PAGE);
}

void disk_vfs_mount(struct disk_vfs *vfs, const char *node, struct disk *disk) {
    assert(!strchr(node, '/'));
    if (disk)
        map_set(&vfs->disks, node, disk);
    else
        map_remove(&vfs->disks, node);
}

void disk_vfs_end_process(struct disk_vfs *vfs, const struct host *process) {
    vfs_share_end(&vfs->opens, process);
}
