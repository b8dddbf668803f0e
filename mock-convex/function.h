/* Functions of a deployment: what a query, mutation or action written in C may do. A mutation runs inside one
 * transaction: all of it commits at one timestamp or none of it does, and it is run again from the start when
 * another transaction got in between (optimistic concurrency control). So it must not keep state of its own.
 * An action has no database: it calls queries and mutations, each with a transaction of its own, and is never
 * run again; what its mutations have committed stays when it fails later.
 */
#ifndef MOCK_CONVEX_FUNCTION_H
#define MOCK_CONVEX_FUNCTION_H

#include "mock-convex/value.h"

struct convex_context; /* one attempt of one call */

enum convex_function_kind { CONVEX_QUERY, CONVEX_MUTATION, CONVEX_ACTION };

struct convex_function {
    const char *path; /* "module:export" */
    enum convex_function_kind kind;
    /* Returns STATUS_OK and a value (NULL counts as null), or an error: the call then answers
     * {"status":"error"} with the message, and nothing is committed. STATUS_CONFLICT and STATUS_LIMIT from
     * the calls below must be passed on unchanged. */
    enum status (*run)(struct convex_context *context, const struct convex_value *args,
                       struct convex_value **result, struct error *error);
};

/* An index on up to 4 top-level fields. Every table also has "by_id". */
struct convex_index {
    const char *name;
    const char *fields[4];
    size_t n_fields;
};

struct convex_table {
    const char *name;
    const struct convex_index *indexes;
    size_t n_indexes;
};

/* A document of this transaction's snapshot with its own writes on top. The result is borrowed until the next
 * write of this context; NULL: no such document. */
const struct convex_value *convex_get(struct convex_context *context, const char *table, const char *id);
/* The documents whose indexed fields equal `keys` (all of them or a prefix), in index order, at most `limit`.
 * The caller frees the array (not the documents, which are borrowed as above). */
enum status convex_find(struct convex_context *context, const char *table, const char *index,
                        const struct convex_value *const *keys, size_t n_keys, size_t limit,
                        const struct convex_value ***documents, size_t *count, struct error *error);
/* Takes `document` (an object without _id and _creationTime). The new id is written to `id`, at least 40
 * bytes. */
enum status convex_insert(struct convex_context *context, const char *table, struct convex_value *document,
                          char *id, struct error *error);
/* Sets the fields of `patch` (an object, not taken). A patch that changes nothing writes nothing. */
enum status convex_patch(struct convex_context *context, const char *table, const char *id,
                         const struct convex_value *patch, struct error *error);
enum status convex_replace(struct convex_context *context, const char *table, const char *id,
                           struct convex_value *document, struct error *error);
enum status convex_delete(struct convex_context *context, const char *table, const char *id,
                          struct error *error);

/* Throw a value (taken), as `throw new ConvexError(value)` does: the caller sees it as errorData, also from a
 * production deployment. Returns STATUS_INVALID, which the function must pass on; one that goes on instead
 * calls convex_catch, else a later error would carry the value. */
enum status convex_throw(struct convex_context *context, struct convex_value *data, struct error *error);
void convex_catch(struct convex_context *context);

/* For actions only: run a function of this deployment now. On STATUS_OK `*result` is a value of the caller,
 * never NULL. STATUS_NOT_FOUND: no such function; STATUS_INVALID: it has another kind; else its own error,
 * with what it threw. */
enum status convex_run_query(struct convex_context *context, const char *path,
                             const struct convex_value *args, struct convex_value **result,
                             struct error *error);
enum status convex_run_mutation(struct convex_context *context, const char *path,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error);

int64_t convex_now_ms(struct convex_context *context); /* Date.now(): start of this attempt */
uint64_t
convex_random(struct convex_context *context); /* Math.random()'s source, from the deployment's host */

#endif
