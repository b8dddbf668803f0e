/* A scripted Convex export API for tests of the service alone: rows are given as JSON text and timestamps by
 * hand, so a test decides exactly what a page holds. Include once a test program. */
#ifndef TESTS_MOCK_POWERSYNC_FAKE_CONVEX_H
#define TESTS_MOCK_POWERSYNC_FAKE_CONVEX_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "kernel/host.h"

#define FAKE_START INT64_C(1767225600000000000) /* the first timestamp */

struct fake_change {
    int64_t ts;
    const char *table;
    char *id;
    char *fields; /* "," and the document's own fields, or "{" and all of them up to "}"; NULL: deleted */
};

struct fake_convex {
    struct host *host;
    struct fake_change changes[4000]; /* in order of ts */
    size_t n_changes;
    int64_t latest;
    size_t delta_rows;    /* page size, completed to whole transactions; may be changed by a test */
    size_t snapshot_rows; /* page size */
    int fail_status;      /* answer document_deltas so, `failures` times */
    int failures;
    const char *fail_route;  /* fail here instead, as "/api/list_snapshot" */
    const char *fail_body;   /* NULL: something scripted */
    const char *schemas;     /* the answer to json_schemas; NULL: lists, todos, powersync_checkpoints */
    bool ignore_filter;      /* list_snapshot gives the rows of all tables, whichever was asked for */
    bool silent;             /* never answer document_deltas */
    bool wrong_snapshot;     /* echo another snapshot */
    bool ignore_marker;      /* createCheckpoint changes nothing */
    char requests[600][200]; /* "METHOD target", in order; later ones are not kept */
    int64_t request_times[600];
    size_t n_requests;
    char authorization[200]; /* of the last request */
    int fail_heads;          /* so many heads are answered 500 */
    int fail_markers;
    bool hold; /* heads and markers wait for fake_release */
    struct {
        uint64_t exchange;
        char target[200];
    } held[300];
    size_t n_held;
};

static inline void fake_put(struct fake_convex *fake, int64_t ts, const char *table, const char *id,
                            const char *fields) {
    assert(fake->n_changes < 4000 && ts >= fake->latest);
    fake->changes[fake->n_changes++] =
        (struct fake_change){ts, table, memory_copy_text(id), memory_copy_text(fields)};
    fake->latest = ts;
}

static inline void fake_append(struct buffer *out, const struct fake_change *change, bool delta) {
    buffer_printf(out, "{\"_component\":\"\",\"_table\":\"%s\",\"_ts\":%lld", change->table,
                  (long long)change->ts);
    if (delta)
        buffer_printf(out, ",\"_deleted\":%s", change->fields ? "false" : "true");
    if (change->fields && change->fields[0] == '{')
        buffer_printf(out, ",%s", change->fields + 1);
    else if (change->fields)
        buffer_printf(out, ",\"_creationTime\":1767225600000.5,\"_id\":\"%s\"%s}", change->id,
                      change->fields);
    else
        buffer_printf(out, ",\"_id\":\"%s\"}", change->id);
}

static inline void fake_answer(struct fake_convex *fake, uint64_t exchange, int status, const char *body) {
    static const struct http_header headers[] = {{"content-type", "application/json"}};
    host_http_respond(fake->host, exchange, &(struct http_response){status, headers, 1});
    host_http_write(fake->host, exchange, body, strlen(body));
    host_http_end(fake->host, exchange);
}

static inline bool fake_is_live(const struct fake_convex *fake, size_t index, int64_t snapshot) {
    for (size_t i = index + 1; i < fake->n_changes && fake->changes[i].ts <= snapshot; i++)
        if (strcmp(fake->changes[i].id, fake->changes[index].id) == 0)
            return false;
    return fake->changes[index].ts <= snapshot && fake->changes[index].fields;
}

static inline void fake_snapshot(struct fake_convex *fake, uint64_t exchange, const char *target) {
    const char *at = strstr(target, "&snapshot=");
    int64_t snapshot = at ? strtoll(at + 10, NULL, 10) : fake->latest;
    const char *table = strstr(target, "&table_name=");
    table = table ? table + 12 : NULL;
    const char *cursor = strstr(target, "&cursor=");
    size_t start = cursor ? (size_t)strtoul(cursor + 8, NULL, 10) : 0;
    struct buffer body = {0};
    buffer_append_text(&body, "{\"values\":[");
    size_t rows = 0, i = start;
    for (; i < fake->n_changes && rows < fake->snapshot_rows; i++) {
        const struct fake_change *change = &fake->changes[i];
        if (!fake_is_live(fake, i, snapshot) ||
            (table && !fake->ignore_filter && strcmp(change->table, table) != 0))
            continue;
        if (rows++ > 0)
            buffer_append_char(&body, ',');
        fake_append(&body, change, false);
    }
    bool more = i < fake->n_changes;
    buffer_printf(&body,
                  "],\"snapshot\":%lld,\"cursor\":", (long long)(snapshot + (fake->wrong_snapshot && at)));
    if (more)
        buffer_printf(&body, "\"%zu\"", i);
    else
        buffer_append_text(&body, "null");
    buffer_printf(&body, ",\"hasMore\":%s}", more ? "true" : "false");
    fake_answer(fake, exchange, 200, body.data);
    buffer_free(&body);
}

static inline void fake_deltas(struct fake_convex *fake, uint64_t exchange, const char *target) {
    if (fake->silent)
        return;
    int64_t cursor = strtoll(strstr(target, "cursor=") + 7, NULL, 10);
    struct buffer body = {0};
    buffer_append_text(&body, "{\"values\":[");
    size_t rows = 0;
    int64_t next = 0;
    bool more = false;
    for (size_t i = 0; i < fake->n_changes && !more; i++) {
        const struct fake_change *change = &fake->changes[i];
        if (change->ts <= cursor)
            continue;
        if (rows >= fake->delta_rows && change->ts > next) {
            more = true;
            break;
        }
        if (rows++ > 0)
            buffer_append_char(&body, ',');
        fake_append(&body, change, true);
        next = change->ts;
    }
    buffer_printf(&body, "],\"cursor\":%lld,\"hasMore\":%s}", (long long)(more ? next : fake->latest),
                  more ? "true" : "false");
    fake_answer(fake, exchange, 200, body.data);
    buffer_free(&body);
}

static inline bool fake_fails(struct fake_convex *fake, uint64_t exchange, const char *target) {
    const char *route = fake->fail_route ? fake->fail_route : "/api/document_deltas";
    if (fake->failures == 0 || fake->silent || strncmp(target, route, strlen(route)) != 0)
        return false;
    fake->failures--;
    fake_answer(fake, exchange, fake->fail_status,
                fake->fail_body ? fake->fail_body : "{\"code\":\"X\",\"message\":\"scripted\"}");
    return true;
}

static inline void fake_marker(struct fake_convex *fake, uint64_t exchange) {
    if (fake->fail_markers > 0) {
        fake->fail_markers--;
        fake_answer(fake, exchange, 500, "{\"code\":\"X\",\"message\":\"scripted\"}");
    } else if (!fake->ignore_marker) {
        fake_put(fake, fake->latest + 1000, "powersync_checkpoints", "m1", ",\"last_updated\":1.0");
        fake_answer(fake, exchange, 200, "{\"status\":\"success\",\"value\":null,\"logLines\":[]}");
    } else {
        fake_answer(fake, exchange, 200, "{\"status\":\"error\",\"errorMessage\":\"scripted\"}");
    }
}

static inline void fake_head_or_marker(struct fake_convex *fake, uint64_t exchange, const char *target) {
    if (strncmp(target, "/api/list_snapshot", 18) != 0) {
        fake_marker(fake, exchange);
    } else if (fake->fail_heads > 0) {
        fake->fail_heads--;
        fake_answer(fake, exchange, 500, "{\"code\":\"X\",\"message\":\"scripted\"}");
    } else {
        fake_snapshot(fake, exchange, target);
    }
}

/* Answer what was held back. */
static inline void fake_release(struct fake_convex *fake) {
    size_t count = fake->n_held;
    fake->n_held = 0;
    for (size_t i = 0; i < count; i++)
        fake_head_or_marker(fake, fake->held[i].exchange, fake->held[i].target);
}

static inline void fake_request(void *context, uint64_t exchange, const struct http_request *request) {
    struct fake_convex *fake = context;
    if (fake->n_requests < 600) {
        fake->request_times[fake->n_requests] = host_now(fake->host);
        snprintf(fake->requests[fake->n_requests++], 200, "%s %s", request->method, request->target);
    }
    for (size_t i = 0; i < request->n_headers; i++)
        if (strcmp(request->headers[i].name, "authorization") == 0)
            snprintf(fake->authorization, sizeof fake->authorization, "%s", request->headers[i].value);
    if (fake_fails(fake, exchange, request->target))
        return;
    if (strncmp(request->target, "/api/document_deltas", 20) == 0) {
        fake_deltas(fake, exchange, request->target);
    } else if (strncmp(request->target, "/api/json_schemas", 17) == 0) {
        fake_answer(fake, exchange, 200,
                    fake->schemas ? fake->schemas
                                  : "{\"lists\":{},\"todos\":{},\"powersync_checkpoints\":{}}");
    } else if (fake->hold) {
        assert(fake->n_held < 300);
        fake->held[fake->n_held].exchange = exchange;
        snprintf(fake->held[fake->n_held++].target, 200, "%s", request->target);
    } else {
        fake_head_or_marker(fake, exchange, request->target);
    }
}

static inline void fake_closed(void *context, uint64_t exchange) {
    (void)context;
    (void)exchange;
}

static inline struct fake_convex *fake_convex_create(struct host *host) {
    static const struct http_server_events events = {fake_request, fake_closed};
    struct fake_convex *fake = memory_allocate(sizeof *fake);
    fake->host = host;
    fake->latest = FAKE_START;
    fake->delta_rows = 128;
    fake->snapshot_rows = 1024;
    host_http_listen(host, &events, fake);
    return fake;
}

static inline void fake_convex_destroy(struct fake_convex *fake) {
    for (size_t i = 0; i < fake->n_changes; i++) {
        free(fake->changes[i].id);
        free(fake->changes[i].fields);
    }
    free(fake);
}

#endif
