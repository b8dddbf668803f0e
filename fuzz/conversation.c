#include "conversation.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

enum { HEADERS_MOST = 16 };

/* --- what comes back --- */

static void check_response(const struct conversation_record *record) {
    assert(record->status >= 200 && record->status < 600);
    if (record->faulty || record->free_form || record->status < 400 || record->body.length == 0) {
        return;
    }
    json_t *json = json_parse(record->body.data, record->body.length, NULL);
    assert(json_object_size(json) == 2 && json_text(json, "code") && json_text(json, "message"));
    json_decref(json);
}

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct conversation_record *record = context;
    (void)exchange;
    assert(record->status == 0);
    record->status = response->status;
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct conversation_record *record = context;
    (void)exchange;
    buffer_append(&record->body, bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct conversation_record *record = context;
    (void)exchange;
    assert(!record->answered);
    record->answered = true;
    check_response(record);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    struct conversation_record *record = context;
    (void)exchange;
    (void)failure;
    assert(record->faulty && !record->answered); /* nobody is left without an answer */
    record->answered = true;
}

static void on_opened(void *context, uint64_t socket) {
    struct conversation_record *record = context;
    for (const char *at = record->messages; *at != 0;) {
        size_t length = strcspn(at, "\n");
        bool binary = *at == '!';
        host_websocket_send(record->client, socket, binary ? WEBSOCKET_BINARY : WEBSOCKET_TEXT, at, length);
        at += length + (at[length] != 0);
    }
    record->answered = true;
}

static void on_refused(void *context, uint64_t socket, const struct http_response *response) {
    struct conversation_record *record = context;
    (void)socket;
    assert(response->status >= 200); /* a route that is no WebSocket answers as ever */
    record->answered = true;
}

/* Each Transition begins where the last one ended. */
static void check_version(struct conversation_record *record, const json_t *message) {
    char *start = json_dumps(json_object_get(message, "startVersion"), JSON_SORT_KEYS);
    assert(start && (!record->version || strcmp(record->version, start) == 0));
    free(start);
    free(record->version);
    record->version = json_dumps(json_object_get(message, "endVersion"), JSON_SORT_KEYS);
    assert(record->version);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct conversation_record *record = context;
    (void)socket;
    (void)kind;
    if (record->faulty) {
        return;
    }
    assert(kind == WEBSOCKET_TEXT);
    json_t *json = json_parse(bytes, length, NULL);
    const char *type = json_text(json, "type");
    assert(type);
    if (strcmp(type, "Transition") == 0) {
        check_version(record, json);
    }
    json_decref(json);
}

static void on_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct conversation_record *record = context;
    (void)socket;
    assert(reason && code >= 1000);
    record->answered = true;
}

/* --- the script --- */

/* The text up to the next newline, terminated in place; NULL at the end. */
static char *next_line(char **at) {
    char *line = *at;
    if (*line == 0) {
        return NULL;
    }
    size_t length = strcspn(line, "\n");
    *at = line + length + (line[length] != 0);
    line[length] = 0;
    return line;
}

static bool is_token(const char *text, const char *also) {
    for (const char *at = text; *at != 0; at++) {
        if ((unsigned char)*at <= ' ' || (unsigned char)*at >= 0x7f || strchr(also, *at) != NULL) {
            return false;
        }
    }
    return *text != 0;
}

/* Only what a host would pass on: a method and a target of printable characters, header names that are
 * tokens. */
bool conversation_start(struct conversation_record *record, char *text) {
    static const struct http_client_events http = {on_head, on_body, on_end, on_failed};
    static const struct websocket_client_events websocket = {on_opened, on_refused, on_message, on_closed};
    struct http_header headers[HEADERS_MOST];
    struct http_request request = {.authority = "convex", .headers = headers};
    char *line = next_line(&text), *target = line != NULL ? strchr(line, ' ') : NULL;
    if (target == NULL) {
        return false;
    }
    *target++ = 0;
    if (!is_token(line, "") || !is_token(target, "#")) {
        return false;
    }
    request.method = line;
    request.target = target;
    while ((line = next_line(&text)) != NULL && *line != 0) {
        char *colon = strchr(line, ':');
        if (colon == NULL || request.n_headers == HEADERS_MOST) {
            return false;
        }
        *colon = 0;
        if (!is_token(line, "()<>@,;\\\"/[]?={}")) {
            return false;
        }
        headers[request.n_headers++] = (struct http_header){line, colon + 1 + strspn(colon + 1, " ")};
    }
    record->free_form = strncmp(target, "/http/", 6) == 0;
    if (strcmp(request.method, "WS") == 0) {
        request.method = "GET";
        record->messages = text;
        host_websocket_connect(record->client, &request, &websocket, record);
    } else {
        request.body = text;
        request.body_length = strlen(text);
        host_http_send(record->client, &request, &http, record);
    }
    return true;
}

bool conversation_run(struct world *world, int64_t duration) {
    enum status status = world_run(world, world_now(world) + duration, NULL);
    assert(status == STATUS_OK || status == STATUS_LIMIT);
    return status == STATUS_OK;
}

size_t conversation_start_all(struct world *world, struct host *client, bool faulty, char *script,
                              struct conversation_record records[CONVERSATION_RECORDS_MOST]) {
    size_t count = 0;
    while (script != NULL && count < CONVERSATION_RECORDS_MOST) {
        char *end = strstr(script, "\n---\n"), *next = end != NULL ? end + 5 : NULL;
        if (end != NULL) {
            *end = 0;
        }
        records[count] = (struct conversation_record){.client = client, .faulty = faulty};
        count += conversation_start(&records[count], script);
        if (!conversation_run(world, 3 * TIME_MILLISECOND)) {
            break;
        }
        script = next;
    }
    return count;
}

void conversation_free(struct conversation_record *record) {
    buffer_free(&record->body);
    free(record->version);
}
