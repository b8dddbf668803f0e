/* GET, POST /api/list_snapshot; see export_api.h. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/memory.h"
#include "mock-convex/export/export_api.h"
#include "mock-convex/export/export_arguments.h"
#include "mock-convex/export/export_row.h"

#define SNAPSHOT_AGE_MAX (5 * TIME_DAY)

/* Where a page begins: after this document of this table, or at the first table from this tablet on. */
struct position {
    bool given;
    unsigned char tablet[16];
    unsigned char internal[16];
};

static enum status decode_position(const json_t *json, struct position *position) {
    const char *tablet = json_text(json, "tablet"), *text = json_text(json, "id");
    struct buffer bytes = {0};
    struct convex_id id;
    if (tablet == NULL || text == NULL || strlen(tablet) != 22) {
        return STATUS_INVALID;
    }
    enum status status = base64url_decode(&bytes, tablet, 22, NULL);
    if (status == STATUS_OK && bytes.length == 16) {
        memcpy(position->tablet, bytes.data, 16);
    } else {
        status = STATUS_INVALID;
    }
    buffer_free(&bytes);
    if (status == STATUS_OK) {
        status = convex_id_decode(text, &id);
    }
    if (status == STATUS_OK) {
        memcpy(position->internal, id.internal, 16);
        position->given = true;
    }
    return status;
}

static bool parse_cursor(const char *cursor, struct position *position, struct convex_reply *reply) {
    position->given = false;
    if (cursor == NULL) {
        return true;
    }
    json_t *json = json_parse(cursor, strlen(cursor), NULL);
    enum status status = json_is_object(json) ? decode_position(json, position) : STATUS_INVALID;
    json_decref(json);
    return status == STATUS_OK ||
           convex_reply_error(reply, 400, "InvalidListSnapshotCursor",
                              "The cursor is not one that list_snapshot has given out.");
}

static bool check_snapshot(const struct convex_deployment *deployment, int64_t snapshot,
                           struct convex_reply *reply) {
    const struct convex_store *store = &deployment->store;
    int64_t most = deployment->switches.snapshot_max_age;
    most = most > 0 ? most : SNAPSHOT_AGE_MAX;
    if (snapshot > store->latest) {
        return convex_reply_error(reply, 400, "SnapshotTooNew", "The snapshot %lld lies in the future.",
                                  (long long)snapshot);
    }
    return store->latest - snapshot <= most ||
           convex_reply_error(reply, 400, "SnapshotTooOld", "The snapshot %lld is too old to be read.",
                              (long long)snapshot);
}

static int compare_tablets(const void *a, const void *b) {
    const struct convex_store_table *const *left = a, *const *right = b;
    return memcmp((*left)->tablet, (*right)->tablet, 16);
}

/* The selected tables that lived at `snapshot`, from the position on, in the order of their tablets. The
 * caller frees the array. */
static struct convex_store_table **select_tables(const struct convex_store *store,
                                                 const struct convex_export_arguments *arguments,
                                                 const struct position *position, int64_t snapshot,
                                                 size_t *count) {
    struct convex_store_table **tables = memory_allocate_array(store->n_tables + 1, sizeof *tables);
    *count = 0;
    for (size_t i = 0; i < store->n_tables; i++) {
        struct convex_store_table *table = store->tables[i];
        const json_t *columns;
        if (convex_store_table_lives(table, snapshot) && convex_export_selects(arguments, table, &columns) &&
            (!position->given || memcmp(table->tablet, position->tablet, 16) >= 0)) {
            tables[(*count)++] = table;
        }
    }
    qsort(tables, *count, sizeof *tables, compare_tablets);
    return tables;
}

/* Append up to `limit` documents of the table that lived at `snapshot`, after the position. Returns how many;
 * `last` gets the id of the last one. `head` NULL: it is not the page that is asked for again and again. */
static size_t append_documents(const struct convex_store_table *table, const struct position *position,
                               int64_t snapshot, size_t limit, const json_t *columns,
                               enum convex_format format, struct convex_head_page *head, struct buffer *out,
                               struct convex_id *last) {
    bool resumes = position->given && memcmp(table->tablet, position->tablet, 16) == 0;
    const unsigned char nothing[16] = {0};
    size_t count = 0;
    const struct convex_ordered_node *node =
        convex_ordered_seek(&table->indexes[0].entries, resumes ? position->internal : nothing, 16);
    for (; node != NULL && count < limit; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        bool lived = node->from <= snapshot && snapshot < node->until;
        if (!lived || (resumes && memcmp(document->internal, position->internal, 16) == 0)) {
            continue;
        }
        buffer_append_text(out, count == 0 ? "" : ",");
        const struct convex_revision *revision = convex_store_revision_at(document, snapshot);
        if (head != NULL) {
            convex_head_page_append(head, out, revision);
        } else {
            convex_append_snapshot_row(out, revision, columns, format);
        }
        memcpy(last->internal, document->internal, 16);
        count++;
    }
    last->table = table->number;
    return count;
}

static void append_cursor(struct buffer *out, const struct convex_store_table *table,
                          const struct convex_id *id) {
    struct buffer cursor = {0};
    char text[CONVEX_ID_TEXT_MAX];
    convex_id_encode(id, text);
    buffer_append_text(&cursor, "{\"tablet\":\"");
    base64url_append(&cursor, table->tablet, 16);
    buffer_printf(&cursor, "\",\"id\":\"%s\"}", text);
    buffer_append_json_text(out, buffer_text(&cursor));
    buffer_free(&cursor);
}

/* A page holds documents of one table only. A full page gives its last document as cursor, even when the
 * table ends there; otherwise the next table begins with the lowest id there is. */
static void append_page(struct convex_deployment *deployment, const struct convex_export_arguments *arguments,
                        const struct position *position, int64_t snapshot, enum convex_format format,
                        struct buffer *out) {
    const struct convex_id lowest = {.table = 1};
    struct convex_id last = {0};
    size_t n_tables, rows = 0, limit = deployment->snapshot_page_rows;
    struct convex_store_table **tables =
        select_tables(&deployment->store, arguments, position, snapshot, &n_tables);
    assert(!position->given || n_tables <= deployment->store.n_tables);
    buffer_append_text(out, "{\"values\":[");
    if (n_tables > 0) {
        const json_t *columns;
        convex_export_selects(arguments, tables[0], &columns);
        bool is_head = !position->given && columns == NULL && format == CONVEX_FORMAT_JSON;
        if (is_head) {
            convex_head_page_begin(&deployment->head_page, tables[0]->tablet);
        }
        rows = append_documents(tables[0], position, snapshot, limit, columns, format,
                                is_head ? &deployment->head_page : NULL, out, &last);
    }
    buffer_append_text(out, "],\"snapshot\":");
    buffer_append_integer(out, snapshot);
    buffer_append_text(out, ",\"cursor\":");
    bool full = rows == limit, more = full || n_tables > 1;
    if (full) {
        append_cursor(out, tables[0], &last);
    } else if (more) {
        append_cursor(out, tables[1], &lowest);
    } else {
        buffer_append_text(out, "null");
    }
    buffer_append_text(out, more ? ",\"hasMore\":true}" : ",\"hasMore\":false}");
    free(tables);
}

void convex_answer_list_snapshot(struct convex_deployment *deployment, const struct convex_request *request,
                                 struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    struct position position;
    enum convex_format format;
    assert(deployment->snapshot_page_rows >= 1);
    if (convex_export_admit(deployment, request, CONVEX_LIST_SNAPSHOT, &arguments, reply) &&
        (arguments.snapshot >= 0 || convex_reply_internal(reply)) &&
        parse_cursor(arguments.cursor, &position, reply) && convex_export_reach_database(&arguments, reply)) {
        int64_t snapshot = arguments.has_snapshot ? arguments.snapshot : deployment->store.latest;
        if (check_snapshot(deployment, snapshot, reply) && convex_export_format(&arguments, &format, reply)) {
            reply->status = 200;
            append_page(deployment, &arguments, &position, snapshot, format, &reply->body);
        }
    }
    convex_export_arguments_free(&arguments);
}
