/* Convex as a source: polls the streaming export API of a deployment. Positions are its timestamps, ns since
 * the Unix epoch. */
#ifndef MOCK_POWERSYNC_CONVEX_MODULE_H
#define MOCK_POWERSYNC_CONVEX_MODULE_H

#include "mock-powersync/replication/source.h"

extern const struct source_module convex_module;

#endif
