/* atomic-visibility: broken when all that separates a view from a commit is a part of one commit's rows: some
 * of them are shown as after it and some as before. (A service that ends a checkpoint in the middle of a
 * transaction does that.) */
#include "check/properties.h"
#include "check/view_property.h"

static void record(void *self, const struct history_record *history_record) {
    if (history_record->note.kind == NOTE_VIEW)
        view_property_report(self, property_atomic_visibility.name, VIEW_ATOMIC);
}

const struct property property_atomic_visibility = {
    .name = "atomic-visibility",
    .promise = "all writes of one mutation become visible together, or none",
    .create = view_property_create,
    .record = record,
    .destroy = view_property_destroy,
};
