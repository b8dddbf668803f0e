/* What the backend of the notes app sees to: a folder is there as long as a note is in it, and both belong to
 * one person. So a note that arrives for a folder which somebody has deleted brings it back, a folder in
 * which there is still a note is not deleted, and who hands a folder over hands over what is in it.
 *
 * Mutants: orphans, none of this is looked at; half-hand-over, the notes stay with who had them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/notes.h"
#include "app/parts.h"

enum { NOTES_OF_FOLDER_MOST = 4096 };

static enum status is_there(void *context, const struct convex_value *document, bool *passes,
                            struct error *error) {
    const struct convex_value *deleted = convex_object_get(document, "deletedAt");
    (void)context, (void)error;
    *passes = !deleted || deleted->kind == CONVEX_NULL;
    return STATUS_OK;
}

/* The caller frees the array. */
static enum status find_notes(struct convex_context *context, const char *folder, size_t limit,
                              const struct convex_value ***notes, size_t *count, struct error *error) {
    struct convex_value *key = convex_string(folder);
    const struct convex_value *keys[] = {key};
    const struct convex_range range = {
        .index = "by_folder", .keys = keys, .n_keys = 1, .limit = limit, .filter = is_there};
    enum status status = convex_find_range(context, "notes", &range, notes, count, error);
    convex_free(key);
    return status;
}

/* Takes `value`. */
static enum status set_field(struct convex_context *context, const char *table, const char *id,
                             const char *field, struct convex_value *value, struct error *error) {
    struct convex_value *patch = convex_object();
    convex_object_set(patch, field, value);
    enum status status = convex_patch(context, table, id, patch, error);
    convex_free(patch);
    return status;
}

enum status notes_receive(struct convex_context *context, struct app_arrival *arrival, struct error *error) {
    const char *owner = convex_object_text(arrival->fields, "ownerId");
    const char *folder_id = convex_object_text(arrival->fields, "folderId");
    const struct convex_value *folder = NULL;
    bool there = true;
    if (strcmp(arrival->table, "notes") != 0 || !folder_id || convex_mutant(context, "orphans"))
        return STATUS_OK;
    enum status status = app_row(context, "folders", folder_id, &folder, error);
    if (status != STATUS_OK || !folder)
        return status;
    const char *folders_owner = convex_object_text(folder, "ownerId");
    if (owner && folders_owner && strcmp(owner, folders_owner) != 0)
        return error_set(error, STATUS_INVALID, "folders %s is somebody else's", folder_id);
    status = is_there(NULL, folder, &there, error);
    if (status == STATUS_OK && !there)
        status = set_field(context, "folders", convex_object_text(folder, "_id"), "deletedAt", convex_null(),
                           error);
    return status;
}

enum status notes_remove(struct convex_context *context, const char *table, const char *uuid, bool *kept,
                         struct error *error) {
    const struct convex_value **notes = NULL;
    size_t count = 0;
    if (strcmp(table, "folders") != 0 || convex_mutant(context, "orphans"))
        return STATUS_OK;
    enum status status = find_notes(context, uuid, 1, &notes, &count, error);
    *kept = count > 0;
    free(notes);
    return status;
}

/* The ids are copied: each write ends what was found. */
static enum status give(struct convex_context *context, const struct convex_value *const *notes, size_t count,
                        const char *owner, struct error *error) {
    enum status status = STATUS_OK;
    struct convex_value *ids = convex_array();
    for (size_t i = 0; i < count; i++)
        convex_array_append(ids, convex_string(convex_object_text(notes[i], "_id")));
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = set_field(context, "notes", ids->as.array.items[i]->as.bytes.data, "ownerId",
                           convex_string(owner), error);
    convex_free(ids);
    return status;
}

enum status notes_hand_over(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error) {
    const char *uuid = convex_object_text(args, "folder"), *owner = convex_object_text(args, "to");
    const struct convex_value *folder = NULL, **notes = NULL;
    bool there = false;
    size_t count = 0;
    *result = NULL;
    if (!uuid || !owner)
        return error_set(error, STATUS_INVALID, "notes:handOver needs a folder and whom to");
    enum status status = app_row(context, "folders", uuid, &folder, error);
    if (status == STATUS_OK && folder)
        status = is_there(NULL, folder, &there, error);
    if (status != STATUS_OK || !there)
        return status;
    char id[64];
    snprintf(id, sizeof id, "%s", convex_object_text(folder, "_id"));
    status = set_field(context, "folders", id, "ownerId", convex_string(owner), error);
    if (status == STATUS_OK && !convex_mutant(context, "half-hand-over"))
        status = find_notes(context, uuid, NOTES_OF_FOLDER_MOST, &notes, &count, error);
    if (status == STATUS_OK)
        status = give(context, notes, count, owner, error);
    free(notes);
    return status;
}
