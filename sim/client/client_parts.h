/* The inside of a client, shared by client.c and the SDK's loops. The loops hold state in memory only: a
 * crash drops it, the engine's database stays. */
#ifndef SYNCLINE_CLIENT_CLIENT_PARTS_H
#define SYNCLINE_CLIENT_CLIENT_PARTS_H

#include "base/buffer.h"
#include "client/account.h"
#include "client/client_streams.h"
#include "client/credentials.h"
#include "client/engine.h"
#include "client/tabs.h"

struct client {
    struct host *host;
    struct tabs *tabs; /* that it is one of; NULL: the app has one process */
    char *user;        /* NULL: nobody is signed in */
    char *service, *backend, *issuer, *config;
    const struct upload_path *upload;
    size_t upload_batch;
    bool own_keys;
    enum client_checkpoints write_checkpoints;
    int64_t upload_throttle; /* ns */
    int64_t retry_delay;     /* ns */
    int64_t idle_timeout;    /* ns; 0: none */

    struct engine *engine;
    struct credentials credentials;
    struct account account;
    struct sdk_stream *stream;
    struct sdk_upload *uploads;
    struct sdk_requests *requests; /* NULL: other write checkpoints */
    struct open_streams streams;

    char *download_error; /* NULL: none */
    char *upload_error;
    void (*first_sync)(void *context); /* NULL: nobody waits */
    void *first_sync_context;

    void (*changed)(void *context); /* the watch query; NULL: none */
    void *changed_context;
    uint64_t watch_timer; /* 0: nothing has changed since it ran */

    bool wants_connection; /* the app called connect */
    bool crashed;
    bool stale_synced;    /* mutant stale-has-synced: it has synced once */
    uint64_t app_draws;   /* mutant same-random-numbers: how many there were */
    bool phantom_planted; /* mutant phantom-row */
    bool locked;          /* mutant connect-hangs-after-clear */
};

/* Tell what one engine call changed in the app's view, and plant the phantom row of the mutant of that name.
 */
void client_tell_view(struct client *client, const char *text, const struct engine_result *result);
/* Tells who waits for the first sync, when the engine's status has changed. */
void client_take_status(struct client *client, const struct engine_result *result);
/* The last error of a loop, for the app's status; NULL: none. */
void client_set_error(char **slot, const char *error);
/* Another tab has changed rows; `queue`: or the upload queue. */
void client_hear(struct client *client, bool queue);
/* NOTE_CONNECTION, with what the app's status says now */
void client_tell_connection(struct client *client, const char *text);
/* The authority of the service: where the app's configuration says, or else where it has always been. */
const char *client_service(const struct client *client);
/* Empty the database; the loops do not run. */
enum status client_clear(struct client *client, struct client_clearing clearing, struct error *error);
/* The app opens for client->user, and connects if that is wanted. */
void client_open(struct client *client);
/* NOTE_TEXT */
void client_tell(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
