/* When a rule strikes. */
#include <stdlib.h>

#include "base/memory.h"
#include "fault/fault_host_private.h"

static bool is_due(struct fault_host *host, const struct fault_rule *rule, uint64_t nth) {
    switch (rule->when) {
    case FAULT_ALWAYS:
        return true;
    case FAULT_EVERY:
        return nth % (uint64_t)rule->every == 0;
    case FAULT_NTH:
        return nth >= (uint64_t)rule->nth.low && nth <= (uint64_t)rule->nth.high;
    case FAULT_RATE:
        return (int64_t)(host_random(host->inner, rule->choice) % 1000000) < rule->rate;
    }
    return false;
}

/* So that a narration shows why somebody got no answer. */
static void tell(struct fault_host *host, const struct fault_rule *rule) {
    char *text = memory_format("fault: %s", rule->name);
    host_note(host->inner, &(struct note){.kind = NOTE_TEXT, .text = text});
    free(text);
}

bool fault_trigger(struct fault_host *host, size_t index) {
    const struct fault_rule *rule = &host->settings.rules.rules[index];
    struct fault_count *count = &host->counts[index];
    int64_t now = host_now(host->inner);
    if (host->stopped || now < rule->during.low || now >= rule->during.high)
        return false;
    count->matched++;
    if (count->struck >= (uint64_t)rule->times || !is_due(host, rule, count->matched))
        return false;
    count->struck++;
    tell(host, rule);
    return true;
}
