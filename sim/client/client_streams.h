/* What an app has open: streams that it subscribes to and leaves while it runs, as the SDKs do it. The list
 * is in memory and goes with the process; what is subscribed to is in the database until its time is over. */
#ifndef SYNCLINE_CLIENT_CLIENT_STREAMS_H
#define SYNCLINE_CLIENT_CLIENT_STREAMS_H

#include "client/client.h"

struct engine_result;

struct open_stream {
    struct client_subscription as; /* texts are owned; parameters NULL: none */
    size_t holders;                /* pages that have it open */
    bool permanent;                /* of the settings: for as long as the client lives */
    void (*synced)(void *context); /* who waits for its first sync; NULL: nobody */
    void *context;
};

struct open_streams {
    struct open_stream **items; /* in the order in which they were opened */
    size_t count, capacity;
    char *parameters; /* of the connection; NULL: none */
    bool change;      /* the app has opened one while it ran: requests are told */
    char *told;       /* the last request that was told */
};

/* The settings' streams: kept in the database, and open. */
enum status open_streams_begin(struct client *client, const struct client_settings *settings,
                               struct error *error);
void open_streams_free(struct open_streams *streams);
/* The process has ended: only the settings' streams are opened again by the next one. */
void open_streams_crash(struct client *client);
/* The database may have lost them: subscribe anew to all that is open. */
void open_streams_renew(struct client *client);
/* A stream is about to be requested: tell for what, if the app changes it while it runs. */
void open_streams_tell_request(struct client *client, const char *request, size_t length);
/* The status has changed: tell who waits. */
void open_streams_take_status(struct client *client);

#endif
