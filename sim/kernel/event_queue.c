/* Three stores, by how near an event is. The front is a heap: everything that is due before a certain edge,
 * so its first event is the queue's. Behind the edge lies a row of buckets of equal width, each without
 * order, and behind them `far`, without order either. When the front is empty the next bucket becomes the
 * front; when the buckets are used up, a new row of them is spread over the nearer part of `far`. So an event
 * is moved a few times, however many are pending, and few are ever sorted. Where an event lies never decides
 * its order. A small queue is all front.
 *
 * Cancelling empties the event's slot and leaves the entry where it is, to be dropped when it comes up, or
 * when such entries are the majority. */
#include "kernel/event_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "kernel/event_heap.h"

/* An event id is (number of the push << slot_bits) + slot: so ids follow the order of pushing, are never
 * reused, and lead to their slot. */
enum { slot_bits = 24 };
#define SLOT_MASK ((UINT64_C(1) << slot_bits) - 1)

enum {
    small_front = 256, /* a front above this is spread over buckets */
    samples = 64,
    buckets_most = 1 << 16,
    per_bucket = 4 /* events, about */
};

struct slot {
    uint64_t id; /* 0: free */
    void (*fire)(void *context);
    union {
        void *context;
        size_t next_free; /* slot + 1; 0: none */
    } as;
};

struct event_queue {
    struct event_list front; /* a heap; its first entry is live, and there is one unless the queue is empty */
    size_t front_most;       /* above it, front and buckets are spread anew */
    struct event_list *buckets;
    size_t n_buckets;        /* of this row; 0: none */
    size_t next_bucket;      /* those ahead of it are in the front: that is the edge */
    size_t buckets_capacity; /* those beyond n_buckets are empty */
    int64_t start;           /* of the row */
    int shift;               /* a bucket is 2^shift ns wide */
    struct event_list far;
    size_t length; /* entries in all three, cancelled ones included */
    size_t live;   /* entries that are not cancelled */
    struct slot *slots;
    size_t n_slots;
    size_t slot_capacity;
    size_t first_free; /* slot + 1; 0: none */
    uint64_t pushed;
};

struct event_queue *event_queue_create(void) {
    struct event_queue *queue = memory_allocate(sizeof *queue);
    queue->front_most = small_front;
    return queue;
}

void event_queue_destroy(struct event_queue *queue) {
    if (!queue)
        return;
    for (size_t i = 0; i < queue->buckets_capacity; i++)
        free(queue->buckets[i].items);
    free(queue->buckets);
    free(queue->front.items);
    free(queue->far.items);
    free(queue->slots);
    free(queue);
}

/* --- slots --- */

static inline bool is_live(const struct event_queue *queue, const struct event_entry *event) {
    return queue->slots[event->id & SLOT_MASK].id == event->id;
}

static size_t take_slot(struct event_queue *queue) {
    if (queue->first_free) {
        size_t slot = queue->first_free - 1;
        queue->first_free = queue->slots[slot].as.next_free;
        return slot;
    }
    assert(queue->n_slots < SLOT_MASK); /* 16 million pending events: some actor has lost control */
    MEMORY_RESERVE(queue->slots, queue->slot_capacity, queue->n_slots + 1);
    return queue->n_slots++;
}

static void release_slot(struct event_queue *queue, size_t slot) {
    queue->slots[slot].id = 0;
    queue->slots[slot].as.next_free = queue->first_free;
    queue->first_free = slot + 1;
    assert(queue->live > 0);
    queue->live--;
}

/* --- the buckets --- */

/* Which bucket of the row a time belongs to; those ahead of next_bucket mean the front, n_buckets means far.
 */
static inline size_t bucket_of(const struct event_queue *queue, int64_t time) {
    if (time < queue->start)
        return 0;
    uint64_t index = ((uint64_t)time - (uint64_t)queue->start) >> queue->shift;
    return index < queue->n_buckets ? (size_t)index : queue->n_buckets;
}

static void put(struct event_queue *queue, const struct event_entry *event) {
    size_t bucket = bucket_of(queue, event->time);
    if (bucket < queue->next_bucket)
        event_heap_add(&queue->front, event);
    else if (bucket < queue->n_buckets)
        event_list_append(&queue->buckets[bucket], event);
    else
        event_list_append(&queue->far, event);
}

static int compare_times(const void *a, const void *b) {
    const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
    return (one > other) - (one < other);
}

/* A row that begins with the first event of `far` and is wide enough for about three quarters of them: what
 * is pending for tomorrow must not decide how fine the next second is divided. */
static void lay_out(struct event_queue *queue) {
    int64_t times[samples];
    const size_t count = queue->far.length, taken = count < samples ? count : samples;
    queue->start = INT64_MAX;
    for (size_t i = 0; i < count; i++)
        if (queue->far.items[i].time < queue->start)
            queue->start = queue->far.items[i].time;
    for (size_t i = 0; i < taken; i++)
        times[i] = queue->far.items[i * count / taken].time;
    qsort(times, taken, sizeof *times, compare_times);
    const uint64_t width = (uint64_t)times[taken * 3 / 4] - (uint64_t)queue->start;
    queue->n_buckets = 1;
    while (queue->n_buckets < buckets_most && queue->n_buckets * per_bucket < count)
        queue->n_buckets *= 2;
    queue->shift = 0;
    while (queue->shift < 63 && width >> queue->shift >= queue->n_buckets)
        queue->shift++;
    queue->next_bucket = 0;
    if (queue->n_buckets <= queue->buckets_capacity)
        return;
    queue->buckets = memory_resize(queue->buckets, queue->n_buckets, sizeof *queue->buckets);
    memset(queue->buckets + queue->buckets_capacity, 0,
           (queue->n_buckets - queue->buckets_capacity) * sizeof *queue->buckets);
    queue->buckets_capacity = queue->n_buckets;
}

/* Few are left: no row is worth it. */
static void spread_few(struct event_queue *queue) {
    for (size_t i = 0; i < queue->far.length; i++)
        if (is_live(queue, &queue->far.items[i]))
            event_heap_add(&queue->front, &queue->far.items[i]);
        else
            queue->length--;
    queue->far.length = 0;
    queue->n_buckets = queue->next_bucket = 0;
}

/* The buckets are used up and the front is empty. */
static void spread(struct event_queue *queue) {
    struct event_entry *items = queue->far.items;
    const size_t count = queue->far.length;
    if (count <= small_front / 4) {
        spread_few(queue);
        return;
    }
    lay_out(queue);
    queue->far.length = 0; /* what stays is moved down over what has gone */
    for (size_t i = 0; i < count; i++) {
        const struct event_entry event = items[i];
        if (is_live(queue, &event))
            put(queue, &event);
        else
            queue->length--;
    }
}

static void take_bucket(struct event_queue *queue) {
    struct event_list *bucket = &queue->buckets[queue->next_bucket++];
    for (size_t i = 0; i < bucket->length; i++)
        if (is_live(queue, &bucket->items[i]))
            event_heap_add(&queue->front, &bucket->items[i]);
        else
            queue->length--;
    bucket->length = 0;
    if (2 * queue->front.length > queue->front_most) /* so many at nearly one time: nothing is gained */
        queue->front_most = 4 * queue->front.length;
}

static void remove_first(struct event_queue *queue) {
    event_heap_remove_first(&queue->front);
    queue->length--;
}

/* Afterwards the front's first entry is live, unless the queue is empty. */
static void settle(struct event_queue *queue) {
    for (;;) {
        while (queue->front.length > 0 && !is_live(queue, &queue->front.items[0]))
            remove_first(queue);
        if (queue->front.length > 0 || queue->length == 0)
            return;
        if (queue->next_bucket < queue->n_buckets)
            take_bucket(queue);
        else
            spread(queue);
    }
}

static void move_all(struct event_list *from, struct event_list *to) {
    for (size_t i = 0; i < from->length; i++)
        event_list_append(to, &from->items[i]);
    from->length = 0;
}

/* Everything is sorted in anew, without what is cancelled. */
static void rebuild(struct event_queue *queue) {
    move_all(&queue->front, &queue->far);
    for (size_t i = queue->next_bucket; i < queue->n_buckets; i++)
        move_all(&queue->buckets[i], &queue->far);
    queue->n_buckets = queue->next_bucket = 0;
    queue->front_most = queue->live / 8 > small_front ? queue->live / 8 : small_front; /* it has its price */
    settle(queue);
    assert(queue->length == queue->live);
}

/* --- operations --- */

uint64_t event_queue_push(struct event_queue *queue, int64_t time, uint64_t tie, void (*fire)(void *),
                          void *context) {
    assert(fire);
    size_t slot = take_slot(queue);
    uint64_t id = ++queue->pushed << slot_bits | slot;
    const struct event_entry event = {.time = time, .tie = tie, .id = id};
    queue->slots[slot] = (struct slot){.id = id, .fire = fire, .as.context = context};
    queue->length++;
    queue->live++;
    if (queue->n_buckets == 0)
        event_heap_add(&queue->front, &event);
    else
        put(queue, &event);
    if (queue->front.length > queue->front_most)
        rebuild(queue);
    settle(queue);
    return id;
}

bool event_queue_cancel(struct event_queue *queue, uint64_t id) {
    size_t slot = (size_t)(id & SLOT_MASK);
    if (id == 0 || slot >= queue->n_slots || queue->slots[slot].id != id)
        return false;
    release_slot(queue, slot);
    if (queue->length > 64 && queue->live < queue->length / 2)
        rebuild(queue);
    settle(queue);
    return true;
}

bool event_queue_pop(struct event_queue *queue, struct event *event) {
    if (queue->front.length == 0)
        return false;
    const struct event_entry *first = &queue->front.items[0];
    size_t slot = (size_t)(first->id & SLOT_MASK);
    assert(is_live(queue, first));
    *event = (struct event){.time = first->time,
                            .tie = first->tie,
                            .id = first->id,
                            .fire = queue->slots[slot].fire,
                            .context = queue->slots[slot].as.context};
    release_slot(queue, slot);
    remove_first(queue);
    settle(queue);
    return true;
}

bool event_queue_peek(const struct event_queue *queue, int64_t *time) {
    if (queue->front.length == 0)
        return false;
    assert(is_live(queue, &queue->front.items[0]));
    *time = queue->front.items[0].time;
    return true;
}

size_t event_queue_length(const struct event_queue *queue) {
    assert(queue->live <= queue->length);
    return queue->live;
}
