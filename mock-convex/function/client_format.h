/* The value format that a client gets when it asks for none. Very old ones get encoded values. */
#ifndef MOCK_CONVEX_CLIENT_FORMAT_H
#define MOCK_CONVEX_CLIENT_FORMAT_H

#include "mock-convex/value.h"

/* `client` is the header Convex-Client, "npm-1.4.0"; NULL or not readable: a client of today. */
enum convex_format convex_client_format(const char *client);

#endif
