/* What the four properties of views share: each reports the findings of the view models that have its name.
 */
#ifndef SYNCLINE_CHECK_VIEW_PROPERTY_H
#define SYNCLINE_CHECK_VIEW_PROPERTY_H

#include "check/view_model.h"

void *
view_property_create(struct checker *checker); /* the checker itself: findings are kept by the view models */
void view_property_destroy(void *self);
/* Report what the record broke, if it is this promise. */
void view_property_report(struct checker *checker, const char *property, enum view_promise promise);

#endif
