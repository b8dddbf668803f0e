/* A SQLite VFS over the default one that breaks at the N-th change to a file, like a machine that dies: half
 * of that write reaches the file, and from then on every change fails, until it is armed again. It does not
 * sync: nobody pulls the plug here. Include once a test program. */
#ifndef TESTS_MOCK_POWERSYNC_BREAKING_VFS_H
#define TESTS_MOCK_POWERSYNC_BREAKING_VFS_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct breaking_file {
    sqlite3_file base;
    struct breaking_vfs *vfs;
    sqlite3_file *real; /* behind this struct */
};

struct breaking_vfs {
    sqlite3_vfs base;
    sqlite3_vfs *real;
    sqlite3_io_methods methods;
    long left; /* changes until it breaks; below 0: never */
    bool broken;
    long changes; /* that were asked for */
};

/* False: this change fails. */
static inline bool breaking_change(struct breaking_vfs *vfs, bool *last) {
    vfs->changes++;
    *last = vfs->left == 0;
    if (vfs->left > 0)
        vfs->left--;
    if (*last)
        vfs->broken = true;
    return !vfs->broken;
}

static inline struct breaking_file *breaking_of(sqlite3_file *file) {
    return (struct breaking_file *)file;
}

static int breaking_close(sqlite3_file *file) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods ? own->real->pMethods->xClose(own->real) : SQLITE_OK;
}

static int breaking_read(sqlite3_file *file, void *bytes, int amount, sqlite3_int64 offset) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xRead(own->real, bytes, amount, offset);
}

static int breaking_write(sqlite3_file *file, const void *bytes, int amount, sqlite3_int64 offset) {
    struct breaking_file *own = breaking_of(file);
    bool last;
    if (breaking_change(own->vfs, &last))
        return own->real->pMethods->xWrite(own->real, bytes, amount, offset);
    if (last)
        own->real->pMethods->xWrite(own->real, bytes, amount / 2, offset);
    return SQLITE_IOERR_WRITE;
}

static int breaking_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct breaking_file *own = breaking_of(file);
    bool last;
    return breaking_change(own->vfs, &last) ? own->real->pMethods->xTruncate(own->real, size)
                                            : SQLITE_IOERR_TRUNCATE;
}

static int breaking_sync(sqlite3_file *file, int flags) {
    (void)flags;
    bool last;
    return breaking_change(breaking_of(file)->vfs, &last) ? SQLITE_OK : SQLITE_IOERR_FSYNC;
}

static int breaking_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xFileSize(own->real, size);
}

static int breaking_lock(sqlite3_file *file, int level) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xLock(own->real, level);
}

static int breaking_unlock(sqlite3_file *file, int level) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xUnlock(own->real, level);
}

static int breaking_check(sqlite3_file *file, int *result) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xCheckReservedLock(own->real, result);
}

static int breaking_control(sqlite3_file *file, int what, void *argument) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xFileControl(own->real, what, argument);
}

static int breaking_sector(sqlite3_file *file) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xSectorSize(own->real);
}

static int breaking_device(sqlite3_file *file) {
    struct breaking_file *own = breaking_of(file);
    return own->real->pMethods->xDeviceCharacteristics(own->real);
}

static int breaking_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                         int *out_flags) {
    struct breaking_vfs *own = vfs->pAppData;
    struct breaking_file *made = breaking_of(file);
    *made = (struct breaking_file){.vfs = own, .real = (sqlite3_file *)(made + 1)};
    memset(made->real, 0, (size_t)own->real->szOsFile);
    int result = own->real->xOpen(own->real, name, made->real, flags, out_flags);
    made->base.pMethods = result == SQLITE_OK ? &own->methods : NULL;
    return result;
}

static int breaking_delete(sqlite3_vfs *vfs, const char *name, int sync) {
    struct breaking_vfs *own = vfs->pAppData;
    bool last;
    return breaking_change(own, &last) ? own->real->xDelete(own->real, name, sync) : SQLITE_IOERR_DELETE;
}

/* Registered as "breaking". Never breaks until `left` is set. */
static inline struct breaking_vfs *breaking_vfs_create(void) {
    struct breaking_vfs *vfs = calloc(1, sizeof *vfs);
    vfs->real = sqlite3_vfs_find(NULL);
    vfs->left = -1;
    vfs->methods = (sqlite3_io_methods){.iVersion = 1, /* no shared memory: the log must do without */
                                        .xClose = breaking_close,
                                        .xRead = breaking_read,
                                        .xWrite = breaking_write,
                                        .xTruncate = breaking_truncate,
                                        .xSync = breaking_sync,
                                        .xFileSize = breaking_size,
                                        .xLock = breaking_lock,
                                        .xUnlock = breaking_unlock,
                                        .xCheckReservedLock = breaking_check,
                                        .xFileControl = breaking_control,
                                        .xSectorSize = breaking_sector,
                                        .xDeviceCharacteristics = breaking_device};
    vfs->base = *vfs->real;
    vfs->base.zName = "breaking";
    vfs->base.pNext = NULL;
    vfs->base.pAppData = vfs;
    vfs->base.szOsFile = (int)sizeof(struct breaking_file) + vfs->real->szOsFile;
    vfs->base.xOpen = breaking_open;
    vfs->base.xDelete = breaking_delete;
    sqlite3_vfs_register(&vfs->base, 0);
    return vfs;
}

static inline void breaking_vfs_destroy(struct breaking_vfs *vfs) {
    sqlite3_vfs_unregister(&vfs->base);
    free(vfs);
}

static inline void breaking_vfs_repair(struct breaking_vfs *vfs, long left) {
    vfs->left = left;
    vfs->broken = false;
}

#endif
