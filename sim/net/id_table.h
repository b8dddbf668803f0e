/* A hash table from ids (never 0) to pointers, for looking up only: nobody iterates over it. A zeroed table
 * is empty. The table owns its slots, not what they point to. */
#ifndef SYNCLINE_NET_ID_TABLE_H
#define SYNCLINE_NET_ID_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct id_slot {
    uint64_t id; /* 0: empty */
    void *value;
};

struct id_table {
    struct id_slot *slots;
    size_t n_slots; /* a power of two, at least twice the count */
    size_t count;
};

void *id_table_get(const struct id_table *table, uint64_t id);       /* NULL: not there */
void id_table_add(struct id_table *table, uint64_t id, void *value); /* the id must be new */
void id_table_remove(struct id_table *table, uint64_t id);           /* unknown ids are ignored */
void id_table_free(struct id_table *table);

#endif
