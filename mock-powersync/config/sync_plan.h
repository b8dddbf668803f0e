/* Putting a plan together: what is equal to something that is there already is not added again. */
#ifndef MOCK_POWERSYNC_SYNC_PLAN_H
#define MOCK_POWERSYNC_SYNC_PLAN_H

#include "mock-powersync/config/plan.h"

/* Each returns the index of what was added or found. */
size_t sync_plan_add_evaluator(struct sync_plan *plan, const struct plan_evaluator *evaluator);
size_t sync_plan_add_index(struct sync_plan *plan, const struct plan_index *index);
/* Families that are filled by the same evaluators are one, with the name of the first. `name` must live as
 * long as the plan. */
size_t sync_plan_add_bucket(struct sync_plan *plan, const char *name, const size_t *evaluators,
                            size_t n_evaluators);

/* Equal for queriers that find the same; the caller frees it. */
char *sync_plan_querier_key(const struct plan_querier *querier);

void sync_plan_free(struct sync_plan *plan);

#endif
