/* Headers that the JS SDK sends to the service. */
#ifndef SYNCLINE_CLIENT_SDK_HEADERS_H
#define SYNCLINE_CLIENT_SDK_HEADERS_H

#include "kernel/host.h"

/* POST /sync/stream: BSON is preferred, lines of JSON are taken too. Other calls accept anything. */
#define SDK_ACCEPT_STREAM "application/vnd.powersync.bson-stream;q=0.9,application/x-ndjson;q=0.8"
#define SDK_ACCEPT_ANY "*/*"

struct sdk_headers {
    struct http_header list[4];
    size_t count;
    char *authorization;
};

void sdk_headers_fill(struct sdk_headers *headers, const char *token, const char *accept);
void sdk_headers_free(struct sdk_headers *headers);

#endif
