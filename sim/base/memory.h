/* Allocation that cannot fail (it aborts), and an arena: memory that is freed all at once with its owner. */
#ifndef SYNCLINE_BASE_MEMORY_H
#define SYNCLINE_BASE_MEMORY_H

#include <stddef.h>

void *memory_allocate(size_t size);                          /* zeroed; free with free() */
void *memory_allocate_array(size_t count, size_t size);      /* zeroed, checks for overflow */
void *memory_resize(void *block, size_t count, size_t size); /* like reallocarray; new bytes are not zeroed */
char *memory_copy_text(const char *text);                    /* strdup; NULL stays NULL */
char *memory_copy_bytes(const void *bytes, size_t length);   /* length + 1 bytes, always terminated by 0 */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Grow an array to hold at least `needed` elements (doubling). `items` is the array, `capacity` a size_t. */
#define MEMORY_RESERVE(items, capacity, needed)                                                              \
    do {                                                                                                     \
        if ((needed) > (capacity)) {                                                                         \
            size_t grown_ = (capacity) ? (capacity) : 8;                                                     \
            while (grown_ < (needed))                                                                        \
                grown_ *= 2;                                                                                 \
            (items) = memory_resize((items), grown_, sizeof *(items));                                       \
            (capacity) = grown_;                                                                             \
        }                                                                                                    \
    } while (0)

struct arena_block;
struct arena {
    struct arena_block *blocks; /* newest first */
    size_t used;                /* bytes used in the newest block */
};

/* A zeroed struct arena is an empty arena. */
void *arena_allocate(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_copy_text(struct arena *arena, const char *text);
char *arena_copy_bytes(struct arena *arena, const void *bytes, size_t length); /* terminated by 0 */
char *arena_format(struct arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(struct arena *arena); /* back to empty */

#endif
