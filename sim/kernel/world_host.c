/* The part of the host interface that needs no network. */
#include <assert.h>

#include "kernel/world_private.h"

static struct world *world_of(struct host *host) {
    assert(host);
    return ((struct world_host *)host)->world;
}

static int64_t now(struct host *host) {
    return world_of(host)->now;
}

static int64_t wall_clock(struct host *host) {
    return world_wall_clock(world_of(host), host->name);
}

static uint64_t draw(struct host *host, const char *choice) {
    return world_random(world_of(host), host->name, choice);
}

static uint64_t timer_set(struct host *host, int64_t delay, void (*fire)(void *context), void *context) {
    return world_schedule(world_of(host), delay, fire, context);
}

static void timer_cancel(struct host *host, uint64_t timer) {
    world_cancel(world_of(host), timer);
}

static void emit_note(struct host *host, const struct note *note) {
    struct note told = *note;

    told.process = ((struct world_host *)host)->process;
    world_emit_note(world_of(host), host->name, &told);
}

static struct fault_point fault_point(struct host *host, const char *name) {
    return world_fault_point(world_of(host), host->name, name);
}

static int64_t knob(struct host *host, const char *name, int64_t usual, int64_t low, int64_t high) {
    return world_knob(world_of(host), name, usual, low, high);
}

static void mark(struct host *host, const char *name) {
    struct world_counter *counter = counter_find(&world_of(host)->marks, name, NULL);
    counter->reached++;
    counter->fired++;
}

static bool mutant(struct host *host, const char *name) {
    return world_mutant(world_of(host), name);
}

void world_host_operations(struct host_operations *operations) {
    operations->now = now;
    operations->wall_clock = wall_clock;
    operations->random = draw;
    operations->timer_set = timer_set;
    operations->timer_cancel = timer_cancel;
    operations->note = emit_note;
    operations->fault_point = fault_point;
    operations->knob = knob;
    operations->mark = mark;
    operations->mutant = mutant;
}
