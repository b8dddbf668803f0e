/* Texts of rows, each stored once: a hash table of those that somebody holds. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/memory.h"
#include "client/engine_model.h"

/* The slot of the text, or the free one where it belongs. */
static size_t find_slot(const struct model_texts *texts, const char *bytes, size_t length, uint64_t hash) {
    const size_t mask = texts->n_slots - 1;
    size_t slot = (size_t)hash & mask;

    for (;; slot = (slot + 1) & mask) {
        const struct model_data *data = texts->slots[slot];

        if (data == NULL ||
            (data->hash == hash && data->length == length && memcmp(data->bytes, bytes, length) == 0))
            return slot;
    }
}

static void grow(struct model_texts *texts) {
    struct model_data **old = texts->slots;
    const size_t n_old = texts->n_slots;

    texts->n_slots = n_old == 0 ? 64 : 2 * n_old;
    texts->slots = memory_allocate_array(texts->n_slots, sizeof *texts->slots);
    for (size_t i = 0; i < n_old; i++)
        if (old[i] != NULL)
            texts->slots[find_slot(texts, old[i]->bytes, old[i]->length, old[i]->hash)] = old[i];
    free(old);
}

struct model_data *model_data_make(struct model_texts *texts, const char *bytes, size_t length) {
    const uint64_t hash = XXH3_64bits(bytes, length);
    struct model_data *data;
    size_t slot;

    assert(length <= UINT32_MAX);
    if (4 * (texts->count + 1) > 3 * texts->n_slots)
        grow(texts);
    slot = find_slot(texts, bytes, length, hash);
    if (texts->slots[slot] != NULL)
        return model_data_share(texts->slots[slot]);
    data = memory_resize(NULL, 1, sizeof *data + length + 1);
    *data = (struct model_data){.home = texts, .hash = hash, .references = 1, .length = (uint32_t)length};
    memcpy(data->bytes, bytes, length);
    data->bytes[length] = 0;
    texts->slots[slot] = data;
    texts->count++;
    return data;
}

struct model_data *model_data_share(struct model_data *data) {
    if (data != NULL)
        data->references++;
    return data;
}

/* Close the gap: whoever could stand in the free slot moves there. */
static void remove_slot(struct model_texts *texts, size_t slot) {
    const size_t mask = texts->n_slots - 1;

    for (size_t next = (slot + 1) & mask; texts->slots[next] != NULL; next = (next + 1) & mask) {
        const size_t home = (size_t)texts->slots[next]->hash & mask;

        if (((next - home) & mask) >= ((next - slot) & mask)) {
            texts->slots[slot] = texts->slots[next];
            slot = next;
        }
    }
    texts->slots[slot] = NULL;
    texts->count--;
}

void model_data_drop(struct model_data *data) {
    if (data == NULL || --data->references > 0)
        return;
    remove_slot(data->home, find_slot(data->home, data->bytes, data->length, data->hash));
    free(data);
}

void model_texts_free(struct model_texts *texts) {
    assert(texts->count == 0);
    free(texts->slots);
    *texts = (struct model_texts){0};
}
