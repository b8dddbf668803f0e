/* What the files of the world share. Private to sim/kernel. */
#ifndef SYNCLINE_KERNEL_WORLD_PRIVATE_H
#define SYNCLINE_KERNEL_WORLD_PRIVATE_H

#include "base/map.h"
#include "base/random.h"
#include "kernel/event_queue.h"
#include "kernel/world.h"

enum { world_observer_limit = 8 };

/* Counters in order of first use. The array moves when it grows, so an index is what can be kept. */
struct counter_list {
    struct world_counter *counters;
    size_t count;
    size_t capacity;
    struct map names; /* name -> index + 1 */
};

/* One driven firing of a fault point. */
struct drive {
    uint64_t nth;
    struct fault_point action;
};

struct drive_list {
    struct drive *drives;
    size_t count;
    size_t capacity;
};

struct world {
    struct world_settings settings;
    struct event_queue *queue;
    int64_t now;
    uint64_t events;
    bool calm; /* fault points no longer fire */
    bool stopped;
    struct random_stream ties;
    struct map streams; /* "<scope>.<choice>" -> struct random_stream */
    struct map clocks;  /* node -> struct clock */
    struct world_observer observers[world_observer_limit];
    size_t n_observers;
    struct map mutants; /* name -> the world itself */
    struct map pins;    /* knob -> int64_t */
    struct map drives;  /* fault point -> struct drive_list */
    struct map live;    /* fault point -> whether chance may fire it in this seed, as text "live" or "off" */
    struct counter_list marks;
    struct counter_list fault_points;
    struct counter_list knobs;
};

/* The counter of this name, made when it is new (then *is_new, which may be NULL). Borrowed until the next
 * call. */
struct world_counter *counter_find(struct counter_list *list, const char *name, bool *is_new);
void counter_list_free(struct counter_list *list);

/* The stream "<scope>.<choice>"; it lives as long as the world. */
struct random_stream *world_stream(struct world *world, const char *scope, const char *choice);

/* world_chance.c */
struct fault_point world_fault_point(struct world *world, const char *node, const char *name);
int64_t world_knob(struct world *world, const char *name, int64_t usual, int64_t low, int64_t high);
void world_chance_free(struct world *world);

#endif
