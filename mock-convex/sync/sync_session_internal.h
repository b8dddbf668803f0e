/* What the files of a session share: sync_session.c (sending, the end, events), sync_transition.c (the query
 * set and transitions), sync_identity.c (Connect, Authenticate), sync_call.c (mutations and actions).
 *
 * A function that takes a message returns false when it has ended the session, which sync_session_settle then
 * frees at the end of the event. */
#ifndef MOCK_CONVEX_SYNC_SYNC_SESSION_INTERNAL_H
#define MOCK_CONVEX_SYNC_SYNC_SESSION_INTERNAL_H

#include "mock-convex/http/auth.h"
#include "mock-convex/sync/sync_message.h"
#include "mock-convex/sync/sync_session.h"
#include "mock-convex/sync/sync_subscription.h"

/* A mutation that waits for its turn. */
struct queued {
    uint32_t request;
    struct convex_call call;
};

/* An action that runs for the session. */
struct inflight {
    struct sync_session *session;
    struct inflight *next, **link;
    uint32_t request;
    struct convex_call call;
    struct convex_action *action;
};

struct held {
    char *text;
    size_t length;
};

struct sync_session {
    struct sync_hub *hub;
    struct convex_deployment *deployment;
    struct sync_session *next, **link;
    uint64_t number;
    uint64_t socket;
    bool chunks; /* the client takes TransitionChunk */
    bool over;   /* closed; freed at the end of the event */
    bool touched;
    enum convex_identity identity;
    bool read_only;            /* its key may run queries only */
    struct convex_value *user; /* who is signed in; NULL: nobody */
    struct auth_waiter waiter; /* for the keys of an Authenticate, which is then the first of `held` */
    struct held *held;         /* messages that wait for it */
    size_t n_held, held_capacity, held_bytes;
    char id[40];                 /* of the client's session; "" before Connect */
    struct sync_clock clock;     /* of the client */
    struct sync_version sent;    /* endVersion of the last Transition */
    struct sync_version pending; /* what the next one must reach; ts: at least this */
    struct sync_subscription *queries;
    struct buffer removed; /* QueryRemoved items for the next Transition */
    struct queued *queue;  /* mutations that wait */
    size_t n_queue, queue_capacity;
    bool mutating;            /* one runs */
    struct inflight *actions; /* that run */
    size_t n_actions;
    bool busy; /* run_next is at work */
    bool owes; /* a success was answered: a Transition follows even if it says nothing new */
    uint64_t update, ping, expiry; /* timers; 0: none */
    uint64_t transitions;
};

void sync_session_send(struct sync_session *session, const struct buffer *text);
/* Close the socket. All return false. */
bool sync_session_end(struct sync_session *session, int code, const char *reason);
bool sync_session_end_internal(struct sync_session *session); /* 1011 */
bool sync_session_end_fatal(struct sync_session *session, const char *message);
bool sync_session_end_auth(struct sync_session *session, const char *message, bool attempted);
void sync_session_settle(struct sync_session *session); /* at the end of an event: free one that is over */

/* sync_transition.c */
void sync_session_update_soon(struct sync_session *session);
bool sync_session_take_modify(struct sync_session *session, const struct sync_message *message);

/* sync_identity.c */
bool sync_session_take_connect(struct sync_session *session, const struct sync_message *message);
bool sync_session_take_authenticate(struct sync_session *session, const struct sync_message *message);
/* Must this message wait for the keys of its token? */
bool sync_session_must_wait(struct sync_session *session, const struct sync_message *message);

/* sync_call.c */
/* The call of a message, by whoever is signed in; false: the session has ended. */
bool sync_session_decode(struct sync_session *session, const char *path, const char *component,
                         const json_t *args, struct convex_call *call);
bool sync_session_take_mutation(struct sync_session *session, const struct sync_message *message);
bool sync_session_take_action(struct sync_session *session, const struct sync_message *message);
void sync_session_leave_actions(struct sync_session *session); /* nobody waits for them any more */

#endif
