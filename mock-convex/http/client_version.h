/* Which client asks, and how old it is: the Convex-Client header, "<name>-<semver>". */
#ifndef MOCK_CONVEX_CLIENT_VERSION_H
#define MOCK_CONVEX_CLIENT_VERSION_H

#include <stdbool.h>

#include "base/error.h"

struct convex_client_version {
    char name[64];
    unsigned major, minor, patch;
    bool pre_release; /* "1.4.1-alpha.0"; convex_client_version_is_below does not look at it */
};

/* STATUS_INVALID: there is no dash, or no version behind one. */
enum status convex_client_version_parse(const char *text, struct convex_client_version *version);
bool convex_client_version_is_below(const struct convex_client_version *version, unsigned major,
                                    unsigned minor, unsigned patch);
/* npm, the command line and actions up to 0.19.1 are served no more. */
bool convex_client_version_is_supported(const struct convex_client_version *version);

#endif
