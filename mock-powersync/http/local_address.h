/* Which addresses lead to this machine, a private network or nowhere. */
#ifndef MOCK_POWERSYNC_LOCAL_ADDRESS_H
#define MOCK_POWERSYNC_LOCAL_ADDRESS_H

#include <stdbool.h>

/* `authority`: host or host:port. True for "localhost" and for literal IPv4 and IPv6 addresses that are not
 * ordinary public ones. Other names are not resolved. */
bool local_address_is(const char *authority);

#endif
