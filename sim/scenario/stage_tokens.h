/* The tokens of a world's devices: whom they are for, how the service knows the keys, and which of them
 * nobody may take. */
#ifndef SYNCLINE_SCENARIO_STAGE_TOKENS_H
#define SYNCLINE_SCENARIO_STAGE_TOKENS_H

#include "mock-powersync/service.h"

struct stage;

void stage_tokens_open(struct stage *stage); /* before the service */
struct powersync_auth_options stage_tokens_rules(const struct stage *stage);
/* Why this process of the service must not take the token now; NULL: it may. `context` is the stage.
 * Signatures are looked at where the secret makes them. */
const char *stage_tokens_refuse(void *context, const char *service, const char *token);

#endif
