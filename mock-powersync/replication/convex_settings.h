/* The settings of a connection to Convex: which of them cannot work, and where requests go. */
#ifndef MOCK_POWERSYNC_CONVEX_SETTINGS_H
#define MOCK_POWERSYNC_CONVEX_SETTINGS_H

#include "mock-powersync/replication/source.h"

/* Where requests to a deployment go. */
struct convex_address {
    char *authority; /* for host_http_send: host:port or a node's name; with "https://" before it over TLS */
    char *path;      /* what stands before "/api/..." in targets; "" usually */
};

/* `text` is an http or https URL or, for nodes of a simulation and local servers, host:port. Trailing slashes
 * do not count. STATUS_INVALID: PSYNC_S1109 (no URL, or of another protocol), PSYNC_S1106 (without a host).
 */
enum status convex_address_parse(struct convex_address *address, const char *text, struct error *error);
void convex_address_free(struct convex_address *address);

/* As source_module.settings_check; also PSYNC_S1108 (no deploy key) and PSYNC_S1109 (times not above 0). */
enum status convex_settings_check(const struct source_settings *settings, struct error *error);

#endif
