/* Time, timers and random numbers of live hosts. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "live/live_private.h"

int64_t live_now(const struct live *live) {
    return (int64_t)uv_hrtime() - live->started;
}

static int64_t now(struct host *host) {
    return live_now(live_of(host));
}

static int64_t wall_clock(struct host *host) {
    const struct live *live = live_of(host);
    struct timespec time;
    if (live->settings.wall_start)
        return live->settings.wall_start + live_now(live);
    int failed = clock_gettime(CLOCK_REALTIME, &time);
    assert(!failed);
    return (int64_t)time.tv_sec * TIME_SECOND + (int64_t)time.tv_nsec;
}

/* The name is made as the world makes it, so the numbers are the same. */
static uint64_t draw(struct host *host, const char *choice) {
    struct live *live = live_of(host);
    char name[256];
    int length = snprintf(name, sizeof name, "%s.%s", host->name, choice);
    assert(length > 0 && (size_t)length < sizeof name);
    struct random_stream *stream = map_get_bytes(&live->streams, name, (size_t)length);
    if (!stream) {
        stream = memory_allocate(sizeof *stream);
        *stream = random_stream_make(live->settings.seed, name);
        map_set_bytes(&live->streams, name, (size_t)length, stream);
    }
    return random_next(stream);
}

static void run_due(uv_timer_t *timer);

/* Wake up when the earliest timer is due; the loop counts in ms, so a little later rather than earlier. */
static void schedule(struct live *live) {
    int64_t time;
    if (!event_queue_peek(live->timers, &time)) {
        uv_timer_stop(&live->clock);
        return;
    }
    int64_t wait = time - live_now(live);
    uint64_t ms = wait <= 0 ? 0 : (uint64_t)((wait + TIME_MILLISECOND - 1) / TIME_MILLISECOND);
    uv_update_time(&live->loop);
    uv_timer_start(&live->clock, run_due, ms, 0);
}

/* Timers set while these run wait for the next turn, so that sockets get theirs. */
static void run_due(uv_timer_t *timer) {
    struct live *live = timer->data;
    const int64_t until = live_now(live);
    int64_t time;
    struct event event;
    while (event_queue_peek(live->timers, &time) && time <= until) {
        bool found = event_queue_pop(live->timers, &event);
        assert(found);
        event.fire(event.context);
    }
    schedule(live);
}

static uint64_t timer_set(struct host *host, int64_t delay, void (*fire)(void *context), void *context) {
    struct live *live = live_of(host);
    assert(fire && delay >= 0);
    int64_t earliest, time = live_now(live) + delay;
    bool first = !event_queue_peek(live->timers, &earliest) || time < earliest;
    uint64_t id = event_queue_push(live->timers, time, 0, fire, context);
    if (first)
        schedule(live);
    return id;
}

static void timer_cancel(struct host *host, uint64_t timer) {
    if (timer)
        event_queue_cancel(live_of(host)->timers, timer);
}

void live_clock_open(struct live *live) {
    live->started = (int64_t)uv_hrtime();
    live->timers = event_queue_create();
    uv_timer_init(&live->loop, &live->clock);
    live->clock.data = live;
}

void live_clock_operations(struct host_operations *operations) {
    operations->now = now;
    operations->wall_clock = wall_clock;
    operations->random = draw;
    operations->timer_set = timer_set;
    operations->timer_cancel = timer_cancel;
}
