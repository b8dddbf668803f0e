/* The function API: what its requests have in common, and how their replies look. Routes: function_routes.h.
 */
#ifndef MOCK_CONVEX_FUNCTION_API_H
#define MOCK_CONVEX_FUNCTION_API_H

#include "mock-convex/function/log.h"
#include "mock-convex/http/auth.h"
#include "mock-convex/state.h"

/* What a request to a function asks for. */
struct convex_call {
    char *path;                             /* canonical */
    char *component;                        /* whose function; NULL or "": the root's */
    const struct convex_function *function; /* NULL: unknown */
    enum convex_identity identity;          /* in what role */
    bool read_only;                         /* with a key that may run queries only */
    struct convex_value *user;              /* owned; who calls, see convex_user; NULL: nobody */
    char *origin;              /* of the page that calls, NULL: none; its answer needs convex_cors_allow */
    char *request_id;          /* as the caller named it; NULL: one will be made when it is needed */
    struct convex_value *args; /* the object that the function gets; NULL: not acceptable, see `unusable` */
    char *format; /* as it was sent, NULL: absent. Looked at only when the function has run, as in the backend
                   */
    enum convex_format usual_format; /* when none was asked for */
    struct convex_log log;           /* of the last attempt, for the reply */
    char *unusable;                  /* why `args` is NULL; owned */
};

void convex_call_free(struct convex_call *call);

/* Decode a body's or a query string's parts. `args` may be NULL (absent). Bad parts answer 400 with `code`, a
 * path that cannot be parsed BadConvexFunctionIdentifier. False: the reply is decided. */
bool convex_call_fill(struct convex_deployment *deployment, const char *path, const json_t *args,
                      const json_t *format, const char *code, struct convex_call *call,
                      struct convex_reply *reply);
/* The same from a JSON body {"path","args","format"?}. */
bool convex_call_fill_json(struct convex_deployment *deployment, const json_t *body, struct convex_call *call,
                           struct convex_reply *reply);
/* Fill a call that is zeroed but for its component from a path and arguments, of any API. False: the path
 * cannot be parsed. What is wrong
 * with the arguments shows when the function would run. */
bool convex_call_read(struct convex_deployment *deployment, const char *path, const json_t *args,
                      struct convex_call *call);
/* Look the function up (again): a push may have changed it. */
void convex_call_resolve(const struct convex_deployment *deployment, struct convex_call *call);
/* Fill in what the request's headers say: who calls, from where, with what client. False: the reply is
 * decided. */
bool convex_call_identify(struct convex_deployment *deployment, const struct convex_request *request,
                          struct convex_call *call, struct convex_reply *reply);
/* Identify and decode. False: the reply is decided. */
bool convex_call_decode(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_call *call, struct convex_reply *reply);
/* NULL: the call can run as `kind`; else why not, written to `message`. */
const char *convex_call_refusal(const struct convex_call *call, enum convex_function_kind kind,
                                char message[512]);
/* Note why a call failed, and append the text that its caller sees. */
void convex_call_failure(struct convex_deployment *deployment, const struct convex_call *call,
                         const char *message, const struct convex_value *thrown, struct buffer *text);
/* The same text without the request's id in front. */
void convex_call_append_words(const struct convex_deployment *deployment, const char *message,
                              const struct convex_value *thrown, struct buffer *text);
/* Can this call run as `kind`? False: the reply is a status error (or BadFormat). */
bool convex_call_check(struct convex_deployment *deployment, const struct convex_call *call,
                       enum convex_function_kind kind, struct convex_reply *reply);
/* Take over what the attempt that is answered has logged. A production deployment does not show it. */
void convex_call_keep_log(const struct convex_deployment *deployment, struct convex_call *call,
                          struct convex_log *log);
/* 200 with the value, or 400 BadFormat. */
void convex_call_succeed(const struct convex_call *call, const struct convex_value *value,
                         struct convex_reply *reply);
/* 200 with {"status":"error"}, or 400 BadFormat. A production deployment keeps the message to itself, but not
 * what the function threw (`thrown`, NULL: nothing; not taken). */
void convex_call_fail(struct convex_deployment *deployment, const struct convex_call *call,
                      const char *message, const struct convex_value *thrown, struct convex_reply *reply);

#endif
