#include "mock-convex/http/request.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"

void convex_request_open(struct convex_request *request, const struct http_request *http) {
    const char *query = strchr(http->target, '?');
    request->http = http;
    request->path = query != NULL ? memory_copy_bytes(http->target, (size_t)(query - http->target))
                                  : memory_copy_text(http->target);
    convex_query_parse(&request->query, query != NULL ? query + 1 : NULL);
}

void convex_request_close(struct convex_request *request) {
    convex_query_free(&request->query);
    free(request->path);
    request->path = NULL;
}

const char *convex_request_header(const struct convex_request *request, const char *name) {
    for (size_t i = 0; i < request->http->n_headers; i++) {
        if (strcasecmp(request->http->headers[i].name, name) == 0) {
            return request->http->headers[i].value;
        }
    }
    return NULL;
}

/* application/json, or anything with the suffix +json; parameters do not matter. */
static bool is_json_type(const char *type) {
    size_t length = type != NULL ? strcspn(type, "; \t") : 0;
    const char *slash = length > 0 ? memchr(type, '/', length) : NULL;
    if (slash == NULL || slash == type) {
        return false;
    }
    return (length == 16 && strncasecmp(type, "application/json", 16) == 0) ||
           (type + length - slash > 6 && strncasecmp(type + length - 5, "+json", 5) == 0);
}

bool convex_request_json(const struct convex_request *request, json_t **json, struct convex_reply *reply) {
    struct error error = {0};
    assert(json != NULL);
    if (!is_json_type(convex_request_header(request, "content-type"))) {
        return convex_reply_error(reply, 400, "BadJsonBody",
                                  "The request needs the content type application/json.");
    }
    if (request->http->body_length > CONVEX_BODY_MAX) {
        return convex_reply_error(reply, 400, "BadJsonBody", "The request body is too large.");
    }
    const char *body = request->http->body != NULL ? request->http->body : "";
    *json = json_parse(body, request->http->body_length, &error);
    if (*json == NULL) {
        return convex_reply_error(reply, 400, "BadJsonBody", "The request body is not JSON: %s",
                                  error.message);
    }
    if (!json_is_object(*json)) {
        json_decref(*json);
        *json = NULL;
        return convex_reply_error(reply, 400, "BadJsonBody", "The request body must be a JSON object.");
    }
    return true;
}
