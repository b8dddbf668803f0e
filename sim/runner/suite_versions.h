/* One suite on every release of the client core that can be installed, oldest first, and a table of what came
 * out: in which release a bug came or went. */
#ifndef SYNCLINE_RUNNER_SUITE_VERSIONS_H
#define SYNCLINE_RUNNER_SUITE_VERSIONS_H

#include "runner/suite.h"

/* As suite_run once for each release, with report folders `settings->folder`/core@VERSION; `settings->out`
 * gets the table only. Returns the exit status of the newest release, or the first that is no verdict. */
int suite_versions_run(const struct suite_settings *settings, struct error *error);

#endif
