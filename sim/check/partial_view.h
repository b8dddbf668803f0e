/* Which commit a partial checkpoint shows. The client core puts rows when a priority is complete, but takes
 * none away before the whole checkpoint: so every row that the commit gives up to this priority must be
 * there, and what else is there must have been there before, untouched. */
#ifndef SYNCLINE_CHECK_PARTIAL_VIEW_H
#define SYNCLINE_CHECK_PARTIAL_VIEW_H

#include "check/view_model.h"

/* The earliest commit >= `not_before` that explains the view after `record` ("partial"); false: none does. */
bool partial_view_find(const struct oracle *oracle, const struct view_model *model,
                       const struct history_record *record, size_t not_before, size_t *commit);

#endif
