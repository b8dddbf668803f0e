#include "check/view_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/memory.h"

static uint32_t hash_of(const char *table, const char *id) {
    return (uint32_t)XXH3_64bits_withSeed(id, strlen(id), XXH3_64bits(table, strlen(table)));
}

/* The slot of the row, or the free one where it belongs. */
static size_t find_slot(const struct view_rows *rows, uint32_t hash, const char *table, const char *id) {
    const size_t mask = rows->n_slots - 1;
    size_t slot = hash & mask;
    for (; rows->slots[slot] != 0; slot = (slot + 1) & mask) {
        const struct view_row *row = &rows->rows[rows->slots[slot] - 1];
        if (row->hash == hash && (row->id == id || strcmp(row->id, id) == 0) &&
            (row->table == table || strcmp(row->table, table) == 0))
            break;
    }
    return slot;
}

static void grow_slots(struct view_rows *rows) {
    rows->n_slots = rows->n_slots == 0 ? 8 : 2 * rows->n_slots;
    free(rows->slots);
    rows->slots = memory_allocate_array(rows->n_slots, sizeof *rows->slots);
    for (size_t i = 0; i < rows->count; i++) {
        const struct view_row *row = &rows->rows[i];
        rows->slots[find_slot(rows, row->hash, row->table, row->id)] = (uint32_t)(i + 1);
    }
}

const struct view_row *view_rows_find(const struct view_rows *rows, const char *table, const char *id) {
    if (rows->count == 0)
        return NULL;
    const size_t slot = find_slot(rows, hash_of(table, id), table, id);
    return rows->slots[slot] == 0 ? NULL : &rows->rows[rows->slots[slot] - 1];
}

size_t view_rows_open(struct view_rows *rows, const char *table, const char *id, bool *is_new) {
    const uint32_t hash = hash_of(table, id);
    if (8 * (rows->count + 1) > 7 * rows->n_slots)
        grow_slots(rows);
    const size_t slot = find_slot(rows, hash, table, id);
    *is_new = rows->slots[slot] == 0;
    if (!*is_new)
        return rows->slots[slot] - 1;
    assert(rows->count < UINT32_MAX);
    if (rows->count == rows->capacity) { /* by an eighth: most of these sets stop growing soon */
        rows->capacity += rows->capacity / 8 + 4;
        rows->rows = memory_resize(rows->rows, rows->capacity, sizeof *rows->rows);
    }
    rows->rows[rows->count] = (struct view_row){.table = table, .id = id, .hash = hash};
    rows->slots[slot] = (uint32_t)(rows->count + 1);
    return rows->count++;
}

void view_rows_free(struct view_rows *rows) {
    free(rows->rows);
    free(rows->slots);
    *rows = (struct view_rows){0};
}
