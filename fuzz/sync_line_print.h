/* A parsed sync line as text again, as the service would write it: keys in its order, sums signed. For the
 * fuzz target, which checks that printing and parsing lose nothing. */
#ifndef SYNCLINE_FUZZ_SYNC_LINE_PRINT_H
#define SYNCLINE_FUZZ_SYNC_LINE_PRINT_H

#include "check/sync_line.h"

/* Append the line without a newline. Lines of unknown kinds have lost their content: they print as
 * {"key":null}. */
void sync_line_print(struct buffer *out, const struct sync_line *line);

#endif
