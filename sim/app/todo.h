/* The to-do app: people keep lists of things to do and share whole lists with each other. It is the app of
 * PowerSync's and Convex's own demonstrations, so what it shows can be compared with them.
 *
 * todo.c holds what is declared (tables, schema, sync config), todo_seed.c the documents that are there from
 * the start, todo_actions.c what its users do. */
#ifndef SYNCLINE_APP_TODO_H
#define SYNCLINE_APP_TODO_H

#include "app/app.h"

/* The most rows that one local transaction of this app touches. A list has at most one todo fewer, so that
 * sharing or deleting a whole list is one transaction. */
enum { TODO_ROWS_MOST = 20 };

enum status todo_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                      int64_t lists_per_user, int64_t todos_per_list, uint64_t choice, struct error *error);
/* Mutation "todo:addList", args {list: {...}, todos: [{...}, ...]}: the deployment's own seed script. */
enum status todo_add_list(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error);
/* Query "todo:getList", args {uuid}: the list's document, or null. */
enum status todo_get_list(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error);

/* Query "todo:listLists": the 20 newest lists. */
enum status todo_list_lists(struct convex_context *context, const struct convex_value *args,
                            struct convex_value **result, struct error *error);
/* Action "todo:importList": what addList does, from an action. */
enum status todo_import_list(struct convex_context *context, const struct convex_value *args,
                             struct convex_value **result, struct error *error);

extern const struct app_action_kind todo_actions[];

#endif
