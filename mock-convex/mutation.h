/* Mutations over HTTP, in virtual time: the function runs at once on the newest snapshot; after the time that
 * a commit takes its reads are validated and its writes published, or it is run again, at most 5 times in
 * all. A caller that has gone changes nothing about that: the mutation still commits. */
#ifndef MOCK_CONVEX_MUTATION_H
#define MOCK_CONVEX_MUTATION_H

#include "mock-convex/function_api.h"
#include "mock-convex/state.h"

#define CONVEX_MUTATION_ATTEMPTS 5

/* Run a checked call of a mutation (taken). It will answer the exchange. */
void convex_mutation_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_call *call);
/* The peer of this exchange has gone. True: it was a mutation's. */
bool convex_mutation_closed(struct convex_deployment *deployment, uint64_t exchange);
/* Drop all running mutations. They do not commit. */
void convex_mutation_drop_all(struct convex_deployment *deployment);

#endif
