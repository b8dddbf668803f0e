#include "disk/vfs_share.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "disk/vfs_file.h"

static bool is_dead(const struct vfs_file *file) {
    return file->ended || file->life != disk_life(file->disk);
}

/* --- who has it --- */

void vfs_opens_free(struct vfs_opens *opens) {
    assert(opens->first == NULL && opens->shares.count == 0);
    map_free(&opens->shares, NULL);
}

/* Who comes now begins with another one. */
static void forget(struct vfs_opens *opens, struct vfs_share *share) {
    if (share->path == NULL)
        return;
    map_remove(&opens->shares, share->path);
    free(share->path);
    share->path = NULL;
}

static bool has_living(const struct vfs_opens *opens, const struct vfs_share *share) {
    for (const struct vfs_file *file = opens->first; file != NULL; file = file->next)
        if (file->share == share && !is_dead(file))
            return true;
    return false;
}

static void release(struct vfs_opens *opens, struct vfs_share *share) {
    if (!has_living(opens, share))
        forget(opens, share);
    if (share->handles > 0)
        return;
    for (size_t i = 0; i < share->n_regions; i++)
        free(share->regions[i]);
    free(share->regions);
    free(share);
}

static struct vfs_share *find_or_make(struct vfs_opens *opens, const char *path) {
    struct vfs_share *share = map_get(&opens->shares, path);

    if (share != NULL && !has_living(opens, share)) {
        forget(opens, share);
        share = NULL;
    }
    if (share != NULL)
        return share;
    share = memory_allocate(sizeof *share);
    map_set(&opens->shares, path, share);
    share->path = memory_copy_text(path);
    return share;
}

void vfs_share_open(struct vfs_opens *opens, struct vfs_file *file, const char *path) {
    if (path != NULL) {
        file->share = find_or_make(opens, path);
        file->share->handles++;
    }
    file->opens = opens;
    file->next = opens->first;
    if (opens->first != NULL)
        opens->first->previous = file;
    opens->first = file;
}

void vfs_share_close(struct vfs_file *file) {
    struct vfs_opens *opens = file->opens;

    if (file->next != NULL)
        file->next->previous = file->previous;
    if (file->previous != NULL)
        file->previous->next = file->next;
    else
        opens->first = file->next;
    if (file->share == NULL)
        return;
    file->share->handles--;
    release(opens, file->share);
}

void vfs_share_end(struct vfs_opens *opens, const struct host *process) {
    for (struct vfs_file *file = opens->first; file != NULL; file = file->next)
        if (file->process == process)
            file->ended = true;
    for (struct vfs_file *file = opens->first; file != NULL; file = file->next)
        if (file->process == process && file->share != NULL)
            release(opens, file->share);
}

/* --- the file's lock --- */

/* The strongest that another living handle holds. */
static int strongest_other(const struct vfs_file *file) {
    int level = SQLITE_LOCK_NONE;

    for (const struct vfs_file *other = file->opens->first; other != NULL; other = other->next)
        if (other != file && other->share == file->share && !is_dead(other) && other->level > level)
            level = other->level;
    return level;
}

int vfs_share_lock(struct vfs_file *file, int level) {
    const int other = file->share == NULL ? SQLITE_LOCK_NONE : strongest_other(file);

    if (file->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED && other >= SQLITE_LOCK_PENDING)
        return SQLITE_BUSY;
    if (level >= SQLITE_LOCK_RESERVED && other >= SQLITE_LOCK_RESERVED)
        return SQLITE_BUSY;
    if (level == SQLITE_LOCK_EXCLUSIVE && other >= SQLITE_LOCK_SHARED) {
        file->level = SQLITE_LOCK_PENDING; /* nobody else may begin to read */
        return SQLITE_BUSY;
    }
    file->level = level;
    return SQLITE_OK;
}

int vfs_share_unlock(struct vfs_file *file, int level) {
    assert(level <= SQLITE_LOCK_SHARED);
    if (file->level > level)
        file->level = level;
    return SQLITE_OK;
}

bool vfs_share_is_reserved(const struct vfs_file *file) {
    return file->level >= SQLITE_LOCK_RESERVED ||
           (file->share != NULL && strongest_other(file) >= SQLITE_LOCK_RESERVED);
}

/* --- the index --- */

int vfs_share_map(struct vfs_file *file, int region, int size, bool extend, void volatile **memory) {
    struct vfs_share *share = file->share;
    const size_t index = (size_t)region;

    assert(share != NULL && region >= 0 && size > 0);
    *memory = NULL;
    if (index >= share->n_regions && !extend)
        return SQLITE_OK;
    if (index >= share->n_regions) {
        share->regions = memory_resize(share->regions, index + 1, sizeof *share->regions);
        while (share->n_regions <= index)
            share->regions[share->n_regions++] = NULL;
    }
    if (share->regions[index] == NULL && extend)
        share->regions[index] = memory_allocate((size_t)size);
    *memory = share->regions[index];
    return SQLITE_OK;
}

static bool others_hold(const struct vfs_file *file, unsigned locks, bool exclusive_only) {
    for (const struct vfs_file *other = file->opens->first; other != NULL; other = other->next) {
        const unsigned held = other->index_exclusive | (exclusive_only ? 0 : other->index_shared);

        if (other != file && other->share == file->share && !is_dead(other) && (held & locks) != 0)
            return true;
    }
    return false;
}

int vfs_share_lock_index(struct vfs_file *file, int offset, int count, int flags) {
    const unsigned locks = ((1U << count) - 1) << offset;
    const bool shared = (flags & SQLITE_SHM_SHARED) != 0;

    assert(offset >= 0 && count >= 1 && offset + count <= SQLITE_SHM_NLOCK);
    if ((flags & SQLITE_SHM_UNLOCK) != 0) {
        file->index_shared &= ~locks;
        file->index_exclusive &= ~locks;
        return SQLITE_OK;
    }
    if (others_hold(file, locks, shared))
        return SQLITE_BUSY;
    if (shared)
        file->index_shared |= locks;
    else
        file->index_exclusive |= locks;
    return SQLITE_OK;
}

void vfs_share_unmap(struct vfs_file *file) {
    file->index_shared = file->index_exclusive = 0;
}
