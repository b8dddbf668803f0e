/* The two forms of an upload's body, as a list of local transactions. */
#ifndef SYNCLINE_APP_UPLOAD_PARSE_H
#define SYNCLINE_APP_UPLOAD_PARSE_H

#include <jansson.h>

#include "base/error.h"

enum { UPLOAD_OPERATIONS_MOST = 10000, UPLOAD_ID_SIZE = 24 };

struct uploaded {
    char number[UPLOAD_ID_SIZE]; /* of the local transaction */
    char first[UPLOAD_ID_SIZE];  /* op_id of its first operation; "": not told */
    json_t *operations;          /* [{"op","table","id","data"?}] */
};

struct upload_body {
    json_t *parsed;
    const char *client_id;
    struct uploaded *transactions;
    size_t count, capacity;
};

/* STATUS_INVALID: it is not what it should be. STATUS_LIMIT: too many operations. */
enum status upload_parse_endpoint(const char *text, size_t length, struct upload_body *body,
                                  struct error *error);
enum status upload_parse_sync(const char *text, size_t length, struct upload_body *body, struct error *error);
void upload_body_free(struct upload_body *body);

#endif
