/* The inside of a plain Convex client, shared by its parts. All of it is the process's memory, save the
 * subscriptions that the app makes anew whenever it starts. */
#ifndef SYNCLINE_CLIENT_REACTIVE_PARTS_H
#define SYNCLINE_CLIENT_REACTIVE_PARTS_H

#include "base/json.h"
#include "client/reactive_auth.h"
#include "client/reactive_client.h"

struct reactive_query {
    uint32_t id;
    char *path;
    char *args;       /* encoded JSON object */
    json_t *journal;  /* string or null as the server gave it; NULL: none yet */
    char *value;      /* encoded JSON, as last heard on this socket; NULL: none */
    char *error;      /* instead of a value */
    bool outstanding; /* sent again on this socket and not answered yet */
    bool unasked;     /* subscribed to while the socket was paused */
};

enum reactive_progress { REACTIVE_NOT_SENT, REACTIVE_REQUESTED, REACTIVE_COMPLETED };

struct reactive_request {
    uint32_t id;   /* as the app knows it */
    uint32_t wire; /* as the server knows it: the same, but for a mutant */
    enum reactive_call_kind kind;
    char *path;
    char *args;
    enum reactive_progress progress;
    char *result;            /* completed: encoded JSON */
    uint64_t ts;             /* completed: of the commit */
    bool older_than_restart; /* in flight when the socket was opened */
};

/* Where client and server stand: both begin at zeros on every socket. */
struct reactive_version {
    uint32_t query_set;
    uint32_t identity;
    uint64_t ts;
};

/* Stopped: closed until a token is there. */
enum reactive_socket {
    REACTIVE_DISCONNECTED,
    REACTIVE_CONNECTING,
    REACTIVE_READY,
    REACTIVE_STOPPED,
    REACTIVE_TERMINATED
};

struct reactive_client {
    struct host *host;
    char *deployment;
    char session[37];
    bool wants_connection; /* the app called connect */
    bool crashed;

    enum reactive_socket state;
    bool paused;          /* nothing is sent on this socket until a token is there */
    bool silent;          /* it was paused when it opened: the server has not even heard Connect */
    uint64_t socket;      /* 0: none */
    uint64_t reconnect;   /* timer */
    uint64_t silence;     /* timer: nothing heard for too long */
    unsigned connections; /* how many sockets were opened */
    unsigned retries;
    char *close_reason; /* of the last socket; NULL: the socket is open */
    struct buffer chunks;
    uint32_t chunk_parts, chunk_next; /* chunk_parts 0: no transition is being put together */
    char chunk_id[24];

    struct reactive_query *queries; /* in the order of subscribing */
    size_t n_queries, queries_capacity;
    uint32_t next_query;
    uint32_t query_set; /* version that the client has asked for */
    struct reactive_version version;
    uint32_t *unsaid; /* queries that were dropped while the socket was paused */
    size_t n_unsaid, unsaid_capacity;

    struct reactive_request *requests; /* in the order of calling */
    size_t n_requests, requests_capacity;
    uint32_t next_request;
    uint64_t observed; /* newest timestamp ever heard, 0: none */

    struct reactive_auth auth;
};

/* reactive_client.c */
void reactive_tell(struct reactive_client *client, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* One parsed message. False: it breaks the protocol. */
bool reactive_hear(struct reactive_client *client, const json_t *message);
/* A socket is open: say who this is, what it subscribes to and what is unfinished. */
void reactive_introduce(struct reactive_client *client);
/* All that was outstanding when this socket was opened has been heard of. */
bool reactive_is_synced(const struct reactive_client *client);

/* Nothing more is sent on this socket, or what was not sent goes now. Without a socket: nothing. */
void reactive_pause(struct reactive_client *client);
void reactive_resume(struct reactive_client *client);

/* reactive_socket.c */
void reactive_socket_open(struct reactive_client *client);
bool reactive_socket_send(struct reactive_client *client, const struct buffer *text); /* false: not now */
/* Close and open again, because of something that the client found. */
void reactive_socket_reopen(struct reactive_client *client, const char *reason);
/* Close and cancel every timer. */
void reactive_socket_stop(struct reactive_client *client, enum reactive_socket state);
/* After a crash of the node: nothing calls back any more. */
void reactive_socket_forget(struct reactive_client *client);

/* reactive_queries.c */
void reactive_queries_restart(struct reactive_client *client, struct buffer *message);
/* What was subscribed to and dropped while the socket was paused; empty: nothing. */
void reactive_queries_resume(struct reactive_client *client, struct buffer *message);
bool reactive_queries_transition(struct reactive_client *client, const json_t *message);
void reactive_queries_note(struct reactive_client *client);
void reactive_query_forget(struct reactive_query *query); /* what was heard of it */
void reactive_query_free(struct reactive_query *query);
bool reactive_queries_settled(const struct reactive_client *client);

/* reactive_requests.c */
void reactive_requests_restart(struct reactive_client *client);
void reactive_requests_resume(struct reactive_client *client);
bool reactive_requests_response(struct reactive_client *client, const json_t *message, bool mutation);
void reactive_requests_complete(struct reactive_client *client); /* what the newest transition covers */
void reactive_requests_drop(struct reactive_client *client);

/* reactive_wire.c: timestamps travel as base64 of 8 bytes, lowest first. */
void reactive_append_ts(struct buffer *out, uint64_t ts);
bool reactive_read_ts(const json_t *object, const char *key, uint64_t *ts);
/* A whole number from 0 to UINT32_MAX, also when it is written with a fraction of zero. */
bool reactive_read_count(const json_t *object, const char *key, uint32_t *count);

#endif
