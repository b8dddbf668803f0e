#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/todo.h"
#include "base/memory.h"
#include "base/random.h"

/* The same for every document: these lists were made before anybody's devices were there. */
static const char created_at[] = "2025-12-31T12:00:00.000Z";

enum status todo_add_list(struct convex_context *context, const struct convex_value *args,
                          struct convex_value **result, struct error *error) {
    const struct convex_value *list = convex_object_get(args, "list");
    const struct convex_value *todos = convex_object_get(args, "todos");
    if (!list || list->kind != CONVEX_OBJECT || !todos || todos->kind != CONVEX_ARRAY)
        return error_set(error, STATUS_INVALID, "todo:addList needs a list and todos");
    char id[64];
    enum status status = convex_insert(context, "lists", convex_copy(list), id, error);
    for (size_t i = 0; status == STATUS_OK && i < todos->as.array.count; i++)
        status = convex_insert(context, "todos", convex_copy(todos->as.array.items[i]), id, error);
    *result = NULL;
    return status;
}

static void set_text(struct convex_value *document, const char *field, const char *text) {
    convex_object_set(document, field, text ? convex_string(text) : convex_null());
}

static struct convex_value *make_list(const char *uuid, const char *name, const char *owner,
                                      const char *shared_with) {
    struct convex_value *list = convex_object();
    set_text(list, "uuid", uuid);
    set_text(list, "name", name);
    set_text(list, "owner_id", owner);
    set_text(list, "shared_with", shared_with);
    set_text(list, "created_at", created_at);
    return list;
}

static struct convex_value *make_todo(struct random_stream *chance, int64_t number, const char *list_uuid,
                                      const char *owner, const char *shared_with) {
    char uuid[37], description[64];
    random_uuid(chance, uuid);
    snprintf(description, sizeof description, "todo %lld", (long long)number);
    struct convex_value *todo = convex_object();
    set_text(todo, "uuid", uuid);
    set_text(todo, "list_uuid", list_uuid);
    set_text(todo, "description", description);
    convex_object_set(todo, "completed", convex_boolean(false));
    convex_object_set(todo, "rank", convex_float64((double)number));
    set_text(todo, "owner_id", owner);
    set_text(todo, "shared_with", shared_with);
    set_text(todo, "created_at", created_at);
    return todo;
}

static enum status seed_list(struct convex_deployment *deployment, const char *owner, const char *shared_with,
                             int64_t number, int64_t n_todos, uint64_t choice, struct error *error) {
    /* One stream for each list: another user or list leaves the ids of this one as they are. */
    char *stream_name = memory_format("todo.seed.%s.%lld", owner, (long long)number);
    struct random_stream chance = random_stream_make(choice, stream_name);
    free(stream_name);
    char uuid[37], name[96];
    random_uuid(&chance, uuid);
    snprintf(name, sizeof name, "%.60s's list %lld", owner, (long long)number);
    struct convex_value *todos = convex_array();
    for (int64_t i = 1; i <= n_todos; i++)
        convex_array_append(todos, make_todo(&chance, i, uuid, owner, shared_with));
    struct convex_value *args = convex_object();
    convex_object_set(args, "list", make_list(uuid, name, owner, shared_with));
    convex_object_set(args, "todos", todos);
    enum status status = convex_deployment_run(deployment, "todo:addList", args, NULL, error);
    convex_free(args);
    return status;
}

/* The first list of each user is shared with the next user, so that from the start there is something in
 * common. */
enum status todo_seed(struct convex_deployment *deployment, const char *const *users, size_t n_users,
                      int64_t lists_per_user, int64_t todos_per_list, uint64_t choice, struct error *error) {
    assert(lists_per_user >= 0 && todos_per_list >= 0);
    for (size_t u = 0; u < n_users; u++)
        for (int64_t l = 1; l <= lists_per_user; l++) {
            const char *shared_with = l == 1 && n_users > 1 ? users[(u + 1) % n_users] : NULL;
            enum status status =
                seed_list(deployment, users[u], shared_with, l, todos_per_list, choice, error);
            if (status != STATUS_OK)
                return status;
        }
    return STATUS_OK;
}
