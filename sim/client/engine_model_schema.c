/* Another schema for a client with data: rows stay where they are, and what the app has changes under them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/engine_model.h"
#include "client/pool.h"

/* The type of an item under the new schema; NULL: its row was of a local-only table that is no more. */
static const struct model_type *type_under(struct model_shared *shared, const struct model_type *type) {
    const struct client_table *table = engine_find_table(shared->schema, type->name);

    if (!type->local)
        return model_type_of(shared, type->name, strlen(type->name));
    return table != NULL && table->local_only ? model_table_type(shared, type->name) : NULL;
}

/* Local rows are nothing but what they show. */
static void drop_row(struct engine_model *model, struct model_item *item) {
    model_data_drop(item->shown);
    item->shown = NULL;
    model_item_free_empty(model, item);
}

static void change_types(struct engine_model *model, struct model_shared *shared) {
    struct model_item **gone = memory_allocate_array(model->n_items + 1, sizeof *gone);
    size_t n_gone = 0;

    for (size_t i = 0; i < model->n_slots; i++) {
        struct model_item *item = model->slots[i];
        const struct model_type *type;

        if (item == NULL || item->type == NULL)
            continue;
        type = type_under(shared, item->type);
        if (type == NULL)
            gone[n_gone++] = item;
        else
            item->type = type;
    }
    while (n_gone > 0)
        drop_row(model, gone[--n_gone]);
    free(gone);
}

enum status model_update_schema(struct engine *engine, const struct client_schema *schema,
                                struct engine_result *result, struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    enum status status = pool_check_schema(schema, error);

    *result = (struct engine_result){0};
    if (status != STATUS_OK)
        return status;
    model_items_forget_order(model);
    change_types(model, pool_model(model->pool, schema));
    model->shared = pool_model(model->pool, schema);
    model_collect_all(model, result);
    return STATUS_OK;
}
