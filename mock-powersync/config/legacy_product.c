#include "mock-powersync/config/legacy_product.h"

#include <stdlib.h>
#include <string.h>

void legacy_texts_add(struct legacy_texts *texts, const char *text) {
    MEMORY_RESERVE(texts->texts, texts->capacity, texts->count + 1);
    texts->texts[texts->count++] = text;
}

bool legacy_texts_have(const struct legacy_texts *texts, const char *text) {
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->texts[i], text) == 0)
            return true;
    return false;
}

void legacy_texts_free(struct legacy_texts *choices, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(choices[i].texts);
    free(choices);
}

static const char *combination(const char *prefix, const struct legacy_texts *choices, size_t n_choices,
                               size_t number, struct arena *arena) {
    size_t *chosen = memory_allocate_array(n_choices + 1, sizeof *chosen);
    for (size_t i = n_choices; i-- > 0; number /= choices[i].count)
        chosen[i] = number % choices[i].count;
    struct buffer text = {0};
    buffer_append_text(&text, prefix);
    for (size_t i = 0; i < n_choices; i++) {
        buffer_append_char(&text, i == 0 ? '[' : ',');
        buffer_append_text(&text, choices[i].texts[chosen[i]]);
    }
    buffer_append_text(&text, n_choices == 0 ? "[]" : "]");
    const char *copy = arena_copy_bytes(arena, text.data, text.length);
    buffer_free(&text);
    free(chosen);
    return copy;
}

bool legacy_product(const char *prefix, const struct legacy_texts *choices, size_t n_choices,
                    struct arena *arena, struct legacy_texts *into) {
    size_t total = 1;
    for (size_t i = 0; i < n_choices; i++) {
        if (choices[i].count > LEGACY_SETS_MOST || total * choices[i].count > LEGACY_SETS_MOST)
            return false;
        total *= choices[i].count;
    }
    for (size_t i = 0; i < total; i++)
        legacy_texts_add(into, combination(prefix, choices, n_choices, i, arena));
    return true;
}

const char *legacy_bucket_prefix(int number, const char *name, bool is_stream, size_t variant,
                                 struct arena *arena) {
    return is_stream ? arena_format(arena, "%d#%s|%zu", number, name, variant)
                     : arena_format(arena, "%d#%s", number, name);
}

const char *legacy_lookup_prefix(const char *name, int lookup, struct arena *arena) {
    return arena_format(arena, "%s|%d", name, lookup);
}
