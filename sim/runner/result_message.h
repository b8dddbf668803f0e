/* The result of one seed as JSON: the line that a worker sends, and what of it goes into results.jsonl. */
#ifndef SYNCLINE_RUNNER_RESULT_MESSAGE_H
#define SYNCLINE_RUNNER_RESULT_MESSAGE_H

#include <jansson.h>

#include "scenario/stage.h"

/* What the line carries besides the figures. */
struct result_message_options {
    bool delays;
    bool trace_marks;
    bool narration;
};

/* {"passed":...,...}: a new object with everything but the plan; the caller owns it. */
json_t *result_message_make(const struct stage_result *result, const struct result_message_options *options);

/* The result of a run that ended without one: `property` is violated, `seen` says how, `explanation` may be
 * NULL. */
json_t *result_message_make_ended(const char *property, const char *seen, const char *explanation);

#endif
