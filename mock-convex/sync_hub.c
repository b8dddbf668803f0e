#include "mock-convex/sync_hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "mock-convex/mutation.h"
#include "mock-convex/sync_session.h"
#include "mock-convex/sync_subscription.h"

/* A mutation that came over a WebSocket. */
struct sync_request {
    struct sync_hub *hub;
    char *key; /* "<session id>:<request id>"; NULL: its session gave no id */
    uint32_t request;
    char *path;                   /* of the function */
    struct sync_session *session; /* who waits for the answer; NULL: nobody */
    bool done;                    /* `ts` and `result` are stored */
    uint64_t ts;
    char *result;                      /* encoded JSON */
    struct sync_request *next, **link; /* while it runs: in the hub's list */
};

struct sync_hub {
    struct convex_deployment *deployment;
    struct sync_session *sessions;
    struct map requests; /* by key */
    struct sync_request *running;
};

struct convex_deployment *sync_hub_deployment(const struct sync_hub *hub) {
    return hub->deployment;
}

struct sync_hub *sync_hub_make(struct convex_deployment *deployment) {
    struct sync_hub *hub = memory_allocate(sizeof *hub);
    hub->deployment = deployment;
    return hub;
}

static void free_request(void *value) {
    struct sync_request *request = value;
    free(request->key);
    free(request->path);
    free(request->result);
    free(request);
}

static void unlink_running(struct sync_request *request) {
    *request->link = request->next;
    if (request->next != NULL) {
        request->next->link = request->link;
    }
    request->link = NULL;
}

void sync_hub_free(struct sync_hub *hub) {
    while (hub->sessions != NULL) {
        sync_session_close(hub->sessions, 1001, "");
    }
    while (hub->running != NULL) {
        struct sync_request *request = hub->running;
        unlink_running(request);
        if (request->key == NULL) {
            free_request(request);
        }
    }
    map_free(&hub->requests, free_request);
    free(hub);
}

/* --- opening --- */

static const char *version_end(const char *path) {
    const char *slash = strncmp(path, "/api/", 5) == 0 ? strchr(path + 5, '/') : NULL;
    return slash != NULL && slash > path + 5 && strcmp(slash, "/sync") == 0 ? slash : NULL;
}

bool sync_hub_is_route(const char *path) {
    return strcmp(path, "/api/sync") == 0 || version_end(path) != NULL;
}

/* One of the words of a list between commas, without case? */
static bool lists(const char *header, const char *word) {
    size_t length = strlen(word);
    while (header != NULL && *header != 0) {
        header += strspn(header, " ,\t");
        size_t here = strcspn(header, " ,\t");
        if (here == length && strncasecmp(header, word, length) == 0) {
            return true;
        }
        header += here;
    }
    return false;
}

static bool check_handshake(const struct convex_request *request, struct convex_reply *reply) {
    const char *version = convex_request_header(request, "sec-websocket-version");
    if (strcmp(request->http->method, "GET") != 0) {
        return convex_reply_error(reply, 400, "MethodNotGet", "A WebSocket is opened with GET.");
    }
    if (!lists(convex_request_header(request, "connection"), "upgrade")) {
        return convex_reply_error(reply, 400, "InvalidConnectionHeader", "Connection must be `upgrade`.");
    }
    if (!lists(convex_request_header(request, "upgrade"), "websocket")) {
        return convex_reply_error(reply, 400, "InvalidUpgradeHeader", "Upgrade must be `websocket`.");
    }
    if (version == NULL || strcmp(version, "13") != 0) {
        return convex_reply_error(reply, 400, "InvalidWebSocketVersionHeader",
                                  "Sec-WebSocket-Version must be 13.");
    }
    return convex_request_header(request, "sec-websocket-key") != NULL ||
           convex_reply_error(reply, 400, "WebSocketKeyHeaderMissing", "There is no Sec-WebSocket-Key.");
}

/* Clients of the npm package take a Transition in chunks since 1.28.0. */
static bool takes_chunks(const struct convex_request *request) {
    const char *header = convex_request_header(request, "convex-client");
    const char *version = version_end(request->path) != NULL                  ? request->path + 5
                          : header != NULL && strncmp(header, "npm-", 4) == 0 ? header + 4
                                                                              : "0.0";
    char *end;
    unsigned long major = strtoul(version, &end, 10);
    unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
    return major > 1 || (major == 1 && minor >= 28);
}

bool sync_hub_open(struct sync_hub *hub, uint64_t exchange, const struct convex_request *request,
                   struct convex_reply *reply) {
    if (!check_handshake(request, reply)) {
        return false;
    }
    if (!sync_session_open(hub, &hub->sessions, exchange, takes_chunks(request))) {
        return convex_reply_error(reply, 400, "InvalidUpgradeHeader", "This is no WebSocket handshake.");
    }
    return true;
}

void sync_hub_commit(struct sync_hub *hub) {
    for (struct sync_session *session = hub->sessions; session != NULL;
         session = sync_session_next(session)) {
        sync_session_commit(session);
    }
}

/* --- mutations --- */

static void store_result(struct sync_request *request, const struct convex_mutation_outcome *outcome) {
    struct buffer text = {0};
    convex_append_json(&text, outcome->value, CONVEX_FORMAT_ENCODED);
    request->done = true;
    request->ts = (uint64_t)outcome->ts;
    request->result = buffer_take(&text);
}

static void answer_stored(struct sync_request *request) {
    struct sync_session *session = request->session;
    request->session = NULL;
    if (session != NULL) {
        const struct sync_answer answer = {
            .request = request->request, .result = request->result, .ts = request->ts};
        sync_session_answer(session, &answer);
    }
}

/* A failure is not stored: who sends the mutation again runs it again. */
static void answer_failure(struct sync_request *request, const struct convex_mutation_outcome *outcome) {
    struct sync_session *session = request->session;
    const struct convex_call call = {.path = request->path};
    struct buffer text = {0};
    if (outcome->message != NULL) {
        convex_call_failure(request->hub->deployment, &call, outcome->message, outcome->thrown, &text);
    }
    const struct sync_answer answer = {.request = request->request,
                                       .message = buffer_text(&text),
                                       .data = outcome->thrown,
                                       .code = outcome->code};
    if (request->key != NULL) {
        map_remove(&request->hub->requests, request->key);
    }
    free_request(request);
    if (session != NULL) {
        sync_session_answer(session, &answer);
    }
    buffer_free(&text);
}

/* For the checks: what ran, and for whom. */
static void note_ran(const struct sync_request *request) {
    size_t length = request->key != NULL ? strcspn(request->key, ":") : 0;
    char *session = memory_copy_bytes(request->key != NULL ? request->key : "", length);
    const struct note_row row = {.table = request->path, .id = session};
    const struct note note = {.kind = NOTE_CALL_RAN,
                              .timestamp = (int64_t)request->ts,
                              .transaction = request->request,
                              .rows = &row,
                              .n_rows = 1};
    host_note(request->hub->deployment->host, &note);
    free(session);
}

/* In the event of the commit, so the result is stored exactly when the writes are published. */
static void mutation_done(void *context, const struct convex_mutation_outcome *outcome) {
    struct sync_request *request = context;
    unlink_running(request);
    if (outcome->value == NULL) {
        answer_failure(request, outcome);
        return;
    }
    store_result(request, outcome);
    note_ran(request);
    bool keep = request->key != NULL;
    answer_stored(request);
    if (!keep) {
        free_request(request);
    }
}

static void run_request(struct sync_hub *hub, struct sync_session *session, char *key, uint32_t number,
                        struct convex_call call) {
    struct sync_request *request = memory_allocate(sizeof *request);
    *request = (struct sync_request){.hub = hub, .key = key, .request = number, .session = session};
    request->path = memory_copy_text(call.path);
    request->next = hub->running;
    request->link = &hub->running;
    if (request->next != NULL) {
        request->next->link = &request->next;
    }
    hub->running = request;
    if (key != NULL) {
        map_set(&hub->requests, key, request);
    }
    const struct convex_mutation_caller caller = {.done = mutation_done, .context = request};
    convex_mutation_run(hub->deployment, &call, &caller);
}

void sync_hub_mutate(struct sync_hub *hub, struct sync_session *session, const char *id, uint32_t number,
                     struct convex_call call) {
    char *key = *id != 0 ? memory_format("%s:%u", id, (unsigned)number) : NULL;
    struct sync_request *known = key != NULL ? map_get(&hub->requests, key) : NULL;
    if (known == NULL) {
        run_request(hub, session, key, number, call);
        return;
    }
    convex_call_free(&call);
    free(key);
    struct sync_session *before = known->session;
    known->session = session;
    if (known->done) {
        answer_stored(known);
    } else if (before != NULL && before != session) {
        sync_session_robbed(before);
    }
}

void sync_hub_forget(struct sync_hub *hub, struct sync_session *session) {
    for (struct sync_request *request = hub->running; request != NULL; request = request->next) {
        if (request->session == session) {
            request->session = NULL;
        }
    }
}
