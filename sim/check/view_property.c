#include "check/view_property.h"

#include <assert.h>

void *view_property_create(struct checker *checker) {
    assert(checker != NULL);
    return checker;
}

void view_property_destroy(void *self) {
    (void)self; /* the checker destroys itself */
}

void view_property_report(struct checker *checker, const char *property, enum view_promise promise) {
    const struct view_finding *finding = view_models_finding(checker_views(checker));
    if (finding == NULL || finding->promise != promise)
        return;
    const struct violation violation = {
        .property = property,
        .client = finding->model->client,
        .table = finding->table,
        .row = finding->row,
        .expected = memory_copy_text(finding->expected == NULL ? "no row" : finding->expected),
        .seen = memory_copy_text(finding->seen == NULL ? "no row" : finding->seen),
        .first_record = finding->first_record,
        .second_record = finding->second_record,
        .time = finding->time,
        .explanation = memory_copy_text(finding->explanation == NULL ? "" : finding->explanation),
    };
    checker_report(checker, &violation);
}
