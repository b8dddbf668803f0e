/* Calls: a mutation is over when a transition shows it, an action when it is answered. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/reactive_parts.h"

static void note_started(struct reactive_client *client, const struct reactive_request *request,
                         const char *step) {
    const struct note_row row = {.operation = request->kind == REACTIVE_MUTATION ? "mutation" : "action",
                                 .table = request->path,
                                 .id = request->args,
                                 .values = client->session};
    const struct note note = {
        .kind = NOTE_CALL_STARTED, .transaction = request->id, .rows = &row, .n_rows = 1, .text = step};
    host_note(client->host, &note);
}

/* `result`: of a success; else the message, or NULL. */
static void note_ended(struct reactive_client *client, const struct reactive_request *request,
                       const char *outcome, const char *result) {
    const struct note_row row = {.operation = request->kind == REACTIVE_MUTATION ? "mutation" : "action",
                                 .table = request->path,
                                 .id = request->args,
                                 .values = result};
    const struct note note = {.kind = NOTE_CALL_ENDED,
                              .timestamp = (int64_t)request->ts,
                              .transaction = request->id,
                              .rows = &row,
                              .n_rows = 1,
                              .text = outcome};
    host_note(client->host, &note);
}

static void remove_at(struct reactive_client *client, size_t index) {
    struct reactive_request *request = &client->requests[index];
    free(request->path);
    free(request->args);
    free(request->result);
    client->n_requests--;
    memmove(request, request + 1, (client->n_requests - index) * sizeof *request);
}

void reactive_requests_drop(struct reactive_client *client) {
    while (client->n_requests > 0) {
        remove_at(client, client->n_requests - 1);
    }
}

/* --- sending --- */

static bool send(struct reactive_client *client, const struct reactive_request *request) {
    struct buffer text = {0};
    buffer_printf(&text, "{\"type\":\"%s\",\"requestId\":%u,\"udfPath\":",
                  request->kind == REACTIVE_MUTATION ? "Mutation" : "Action", (unsigned)request->wire);
    buffer_append_json_text(&text, request->path);
    buffer_printf(&text, ",\"args\":[%s]}", request->args);
    bool sent = reactive_socket_send(client, &text);
    buffer_free(&text);
    return sent;
}

uint32_t reactive_client_call(struct reactive_client *client, enum reactive_call_kind kind, const char *path,
                              const char *args, const char *step) {
    assert(!client->crashed);
    MEMORY_RESERVE(client->requests, client->requests_capacity, client->n_requests + 1);
    struct reactive_request *request = &client->requests[client->n_requests++];
    *request = (struct reactive_request){.id = client->next_request++,
                                         .kind = kind,
                                         .path = memory_copy_text(path),
                                         .args = memory_copy_text(args)};
    request->wire = request->id;
    note_started(client, request, step);
    request->progress = send(client, request) ? REACTIVE_REQUESTED : REACTIVE_NOT_SENT;
    return request->id;
}

/* A mutation goes again under the number it had: the server knows it by that and does not run it twice. */
static void send_again(struct reactive_client *client, struct reactive_request *request) {
    if (request->progress != REACTIVE_NOT_SENT && host_mutant(client->host, "new-request-id")) {
        request->wire = client->next_request++;
    }
    if (request->progress == REACTIVE_NOT_SENT) {
        request->progress = REACTIVE_REQUESTED;
    }
    request->older_than_restart = true;
    send(client, request);
}

/* Whether an action that was sent has run nobody can say, and it must not run twice. */
void reactive_requests_restart(struct reactive_client *client) {
    for (size_t i = 0; i < client->n_requests;) {
        struct reactive_request *request = &client->requests[i];
        if (request->kind == REACTIVE_ACTION && request->progress == REACTIVE_REQUESTED) {
            note_ended(client, request, "unknown", NULL);
            remove_at(client, i);
            continue;
        }
        send_again(client, request);
        i++;
    }
}

void reactive_requests_resume(struct reactive_client *client) {
    for (size_t i = 0; i < client->n_requests; i++) {
        struct reactive_request *request = &client->requests[i];
        if (request->progress == REACTIVE_NOT_SENT && send(client, request)) {
            request->progress = REACTIVE_REQUESTED;
        }
    }
}

/* --- answers --- */

static size_t find_wire(const struct reactive_client *client, uint32_t wire) {
    size_t i = 0;
    while (i < client->n_requests && client->requests[i].wire != wire) {
        i++;
    }
    return i;
}

static bool take_success(struct reactive_client *client, size_t index, const json_t *message) {
    struct reactive_request *request = &client->requests[index];
    struct buffer text = {0};
    json_append(&text, json_object_get(message, "result"));
    request->result = buffer_take(&text);
    request->progress = REACTIVE_COMPLETED;
    if (request->kind == REACTIVE_ACTION) {
        note_ended(client, request, "success", request->result);
        remove_at(client, index);
    }
    return true;
}

bool reactive_requests_response(struct reactive_client *client, const json_t *message, bool mutation) {
    uint32_t wire;
    uint64_t ts = 0;
    const json_t *result = json_object_get(message, "result");
    const json_t *success = json_object_get(message, "success");
    if (!reactive_read_count(message, "requestId", &wire) || !json_is_boolean(success) || result == NULL ||
        !json_is_array(json_object_get(message, "logLines"))) {
        return false;
    }
    bool good = json_is_true(success);
    if (good ? mutation && !reactive_read_ts(message, "ts", &ts) : !json_is_string(result)) {
        return false;
    }
    client->observed = ts > client->observed ? ts : client->observed;
    size_t index = find_wire(client, wire);
    if (index == client->n_requests || client->requests[index].progress == REACTIVE_COMPLETED) {
        return true; /* sent twice, answered twice */
    }
    struct reactive_request *request = &client->requests[index];
    if ((request->kind == REACTIVE_MUTATION) != mutation) {
        return false;
    }
    if (good) {
        request->ts = ts;
        return take_success(client, index, message);
    }
    note_ended(client, request, "failure", json_string_value(result));
    remove_at(client, index);
    return true;
}

/* The package looks only when a transition arrives. */
void reactive_requests_complete(struct reactive_client *client) {
    for (size_t i = 0; i < client->n_requests;) {
        const struct reactive_request *request = &client->requests[i];
        if (request->progress == REACTIVE_COMPLETED && request->ts <= client->version.ts) {
            note_ended(client, request, "success", request->result);
            remove_at(client, i);
        } else {
            i++;
        }
    }
}
