#include "client/sdk_headers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

void sdk_headers_fill(struct sdk_headers *headers, const char *token, const char *accept) {
    assert(token != NULL && *token != 0);
    headers->authorization = memory_format("Token %s", token);
    headers->list[0] = (struct http_header){"content-type", "application/json"};
    headers->list[1] = (struct http_header){"authorization", headers->authorization};
    headers->list[2] = (struct http_header){"x-user-agent", "powersync-js/1.3.0 powersync-node"};
    headers->list[3] = (struct http_header){"accept", accept};
    headers->count = 4;
}

void sdk_headers_free(struct sdk_headers *headers) {
    free(headers->authorization);
    headers->authorization = NULL;
}
