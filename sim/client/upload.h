/* Upload paths: how one transaction of the upload queue becomes a request to the app's backend, and what its
 * answer means. One file a path; all are listed in upload_paths. */
#ifndef SYNCLINE_CLIENT_UPLOAD_H
#define SYNCLINE_CLIENT_UPLOAD_H

#include <jansson.h>

#include "base/buffer.h"
#include "kernel/host.h"

struct upload_transaction {
    const char *client_id; /* the core's client id */
    const char *user;
    const char *token;     /* the JWT */
    int64_t transaction;   /* tx_id */
    const json_t *entries; /* array of ps_crud entries: {"op","id","type","data"} in queue order */
};

enum upload_verdict {
    UPLOAD_ACCEPTED, /* complete the transaction */
    UPLOAD_REJECTED, /* refused for good: tell the app and complete, or the queue never moves */
    UPLOAD_RETRY     /* leave it in the queue and try again later */
};

struct upload_path {
    const char *name;
    /* Fill `target` and `body` (JSON). Method is POST, content-type application/json. */
    void (*request)(const struct upload_transaction *transaction, struct buffer *target, struct buffer *body);
    /* `body` is the whole answer. `reason` gets a short text for the history when not accepted. */
    enum upload_verdict (*answer)(int status, const char *body, size_t length, struct buffer *reason);
};

/* One Convex mutation for one local transaction: POST /api/mutation {"path":"sync:applyTransaction","args":
 * {"clientId","transactionId","operations":[{"op","table","id","data"}]},"format":"json"}. */
extern const struct upload_path upload_convex_mutation;

#endif
