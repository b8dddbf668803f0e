#include "mock-convex/store/table_shapes.h"

#include <stdlib.h>

#include "base/memory.h"

static void free_shape(void *value) {
    convex_shape_clear(value);
    free(value);
}

void convex_table_shapes_free(struct convex_table_shapes *shapes) {
    map_free(&shapes->shapes, free_shape);
    shapes->position = 0;
}

static struct convex_shape *need_shape(struct convex_table_shapes *shapes,
                                       const struct convex_store_table *table) {
    struct convex_shape *shape = map_get_bytes(&shapes->shapes, table->tablet, 16);
    if (shape == NULL) {
        shape = memory_allocate(sizeof *shape);
        map_set_bytes(&shapes->shapes, table->tablet, 16, shape);
    }
    return shape;
}

static void catch_up(struct convex_table_shapes *shapes, const struct convex_store *store) {
    for (; shapes->position < store->log_count; shapes->position++) {
        const struct convex_revision *revision = store->log[shapes->position];
        struct convex_shape *shape = need_shape(shapes, revision->document->table);
        if (revision->previous != NULL && revision->previous->value != NULL) {
            convex_shape_forget(shape, revision->previous->value);
        }
        if (revision->value != NULL) {
            convex_shape_observe(shape, revision->value);
        }
    }
}

/* As if there were a document without fields of its own. */
static const struct convex_shape *empty_shape(struct convex_table_shapes *shapes,
                                              const struct convex_store_table *table) {
    static const char key[] = "empty"; /* shorter than any tablet */
    char text[CONVEX_ID_TEXT_MAX];
    struct convex_id id = {.table = table->number};
    struct convex_value *document = convex_object();
    struct convex_shape *shape = map_get(&shapes->shapes, key);
    if (shape == NULL) {
        shape = memory_allocate(sizeof *shape);
        map_set(&shapes->shapes, key, shape);
    }
    convex_shape_clear(shape);
    convex_id_encode(&id, text);
    convex_object_set(document, "_id", convex_string(text));
    convex_object_set(document, "_creationTime", convex_float64(1));
    convex_shape_observe(shape, document);
    convex_free(document);
    return shape;
}

const struct convex_shape *convex_table_seen(struct convex_table_shapes *shapes,
                                             const struct convex_store *store,
                                             const struct convex_store_table *table) {
    catch_up(shapes, store);
    const struct convex_shape *shape = map_get_bytes(&shapes->shapes, table->tablet, 16);
    return shape != NULL && shape->object > 0 ? shape : NULL;
}

const struct convex_shape *convex_table_shape(struct convex_table_shapes *shapes,
                                              const struct convex_store *store,
                                              const struct convex_store_table *table) {
    const struct convex_shape *shape = convex_table_seen(shapes, store, table);
    return shape != NULL ? shape : empty_shape(shapes, table);
}
