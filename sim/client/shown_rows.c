#include "client/shown_rows.h"

#include <stdlib.h>
#include <xxhash.h>

#include "base/memory.h"

static uint64_t key_of(const char *id, size_t length) {
    const uint64_t hash = XXH3_64bits(id, length);

    return hash == 0 ? 1 : hash;
}

/* The slot of the id, or the free one where it belongs. */
static size_t find_slot(const struct shown_rows *rows, uint64_t id) {
    const size_t mask = rows->n_slots - 1;
    size_t slot = id & mask;

    while (rows->slots[slot].id != 0 && rows->slots[slot].id != id)
        slot = (slot + 1) & mask;
    return slot;
}

static void grow(struct shown_rows *rows) {
    const struct shown_rows old = *rows;

    rows->n_slots = old.n_slots == 0 ? 8 : 2 * old.n_slots;
    rows->slots = memory_allocate_array(rows->n_slots, sizeof *rows->slots);
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].id != 0)
            rows->slots[find_slot(rows, old.slots[i].id)] = old.slots[i];
    free(old.slots);
}

bool shown_rows_put(struct shown_rows *rows, const char *id, size_t id_length, const char *text,
                    size_t length) {
    const uint64_t key = key_of(id, id_length), hash = XXH3_64bits(text, length);
    size_t slot;

    if (8 * (rows->count + 1) > 7 * rows->n_slots)
        grow(rows);
    slot = find_slot(rows, key);
    if (rows->slots[slot].id == key && rows->slots[slot].text == hash)
        return false;
    rows->count += rows->slots[slot].id == 0;
    rows->slots[slot] = (struct shown_row){key, hash};
    return true;
}

/* Close the gap: whoever could stand in the free slot moves there. */
static void free_slot(struct shown_rows *rows, size_t slot) {
    const size_t mask = rows->n_slots - 1;

    for (size_t next = (slot + 1) & mask; rows->slots[next].id != 0; next = (next + 1) & mask) {
        const size_t home = rows->slots[next].id & mask;

        if (((next - home) & mask) >= ((next - slot) & mask)) {
            rows->slots[slot] = rows->slots[next];
            slot = next;
        }
    }
    rows->slots[slot] = (struct shown_row){0};
}

bool shown_rows_remove(struct shown_rows *rows, const char *id, size_t id_length) {
    size_t slot;

    if (rows->count == 0)
        return false;
    slot = find_slot(rows, key_of(id, id_length));
    if (rows->slots[slot].id == 0)
        return false;
    free_slot(rows, slot);
    rows->count--;
    return true;
}

void shown_rows_free(struct shown_rows *rows) {
    free(rows->slots);
    *rows = (struct shown_rows){0};
}
