/* A failing seed for people: what was promised, who saw what, the two steps that matter, and how to see it
 * again. */
#ifndef SYNCLINE_RUNNER_VIOLATION_TEXT_H
#define SYNCLINE_RUNNER_VIOLATION_TEXT_H

#include <jansson.h>
#include <stdint.h>

#include "base/buffer.h"

/* `replay` is the command that replays it. `result` must have a violation. */
void violation_text_append(struct buffer *out, const char *scenario, uint64_t seed, const json_t *result,
                           const char *replay);
/* One line: "monotonic-reads: alice-1 todos 3f0c...: seen ..., expected ...". */
void violation_text_append_line(struct buffer *out, const json_t *violation);

#endif
