/* read-your-writes: an own write shows at once, no checkpoint is published over it while it is queued, and
 * once the backend has accepted it no checkpoint from before its commit is published. A refused write
 * disappears: that is fine. */
#include "check/properties.h"
#include "check/view_property.h"

static void record(void *self, const struct history_record *history_record) {
    if (history_record->note.kind == NOTE_VIEW)
        view_property_report(self, property_read_your_writes.name, VIEW_OWN_WRITES);
}

const struct property property_read_your_writes = {
    .name = "read-your-writes",
    .promise =
        "a local write stays visible from the moment it is made until the backend's result replaces it",
    .create = view_property_create,
    .record = record,
    .destroy = view_property_destroy,
};
