#include "client/core_versions.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#ifndef SYNCLINE_CORE_PACKAGES
#define SYNCLINE_CORE_PACKAGES ""
#define SYNCLINE_CORE_PROCESSOR ""
#endif

const struct core_version *core_versions(void) {
    static const struct core_version versions[] = {{"core@0.4.6", "0.4.6", "powersync-core-0.4.6"},
                                                   {"core@0.4.10", "0.4.10", "powersync-core-0.4.10"},
                                                   {"core@0.4.11", "0.4.11", "powersync-core-0.4.11"},
                                                   {"core@0.4.12", "0.4.12", "powersync-core-0.4.12"},
                                                   {"core@0.5.2", "0.5.2", "powersync-core-0.5.2"},
                                                   {"core@0.5.3", "0.5.3", "@powersync/node"},
                                                   {NULL, NULL, NULL}};
    return versions;
}

const struct core_version *core_version_find(const char *engine) {
    for (const struct core_version *version = core_versions(); version->engine != NULL; version++)
        if (strcmp(version->engine, engine) == 0)
            return version;
    return NULL;
}

/* Packages of the oldest releases have one file a processor, without a system in its name. */
enum status core_version_open(const struct core_version *version, struct core_library **library,
                              struct error *error) {
    static const char *const endings[] = {".linux.so", ".so"};
    enum status status = STATUS_MISSING;
    struct error problem = {0};

    for (size_t i = 0; i < sizeof endings / sizeof *endings && status != STATUS_OK; i++) {
        char *path = memory_format("%s/%s/lib/libpowersync_%s%s", SYNCLINE_CORE_PACKAGES, version->package,
                                   SYNCLINE_CORE_PROCESSOR, endings[i]);

        status = core_library_open(path, library, &problem);
        free(path);
    }
    if (status == STATUS_OK)
        return STATUS_OK;
    return error_set(
        error, STATUS_MISSING,
        "client core %s does not load: run `npm ci --ignore-scripts` in deps/ (npm package %s): %s",
        version->version, version->package, problem.message);
}
