/* The trace hash: one streaming XXH3-128 over every note and every wire event, in the order in which they
 * happened. Each record is written with its lengths, so that no two different records have the same bytes,
 * and with fixed byte order, so that every machine agrees. The trace owns its memory and keeps nothing of
 * what it is shown. */
#ifndef SYNCLINE_HISTORY_TRACE_H
#define SYNCLINE_HISTORY_TRACE_H

#include "base/digest.h"
#include "kernel/world.h"

enum { TRACE_MARK_RECORDS = 1024 }; /* a mark after each so many records */

struct trace;

struct trace *trace_create(void);
void trace_destroy(struct trace *trace);

void trace_note(struct trace *trace, int64_t time, const char *node, const struct note *note);
void trace_wire(struct trace *trace, int64_t time, const struct wire_event *event);

struct hash128 trace_hash(const struct trace *trace);
uint64_t trace_length(const struct trace *trace); /* records */
size_t trace_marks(const struct trace *trace, const uint64_t **marks);

#endif
