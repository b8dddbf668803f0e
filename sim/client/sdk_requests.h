/* Checkpoint requests: the newer way to learn when own uploads have come back. The client numbers its
 * requests itself, so an id means the same to it whoever the service believes to be asking. Each stream
 * begins with a request whose answer is the seed of the counter; until then no number can be had, and an
 * upload that needs one waits: a stream that is waiting to be tried again is then tried at once. A watchdog
 * asks again for what is not applied after ten seconds. */
#ifndef SYNCLINE_CLIENT_SDK_REQUESTS_H
#define SYNCLINE_CLIENT_SDK_REQUESTS_H

#include "client/client.h"

struct sdk_requests;
struct http_answer;

struct sdk_requests *sdk_requests_create(struct client *client);
void sdk_requests_destroy(struct sdk_requests *requests);

/* A stream has its token: ask for the id that the core wants, and seed the counter with the answer. When that
 * fails, the stream's iteration fails. */
void sdk_requests_begin(struct sdk_requests *requests, const char *token, int64_t id);
void sdk_requests_end(struct sdk_requests *requests);    /* the iteration is over */
void sdk_requests_forget(struct sdk_requests *requests); /* the process has ended */
bool sdk_requests_seeded(const struct sdk_requests *requests);
bool sdk_requests_refused(const struct sdk_requests *requests); /* this stream's seed has failed */
/* An id is awaited from now on. */
void sdk_requests_watch(struct sdk_requests *requests);

/* For whoever asks by itself: POST /sync/checkpoint-request, and the id of an answer; 0: none. */
struct http_call;
void sdk_requests_post(struct client *client, struct http_call *call, const char *token, int64_t id,
                       void (*done)(void *context, const struct http_answer *answer), void *context);
/* The decimal text `data.<key>` of an answer; 0 when it is not that. */
int64_t sdk_requests_read(const struct http_answer *answer, const char *key);

#endif
