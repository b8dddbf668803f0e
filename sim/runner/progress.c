#include "runner/progress.h"

#include <assert.h>

#include "kernel/time.h"

#define PLAIN_LINE_EVERY (5 * TIME_SECOND)
#define WIPE_LINE "\r\033[K"

void progress_append_count(struct buffer *out, uint64_t count) {
    char digits[32];
    int n = 0;
    do {
        digits[n++] = (char)('0' + count % 10);
        count /= 10;
    } while (count > 0);
    while (n > 0) {
        buffer_append_char(out, digits[--n]);
        if (n > 0 && n % 3 == 0)
            buffer_append_char(out, ',');
    }
}

void progress_append_length(struct buffer *out, int64_t time) {
    int64_t seconds = time / TIME_SECOND;
    assert(time >= 0);
    if (seconds < 60)
        buffer_printf(out, "%lld s", (long long)seconds);
    else if (seconds < 3600)
        buffer_printf(out, "%lld min %02lld s", (long long)(seconds / 60), (long long)(seconds % 60));
    else
        buffer_printf(out, "%lld h %02lld min", (long long)(seconds / 3600),
                      (long long)(seconds % 3600 / 60));
}

void progress_append_rate(struct buffer *out, uint64_t things, int64_t time) {
    if (time < TIME_MILLISECOND)
        time = TIME_MILLISECOND;
    /* Hundredths a second; the counts of a run are far below 2^64 / 10^5. */
    uint64_t hundredths = things * 100000 / ((uint64_t)time / TIME_MILLISECOND);
    if (hundredths < 1000)
        buffer_printf(out, "%llu.%02llu", (unsigned long long)(hundredths / 100),
                      (unsigned long long)(hundredths % 100));
    else if (hundredths < 10000)
        buffer_printf(out, "%llu.%llu", (unsigned long long)(hundredths / 100),
                      (unsigned long long)(hundredths % 100 / 10));
    else
        progress_append_count(out, hundredths / 100);
}

/* Time left: by the clock where the run ends by time, else by the seeds still to do; -1: unknown. */
static int64_t time_left(const struct progress *progress, int64_t now, uint64_t done) {
    if (progress->until > 0)
        return progress->until > now ? progress->until - now : 0;
    if (progress->jobs == UINT64_MAX || done == 0)
        return -1;
    uint64_t left = progress->jobs > done ? progress->jobs - done : 0;
    return (now - progress->started) / (int64_t)done * (int64_t)left;
}

static void append_line(const struct progress *progress, int64_t now, const struct progress_state *state,
                        struct buffer *out) {
    int64_t passed = now - progress->started, left = time_left(progress, now, state->done);
    progress_append_count(out, state->done);
    if (progress->jobs != UINT64_MAX) {
        buffer_append_text(out, " of ");
        progress_append_count(out, progress->jobs);
    }
    buffer_append_text(out, " seeds, ");
    progress_append_rate(out, state->done, passed);
    buffer_append_text(out, " seeds/s, ");
    progress_append_rate(out, (uint64_t)(state->virtual_time / TIME_SECOND), passed);
    buffer_append_text(out, " simulated s/s, ");
    progress_append_count(out, state->faults_fired);
    buffer_append_text(out, " faults, ");
    progress_append_count(out, state->failed);
    buffer_append_text(out, " failed");
    if (left >= 0) {
        buffer_append_text(out, ", ");
        progress_append_length(out, left);
        buffer_append_text(out, " left");
    }
}

void progress_show(struct progress *progress, int64_t now, const struct progress_state *state,
                   struct buffer *out) {
    assert(now >= progress->started);
    if (!progress->terminal && now - progress->last_shown < PLAIN_LINE_EVERY)
        return;
    progress->last_shown = now;
    if (progress->terminal)
        buffer_append_text(out, WIPE_LINE);
    append_line(progress, now, state, out);
    if (!progress->terminal)
        buffer_append_char(out, '\n');
}

void progress_clear(const struct progress *progress, struct buffer *out) {
    if (progress->terminal)
        buffer_append_text(out, WIPE_LINE);
}
