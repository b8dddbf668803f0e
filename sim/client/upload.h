/* Upload paths: how transactions of the upload queue become requests to the app's backend, and what an answer
 * means. One file a path; all are listed in upload_paths.c. The connector (connector.h) sends them. */
#ifndef SYNCLINE_CLIENT_UPLOAD_H
#define SYNCLINE_CLIENT_UPLOAD_H

#include <jansson.h>

#include "base/buffer.h"
#include "kernel/host.h"

/* Entries of one local transaction that go together: all of them, unless something cuts it. */
struct upload_transaction {
    int64_t transaction;   /* tx_id */
    int64_t first;         /* queue id of the first entry; the others follow without a gap */
    const json_t *entries; /* array of ps_crud entries: {"op","id","type","data"} in queue order */
};

struct upload_request {
    const char *client_id; /* the core's client id */
    const char
        *checkpoint_for; /* the user, where the answer shall have a custom write checkpoint; else NULL */
    const struct upload_transaction *transactions; /* one, unless the path takes many */
    size_t count;
};

enum upload_verdict {
    UPLOAD_ACCEPTED, /* complete the transaction */
    UPLOAD_REJECTED, /* refused for good: tell the app and complete, or the queue never moves */
    UPLOAD_RETRY     /* leave it in the queue and try again later */
};

struct upload_path {
    const char *name;
    const char *summary; /* one line for people */
    const char *method;
    bool to_server;   /* asks the app's own server; else the deployment */
    bool shows_token; /* as the user whose token it shows; else as nobody */
    bool by_row;      /* a request for each entry of a transaction */
    bool many;        /* several transactions in one request */
    /* The custom write checkpoint of an answer with status 200; 0: it has none. NULL: the path knows none. */
    int64_t (*checkpoint)(const char *body, size_t length);
    /* Fill `target` and `body` (JSON; content-type application/json). */
    void (*request)(const struct upload_request *request, struct buffer *target, struct buffer *body);
    /* What an answer says of one of the transactions sent. `body` is the whole answer. `reason` gets a short
     * text for the history: why not accepted, or what of an accepted one is lost all the same. */
    enum upload_verdict (*answer)(int status, const char *body, size_t length,
                                  const struct upload_transaction *transaction, struct buffer *reason);
};

/* One Convex mutation for one local transaction: POST /api/mutation {"path":"sync:applyTransaction","args":
 * {"clientId","transactionId","operations":[{"op","table","id","data"}]},"format":"json"}. */
extern const struct upload_path upload_convex_mutation;
/* The same by a user who is signed in at the deployment with the token that he has for PowerSync. */
extern const struct upload_path upload_signed_in_mutation;
/* One Convex mutation for each row, one after the other: the same with "opId", the row's number in the queue.
 * Others can see the transaction in halves, and a refusal in the middle leaves its first rows. */
extern const struct upload_path upload_row_mutations;
/* PUT /api/powersync/upload {"client_id","transactions":[{"op_id","ops":[{"op","table","id","data"}]}]},
 * answered 200 {"results":[{"op_id","error"?}]}. */
extern const struct upload_path upload_endpoint;
/* POST /api/sync {"client_id","batch":[{"op_id","tx_id","op","type","id","data"}]} with as many transactions
 * as fit into a batch, answered 200 {"rejected":[{"tx_id","error"}]}. */
extern const struct upload_path upload_sync;

const struct upload_path *const *upload_paths(void); /* NULL-terminated */

/* For paths: the entries as [{"op",<table_key>,"id","data"}], "data" left out where there is none; with
 * `numbers` each begins with "op_id" and "tx_id". */
void upload_append_operations(struct buffer *body, const struct upload_transaction *transaction,
                              const char *table_key, bool numbers);
/* Requests that were not even tried, or may succeed later: timeout, too many requests, and 401 until the app
 * has signed in again. Every other 4xx would fail for ever. */
enum upload_verdict upload_judge_status(int status, struct buffer *reason);

#endif
