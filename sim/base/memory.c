#include "base/memory.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *block) {
    if (!block) {
        (void)fputs("syncline: out of memory\n", stderr);
        abort();
    }
    return block;
}

void *memory_allocate(size_t size) {
    return checked(calloc(1, size ? size : 1));
}

void *memory_allocate_array(size_t count, size_t size) {
    return checked(calloc(count ? count : 1, size ? size : 1)); /* calloc checks the product */
}

void *memory_resize(void *block, size_t count, size_t size) {
    return checked(reallocarray(block, count ? count : 1, size ? size : 1));
}

char *memory_copy_text(const char *text) {
    return text ? memory_copy_bytes(text, strlen(text)) : NULL;
}

char *memory_copy_bytes(const void *bytes, size_t length) {
    assert(bytes || length == 0);
    assert(length < SIZE_MAX);
    char *copy = checked(malloc(length + 1));
    if (length > 0)
        memcpy(copy, bytes, length);
    copy[length] = 0;
    return copy;
}

static char *format_text(const char *format, va_list arguments, size_t *length) {
    char *text = NULL;
    int written = vasprintf(&text, format, arguments);
    if (written < 0)
        checked(NULL);
    *length = (size_t)written;
    return text;
}

char *memory_format(const char *format, ...) {
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments, &length);
    va_end(arguments);
    assert(strlen(text) == length);
    return text;
}

/* --- arena --- */

struct arena_block {
    struct arena_block *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

enum { arena_block_size = 16 * 1024 };

void *arena_allocate(struct arena *arena, size_t size) {
    size_t rounded = (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    assert(rounded >= size);
    if (!arena->blocks || arena->blocks->size - arena->used < rounded) {
        size_t block_size = rounded > arena_block_size ? rounded : arena_block_size;
        struct arena_block *block = memory_allocate(sizeof *block + block_size);
        block->size = block_size;
        block->next = arena->blocks;
        arena->blocks = block;
        arena->used = 0;
    }
    void *result = arena->blocks->bytes + arena->used;
    arena->used += rounded;
    assert(arena->used <= arena->blocks->size);
    assert((uintptr_t)result % alignof(max_align_t) == 0);
    return result;
}

char *arena_copy_text(struct arena *arena, const char *text) {
    return text ? arena_copy_bytes(arena, text, strlen(text)) : NULL;
}

char *arena_copy_bytes(struct arena *arena, const void *bytes, size_t length) {
    assert(bytes || length == 0);
    char *copy = arena_allocate(arena, length + 1); /* zeroed, so it is terminated */
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *arena_format(struct arena *arena, const char *format, ...) {
    size_t length = 0;
    va_list arguments;
    va_start(arguments, format);
    char *text = format_text(format, arguments, &length);
    va_end(arguments);
    char *copy = arena_copy_bytes(arena, text, length);
    free(text);
    return copy;
}

void arena_free(struct arena *arena) {
    while (arena->blocks) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->used = 0;
}
