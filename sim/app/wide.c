/* A wide app: 40 tables, and rows from a few bytes to hundreds of kilobytes. Each row says how long its body
 * is and what its hash is, so a row that lost a piece on its way shows it (intact-rows). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"
#include "base/memory.h"

#define TEN_TABLES(one, tens)                                                                                \
    one(tens "0") one(tens "1") one(tens "2") one(tens "3") one(tens "4") one(tens "5") one(tens "6")        \
        one(tens "7") one(tens "8") one(tens "9")
#define FORTY_TABLES(one) TEN_TABLES(one, "0") TEN_TABLES(one, "1") TEN_TABLES(one, "2") TEN_TABLES(one, "3")
#define NAME(number) "wide_" number

#define STREAM(number) APP_STREAM(NAME(number))
static const char sync_config[] = "config: {edition: 3}\nstreams:\n" FORTY_TABLES(STREAM);

static const struct client_column columns[] = {
    {"title", "text"}, {"body", "text"}, {"length", "integer"}, {"digest", "text"}};
#define CLIENT_TABLE(number) {NAME(number), columns, APP_ROOM(columns)},
static const struct client_table client_tables[] = {FORTY_TABLES(CLIENT_TABLE)};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
#define CONVEX_TABLE(number) APP_SYNCED_TABLE(NAME(number)),
static const struct convex_table tables[] = {FORTY_TABLES(CONVEX_TABLE) APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};

enum { LONG_COLUMN = 20000 };

/* The mutant `cut-text` is a column type of fixed size: what is longer than 20,000 bytes loses its end. */
static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *body = convex_object_text(arrival->fields, "body");
    (void)error;
    if (!body || strlen(body) <= LONG_COLUMN || !convex_mutant(context, "cut-text"))
        return STATUS_OK;
    char *cut = memory_format("%.*s", (int)LONG_COLUMN, body);
    convex_object_set(arrival->fields, "body", convex_string(cut));
    free(cut);
    return STATUS_OK;
}

/* Bytes of a body: 70 % small, 25 % some kilobytes, 5 % up to 300 kB. */
static size_t draw_length(struct random_stream *chance) {
    const uint64_t kind = random_below(chance, 20);
    const uint64_t most = kind < 14 ? 200 : kind < 19 ? 8000 : 300000;
    return (size_t)random_below(chance, most);
}

/* ASCII, so a byte is a character everywhere. The caller frees it. */
static char *draw_body(struct random_stream *chance) {
    const size_t length = draw_length(chance);
    char *body = memory_allocate(length + 1);
    uint64_t letters = 0;
    for (size_t i = 0; i < length; i++, letters >>= 8) {
        if (i % 8 == 0)
            letters = random_next(chance);
        body[i] = (char)('a' + (letters & 0xff) % 26);
    }
    return body;
}

static json_t *body_values(struct random_stream *chance) {
    char *body = draw_body(chance), digest[33];
    hash128_text(hash128_of(body, strlen(body)), digest);
    json_t *values = json_object();
    json_object_set_new(values, "body", json_string(body));
    json_object_set_new(values, "length", json_integer((json_int_t)strlen(body)));
    json_object_set_new(values, "digest", json_string(digest));
    free(body);
    return values;
}

static const char *pick_table(struct batch *batch) {
    return client_tables[random_below(&batch->chance, APP_ROOM(client_tables))].name;
}

static void add(struct batch *batch) {
    char id[37];
    random_uuid(&batch->ids, id);
    const char *table = pick_table(batch);
    json_t *values = body_values(&batch->chance);
    json_object_set_new(values, "title", json_string(id));
    batch_add(batch, CLIENT_PUT, table, id, values);
}

static void change(struct batch *batch, bool delete) {
    char id[BATCH_ID_SIZE];
    const char *table = pick_table(batch);
    if (!batch_pick(batch, table, "1", id))
        return;
    if (batch_has(batch, id))
        return;
    batch_add(batch, delete ? CLIENT_DELETE : CLIENT_PATCH, table, id,
              delete ? NULL : body_values(&batch->chance));
}

static void add_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        add(batch);
}

static void rewrite_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        change(batch, false);
}

static void remove_some(struct batch *batch) {
    for (int64_t i = 0; i < batch->rows; i++)
        change(batch, true);
}

/* `lists` rows in each table, with bodies of `todos` bytes. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "wide.seed");
    char *body = memory_allocate((size_t)todos_per_list + 1), digest[33], uuid[37];
    (void)users, (void)n_users;
    memset(body, 'x', (size_t)todos_per_list);
    hash128_text(hash128_of(body, (size_t)todos_per_list), digest);
    for (size_t t = 0; t < APP_ROOM(client_tables); t++)
        for (int64_t i = 0; i < lists_per_user; i++) {
            random_uuid(&chance, uuid);
            struct convex_value *row = app_plant_row(rows, client_tables[t].name, uuid);
            convex_object_set(row, "title", convex_string(uuid));
            convex_object_set(row, "body", convex_string(body));
            convex_object_set(row, "length", convex_float64((double)todos_per_list));
            convex_object_set(row, "digest", convex_string(digest));
        }
    free(body);
    return app_plant(deployment, rows, error);
}

static const struct app_action_kind actions[] = {
    {"add", 4, add_some}, {"rewrite", 3, rewrite_some}, {"remove", 1, remove_some}, {.name = NULL}};

const struct app app_wide = {.name = "wide", APP_DECLARED, .seed = seed, .receive = receive};
