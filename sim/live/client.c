/* The host's client operations: libcurl's multi interface, told by libuv which sockets are ready. Calls are
 * added to curl and taken from it by live_client_settle only, never from inside curl's callbacks. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "live/live_private.h"

enum { connect_timeout_ms = 30000, cached_connections = 256 };

struct call {
    struct live *live;
    struct live_node *node;
    uint64_t id;
    CURL *easy;
    struct curl_slist *headers;
    struct http_client_events events;
    void *context;
    struct buffer text; /* names and values of the response, each terminated by 0 */
    size_t places[2 * live_header_fields_most];
    size_t n_fields;
    bool changed; /* on the list of calls to start or to drop */
    bool started;
    bool dropped; /* the actor has given it up */
    bool head_seen;
    struct call *next_changed;
    struct call *next;
    struct call *previous;
};

/* A socket of curl's that the loop watches. */
struct watch {
    uv_poll_t poll; /* first */
    struct live *live;
    curl_socket_t socket;
};

/* --- calls --- */

static void mark_changed(struct call *call) {
    struct live *live = call->live;
    if (call->changed)
        return;
    call->changed = true;
    call->next_changed = NULL;
    *live->last_changed = call;
    live->last_changed = &call->next_changed;
}

static void free_call(struct call *call) {
    struct live *live = call->live;
    assert(!call->changed);
    slot_table_remove(&live->sent, call->id);
    if (call->started)
        curl_multi_remove_handle(live->multi, call->easy);
    if (call->previous)
        call->previous->next = call->next;
    else
        live->first_call = call->next;
    if (call->next)
        call->next->previous = call->previous;
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buffer_free(&call->text);
    free(call);
}

bool live_client_settle(struct live *live) {
    bool any = live->first_changed != NULL;
    while (live->first_changed) {
        struct call *call = live->first_changed;
        live->first_changed = call->next_changed;
        if (!live->first_changed)
            live->last_changed = &live->first_changed;
        call->changed = false;
        if (call->dropped) {
            free_call(call);
            continue;
        }
        assert(!call->started);
        call->started = true;
        CURLMcode code = curl_multi_add_handle(live->multi, call->easy);
        assert(code == CURLM_OK);
    }
    return any;
}

/* --- what curl reports --- */

static void add_field(struct call *call, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length);
    if (!colon || call->n_fields == live_header_fields_most)
        return;
    const char *value = colon + 1, *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    while (end > value && strchr(" \t\r\n", end[-1]))
        end--;
    call->places[2 * call->n_fields] = call->text.length;
    buffer_append(&call->text, line, (size_t)(colon - line));
    buffer_append_char(&call->text, '\0');
    call->places[2 * call->n_fields + 1] = call->text.length;
    buffer_append(&call->text, value, (size_t)(end - value));
    buffer_append_char(&call->text, '\0');
    call->n_fields++;
}

static void emit_head(struct call *call, int status) {
    struct http_header headers[live_header_fields_most];
    const char *text = buffer_text(&call->text);
    for (size_t i = 0; i < call->n_fields; i++)
        headers[i] =
            (struct http_header){.name = text + call->places[2 * i], .value = text + call->places[2 * i + 1]};
    const struct http_response response = {.status = status, .headers = headers, .n_headers = call->n_fields};
    call->head_seen = true;
    if (call->events.head)
        call->events.head(call->context, call->id, &response);
}

static size_t on_header(char *line, size_t size, size_t count, void *context) {
    struct call *call = context;
    size_t length = size * count;
    long status = 0;
    if (call->dropped)
        return 0;
    if (call->head_seen) /* a trailer */
        return length;
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        call->n_fields = 0;
        buffer_clear(&call->text);
    } else if (line[0] != '\r' && line[0] != '\n') {
        add_field(call, line, length);
    } else {
        curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
        if (status >= 200)
            emit_head(call, (int)status);
    }
    return call->dropped ? 0 : length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context) {
    struct call *call = context;
    if (call->dropped)
        return 0;
    if (call->events.body && size * count > 0)
        call->events.body(call->context, call->id, bytes, size * count);
    return call->dropped ? 0 : size * count;
}

static enum http_failure failure_of(CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_URL_MALFORMAT:
        return HTTP_FAILURE_REFUSED;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_FAILURE_TIMEOUT;
    default:
        return HTTP_FAILURE_RESET;
    }
}

static void complete(struct call *call, CURLcode code) {
    const struct http_client_events events = call->events;
    void *context = call->context;
    const uint64_t id = call->id;
    free_call(call);
    if (code == CURLE_OK && events.end)
        events.end(context, id);
    if (code != CURLE_OK && events.failed)
        events.failed(context, id, failure_of(code));
}

static void collect(struct live *live) {
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(live->multi, &left));) {
        char *private = NULL;
        const CURLcode code = message->data.result;
        assert(message->msg == CURLMSG_DONE);
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
        struct call *call = (struct call *)(void *)private;
        if (!call->dropped) /* else live_client_settle frees it */
            complete(call, code);
    }
}

/* --- curl and the loop --- */

static void on_ready(uv_poll_t *poll, int status, int events) {
    const struct watch *watch = poll->data;
    struct live *live = watch->live;
    int running, what = 0;
    what |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    what |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    what |= status < 0 ? CURL_CSELECT_ERR : 0;
    curl_multi_socket_action(live->multi, watch->socket, what, &running);
    collect(live);
}

static void free_watch(uv_handle_t *handle) {
    free(handle->data);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context) {
    struct live *live = context;
    struct watch *watch = socket_context;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, free_watch);
        curl_multi_assign(live->multi, socket, NULL);
        return 0;
    }
    if (!watch) {
        watch = memory_allocate(sizeof *watch);
        watch->live = live;
        watch->socket = socket;
        watch->poll.data = watch;
        uv_poll_init_socket(&live->loop, &watch->poll, socket);
        curl_multi_assign(live->multi, socket, watch);
    }
    uv_poll_start(&watch->poll,
                  (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0),
                  on_ready);
    return 0;
}

static void on_timeout(uv_timer_t *timer) {
    struct live *live = timer->data;
    int running;
    curl_multi_socket_action(live->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    collect(live);
}

static int on_timer(CURLM *multi, long ms, void *context) {
    struct live *live = context;
    (void)multi;
    if (ms < 0)
        uv_timer_stop(&live->multi_timer);
    else
        uv_timer_start(&live->multi_timer, on_timeout, (uint64_t)ms, 0);
    return 0;
}

void live_client_open(struct live *live) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
    live->multi = curl_multi_init();
    assert(live->multi);
    live->last_changed = &live->first_changed;
    uv_timer_init(&live->loop, &live->multi_timer);
    live->multi_timer.data = live;
    curl_multi_setopt(live->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(live->multi, CURLMOPT_SOCKETDATA, live);
    curl_multi_setopt(live->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(live->multi, CURLMOPT_TIMERDATA, live);
    curl_multi_setopt(live->multi, CURLMOPT_MAXCONNECTS, (long)cached_connections);
}

void live_client_abandon(struct live *live) {
    while (live->first_changed) {
        struct call *call = live->first_changed;
        live->first_changed = call->next_changed;
        call->changed = false;
    }
    live->last_changed = &live->first_changed;
    while (live->first_call)
        free_call(live->first_call);
    curl_multi_cleanup(live->multi);
    curl_global_cleanup();
}

/* --- operations --- */

const char *live_address_of(const struct live *live, const char *authority) {
    const struct live_node *node = map_get(&live->nodes, authority);
    return node && node->serving ? node->address : authority;
}

static void set_headers(struct call *call, const struct http_request *request) {
    /* Not what curl would add of its own. */
    static const char *const unwanted[] = {"Accept:", "Expect:", "Content-Type:"};
    for (size_t i = 0; i < sizeof unwanted / sizeof unwanted[0]; i++)
        call->headers = curl_slist_append(call->headers, unwanted[i]);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct http_header *header = &request->headers[i];
        char *line = memory_format(*header->value ? "%s: %s" : "%s;", header->name, header->value);
        call->headers = curl_slist_append(call->headers, line);
        free(line);
    }
    curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers);
}

static void set_body(CURL *easy, const struct http_request *request) {
    if (request->body_length > 0 || strcmp(request->method, "POST") == 0) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body_length > 0 ? request->body : "");
    } else if (strcmp(request->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

/* An authority may say its scheme. With https the server's certificate must be one that the system trusts. */
static void set_address(struct call *call, const char *authority) {
    const bool is_url =
        strncasecmp(authority, "http://", 7) == 0 || strncasecmp(authority, "https://", 8) == 0;
    char *url = is_url ? memory_format("%s/", authority)
                       : memory_format("http://%s/", live_address_of(call->live, authority));
    curl_easy_setopt(call->easy, CURLOPT_URL, url);
    free(url);
    if (call->live->settings.authorities_file)
        curl_easy_setopt(call->easy, CURLOPT_CAINFO, call->live->settings.authorities_file);
}

static void set_options(struct call *call, const struct http_request *request) {
    CURL *easy = call->easy;
    set_address(call, request->authority);
    curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, request->target);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout_ms);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
    set_body(easy, request);
    set_headers(call, request);
}

static uint64_t http_send(struct host *host, const struct http_request *request,
                          const struct http_client_events *events, void *context) {
    struct live *live = live_of(host);
    struct call *call = memory_allocate(sizeof *call);
    call->live = live;
    call->node = (struct live_node *)host;
    call->events = *events;
    call->context = context;
    call->id = slot_table_add(&live->sent, call);
    call->easy = curl_easy_init();
    assert(call->id != 0 && call->easy);
    call->next = live->first_call;
    if (call->next)
        call->next->previous = call;
    live->first_call = call;
    set_options(call, request);
    mark_changed(call);
    return call->id;
}

static void http_abort(struct host *host, uint64_t exchange) {
    struct live *live = live_of(host);
    struct call *call = slot_table_get(&live->sent, exchange);
    live_websocket_client_abort(host, exchange);
    if (!call || &call->node->host != host)
        return;
    slot_table_remove(&live->sent, exchange);
    call->dropped = true;
    mark_changed(call);
}

void live_client_operations(struct host_operations *operations) {
    operations->http_send = http_send;
    operations->http_abort = http_abort;
}
