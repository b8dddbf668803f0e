/* What a run shows while it works: on a terminal one live line, otherwise a plain line every few seconds.
 * Pure text: the caller writes it. */
#ifndef SYNCLINE_RUNNER_PROGRESS_H
#define SYNCLINE_RUNNER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

struct progress {
    bool terminal;
    int64_t started;    /* wall, ns */
    int64_t last_shown; /* wall, ns */
    uint64_t jobs;      /* in all; UINT64_MAX: no known end */
    int64_t until;      /* wall, ns, where the run ends by time; 0: it does not */
};

struct progress_state {
    uint64_t done;
    uint64_t failed;
    uint64_t faults_fired;
    int64_t virtual_time; /* ns, finished seeds and those that run now */
};

/* Appends what to write now; nothing when it is too early. `now` is wall time in ns on the clock of
 * `started`. */
void progress_show(struct progress *progress, int64_t now, const struct progress_state *state,
                   struct buffer *out);
/* Appends what makes room for other output: on a terminal the live line is wiped. */
void progress_clear(const struct progress *progress, struct buffer *out);

/* "1,234,567" */
void progress_append_count(struct buffer *out, uint64_t count);
/* "4 s", "2 min 05 s", "3 h 07 min" */
void progress_append_length(struct buffer *out, int64_t time);
/* How many `things` a second, three digits worth: "0.42", "17.3", "1,240". */
void progress_append_rate(struct buffer *out, uint64_t things, int64_t time);

#endif
