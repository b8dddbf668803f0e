/* The table and the mutation that PowerSync asks every deployment to have: powersync_checkpoints and
 * powersync_checkpoints:createCheckpoint, as in its setup guide. */
#ifndef MOCK_CONVEX_CHECKPOINT_FUNCTION_H
#define MOCK_CONVEX_CHECKPOINT_FUNCTION_H

#include "mock-convex/function.h"

extern const struct convex_table convex_checkpoint_table;
extern const struct convex_function convex_checkpoint_function;

#endif
