#include "disk/disk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "disk/disk_file.h"

enum { OPERATIONS = DISK_SYNC + 1 };

struct disk {
    struct host *host;
    struct map files; /* name -> struct disk_file */
    uint64_t life;
    bool full, read_only, skips_syncs;
    bool powerless, halted; /* nothing can be done: power has gone, or all programs end */
    bool halts;             /* what `power_in` leads to is the end of programs */
    int spared;
    uint64_t flaky;
    uint64_t fail_at[OPERATIONS];
    uint64_t power_in; /* writes and syncs until power goes, or programs end; 0: neither */
    void (*gone)(void *context);
    void *gone_context;
    uint64_t operations[OPERATIONS];
    uint64_t faults, losses;
};

struct disk *disk_create(struct host *host) {
    struct disk *disk = memory_allocate(sizeof *disk);

    disk->host = host;
    disk->life = 1;
    return disk;
}

static void free_file(void *value) {
    disk_file_empty(value);
    free(value);
}

void disk_destroy(struct disk *disk) {
    if (!disk)
        return;
    map_free(&disk->files, free_file);
    free(disk);
}

uint64_t disk_life(const struct disk *disk) {
    return disk->life;
}

/* --- what goes wrong --- */

static uint64_t draw(void *context) {
    struct disk *disk = context;

    return host_random(disk->host, "disk.power-loss") >> 16;
}

static bool power_goes(struct disk *disk, enum disk_operation operation) {
    if (operation == DISK_READ || disk->power_in == 0 || --disk->power_in > 0)
        return false;
    if (disk->halts)
        disk->halted = true;
    else
        disk->powerless = true;
    disk->faults++;
    if (disk->gone)
        disk->gone(disk->gone_context);
    return true;
}

static bool fails(struct disk *disk, enum disk_operation operation) {
    bool fails = disk->flaky > 0 && host_random(disk->host, "disk.flaky") % disk->flaky == 0;

    if (disk->fail_at[operation] > 0 && --disk->fail_at[operation] == 0)
        fails = true;
    disk->faults += fails;
    return fails;
}

/* What every operation goes through. */
static enum disk_answer admit(struct disk *disk, enum disk_operation operation) {
    if (disk->powerless)
        return DISK_FAILED;
    if (disk->spared)
        return DISK_DONE;
    if (disk->halted)
        return DISK_FAILED;
    disk->operations[operation]++;
    if (power_goes(disk, operation) || fails(disk, operation))
        return DISK_FAILED;
    if (disk->read_only && operation == DISK_WRITE) {
        disk->faults++;
        return DISK_FAILED;
    }
    return DISK_DONE;
}

void disk_set_full(struct disk *disk, bool full) {
    disk->full = full;
}

void disk_set_read_only(struct disk *disk, bool read_only) {
    disk->read_only = read_only;
}

bool disk_is_read_only(const struct disk *disk) {
    return disk->read_only;
}

void disk_set_flaky(struct disk *disk, uint64_t one_in) {
    disk->flaky = one_in;
}

void disk_fail_at(struct disk *disk, enum disk_operation operation, uint64_t nth) {
    assert((size_t)operation < OPERATIONS);
    disk->fail_at[operation] = nth;
}

void disk_spare(struct disk *disk, bool spare) {
    disk->spared += spare ? 1 : -1;
    assert(disk->spared >= 0);
}

void disk_skip_syncs(struct disk *disk, bool skip) {
    disk->skips_syncs = skip;
}

void disk_end_process(struct disk *disk) {
    disk->life++;
    disk->halted = false;
}

void disk_lose_power(struct disk *disk) {
    enum disk_survival survival = (enum disk_survival)(draw(disk) % DISK_SURVIVALS);
    const struct map_entry *entry;

    for (size_t i = 0; (entry = map_next(&disk->files, &i));)
        disk_file_survive(entry->value, survival, draw, disk);
    disk->powerless = false;
    disk->power_in = 0;
    disk->losses++;
    disk_end_process(disk);
}

static void stop_at(struct disk *disk, uint64_t nth, bool halts, void (*gone)(void *context), void *context) {
    disk->power_in = nth;
    disk->halts = halts;
    disk->gone = gone;
    disk->gone_context = context;
}

void disk_lose_power_at(struct disk *disk, uint64_t nth, void (*gone)(void *context), void *context) {
    stop_at(disk, nth, false, gone, context);
}

void disk_end_process_at(struct disk *disk, uint64_t nth, void (*gone)(void *context), void *context) {
    stop_at(disk, nth, true, gone, context);
}

bool disk_has_power(const struct disk *disk) {
    return !disk->powerless;
}

uint64_t disk_losses(const struct disk *disk) {
    return disk->losses;
}

uint64_t disk_operations(const struct disk *disk, enum disk_operation operation) {
    return disk->operations[operation];
}

uint64_t disk_faults(const struct disk *disk) {
    return disk->faults;
}

/* --- the directory --- */

static struct disk_file *find_file(struct disk *disk, const char *name) {
    struct disk_file *file = map_get(&disk->files, name);

    return file && file->exists ? file : NULL;
}

static struct disk_file *make_file(struct disk *disk, const char *name) {
    struct disk_file *file = map_get(&disk->files, name);

    if (!file) {
        file = memory_allocate(sizeof *file);
        file->disk = disk;
        map_set(&disk->files, name, file);
    } else { /* a deletion that may not have reached the platter: the old bytes may still be there */
        disk_file_change(file, 0, NULL, 0);
    }
    file->exists = true;
    file->promised = true;
    return file;
}

enum disk_answer disk_open_file(struct disk *disk, const char *name, bool create, struct disk_file **file) {
    enum disk_answer answer;

    *file = find_file(disk, name);
    if (!*file && !create)
        return DISK_NO_FILE;
    answer = admit(disk, *file ? DISK_READ : DISK_WRITE);
    if (answer == DISK_DONE && !*file)
        *file = make_file(disk, name);
    return answer;
}

bool disk_has_file(struct disk *disk, const char *name) {
    return find_file(disk, name) != NULL;
}

static void sync_directory(struct disk *disk) {
    const struct map_entry *entry;

    for (size_t i = 0; (entry = map_next(&disk->files, &i));) {
        struct disk_file *file = entry->value;
        file->exists_durably = file->exists;
        if (!file->exists)
            disk_file_empty(file);
    }
}

enum disk_answer disk_delete_file(struct disk *disk, const char *name, bool sync) {
    struct disk_file *file = find_file(disk, name);
    enum disk_answer answer = admit(disk, DISK_WRITE);

    if (answer != DISK_DONE)
        return answer;
    if (!file)
        return DISK_NO_FILE;
    file->exists = false;
    if (sync && !disk->skips_syncs)
        sync_directory(disk);
    return DISK_DONE;
}

void disk_install(struct disk *disk, const char *name, const void *bytes, size_t length) {
    const struct map_entry *entry;
    struct disk_file *file;

    for (size_t i = 0; (entry = map_next(&disk->files, &i));)
        ((struct disk_file *)entry->value)->exists = false;
    sync_directory(disk);
    file = make_file(disk, name);
    disk_file_empty(file);
    buffer_append(&file->content, bytes, length);
    buffer_append(&file->durable, bytes, length);
    file->exists_durably = true;
}

/* --- one file --- */

int64_t disk_file_size(const struct disk_file *file) {
    return (int64_t)file->content.length;
}

enum disk_answer disk_file_read(struct disk_file *file, int64_t offset, void *bytes, size_t length,
                                size_t *got) {
    enum disk_answer answer = admit(file->disk, DISK_READ);
    size_t left = offset < disk_file_size(file) ? file->content.length - (size_t)offset : 0;

    assert(offset >= 0);
    *got = left < length ? left : length;
    if (answer == DISK_DONE && *got > 0)
        memcpy(bytes, file->content.data + offset, *got);
    return answer;
}

enum disk_answer disk_file_write(struct disk_file *file, int64_t offset, const void *bytes, size_t length) {
    struct disk *disk = file->disk;
    bool had_power = !disk->powerless;
    enum disk_answer answer = admit(disk, DISK_WRITE);

    if (answer == DISK_DONE && disk->full && !disk->spared &&
        offset + (int64_t)length > disk_file_size(file)) {
        disk->faults++;
        return DISK_FULL;
    }
    /* A write in whose middle power goes may have arrived, as a whole or in part. */
    if (answer == DISK_DONE || (had_power && disk->powerless))
        disk_file_change(file, offset, bytes, length);
    return answer;
}

enum disk_answer disk_file_truncate(struct disk_file *file, int64_t size) {
    enum disk_answer answer = admit(file->disk, DISK_WRITE);

    if (answer == DISK_DONE)
        disk_file_change(file, size, NULL, 0);
    return answer;
}

enum disk_answer disk_file_sync(struct disk_file *file) {
    enum disk_answer answer = admit(file->disk, DISK_SYNC);

    if (answer != DISK_DONE)
        return answer;
    if (!file->disk->skips_syncs) {
        disk_file_flush(file);
        if (!file->exists_durably)
            sync_directory(file->disk);
    }
    file->promised = true;
    return DISK_DONE;
}

bool disk_is_promised(struct disk *disk, const char *name) {
    const struct disk_file *file = find_file(disk, name);

    return file == NULL || file->promised;
}

const struct buffer *disk_file_bytes(struct disk *disk, const char *name) {
    const struct disk_file *file = find_file(disk, name);

    return file ? &file->content : NULL;
}
