#include "disk/disk_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void resize(struct buffer *bytes, int64_t size) {
    static const char zeros[DISK_SECTOR];

    assert(size >= 0);
    while (bytes->length < (size_t)size) {
        size_t missing = (size_t)size - bytes->length;
        buffer_append(bytes, zeros, missing < sizeof zeros ? missing : sizeof zeros);
    }
    bytes->length = (size_t)size;
}

static void put(struct buffer *bytes, int64_t offset, const void *from, size_t length) {
    if (length == 0)
        return;
    if (bytes->length < (size_t)offset + length)
        resize(bytes, offset + (int64_t)length);
    memcpy(bytes->data + offset, from, length);
}

static void apply(struct buffer *bytes, const struct disk_change *change) {
    if (change->bytes == NULL)
        resize(bytes, change->offset);
    else
        put(bytes, change->offset, change->bytes, change->length);
}

void disk_file_change(struct disk_file *file, int64_t offset, const void *bytes, size_t length) {
    assert(offset >= 0);
    MEMORY_RESERVE(file->changes, file->changes_capacity, file->n_changes + 1);
    struct disk_change *change = &file->changes[file->n_changes++];
    *change = (struct disk_change){
        .offset = offset, .length = length, .bytes = bytes ? memory_copy_bytes(bytes, length) : NULL};
    apply(&file->content, change);
    file->promised = false;
}

static void forget_changes(struct disk_file *file) {
    for (size_t i = 0; i < file->n_changes; i++)
        free(file->changes[i].bytes);
    free(file->changes);
    file->changes = NULL;
    file->n_changes = file->changes_capacity = 0;
}

void disk_file_flush(struct disk_file *file) {
    for (size_t i = 0; i < file->n_changes; i++)
        apply(&file->durable, &file->changes[i]);
    forget_changes(file);
}

void disk_file_empty(struct disk_file *file) {
    forget_changes(file);
    buffer_free(&file->content);
    buffer_free(&file->durable);
    file->promised = true;
}

struct luck {
    uint64_t (*draw)(void *context);
    void *context;
};

static bool one_in(struct luck *luck, uint64_t n) {
    return luck->draw(luck->context) % n == 0;
}

/* Some sectors of a change arrive, some do not, and with `garbage` some hold neither. */
static void tear(struct buffer *bytes, const struct disk_change *change, bool garbage, struct luck *luck) {
    int64_t end = change->offset + (int64_t)change->length;

    for (int64_t at = change->offset; at < end;) {
        int64_t next = (at / DISK_SECTOR + 1) * DISK_SECTOR;
        size_t length = (size_t)((next < end ? next : end) - at);

        if (one_in(luck, 2))
            put(bytes, at, change->bytes + (at - change->offset), length);
        else if (garbage && one_in(luck, 4)) {
            char noise[DISK_SECTOR];
            memset(noise, (int)(luck->draw(luck->context) & 255), sizeof noise);
            put(bytes, at, noise, length);
        }
        at += (int64_t)length;
    }
}

static void survive_partly(struct disk_file *file, const struct disk_change *change,
                           enum disk_survival survival, struct luck *luck) {
    bool torn = survival == DISK_SURVIVES_SECTORS || one_in(luck, 4);

    if (change->bytes != NULL && torn)
        tear(&file->durable, change, survival == DISK_SURVIVES_CHANGES, luck);
    else if (one_in(luck, 2))
        apply(&file->durable, change);
}

static void survive_changes(struct disk_file *file, enum disk_survival survival, struct luck *luck) {
    size_t whole = survival == DISK_SURVIVES_BEGINNING && file->n_changes > 0
                       ? luck->draw(luck->context) % (file->n_changes + 1)
                       : 0;

    for (size_t i = 0; i < file->n_changes; i++) {
        if (survival == DISK_SURVIVES_BEGINNING && i < whole)
            apply(&file->durable, &file->changes[i]);
        else if (survival != DISK_SURVIVES_BEGINNING || i == whole)
            survive_partly(file, &file->changes[i], survival, luck);
    }
}

void disk_file_survive(struct disk_file *file, enum disk_survival survival, uint64_t (*draw)(void *context),
                       void *context) {
    struct luck luck = {draw, context};

    if (survival != DISK_SURVIVES_NOTHING)
        survive_changes(file, survival, &luck);
    forget_changes(file);
    /* A name that was not synced, or one that was deleted without sync. */
    if (file->exists != file->exists_durably && survival != DISK_SURVIVES_NOTHING && one_in(&luck, 2))
        file->exists_durably = file->exists;
    file->exists = file->exists_durably;
    if (!file->exists)
        buffer_clear(&file->durable);
    buffer_clear(&file->content);
    buffer_append(&file->content, file->durable.data, file->durable.length);
    file->promised = true;
}
