#include "net/id_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static size_t home(const struct id_table *table, uint64_t id) {
    return (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (table->n_slots - 1);
}

static size_t find(const struct id_table *table, uint64_t id) {
    size_t at = home(table, id);
    while (table->slots[at].id && table->slots[at].id != id)
        at = (at + 1) & (table->n_slots - 1);
    return at;
}

void *id_table_get(const struct id_table *table, uint64_t id) {
    if (table->count == 0 || id == 0)
        return NULL;
    const struct id_slot *slot = &table->slots[find(table, id)];
    return slot->id ? slot->value : NULL;
}

static void grow(struct id_table *table) {
    struct id_table larger = {.n_slots = table->n_slots ? 2 * table->n_slots : 16};
    larger.slots = memory_allocate_array(larger.n_slots, sizeof *larger.slots);
    for (size_t i = 0; i < table->n_slots; i++)
        if (table->slots[i].id)
            larger.slots[find(&larger, table->slots[i].id)] = table->slots[i];
    larger.count = table->count;
    free(table->slots);
    *table = larger;
}

void id_table_add(struct id_table *table, uint64_t id, void *value) {
    assert(id != 0 && value);
    if (2 * (table->count + 1) > table->n_slots)
        grow(table);
    struct id_slot *slot = &table->slots[find(table, id)];
    assert(slot->id == 0);
    *slot = (struct id_slot){.id = id, .value = value};
    table->count++;
}

/* Close the gap, so that no search ends too early: move back every follower whose home is not after the gap.
 */
void id_table_remove(struct id_table *table, uint64_t id) {
    if (table->count == 0 || id == 0)
        return;
    size_t mask = table->n_slots - 1;
    size_t gap = find(table, id);
    if (!table->slots[gap].id)
        return;
    for (size_t at = (gap + 1) & mask; table->slots[at].id; at = (at + 1) & mask) {
        size_t distance = (at - home(table, table->slots[at].id)) & mask;
        if (distance >= ((at - gap) & mask)) {
            table->slots[gap] = table->slots[at];
            gap = at;
        }
    }
    table->slots[gap] = (struct id_slot){0};
    table->count--;
}

void id_table_free(struct id_table *table) {
    free(table->slots);
    *table = (struct id_table){0};
}
