/* Figures by gnuplot, run as a child process. A figure is a nicety: when gnuplot or the script is missing, or
 * fails, the run goes on and says so. */
#ifndef SYNCLINE_RUNNER_PLOT_H
#define SYNCLINE_RUNNER_PLOT_H

#include <stdbool.h>
#include <stdio.h>

/* Runs `script` (NULL: missing) on `data`, with the gnuplot variables data, output and format ("png", "svg"),
 * and makes FOLDER/NAME.png and FOLDER/NAME.svg. Says on `out` what was made or why not. True: both were
 * made. */
bool plot_make(const char *script, const char *data, const char *folder, const char *name, FILE *out);

#endif
