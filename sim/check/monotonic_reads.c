/* monotonic-reads: broken when a view is exactly that of a commit, but of an older one than the client has
 * shown. Equal views of several commits do not count against it: the earliest that is allowed is taken. */
#include "check/properties.h"
#include "check/view_property.h"

static void record(void *self, const struct history_record *history_record) {
    if (history_record->note.kind == NOTE_VIEW)
        view_property_report(self, property_monotonic_reads.name, VIEW_MONOTONIC);
}

const struct property property_monotonic_reads = {
    .name = "monotonic-reads",
    .promise = "the commit timestamp that a client shows never goes back",
    .create = view_property_create,
    .record = record,
    .destroy = view_property_destroy,
};
