#include "mock-convex/client_format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The dash before the version: the first with a digit behind it. NULL: there is none. */
static const char *version_dash(const char *client) {
    const char *dash = strchr(client, '-');
    while (dash != NULL && (dash[1] < '0' || dash[1] > '9')) {
        dash = strchr(dash + 1, '-');
    }
    return dash;
}

/* Is "major.minor.patch[-pre]" below this version? A pre-release is below its release. */
static bool is_below(const char *version, const unsigned long limit[3]) {
    char *end = (char *)(uintptr_t)version;
    for (size_t i = 0; i < 3; i++) {
        unsigned long part = strtoul(end, &end, 10);
        if (part != limit[i]) {
            return part < limit[i];
        }
        end += *end == '.';
    }
    return *end == '-';
}

enum convex_format convex_client_format(const char *client) {
    static const struct {
        const char *name;
        unsigned long clean_since[3];
    } kinds[] = {{"npm", {1, 4, 1}},     {"cli", {1, 4, 1}},    {"npm-cli", {1, 4, 1}},
                 {"actions", {1, 4, 1}}, {"python", {0, 5, 0}}, {"python-convex", {0, 5, 0}}};
    const char *dash = client != NULL ? version_dash(client) : NULL;
    for (size_t i = 0; dash != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        size_t length = strlen(kinds[i].name);
        if ((size_t)(dash - client) == length && memcmp(client, kinds[i].name, length) == 0) {
            return is_below(dash + 1, kinds[i].clean_since) ? CONVEX_FORMAT_ENCODED : CONVEX_FORMAT_JSON;
        }
    }
    return CONVEX_FORMAT_JSON;
}
