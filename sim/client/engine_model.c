#include "client/engine_model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/core_random.h"
#include "client/pool.h"

/* --- what clients share --- */

struct model_shared *model_shared_create(struct disk_vfs *vfs, const struct client_schema *schema,
                                         struct model_shared *first) {
    struct model_shared *shared = memory_allocate(sizeof *shared);

    shared->interned = first != NULL ? first->interned : &shared->texts;
    shared->data = first != NULL ? first->data : &shared->own_data;

    shared->vfs = vfs;
    shared->schema = schema;
    shared->rows = row_reader_create(schema);
    shared->tables = model_tables_create(shared);
    return shared;
}

const struct client_schema *model_shared_schema(const struct model_shared *shared) {
    return shared->schema;
}

static void free_type(void *pointer) {
    struct model_type *type = pointer;

    free(type->name);
    free(type);
}

void model_shared_free(struct model_shared *shared) {
    if (shared == NULL)
        return;
    model_tables_free(shared->tables);
    row_reader_free(shared->rows);
    model_line_free(&shared->line);
    map_free(&shared->types, free_type);
    map_free(&shared->local_types, free_type);
    map_free(&shared->texts, free);
    model_texts_free(&shared->own_data);
    for (size_t i = 0; i < shared->n_written; i++)
        free((char *)(uintptr_t)shared->written[i].values);
    free(shared->written);
    free(shared->touched);
    free(shared->changed_rows);
    free(shared->positions);
    buffer_free(&shared->text);
    buffer_free(&shared->before);
    buffer_free(&shared->request);
    buffer_free(&shared->status);
    buffer_free(&shared->entry);
    free(shared);
}

static const struct model_table *find_table(const struct model_shared *shared, const char *name) {
    for (size_t t = 0; t < shared->rows->n_tables; t++)
        if (strcmp(shared->rows->tables[t].name, name) == 0)
            return &shared->rows->tables[t];
    return NULL;
}

static const struct model_type *type_of(struct model_shared *shared, const char *name, size_t length,
                                        bool local) {
    struct map *types = local ? &shared->local_types : &shared->types;
    struct model_type *type = map_get_bytes(types, name, length);

    if (type != NULL)
        return type;
    type = memory_allocate(sizeof *type);
    type->name = memory_copy_bytes(name, length);
    type->local = local;
    type->table = find_table(shared, type->name);
    if (type->table != NULL && type->table->options->local_only != local)
        type->table = NULL;
    map_set_bytes(types, name, length, type);
    return type;
}

const struct model_type *model_type_of(struct model_shared *shared, const char *name, size_t length) {
    return type_of(shared, name, length, false);
}

const struct model_type *model_table_type(struct model_shared *shared, const char *table) {
    return type_of(shared, table, strlen(table), find_table(shared, table)->options->local_only);
}

int64_t model_now(struct engine_model *model) {
    int64_t wall = host_wall_clock(model->host);

    return (wall / TIME_MILLISECOND - (wall % TIME_MILLISECOND < 0)) * 1000;
}

/* --- the iteration --- */

static void end_iteration(struct engine_model *model) {
    model->active = false;
    model->has_target = false;
    model->held_back = false;
}

static void close_iteration(struct engine_model *model, bool hide_disconnect, struct engine_result *result) {
    result->close = true;
    result->hide_disconnect = hide_disconnect;
    end_iteration(model);
}

static void disconnect(struct engine_model *model, struct engine_result *result) {
    model->status.connected = false;
    model->status.connecting = false;
    model->status.downloading = false;
    model->status.last_applied = MODEL_NONE;
    model_status_emit(model, result);
    close_iteration(model, false, result);
}

/* --- checkpoint lines --- */

static void untrack(struct engine_model *model, struct model_bucket *bucket) {
    bucket->tracked = false;
    bucket->known = false;
    free(bucket->reasons);
    bucket->reasons = NULL;
    bucket->n_reasons = 0;
    if (bucket->row != 0)
        return;
    map_remove_bytes(&model->buckets, bucket->name, bucket->name_length);
    model_bucket_free(bucket);
}

static void track(struct engine_model *model, const struct model_line *line,
                  const struct line_bucket *source) {
    struct model_bucket *bucket = model_bucket_get(model, source->name);

    bucket->tracked = true;
    bucket->known = true;
    bucket->checksum = source->checksum;
    bucket->priority = source->priority;
    bucket->count = source->count;
    if (bucket->n_reasons != source->n_reasons) {
        free(bucket->reasons);
        bucket->reasons = memory_allocate_array(source->n_reasons + 1, sizeof *bucket->reasons);
    }
    bucket->n_reasons = source->n_reasons;
    if (source->n_reasons > 0)
        memcpy(bucket->reasons, line->reasons + source->first_reason,
               source->n_reasons * sizeof *bucket->reasons);
}

/* The first checkpoint ends what was stored before, a later one what was tracked, unless it is in there. */
static void track_checkpoint(struct engine_model *model, const struct model_line *line) {
    struct map_entry *entry;
    struct map gone = {0};
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL)
        if (((struct model_bucket *)entry->value)->known)
            map_set_bytes(&gone, entry->key, entry->key_length, entry->value);
    for (size_t i = 0; i < line->n_buckets; i++) {
        map_remove_bytes(&gone, line->buckets[i].name.bytes, line->buckets[i].name.length);
        track(model, line, &line->buckets[i]);
    }
    position = 0;
    while ((entry = map_next(&gone, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        bucket->tracked = true; /* so that it lives until untrack */
        model_bucket_drop_stored(model, (struct json_span){entry->key, entry->key_length});
        untrack(model, bucket);
    }
    map_free(&gone, NULL);
}

static void track_diff(struct engine_model *model, const struct model_line *line) {
    for (size_t i = 0; i < line->n_removed; i++) {
        struct model_bucket *bucket =
            map_get_bytes(&model->buckets, line->removed[i].bytes, line->removed[i].length);

        if (bucket == NULL)
            continue;
        bucket->tracked = true;
        model_bucket_drop_stored(model, line->removed[i]);
        untrack(model, bucket);
    }
    for (size_t i = 0; i < line->n_buckets; i++)
        track(model, line, &line->buckets[i]);
}

/* Download progress begins at what earlier iterations have left. A bucket that got smaller starts it anew. */
static void load_progress(struct engine_model *model) {
    const struct map_entry *entry;
    size_t position = 0;
    bool reset = false;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        bucket->shown_at_last = bucket->count_at_last;
        bucket->shown_since_last = bucket->count_since_last;
        reset |= bucket->tracked && bucket->row != 0 &&
                 (bucket->count < 0 ? 0 : bucket->count) < bucket->count_at_last + bucket->count_since_last;
    }
    position = 0;
    while (reset && (entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        bucket->shown_at_last = bucket->shown_since_last = 0;
        bucket->count_at_last = bucket->count_since_last = 0;
    }
}

static void start_tracking(struct engine_model *model, const struct model_line *line,
                           struct engine_result *result) {
    if (line->kind == LINE_CHECKPOINT)
        track_checkpoint(model, line);
    else
        track_diff(model, line);
    load_progress(model);
    model_streams_resolve(model, line);
    model->has_target = true;
    model->held_back = false;
    model->target_op = line->last_op;
    model->target_write_checkpoint = line->has_write_checkpoint ? line->write_checkpoint : MODEL_NONE;
    model->tracked_op = line->last_op;
    model->status.downloading = true;
    model_status_emit(model, result);
}

static enum status complete(struct engine_model *model, int64_t priority, struct engine_result *result,
                            struct error *error) {
    enum model_outcome outcome;
    enum status status;

    if (!model->has_target)
        return error_set(error, STATUS_INVALID,
                         "Sync protocol error: checkpoint complete without previous checkpoint");
    status = model_apply(model, priority, &outcome, error);
    if (status != STATUS_OK)
        return status;
    model->complete_op = model->tracked_op;
    if (outcome == MODEL_MISMATCH) {
        close_iteration(model, false, result);
        return STATUS_OK;
    }
    if (priority == MODEL_NONE) {
        result->applied = outcome == MODEL_APPLIED;
        result->blocked = outcome == MODEL_BLOCKED;
        model->held_back |= result->blocked;
    }
    model_status_emit(model, result);
    return STATUS_OK;
}

/* Whether the request would be another one now. */
static void restart_for_streams(struct engine_model *model, struct engine_result *result) {
    model_subscriptions_expire(model);
    if (model_subscriptions_differ(model))
        close_iteration(model, true, result);
}

static void keepalive(struct engine_model *model, int64_t seconds, struct engine_result *result) {
    enum { PREFETCH = 30 };

    model_subscriptions_extend(model);
    if (seconds <= PREFETCH) {
        result->fetch_credentials = true;
        result->did_expire = seconds <= 0;
        if (result->did_expire)
            close_iteration(model, false, result);
        return;
    }
    restart_for_streams(model, result);
}

static enum status take_line(struct engine_model *model, const struct model_line *line,
                             struct engine_result *result, struct error *error) {
    enum status status = STATUS_OK;

    model->status.connected = true;
    model->status.connecting = false;
    switch (line->kind) {
    case LINE_DIFF:
        if (!model->has_target)
            return error_set(error, STATUS_INVALID,
                             "Sync protocol error: Received checkpoint_diff without previous checkpoint");
        start_tracking(model, line, result);
        break;
    case LINE_CHECKPOINT:
        start_tracking(model, line, result);
        break;
    case LINE_COMPLETE:
        status = complete(model, MODEL_NONE, result, error);
        break;
    case LINE_PARTIAL:
        result->partial = true;
        result->priority = line->number;
        status = complete(model, line->number, result, error);
        break;
    case LINE_DATA:
        model_oplog_insert(model, line);
        break;
    case LINE_KEEPALIVE:
        keepalive(model, line->number, result);
        break;
    case LINE_UNKNOWN:
        break;
    }
    if (status == STATUS_OK && !result->close)
        model_status_emit(model, result);
    return status;
}

static enum status no_iteration(struct error *error) {
    return error_set(error, STATUS_INVALID, "No iteration is active");
}

static enum status model_line(struct engine *engine, const void *bytes, size_t length, bool binary,
                              struct engine_result *result, struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    struct model_line *line = &model->shared->line;
    enum status status;

    *result = (struct engine_result){0};
    if (!model->active)
        return no_iteration(error);
    model_transaction_begin(model);
    status = model_line_read(line, bytes, length, binary, error);
    if (status == STATUS_OK)
        status = take_line(model, line, result, error);
    result->op = model->complete_op;
    model_transaction_end(model, result);
    if (status != STATUS_OK)
        end_iteration(model);
    return status;
}

/* --- events --- */

/* A checkpoint that was held back goes now, unless it is older than the upload. */
static enum status upload_completed(struct engine_model *model, struct engine_result *result,
                                    struct error *error) {
    enum model_outcome outcome;
    enum status status;

    if (!model->held_back)
        return STATUS_OK;
    model->held_back = false;
    if (model->target != MODEL_NONE && model->target_write_checkpoint < model->target)
        return STATUS_OK;
    status = model_apply(model, MODEL_NONE, &outcome, error);
    if (status != STATUS_OK)
        return status;
    result->applied = outcome == MODEL_APPLIED;
    if (result->applied)
        model_status_emit(model, result);
    return STATUS_OK;
}

static enum status take_event(struct engine_model *model, enum engine_event event,
                              struct engine_result *result, struct error *error) {
    switch (event) {
    case ENGINE_ESTABLISHED:
        model->status.connected = true;
        model->status.connecting = false;
        model_status_emit(model, result);
        break;
    case ENGINE_COMPLETED_UPLOAD:
        return upload_completed(model, result, error);
    case ENGINE_REFRESHED_TOKEN:
        close_iteration(model, true, result);
        break;
    case ENGINE_CHANGED_STREAMS:
        model_subscriptions_extend(model);
        restart_for_streams(model, result);
        break;
    case ENGINE_END:
    case ENGINE_STOP:
        disconnect(model, result);
        break;
    }
    return STATUS_OK;
}

static enum status model_event(struct engine *engine, enum engine_event event, struct engine_result *result,
                               struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    enum status status;

    *result = (struct engine_result){0};
    result->op = model->complete_op;
    if (!model->active)
        return event == ENGINE_STOP ? STATUS_OK : no_iteration(error);
    model_transaction_begin(model);
    status = take_event(model, event, result, error);
    model_transaction_end(model, result);
    if (status != STATUS_OK)
        end_iteration(model);
    return status;
}

/* --- start --- */

static void model_offline_status(struct engine *engine, struct engine_result *result) {
    struct engine_model *model = engine_model_of(engine);

    *result = (struct engine_result){.op = model->complete_op};
    model_status_tell_offline(model, result);
}

static enum status model_ask(struct engine *engine, const char *parameters,
                             const struct client_subscription *subscriptions, size_t n_subscriptions,
                             struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    struct buffer sorted = {0};
    json_t *json = parameters == NULL ? json_object() : json_parse(parameters, strlen(parameters), error);

    if (json == NULL)
        return STATUS_INVALID;
    json_append_sorted(&sorted, json);
    json_decref(json);
    free(model->parameters);
    model->parameters = buffer_take(&sorted);
    free(model->asked);
    model->asked = memory_allocate_array(n_subscriptions + 1, sizeof *model->asked);
    model->n_asked = n_subscriptions;
    for (size_t i = 0; i < n_subscriptions; i++)
        model->asked[i] = model_subscription_of(model, &subscriptions[i]);
    return STATUS_OK;
}

static int by_row(const void *a, const void *b) {
    const struct model_bucket *const *one = a, *const *other = b;

    return ((*one)->row > (*other)->row) - ((*one)->row < (*other)->row);
}

static void append_buckets(struct engine_model *model, struct buffer *out) {
    struct model_bucket **stored = memory_allocate_array(model->buckets.count + 1, sizeof *stored);
    struct map_entry *entry;
    size_t position = 0, count = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL)
        if (((struct model_bucket *)entry->value)->row != 0)
            stored[count++] = entry->value;
    if (count > 1)
        qsort(stored, count, sizeof *stored, by_row);
    for (size_t i = 0; i < count; i++) {
        buffer_append_text(out, i > 0 ? ",{\"name\":" : "{\"name\":");
        buffer_append_json_string(out, stored[i]->name, stored[i]->name_length);
        buffer_printf(out, ",\"after\":\"%lld\"}", (long long)stored[i]->last_op);
    }
    free(stored);
}

static void append_request(struct engine_model *model, struct buffer *out) {
    buffer_clear(out);
    buffer_append_text(out, "{\"buckets\":[");
    append_buckets(model, out);
    buffer_printf(out,
                  "],\"include_checksum\":true,\"raw_data\":true,\"binary_data\":true,\"client_id\":\"%s\","
                  "\"parameters\":%s,\"streams\":{\"include_defaults\":true,\"subscriptions\":[",
                  model->client_id, model->parameters);
    for (size_t i = 0; i < model->n_requested; i++) {
        const struct model_subscription *wanted = &model->requested[i];

        buffer_append_text(out, i > 0 ? ",{\"stream\":" : "{\"stream\":");
        buffer_append_json_text(out, wanted->name);
        buffer_append_text(out, ",\"parameters\":");
        buffer_append_text(out, wanted->parameters != NULL ? wanted->parameters : "null");
        if (wanted->priority == MODEL_NONE)
            buffer_append_text(out, ",\"override_priority\":null}");
        else
            buffer_printf(out, ",\"override_priority\":%lld}", (long long)wanted->priority);
    }
    buffer_append_text(out, "]},\"app_metadata\":{}}");
}

/* Nothing is tracked any more; what is stored goes with the first checkpoint, unless it is in there. */
static void forget_target(struct engine_model *model) {
    struct map_entry *entry;
    size_t position = 0;

    while ((entry = map_next(&model->buckets, &position)) != NULL) {
        struct model_bucket *bucket = entry->value;

        if (bucket->tracked)
            untrack(model, bucket);
    }
    position = 0;
    while ((entry = map_next(&model->buckets, &position)) != NULL)
        ((struct model_bucket *)entry->value)->known = true;
}

static enum status model_start(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_model *model = engine_model_of(engine);

    (void)error;
    *result = (struct engine_result){.op = model->complete_op};
    end_iteration(model);
    forget_target(model);
    model->active = true;
    model_status_offline(model);
    model->status.connecting = true;
    model_status_emit(model, result);
    model_subscriptions_extend(model);
    model_subscriptions_expire(model);
    model_subscriptions_request(model);
    append_request(model, &model->shared->request);
    result->establish = true;
    result->checkpoint_request = model_first_request(model);
    result->request = buffer_text(&model->shared->request);
    result->request_length = model->shared->request.length;
    return STATUS_OK;
}

/* --- life --- */

static const char *model_client_id(struct engine *engine) {
    return engine_model_of(engine)->client_id;
}

static sqlite3 *model_database(struct engine *engine) {
    struct engine_model *model = engine_model_of(engine);

    disk_vfs_set_node(model->shared->vfs, model->host);
    return model_tables_of(model->shared->tables, model);
}

static const struct client_schema *model_schema(const struct engine *engine) {
    return ((const struct engine_model *)engine)->shared->schema; /* its first member */
}

static enum status model_restart(struct engine *engine, struct engine_result *result, struct error *error) {
    struct engine_model *model = engine_model_of(engine);

    (void)error;
    *result = (struct engine_result){0};
    end_iteration(model);
    forget_target(model);
    model->tracked_op = 0;
    model->complete_op = 0;
    model_status_tell_offline(model, result);
    model_collect_all(model, result);
    return STATUS_OK;
}

/* One value that no sync source has, in every text column of the first table. */
static enum status model_plant_row(struct engine *engine, const char *id, struct engine_result *result,
                                   struct error *error) {
    struct engine_model *model = engine_model_of(engine);
    const struct model_table *table = &model->shared->rows->tables[0];
    struct model_item *item =
        model_item_get(model, model_table_type(model->shared, table->name), id, strlen(id));
    struct row_value *values = model->shared->rows->values;
    struct buffer text = {0};
    struct model_data *data;

    (void)error;
    *result = (struct engine_result){.op = model->complete_op};
    for (size_t c = 0; c < table->n_columns; c++)
        values[c] = table->columns[c].type == ROW_TEXT
                        ? (struct row_value){.kind = ROW_VALUE_TEXT, .text = "phantom", .length = 7}
                        : (struct row_value){.kind = ROW_VALUE_INTEGER};
    row_append_data(table, values, &text);
    data = model_data_make(model->shared->data, text.data, text.length);
    model_transaction_begin(model);
    model_item_show(model, item, data);
    model_transaction_end(model, result);
    model_data_drop(data);
    buffer_free(&text);
    return STATUS_OK;
}

static void model_destroy(struct engine *engine) {
    struct engine_model *model = engine_model_of(engine);

    model_items_free(model);
    map_free(&model->buckets, model_bucket_free);
    model_queue_free(model);
    free(model->subscriptions);
    free(model->synced);
    free(model->parameters);
    free(model->asked);
    free(model->requested);
    free(model->server_streams);
    free(model->status.priorities);
    free(model->status.streams);
    free(model);
}

static const struct engine_operations model_operations = {
    .name = "model",
    .destroy = model_destroy,
    .client_id = model_client_id,
    .database = model_database,
    .ask = model_ask,
    .subscribe = model_subscribe,
    .unsubscribe = model_unsubscribe,
    .offline_status = model_offline_status,
    .start = model_start,
    .line = model_line,
    .event = model_event,
    .write = model_write,
    .queue_head = model_queue_head,
    .next_transaction = model_next_transaction,
    .queue_each = model_queue_each,
    .complete = model_complete,
    .gate = model_gate,
    .status = model_status_text,
    .set_target = model_set_target,
    .use_requests = model_use_requests,
    .request_id = model_request_id,
    .clear = model_clear,
    .restart = model_restart,
    .update_schema = model_update_schema,
    .schema = model_schema,
    .plant_row = model_plant_row,
};

void engine_model_create(struct client_pool *pool, struct host *host, const char *client_id,
                         struct engine **engine) {
    struct engine_model *model = memory_allocate(sizeof *model);

    model->engine.operations = &model_operations;
    model->pool = pool;
    model->shared = pool_model(pool, pool_schema(pool));
    model->host = host;
    model->next_transaction = 1;
    model->target = model->seen = model->applied = MODEL_NONE;
    model->requested_id = MODEL_NONE;
    model->status.last_applied = MODEL_NONE;
    model->parameters = memory_copy_text("{}");
    if (client_id != NULL)
        memcpy(model->client_id, client_id, sizeof model->client_id);
    else
        core_random_uuid(host, "core.client-id", model->client_id);
    *engine = &model->engine;
}
