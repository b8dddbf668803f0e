#include "runner/bench_kernel.h"

#include <assert.h>
#include <time.h>

#include "base/random.h"
#include "kernel/event_queue.h"
#include "kernel/time.h"
#include "runner/statistics.h"

enum { OPERATIONS = 1000000 };

static void nothing(void *context) {
    (void)context;
}

int64_t bench_cpu_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * TIME_SECOND + now.tv_nsec;
}

/* As a world does: what comes up sets a timer for within a second. Random numbers are part of it. */
static void turn(struct event_queue *queue, struct random_stream *stream, size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct event event;
        const bool popped = event_queue_pop(queue, &event);
        assert(popped);
        (void)popped;
        const uint64_t number = random_next(stream);
        event_queue_push(queue, event.time + (int64_t)(number % (uint64_t)TIME_SECOND), number, nothing,
                         NULL);
    }
}

/* ns of CPU time for one event that is popped and one that is pushed. */
static int64_t measure(size_t pending, unsigned rounds) {
    struct event_queue *queue = event_queue_create();
    struct random_stream stream = random_stream_make(1, "bench");
    struct samples times = {0};
    for (size_t i = 0; i < pending; i++) {
        const uint64_t number = random_next(&stream);
        event_queue_push(queue, (int64_t)(number % (uint64_t)TIME_SECOND), number, nothing, NULL);
    }
    turn(queue, &stream, pending);
    for (unsigned i = 0; i < rounds; i++) {
        const int64_t start = bench_cpu_now();
        turn(queue, &stream, OPERATIONS);
        samples_add(&times, bench_cpu_now() - start);
    }
    samples_sort(&times);
    const int64_t median = samples_at(&times, 500);
    samples_free(&times);
    event_queue_destroy(queue);
    return median;
}

void bench_kernel_run(unsigned rounds, FILE *out) {
    static const size_t pending[] = {100, 10000, 1000000};
    fprintf(out, "%9s  million events/s (popped and pushed)\n", "pending");
    for (size_t i = 0; i < sizeof pending / sizeof pending[0]; i++) {
        const int64_t time = measure(pending[i], rounds);
        fprintf(out, "%9zu  %.1f\n", pending[i], (double)OPERATIONS * 1e3 / (double)(time > 0 ? time : 1));
    }
}
