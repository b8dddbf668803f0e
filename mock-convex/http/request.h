/* One HTTP request with its target taken apart. Everything but the query is borrowed from the host. */
#ifndef MOCK_CONVEX_REQUEST_H
#define MOCK_CONVEX_REQUEST_H

#include <jansson.h>

#include "kernel/host.h"
#include "mock-convex/http/query_string.h"
#include "mock-convex/http/reply.h"

#define CONVEX_BODY_MAX ((size_t)(16 << 20) + 2000) /* bytes of a public API request */

struct convex_request {
    const struct http_request *http;
    char *path; /* without the query */
    struct convex_query query;
};

void convex_request_open(struct convex_request *request, const struct http_request *http);
void convex_request_close(struct convex_request *request);
const char *convex_request_header(const struct convex_request *request, const char *name); /* NULL: absent */
/* The body as a JSON object that the caller owns. False: 400 BadJsonBody (also for a wrong content type). */
bool convex_request_json(const struct convex_request *request, json_t **json, struct convex_reply *reply);

#endif
