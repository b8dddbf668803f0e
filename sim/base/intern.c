#include "base/intern.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* What stands before each text. */
struct head {
    uint32_t hash, length;
};

static struct head head_of(const char *interned) {
    struct head head;
    memcpy(&head, interned - sizeof head, sizeof head);
    return head;
}

uint32_t intern_hash(const char *interned) {
    return head_of(interned).hash;
}

/* The slot of the text, or the free one where it belongs. */
static size_t find_slot(const struct intern *intern, const void *bytes, struct head wanted) {
    const size_t mask = intern->n_slots - 1;
    for (size_t slot = wanted.hash & mask;; slot = (slot + 1) & mask) {
        const char *text = intern->slots[slot];
        if (text == NULL)
            return slot;
        const struct head head = head_of(text);
        if (head.hash == wanted.hash && head.length == wanted.length &&
            (wanted.length == 0 || memcmp(text, bytes, wanted.length) == 0))
            return slot;
    }
}

static void grow(struct intern *intern) {
    const char **old = intern->slots;
    const size_t n_old = intern->n_slots;
    intern->n_slots = n_old == 0 ? 64 : 2 * n_old;
    intern->slots = memory_allocate_array(intern->n_slots, sizeof *intern->slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            intern->slots[find_slot(intern, old[i], head_of(old[i]))] = old[i];
    free(old);
}

const char *intern_bytes(struct intern *intern, const void *bytes, size_t length) {
    assert((bytes != NULL || length == 0) && length <= UINT32_MAX);
    const struct head head = {.hash = (uint32_t)XXH3_64bits(bytes, length), .length = (uint32_t)length};
    if (4 * (intern->count + 1) > 3 * intern->n_slots)
        grow(intern);
    const size_t slot = find_slot(intern, bytes, head);
    if (intern->slots[slot] != NULL)
        return intern->slots[slot];
    char *block = arena_allocate(&intern->arena, sizeof head + length + 1);
    memcpy(block, &head, sizeof head);
    if (length > 0)
        memcpy(block + sizeof head, bytes, length);
    intern->slots[slot] = block + sizeof head;
    intern->count++;
    return block + sizeof head;
}

const char *intern_text(struct intern *intern, const char *text) {
    return text == NULL ? NULL : intern_bytes(intern, text, strlen(text));
}

void intern_free(struct intern *intern) {
    arena_free(&intern->arena);
    free(intern->slots);
    *intern = (struct intern){0};
}
