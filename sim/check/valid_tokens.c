/* valid-tokens: the service answers nobody whose token is expired, not valid yet, for another audience or
 * signed with a key that it does not know. Judged when it begins to answer, by the clock that it has itself.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

struct gate {
    struct checker *checker;
    struct map shown; /* bytes of the exchange -> token of a request that is not answered */
};

static const char *token_of(const struct http_request *request) {
    static const char bearer[] = "Bearer ", token[] = "Token ";
    for (size_t i = 0; i < request->n_headers; i++) {
        const char *value = request->headers[i].value;
        if (strcasecmp(request->headers[i].name, "authorization") != 0)
            continue;
        if (strncmp(value, bearer, sizeof bearer - 1) == 0)
            return value + sizeof bearer - 1;
        if (strncmp(value, token, sizeof token - 1) == 0)
            return value + sizeof token - 1;
    }
    return NULL;
}

/* What devices ask the service; what the service asks others is not for its own door. */
static bool is_asked(const struct wire_event *event) {
    static const char *const beginnings[] = {"POST /sync/", "GET /write-checkpoint"};
    for (size_t i = 0; event->target != NULL && i < sizeof beginnings / sizeof *beginnings; i++)
        if (strncmp(event->target, beginnings[i], strlen(beginnings[i])) == 0)
            return true;
    return false;
}

static void remember(struct gate *gate, const struct wire_event *event) {
    const char *token = token_of(event->request);
    if (token != NULL)
        free(map_set_bytes(&gate->shown, &event->exchange, sizeof event->exchange, memory_copy_text(token)));
}

static void judge(const struct gate *gate, int64_t now, const struct wire_event *event, const char *token) {
    const struct check_settings *settings = checker_settings(gate->checker);
    const char *why =
        event->status == 200 ? settings->refuse_token(settings->token_context, event->server, token) : NULL;
    if (why == NULL)
        return;
    const struct violation violation = {.property = property_valid_tokens.name,
                                        .client = event->client,
                                        .table = "",
                                        .row = "",
                                        .expected = memory_copy_text("401"),
                                        .seen = memory_copy_text("200"),
                                        .time = now,
                                        .explanation =
                                            memory_format("%s answers %s of %s, whose token is %s.",
                                                          event->server, event->target, event->client, why)};
    checker_report(gate->checker, &violation);
}

static void wire(void *self, int64_t now, const struct wire_event *event) {
    struct gate *gate = self;
    if (checker_settings(gate->checker)->refuse_token == NULL || !is_asked(event))
        return;
    if (event->kind == WIRE_REQUEST_SEEN && event->request != NULL) {
        remember(gate, event);
    } else if (event->kind == WIRE_RESPONSE || event->kind == WIRE_CLOSED || event->kind == WIRE_FAILED) {
        char *token = map_remove_bytes(&gate->shown, &event->exchange, sizeof event->exchange);
        if (token != NULL && event->kind == WIRE_RESPONSE)
            judge(gate, now, event, token);
        free(token);
    }
}

static void *create(struct checker *checker) {
    struct gate *gate = memory_allocate(sizeof *gate);
    gate->checker = checker;
    return gate;
}

static void destroy(void *self) {
    struct gate *gate = self;
    map_free(&gate->shown, free);
    free(gate);
}

const struct property property_valid_tokens = {
    .name = "valid-tokens",
    .promise = "the service answers nobody whose token is not valid",
    .create = create,
    .wire = wire,
    .destroy = destroy,
};
