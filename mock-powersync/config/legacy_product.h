/* Combinations of values, and the names and keys that they make. Texts live in an arena. */
#ifndef MOCK_POWERSYNC_LEGACY_PRODUCT_H
#define MOCK_POWERSYNC_LEGACY_PRODUCT_H

#include "mock-powersync/config/legacy.h"

struct legacy_texts {
    const char **texts;
    size_t count, capacity;
};

void legacy_texts_add(struct legacy_texts *texts, const char *text);
bool legacy_texts_have(const struct legacy_texts *texts, const char *text);
void legacy_texts_free(struct legacy_texts *choices, size_t count); /* an array of them */

/* prefix[a,b,..] for every combination of one text from each choice, the last one the fastest; added to
 * `into`. False: more than LEGACY_SETS_MOST. */
bool legacy_product(const char *prefix, const struct legacy_texts *choices, size_t n_choices,
                    struct arena *arena, struct legacy_texts *into);

/* "1#todos|0" and "1#by_user". */
const char *legacy_bucket_prefix(int number, const char *name, bool is_stream, size_t variant,
                                 struct arena *arena);
/* The same of an entry of the parameter index: which lookup of which definition. */
const char *legacy_lookup_prefix(const char *name, int lookup, struct arena *arena);

#endif
