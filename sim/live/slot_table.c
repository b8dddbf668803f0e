#include "live/slot_table.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

uint64_t slot_table_add(struct slot_table *table, void *thing) {
    assert(thing);
    size_t index = table->first_free ? table->first_free - 1 : table->used;
    if (index == slot_table_most)
        return 0;
    if (index == table->used) {
        MEMORY_RESERVE(table->slots, table->capacity, table->used + 1);
        table->used++;
    } else {
        table->first_free = table->slots[index].next_free;
    }
    table->serial += table->step ? table->step : 1;
    uint64_t handle = table->serial * slot_table_most + index;
    table->slots[index] = (struct slot){.handle = handle, .thing = thing};
    return handle;
}

static struct slot *find(const struct slot_table *table, uint64_t handle) {
    size_t index = (size_t)(handle % slot_table_most);
    if (handle == 0 || index >= table->used || table->slots[index].handle != handle)
        return NULL;
    return &table->slots[index];
}

void *slot_table_get(const struct slot_table *table, uint64_t handle) {
    const struct slot *slot = find(table, handle);
    return slot ? slot->thing : NULL;
}

void slot_table_remove(struct slot_table *table, uint64_t handle) {
    struct slot *slot = find(table, handle);
    if (!slot)
        return;
    *slot = (struct slot){.next_free = table->first_free};
    table->first_free = (size_t)(slot - table->slots) + 1;
}

void slot_table_free(struct slot_table *table) {
    free(table->slots);
    *table = (struct slot_table){0};
}
