/* Handles for things that come and go: a handle holds a slot and a serial number, is never 0 and never used
 * twice, and finding its thing takes constant time. A zeroed table is empty; it does not own the things. */
#ifndef SYNCLINE_LIVE_SLOT_TABLE_H
#define SYNCLINE_LIVE_SLOT_TABLE_H

#include <stddef.h>
#include <stdint.h>

enum { slot_table_most = 65536 };

struct slot {
    uint64_t handle; /* 0: free */
    void *thing;
    size_t next_free; /* slot + 1; 0: none */
};

struct slot_table {
    struct slot *slots;
    size_t used; /* slots ever used */
    size_t capacity;
    size_t first_free; /* slot + 1; 0: none */
    uint64_t serial;   /* of the newest handle; tables whose handles must differ begin differently */
    uint64_t step;     /* from one serial to the next; 0 counts as 1 */
};

/* A new handle; 0 when slot_table_most things are there. */
uint64_t slot_table_add(struct slot_table *table, void *thing);
void *slot_table_get(const struct slot_table *table, uint64_t handle); /* NULL: gone or never there */
void slot_table_remove(struct slot_table *table, uint64_t handle);     /* ignored when gone */
void slot_table_free(struct slot_table *table);

#endif
