#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "kernel/event_queue.h"

static void nothing(void *context) {
    (void)context;
}

static int compare(const void *a, const void *b) {
    const struct event *x = a, *y = b;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    if (x->tie != y->tie)
        return x->tie < y->tie ? -1 : 1;
    return x->id < y->id ? -1 : x->id > y->id;
}

/* Pops come in the order of (time, tie, id), whatever the order of pushing. */
static void test_total_order(void **state) {
    (void)state;
    enum { count = 5000 };
    struct event_queue *queue = event_queue_create();
    struct event *expected = calloc(count, sizeof *expected);
    struct random_stream stream = random_stream_make(1, "order");
    for (size_t i = 0; i < count; i++) {
        expected[i].time = random_between(&stream, -20, 20);
        expected[i].tie = random_below(&stream, 10);
        expected[i].id = event_queue_push(queue, expected[i].time, expected[i].tie, nothing, &expected[i]);
        assert_true(expected[i].id != 0);
        assert_true(i == 0 || expected[i].id > expected[i - 1].id);
    }
    assert_int_equal(event_queue_length(queue), count);
    qsort(expected, count, sizeof *expected, compare);
    for (size_t i = 0; i < count; i++) {
        int64_t time = 0;
        struct event event;
        assert_true(event_queue_peek(queue, &time));
        assert_true(event_queue_pop(queue, &event));
        assert_true(time == event.time);
        assert_int_equal(compare(&event, &expected[i]), 0);
        assert_ptr_equal(event.fire, nothing);
    }
    struct event event;
    assert_false(event_queue_pop(queue, &event));
    assert_false(event_queue_peek(queue, &event.time));
    free(expected);
    event_queue_destroy(queue);
}

/* A list of live events, searched through for its smallest: slow and obvious. */
struct model {
    struct event events[2000];
    size_t count;
};

static size_t model_first(const struct model *model) {
    size_t best = 0;
    for (size_t i = 1; i < model->count; i++)
        if (compare(&model->events[i], &model->events[best]) < 0)
            best = i;
    return best;
}

static void model_drop(struct model *model, size_t index) {
    model->events[index] = model->events[--model->count];
}

static void push_both(struct event_queue *queue, struct model *model, struct random_stream *stream) {
    struct event event = {.time = random_between(stream, 0, 1000), .tie = random_below(stream, 4)};
    event.context = (void *)(uintptr_t)(random_next(stream) | 1);
    event.id = event_queue_push(queue, event.time, event.tie, nothing, event.context);
    model->events[model->count++] = event;
}

static void pop_both(struct event_queue *queue, struct model *model, uint64_t *gone) {
    struct event event;
    bool popped = event_queue_pop(queue, &event);
    assert_int_equal(popped, model->count > 0);
    if (!popped)
        return;
    size_t first = model_first(model);
    assert_int_equal(compare(&event, &model->events[first]), 0);
    assert_ptr_equal(event.context, model->events[first].context);
    *gone = event.id;
    model_drop(model, first);
}

static void cancel_both(struct event_queue *queue, struct model *model, struct random_stream *stream,
                        uint64_t *gone) {
    if (model->count == 0)
        return;
    size_t which = (size_t)random_below(stream, model->count);
    *gone = model->events[which].id;
    assert_true(event_queue_cancel(queue, *gone));
    model_drop(model, which);
}

static void test_against_a_model(void **state) {
    (void)state;
    static struct model model;
    model.count = 0;
    struct event_queue *queue = event_queue_create();
    struct random_stream stream = random_stream_make(2, "model");
    uint64_t gone = 0;
    for (int i = 0; i < 100000; i++) {
        /* phases of growing, shrinking by popping, and shrinking by cancelling */
        uint64_t phase = (uint64_t)i / 2000 % 3;
        uint64_t choice = random_below(&stream, 10);
        if (choice < (phase == 0 ? 7 : 3) && model.count < 2000)
            push_both(queue, &model, &stream);
        else if (choice < (phase == 1 ? 9 : 5))
            pop_both(queue, &model, &gone);
        else
            cancel_both(queue, &model, &stream, &gone);
        assert_int_equal(event_queue_length(queue), model.count);
        assert_false(event_queue_cancel(queue, gone)); /* popped or cancelled: never again */
    }
    while (model.count > 0)
        pop_both(queue, &model, &gone);
    event_queue_destroy(queue);
}

/* Delays as in a world: most are short, some are a day, many are equal. */
static int64_t some_delay(struct random_stream *stream) {
    switch (random_below(stream, 8)) {
    case 0:
        return 0;
    case 1:
        return 20000000000;
    case 2:
        return random_between(stream, 0, 86400000000000);
    case 3:
        return INT64_MAX / 4;
    default:
        return random_between(stream, 0, 50000000);
    }
}

/* Tens of thousands pending, time going on: whatever comes up too late would be smaller than its predecessor.
 */
static void test_many_pending(void **state) {
    (void)state;
    enum { rounds = 200000 };
    struct event_queue *queue = event_queue_create();
    struct random_stream stream = random_stream_make(3, "many");
    struct event last = {.time = -1}, event = last;
    uint64_t other = 0;
    size_t pending = 0;
    for (int i = 0; i < rounds; i++) {
        const int64_t now = event.time < 0 ? 0 : event.time;
        for (int j = i < rounds / 4 ? 2 : 1; j > 0; j--, pending++)
            other =
                event_queue_push(queue, now + some_delay(&stream), random_below(&stream, 3), nothing, NULL);
        if (i % 5 == 0 && event_queue_cancel(queue, other))
            pending--;
        if (!event_queue_pop(queue, &event))
            continue;
        pending--;
        assert_true(compare(&last, &event) < 0 || event.id > last.id); /* equal keys: pushed at that time */
        assert_true(event.time >= last.time);
        assert_int_equal(event_queue_length(queue), pending);
        last = event;
        if (event.time > INT64_MAX / 8) /* only the end of time is left */
            event.time = 0, last = (struct event){.time = -1};
    }
    while (event_queue_pop(queue, &event)) {
        pending--;
        assert_true(compare(&last, &event) < 0);
        last = event;
    }
    assert_int_equal(pending, 0);
    event_queue_destroy(queue);
}

static void test_cancelling_nonsense(void **state) {
    (void)state;
    struct event_queue *queue = event_queue_create();
    assert_false(event_queue_cancel(queue, 0));
    assert_false(event_queue_cancel(queue, 12345));
    assert_false(event_queue_cancel(queue, UINT64_MAX));
    uint64_t id = event_queue_push(queue, 1, 1, nothing, NULL);
    assert_false(event_queue_cancel(queue, id + 1));
    assert_true(event_queue_cancel(queue, id));
    int64_t time;
    assert_false(event_queue_peek(queue, &time));
    uint64_t next = event_queue_push(queue, 1, 1, nothing, NULL);
    assert_true(next != id); /* the slot is used again, the id is not */
    assert_false(event_queue_cancel(queue, id));
    assert_int_equal(event_queue_length(queue), 1);
    event_queue_destroy(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_total_order),
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_many_pending),
        cmocka_unit_test(test_cancelling_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
