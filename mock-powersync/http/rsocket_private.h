/* What rsocket.c (connections) and rsocket_stream.c (streams of one connection) share. */
#ifndef MOCK_POWERSYNC_RSOCKET_PRIVATE_H
#define MOCK_POWERSYNC_RSOCKET_PRIVATE_H

#include "mock-powersync/http/rsocket.h"
#include "mock-powersync/http/rsocket_frame.h"

enum {
    rsocket_streams_most = 100,  /* of one connection */
    rsocket_held_most = 2 << 20, /* bytes of frames that came while the token is checked */
    rsocket_unread_most = 1000,  /* messages that a peer has not read when it sends another */
    rsocket_echo_most = 4096     /* bytes of a KEEPALIVE that are sent back */
};

enum rsocket_phase { RSOCKET_NEW, RSOCKET_CHECKING, RSOCKET_OPEN };

struct rsocket_stream;

struct rsocket_server {
    struct rsocket_options options;
    struct rsocket_connection *first;
    size_t count;
    bool goes_away; /* takes no more connections */
};

struct rsocket_connection {
    struct rsocket_server *server;
    struct rsocket_connection *previous, *next;
    uint64_t socket;
    enum rsocket_phase phase;
    bool data_is_bson;      /* how requests are written; lines are always BSON */
    struct auth_user user;  /* RSOCKET_OPEN */
    struct auth_call *call; /* RSOCKET_CHECKING */
    struct buffer held;     /* frames that wait for it: length (size_t), bytes */
    struct rsocket_stream *first_stream;
    size_t streams;
    int64_t lifetime, heard; /* ns: without a KEEPALIVE for so long it is over */
    uint64_t timer;
};

void rsocket_send(struct rsocket_connection *connection, const struct rsocket_frame *frame);
/* "[code] description", details on a line of their own. */
void rsocket_send_error(struct rsocket_connection *connection, uint32_t stream, uint32_t code,
                        const char *text);
char *rsocket_error_text(const struct http_error *error);
/* A payload's bytes in the encoding of the SETUP; null when there are none. NULL: they cannot be read. */
json_t *rsocket_decode(bool is_bson, const struct rsocket_bytes *bytes);

/* rsocket_stream.c */
void rsocket_stream_request(struct rsocket_connection *connection, const struct rsocket_frame *frame);
void rsocket_stream_credit(struct rsocket_connection *connection, uint32_t id, uint32_t credits);
void rsocket_stream_cancel(struct rsocket_connection *connection, uint32_t id);
void rsocket_streams_drop(struct rsocket_connection *connection);

#endif
