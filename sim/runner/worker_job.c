#include "runner/worker_job.h"

#include <assert.h>

void worker_job_append(struct buffer *line, const struct worker_job *job) {
    assert(job->number != 0 && job->scenario != NULL);
    buffer_printf(line, "{\"job\":%llu,\"scenario\":", (unsigned long long)job->number);
    buffer_append_json_text(line, job->scenario);
    buffer_printf(line, ",\"seed\":%llu", (unsigned long long)job->seed);
    if (job->plan_only)
        buffer_append_text(line, ",\"want\":\"plan\"");
    if (job->narrate)
        buffer_append_text(line, ",\"narrate\":true");
    if (job->delays)
        buffer_append_text(line, ",\"delays\":true");
    if (job->trace_marks)
        buffer_append_text(line, ",\"trace_marks\":true");
    if (job->measure)
        buffer_append_text(line, ",\"measure\":true");
    if (job->unchecked)
        buffer_append_text(line, ",\"unchecked\":true");
    if (job->databases != NULL) {
        buffer_append_text(line, ",\"databases\":");
        buffer_append_json_text(line, job->databases);
    }
    if (job->polling_interval > 0)
        buffer_printf(line, ",\"polling_interval_ns\":%lld", (long long)job->polling_interval);
    if (job->flip_delay > 0)
        buffer_printf(line, ",\"flip_delay\":%llu", (unsigned long long)job->flip_delay);
    buffer_append_text(line, "}\n");
}
