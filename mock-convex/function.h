/* Functions of a deployment: what a query, mutation, action or HTTP action written in C may do.
 *
 * A mutation runs inside one transaction: all of it commits at one timestamp or none of it does, and it is
 * run again from the start when another transaction got in between (optimistic concurrency control). So it
 * must not keep state of its own.
 *
 * An action has no database: it calls queries and mutations, each with a transaction of its own, sleeps, and
 * asks other servers. What its mutations have committed stays when it fails later. It is written straight
 * down, as if the calls blocked; in truth a call whose answer is not there yet returns STATUS_PENDING, which
 * the action passes on unchanged, and when the answer has come the action runs from its start once more, with
 * all earlier answers from a record. So it must make the same calls in the same order, take time and random
 * numbers from here only, and keep no state. Each call has its effect once. When the deployment crashes, its
 * actions are gone, whatever they have done by then.
 *
 * An HTTP action is an action whose argument describes a request and whose result describes the response:
 * {"method","path","query":{name: text},"headers":{lower-case name: text},"body":text or bytes} and
 * {"status":number,"headers":{..},"body":text or bytes}, all parts of the result optional (200, none, empty).
 */
#ifndef MOCK_CONVEX_FUNCTION_H
#define MOCK_CONVEX_FUNCTION_H

#include <stdbool.h>
#include <stdint.h>

#include "mock-convex/value.h"

struct convex_context;   /* one attempt of one call */
struct convex_validator; /* validator.h */

enum convex_function_kind { CONVEX_QUERY, CONVEX_MUTATION, CONVEX_ACTION, CONVEX_HTTP_ACTION };

struct convex_function {
    const char *path;      /* "module:export" */
    const char *component; /* whose function it is: "shop", "shop/cart"; NULL or "": the root's */
    enum convex_function_kind kind;
    bool internal;                          /* only other functions, the scheduler and admins may call it */
    const struct convex_validator *args;    /* an object validator; NULL: any arguments */
    const struct convex_validator *returns; /* NULL: any value */
    const void *data;                       /* for `run`: convex_data. NULL: none */
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
    const char *component; /* whose table it is; NULL or "": the root's. Others do not see it */
    const struct convex_validator *document; /* of its documents without system fields; NULL: any */
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
/* What a range of an index is: documents whose first fields equal `keys`, and whose next field lies between
 * the bounds. After an index's own fields comes _creationTime; a missing field is below every value
 * (CONVEX_UNDEFINED asks for it). */
struct convex_range {
    const char *index;
    const struct convex_value *const *keys;
    size_t n_keys;
    const struct convex_value *lower, *upper; /* NULL: no bound */
    bool above_lower, below_upper;            /* the bound itself is left out */
    bool descending;
    size_t limit;
    /* NULL: all. What does not pass counts as read, but not for the limit. An error ends the search. */
    enum status (*filter)(void *filter_context, const struct convex_value *document, bool *passes,
                          struct error *error);
    void *filter_context;
};
/* The documents of a range, as convex_find gives them. Only what was scanned counts as read. */
enum status convex_find_range(struct convex_context *context, const char *table,
                              const struct convex_range *range, const struct convex_value ***documents,
                              size_t *count, struct error *error);
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

/* Run another function of this deployment: one of the same component, or with "child//module:export" one of a
 * component below it. In a query or mutation it is part of the same transaction (and a
 * query can run queries only), and its error must be passed on; in an action it has one of its own. On
 * STATUS_OK `*result` is a value of the caller, never NULL. STATUS_NOT_FOUND: no such function;
 * STATUS_INVALID: it has another kind; STATUS_PENDING: see above; else its own error, with what it threw. */
enum status convex_run_query(struct convex_context *context, const char *path,
                             const struct convex_value *args, struct convex_value **result,
                             struct error *error);
enum status convex_run_mutation(struct convex_context *context, const char *path,
                                const struct convex_value *args, struct convex_value **result,
                                struct error *error);

/* --- scheduling: mutations and actions --- */

/* Run a mutation or an action `delay` ns (0..5 years) from now, when this transaction has committed; not at
 * all when it does not commit. (runAt: the caller subtracts.) In an action: at once. The job's id (of the
 * system table _scheduled_functions) is written to `id`, at least 40 bytes. A scheduled mutation runs exactly
 * once, across crashes; a scheduled action at most once. STATUS_NOT_FOUND: no such function; STATUS_LIMIT:
 * more than 1000 in one transaction.
 */
enum status convex_schedule(struct convex_context *context, int64_t delay, const char *path,
                            const struct convex_value *args, char *id, struct error *error);
/* A job that has not begun will not run; nothing happens to one that has. STATUS_NOT_FOUND: there is no such
 * job. */
enum status convex_cancel(struct convex_context *context, const char *id, struct error *error);

/* --- for actions only --- */

/* STATUS_PENDING from any of these: pass it on. */
enum status convex_run_action(struct convex_context *context, const char *path,
                              const struct convex_value *args, struct convex_value **result,
                              struct error *error);
enum status convex_sleep(struct convex_context *context, int64_t delay /* ns */, struct error *error);
/* An HTTP request to `url` ("http://authority/target"). `request` is an object like that of an HTTP action
 * ("method", "headers", "body", all optional), `*response` one like its result. STATUS_IO: no answer; whether
 * the other side has done what it was asked is not known. */
enum status convex_fetch(struct convex_context *context, const char *url, const struct convex_value *request,
                         struct convex_value **response, struct error *error);

/* --- everybody --- */

/* Is this deliberate bug switched on? For backends that are wrong on purpose. */
bool convex_mutant(const struct convex_context *context, const char *name);
/* A setting of the backend that a scenario can pin (host_knob). */
int64_t convex_knob(const struct convex_context *context, const char *name, int64_t usual, int64_t low,
                    int64_t high);
const void *convex_data(const struct convex_context *context); /* `data` of the function that runs */
/* Who calls: an object with "tokenIdentifier", "subject", "issuer" and the token's other claims. NULL: nobody
 * is signed in. Borrowed. */
const struct convex_value *convex_user(const struct convex_context *context);
/* console.log and so on: a line "[LEVEL] text". Only those of the last attempt are shown. */
void convex_log(struct convex_context *context, const char *level, const char *text);

int64_t convex_now_ms(struct convex_context *context); /* Date.now(): start of this attempt */
uint64_t
convex_random(struct convex_context *context); /* Math.random()'s source, from the deployment's host */

#endif
