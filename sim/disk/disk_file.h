/* One file of a disk, without faults: what programs see, what is on the platter, and the changes in between,
 * in order. */
#ifndef SYNCLINE_DISK_DISK_FILE_H
#define SYNCLINE_DISK_DISK_FILE_H

#include "disk/disk.h"

struct disk_change {
    int64_t offset; /* of the bytes; the new size when there are none */
    size_t length;
    char *bytes; /* NULL: the file was cut or grew to `offset` */
};

struct disk_file {
    struct disk *disk;
    bool exists;         /* for programs */
    bool exists_durably; /* when power goes; else it is a draw whether a file that exists stays */
    struct buffer content;
    struct buffer durable;
    struct disk_change *changes; /* from `durable` to `content` */
    size_t n_changes;
    size_t changes_capacity;
    bool promised; /* a sync was answered with success since the last change */
};

/* How much of what was not synced survives. */
enum disk_survival {
    DISK_SURVIVES_NOTHING,
    DISK_SURVIVES_BEGINNING, /* the changes up to one, which may be torn */
    DISK_SURVIVES_SECTORS,   /* each sector of each change, or not */
    DISK_SURVIVES_CHANGES,   /* each change, or not; some are torn and some of their sectors garbage */
    DISK_SURVIVALS
};

void disk_file_change(struct disk_file *file, int64_t offset, const void *bytes, size_t length);
void disk_file_flush(struct disk_file *file); /* everything is on the platter */
/* What power leaves. `draw` gives random numbers. */
void disk_file_survive(struct disk_file *file, enum disk_survival survival, uint64_t (*draw)(void *context),
                       void *context);
void disk_file_empty(struct disk_file *file); /* no bytes, no changes; existence stays */

#endif
