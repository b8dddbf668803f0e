/* The options of a service, checked and completed. */
#ifndef MOCK_POWERSYNC_SERVICE_OPTIONS_H
#define MOCK_POWERSYNC_SERVICE_OPTIONS_H

#include "base/memory.h"
#include "mock-powersync/replication/source.h"
#include "mock-powersync/service.h"

/* A copy in `arena` in which 0 and NULL have given way to the usual values; without the sync config. */
struct powersync_options service_options_complete(const struct powersync_options *options,
                                                  struct arena *arena);

/* The module for a type of source; NULL: there is none. */
const struct source_module *service_source_module(const char *type);
struct source_settings service_source_settings(const struct powersync_options *options);

/* STATUS_INVALID: completed options that cannot work. */
enum status service_options_check(const struct powersync_options *options, struct error *error);

#endif
