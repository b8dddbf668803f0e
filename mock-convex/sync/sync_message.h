/* Messages of the WebSocket sync protocol as text: what a client sends, taken apart, and what a server sends,
 * written. Facts: section 5.3 and 5.4 of the protocol's description in docs/mock-convex.md. */
#ifndef MOCK_CONVEX_SYNC_MESSAGE_H
#define MOCK_CONVEX_SYNC_MESSAGE_H

#include <jansson.h>

#include "base/buffer.h"
#include "base/error.h"

#define SYNC_INITIAL_TS 0

enum sync_kind {
    SYNC_CONNECT,
    SYNC_AUTHENTICATE,
    SYNC_MODIFY_QUERY_SET,
    SYNC_MUTATION,
    SYNC_ACTION,
    SYNC_EVENT
};

/* What a client sent. Everything borrowed from `json`. */
struct sync_message {
    json_t *json; /* owned */
    enum sync_kind kind;
    uint32_t base_version, new_version; /* Authenticate, ModifyQuerySet */
    const json_t *modifications;        /* ModifyQuerySet */
    const char *session;                /* Connect */
    uint64_t observed;                  /* Connect: maxObservedTimestamp, 0: none */
    bool has_clock;                     /* Connect: clientTs is there */
    int64_t client_ms;                  /* the time of day by the client's clock, as clientTs has it */
    const char *token_type, *token;     /* Authenticate; `token` NULL for None */
    const json_t *acting;               /* Authenticate: the user that an admin acts as; NULL: none */
    uint32_t request;                   /* Mutation, Action */
    const char *path, *component;       /* Mutation, Action */
    const json_t *args;                 /* Mutation, Action */
};

/* One item of ModifyQuerySet. Borrowed. */
struct sync_modification {
    bool add;
    uint32_t query;
    const char *path, *component; /* Add */
    const json_t *args;           /* Add */
};

/* STATUS_INVALID: not a message of the protocol. Only on STATUS_OK the caller frees it. */
enum status sync_message_parse(struct sync_message *message, const char *text, size_t length,
                               struct error *error);
void sync_message_free(struct sync_message *message);
enum status sync_modification_parse(struct sync_modification *modification, const json_t *json,
                                    struct error *error);

struct sync_version {
    uint32_t query_set, identity;
    uint64_t ts;
};

/* Base64 of the 8 bytes, little end first. */
void sync_append_ts(struct buffer *out, uint64_t ts);
enum status sync_parse_ts(const char *text, uint64_t *ts);
void sync_append_version(struct buffer *out, const struct sync_version *version);

/* What a client needs to tell how long a Transition took to arrive. */
struct sync_clock {
    bool known;   /* the client has told its time */
    int64_t skew; /* ms that the client's clock is ahead of ours; the way of its Connect counts against it */
    int64_t now_ns; /* our time of day */
};

/* {"type":"Transition",...}; `modifications` are items without the brackets, joined by commas. */
void sync_print_transition(struct buffer *out, const struct sync_version *start,
                           const struct sync_version *end, const struct buffer *modifications,
                           const struct sync_clock *clock);
/* Part `part` of `parts` of a Transition's text. */
void sync_print_chunk(struct buffer *out, const char *bytes, size_t length, size_t part, size_t parts,
                      uint64_t transition);
void sync_print_error(struct buffer *out, const char *type, const char *text); /* FatalError */
void sync_print_auth_error(struct buffer *out, const char *text, uint32_t base_version, bool attempted);

#endif
