/* The oracle: what every user's synced rows are at every commit, computed from the committed history alone,
 * with SQLite and the sync config's own SQL. It shares no code with the service under test.
 *
 * Commits are numbered from 1 in the order of the history; 0 is the state before the first. A user's view
 * changes at some commits only; each change makes a version, which holds until the next. Work is proportional
 * to what a commit touches, except for queries that read several tables: those are evaluated anew for each
 * commit to one of them.
 *
 * A row that several streams give a client counts once. When they disagree about its columns, the one written
 * last counts, as the newest operation does on a device.
 *
 * What is published up to a priority is known by tables, so streams that give rows of one client table must
 * have one priority; a config that does otherwise is refused. */
#ifndef SYNCLINE_CHECK_ORACLE_H
#define SYNCLINE_CHECK_ORACLE_H

#include "base/digest.h"
#include "base/error.h"
#include "base/map.h"
#include "check/check.h"
#include "check/oracle_streams.h"

struct oracle;

enum { ORACLE_URGENT = 3 }; /* priorities before the last, 3 */

struct oracle_commit {
    int64_t timestamp; /* ns */
    uint64_t record;   /* number of its history record; 0 for commit 0 */
    const char *text;  /* function path; or NULL */
};

/* A row of a user's view. Owned by the oracle, never moves, stays when the row is gone. */
struct oracle_row {
    const char *table;
    const char *id;
    const char *text;    /* at the newest commit; NULL: no such row */
    const char *mark;    /* its text at the version where a walk is (check/view_difference.h) */
    bool differs;        /* from a client's row, during a walk */
    uint64_t touched;    /* the commit that last changed it */
    const char *before;  /* its text before that commit */
    struct hash128 hash; /* of `text` */
    int priority;        /* of its table */
    struct oracle_origin *origins;
    size_t n_origins;
    size_t capacity;
};

struct oracle_change {
    struct oracle_row *row;
    const char *before; /* row text; NULL: no row */
    const char *after;
};

struct oracle_version {
    size_t commit; /* the first commit at which it holds */
    struct hash128 set;
    struct hash128 urgent[ORACLE_URGENT]; /* by priority: rows of tables up to it; the last would be `set` */
    const struct oracle_change *changes;  /* against the version before */
    size_t n_changes;
    size_t same; /* index + 1 of the newest earlier version with the same set; 0: none */
};

struct oracle_user {
    const char *name;
    struct map rows;                 /* row_set_key -> struct oracle_row */
    struct oracle_version *versions; /* [0] is the empty view at commit 0 */
    size_t n_versions;
    size_t capacity;
    struct map sets;             /* set hash -> index + 1 of the newest version with it */
    struct oracle_row **touched; /* rows that the commit being recorded may have changed */
    size_t n_touched;
    size_t touched_capacity;
    struct map *stream_rows; /* per stream, for those evaluated as a whole: key -> copy of the text */
};

/* One view for each user and what is asked for: clients of one user that ask for the same share it. All
 * pointers are borrowed. `requests` says what each of the clients asks for; NULL: nobody asks for anything.
 */
enum status oracle_create(const char *sync_config, const struct client_schema *schema,
                          const char *const *users, const struct oracle_request *requests, size_t n_clients,
                          struct oracle **oracle, struct error *error);
void oracle_destroy(struct oracle *oracle);

void oracle_record(struct oracle *oracle, const struct history_record *record); /* other kinds are ignored */

size_t oracle_newest(const struct oracle *oracle); /* number of the newest commit; 0: none yet */
const struct oracle_commit *oracle_commit(const struct oracle *oracle, size_t number);
/* The view of the n-th client. */
const struct oracle_user *oracle_client(const struct oracle *oracle, size_t client);
/* Of a user with a request that some client has, or will have; NULL: nobody does. */
const struct oracle_user *oracle_find(const struct oracle *oracle, const char *user,
                                      const struct oracle_request *request);
/* Of a user who asks for nothing; NULL: there is no such client. */
const struct oracle_user *oracle_user(const struct oracle *oracle, const char *name);

/* The set of the user's rows at the newest commit. */
struct hash128 oracle_user_set(const struct oracle_user *user);
/* The earliest commit >= `not_before` at which the user's rows are this set. False: there is none. */
bool oracle_user_find(const struct oracle *oracle, const struct oracle_user *user, struct hash128 set,
                      size_t not_before, size_t *commit);
/* The latest commit at which they are. False: there is none. */
bool oracle_user_find_latest(const struct oracle *oracle, const struct oracle_user *user, struct hash128 set,
                             size_t *commit);
/* The earliest commit >= `not_before` at which the rows of tables up to a priority (0..2) are this set. */
bool oracle_user_find_urgent(const struct oracle *oracle, const struct oracle_user *user, int priority,
                             struct hash128 set, size_t not_before, size_t *commit);
/* 0..3; 3 for tables that no stream gives. */
int oracle_table_priority(const struct oracle *oracle, const char *table);
/* The last commit at which a version holds. */
size_t oracle_user_last_commit(const struct oracle *oracle, const struct oracle_user *user, size_t version);
/* The version that holds at a commit. */
size_t oracle_user_version(const struct oracle_user *user, size_t commit);
const struct oracle_row *oracle_user_row(const struct oracle_user *user, const char *table, const char *id);

#endif
