/* Routes: what a request goes through. Its group lets it run, its body and query become parameters, they are
 * validated, then the caller is authorised, then the route's handler answers, now or later. In this order: a
 * wrong body without a token gets 400, not 401. */
#ifndef MOCK_POWERSYNC_ROUTE_H
#define MOCK_POWERSYNC_ROUTE_H

#include "base/memory.h"
#include "mock-powersync/http/auth.h"
#include "mock-powersync/http/request_group.h"
#include "mock-powersync/http/request_parameters.h"

struct powersync_service;
struct route_call;

enum route_group { GROUP_ADMIN, GROUP_CHECKPOINT, GROUP_SYNC, ROUTE_GROUPS };
enum route_access { ACCESS_ALL, ACCESS_USER, ACCESS_OPERATOR };

struct route {
    const char *method;
    const char *path;
    enum route_group group;
    enum route_access access;
    bool yaml; /* takes a body of application/yaml */
    /* False with 400 in `error`; NULL: nothing to check. */
    bool (*validate)(const json_t *parameters, struct http_error *error);
    /* Ends with route_call_end or one that calls it, or says by route_call_work who will. `user` only with
     * ACCESS_USER, borrowed for the call. */
    void (*handle)(struct route_call *call, const struct auth_user *user);
};

struct route_call {
    struct request_ticket ticket; /* first: a ticket is its call */
    struct powersync_service *service;
    const struct route *route;
    uint64_t exchange;
    const struct http_request *request; /* its body is gone when the handler runs */
    json_t *parameters;                 /* object; NULL until it is the call's turn */
    struct arena arena;                 /* holds the request while it waits */
    struct auth_call *auth;             /* the check under way */
    void *work;                         /* what will answer */
    void (*stop)(void *work);           /* nobody is there to be answered any more */
};

/* `work` will answer; `stop` is called when the peer or the process is gone. */
void route_call_work(struct route_call *call, void *work, void (*stop)(void *work));
/* All is sent: the call is gone. */
void route_call_end(struct route_call *call);
/* Answer and end. */
void route_call_answer(struct route_call *call, int status, const char *json);
void route_call_answer_data(struct route_call *call, const struct buffer *json); /* {"data":..} */
void route_call_answer_json(struct route_call *call, json_t *value);             /* the same; takes it */
void route_call_refuse(struct route_call *call, const struct http_error *error);
void route_call_fail(struct route_call *call, const char *details); /* 500 PSYNC_S2001 */

/* 400 PSYNC_S2001 with what is wrong; false. */
bool route_invalid(struct http_error *error, const char *what);

extern const struct route probe_routes[3], stream_routes[1], checkpoint_routes[3], admin_routes[5],
    sync_rules_routes[4];

/* The listener's events; the context is the service. */
void routes_request(void *context, uint64_t exchange, const struct http_request *request);
void routes_closed(void *context, uint64_t exchange);
/* Break off all sync streams. */
void routes_break_streams(struct powersync_service *service);
/* The process ends: stop all that is under way, answer nobody. */
void routes_stop(struct powersync_service *service);

#endif
