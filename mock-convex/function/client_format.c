#include "mock-convex/function/client_format.h"

#include <string.h>

#include "mock-convex/http/client_version.h"

/* A pre-release is older than its release. */
static bool is_older(const struct convex_client_version *version, const unsigned limit[3]) {
    bool same = version->major == limit[0] && version->minor == limit[1] && version->patch == limit[2];
    return same ? version->pre_release
                : convex_client_version_is_below(version, limit[0], limit[1], limit[2]);
}

enum convex_format convex_client_format(const char *client) {
    static const struct {
        const char *name;
        unsigned clean_since[3];
    } kinds[] = {{"npm", {1, 4, 1}},     {"cli", {1, 4, 1}},    {"npm-cli", {1, 4, 1}},
                 {"actions", {1, 4, 1}}, {"python", {0, 5, 0}}, {"python-convex", {0, 5, 0}}};
    struct convex_client_version version;
    if (client == NULL || convex_client_version_parse(client, &version) != STATUS_OK) {
        return CONVEX_FORMAT_JSON;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].name, version.name) == 0) {
            return is_older(&version, kinds[i].clean_since) ? CONVEX_FORMAT_ENCODED : CONVEX_FORMAT_JSON;
        }
    }
    return CONVEX_FORMAT_JSON;
}
