/* What happened in a run, in order: every note of every party as a record that owns its memory, for the
 * properties to judge, for the narration and for reports; and the trace hash over every note and every wire
 * event. */
#ifndef SYNCLINE_HISTORY_HISTORY_H
#define SYNCLINE_HISTORY_HISTORY_H

#include "base/memory.h"
#include "kernel/world.h"

struct history_record {
    uint64_t number;  /* from 1 */
    int64_t time;     /* virtual ns */
    const char *node; /* who */
    struct note note; /* pointers owned by the history */
};

struct history;

struct history *history_create(void);
void history_destroy(struct history *history);
/* Observe a world from now on. Narration lines are written to `narration` (may be NULL) as they happen. */
void history_attach(struct history *history, struct world *world, struct buffer *narration);
/* Add a record by hand (recorded histories, tests). */
const struct history_record *history_add(struct history *history, int64_t time, const char *node,
                                         const struct note *note);

size_t history_length(const struct history *history);
const struct history_record *history_get(const struct history *history, size_t index); /* from 0 */

/* Called for each new record, in order, after it was added. At most 4. */
void history_subscribe(struct history *history,
                       void (*record)(void *context, const struct history_record *record), void *context);

/* The trace hash so far: notes and wire events, with times, nodes and bytes. */
struct hash128 history_trace_hash(const struct history *history);
uint64_t history_trace_length(const struct history *history); /* trace records so far */
/* Hash after each 1024 trace records, to find where two runs first differ. */
size_t history_trace_marks(const struct history *history, const uint64_t **marks);

/* One line for people: "[    1.034 s] alice-1 writes transaction 1: PUT todos 3f0c...". No newline. */
void history_narrate(struct buffer *out, const struct history_record *record);

#endif
