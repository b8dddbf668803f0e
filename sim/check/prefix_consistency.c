/* prefix-consistency: the general promise of a published checkpoint; broken when no commit explains what a
 * client shows and no more specific property does. Also when a row changes between checkpoints that nobody
 * wrote. */
#include "check/properties.h"
#include "check/view_property.h"

static void record(void *self, const struct history_record *history_record) {
    if (history_record->note.kind == NOTE_VIEW)
        view_property_report(self, property_prefix_consistency.name, VIEW_PREFIX);
}

const struct property property_prefix_consistency = {
    .name = "prefix-consistency",
    .promise = "a client's synced rows equal its streams at one commit timestamp",
    .create = view_property_create,
    .record = record,
    .destroy = view_property_destroy,
};
