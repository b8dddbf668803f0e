/* What an app sees of its sync: the engine's own status, joined with what only the loops know. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "client/client_parts.h"
#include "client/sdk_stream.h"
#include "client/sdk_upload.h"

static void read_priorities(const json_t *list, struct client_status *status) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        const struct client_priority priority = {
            .priority = json_integer_value(json_object_get(entry, "priority")),
            .has_synced = json_is_true(json_object_get(entry, "has_synced")),
            .last_synced_at = json_integer_value(json_object_get(entry, "last_synced_at"))};

        if (priority.priority == CLIENT_PRIORITY_ALL)
            status->has_synced = priority.has_synced;
        if (status->n_priorities < sizeof status->priorities / sizeof *status->priorities)
            status->priorities[status->n_priorities++] = priority;
    }
}

static void read_engine(const struct client *client, struct client_status *status) {
    const char *text = client->engine->operations->status(client->engine);
    json_t *json = *text == '\0' ? NULL : json_parse(text, strlen(text), NULL);

    if (json == NULL)
        return;
    read_priorities(json_object_get(json, "priority_status"), status);
    status->downloading = json_is_object(json_object_get(json, "downloading"));
    json_decref(json);
}

/* The SDK keeps the connection's state itself: the core's is not reset when the core closes. */
void client_status(const struct client *client, struct client_status *status) {
    *status = (struct client_status){.connected = sdk_stream_connected(client->stream),
                                     .connecting = sdk_stream_connecting(client->stream),
                                     .uploading = sdk_upload_uploading(client->uploads),
                                     .download_error = client->download_error,
                                     .upload_error = client->upload_error};
    read_engine(client, status);
    status->downloading = status->downloading && status->connected;
}

/* Mutant stale-has-synced: what was synced once is, for the app, whatever was cleared since. */
void client_tell_connection(struct client *client, const char *text) {
    struct client_status status;
    struct note note = {.kind = NOTE_CONNECTION, .text = text};

    client_status(client, &status);
    client->stale_synced =
        (status.has_synced || client->stale_synced) && host_mutant(client->host, "stale-has-synced");
    note.transaction = (status.connected ? NOTE_STATUS_CONNECTED : 0) |
                       (status.connecting ? NOTE_STATUS_CONNECTING : 0) |
                       (status.has_synced || client->stale_synced ? NOTE_STATUS_SYNCED : 0);
    host_note(client->host, &note);
}

static void tell_first_sync(struct client *client) {
    void (*done)(void *) = client->first_sync;
    struct client_status status;

    if (done == NULL)
        return;
    client_status(client, &status);
    if (!status.has_synced)
        return;
    client->first_sync = NULL;
    done(client->first_sync_context);
}

void client_take_status(struct client *client, const struct engine_result *result) {
    if (!result->status_changed)
        return;
    tell_first_sync(client);
    open_streams_take_status(client);
}

void client_set_error(char **slot, const char *error) {
    free(*slot);
    *slot = memory_copy_text(error);
}

void client_wait_for_first_sync(struct client *client, void (*done)(void *context), void *context) {
    client->first_sync = done;
    client->first_sync_context = context;
    tell_first_sync(client);
}
