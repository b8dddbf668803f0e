/* The parameter index: under a key (which lookup, with which values) what source rows say, at any checkpoint.
 * Every entry belongs to one row and has versions by op id; a version without tuples says that the row left.
 *
 * A lookup exists while rows have entries or somebody watches it. */
#ifndef MOCK_POWERSYNC_PARAMETER_INDEX_H
#define MOCK_POWERSYNC_PARAMETER_INDEX_H

#include "base/map.h"
#include "mock-powersync/config/evaluate.h"
#include "mock-powersync/storage/source_row.h"
#include "mock-powersync/storage/watch.h"

struct lookup_version {
    struct lookup_version *older;
    uint64_t op_id;
    uint32_t length; /* 0: nothing, the row left */
    char values[];   /* JSON array of tuples */
};

struct lookup_entry {
    struct lookup *lookup;
    struct source_row *row;
    struct lookup_version *newest;
    struct lookup_entry *next, *previous; /* in the lookup, in order of making */
    struct lookup_entry *next_of_row;
    bool kept;     /* while a row is saved: it still has it */
    bool unstored; /* on the list of entries to write */
};

struct lookup {
    struct lookup_entry *first, *last;
    struct watch_list watches; /* woken by commits that changed something under the key */
    bool touched;              /* changed since the last commit */
    size_t key_length;
    char key[];
};

/* Zeroed: empty. */
struct parameter_index {
    struct map lookups; /* key -> struct lookup */
    struct lookup **touched;
    size_t n_touched;
    size_t touched_capacity;
    size_t bytes; /* of all keys and values */
    size_t n_versions;

    bool lists_unstored; /* there is a file */
    bool rewritten;      /* compaction changed what the file has */
    uint64_t stored_op;  /* the file has the versions up to it */
    struct lookup_entry **unstored;
    size_t n_unstored;
    size_t unstored_capacity;
};

void parameter_index_free(struct parameter_index *index); /* nobody may watch any more */

/* The lookup of this key, made when it does not exist. */
struct lookup *parameter_index_lookup(struct parameter_index *index, const char *key, size_t length);
/* Replace what a row says. Every version takes the next op id of `sequence`. */
void parameter_index_save(struct parameter_index *index, struct source_row *row,
                          const struct lookup_output *outputs, size_t count, uint64_t *sequence);
/* What is read back from a file: versions in ascending order of op ids. */
void parameter_index_restore(struct parameter_index *index, struct source_row *row, const char *key,
                             size_t key_length, uint64_t op_id, const char *values, size_t length);
/* The file has all versions up to this op id. */
void parameter_index_stored(struct parameter_index *index, uint64_t op_id);
bool source_row_has_parameters(const struct source_row *row);

/* Calls `each` with every tuple of the key as of `op_id`; returns how many there were. */
size_t parameter_index_find(const struct parameter_index *index, const char *key, size_t length,
                            uint64_t op_id, void (*each)(void *context, const char *tuple, size_t length),
                            void *context);

/* Wake the watches of all lookups that changed since the last call. */
void parameter_index_publish(struct parameter_index *index);
/* Drop versions that no checkpoint from `op_id` on can see. Returns how many. */
size_t parameter_index_compact(struct parameter_index *index, struct source_rows *rows, uint64_t op_id);
/* Drop lookups that nobody needs. */
void parameter_index_sweep(struct parameter_index *index);

#endif
