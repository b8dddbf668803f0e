/* A diary that people of one household keep together, on devices of many makers: each writes times and
 * booleans in its own way, and the backend brings them into one form. Old entries are imported from before
 * there was sync, on each of a person's devices, under ids that follow from the entry, so the second import
 * changes nothing. Tags are a table of pairs with an id of their own; the backend sees to it that no pair is
 * there twice, and the knob diary.duplicate-tags says how: 0, the second is dropped (usual); 1, it is merged
 * into the first; 2, its transaction is refused.
 *
 * Three actions are what people write first: `import-anew` makes new ids, `empty-id` forgets one and makes an
 * empty text of that, and `match-texts` holds that times
 * are the same when their texts are, so it corrects for ever what the backend has brought into its form. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/batch.h"
#include "app/parts.h"

static const char sync_config[] = "config: {edition: 3}\nstreams:\n" APP_STREAM("entries") APP_STREAM("tags");

/* `written_at` is synced; `calendar` is the same time as the device's calendar says it, word for word.
 * `source`: which old entry it is; null: it is none. */
static const struct client_column entry_columns[] = {{"text", "text"},       {"starred", "integer"},
                                                     {"written_at", "text"}, {"calendar", "text"},
                                                     {"written_by", "text"}, {"source", "text"}};
static const struct client_column tag_columns[] = {
    {"entry_id", "text"}, {"name", "text"}, {"colour", "text"}};
static const struct client_table client_tables[] = {{"entries", entry_columns, APP_ROOM(entry_columns)},
                                                    {"tags", tag_columns, APP_ROOM(tag_columns)}};
static const struct client_schema schema = {client_tables, APP_ROOM(client_tables)};
static const struct convex_index tag_indexes[] = {{"by_uuid", {"uuid"}, 1},
                                                  {"by_pair", {"entry_id", "name"}, 2}};
static const struct convex_table tables[] = {
    APP_SYNCED_TABLE("entries"),
    {.name = "tags", .indexes = tag_indexes, .n_indexes = APP_ROOM(tag_indexes)},
    APP_RECEIPTS};
static const struct convex_function functions[] = {APP_UPLOAD_FUNCTIONS, APP_PLANTING};
static const struct column_mapping mapped[] = {{"entries", "starred", COLUMN_BOOLEAN, NULL},
                                               {"entries", "written_at", COLUMN_ISO_TIME, NULL},
                                               {"tags", "entry_id", COLUMN_COPIED, "entries"}};

/* --- the backend --- */

enum { DUPLICATES_DROPPED, DUPLICATES_MERGED, DUPLICATES_REFUSED };

static enum status find_pair(struct convex_context *context, const char *entry, const char *name, char id[64],
                             struct error *error) {
    struct convex_value *entry_key = convex_string(entry), *name_key = convex_string(name);
    const struct convex_value *keys[] = {entry_key, name_key};
    const struct convex_value **documents = NULL;
    size_t count = 0;
    enum status status = convex_find(context, "tags", "by_pair", keys, 2, 1, &documents, &count, error);
    id[0] = '\0';
    if (count > 0)
        snprintf(id, 64, "%s", convex_object_text(documents[0], "_id"));
    free(documents);
    convex_free(entry_key);
    convex_free(name_key);
    return status;
}

static enum status merge(struct convex_context *context, const char *id, const struct app_arrival *arrival,
                         struct error *error) {
    const struct convex_value *colour = convex_object_get(arrival->fields, "colour");
    struct convex_value *patch = convex_object();
    convex_object_set(patch, "colour", colour ? convex_copy(colour) : convex_null());
    enum status status = convex_patch(context, "tags", id, patch, error);
    convex_free(patch);
    return status;
}

static enum status receive_tag(struct convex_context *context, struct app_arrival *arrival,
                               struct error *error) {
    const char *entry = convex_object_text(arrival->fields, "entry_id");
    const char *name = convex_object_text(arrival->fields, "name");
    const int64_t duplicates = convex_knob(context, "diary.duplicate-tags", DUPLICATES_DROPPED,
                                           DUPLICATES_DROPPED, DUPLICATES_REFUSED);
    char there[64];
    if (arrival->document || !entry || !name || convex_mutant(context, "no-unique-pair"))
        return STATUS_OK;
    enum status status = find_pair(context, entry, name, there, error);
    if (status != STATUS_OK || !*there)
        return status;
    if (duplicates == DUPLICATES_REFUSED)
        return error_set(error, STATUS_INVALID, "the entry has the tag %s already", name);
    arrival->dropped = true;
    return duplicates == DUPLICATES_MERGED ? merge(context, there, arrival, error) : STATUS_OK;
}

/* An import never writes over what is there. */
static enum status receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    if (!strcmp(arrival->table, "tags"))
        return receive_tag(context, arrival, error);
    arrival->dropped = arrival->document && convex_object_text(arrival->fields, "source");
    return STATUS_OK;
}

/* --- what its users do --- */

enum { OLD_ENTRIES = 12 /* of each user */ };

/* One moment in the form of one maker; thousandths are the finest that all of them have. */
static json_t *some_time(struct batch *batch) {
    static const char *const forms[] = {"SELECT ?1", "SELECT replace(replace(?1, 'T', ' '), 'Z', '')",
                                        "SELECT strftime('%Y-%m-%dT%H:%M:%f+01:00', ?1, '+1 hour')",
                                        "SELECT replace(?1, 'Z', '456Z')"};
    sqlite3_stmt *statement = batch_query(batch, forms[random_below(&batch->chance, APP_ROOM(forms))]);
    sqlite3_bind_text(statement, 1, batch->created_at, -1, SQLITE_STATIC);
    json_t *time = NULL;
    if (sqlite3_step(statement) == SQLITE_ROW)
        time = json_string((const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    assert(time);
    return time;
}

static json_t *some_star(struct batch *batch) {
    static const char *const texts[] = {"true", "false", "1", "0"};
    const uint64_t choice = random_below(&batch->chance, APP_ROOM(texts) + 5);
    if (choice < APP_ROOM(texts))
        return json_string(texts[choice]);
    switch (choice - APP_ROOM(texts)) {
    case 0:
        return json_null();
    case 1:
        return json_true();
    case 2:
        return json_false();
    default:
        return json_integer((json_int_t)(choice % 2));
    }
}

/* `source` NULL: a new entry. */
static void add_entry(struct batch *batch, const char *id, const char *source) {
    char text[64];
    snprintf(text, sizeof text, "dear diary %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object(), *time = some_time(batch);
    json_object_set_new(values, "text", json_string(source ? source : text));
    json_object_set_new(values, "starred", some_star(batch));
    json_object_set(values, "written_at", time);
    json_object_set_new(values, "calendar", time);
    json_object_set_new(values, "written_by", json_string(client_name(batch->client)));
    json_object_set_new(values, "source", source ? json_string(source) : json_null());
    batch_add(batch, CLIENT_PUT, "entries", id, values);
}

static void write_entries(struct batch *batch) {
    char id[37];
    for (int64_t i = 0; i < batch->rows; i++) {
        random_uuid(&batch->ids, id);
        add_entry(batch, id, NULL);
    }
}

static void star(struct batch *batch) {
    char id[BATCH_ID_SIZE];
    if (!batch_pick(batch, "entries", "1", id))
        return;
    json_t *values = json_object();
    json_object_set_new(values, "starred", some_star(batch));
    batch_add(batch, CLIENT_PATCH, "entries", id, values);
}

static bool is_shown(struct batch *batch, const char *sql, const char *first, const char *second) {
    sqlite3_stmt *statement = batch_query(batch, sql);
    sqlite3_bind_text(statement, 1, first, -1, SQLITE_STATIC);
    if (second)
        sqlite3_bind_text(statement, 2, second, -1, SQLITE_STATIC);
    const bool shown = sqlite3_step(statement) == SQLITE_ROW;
    sqlite3_finalize(statement);
    return shown;
}

/* A tag that the entry does not have here. There are few, so two people give the same one. */
static void add_tag(struct batch *batch) {
    static const char *const names[] = {"home", "garden", "school"};
    static const char *const colours[] = {"red", "green", "blue"};
    char entry[BATCH_ID_SIZE], id[37];
    const char *name = names[random_below(&batch->chance, APP_ROOM(names))];
    if (!batch_pick(batch, "entries", "1", entry) ||
        is_shown(batch, "SELECT 1 FROM tags WHERE entry_id = ?1 AND name = ?2", entry, name))
        return;
    random_uuid(&batch->ids, id);
    json_t *values = json_object();
    json_object_set_new(values, "entry_id", json_string(entry));
    json_object_set_new(values, "name", json_string(name));
    json_object_set_new(values, "colour",
                        json_string(colours[random_below(&batch->chance, APP_ROOM(colours))]));
    batch_add(batch, CLIENT_PUT, "tags", id, values);
}

/* The next old entries that are not here; a crash between two transactions only makes it go on later. */
static void import_old(struct batch *batch, bool new_ids) {
    for (int i = 1; i <= OLD_ENTRIES && (int64_t)batch->count < batch->rows; i++) {
        char source[BATCH_ID_SIZE], id[BATCH_ID_SIZE];
        snprintf(source, sizeof source, "%.40s's page %d", client_user(batch->client), i);
        if (is_shown(batch, "SELECT 1 FROM entries WHERE source = ?1", source, NULL))
            continue;
        snprintf(id, sizeof id, "old-%.40s-%d", client_user(batch->client), i);
        if (new_ids)
            random_uuid(&batch->ids, id);
        add_entry(batch, id, source);
    }
}

/* The diary follows the calendar: entries of this device whose time is not what the calendar says. */
static void match_calendar(struct batch *batch, bool by_text) {
    sqlite3_stmt *statement = batch_query(
        batch, by_text
                   ? "SELECT id, calendar FROM entries WHERE written_by = ?1 AND written_at IS NOT calendar "
                     "ORDER BY id LIMIT ?2"
                   : "SELECT id, calendar FROM entries WHERE written_by = ?1 AND strftime('%Y%m%d%H%M%f', "
                     "written_at) IS NOT strftime('%Y%m%d%H%M%f', calendar) ORDER BY id LIMIT ?2");
    sqlite3_bind_text(statement, 1, client_name(batch->client), -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, batch->rows);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        json_t *values = json_object();
        json_object_set_new(values, "written_at",
                            json_string((const char *)sqlite3_column_text(statement, 1)));
        batch_add(batch, CLIENT_PATCH, "entries", (const char *)sqlite3_column_text(statement, 0), values);
    }
    sqlite3_finalize(statement);
}

/* An entry, and one without an id: the core refuses both, and the app says so to its user. */
static void forget_id(struct batch *batch) {
    batch->rows = 1;
    write_entries(batch);
    add_entry(batch, NULL, NULL);
    batch->may_be_refused = true;
}

static void empty_id(struct batch *batch) {
    add_entry(batch, "", NULL);
}

static void import(struct batch *batch) {
    import_old(batch, false);
}

static void import_anew(struct batch *batch) {
    import_old(batch, true);
}

static void match(struct batch *batch) {
    match_calendar(batch, false);
}

static void match_texts(struct batch *batch) {
    match_calendar(batch, true);
}

/* `lists` entries. */
static enum status seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                        int64_t lists_per_user, int64_t todos_per_list, uint64_t choice,
                        struct error *error) {
    struct convex_value *rows = convex_object();
    struct random_stream chance = random_stream_make(choice, "diary.seed");
    (void)users, (void)n_users, (void)todos_per_list;
    for (int64_t i = 1; i <= lists_per_user; i++) {
        char uuid[37];
        random_uuid(&chance, uuid);
        struct convex_value *entry = app_plant_row(rows, "entries", uuid);
        convex_object_set(entry, "text", convex_string("the first page"));
        convex_object_set(entry, "starred", convex_null());
        convex_object_set(entry, "written_at", convex_string("2025-12-31T12:00:00.000Z"));
        convex_object_set(entry, "calendar", convex_null());
        convex_object_set(entry, "written_by", convex_null());
        convex_object_set(entry, "source", convex_null());
    }
    return app_plant(deployment, rows, error);
}

static const struct app_action_kind actions[] = {{"write", 3, write_entries},
                                                 {"star", 2, star},
                                                 {"tag", 4, add_tag},
                                                 {"import", 1, import},
                                                 {"match", 1, match},
                                                 {"no-id", 1, forget_id},
                                                 {"import-anew", 0, import_anew},
                                                 {"match-texts", 0, match_texts},
                                                 {"empty-id", 0, empty_id},
                                                 {.name = NULL}};

const struct app app_diary = {.name = "diary",
                              APP_DECLARED,
                              .mapping = {.columns = mapped, .n_columns = APP_ROOM(mapped)},
                              .seed = seed,
                              .receive = receive};
