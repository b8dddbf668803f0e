/* The function API: POST /api/query and POST /api/mutation. */
#ifndef MOCK_CONVEX_FUNCTION_API_H
#define MOCK_CONVEX_FUNCTION_API_H

#include "mock-convex/state.h"

/* What a request to a function asks for. */
struct convex_call {
    char *path;                             /* canonical */
    const struct convex_function *function; /* NULL: unknown */
    struct convex_value *args; /* the object that the function gets; NULL: not acceptable, see `error` */
    char *format; /* as it was sent, NULL: absent. Looked at only when the function has run, as in the backend
                   */
    struct error error;
};

void convex_call_free(struct convex_call *call);

/* Authenticate and decode. False: the reply is decided. */
bool convex_call_decode(struct convex_deployment *deployment, const struct convex_request *request,
                        struct convex_call *call, struct convex_reply *reply);
/* Can this call run as `kind`? False: the reply is a status error (or BadFormat). */
bool convex_call_check(struct convex_deployment *deployment, const struct convex_call *call,
                       enum convex_function_kind kind, struct convex_reply *reply);
/* 200 with the value, or 400 BadFormat. */
void convex_call_succeed(const struct convex_call *call, const struct convex_value *value,
                         struct convex_reply *reply);
/* 200 with {"status":"error"}, or 400 BadFormat. A production deployment keeps the message to itself. */
void convex_call_fail(struct convex_deployment *deployment, const struct convex_call *call,
                      const char *message, struct convex_reply *reply);

/* POST /api/query. */
void convex_answer_query(struct convex_deployment *deployment, const struct convex_request *request,
                         struct convex_reply *reply);

#endif
