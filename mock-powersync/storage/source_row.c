#include "mock-powersync/storage/source_row.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "mock-powersync/storage/checksum.h"

static uint32_t hash_of(const char *table, const char *id) {
    return (uint32_t)(hash128_of(table, strlen(table)).high + hash128_of(id, strlen(id)).low);
}

static size_t slot_of(const struct source_rows *rows, uint32_t hash, const char *table, const char *id) {
    size_t mask = rows->n_slots - 1;
    size_t at = hash & mask;
    for (const struct source_row *row; (row = rows->slots[at]); at = (at + 1) & mask)
        if (row->hash == hash && strcmp(row->id, id) == 0 && strcmp(row->table, table) == 0)
            break;
    return at;
}

static void grow(struct source_rows *rows) {
    struct source_row **old = rows->slots;
    size_t n_old = rows->n_slots;
    rows->n_slots = n_old > 0 ? 2 * n_old : 16;
    rows->slots = memory_allocate_array(rows->n_slots, sizeof(struct source_row *));
    for (size_t i = 0; i < n_old; i++)
        if (old[i])
            rows->slots[slot_of(rows, old[i]->hash, old[i]->table, old[i]->id)] = old[i];
    free(old);
}

static size_t row_size(const struct source_row *row) {
    return sizeof *row + strlen(row->id) + 1;
}

static size_t place_size(bool is_row_id, const char *object_id) {
    return sizeof(struct operation_place) + (is_row_id ? 0 : strlen(object_id) + 1);
}

const char *operation_place_id(const struct operation_place *place) {
    return place->is_row_id ? place->row->id : place->own_id;
}

static void free_place(struct source_rows *rows, struct operation_place *place) {
    size_t size = place_size(place->is_row_id, place->own_id);
    rows->bytes -= size;
    pool_release(&rows->pool, place, size);
}

static void free_row(struct source_rows *rows, struct source_row *row) {
    while (row->places) {
        struct operation_place *next = row->places->next;
        free_place(rows, row->places);
        row->places = next;
    }
    if (row->n_emitted > 1)
        free(row->many);
    rows->bytes -= row_size(row);
    pool_release(&rows->pool, row, row_size(row));
}

void source_rows_free(struct source_rows *rows) {
    for (size_t i = 0; i < rows->n_slots; i++)
        if (rows->slots[i])
            free_row(rows, rows->slots[i]);
    assert(rows->bytes == 0);
    free(rows->slots);
    pool_free(&rows->pool);
    *rows = (struct source_rows){0};
}

struct source_row *source_rows_find(const struct source_rows *rows, const char *table, const char *id) {
    return rows->n_slots > 0 ? rows->slots[slot_of(rows, hash_of(table, id), table, id)] : NULL;
}

struct source_row *source_rows_add(struct source_rows *rows, const char *table, const char *id) {
    if (4 * (rows->count + 1) > 3 * rows->n_slots)
        grow(rows);
    size_t length = strlen(id);
    struct source_row *row = pool_allocate(&rows->pool, sizeof *row + length + 1);
    *row = (struct source_row){.table = table, .hash = hash_of(table, id)};
    memcpy(row->id, id, length + 1);
    size_t at = slot_of(rows, row->hash, table, id);
    assert(!rows->slots[at]);
    rows->slots[at] = row;
    rows->count++;
    rows->bytes += row_size(row);
    return row;
}

void source_row_subkey(const struct source_row *row, char out[37]) {
    unsigned char subkey[16];
    subkey_make(row->table, row->id, subkey);
    subkey_text(subkey, out);
}

/* Close the gap at `hole`: rows behind it that were pushed on by others move up. */
static void close_gap(struct source_rows *rows, size_t hole) {
    size_t mask = rows->n_slots - 1;
    rows->slots[hole] = NULL;
    for (size_t at = (hole + 1) & mask; rows->slots[at]; at = (at + 1) & mask) {
        size_t home = rows->slots[at]->hash & mask;
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        rows->slots[hole] = rows->slots[at];
        rows->slots[at] = NULL;
        hole = at;
    }
}

void source_rows_tidy(struct source_rows *rows, struct source_row *row) {
    if (row->places || row->entries || row->n_emitted > 0)
        return;
    size_t at = slot_of(rows, row->hash, row->table, row->id);
    assert(rows->slots[at] == row && rows->count > 0);
    close_gap(rows, at);
    rows->count--;
    free_row(rows, row);
}

struct operation_place *source_row_place(struct source_rows *rows, struct source_row *row,
                                         const char *object_type, const char *object_id) {
    for (struct operation_place *place = row->places; place; place = place->next)
        if (strcmp(operation_place_id(place), object_id) == 0 && strcmp(place->object_type, object_type) == 0)
            return place;
    bool is_row_id = strcmp(row->id, object_id) == 0;
    size_t size = place_size(is_row_id, object_id);
    struct operation_place *place = pool_allocate(&rows->pool, size);
    *place = (struct operation_place){
        .next = row->places, .row = row, .object_type = object_type, .is_row_id = is_row_id};
    if (!is_row_id)
        memcpy(place->own_id, object_id, strlen(object_id) + 1);
    row->places = place;
    rows->bytes += size;
    return place;
}

/* Without dropping the row. */
static void release(struct source_rows *rows, struct operation_place *place) {
    assert(place->references > 0);
    if (--place->references > 0)
        return;
    struct operation_place **link = &place->row->places;
    while (*link != place)
        link = &(*link)->next;
    *link = place->next;
    free_place(rows, place);
}

void operation_place_release(struct source_rows *rows, struct operation_place *place) {
    struct source_row *row = place->row;
    release(rows, place);
    source_rows_tidy(rows, row);
}

const struct emitted *source_row_emitted(const struct source_row *row) {
    return row->n_emitted > 1 ? row->many : &row->one;
}

void source_row_set_emitted(struct source_rows *rows, struct source_row *row, struct emitted *emitted,
                            size_t count) {
    const struct emitted *old = source_row_emitted(row);
    for (size_t i = 0; i < row->n_emitted; i++)
        release(rows, old[i].place);
    if (row->n_emitted > 1)
        free(row->many);
    assert(count < UINT32_MAX);
    row->n_emitted = (uint32_t)count;
    if (count > 1) {
        row->many = emitted;
        return;
    }
    if (count == 1)
        row->one = emitted[0];
    free(emitted);
}
