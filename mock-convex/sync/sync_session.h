/* One WebSocket of the sync protocol: its versions, its queries, its queue of mutations. A session frees
 * itself when the socket is over. */
#ifndef MOCK_CONVEX_SYNC_SESSION_H
#define MOCK_CONVEX_SYNC_SESSION_H

#include "mock-convex/sync/sync_hub.h"

#define SYNC_PING_TIME (15 * TIME_SECOND)
#define SYNC_CHUNK_BYTES ((size_t)5000000) /* of a Transition's text; above that it is cut */
#define SYNC_QUEUE_MAX 1000                /* mutations that wait on one socket */
#define SYNC_ACTIONS_MAX 1000              /* that run for one socket */
#define SYNC_HELD_MAX 1000                 /* messages that wait for the keys of a token */
#define SYNC_HELD_BYTES_MAX ((size_t)32 << 20)
#define SYNC_UNSENT_MAX 2 /* messages toward a slow reader before transitions coalesce */
#define SYNC_SLOW_TIME (100 * TIME_MILLISECOND) /* until a slow reader is looked at again */

/* How a mutation of this session ended: `result`, or `message`, or `code`. */
struct sync_answer {
    uint32_t request;
    const char *result; /* encoded JSON */
    uint64_t ts;
    const char *message;
    const struct convex_value *data; /* of the error; NULL: none */
    const struct convex_log *log;    /* NULL: nothing was logged */
    const char *code;                /* the socket closes with it */
    bool lost;                       /* the socket breaks, and nothing is said */
};

/* Accept the exchange; the session joins `list`. False: the host says it is no handshake. */
bool sync_session_open(struct sync_hub *hub, struct sync_session **list, uint64_t exchange, bool chunks);
void sync_session_close(struct sync_session *session, int code, const char *reason); /* and free */
/* A commit has touched one of its queries. Returns whether it is the first since the session was woken. */
bool sync_session_touch(struct sync_session *session);
void sync_session_wake(struct sync_session *session);             /* its stale queries run soon */
uint64_t sync_session_number(const struct sync_session *session); /* in the order of their opening */
void sync_session_answer(struct sync_session *session, const struct sync_answer *answer);
/* Another session of the same client took over the mutation that ran for this one. */
void sync_session_robbed(struct sync_session *session);

#endif
