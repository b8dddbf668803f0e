#include "runner/catalogue.h"

#include <stddef.h>

const char *const *catalogue_marks(void) {
    static const char *const names[] = {
        "client.checkpoint-blocked-by-upload",
        "client.checkpoint-requested-again",
        "client.write-checkpoint-outdated",
        "convex.occ-exhausted",
        "convex.occ-retry",
        "replicator.job-ended",
        "replicator.started-over",
        "service.checkpoint-coalesced",
        "service.checkpoint-interrupted",
        NULL,
    };
    return names;
}

const char *const *catalogue_fault_points(void) {
    static const char *const names[] = {
        "convex.after-commit",  "convex.before-commit",   "replicator.before-commit",
        "service.before-fetch", "service.before-mapping", NULL,
    };
    return names;
}
