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
    int64_t head;              /* LSN, ns */
    bool pending;              /* no checkpoint since storing has reached the head */
    struct watch_list watches; /* woken when that happens */
};

struct write_checkpoints {
    struct map records; /* key -> struct write_checkpoint */
    struct write_checkpoint **pending;
    size_t n_pending;
    size_t pending_capacity;
    bool heads_may_go_back; /* mutant stale-head: see store() */
};

void write_checkpoints_free(struct write_checkpoints *checkpoints); /* nobody may watch any more */

/* The record of this key, made when it does not exist. */
struct write_checkpoint *write_checkpoints_record(struct write_checkpoints *checkpoints, const char *key);
/* Give out the next id of the key (the first is 1) for this head. */
int64_t write_checkpoints_next(struct write_checkpoints *checkpoints, const char *key, int64_t head);
/* Store an id that a client chose, if it is higher than the stored one. Returns the id stored afterwards. */
int64_t write_checkpoints_supply(struct write_checkpoints *checkpoints, const char *key, int64_t id,
                                 int64_t head);
/* A checkpoint at this LSN is visible now: wakes the watches of the records that it reached. */
void write_checkpoints_published(struct write_checkpoints *checkpoints, int64_t lsn);
/* What a checkpoint at `lsn` may announce; 0: nothing. */
int64_t write_checkpoint_visible(const struct write_checkpoint *record, int64_t lsn);

/* "<user>" or "<user>/<client>"; the caller frees it. */
char *write_checkpoint_key(const char *user, const char *client_id);

#endif
