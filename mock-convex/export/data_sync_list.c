#include "mock-convex/export/data_sync_list.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export/export_arguments.h"

#define LIMIT_USUAL 50
#define LIMIT_MAX 100

struct active_sync {
    int64_t asked_at;    /* wall clock, ns */
    int64_t snapshot_ts; /* below 0: snapshotting */
};

void convex_sync_list_note(struct convex_deployment *deployment, const char *sync_id, int64_t snapshot_ts) {
    struct active_sync *sync = map_get(&deployment->syncs, sync_id);
    if (sync == NULL) {
        sync = memory_allocate(sizeof *sync);
        map_set(&deployment->syncs, sync_id, sync);
    }
    sync->asked_at = host_wall_clock(deployment->host);
    sync->snapshot_ts = snapshot_ts;
    if (deployment->syncs.count > CONVEX_SYNCS_MAX) {
        size_t position = 0;
        free(map_remove(&deployment->syncs, map_next(&deployment->syncs, &position)->key));
    }
    assert(deployment->syncs.count <= CONVEX_SYNCS_MAX);
}

static void append_sync(struct buffer *out, const char *sync_id, const struct active_sync *sync) {
    buffer_append_text(out, "{\"syncId\":");
    buffer_append_json_text(out, sync_id);
    if (sync->snapshot_ts < 0) {
        buffer_append_text(out, ",\"snapshotTs\":null}");
    } else {
        buffer_append_text(out, ",\"snapshotTs\":");
        buffer_append_integer(out, sync->snapshot_ts);
        buffer_append_char(out, '}');
    }
}

/* Active syncs after the one that the cursor names. */
static void append_list(const struct convex_deployment *deployment, const char *cursor, size_t limit,
                        struct buffer *out) {
    const struct map_entry *entry;
    const char *last = NULL;
    size_t count = 0;
    bool begun = cursor == NULL, more = false;
    int64_t since = host_wall_clock(deployment->host) - CONVEX_SYNC_ACTIVE;
    buffer_append_text(out, "{\"syncs\":[");
    for (size_t i = 0; !more && (entry = map_next(&deployment->syncs, &i)) != NULL;) {
        const struct active_sync *sync = entry->value;
        if (begun && sync->asked_at >= since) {
            more = count == limit;
            if (!more) {
                buffer_append_text(out, count++ == 0 ? "" : ",");
                append_sync(out, entry->key, sync);
                last = entry->key;
            }
        }
        begun = begun || strcmp(entry->key, cursor) == 0;
    }
    buffer_printf(out, "],\"pagination\":{\"hasMore\":%s,\"nextCursor\":", more ? "true" : "false");
    if (more) {
        buffer_append_json_text(out, last);
        buffer_append_text(out, "}}");
    } else {
        buffer_append_text(out, "null}}");
    }
}

void convex_answer_list_active_syncs(struct convex_deployment *deployment,
                                     const struct convex_request *request, struct convex_reply *reply) {
    struct convex_export_arguments arguments;
    if (convex_export_admit(deployment, request, CONVEX_ACTIVE_SYNCS, &arguments, reply)) {
        int64_t limit = arguments.has_limit ? arguments.limit : LIMIT_USUAL;
        if (limit < 1 || limit > LIMIT_MAX) {
            convex_reply_error(reply, 400, "LimitOutOfRange", "The limit must be from 1 to %d.", LIMIT_MAX);
        } else {
            reply->status = 200;
            append_list(deployment, arguments.cursor, (size_t)limit, &reply->body);
        }
    }
    convex_export_arguments_free(&arguments);
}
