/* GET, POST /api/document_deltas; see export_api.h. */
#include <assert.h>

#include "mock-convex/export/export_api.h"
#include "mock-convex/export/export_arguments.h"
#include "mock-convex/export/export_row.h"

#define DOCUMENT_RETENTION (14 * TIME_DAY)

static bool check_cursor(const struct convex_export_arguments *arguments, struct convex_reply *reply) {
    if (!arguments->has_cursor_ts) {
        return convex_reply_error(
            reply, 400, "DocumentDeltasCursorRequired",
            "document_deltas needs a cursor: begin with the snapshot of list_snapshot.");
    }
    return arguments->cursor_ts >= 0 || convex_reply_internal(reply);
}

/* Older revisions than the retention are gone, once there are any. */
bool convex_log_reaches(const struct convex_deployment *deployment, int64_t ts) {
    const struct convex_store *store = &deployment->store;
    int64_t kept = deployment->switches.retention;
    int64_t floor = store->latest - (kept > 0 ? kept : DOCUMENT_RETENTION);
    return store->log_count == 0 || store->log[0]->ts >= floor || ts + 1 >= floor;
}

static bool check_retention(const struct convex_deployment *deployment, int64_t cursor,
                            struct convex_reply *reply) {
    if (convex_log_reaches(deployment, cursor)) {
        return true;
    }
    return convex_reply_error(
        reply, 400, "InvalidWindowToReadDocuments",
        "The log no longer reaches back to %lld. Fivetran, Airbyte and other readers have to "
        "start again with a full sync.",
        (long long)cursor + 1);
}

/* Rows with a timestamp above the cursor. Every row read counts toward the page, shown or not; once the page
 * is full, reading goes on to the end of that transaction, so that none is ever split. */
static void append_page(struct convex_deployment *deployment, const struct convex_export_arguments *arguments,
                        enum convex_format format, struct buffer *out) {
    const struct convex_store *store = &deployment->store;
    size_t rows_read = 0;
    int64_t full_at = -1; /* timestamp of the row that filled the page */
    bool has_more = false, first = true;
    buffer_append_text(out, "{\"values\":[");
    for (size_t i = convex_store_log_after(store, arguments->cursor_ts); i < store->log_count; i++) {
        const struct convex_revision *revision = store->log[i];
        if (full_at >= 0 && revision->ts > full_at) {
            has_more = true;
            break;
        }
        if (++rows_read == deployment->delta_page_rows) {
            full_at = revision->ts;
        }
        const struct convex_store_table *table = revision->document->table;
        const json_t *columns;
        /* Whether a table lives is asked now: the past of a dropped one is gone with it. */
        if (convex_store_table_lives(table, store->latest) &&
            convex_export_selects(arguments, table, &columns)) {
            buffer_append_text(out, first ? "" : ",");
            convex_append_delta_row(out, revision, columns, format);
            first = false;
        }
    }
    buffer_append_text(out, "],\"cursor\":");
    buffer_append_integer(out, full_at >= 0 ? full_at : store->latest);
    buffer_append_text(out, has_more ? ",\"hasMore\":true}" : ",\"hasMore\":false}");
}

void convex_answer_document_deltas(struct convex_deployment *deployment, const struct convex_request *request,
                                   struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    enum convex_format format;
    assert(deployment->delta_page_rows >= 1);
    if (convex_export_admit(deployment, request, CONVEX_DOCUMENT_DELTAS, &arguments, reply) &&
        check_cursor(&arguments, reply) && convex_export_reach_database(&arguments, reply) &&
        check_retention(deployment, arguments.cursor_ts, reply) &&
        convex_export_format(&arguments, &format, reply)) {
        reply->status = 200;
        append_page(deployment, &arguments, format, &reply->body);
    }
    convex_export_arguments_free(&arguments);
}
