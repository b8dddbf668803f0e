/* Source rows: what each of them contributes to buckets and to the parameter index at present, and the places
 * that their operations name. Rows are found by table and id; one goes when nothing speaks of it any more. */
#ifndef MOCK_POWERSYNC_SOURCE_ROW_H
#define MOCK_POWERSYNC_SOURCE_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mock-powersync/storage/pool.h"

struct bucket;
struct lookup_entry;
struct source_row;

/* What an operation is about, as the client knows it. There is one for each row, type and id, shared by all
 * operations. */
struct operation_place {
    struct operation_place *next; /* of the same row */
    struct source_row *row;
    const char *object_type; /* lives as long as the storage */
    uint32_t references;     /* operations and entries of `emitted` */
    uint32_t mark : 31;      /* compaction's business */
    uint32_t is_row_id : 1;  /* the object id is the row's id */
    char own_id[];           /* else the object id */
};

/* A bucket that a row was put into and not yet removed from. */
struct emitted {
    struct bucket *bucket;
    struct operation_place *place;
};

struct source_row {
    const char *table;              /* lives as long as the storage */
    struct operation_place *places; /* all that operations name */
    struct lookup_entry *entries;   /* in the parameter index */
    union {
        struct emitted one; /* most rows are in one bucket */
        struct emitted *many;
    };
    uint32_t n_emitted;
    uint32_t hash;
    char id[];
};

/* Zeroed: empty. Owns the rows. */
struct source_rows {
    struct pool pool;          /* also for others: what belongs to rows */
    struct source_row **slots; /* open addressing */
    size_t n_slots;
    size_t count;
    size_t bytes; /* of all rows and places */
};

void source_rows_free(struct source_rows *rows); /* whatever still speaks of them */
/* NULL: not there. */
struct source_row *source_rows_find(const struct source_rows *rows, const char *table, const char *id);
/* `table` must live as long as the rows. */
struct source_row *source_rows_add(struct source_rows *rows, const char *table, const char *id);
/* As it travels; computed, because it is needed only when the row is told of. */
void source_row_subkey(const struct source_row *row, char out[37]);
/* Drop the row if nothing speaks of it. */
void source_rows_tidy(struct source_rows *rows, struct source_row *row);

/* The row's place of this type and id, made when it does not exist. Take a reference before the next call. */
struct operation_place *source_row_place(struct source_rows *rows, struct source_row *row,
                                         const char *object_type, const char *object_id);
const char *operation_place_id(const struct operation_place *place);                   /* the object id */
void operation_place_release(struct source_rows *rows, struct operation_place *place); /* may drop the row */

const struct emitted *source_row_emitted(const struct source_row *row); /* n_emitted of them */
/* Takes over the references of `emitted` (an array on the heap, freed or kept) and drops those of the old
 * ones. The row stays, even if nothing speaks of it any more. */
void source_row_set_emitted(struct source_rows *rows, struct source_row *row, struct emitted *emitted,
                            size_t count);

#endif
