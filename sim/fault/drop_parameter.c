/* `drop-parameter`: the request arrives without a parameter of its query string, as at a server that does not
 * know it. */
#include <stddef.h>
#include <string.h>

#include "base/buffer.h"
#include "fault/kind.h"

struct drop_parameter {
    const char *name;
};

static const struct field fields[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = offsetof(struct drop_parameter, name)}, {.key = NULL}};

static enum status check(struct reader *reader, struct reader_value value, void *parameters) {
    const struct drop_parameter *drop = parameters;
    return drop->name && *drop->name ? STATUS_OK
                                     : reader_refuse(reader, value, "`drop-parameter` needs the name of one");
}

/* The target without "name=value". Names that are percent-encoded are not recognized. */
static void append_without(struct buffer *out, const char *target, const char *name) {
    size_t path = strcspn(target, "?");
    buffer_append(out, target, path);
    char before = '?';
    for (const char *part = target + path; *part;) {
        size_t length = strcspn(++part, "&"), key = strcspn(part, "=&");
        if (key != strlen(name) || memcmp(part, name, key) != 0) {
            buffer_append_char(out, before);
            buffer_append(out, part, length);
            before = '&';
        }
        part += length;
    }
}

static void pass(struct fault_stage *stage, const struct fault_event *event, bool struck) {
    const struct drop_parameter *drop = stage->parameters;
    if (!struck) {
        fault_pass(stage, event);
        return;
    }
    struct buffer target = {0};
    append_without(&target, event->request->target, drop->name);
    struct http_request request = *event->request;
    request.target = buffer_text(&target);
    struct fault_event changed = *event;
    changed.request = &request;
    fault_pass(stage, &changed);
    buffer_free(&target);
}

const struct door_fault fault_drop_parameter = {.name = "drop-parameter",
                                                .summary = "a parameter of the query string is ignored",
                                                .requests = true,
                                                .size = sizeof(struct drop_parameter),
                                                .fields = fields,
                                                .alone = "name",
                                                .check = check,
                                                .pass = pass};
