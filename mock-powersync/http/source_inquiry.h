/* What operators' routes want to know of the source: can it be reached, is it set up as it should be, which
 * tables has it. */
#ifndef MOCK_POWERSYNC_SOURCE_INQUIRY_H
#define MOCK_POWERSYNC_SOURCE_INQUIRY_H

#include <jansson.h>

#include "mock-powersync/http/route.h"
#include "mock-powersync/replication/source.h"

/* Valid while the answer is made. */
struct source_findings {
    const struct source_schema *schema; /* NULL: it cannot be reached, `failure` says why */
    const char *failure;
    const json_t *problems; /* array of texts */
};

/* Asks, without writing to the source; then `answer` is called once, later, and must end the call. */
void source_inquiry_start(struct route_call *call,
                          void (*answer)(struct route_call *call, const struct source_findings *findings));

#endif
