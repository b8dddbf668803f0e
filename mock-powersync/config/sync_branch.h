/* From a WHERE clause to branches. See sync_query.h. */
#ifndef MOCK_POWERSYNC_SYNC_BRANCH_H
#define MOCK_POWERSYNC_SYNC_BRANCH_H

#include "mock-powersync/config/sync_query.h"

/* Fill in the query's branches; `where` NULL: one without conditions. */
enum status sync_branches_make(struct sync_query *query, struct sync_expression *where, struct error *error);
/* True when it has IN or && somewhere, which are conditions and no values. */
bool sync_expression_has_membership(const struct sync_expression *expression);

#endif
