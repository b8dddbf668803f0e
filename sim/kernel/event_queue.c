/* A heap of small entries with four children a node (half the depth of a binary heap, and the children of a
 * node are neighbours in memory) over a table of slots that holds what to call. Cancelling empties the slot
 * and leaves the entry in the heap, where it is dropped when it comes up, or when such entries are the
 * majority. */
#include "kernel/event_queue.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

/* An event id is (number of the push << slot_bits) + slot: so ids follow the order of pushing, are never
 * reused, and lead to their slot. */
enum { slot_bits = 24 };
#define SLOT_MASK ((UINT64_C(1) << slot_bits) - 1)

struct entry {
    int64_t time;
    uint64_t tie;
    uint64_t id;
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
    struct entry *heap;
    size_t length; /* entries, cancelled ones included */
    size_t capacity;
    size_t live; /* entries that are not cancelled */
    struct slot *slots;
    size_t n_slots;
    size_t slot_capacity;
    size_t first_free; /* slot + 1; 0: none */
    uint64_t pushed;
};

struct event_queue *event_queue_create(void) {
    return memory_allocate(sizeof(struct event_queue));
}

void event_queue_destroy(struct event_queue *queue) {
    if (!queue)
        return;
    free(queue->heap);
    free(queue->slots);
    free(queue);
}

static inline bool before(const struct entry *a, const struct entry *b) {
    if (a->time != b->time)
        return a->time < b->time;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    return a->id < b->id;
}

static inline bool is_live(const struct event_queue *queue, const struct entry *entry) {
    return queue->slots[entry->id & SLOT_MASK].id == entry->id;
}

/* --- heap --- */

static void sift_up(struct entry *heap, size_t at, struct entry entry) {
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (!before(&entry, &heap[parent]))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = entry;
}

static inline size_t smallest_child(const struct entry *heap, size_t first, size_t length) {
    size_t end = first + 4 < length ? first + 4 : length;
    size_t best = first;
    for (size_t i = first + 1; i < end; i++)
        if (before(&heap[i], &heap[best]))
            best = i;
    return best;
}

static void sift_down(struct entry *heap, size_t length, size_t at, struct entry entry) {
    for (size_t first = 4 * at + 1; first < length; first = 4 * at + 1) {
        size_t child = smallest_child(heap, first, length);
        if (!before(&heap[child], &entry))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = entry;
}

/* The hole left by the first entry sinks to a leaf, then the last entry rises from there: the last entry
 * nearly always belongs near the leaves, so this saves a comparison a level. */
static void remove_first(struct event_queue *queue) {
    assert(queue->length > 0);
    struct entry *heap = queue->heap;
    size_t length = --queue->length;
    if (length == 0)
        return;
    struct entry last = heap[length];
    size_t at = 0;
    for (size_t first = 1; first < length; first = 4 * at + 1) {
        size_t child = smallest_child(heap, first, length);
        heap[at] = heap[child];
        at = child;
    }
    sift_up(heap, at, last);
}

/* Afterwards the first entry is live. */
static void drop_cancelled(struct event_queue *queue) {
    while (queue->length > 0 && !is_live(queue, &queue->heap[0]))
        remove_first(queue);
}

/* Keep only live entries. */
static void rebuild(struct event_queue *queue) {
    size_t kept = 0;
    for (size_t i = 0; i < queue->length; i++)
        if (is_live(queue, &queue->heap[i]))
            queue->heap[kept++] = queue->heap[i];
    assert(kept == queue->live);
    queue->length = kept;
    for (size_t i = kept / 4 + 1; i-- > 0;)
        if (i < kept)
            sift_down(queue->heap, kept, i, queue->heap[i]);
}

/* --- slots --- */

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
    queue->slots[slot] = (struct slot){.id = 0, .as.next_free = queue->first_free};
    queue->first_free = slot + 1;
    assert(queue->live > 0);
    queue->live--;
}

/* --- operations --- */

uint64_t event_queue_push(struct event_queue *queue, int64_t time, uint64_t tie, void (*fire)(void *),
                          void *context) {
    assert(fire);
    size_t slot = take_slot(queue);
    uint64_t id = ++queue->pushed << slot_bits | slot;
    queue->slots[slot] = (struct slot){.id = id, .fire = fire, .as.context = context};
    MEMORY_RESERVE(queue->heap, queue->capacity, queue->length + 1);
    sift_up(queue->heap, queue->length++, (struct entry){.time = time, .tie = tie, .id = id});
    queue->live++;
    return id;
}

bool event_queue_cancel(struct event_queue *queue, uint64_t id) {
    size_t slot = (size_t)(id & SLOT_MASK);
    if (id == 0 || slot >= queue->n_slots || queue->slots[slot].id != id)
        return false;
    release_slot(queue, slot);
    if (queue->length > 64 && queue->live < queue->length / 2)
        rebuild(queue);
    drop_cancelled(queue);
    return true;
}

bool event_queue_pop(struct event_queue *queue, struct event *event) {
    if (queue->length == 0)
        return false;
    const struct entry *first = &queue->heap[0];
    assert(is_live(queue, first));
    size_t slot = (size_t)(first->id & SLOT_MASK);
    *event = (struct event){.time = first->time,
                            .tie = first->tie,
                            .id = first->id,
                            .fire = queue->slots[slot].fire,
                            .context = queue->slots[slot].as.context};
    release_slot(queue, slot);
    remove_first(queue);
    drop_cancelled(queue);
    return true;
}

bool event_queue_peek(const struct event_queue *queue, int64_t *time) {
    if (queue->length == 0)
        return false;
    assert(is_live(queue, &queue->heap[0]));
    *time = queue->heap[0].time;
    return true;
}

size_t event_queue_length(const struct event_queue *queue) {
    assert(queue->live <= queue->length);
    return queue->live;
}
