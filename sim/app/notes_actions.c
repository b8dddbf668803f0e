/* What the users of the notes app do. Every action is one local transaction that decides by the action's own
 * random numbers and by what this device shows. Clients do not say who owns a row, the server knows;
 * those who do (`claim`) are not heard. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "app/batch.h"
#include "app/notes.h"

static const int64_t new_year = 1767225600; /* s: when the world begins */

static void set_text(json_t *values, const char *column, const char *text) {
    json_object_set_new(values, column, json_string(text));
}

/* True, false, or not decided. */
static json_t *some_done(struct batch *batch) {
    uint64_t choice = random_below(&batch->chance, 3);
    return choice == 2 ? json_null() : json_integer((json_int_t)choice);
}

/* In ms. One note in four is a memory of early 1970. */
static json_t *some_due(struct batch *batch) {
    int64_t day = (int64_t)random_below(&batch->chance, 100) * 86400;
    bool memory = random_chance(&batch->chance, 1, 4);
    return json_integer((memory ? day : new_year + day) * 1000);
}

/* In s. */
static json_t *some_reminder(struct batch *batch) {
    return json_integer(new_year + (int64_t)random_below(&batch->chance, 10000000));
}

static json_t *note_values(struct batch *batch, const char *folder, const char *title) {
    json_t *values = json_object();
    set_text(values, "folder_id", folder);
    set_text(values, "title", title);
    json_object_set_new(values, "done", some_done(batch));
    json_object_set_new(values, "due_at", some_due(batch));
    json_object_set_new(values, "remind_at", some_reminder(batch));
    json_object_set_new(values, "owner_id", json_null());
    set_text(values, "created_at", batch->created_at);
    return values;
}

static void add_note(struct batch *batch, const char *folder) {
    char id[37], title[64];
    random_uuid(&batch->ids, id);
    snprintf(title, sizeof title, "note %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    batch_add(batch, CLIENT_PUT, "notes", id, note_values(batch, folder, title));
}

static void add_folder(struct batch *batch) {
    char id[37], name[64];
    random_uuid(&batch->ids, id);
    snprintf(name, sizeof name, "folder %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    set_text(values, "name", name);
    json_object_set_new(values, "owner_id", json_null());
    set_text(values, "created_at", batch->created_at);
    batch_add(batch, CLIENT_PUT, "folders", id, values);
    for (int64_t i = 1; i < batch->rows; i++)
        add_note(batch, id);
}

static bool pick_folder(struct batch *batch, char id[BATCH_ID_SIZE]) {
    char sql[96];
    int64_t count = batch_query_integer(batch, "SELECT count(*) FROM folders");
    if (count == 0)
        return false;
    snprintf(sql, sizeof sql, "SELECT id FROM folders ORDER BY id LIMIT 1 OFFSET %lld",
             (long long)random_below(&batch->chance, (uint64_t)count));
    sqlite3_stmt *statement = batch_query(batch, sql);
    bool found = sqlite3_step(statement) == SQLITE_ROW;
    if (found)
        batch_copy_text(id, BATCH_ID_SIZE, sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return found;
}

static void add_notes(struct batch *batch) {
    char folder[BATCH_ID_SIZE];
    if (!pick_folder(batch, folder)) {
        add_folder(batch);
        return;
    }
    for (int64_t i = 0; i < batch->rows; i++)
        add_note(batch, folder);
}

/* A title that the server refuses, in the middle of good notes. */
static void add_long_title(struct batch *batch) {
    char folder[BATCH_ID_SIZE], id[37], title[COLUMN_TITLE_MOST + 2];
    if (!pick_folder(batch, folder))
        return;
    memset(title, 'x', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    add_note(batch, folder);
    random_uuid(&batch->ids, id);
    batch_add(batch, CLIENT_PUT, "notes", id, note_values(batch, folder, title));
    for (int64_t i = 2; i < batch->rows; i++)
        add_note(batch, folder);
}

static const char stolen_title[] = "mine now";

/* A note under the id of somebody else's, as one who knows how ids are made might try. */
static void guess(struct batch *batch) {
    char folder[BATCH_ID_SIZE], id[NOTES_ID_SIZE];
    size_t other = (size_t)random_below(&batch->chance, batch->n_users);
    if (!strcmp(batch->users[other], client_user(batch->client)) || !pick_folder(batch, folder))
        return;
    notes_seed_id(id, batch->users[other], 1, 1);
    batch_add(batch, CLIENT_PUT, "notes", id, note_values(batch, folder, stolen_title));
}

/* Who has guessed an id goes on while he is offline: the stolen note is there, so it can be changed and
 * deleted, and what he uploads names a row of somebody else's. */
static void meddle(struct batch *batch) {
    char id[BATCH_ID_SIZE], condition[64];
    snprintf(condition, sizeof condition, "title = '%s'", stolen_title);
    if (!batch_pick(batch, "notes", condition, id)) {
        guess(batch);
        return;
    }
    if (random_chance(&batch->chance, 1, 2)) {
        batch_add(batch, CLIENT_DELETE, "notes", id, NULL);
        return;
    }
    json_t *values = json_object();
    json_object_set_new(values, "done", some_done(batch));
    batch_add(batch, CLIENT_PATCH, "notes", id, values);
}

/* A folder with notes that say that somebody, maybe somebody else, owns them. */
static void claim(struct batch *batch) {
    const char *owner = batch->users[random_below(&batch->chance, batch->n_users)];
    add_folder(batch);
    for (size_t i = 0; i < batch->count; i++)
        set_text((json_t *)(uintptr_t)batch->operations[i].values, "owner_id", owner);
}

/* A folder with all its notes that this device shows; there may be others. */
static void delete_folder(struct batch *batch) {
    char folder[BATCH_ID_SIZE];
    if (!pick_folder(batch, folder))
        return;
    sqlite3_stmt *statement = batch_query(batch, "SELECT id FROM notes WHERE folder_id = ?1 ORDER BY id");
    sqlite3_bind_text(statement, 1, folder, -1, SQLITE_STATIC);
    while (batch->count < BATCH_ROWS_MOST - 1 && sqlite3_step(statement) == SQLITE_ROW)
        batch_add(batch, CLIENT_DELETE, "notes", (const char *)sqlite3_column_text(statement, 0), NULL);
    sqlite3_finalize(statement);
    batch_add(batch, CLIENT_DELETE, "folders", folder, NULL);
}

/* Up to batch->rows neighbours in the order of ids, from a random place. */
static void for_some_notes(struct batch *batch, void (*change)(struct batch *batch, const char *id)) {
    char sql[96];
    int64_t count = batch_query_integer(batch, "SELECT count(*) FROM notes");
    if (count == 0)
        return;
    snprintf(sql, sizeof sql, "SELECT id FROM notes ORDER BY id LIMIT %lld OFFSET %lld",
             (long long)batch->rows, (long long)random_below(&batch->chance, (uint64_t)count));
    sqlite3_stmt *statement = batch_query(batch, sql);
    while (batch->count < BATCH_ROWS_MOST && sqlite3_step(statement) == SQLITE_ROW)
        change(batch, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
}

static void edit_note(struct batch *batch, const char *id) {
    char title[64];
    snprintf(title, sizeof title, "changed %llu", (unsigned long long)random_below(&batch->chance, 1000000));
    json_t *values = json_object();
    set_text(values, "title", title);
    if (random_chance(&batch->chance, 1, 2))
        json_object_set_new(values, "due_at", some_due(batch));
    else
        json_object_set_new(values, "remind_at", some_reminder(batch));
    batch_add(batch, CLIENT_PATCH, "notes", id, values);
}

static void tick_note(struct batch *batch, const char *id) {
    json_t *values = json_object();
    json_object_set_new(values, "done", some_done(batch));
    batch_add(batch, CLIENT_PATCH, "notes", id, values);
}

static void delete_note(struct batch *batch, const char *id) {
    batch_add(batch, CLIENT_DELETE, "notes", id, NULL);
}

static void edit(struct batch *batch) {
    for_some_notes(batch, edit_note);
}

static void tick(struct batch *batch) {
    for_some_notes(batch, tick_note);
}

static void delete (struct batch *batch) {
    for_some_notes(batch, delete_note);
}

const struct app_action_kind notes_actions[] = {{"add-folder", 2, add_folder},
                                                {"add-notes", 6, add_notes},
                                                {"edit", 6, edit},
                                                {"tick", 5, tick},
                                                {"delete", 2, delete},
                                                {"long-title", 1, add_long_title},
                                                {"guess", 1, guess},
                                                {"meddle", 0, meddle},
                                                {"claim", 0, claim},
                                                {"delete-folder", 0, delete_folder},
                                                {.name = NULL}};
