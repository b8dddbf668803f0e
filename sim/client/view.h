/* What the app sees: which rows of its views a transaction changed, and their text. A preupdate hook on the
 * tables behind the views notes which rows were touched; only those are read again, through the view, and
 * only real changes are told.
 *
 * Owns the hook and the statements of one connection, so it must be destroyed before the connection is
 * closed. */
#ifndef SYNCLINE_CLIENT_VIEW_H
#define SYNCLINE_CLIENT_VIEW_H

#include "client/client.h"

struct view;
struct view_shown; /* what was told so far, of a database: its connections share it */

struct view_answer; /* rows and texts of the last call; all views of a pool share it */

struct view_answer *view_answer_create(void);
void view_answer_destroy(struct view_answer *answer);

struct view_shown *view_shown_create(const struct client_schema *schema);
void view_shown_destroy(struct view_shown *shown);

struct view *view_create(sqlite3 *database, const struct client_schema *schema, struct view_shown *shown,
                         struct view_answer *answer);
void view_destroy(struct view *view);

/* How often a row was touched so far, whether it looks different or not. */
uint64_t view_changes(const struct view *view);

/* The rows that look different since the last call: table, id, values (NULL: gone). Borrowed until the next
 * call for any view of the same answer. A row whose text cannot be read (the service sent malformed JSON) has
 * the values {"error":"<SQLite's message>"}. */
void view_collect(struct view *view, const struct note_row **rows, size_t *n_rows);
/* All rows, by table and id; changes are counted from here. */
void view_collect_all(struct view *view, const struct note_row **rows, size_t *n_rows);

#endif
