/* From a violation back to the plan: which steps led to the records that it names. */
#ifndef SYNCLINE_SCENARIO_BLAME_H
#define SYNCLINE_SCENARIO_BLAME_H

#include "check/check.h"
#include "scenario/plan.h"

/* One line for each of the violation's records: the step that caused it, or the record itself when no step
 * did. The same step is not said twice. */
void blame_steps(const struct plan *plan, const struct history *history, const struct violation *violation,
                 struct buffer *out);

#endif
