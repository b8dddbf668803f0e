#include "disk/vfs_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static struct vfs_file *file_of(sqlite3_file *base) {
    return (struct vfs_file *)base; /* its first member */
}

static bool is_dead(const struct vfs_file *file) {
    return file->ended || file->life != disk_life(file->disk);
}

/* `failed` says which operation it was, as SQLite wants to know. */
static int code_of(enum disk_answer answer, int failed) {
    return answer == DISK_DONE ? SQLITE_OK : answer == DISK_FULL ? SQLITE_FULL : failed;
}

static int close_file(sqlite3_file *base) {
    struct vfs_file *file = file_of(base);

    if (file->delete_later && !is_dead(file))
        (void)disk_delete_file(file->disk, file->delete_later, false);
    free(file->delete_later);
    vfs_share_close(file);
    return SQLITE_OK;
}

/* What is behind the file's end reads as zeros, and SQLite must be told. */
static int read_file(sqlite3_file *base, void *bytes, int length, sqlite3_int64 offset) {
    struct vfs_file *file = file_of(base);
    size_t got = 0;

    assert(length >= 0);
    if (is_dead(file) || disk_file_read(file->file, offset, bytes, (size_t)length, &got) != DISK_DONE)
        return SQLITE_IOERR_READ;
    memset((char *)bytes + got, 0, (size_t)length - got);
    return got == (size_t)length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset) {
    struct vfs_file *file = file_of(base);

    assert(length >= 0);
    if (is_dead(file))
        return SQLITE_IOERR_WRITE;
    return code_of(disk_file_write(file->file, offset, bytes, (size_t)length), SQLITE_IOERR_WRITE);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size) {
    struct vfs_file *file = file_of(base);

    if (is_dead(file))
        return SQLITE_IOERR_TRUNCATE;
    return code_of(disk_file_truncate(file->file, size), SQLITE_IOERR_TRUNCATE);
}

static int sync_file(sqlite3_file *base, int flags) {
    struct vfs_file *file = file_of(base);

    (void)flags;
    if (is_dead(file))
        return SQLITE_IOERR_FSYNC;
    return code_of(disk_file_sync(file->file), SQLITE_IOERR_FSYNC);
}

static int tell_size(sqlite3_file *base, sqlite3_int64 *size) {
    struct vfs_file *file = file_of(base);

    *size = is_dead(file) ? 0 : disk_file_size(file->file);
    return is_dead(file) ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

static int lock(sqlite3_file *base, int level) {
    return is_dead(file_of(base)) ? SQLITE_IOERR_LOCK : vfs_share_lock(file_of(base), level);
}

static int unlock(sqlite3_file *base, int level) {
    return vfs_share_unlock(file_of(base), level);
}

static int check_reserved(sqlite3_file *base, int *result) {
    *result = vfs_share_is_reserved(file_of(base));
    return SQLITE_OK;
}

static int map_index(sqlite3_file *base, int region, int size, int extend, void volatile **memory) {
    if (is_dead(file_of(base)))
        return SQLITE_IOERR_SHMMAP;
    return vfs_share_map(file_of(base), region, size, extend != 0, memory);
}

static int lock_index(sqlite3_file *base, int offset, int count, int flags) {
    if (is_dead(file_of(base)))
        return SQLITE_IOERR_SHMLOCK;
    return vfs_share_lock_index(file_of(base), offset, count, flags);
}

/* Nobody writes while another reads: all are of one thread. */
static void order_index(sqlite3_file *base) {
    (void)base;
}

static int unmap_index(sqlite3_file *base, int delete) {
    (void)delete;
    vfs_share_unmap(file_of(base));
    return SQLITE_OK;
}

static int control(sqlite3_file *base, int operation, void *argument) {
    (void)base;
    (void)operation;
    (void)argument;
    return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *base) {
    (void)base;
    return DISK_SECTOR;
}

static int characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* disk.h: bytes that are not written are not harmed */
}

static const sqlite3_io_methods methods = {.iVersion = 2,
                                           .xClose = close_file,
                                           .xRead = read_file,
                                           .xWrite = write_file,
                                           .xTruncate = truncate_file,
                                           .xSync = sync_file,
                                           .xFileSize = tell_size,
                                           .xLock = lock,
                                           .xUnlock = unlock,
                                           .xCheckReservedLock = check_reserved,
                                           .xFileControl = control,
                                           .xSectorSize = sector_size,
                                           .xDeviceCharacteristics = characteristics,
                                           .xShmMap = map_index,
                                           .xShmLock = lock_index,
                                           .xShmBarrier = order_index,
                                           .xShmUnmap = unmap_index};

int vfs_file_open(const struct vfs_file_place *place, struct vfs_file *file, int flags, int *out_flags) {
    struct disk *disk = place->disk;
    bool read_only = disk_is_read_only(disk);
    bool create = (flags & SQLITE_OPEN_CREATE) != 0 && !read_only;

    *file = (struct vfs_file){.disk = disk, .life = disk_life(disk), .process = place->process};
    if (disk_open_file(disk, place->name, create, &file->file) != DISK_DONE)
        return SQLITE_CANTOPEN; /* base.pMethods is NULL: there is nothing to close */
    file->base.pMethods = &methods;
    if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0)
        file->delete_later = memory_copy_text(place->name);
    vfs_share_open(place->opens, file, (flags & SQLITE_OPEN_MAIN_DB) != 0 ? place->path : NULL);
    if (read_only)
        flags = (flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
    if (out_flags)
        *out_flags = flags;
    return SQLITE_OK;
}
