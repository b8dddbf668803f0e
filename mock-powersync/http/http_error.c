#include "mock-powersync/http/http_error.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

bool http_error_set(struct http_error *error, int status, const char *name, const char *code,
                    const char *description) {
    assert(status >= 400 && status < 600);
    error->status = status;
    error->name = name;
    error->code = code;
    error->description = description;
    error->details[0] = '\0';
    return false;
}

bool http_error_authorization(struct http_error *error, const char *code, const char *description) {
    return http_error_set(error, 401, "AuthorizationError", code, description);
}

void http_append_time(struct buffer *out, int64_t time) {
    struct tm date;
    time_t seconds = (time_t)(time / TIME_SECOND);
    gmtime_r(&seconds, &date);
    buffer_printf(out, "\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\"", date.tm_year + 1900, date.tm_mon + 1,
                  date.tm_mday, date.tm_hour, date.tm_min, date.tm_sec,
                  (int)(time % TIME_SECOND / TIME_MILLISECOND));
}

void http_respond_json(struct host *host, uint64_t exchange, int status, const char *json) {
    static const struct http_header headers[] = {{"access-control-allow-origin", "*"},
                                                 {"access-control-expose-headers", "Content-Type"},
                                                 {"content-type", "application/json; charset=utf-8"}};
    struct http_response response = {.status = status, .headers = headers, .n_headers = 3};
    host_http_respond(host, exchange, &response);
    host_http_write(host, exchange, json, strlen(json));
    host_http_end(host, exchange);
}

void http_error_append(struct buffer *out, const struct http_error *error) {
    assert(error->status != 0);
    buffer_append_text(out, "{\"error\":{\"name\":");
    buffer_append_json_text(out, error->name);
    buffer_append_text(out, ",\"code\":");
    buffer_append_json_text(out, error->code);
    buffer_printf(out, ",\"status\":%d,\"description\":", error->status);
    buffer_append_json_text(out, error->description);
    if (error->details[0]) {
        buffer_append_text(out, ",\"details\":");
        json_t *details = json_string_lossy(error->details, strlen(error->details)); /* may have been cut */
        json_append(out, details);
        json_decref(details);
    }
    buffer_append_text(out, "}}");
}

void http_respond_error(struct host *host, uint64_t exchange, const struct http_error *error) {
    struct buffer body = {0};
    http_error_append(&body, error);
    http_respond_json(host, exchange, error->status, body.data);
    buffer_free(&body);
}
