/* What the scenario language knows about each fault: how it is written, whom it strikes, under which name it
 * is counted. A new fault is one line in names.c and its effect in plan.c or stage_faults.c. */
#ifndef SYNCLINE_SCENARIO_FAULT_KINDS_H
#define SYNCLINE_SCENARIO_FAULT_KINDS_H

#include "scenario/plan.h"

enum fault_class {
    FAULT_CLASS_TIMED, /* {every: 40s, lasts: [1s, 15s]} */
    FAULT_CLASS_WIRE,  /* {rate: 1%}, or just 1% */
    FAULT_CLASS_SWITCH /* true */
};

struct fault_kind {
    const char *name;
    enum fault_class class;
    bool lasts;            /* has a length, whatever its class */
    const char *counter;   /* wire faults and switches: the network's name for it */
    enum step_kind step;   /* timed faults: the steps it makes */
    bool one_way;          /* partitions */
    const char *id_letter; /* timed faults: "alice-1.o2" is alice-1's second `offline` */
    const char *summary;
};

extern const struct fault_kind fault_kinds[]; /* ends with name NULL */
const struct fault_kind *fault_kind_find(const char *name);
/* Does it need a client core? Plain Convex clients have nothing to clear. */
bool step_is_for_devices(enum step_kind kind);
/* The timed fault that a step belongs to; NULL for a write. */
const struct fault_kind *fault_kind_of_step(const struct scenario_step *step);
/* Does it strike devices' disks? */
bool fault_kind_strikes_disk(const struct fault_kind *kind);

/* The scenario's entry of a fault, or NULL. */
const struct scenario_fault *scenario_fault_find(const struct scenario *scenario, const char *name);

#endif
