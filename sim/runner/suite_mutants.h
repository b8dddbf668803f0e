/* The kill matrix: every scenario that switches a mutant on is run over seeds, and a table says which
 * property found it and after how many seeds. A mutant that no scenario finds is a hole in the suite. */
#ifndef SYNCLINE_RUNNER_SUITE_MUTANTS_H
#define SYNCLINE_RUNNER_SUITE_MUTANTS_H

#include "runner/suite.h"

/* `settings->paths` are the folders to look through. `names`: only these mutants; none given: all.
 * `settings->out` gets the table only. Returns EXIT_VIOLATED when a mutant was not found, or has no scenario.
 * On EXIT_WRONG_USE and EXIT_INTERNAL `error` says why. */
int suite_mutants_run(const struct suite_settings *settings, const char *const *names, size_t n_names,
                      struct error *error);

#endif
