/* Releases of the client core that can be installed side by side, each from the newest npm package that
 * carries it. The package lock pins them by hash. `core@0.4.6` names one of them as an engine; `core` alone
 * is the newest. */
#ifndef SYNCLINE_CLIENT_CORE_VERSIONS_H
#define SYNCLINE_CLIENT_CORE_VERSIONS_H

#include "client/core_library.h"

struct core_version {
    const char *engine;  /* "core@0.4.6" */
    const char *version; /* "0.4.6" */
    const char *package; /* folder in node_modules */
};

/* Oldest first; ends with a zeroed item. */
const struct core_version *core_versions(void);
/* NULL: `engine` names none. */
const struct core_version *core_version_find(const char *engine);
/* As core_library_open. STATUS_MISSING with what to install. */
enum status core_version_open(const struct core_version *version, struct core_library **library,
                              struct error *error);

#endif
