/* Write checkpoints: for each user and client, the newest id given out and the position of the source (its
 * head) that a checkpoint must have reached before the id may be announced. Part of storage: survives a
 * crash. */
#ifndef MOCK_POWERSYNC_WRITE_CHECKPOINT_H
#define MOCK_POWERSYNC_WRITE_CHECKPOINT_H

#include <stdint.h>

#include "base/map.h"
#include "mock-powersync/storage/watch.h"

struct write_checkpoint {
    int64_t id;                /* 0: none yet */
    int64_t head;              /* position of the source */
    int64_t requested_at;      /* wall clock, ns: the last request */
    bool supplied;             /* the id came from the client: kept for a while only */
    bool pending;              /* no checkpoint since storing has reached the head */
    bool unstored;             /* changed since the last flush to a file */
    struct watch_list watches; /* woken when that happens */
    char key[];
};

struct write_checkpoints {
    struct map records; /* key -> struct write_checkpoint */
    struct write_checkpoint **pending;
    size_t n_pending;
    size_t pending_capacity;
    bool heads_may_go_back; /* mutant stale-head: see store() */
    bool one_for_a_user;    /* mutant slot-per-user: see forget_others() */
    bool lists_unstored;    /* there is a file */
    struct write_checkpoint **unstored;
    size_t n_unstored;
    size_t unstored_capacity;
    size_t sweep_at; /* when so many exist, drop those that nobody needs */
};

void write_checkpoints_free(struct write_checkpoints *checkpoints); /* nobody may watch any more */

/* The record of this key, made when it does not exist. One without an id exists while it is watched: others
 * may go when a checkpoint is published. */
struct write_checkpoint *write_checkpoints_record(struct write_checkpoints *checkpoints, const char *key);
/* Give out the next id of the key (the first is 1) for this head. `now`: wall clock, ns. */
int64_t write_checkpoints_next(struct write_checkpoints *checkpoints, const char *key, int64_t head,
                               int64_t now);
/* Store an id that a client chose, if it is higher than the stored one; an equal one is kept longer. Returns
 * the id stored afterwards. */
int64_t write_checkpoints_supply(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t head, int64_t now);
/* Store a custom one, which came with the source's data at this position, if it is higher. */
void write_checkpoints_replicate(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t position, int64_t now);
/* Forget ids that clients supplied before `before` (wall clock, ns), pending ones excepted. Returns how many.
 */
size_t write_checkpoints_expire(struct write_checkpoints *checkpoints, int64_t before);
/* Have its watches woken by the next checkpoint that reaches the head (storing an id does so). */
void write_checkpoint_wait(struct write_checkpoints *checkpoints, struct write_checkpoint *record);
/* A checkpoint at this LSN is visible now: wakes the watches of the records that it reached. */
void write_checkpoints_published(struct write_checkpoints *checkpoints, int64_t lsn);
/* What a checkpoint at `lsn` may announce; 0: nothing. */
int64_t write_checkpoint_visible(const struct write_checkpoint *record, int64_t lsn);

/* The file has all records. */
void write_checkpoints_stored(struct write_checkpoints *checkpoints);

/* The same in a name space of its own, for managed ones that nobody is told about: a service with custom
 * write checkpoints gives them out all the same. The caller frees it. */
char *write_checkpoint_hidden_key(const char *user, const char *client_id);
/* "<user>" or "<user>/<client>"; the caller frees it. */
char *write_checkpoint_key(const char *user, const char *client_id);

#endif
