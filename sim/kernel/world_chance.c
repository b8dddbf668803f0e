/* Fault points and knobs: what a seed makes of them, and what a scenario prescribes. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernel/world_private.h"

static void free_drive_list(void *value) {
    struct drive_list *list = value;
    free(list->drives);
    free(list);
}

void world_chance_free(struct world *world) {
    map_free(&world->drives, free_drive_list);
    map_free(&world->pins, free);
    map_free(&world->live, NULL);
}

/* --- fault points --- */

void world_drive_fault_point(struct world *world, const char *name, uint64_t nth, struct fault_point action) {
    assert(nth >= 1 && action.delay >= 0);
    struct drive_list *list = map_get(&world->drives, name);
    if (!list) {
        list = memory_allocate(sizeof *list);
        map_set(&world->drives, name, list);
    }
    MEMORY_RESERVE(list->drives, list->capacity, list->count + 1);
    list->drives[list->count++] = (struct drive){.nth = nth, .action = action};
}

static struct fault_point driven(const struct drive_list *list, uint64_t nth) {
    for (size_t i = 0; i < list->count; i++)
        if (list->drives[i].nth == nth)
            return list->drives[i].action;
    return (struct fault_point){.action = FAULT_NONE};
}

/* May chance fire this point in this seed? Decided by the name alone, so that it is the same on every node.
 */
static bool is_live(struct world *world, const char *name) {
    static char live[] = "live", off[] = "off";
    if (!world->settings.fault_points)
        return false;
    const char *state = map_get(&world->live, name);
    if (!state) {
        struct random_stream stream = random_stream_make(world->settings.seed, "fault-point.live");
        uint64_t draw = random_at(random_next(&stream), name, 0);
        state = draw % 4 == 0 ? live : off;
        map_set(&world->live, name, (void *)(uintptr_t)state);
    }
    return state == live;
}

/* 1 ms .. 2 s, every power of two as likely as the next: mostly short, but long enough now and then to
 * outlast a polling interval. */
static int64_t draw_delay(struct random_stream *stream) {
    int64_t low = TIME_MILLISECOND << random_below(stream, 11);
    int64_t delay = random_between(stream, low, 2 * low);
    return delay < 2 * TIME_SECOND ? delay : 2 * TIME_SECOND;
}

static struct fault_point by_chance(struct world *world, const char *node, const char *name) {
    struct fault_point result = {.action = FAULT_NONE};
    struct buffer choice = {0};
    buffer_append_text(&choice, "fault-point.");
    buffer_append_text(&choice, name);
    struct random_stream *stream = world_stream(world, node, buffer_text(&choice));
    buffer_free(&choice);
    if (!random_chance(stream, 1, 16))
        return result;
    if (random_chance(stream, 1, 4)) {
        result.action = FAULT_ERROR;
    } else {
        result.action = FAULT_DELAY;
        result.delay = draw_delay(stream);
        assert(result.delay >= TIME_MILLISECOND && result.delay <= 2 * TIME_SECOND);
    }
    return result;
}

void world_calm(struct world *world) {
    world->calm = true;
}

struct fault_point world_fault_point(struct world *world, const char *node, const char *name) {
    struct world_counter *counter = counter_find(&world->fault_points, name, NULL);
    counter->reached++;
    struct fault_point result = {.action = FAULT_NONE};
    if (world->calm)
        return result;
    const struct drive_list *list = world->drives.count ? map_get(&world->drives, name) : NULL;
    if (list)
        result = driven(list, counter->reached);
    else if (is_live(world, name))
        result = by_chance(world, node, name);
    if (result.action != FAULT_NONE)
        counter->fired++;
    return result;
}

/* --- knobs --- */

void world_pin_knob(struct world *world, const char *name, int64_t value) {
    int64_t *pin = map_get(&world->pins, name);
    if (!pin) {
        pin = memory_allocate(sizeof *pin);
        map_set(&world->pins, name, pin);
    }
    *pin = value;
}

/* low + a number of a random count of bits: small values are as likely as large ones. */
static int64_t draw_knob(struct random_stream *stream, int64_t low, int64_t high) {
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t bits = span ? 64 - (uint64_t)__builtin_clzll(span) : 0;
    uint64_t chosen = random_below(stream, bits + 1);
    if (chosen == 0)
        return low;
    uint64_t first = UINT64_C(1) << (chosen - 1);
    uint64_t last = chosen == bits ? span : 2 * first - 1;
    assert(first <= last && last <= span);
    return (int64_t)((uint64_t)low + first + random_below(stream, last - first + 1));
}

static int64_t choose_knob(struct world *world, const char *name, int64_t usual, int64_t low, int64_t high) {
    const int64_t *pin = map_get(&world->pins, name);
    if (pin) /* a scenario cannot know the range: keep the actor's promise */
        return *pin < low ? low : *pin > high ? high : *pin;
    struct random_stream *stream = world_stream(world, "knob", name);
    if (world->settings.random_knobs && random_chance(stream, 1, 4))
        return draw_knob(stream, low, high);
    return usual;
}

int64_t world_knob(struct world *world, const char *name, int64_t usual, int64_t low, int64_t high) {
    assert(low <= usual && usual <= high);
    bool is_new = false;
    struct world_counter *counter = counter_find(&world->knobs, name, &is_new);
    if (is_new)
        counter->reached = (uint64_t)choose_knob(world, name, usual, low, high);
    int64_t value = (int64_t)counter->reached;
    assert(value >= low && value <= high); /* every place that asks for a knob names the same range */
    return value;
}
