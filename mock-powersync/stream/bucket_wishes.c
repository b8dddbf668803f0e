#include "mock-powersync/stream/bucket_wishes.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"

static void free_wish(void *value) {
    struct bucket_wish *wish = value;
    if (!wish)
        return;
    free((char *)(uintptr_t)wish->name);
    free(wish->reasons);
    free(wish);
}

static struct bucket_wish *make(const char *name, const char *definition, int priority) {
    struct bucket_wish *wish = memory_allocate(sizeof *wish);
    *wish = (struct bucket_wish){memory_copy_text(name), definition, priority, NULL, 0};
    return wish;
}

static void add_reason(struct bucket_wish *wish, struct sync_line_reason reason) {
    wish->reasons = memory_resize(wish->reasons, wish->n_reasons + 1, sizeof *wish->reasons);
    wish->reasons[wish->n_reasons++] = reason;
}

void bucket_wishes_add(struct bucket_wishes *wishes, const char *name, const char *definition, int priority,
                       struct sync_line_reason reason) {
    assert(priority >= 0 && priority <= 3);
    struct bucket_wish *wish = map_get(&wishes->by_name, name);
    if (!wish) {
        wish = make(name, definition, priority);
        map_set(&wishes->by_name, name, wish);
    }
    wish->priority = priority < wish->priority ? priority : wish->priority;
    add_reason(wish, reason);
}

void bucket_wishes_join(struct bucket_wishes *wishes, struct bucket_wishes *more) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&more->by_name, &i));)
        free_wish(map_set(&wishes->by_name, entry->key, entry->value));
    map_free(&more->by_name, NULL);
}

void bucket_wishes_copy(struct bucket_wishes *wishes, const struct bucket_wishes *from) {
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&from->by_name, &i));) {
        const struct bucket_wish *wish = entry->value;
        struct bucket_wish *copy = make(wish->name, wish->definition, wish->priority);
        for (size_t j = 0; j < wish->n_reasons; j++)
            add_reason(copy, wish->reasons[j]);
        map_set(&wishes->by_name, wish->name, copy);
    }
}

void bucket_wishes_free(struct bucket_wishes *wishes) {
    map_free(&wishes->by_name, free_wish);
}
