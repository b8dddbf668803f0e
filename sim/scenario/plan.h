/* A plan: what a seed makes of a scenario, as a list of concrete timed steps with stable ids. The same
 * scenario and seed give the same plan. `plan_write` writes it as a pinned scenario (YAML) that can be edited
 * by hand and run: reading it back gives the identical plan. Every choice has a stream of its own, named by
 * whom and what it is about, so that another client or fault moves nobody else's steps. plan_make fails only
 * when the plan would be too large (STATUS_LIMIT). */
#ifndef SYNCLINE_SCENARIO_PLAN_H
#define SYNCLINE_SCENARIO_PLAN_H

#include "scenario/scenario.h"

enum step_kind {
    STEP_WRITE,       /* `client` does `action` */
    STEP_BROWSE,      /* `client` opens `page` for `lasts`, 0: and keeps it open */
    STEP_CALL,        /* the plain Convex client `client` calls a mutation or an action */
    STEP_OFFLINE,     /* `client` has no network for `lasts` */
    STEP_PARTITION,   /* `from` and `to` cannot reach each other for `lasts` (one_way: only from -> to is cut)
                       */
    STEP_CONNECT,     /* `client` calls connect, although it has */
    STEP_DISCONNECT,  /* `client` calls disconnect, and connect after `lasts` */
    STEP_ROTATE_KEYS, /* the node `client`, "issuer", signs with a new key; the old one is published for
                         `lasts` */
    STEP_REDEPLOY, /* the sync config of the service `client`, "powersync", is deployed again, as a new one */
    STEP_COMPACT,  /* the buckets of the service `client` are compacted */
    STEP_DROP_TABLE,  /* the deployment `client`, "convex", loses `table`, and tells nobody */
    STEP_CLEAR,       /* `client` calls disconnectAndClear, and connect after `lasts` */
    STEP_SWITCH_USER, /* `client` signs out and clears, and after `lasts` the user `to` signs in */
    STEP_UPDATE_APP,  /* the app on `client` disconnects, goes on with its other version, connects after
                         `lasts` */
    STEP_SESSION,     /* for `lasts` the app on `client` gets no new tokens */
    STEP_SLEEP,       /* the device `client` sleeps for `lasts`: its processor stops */
    STEP_CLOCK,       /* the wall clock of the node `client` is wrong by `ahead` for `lasts` */
    STEP_POWER_LOSS,  /* the device `client` is without power for `lasts`: its disk keeps what was synced, and
                       * some of the rest. With `nth` power goes in the middle of the nth write or sync */
    STEP_DISK_FULL,   /* no file on the disk of `client` can grow for `lasts` */
    STEP_DISK_ERROR,  /* one operation in eight of that disk fails */
    STEP_DISK_READ_ONLY, /* nothing on it can be changed */
    STEP_CLOSE_TAB,      /* the tab `tab` of the app on `client` is closed, and opened again after `lasts` */
    STEP_FREEZE_TAB,     /* nothing runs in it for `lasts`; locks that it has stay with it */
    STEP_LOSE_STORAGE,   /* all processes of the service end, its storage is lost, and they begin anew after
                            `lasts` */
    STEP_VANISH,   /* the process `client` of the service ends without a word to those who hear from it, and
                      starts again after `lasts` */
    STEP_RETIRE,   /* the process `client` of the service goes for good */
    STEP_PORTAL,   /* the network of `client` answers everything itself, with a page */
    STEP_AUDIENCE, /* the node `client`, "issuer", makes tokens out to a wrong audience */
    STEP_CRASH     /* the node `client` (a client, a process of the service, "convex" or "backend") ends, and
                    * starts again after `lasts`
                    */
};

struct scenario_step {
    const char
        *id; /* "alice-1.w17", "powersync.c2": unique in the plan, and the same whoever else takes part */
    enum step_kind kind;
    int64_t at;    /* ns */
    int64_t lasts; /* ns, where the kind has a length */
    int64_t nth;   /* STEP_POWER_LOSS, and STEP_CRASH of a device; 0: at once */
    int64_t tab;   /* STEP_CLOSE_TAB, STEP_FREEZE_TAB: from 1 */
    const char *client;
    const char *from, *to;
    int64_t ahead;     /* STEP_CLOCK: ns, negative: behind */
    bool soft;         /* STEP_CLEAR: what was downloaded stays */
    const char *table; /* STEP_DROP_TABLE */
    int64_t page;      /* STEP_BROWSE: its number among the scenario's pages, from 1 */
    int64_t ttl;       /* STEP_BROWSE: ns that its stream stays once the page is left */
    bool one_way;
    const char *path;         /* STEP_CALL: the function */
    const char *args;         /* STEP_CALL: encoded JSON of one object, keys sorted */
    bool is_action;           /* STEP_CALL */
    struct app_action action; /* STEP_WRITE; its `step` is `id` */
};

struct plan {
    struct arena arena;
    uint64_t seed;
    struct scenario_step *steps; /* by time, then id */
    size_t n_steps;
    /* The swarm's choice for wire faults, per million exchanges (see net.h), and timings of this seed. */
    uint32_t refuse, reset, lose_response, stall;
    int64_t stall_time;
    bool split_chunks;
    bool fault_points;
    bool random_knobs;
    int64_t latency, jitter; /* ns; latency is that of the slowest link, see plan_link_latency */
};

enum status plan_make(const struct scenario *scenario, uint64_t seed, struct plan **plan,
                      struct error *error);
void plan_free(struct plan *plan);
/* One way latency between two nodes, the same in both directions: keyed by the seed and their names. */
int64_t plan_link_latency(const struct plan *plan, const struct scenario *scenario, const char *a,
                          const char *b);
/* Arguments of the n-th query (from 0) that a plain client subscribes to, drawn by the seed and the names. */
void plan_query_args(uint64_t seed, const char *client, const struct scenario_call *query, size_t n,
                     struct buffer *out);
void plan_write(const struct plan *plan, const struct scenario *scenario, struct buffer *out);
/* "alice-1.w17 (12.034 s): alice-1 add-todos, 3 rows" */
void plan_describe_step(const struct scenario_step *step, struct buffer *out);

#endif
