/* A heap of events with four children a node: half the depth of a binary heap, and the children of a node are
 * neighbours in memory. The order is that of the queue (time, tie key, number), so it is total. Private to
 * event_queue.c. */
#ifndef SYNCLINE_KERNEL_EVENT_HEAP_H
#define SYNCLINE_KERNEL_EVENT_HEAP_H

#include <assert.h>

#include "base/memory.h"
#include "kernel/event_queue.h"

/* What to call lies in the slot that the number leads to: entries are moved about. */
struct event_entry {
    int64_t time;
    uint64_t tie;
    uint64_t id;
};

struct event_list {
    struct event_entry *items;
    size_t length;
    size_t capacity;
};

static inline void event_list_append(struct event_list *list, const struct event_entry *event) {
    MEMORY_RESERVE(list->items, list->capacity, list->length + 1);
    list->items[list->length++] = *event;
}

static inline bool event_before(const struct event_entry *a, const struct event_entry *b) {
    if (a->time != b->time)
        return a->time < b->time;
    if (a->tie != b->tie)
        return a->tie < b->tie;
    return a->id < b->id;
}

static inline void event_heap_rise(struct event_entry *heap, size_t at, struct event_entry rising) {
    while (at > 0) {
        size_t parent = (at - 1) / 4;
        if (!event_before(&rising, &heap[parent]))
            break;
        heap[at] = heap[parent];
        at = parent;
    }
    heap[at] = rising;
}

static inline size_t event_heap_smallest(const struct event_entry *heap, size_t first, size_t length) {
    size_t end = first + 4 < length ? first + 4 : length;
    size_t best = first;
    for (size_t i = first + 1; i < end; i++)
        if (event_before(&heap[i], &heap[best]))
            best = i;
    return best;
}

static inline void event_heap_add(struct event_list *heap, const struct event_entry *event) {
    MEMORY_RESERVE(heap->items, heap->capacity, heap->length + 1);
    event_heap_rise(heap->items, heap->length++, *event);
}

/* The hole left by the first event sinks to a leaf, then the last event rises from there: the last event
 * nearly always belongs near the leaves, so this saves a comparison a level. */
static inline void event_heap_remove_first(struct event_list *list) {
    struct event_entry *heap = list->items;
    assert(list->length > 0);
    size_t length = --list->length, at = 0;
    if (length == 0)
        return;
    for (size_t first = 1; first < length; first = 4 * at + 1) {
        size_t child = event_heap_smallest(heap, first, length);
        heap[at] = heap[child];
        at = child;
    }
    event_heap_rise(heap, at, heap[length]);
}

#endif
