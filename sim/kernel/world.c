#include "kernel/world.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/world_private.h"

struct clock {
    int64_t offset;
    int64_t drift_ppb;
};

struct world *world_create(const struct world_settings *settings) {
    struct world *world = memory_allocate(sizeof *world);
    world->settings = *settings;
    world->queue = event_queue_create();
    world->ties = random_stream_make(settings->seed, "tie");
    return world;
}

void world_destroy(struct world *world) {
    if (!world)
        return;
    event_queue_destroy(world->queue);
    map_free(&world->streams, free);
    map_free(&world->clocks, free);
    map_free(&world->mutants, NULL);
    world_chance_free(world);
    counter_list_free(&world->marks);
    counter_list_free(&world->fault_points);
    counter_list_free(&world->knobs);
    free(world);
}

uint64_t world_seed(const struct world *world) {
    return world->settings.seed;
}

int64_t world_now(const struct world *world) {
    return world->now;
}

uint64_t world_events(const struct world *world) {
    return world->events;
}

/* --- events --- */

uint64_t world_schedule(struct world *world, int64_t delay, void (*fire)(void *), void *context) {
    assert(delay >= 0);
    int64_t time = delay > INT64_MAX - world->now ? INT64_MAX : world->now + delay;
    return event_queue_push(world->queue, time, random_next(&world->ties), fire, context);
}

void world_cancel(struct world *world, uint64_t event) {
    event_queue_cancel(world->queue, event);
}

static enum status too_many_events(const struct world *world, struct error *error) {
    int64_t milliseconds = world->now / TIME_MILLISECOND;
    return error_set(error, STATUS_LIMIT,
                     "more than %llu events by virtual time %lld.%03lld s: some loop does not end",
                     (unsigned long long)world->settings.max_events, (long long)(milliseconds / 1000),
                     (long long)(milliseconds % 1000));
}

enum status world_run(struct world *world, int64_t until, struct error *error) {
    assert(until >= world->now);
    world->stopped = false;
    int64_t time = 0;
    while (!world->stopped && event_queue_peek(world->queue, &time) && time <= until) {
        if (world->settings.max_events && world->events >= world->settings.max_events)
            return too_many_events(world, error);
        struct event event;
        bool popped = event_queue_pop(world->queue, &event);
        assert(popped && event.time >= world->now);
        (void)popped;
        world->now = event.time;
        world->events++;
        event.fire(event.context);
    }
    if (!world->stopped)
        world->now = until;
    return STATUS_OK;
}

void world_stop(struct world *world) {
    world->stopped = true;
}

/* --- observers --- */

void world_observe(struct world *world, const struct world_observer *observer) {
    assert(world->n_observers < world_observer_limit);
    world->observers[world->n_observers++] = *observer;
}

void world_emit_wire(struct world *world, const struct wire_event *event) {
    for (size_t i = 0; i < world->n_observers; i++)
        if (world->observers[i].wire)
            world->observers[i].wire(world->observers[i].context, world->now, event);
}

void world_emit_note(struct world *world, const char *node, const struct note *note) {
    assert(node && note);
    for (size_t i = 0; i < world->n_observers; i++)
        if (world->observers[i].note)
            world->observers[i].note(world->observers[i].context, world->now, node, note);
}

/* --- random numbers --- */

static struct random_stream *make_stream(struct world *world, const char *name, size_t length) {
    struct random_stream *stream = memory_allocate(sizeof *stream);
    *stream = random_stream_make(world->settings.seed, name);
    map_set_bytes(&world->streams, name, length, stream);
    return stream;
}

struct random_stream *world_stream(struct world *world, const char *scope, const char *choice) {
    size_t scope_length = strlen(scope), choice_length = strlen(choice);
    char small[128];
    size_t length = scope_length + 1 + choice_length;
    char *name = length < sizeof small ? small : memory_allocate(length + 1);
    memcpy(name, scope, scope_length);
    name[scope_length] = '.';
    memcpy(name + scope_length + 1, choice, choice_length + 1);
    struct random_stream *stream = map_get_bytes(&world->streams, name, length);
    if (!stream)
        stream = make_stream(world, name, length);
    if (name != small)
        free(name);
    return stream;
}

uint64_t world_random(struct world *world, const char *scope, const char *choice) {
    return random_next(world_stream(world, scope, choice));
}

/* --- clocks --- */

void world_set_clock(struct world *world, const char *node, int64_t offset_ns, int64_t drift_ppb) {
    struct clock *clock = map_get(&world->clocks, node);
    if (!clock) {
        clock = memory_allocate(sizeof *clock);
        map_set(&world->clocks, node, clock);
    }
    *clock = (struct clock){.offset = offset_ns, .drift_ppb = drift_ppb};
}

int64_t world_wall_clock(struct world *world, const char *node) {
    const struct clock *clock = world->clocks.count ? map_get(&world->clocks, node) : NULL;
    int64_t time = TIME_WALL_START + world->now;
    if (clock)
        time += clock->offset + (int64_t)((__int128)world->now * clock->drift_ppb / 1000000000);
    return time;
}

/* --- mutants and counters --- */

void world_enable_mutant(struct world *world, const char *name) {
    map_set(&world->mutants, name, world);
}

bool world_mutant(const struct world *world, const char *name) {
    return world->mutants.count > 0 && map_has(&world->mutants, name);
}

struct world_counter *counter_find(struct counter_list *list, const char *name, bool *is_new) {
    size_t index = (size_t)(uintptr_t)map_get(&list->names, name);
    if (is_new)
        *is_new = index == 0;
    if (index == 0) {
        MEMORY_RESERVE(list->counters, list->capacity, list->count + 1);
        list->counters[list->count++] = (struct world_counter){.name = memory_copy_text(name)};
        index = list->count;
        map_set(&list->names, name, (void *)(uintptr_t)index);
    }
    assert(index <= list->count);
    return &list->counters[index - 1];
}

void counter_list_free(struct counter_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free((char *)list->counters[i].name);
    free(list->counters);
    map_free(&list->names, NULL);
}

size_t world_marks(const struct world *world, const struct world_counter **counters) {
    *counters = world->marks.counters;
    return world->marks.count;
}

size_t world_fault_points(const struct world *world, const struct world_counter **counters) {
    *counters = world->fault_points.counters;
    return world->fault_points.count;
}

size_t world_knobs(const struct world *world, const struct world_counter **counters) {
    *counters = world->knobs.counters;
    return world->knobs.count;
}
