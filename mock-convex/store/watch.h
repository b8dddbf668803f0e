/* Who is to be told when a commit touches what a query has read. A watch is a compact copy of a read set,
 * entered in a map of intervals for each index; so a commit costs what it touches, however many watches there
 * are. The rules are those of convex_transaction_validate: old and new keys count, and so do tables that end
 * or come into being and a push.
 *
 * The owner of a watch frees it (convex_watch_end) before the watches. Nothing here fails. */
#ifndef MOCK_CONVEX_WATCH_H
#define MOCK_CONVEX_WATCH_H

#include "base/map.h"
#include "mock-convex/store/interval_map.h"

struct convex_watched_range;

struct convex_watch {
    struct convex_watches *among; /* NULL: it watches nothing */
    struct convex_watch *next, **link;
    void *owner;
    int64_t begin; /* of the transaction that read: later commits count */
    struct convex_watched_range *ranges;
    size_t n_ranges;
    char **absent; /* names of tables that were not there */
    size_t n_absent;
};

struct convex_watches {
    const struct convex_store *store;
    struct host *host;
    struct convex_watch *first;
    struct map indexes;     /* the address of an index -> its struct convex_watched_index */
    size_t looked;          /* position in the log up to which commits have been looked at */
    uint64_t table_changes; /* of the store, up to which they have been looked at */
};

void convex_watches_free(struct convex_watches *watches); /* there are no more watches */
/* Watch what the transaction has read so far; a watch that has ended may begin again. */
void convex_watch_begin(struct convex_watch *watch, struct convex_watches *watches,
                        const struct convex_transaction *transaction, void *owner);
void convex_watch_end(struct convex_watch *watch); /* nothing happens when it does not watch */
/* Look at what was committed since the last look: touched(context, owner) for each watch concerned, perhaps
 * several times. It must not begin or end watches. */
void convex_watches_look(struct convex_watches *watches, void (*touched)(void *context, void *owner),
                         void *context);

#endif
