/* The YAML of editions 1 and 2. */
#ifndef MOCK_POWERSYNC_LEGACY_CONFIG_H
#define MOCK_POWERSYNC_LEGACY_CONFIG_H

#include "base/yaml.h"
#include "mock-powersync/config/sync_config.h"

/* Fill a new config: its rules, streams (bucket definitions are streams that every client has), patterns and
 * warnings. */
enum status legacy_config_read(struct sync_config *config, const struct yaml_document *document,
                               const char *yaml, struct error *error);

#endif
