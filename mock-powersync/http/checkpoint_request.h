/* One write checkpoint request: read the source's head, remember it under the client's key, then leave a
 * marker in the source, so that replication passes the head even when nothing else happens; then answer.
 *
 * The order matters: with the marker first, replication can pass it before the mapping exists, and on an idle
 * source nobody is ever told. */
#ifndef MOCK_POWERSYNC_CHECKPOINT_REQUEST_H
#define MOCK_POWERSYNC_CHECKPOINT_REQUEST_H

#include "mock-powersync/http/http_error.h"
#include "mock-powersync/replication/source.h"
#include "mock-powersync/storage/write_checkpoint.h"

struct checkpoint_request;

struct checkpoint_request_environment {
    struct host *host;
    struct source *source; /* of the running process */
    struct write_checkpoints *write_checkpoints;
    /* The request was answered: destroy it now. */
    void (*ended)(void *context, struct checkpoint_request *request);
    void *context;
};

/* `supplied` 0: give out the next id; else store this one if it is higher. */
struct checkpoint_request *checkpoint_request_create(const struct checkpoint_request_environment *environment,
                                                     uint64_t exchange, const char *key, int64_t supplied);
/* The caller may be gone: it is not told. */
void checkpoint_request_destroy(struct checkpoint_request *request);
uint64_t checkpoint_request_exchange(const struct checkpoint_request *request);

#endif
