#include "mock-convex/http/client_version.h"

#include <ctype.h>
#include <string.h>

/* "12" -> 12; NULL: no number of at most 6 digits. */
static const char *read_number(const char *text, unsigned *number) {
    size_t digits = strspn(text, "0123456789");
    *number = 0;
    if (digits == 0 || digits > 6) {
        return NULL;
    }
    for (size_t i = 0; i < digits; i++) {
        *number = *number * 10 + (unsigned)(text[i] - '0');
    }
    return text + digits;
}

static bool read_version(const char *text, struct convex_client_version *version) {
    text = read_number(text, &version->major);
    text = text != NULL && *text == '.' ? read_number(text + 1, &version->minor) : NULL;
    text = text != NULL && *text == '.' ? read_number(text + 1, &version->patch) : NULL;
    version->pre_release = text != NULL && *text == '-';
    return text != NULL && (*text == 0 || *text == '-' || *text == '+');
}

enum status convex_client_version_parse(const char *text, struct convex_client_version *version) {
    const char *dash = strchr(text, '-');
    while (dash != NULL && !isdigit((unsigned char)dash[1])) { /* a name may have dashes, too: npm-cli */
        dash = strchr(dash + 1, '-');
    }
    if (dash == NULL || dash == text || (size_t)(dash - text) >= sizeof version->name ||
        !read_version(dash + 1, version)) {
        return STATUS_INVALID;
    }
    memcpy(version->name, text, (size_t)(dash - text));
    version->name[dash - text] = 0;
    return STATUS_OK;
}

bool convex_client_version_is_below(const struct convex_client_version *version, unsigned major,
                                    unsigned minor, unsigned patch) {
    return version->major != major   ? version->major < major
           : version->minor != minor ? version->minor < minor
                                     : version->patch < patch;
}

bool convex_client_version_is_supported(const struct convex_client_version *version) {
    static const char *const bounded[] = {"npm", "npm-cli", "actions"};
    for (size_t i = 0; i < sizeof bounded / sizeof bounded[0]; i++) {
        if (strcmp(version->name, bounded[i]) == 0) {
            return !convex_client_version_is_below(version, 0, 19, 2);
        }
    }
    return true;
}
