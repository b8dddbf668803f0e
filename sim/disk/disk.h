/* A device's disk: files with two faces. What programs read is the one; what is on the platter is the other,
 * and writes, truncations, creations and deletions reach it when they are synced. When power goes, any part
 * of what was not synced may be there and any part may be missing, in sectors of 512 bytes; bytes that a
 * write did not touch are never harmed. A process that ends loses nothing that it has written.
 *
 * The disk draws from its node's random numbers, so a seed says what survives. It knows nothing of SQLite:
 * vfs_file.h speaks for it there. Owns its files. */
#ifndef SYNCLINE_DISK_DISK_H
#define SYNCLINE_DISK_DISK_H

#include <sys/types.h>

#include "base/buffer.h"
#include "kernel/host.h"

enum { DISK_SECTOR = 512 }; /* bytes that are written together or not at all */

enum disk_operation { DISK_READ, DISK_WRITE, DISK_SYNC }; /* creating, deleting, truncating are writes */
enum disk_answer { DISK_DONE, DISK_FULL, DISK_FAILED, DISK_NO_FILE };

struct disk;
struct disk_file;

struct disk *disk_create(struct host *host); /* the host is borrowed */
void disk_destroy(struct disk *disk);

/* --- files --- */

/* A new life of every program on the device begins with another number: what was opened before is closed. */
uint64_t disk_life(const struct disk *disk);
/* A file that is there, or with `create` a new one; DISK_NO_FILE. Belongs to the disk, as long as it lives.
 */
enum disk_answer disk_open_file(struct disk *disk, const char *name, bool create, struct disk_file **file);
bool disk_has_file(struct disk *disk, const char *name);
/* With `sync` it stays deleted when power goes, and so does everything else that was done to names. */
enum disk_answer disk_delete_file(struct disk *disk, const char *name, bool sync);
/* An app is installed: this file is all there is on the disk, and is on the platter as a whole. No fault
 * strikes. */
void disk_install(struct disk *disk, const char *name, const void *bytes, size_t length);

int64_t disk_file_size(const struct disk_file *file);
/* Reads what there is; `*got` may be less than `length` at the file's end. */
enum disk_answer disk_file_read(struct disk_file *file, int64_t offset, void *bytes, size_t length,
                                size_t *got);
enum disk_answer disk_file_write(struct disk_file *file, int64_t offset, const void *bytes, size_t length);
enum disk_answer disk_file_truncate(struct disk_file *file, int64_t size);
/* The first sync of a new file makes the names of all files safe too, as SQLite's own does. */
enum disk_answer disk_file_sync(struct disk_file *file);
/* Has a sync been answered with success since the last write? Right as well where nothing was written, or no
 * such file is. */
bool disk_is_promised(struct disk *disk, const char *name);
/* The bytes as programs see them; borrowed, NULL: no such file. Not an operation. */
const struct buffer *disk_file_bytes(struct disk *disk, const char *name);

/* --- what goes wrong --- */

void disk_set_full(struct disk *disk, bool full);           /* files cannot grow */
void disk_set_read_only(struct disk *disk, bool read_only); /* nothing can be changed */
bool disk_is_read_only(const struct disk *disk);
/* One operation in `one_in` fails, each kind alike; 0: none. */
void disk_set_flaky(struct disk *disk, uint64_t one_in);
/* The nth operation of the kind from now (from 1) fails, once; 0: none. */
void disk_fail_at(struct disk *disk, enum disk_operation operation, uint64_t nth);
/* While set, no fault but missing power strikes: for looks that the simulator takes and the app does not.
 * They nest. */
void disk_spare(struct disk *disk, bool spare);
/* Mutant: a sync answers with success and has done nothing. */
void disk_skip_syncs(struct disk *disk, bool skip);

/* Programs end: files stay as they were written, handles are dead. */
void disk_end_process(struct disk *disk);
/* Power goes now. Handles are dead; the files are what survived, and a program may open them. */
void disk_lose_power(struct disk *disk);
/* Power goes in the middle of the nth write or sync from now (from 1), 0: not. From then on everything fails
 * until disk_lose_power tells what survived; `gone` is called once, from inside that operation. */
void disk_lose_power_at(struct disk *disk, uint64_t nth, void (*gone)(void *context), void *context);
/* Programs end at the nth write or sync from now, which is not done; disk_end_process comes after. Takes the
 * place of disk_lose_power_at. */
void disk_end_process_at(struct disk *disk, uint64_t nth, void (*gone)(void *context), void *context);
bool disk_has_power(const struct disk *disk);
uint64_t disk_losses(const struct disk *disk); /* how often power has gone */

/* How often something was asked for, whether it failed or not, and how often a fault struck. */
uint64_t disk_operations(const struct disk *disk, enum disk_operation operation);
uint64_t disk_faults(const struct disk *disk);

#endif
