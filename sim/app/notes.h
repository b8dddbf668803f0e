/* The notes app: people keep notes in folders, each his own. Its backend is one of those that people write
 * with a server of their own: documents have camelCase fields, times in milliseconds and booleans, the owner
 * comes from the token, deleting is a mark, and titles have bounds. So there is much that an upload handler
 * can get wrong, and users who try what is not allowed.
 *
 * notes.c holds what is declared, notes_seed.c the documents that are there from the start, notes_actions.c
 * what its users do, notes_rules.c what its backend sees to. */
#ifndef SYNCLINE_APP_NOTES_H
#define SYNCLINE_APP_NOTES_H

#include "app/app.h"

enum { NOTES_ID_SIZE = 96 };
/* The ids of what is there from the start, which others can guess. Counted from 1. */
void notes_seed_folder_id(char id[NOTES_ID_SIZE], const char *user, int64_t folder);
void notes_seed_id(char id[NOTES_ID_SIZE], const char *user, int64_t folder, int64_t note);

/* `lists` is the number of folders of each user, `todos` that of notes in each. */
enum status notes_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                       int64_t folders_per_user, int64_t notes_per_folder, uint64_t choice,
                       struct error *error);
/* Mutation "notes:addFolder", args {folder: {...}, notes: [...]}. */
enum status notes_add_folder(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error);
/* For struct app. */
enum status notes_receive(struct convex_context *context, struct app_arrival *arrival, struct error *error);
enum status notes_remove(struct convex_context *context, const char *table, const char *uuid, bool *kept,
                         struct error *error);
/* Mutation "notes:handOver", args {folder: uuid, to: user}: the folder and its notes, whoever has them. */
enum status notes_hand_over(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error);
extern const struct app_action_kind notes_actions[];

#endif
