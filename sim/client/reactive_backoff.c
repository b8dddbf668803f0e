#include <string.h>

#include "client/reactive_client.h"

#define SECONDS(n) ((n)*TIME_SECOND)

/* Close reasons that tell how soon to come back; a reason counts when it begins with the name. */
static const struct {
    const char *name;
    int64_t delay; /* ns */
} reasons[] = {{"InternalServerError", SECONDS(1)},         {"SubscriptionsWorkerFullError", SECONDS(3)},
               {"TooManyConcurrentRequests", SECONDS(3)},   {"CommitterFullError", SECONDS(3)},
               {"AwsTooManyRequestsException", SECONDS(3)}, {"ExecuteFullError", SECONDS(3)},
               {"SystemTimeoutError", SECONDS(3)},          {"ExpiredInQueue", SECONDS(3)},
               {"VectorIndexesUnavailable", SECONDS(1)},    {"SearchIndexesUnavailable", SECONDS(1)},
               {"TableSummariesUnavailable", SECONDS(1)},   {"VectorIndexTooLarge", SECONDS(3)},
               {"SearchIndexTooLarge", SECONDS(3)},         {"TooManyWritesInTimePeriod", SECONDS(3)}};

static const int64_t longest = SECONDS(16);

int64_t reactive_backoff(bool own, const char *reason, unsigned retries) {
    int64_t delay = own ? 100 * TIME_MILLISECOND : SECONDS(1);
    for (size_t i = 0; !own && i < sizeof reasons / sizeof reasons[0]; i++) {
        if (strncmp(reason, reasons[i].name, strlen(reasons[i].name)) == 0) {
            delay = reasons[i].delay;
            break;
        }
    }
    for (unsigned i = 0; i < retries && delay < longest; i++) {
        delay *= 2;
    }
    return delay < longest ? delay : longest;
}
