#include "check/held_rows.h"

#include <assert.h>
#include <stdlib.h>

/* The slot of the key, or the free one where it belongs. */
static size_t find_slot(const struct held_rows *rows, const char *key) {
    const size_t mask = rows->n_slots - 1;
    size_t slot = intern_hash(key) & mask;
    while (rows->slots[slot] != 0 && rows->rows[rows->slots[slot] - 1].key != key)
        slot = (slot + 1) & mask;
    return slot;
}

static void grow(struct held_rows *rows) {
    rows->n_slots = rows->n_slots == 0 ? 8 : 2 * rows->n_slots;
    free(rows->slots);
    rows->slots = memory_allocate_array(rows->n_slots, sizeof *rows->slots);
    for (size_t i = 0; i < rows->count; i++)
        rows->slots[find_slot(rows, rows->rows[i].key)] = (uint32_t)(i + 1);
}

bool held_rows_add(struct held_rows *rows, const char *key) {
    if (4 * (rows->count + 1) > 3 * rows->n_slots)
        grow(rows);
    const size_t slot = find_slot(rows, key);
    if (rows->slots[slot] != 0)
        return false;
    MEMORY_RESERVE(rows->rows, rows->capacity, rows->count + 1);
    rows->rows[rows->count++] = (struct held_row){.key = key};
    rows->slots[slot] = (uint32_t)rows->count;
    return true;
}

/* Close the gap: whoever could stand in the free slot moves there. */
static void free_slot(struct held_rows *rows, size_t slot) {
    const size_t mask = rows->n_slots - 1;
    for (size_t next = (slot + 1) & mask; rows->slots[next] != 0; next = (next + 1) & mask) {
        const size_t home = intern_hash(rows->rows[rows->slots[next] - 1].key) & mask;
        if (((next - home) & mask) >= ((next - slot) & mask)) {
            rows->slots[slot] = rows->slots[next];
            slot = next;
        }
    }
    rows->slots[slot] = 0;
}

void held_rows_remove(struct held_rows *rows, const char *key) {
    if (rows->count == 0)
        return;
    const size_t slot = find_slot(rows, key);
    if (rows->slots[slot] == 0)
        return;
    const size_t index = rows->slots[slot] - 1, last = rows->count - 1;
    free_slot(rows, slot);
    if (index != last) {
        rows->slots[find_slot(rows, rows->rows[last].key)] = (uint32_t)(index + 1);
        rows->rows[index] = rows->rows[last];
    }
    rows->count--;
}

void held_rows_clear(struct held_rows *rows) {
    free(rows->rows);
    free(rows->slots);
    *rows = (struct held_rows){0};
}
