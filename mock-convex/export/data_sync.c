#include "mock-convex/export/data_sync.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/export/data_sync_cursor.h"
#include "mock-convex/export/data_sync_list.h"
#include "mock-convex/export/export_api.h"
#include "mock-convex/export/export_arguments.h"
#include "mock-convex/export/export_row.h"
#include "mock-convex/export/selection.h"
#include "mock-convex/http/auth.h"

/* One page being made. */
struct page {
    const struct convex_deployment *deployment;
    const json_t *selection; /* NULL: everything */
    struct convex_sync_cursor cursor;
    struct convex_store_table **tables; /* selected and living, by tablet */
    size_t n_tables;
    struct buffer truncates, values;
    size_t entries, rows_read;
};

static bool is_full(const struct page *page) {
    return page->entries >= CONVEX_SYNC_PAGE_ENTRIES || page->rows_read >= CONVEX_SYNC_PAGE_ROWS ||
           page->values.length >= CONVEX_SYNC_PAGE_BYTES;
}

static int compare_tablets(const void *a, const void *b) {
    const struct convex_store_table *const *left = a, *const *right = b;
    return memcmp((*left)->tablet, (*right)->tablet, 16);
}

static void select_tables(struct page *page) {
    const struct convex_store *store = &page->deployment->store;
    page->tables = memory_allocate_array(store->n_tables, sizeof(struct convex_store_table *));
    for (size_t i = 0; i < store->n_tables; i++) {
        struct convex_store_table *table = store->tables[i];
        const json_t *columns;
        if (convex_store_table_lives(table, store->latest) &&
            convex_selection_has_table(page->selection, table->component, table->name, &columns)) {
            page->tables[page->n_tables++] = table;
        }
    }
    qsort(page->tables, page->n_tables, sizeof(struct convex_store_table *), compare_tablets);
}

/* Forget what is gone or no longer selected, so that its return begins with a truncation. */
static void forget_tables(struct page *page) {
    struct convex_sync_cursor *cursor = &page->cursor;
    size_t kept = 0;
    bool within = false;
    for (size_t i = 0; i < page->n_tables; i++) {
        within = within || memcmp(cursor->tablet, page->tables[i]->tablet, 16) == 0;
    }
    cursor->within = cursor->within && within;
    for (size_t i = 0; i < cursor->n_done; i++) {
        for (size_t j = 0; j < page->n_tables; j++) {
            if (memcmp(cursor->done[i], page->tables[j]->tablet, 16) == 0) {
                memmove(cursor->done[kept++], cursor->done[i], 16);
                break;
            }
        }
    }
    cursor->n_done = kept;
}

static void append_truncate(struct page *page, const struct convex_store_table *table) {
    buffer_append_text(&page->truncates, page->truncates.length == 0 ? "" : ",");
    buffer_append_text(&page->truncates, "{\"component\":");
    buffer_append_json_text(&page->truncates, table->component);
    buffer_append_text(&page->truncates, ",\"table\":");
    buffer_append_json_text(&page->truncates, table->name);
    buffer_append_char(&page->truncates, '}');
}

static void append_entry(struct page *page, const struct convex_revision *revision) {
    struct buffer *out = &page->values;
    const json_t *columns;
    const struct convex_store_table *table = revision->document->table;
    convex_selection_has_table(page->selection, table->component, table->name, &columns);
    buffer_append_text(out, page->entries == 0 ? "{\"component\":" : ",{\"component\":");
    buffer_append_json_text(out, table->component);
    buffer_append_text(out, ",\"table\":");
    buffer_append_json_text(out, table->name);
    buffer_append_text(out, ",\"ts\":");
    buffer_append_integer(out, revision->ts);
    buffer_append_text(out, revision->value != NULL ? ",\"deleted\":false,\"value\":"
                                                    : ",\"deleted\":true,\"value\":");
    convex_append_document(out, revision, columns, CONVEX_FORMAT_EXPORT);
    buffer_append_char(out, '}');
    page->entries++;
}

/* Hand out documents of the table as they were at the cursor's timestamp, also those that it got while it was
 * hidden. */
static void append_table(struct page *page, const struct convex_store_table *table) {
    struct convex_sync_cursor *cursor = &page->cursor;
    const unsigned char nothing[16] = {0};
    bool resumes = cursor->within && memcmp(cursor->tablet, table->tablet, 16) == 0;
    if (!resumes) {
        append_truncate(page, table);
    }
    const struct convex_ordered_node *node =
        convex_ordered_seek(&table->indexes[0].entries, resumes ? cursor->internal : nothing, sizeof nothing);
    for (; node != NULL && !is_full(page); node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        page->rows_read++;
        if (resumes && memcmp(document->internal, cursor->internal, 16) == 0) {
            continue;
        }
        memcpy(cursor->internal, document->internal, 16);
        if (node->from <= cursor->ts && cursor->ts < node->until) {
            append_entry(page, convex_store_revision_at(document, cursor->ts));
        }
    }
    cursor->within = node != NULL;
    memcpy(cursor->tablet, table->tablet, 16);
    if (node == NULL) {
        convex_sync_cursor_add_done(cursor, table->tablet);
    }
}

/* The first table that has not been handed out whole; NULL: none is left. */
static const struct convex_store_table *missing_table(const struct page *page) {
    for (size_t i = 0; i < page->n_tables; i++) {
        if (!convex_sync_cursor_is_done(&page->cursor, page->tables[i]->tablet)) {
            return page->tables[i];
        }
    }
    return NULL;
}

/* Go on in the log, never ending inside a transaction. */
static void append_log(struct page *page) {
    const struct convex_store *store = &page->deployment->store;
    int64_t read_to = page->cursor.ts;
    for (size_t i = convex_store_log_after(store, page->cursor.ts); i < store->log_count; i++) {
        const struct convex_revision *revision = store->log[i];
        if (is_full(page) && revision->ts > read_to) {
            page->cursor.ts = read_to;
            return;
        }
        read_to = revision->ts;
        page->rows_read++;
        if (convex_sync_cursor_is_done(&page->cursor, revision->document->table->tablet)) {
            append_entry(page, revision);
        }
    }
    page->cursor.ts = store->latest;
}

static void append_sync_id(struct buffer *out, const struct convex_request *request, uint64_t sync_id) {
    const char *client = convex_request_header(request, "convex-client");
    const char *prefix = client == NULL                            ? ""
                         : strncasecmp(client, "fivetran", 8) == 0 ? "fivetran-"
                         : strncasecmp(client, "airbyte", 7) == 0  ? "airbyte-"
                                                                   : "";
    buffer_printf(out, "%s%016llx", prefix, (unsigned long long)sync_id);
}

static void append_page(struct page *page, const struct buffer *sync_id, struct buffer *out) {
    const struct convex_deployment *deployment = page->deployment;
    const struct convex_store_table *table = missing_table(page);
    if (table == NULL) {
        append_log(page);
    }
    for (; table != NULL && !is_full(page); table = missing_table(page)) {
        append_table(page, table);
    }
    if (missing_table(page) != NULL) {
        buffer_append_text(out, "{\"status\":{\"type\":\"snapshotting\"}");
    } else {
        buffer_printf(out, "{\"status\":{\"type\":\"%s\",\"snapshotTs\":%lld}",
                      page->cursor.ts < deployment->store.latest ? "stale" : "upToDate",
                      (long long)page->cursor.ts);
    }
    buffer_append_text(out, ",\"truncates\":[");
    buffer_append(out, buffer_text(&page->truncates), page->truncates.length);
    buffer_append_text(out, "],\"values\":[");
    buffer_append(out, buffer_text(&page->values), page->values.length);
    buffer_printf(out, "],\"syncId\":\"%s", buffer_text(sync_id));
    buffer_append_text(out, "\",\"pagination\":{\"hasMore\":true,\"nextCursor\":\"");
    convex_sync_cursor_append(out, &page->cursor, deployment->deploy_key);
    buffer_append_text(out, "\"}}");
}

static void free_page(struct page *page) {
    convex_sync_cursor_free(&page->cursor);
    buffer_free(&page->truncates);
    buffer_free(&page->values);
    free(page->tables);
}

/* --- requests --- */

static bool bad_body(struct convex_reply *reply, const char *field) {
    return convex_reply_error(reply, 400, "BadJsonBody",
                              "Failed to deserialize the JSON body: %s: invalid type", field);
}

/* Who asks, what the body is, whether that one may ask, whether the selection can be: in this order. False:
 * the reply says why. The caller releases `*body` in both cases. */
static bool admit(const struct convex_deployment *deployment, const struct convex_request *request,
                  bool numeric_cursor, json_t **body, struct convex_reply *reply) {
    struct convex_caller caller;
    *body = NULL;
    if (!convex_auth_identify(deployment->auth, request, &caller, reply) ||
        !convex_request_json(request, body, reply)) {
        return false;
    }
    const json_t *cursor = json_object_get(*body, "cursor"), *selection = json_object_get(*body, "selection");
    if (numeric_cursor ? !json_is_integer(cursor)
                       : cursor != NULL && !json_is_null(cursor) && !json_is_string(cursor)) {
        return bad_body(reply, "cursor");
    }
    if (selection != NULL && !json_is_null(selection) && !convex_selection_is_formed(selection)) {
        return bad_body(reply, "selection");
    }
    if (!convex_export_may(deployment, &caller, reply)) {
        return false;
    }
    if (json_is_object(selection) && !convex_selection_is_valid(selection)) {
        return convex_reply_error(reply, 400, "InvalidDataSyncSelection",
                                  "The selection names something that cannot exist, or leaves _id out.");
    }
    return caller.identity == CONVEX_ADMIN || convex_reply_error(reply, 403, "SystemIdentityRequired",
                                                                 "A user may not read the streaming export.");
}

static void open_page(struct page *page, const struct convex_deployment *deployment, const json_t *body) {
    const json_t *selection = json_object_get(body, "selection");
    memset(page, 0, sizeof *page);
    page->deployment = deployment;
    page->selection = json_is_object(selection) ? selection : NULL;
    select_tables(page);
}

static bool open_cursor(struct page *page, const json_t *body, struct convex_reply *reply) {
    const struct convex_deployment *deployment = page->deployment;
    const char *text = json_text(body, "cursor");
    if (text == NULL) {
        page->cursor.ts = deployment->store.latest;
        page->cursor.sync_id = host_random(deployment->host, "convex.data-sync");
        return true;
    }
    if (convex_sync_cursor_parse(&page->cursor, text, deployment->deploy_key) != STATUS_OK) {
        return convex_reply_error(reply, 400, "InvalidDataSyncCursor",
                                  "The cursor is not one that this deployment has given out.");
    }
    forget_tables(page);
    if (page->cursor.ts > deployment->store.latest) {
        page->cursor.ts =
            deployment->store.latest; /* from a cursor of document_deltas; it moves back there too */
    }
    return convex_log_reaches(deployment, page->cursor.ts) ||
           convex_reply_error(reply, 400, "DataSyncCursorExpired",
                              "The log no longer reaches back to the cursor. Begin a new sync.");
}

void convex_answer_data_sync(struct convex_deployment *deployment, const struct convex_request *request,
                             struct convex_reply *reply) {
    json_t *body;
    if (admit(deployment, request, false, &body, reply)) {
        struct page page;
        open_page(&page, deployment, body);
        if (open_cursor(&page, body, reply)) {
            struct buffer sync_id = {0};
            append_sync_id(&sync_id, request, page.cursor.sync_id);
            reply->status = 200;
            append_page(&page, &sync_id, &reply->body);
            convex_sync_list_note(deployment, buffer_text(&sync_id),
                                  missing_table(&page) == NULL ? page.cursor.ts : -1);
            buffer_free(&sync_id);
        }
        free_page(&page);
    }
    json_decref(body);
}

void convex_answer_data_sync_cursor(struct convex_deployment *deployment,
                                    const struct convex_request *request, struct convex_reply *reply) {
    json_t *body;
    if (admit(deployment, request, true, &body, reply)) {
        int64_t ts = json_integer_value(json_object_get(body, "cursor"));
        if (ts < 0) {
            convex_reply_internal(reply);
        } else {
            struct page page;
            open_page(&page, deployment, body);
            page.cursor.ts = ts;
            page.cursor.sync_id = host_random(deployment->host, "convex.data-sync");
            for (size_t i = 0; i < page.n_tables; i++) {
                convex_sync_cursor_add_done(&page.cursor, page.tables[i]->tablet);
            }
            reply->status = 200;
            buffer_append_text(&reply->body, "{\"cursor\":\"");
            convex_sync_cursor_append(&reply->body, &page.cursor, deployment->deploy_key);
            buffer_append_text(&reply->body, "\"}");
            free_page(&page);
        }
    }
    json_decref(body);
}
