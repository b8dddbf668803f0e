#include "mock-powersync/stream/stream_limits.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/memory.h"

enum { MOST_NAMED = 100 };

void stream_tally_add(struct stream_tally *tally, const char *definition, size_t count) {
    uintptr_t before = (uintptr_t)map_get(&tally->counts, definition);
    map_set(&tally->counts, definition, (void *)(before + count));
    tally->total += count;
}

void stream_tally_free(struct stream_tally *tally) {
    map_free(&tally->counts, NULL);
    *tally = (struct stream_tally){0};
}

struct share {
    const char *definition;
    size_t count;
    size_t place; /* of first mention: equal counts stay in that order */
};

static int compare(const void *left, const void *right) {
    const struct share *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return a->place < b->place ? -1 : 1;
}

static void append_shares(struct buffer *out, const struct stream_tally *tally) {
    struct share *shares = memory_allocate_array(tally->counts.count + 1, sizeof *shares);
    size_t n = 0, named = 0;
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&tally->counts, &i)); n++)
        shares[n] = (struct share){entry->key, (uintptr_t)entry->value, n};
    qsort(shares, n, sizeof *shares, compare);
    for (size_t i = 0; i < n && i < MOST_NAMED; i++) {
        buffer_printf(out, "\n  %s: %zu", shares[i].definition, shares[i].count);
        named += shares[i].count;
    }
    if (n > MOST_NAMED)
        buffer_printf(out, "\n  and %zu in %zu more", tally->total - named, n - (size_t)MOST_NAMED);
    free(shares);
}

bool stream_limit_exceeded(struct http_error *error, char **text, const char *what, const char *definitions,
                           const struct stream_tally *tally, size_t limit) {
    assert(tally->total > limit);
    struct buffer out = {0};
    buffer_printf(&out, "Too many %s: %zu (limit of %zu)\nBy %s:", what, tally->total, limit, definitions);
    append_shares(&out, tally);
    *text = buffer_take(&out);
    return http_error_set(error, 500, "ServiceError", "PSYNC_S2305", *text);
}
