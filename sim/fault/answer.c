/* `answer`: the door answers, the actor never sees the request. With `code` the body is Convex's error
 * envelope, with `body` what a proxy or another server might say. */
#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "fault/kind.h"

struct answer {
    int64_t status;
    const char *code, *message; /* of the envelope */
    const char *body;           /* instead of it */
    const char *content_type;
    const struct http_header *headers; /* the content type last */
    size_t n_headers;
};

enum { HEADERS_MOST = 64 };

static void prepare(void *parameters) {
    *(struct answer *)parameters = (struct answer){.status = 500};
}

/* A field name as HTTP has it, and a value that ends no line. */
static bool is_header(const char *name, const char *value) {
    return *name &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == strlen(name) &&
           !strpbrk(value, "\r\n");
}

static enum status read_headers(struct reader *reader, struct reader_value value, void *target) {
    struct answer *answer = target;
    if (!json_is_object(value.value) || json_object_size(value.value) > HEADERS_MOST)
        return reader_refuse(reader, value, "`headers` must be a mapping of at most %d names to texts",
                             HEADERS_MOST);
    struct http_header *headers =
        arena_allocate(reader->arena, (json_object_size(value.value) + 1) * sizeof *headers);
    const char *name;
    json_t *unused;
    json_object_foreach((json_t *)(uintptr_t)value.value, name, unused) {
        struct reader_value member = reader_member(value.value, name);
        struct http_header *header = &headers[answer->n_headers];
        enum status status = reader_text(reader, member, &header->value);
        if (status != STATUS_OK)
            return status;
        if (!is_header(name, header->value))
            return reader_refuse(reader, member, "`%.60s` with this value is no header field", name);
        header->name = arena_copy_text(reader->arena, name);
        answer->n_headers++;
    }
    answer->headers = headers;
    return STATUS_OK;
}

#define PLACE(member) offsetof(struct answer, member)
static const struct field fields[] = {
    {.key = "status", .kind = FIELD_COUNT, .offset = PLACE(status), .low = 200, .high = 599},
    {.key = "code", .kind = FIELD_TEXT, .offset = PLACE(code)},
    {.key = "message", .kind = FIELD_TEXT, .offset = PLACE(message)},
    {.key = "body", .kind = FIELD_TEXT, .offset = PLACE(body)},
    {.key = "content-type", .kind = FIELD_TEXT, .offset = PLACE(content_type)},
    {.key = "headers", .kind = FIELD_SPECIAL, .read = read_headers},
    {.key = NULL}};

/* The body is made here, once. */
static enum status check(struct reader *reader, struct reader_value value, void *parameters) {
    struct answer *answer = parameters;
    if (answer->body && (answer->code || answer->message))
        return reader_refuse(reader, value, "`answer` has either `body`, or `code` and `message`");
    if (!answer->code && answer->message)
        return reader_refuse(reader, value, "`answer` with `message` needs `code`");
    if (answer->content_type && !is_header("x", answer->content_type))
        return reader_refuse(reader, value, "`content-type` must be one line");
    bool envelope = answer->code != NULL;
    if (envelope) {
        struct buffer body = {0};
        buffer_append_text(&body, "{\"code\":");
        buffer_append_json_text(&body, answer->code);
        buffer_append_text(&body, ",\"message\":");
        buffer_append_json_text(&body, answer->message ? answer->message : "injected fault");
        buffer_append_char(&body, '}');
        answer->body = arena_copy_text(reader->arena, buffer_text(&body));
        buffer_free(&body);
    }
    if (!answer->content_type && answer->body && *answer->body)
        answer->content_type = envelope ? "application/json" : "text/html";
    return STATUS_OK;
}

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct answer *answer = stage->parameters;
    if (!struck)
        return; /* only the peer's going can follow: the actor knows of nothing */
    (void)event;
    struct http_header headers[HEADERS_MOST + 1];
    size_t n = answer->n_headers;
    if (n > 0)
        memcpy(headers, answer->headers, n * sizeof *headers);
    if (answer->content_type)
        headers[n++] = (struct http_header){"content-type", answer->content_type};
    const struct http_response response = {.status = (int)answer->status, .headers = headers, .n_headers = n};
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_RESPOND, .response = &response});
    if (answer->body && *answer->body)
        fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_WRITE,
                                                .bytes = answer->body,
                                                .length = strlen(answer->body)});
    fault_pass(stage, &(struct fault_event){.kind = FAULT_EVENT_END});
}

const struct door_fault fault_answer = {.name = "answer",
                                        .summary = "answered at the door; the server never sees it",
                                        .requests = true,
                                        .size = sizeof(struct answer),
                                        .fields = fields,
                                        .prepare = prepare,
                                        .check = check,
                                        .pass = pass};
