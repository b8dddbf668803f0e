/* The versions of the app under test. */
#ifndef SYNCLINE_SCENARIO_STAGE_SCHEMA_H
#define SYNCLINE_SCENARIO_STAGE_SCHEMA_H

#include "scenario/stage_private.h"

/* Of the app in this version, by which devices are judged. */
const struct client_schema *stage_app_schema(const struct stage *stage, int64_t version);
/* What devices have of it: the same, unless a mutant has it wrong or keys are written with each row. Lives as
 * long as the stage. */
const struct client_schema *stage_client_schema(struct stage *stage, int64_t version);
bool stage_has_old_app(const struct stage *stage, const char *client); /* from the start */
void stage_list_versions(struct stage *stage, struct check_settings *settings);

#endif
