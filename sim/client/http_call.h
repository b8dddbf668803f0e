/* One HTTP request whose whole answer is wanted at once. Zeroed: idle. The owner must cancel a running call
 * before its memory goes, except after its node crashed: then nothing calls back any more, and
 * http_call_forget frees what is left. */
#ifndef SYNCLINE_CLIENT_HTTP_CALL_H
#define SYNCLINE_CLIENT_HTTP_CALL_H

#include "base/buffer.h"
#include "kernel/host.h"

/* Answers above this count as failed. */
#define HTTP_CALL_LIMIT ((size_t)16 * 1024 * 1024)

struct http_answer {
    int status;          /* 0: no answer, see `failure` */
    const char *failure; /* "refused", "reset", ...; NULL when there is an answer */
    const char *body;    /* terminated; borrowed for the duration of the call */
    size_t length;
};

struct http_call {
    struct host *host;
    uint64_t exchange; /* 0: idle */
    int status;
    struct buffer body;
    void (*done)(void *context, const struct http_answer *answer); /* a new call may be started inside */
    void *context;
};

void http_call_start(struct http_call *call, struct host *host, const struct http_request *request,
                     void (*done)(void *context, const struct http_answer *answer), void *context);
void http_call_cancel(struct http_call *call); /* nothing is called; an idle call is ignored */
void http_call_forget(struct http_call *call);

const char *http_failure_text(enum http_failure failure);

#endif
