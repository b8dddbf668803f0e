#include "disk/vfs_memory.h"

#include <assert.h>
#include <string.h>

static struct vfs_memory *memory_of(sqlite3_file *base) {
    return (struct vfs_memory *)base; /* its first member */
}

static int close_file(sqlite3_file *base) {
    paged_file_free(memory_of(base)->store, &memory_of(base)->file);
    return SQLITE_OK;
}

static int read_file(sqlite3_file *base, void *bytes, int length, sqlite3_int64 offset) {
    size_t got;

    assert(length >= 0 && offset >= 0);
    got = paged_file_read(&memory_of(base)->file, (size_t)offset, bytes, (size_t)length);
    memset((char *)bytes + got, 0, (size_t)length - got);
    return got == (size_t)length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 offset) {
    struct vfs_memory *memory = memory_of(base);

    if (length != PAGE_STORE_PAGE || offset % PAGE_STORE_PAGE != 0)
        return SQLITE_IOERR_WRITE;
    paged_file_write(memory->store, &memory->file, (size_t)(offset / PAGE_STORE_PAGE), bytes);
    return SQLITE_OK;
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size) {
    if (size % PAGE_STORE_PAGE != 0)
        return SQLITE_IOERR_TRUNCATE;
    paged_file_resize(memory_of(base)->store, &memory_of(base)->file, (size_t)(size / PAGE_STORE_PAGE));
    return SQLITE_OK;
}

static int sync_file(sqlite3_file *base, int flags) {
    (void)base;
    (void)flags;
    return SQLITE_OK;
}

static int tell_size(sqlite3_file *base, sqlite3_int64 *size) {
    *size = (sqlite3_int64)memory_of(base)->file.count * PAGE_STORE_PAGE;
    return SQLITE_OK;
}

/* Nobody else has the file. */
static int lock(sqlite3_file *base, int level) {
    (void)base;
    (void)level;
    return SQLITE_OK;
}

static int check_reserved(sqlite3_file *base, int *result) {
    (void)base;
    *result = 0;
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
    return PAGE_STORE_PAGE;
}

static int characteristics(sqlite3_file *base) {
    (void)base;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {.iVersion = 1,
                                           .xClose = close_file,
                                           .xRead = read_file,
                                           .xWrite = write_file,
                                           .xTruncate = truncate_file,
                                           .xSync = sync_file,
                                           .xFileSize = tell_size,
                                           .xLock = lock,
                                           .xUnlock = lock,
                                           .xCheckReservedLock = check_reserved,
                                           .xFileControl = control,
                                           .xSectorSize = sector_size,
                                           .xDeviceCharacteristics = characteristics};

void vfs_memory_open(struct vfs_memory *memory, struct page_store *store, const struct paged_file *image) {
    *memory = (struct vfs_memory){.base = {&methods}, .store = store};
    if (image != NULL)
        paged_file_copy(&memory->file, image);
}
