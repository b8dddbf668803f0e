#include "mock-convex/sync/sync_hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/digest.h"
#include "base/memory.h"
#include "mock-convex/function/mutation.h"
#include "mock-convex/store/index_key.h"
#include "mock-convex/store/storage.h"
#include "mock-convex/sync/sync_session.h"
#include "mock-convex/sync/sync_subscription.h"

/* A mutation that came over a WebSocket and runs. */
struct sync_request {
    struct sync_hub *hub;
    char *key;        /* "<session id>:<request id>"; NULL: its session gave no id */
    char *session_id; /* "": none */
    uint32_t request;
    char *path;                        /* of the function */
    char *id;                          /* see sync_hub_request_id; NULL: none */
    struct sync_session *session;      /* who waits for the answer; NULL: nobody */
    struct sync_request *next, **link; /* in the hub's list */
};

struct sync_hub {
    struct convex_deployment *deployment;
    struct sync_session *sessions;
    struct map requests; /* running ones, by key */
    struct sync_request *running;
    struct convex_watches watches;
    struct sync_session **touched; /* by the commits that are looked at */
    size_t n_touched, touched_capacity;
};

struct convex_deployment *sync_hub_deployment(const struct sync_hub *hub) {
    return hub->deployment;
}

struct convex_watches *sync_hub_watches(struct sync_hub *hub) {
    return &hub->watches;
}

struct sync_hub *sync_hub_make(struct convex_deployment *deployment) {
    struct sync_hub *hub = memory_allocate(sizeof *hub);
    hub->deployment = deployment;
    hub->watches.store = &deployment->store;
    hub->watches.host = deployment->host;
    return hub;
}

static void free_request(struct sync_request *request) {
    *request->link = request->next;
    if (request->next != NULL) {
        request->next->link = request->link;
    }
    if (request->key != NULL) {
        map_remove(&request->hub->requests, request->key);
    }
    free(request->key);
    free(request->session_id);
    free(request->id);
    free(request->path);
    free(request);
}

void sync_hub_free(struct sync_hub *hub) {
    while (hub->sessions != NULL) {
        sync_session_close(hub->sessions, 1001, "");
    }
    while (hub->running != NULL) {
        free_request(hub->running); // NOLINT(clang-analyzer-unix.Malloc): it unlinks the first one
    }
    convex_watches_free(&hub->watches);
    map_free(&hub->requests, NULL);
    free(hub->touched);
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

/* --- commits --- */

static void touch(void *context, void *owner) {
    struct sync_hub *hub = context;
    struct sync_subscription *query = owner;
    if (!query->stale && sync_session_touch(query->session)) {
        MEMORY_RESERVE(hub->touched, hub->touched_capacity, hub->n_touched + 1);
        hub->touched[hub->n_touched++] = query->session;
    }
    query->stale = true;
}

static int compare_newest_first(const void *a, const void *b) {
    uint64_t left = sync_session_number(*(struct sync_session *const *)a);
    uint64_t right = sync_session_number(*(struct sync_session *const *)b);
    return (left < right) - (left > right);
}

void sync_hub_commit(struct sync_hub *hub) {
    convex_watches_look(&hub->watches, touch, hub);
    if (hub->n_touched == 0) {
        return;
    }
    qsort(hub->touched, hub->n_touched, sizeof *hub->touched, compare_newest_first);
    for (size_t i = 0; i < hub->n_touched; i++) {
        sync_session_wake(hub->touched[i]);
    }
    hub->n_touched = 0;
}

/* --- mutations --- */

/* The row of a mutation that has succeeded, with its timestamp; NULL: there is none. Its key in the index
 * (for all that begin with it) is sessionId, requestId. */
static const struct convex_revision *find_stored(const struct sync_hub *hub, const char *id,
                                                 uint32_t number) {
    struct convex_store_table *table = convex_store_table(&hub->deployment->store, CONVEX_REQUESTS_TABLE);
    const struct convex_store_index *index = convex_store_index(table, "by_request");
    struct convex_value *session = convex_string(id), *request = convex_int64(number);
    const struct convex_revision *found = NULL;
    struct buffer key = {0};
    convex_index_key_append(&key, session);
    convex_index_key_append(&key, request);
    const struct convex_ordered_node *node = convex_ordered_seek(&index->entries, key.data, key.length);
    for (; found == NULL && node != NULL && node->key_length >= key.length &&
           memcmp(convex_ordered_key(node), key.data, key.length) == 0;
         node = convex_ordered_next(node)) {
        if (node->until == CONVEX_LIVE) { /* else it was deleted, being old */
            found = ((const struct convex_document *)node->item)->newest;
        }
    }
    buffer_free(&key);
    convex_free(session);
    convex_free(request);
    return found;
}

/* Part of the mutation's transaction. */
static enum status store_result(void *context, struct convex_transaction *transaction,
                                const struct convex_value *value, struct error *error) {
    const struct sync_request *request = context;
    struct convex_value *row = convex_object();
    struct buffer text = {0};
    char id[CONVEX_ID_TEXT_MAX];
    convex_append_json(&text, value, CONVEX_FORMAT_ENCODED);
    convex_object_set(row, "sessionId", convex_string(request->session_id));
    convex_object_set(row, "requestId", convex_int64(request->request));
    convex_object_set(row, "result", convex_string(buffer_text(&text)));
    buffer_free(&text);
    struct convex_store_table *table = convex_store_table(transaction->store, CONVEX_REQUESTS_TABLE);
    return convex_transaction_insert(transaction, table, row, id, error);
}

static void answer_stored(struct sync_session *session, uint32_t number,
                          const struct convex_revision *stored) {
    const struct sync_answer answer = {
        .request = number, .result = convex_object_text(stored->value, "result"), .ts = (uint64_t)stored->ts};
    sync_session_answer(session, &answer);
}

/* A failure is not stored: who sends the mutation again runs it again. */
static void answer_failure(struct sync_request *request, const struct convex_mutation_outcome *outcome) {
    struct sync_session *session = request->session;
    const struct convex_call call = {.path = request->path, .request_id = request->id};
    struct buffer text = {0};
    if (outcome->message != NULL) {
        convex_call_failure(request->hub->deployment, &call, outcome->message, outcome->thrown, &text);
    }
    const struct sync_answer answer = {.request = request->request,
                                       .message = buffer_text(&text),
                                       .data = outcome->thrown,
                                       .log = outcome->log,
                                       .code = outcome->code};
    free_request(request);
    if (session != NULL) {
        sync_session_answer(session, &answer);
    }
    buffer_free(&text);
}

/* For the checks: what ran, and for whom. */
static void note_ran(void *context, int64_t ts) {
    const struct sync_request *request = context;
    const struct note_row row = {.table = request->path, .id = request->session_id};
    const struct note note = {
        .kind = NOTE_CALL_RAN, .timestamp = ts, .transaction = request->request, .rows = &row, .n_rows = 1};
    host_note(request->hub->deployment->host, &note);
}

static void mutation_done(void *context, const struct convex_mutation_outcome *outcome) {
    struct sync_request *request = context;
    if (outcome->value == NULL) {
        answer_failure(request, outcome);
        return;
    }
    struct sync_session *session = request->session;
    struct buffer text = {0};
    convex_append_json(&text, outcome->value, CONVEX_FORMAT_ENCODED);
    const struct sync_answer answer = {.request = request->request,
                                       .result = buffer_text(&text),
                                       .ts = (uint64_t)outcome->ts,
                                       .log = outcome->log,
                                       .lost = outcome->lost};
    free_request(request);
    if (session != NULL) {
        sync_session_answer(session, &answer);
    }
    buffer_free(&text);
}

char *sync_hub_request_id(const char *session_id, uint32_t request) {
    unsigned char digest[32];
    struct buffer hex = {0};
    if (*session_id == 0) {
        return NULL;
    }
    char *text = memory_format("%s|%u", session_id, (unsigned)request);
    digest_sha256(text, strlen(text), digest);
    hex_append(&hex, digest, 8);
    free(text);
    return buffer_take(&hex);
}

static void run_request(struct sync_hub *hub, struct sync_session *session, const char *id, char *key,
                        uint32_t number, struct convex_call call) {
    struct sync_request *request = memory_allocate(sizeof *request);
    *request = (struct sync_request){.hub = hub, .key = key, .request = number, .session = session};
    request->session_id = memory_copy_text(id);
    request->path = memory_copy_text(call.path);
    request->id = memory_copy_text(call.request_id);
    request->next = hub->running;
    request->link = &hub->running;
    if (request->next != NULL) {
        request->next->link = &request->next;
    }
    hub->running = request;
    if (key != NULL) {
        map_set(&hub->requests, key, request);
    }
    const struct convex_mutation_caller caller = {.finish = key != NULL ? store_result : NULL,
                                                  .committed = note_ran,
                                                  .done = mutation_done,
                                                  .context = request};
    convex_mutation_run(hub->deployment, &call, &caller);
}

void sync_hub_mutate(struct sync_hub *hub, struct sync_session *session, const char *id, uint32_t number,
                     struct convex_call call) {
    char *key = *id != 0 ? memory_format("%s:%u", id, (unsigned)number) : NULL;
    struct sync_request *running = key != NULL ? map_get(&hub->requests, key) : NULL;
    const struct convex_revision *stored =
        key != NULL && running == NULL ? find_stored(hub, id, number) : NULL;
    if (running == NULL && stored == NULL) {
        run_request(hub, session, id, key, number, call);
        return;
    }
    convex_call_free(&call);
    free(key);
    if (stored != NULL) {
        answer_stored(session, number, stored);
        return;
    }
    struct sync_session *before = running->session;
    running->session = session;
    if (before != NULL && before != session) {
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
