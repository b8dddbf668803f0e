#include "mock-convex/function/http_message.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/value/utf8.h"
#include "mock-convex/value/value_check.h"

static bool is_utf8(const char *bytes, size_t length) {
    for (size_t at = 0, step; at < length; at += step) {
        step = convex_utf8_length(bytes + at, length - at);
        if (step == 0) {
            return false;
        }
    }
    return true;
}

struct convex_value *convex_body_value(const void *bytes, size_t length) {
    struct convex_value *value = convex_bytes(length > 0 ? bytes : "", length);
    if (is_utf8(value->as.bytes.data, length)) {
        value->kind = CONVEX_STRING; /* the same layout */
    }
    return value;
}

/* --- headers --- */

static bool is_token(const char *text) {
    static const char marks[] = "!#$%&'*+-.^_`|~";
    for (const char *at = text; *at != 0; at++) {
        bool letter = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z');
        if (!letter && !(*at >= '0' && *at <= '9') && strchr(marks, *at) == NULL) {
            return false;
        }
    }
    return *text != 0;
}

static char *lower(const char *text) {
    char *copy = memory_copy_text(text);
    for (char *at = copy; *at != 0; at++) {
        if (*at >= 'A' && *at <= 'Z') {
            *at = (char)(*at - 'A' + 'a');
        }
    }
    return copy;
}

static void add_header(struct convex_value *object, const char *name, const char *value) {
    const char *before = convex_object_text(object, name);
    if (before != NULL) {
        char *both = memory_format("%s, %s", before, value);
        convex_object_set(object, name, convex_string(both));
        free(both);
    } else if (object->as.object.count < CONVEX_FIELDS_MAX) {
        convex_object_set(object, name, convex_string(value));
    }
}

struct convex_value *convex_headers_value(const struct http_header *headers, size_t count) {
    struct convex_value *object = convex_object();
    for (size_t i = 0; i < count; i++) {
        char *name = lower(headers[i].name);
        if (is_token(name) && name[0] != '$' && is_utf8(headers[i].value, strlen(headers[i].value))) {
            add_header(object, name, headers[i].value);
        }
        free(name);
    }
    return object;
}

/* --- what a function made --- */

static enum status check_headers(const struct convex_value *headers, struct error *error) {
    if (headers->kind != CONVEX_OBJECT) {
        return error_set(error, STATUS_INVALID, "`headers` must be an object");
    }
    for (size_t i = 0; i < headers->as.object.count; i++) {
        const struct convex_field *field = &headers->as.object.fields[i];
        if (!is_token(field->name) || field->value->kind != CONVEX_STRING ||
            strlen(field->value->as.bytes.data) != field->value->as.bytes.length ||
            strpbrk(field->value->as.bytes.data, "\r\n") != NULL) {
            return error_set(error, STATUS_INVALID, "the header \"%.64s\" must be a line of text",
                             field->name);
        }
    }
    return STATUS_OK;
}

static enum status check_status(const struct convex_value *status, struct error *error) {
    double number = status->kind == CONVEX_FLOAT64 ? status->as.number : 0;
    return number >= 200 && number <= 599 && number == (double)(int)number
               ? STATUS_OK
               : error_set(error, STATUS_INVALID, "`status` must be a whole number from 200 to 599");
}

enum status convex_http_check(const struct convex_value *message, struct error *error) {
    if (message == NULL || message->kind != CONVEX_OBJECT) {
        return error_set(error, STATUS_INVALID, "a request or response must be an object");
    }
    const struct convex_value *method = convex_object_get(message, "method");
    const struct convex_value *status = convex_object_get(message, "status");
    const struct convex_value *headers = convex_object_get(message, "headers");
    const struct convex_value *body = convex_object_get(message, "body");
    if (method != NULL && (method->kind != CONVEX_STRING || !is_token(method->as.bytes.data))) {
        return error_set(error, STATUS_INVALID, "`method` must be the name of a method");
    }
    if (body != NULL && body->kind != CONVEX_STRING && body->kind != CONVEX_BYTES &&
        body->kind != CONVEX_NULL) {
        return error_set(error, STATUS_INVALID, "`body` must be text or bytes");
    }
    enum status result = status != NULL ? check_status(status, error) : STATUS_OK;
    return result == STATUS_OK && headers != NULL ? check_headers(headers, error) : result;
}

/* The host frames the message itself. */
static bool is_framing(const char *name) {
    char *small = lower(name);
    bool framing = strcmp(small, "content-length") == 0 || strcmp(small, "transfer-encoding") == 0 ||
                   strcmp(small, "connection") == 0;
    free(small);
    return framing;
}

void convex_http_parts_read(struct convex_http_parts *parts, const struct convex_value *message) {
    const struct convex_value *status = convex_object_get(message, "status");
    const struct convex_value *headers = convex_object_get(message, "headers");
    const struct convex_value *body = convex_object_get(message, "body");
    memset(parts, 0, sizeof *parts);
    parts->method = convex_object_text(message, "method");
    parts->status = status != NULL ? (int)status->as.number : 200;
    size_t count = headers != NULL ? headers->as.object.count : 0;
    parts->headers = memory_allocate_array(count + 1, sizeof *parts->headers);
    for (size_t i = 0; i < count; i++) {
        const struct convex_field *field = &headers->as.object.fields[i];
        if (!is_framing(field->name)) {
            parts->headers[parts->n_headers++] =
                (struct http_header){field->name, field->value->as.bytes.data};
        }
    }
    if (body != NULL && body->kind != CONVEX_NULL) {
        parts->body = body->as.bytes.data;
        parts->body_length = body->as.bytes.length;
    }
}

void convex_http_parts_free(struct convex_http_parts *parts) {
    free(parts->headers);
    memset(parts, 0, sizeof *parts);
}
