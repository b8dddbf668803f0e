/* Mutations over HTTP, in virtual time: the function runs at once on the newest snapshot; after the time that
 * a commit takes its reads are validated and its writes published, or it is run again, at most 5 times in
 * all. A caller that has gone changes nothing about that: the mutation still commits. */
#ifndef MOCK_CONVEX_MUTATION_H
#define MOCK_CONVEX_MUTATION_H

#include "mock-convex/state.h"

#define CONVEX_MUTATION_ATTEMPTS 5

/* POST /api/mutation. True: a mutation runs and will answer the exchange. False: the reply is decided. */
bool convex_mutation_start(struct convex_deployment *deployment, uint64_t exchange,
                           const struct convex_request *request, struct convex_reply *reply);
/* The peer of this exchange has gone. True: it was a mutation's. */
bool convex_mutation_closed(struct convex_deployment *deployment, uint64_t exchange);
/* Drop all running mutations. They do not commit. */
void convex_mutation_drop_all(struct convex_deployment *deployment);

#endif
