/* Log rows of the system that nobody is ever shown, as those of scheduled jobs and crons are: a page of
 * document_deltas can be empty because of them and still have more. */
#ifndef MOCK_CONVEX_NOISE_H
#define MOCK_CONVEX_NOISE_H

#include "mock-convex/state.h"

/* As many commits of one row as the switch `system_noise` says. */
void convex_noise_make(struct convex_deployment *deployment);

#endif
