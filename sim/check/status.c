/* status: what an app sees of its sync is true. Whenever the connection changes, the status says connected
 * and connecting as the stream is (a stream that begins anew because its request changes stays connected for
 * the app), and `has synced` exactly when a whole checkpoint was published and the app has not cleared since.
 * On disks that is not judged: what they lose takes the checkpoint back, and the core goes on saying that it
 * has synced when the commit of its checkpoint has failed. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

struct device {
    bool connected;
    bool synced;
};

struct watcher {
    struct checker *checker;
    struct map devices; /* node -> struct device */
};

static char *words(int64_t status) {
    return memory_format("%s, %s",
                         status & NOTE_STATUS_CONNECTED    ? "connected"
                         : status & NOTE_STATUS_CONNECTING ? "connecting"
                                                           : "disconnected",
                         status & NOTE_STATUS_SYNCED ? "has synced" : "has not synced");
}

static void report(const struct watcher *watcher, const struct history_record *record, int64_t expected) {
    const struct violation violation = {
        .property = property_status.name,
        .client = record->node,
        .table = "",
        .row = "",
        .expected = words(expected),
        .seen = words(record->note.transaction),
        .second_record = record->number,
        .time = record->time,
        .explanation =
            memory_format("The status that the app of %s sees is not what happened.", record->node)};
    checker_report(watcher->checker, &violation);
}

static void see_connection(const struct watcher *watcher, struct device *device,
                           const struct history_record *record) {
    const char *text = record->note.text;
    const bool connecting = strcmp(text, "connecting") == 0;
    int64_t expected;
    if (!connecting)
        device->connected = strcmp(text, "connected") == 0;
    expected = device->connected ? NOTE_STATUS_CONNECTED : connecting ? NOTE_STATUS_CONNECTING : 0;
    if (checker_settings(watcher->checker)->disks)
        expected |= record->note.transaction & NOTE_STATUS_SYNCED;
    else if (device->synced)
        expected |= NOTE_STATUS_SYNCED;
    if (record->note.transaction != expected)
        report(watcher, record, expected);
}

static void see_record(void *self, const struct history_record *record) {
    const struct watcher *watcher = self;
    const struct note *note = &record->note;
    struct device *device = map_get(&watcher->devices, record->node);
    if (device == NULL || note->process > 0) /* tabs have a status each: not followed */
        return;
    if (note->kind == NOTE_CONNECTION) {
        see_connection(watcher, device, record);
    } else if (note->kind == NOTE_CRASH) {
        device->connected = false;
    } else if (note->kind == NOTE_VIEW && strcmp(note->text, "clear") == 0) {
        device->synced = false;
    } else if (note->kind == NOTE_VIEW && strcmp(note->text, "checkpoint") == 0) {
        device->synced = true;
    }
}

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++)
        map_set(&watcher->devices, settings->clients[i], memory_allocate(sizeof(struct device)));
    return watcher;
}

static void destroy(void *self) {
    struct watcher *watcher = self;
    map_free(&watcher->devices, free);
    free(watcher);
}

const struct property property_status = {
    .name = "status",
    .promise = "what an app sees of its sync is true: connected as it is, and synced not after a clear",
    .create = create,
    .record = see_record,
    .destroy = destroy,
};
