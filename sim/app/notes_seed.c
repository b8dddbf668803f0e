#include <assert.h>
#include <stdio.h>

#include "app/notes.h"

static const char created_at[] = "2025-12-31T12:00:00.000Z"; /* before anybody's devices were there */

void notes_seed_folder_id(char id[NOTES_ID_SIZE], const char *user, int64_t folder) {
    snprintf(id, NOTES_ID_SIZE, "folder-%.40s-%lld", user, (long long)folder);
}

void notes_seed_id(char id[NOTES_ID_SIZE], const char *user, int64_t folder, int64_t note) {
    snprintf(id, NOTES_ID_SIZE, "note-%.40s-%lld-%lld", user, (long long)folder, (long long)note);
}

enum status notes_add_folder(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error) {
    char id[64];
    const struct convex_value *folder = convex_object_get(args, "folder");
    const struct convex_value *notes = convex_object_get(args, "notes");
    *result = NULL;
    if (!folder || folder->kind != CONVEX_OBJECT || !notes || notes->kind != CONVEX_ARRAY)
        return error_set(error, STATUS_INVALID, "notes:addFolder needs a folder and notes");
    enum status status = convex_insert(context, "folders", convex_copy(folder), id, error);
    for (size_t i = 0; status == STATUS_OK && i < notes->as.array.count; i++)
        status = convex_insert(context, "notes", convex_copy(notes->as.array.items[i]), id, error);
    return status;
}

static struct convex_value *make_row(const char *uuid, const char *owner) {
    struct convex_value *row = convex_object();
    convex_object_set(row, "uuid", convex_string(uuid));
    convex_object_set(row, "ownerId", convex_string(owner));
    convex_object_set(row, "createdAt", convex_string(created_at));
    convex_object_set(row, "deletedAt", convex_null());
    return row;
}

static struct convex_value *make_note(const char *owner, const char *folder_id, int64_t folder,
                                      int64_t number) {
    char uuid[NOTES_ID_SIZE], title[64];
    notes_seed_id(uuid, owner, folder, number);
    snprintf(title, sizeof title, "note %lld", (long long)number);
    struct convex_value *note = make_row(uuid, owner);
    convex_object_set(note, "folderId", convex_string(folder_id));
    convex_object_set(note, "title", convex_string(title));
    convex_object_set(note, "done", convex_null());
    convex_object_set(note, "dueAt", convex_null());
    convex_object_set(note, "remindAt", convex_null());
    return note;
}

static enum status seed_folder(struct convex_deployment *deployment, const char *owner, int64_t number,
                               int64_t n_notes, struct error *error) {
    char uuid[NOTES_ID_SIZE], name[96];
    notes_seed_folder_id(uuid, owner, number);
    snprintf(name, sizeof name, "%.60s's folder %lld", owner, (long long)number);
    struct convex_value *folder = make_row(uuid, owner);
    convex_object_set(folder, "name", convex_string(name));
    struct convex_value *notes = convex_array(), *args = convex_object();
    for (int64_t i = 1; i <= n_notes; i++)
        convex_array_append(notes, make_note(owner, uuid, number, i));
    convex_object_set(args, "folder", folder);
    convex_object_set(args, "notes", notes);
    enum status status = convex_deployment_run(deployment, "notes:addFolder", args, NULL, error);
    convex_free(args);
    return status;
}

enum status notes_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                       int64_t folders_per_user, int64_t notes_per_folder, uint64_t choice,
                       struct error *error) {
    enum status status = STATUS_OK;
    (void)choice; /* nothing is left to chance: others must be able to guess the ids */
    assert(folders_per_user >= 0 && notes_per_folder >= 0);
    for (size_t u = 0; u < n_users; u++)
        for (int64_t f = 1; status == STATUS_OK && f <= folders_per_user; f++)
            status = seed_folder(deployment, users[u], f, notes_per_folder, error);
    return status;
}
