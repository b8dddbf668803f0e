/* single-sync: one process of a device streams at a time, and one uploads, however many have its database
 * open. Two streams put the same operations away twice, and two upload loops race over the head of the queue.
 */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/stream_lines.h"

enum { PROCESSES_MOST = 16 };

/* Processes are counted from 1; a device with one has 0. */
struct device {
    const char *client;
    int64_t uploading[PROCESSES_MOST]; /* transactions under way, by process */
    uint64_t stream;                   /* exchange; 0: none */
    int stream_process;
};

struct watcher {
    struct checker *checker;
    struct map devices; /* client -> struct device */
};

static void report(const struct watcher *watcher, const struct device *device, uint64_t record, int64_t time,
                   const char *expected, char *seen) {
    const struct violation violation = {
        .property = property_single_sync.name,
        .client = device->client,
        .table = "",
        .row = "",
        .expected = memory_copy_text(expected),
        .seen = seen,
        .first_record = record,
        .time = time,
        .explanation = memory_format("The processes of %s do not wait for each other.", device->client)};
    checker_report(watcher->checker, &violation);
}

/* --- uploads --- */

static void begin_upload(const struct watcher *watcher, struct device *device,
                         const struct history_record *record) {
    const int process = record->note.process;
    for (int other = 0; other < PROCESSES_MOST; other++)
        if (other != process && device->uploading[other] > 0)
            report(watcher, device, record->number, record->time, "one process uploads",
                   memory_format("process %d begins transaction %" PRId64 " while process %d uploads",
                                 process, record->note.transaction, other));
    device->uploading[process]++;
}

static void end_process(struct device *device, int process) {
    device->uploading[process] = 0;
    if (device->stream_process == process)
        device->stream = 0;
}

static void see_record(void *self, const struct history_record *record) {
    const struct watcher *watcher = self;
    const struct note *note = &record->note;
    struct device *device = map_get(&watcher->devices, record->node);
    if (device == NULL)
        return;
    assert(note->process >= 0 && note->process < PROCESSES_MOST);
    if (note->kind == NOTE_UPLOAD_STARTED)
        begin_upload(watcher, device, record);
    else if (note->kind == NOTE_UPLOAD_ACKNOWLEDGED || note->kind == NOTE_UPLOAD_REJECTED ||
             note->kind == NOTE_UPLOAD_FAILED)
        device->uploading[note->process] -= device->uploading[note->process] > 0;
    else if (note->kind == NOTE_CRASH ||
             (note->kind == NOTE_CONNECTION && strcmp(note->text, "disconnected: the tab is closed") == 0))
        end_process(device, note->process);
}

/* --- streams --- */

static void begin_stream(const struct watcher *watcher, struct device *device, int64_t now,
                         const struct wire_event *event) {
    if (device->stream > 0)
        report(watcher, device, 0, now, "one process streams",
               memory_format("process %d asks for a stream while process %d has one", event->process,
                             device->stream_process));
    device->stream = event->exchange;
    device->stream_process = event->process;
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    const struct watcher *watcher = self;
    struct device *device = event->client == NULL ? NULL : map_get(&watcher->devices, event->client);
    if (device == NULL || !stream_lines_is_stream(event))
        return;
    if (event->kind == WIRE_REQUEST)
        begin_stream(watcher, device, now, event);
    else if ((event->kind == WIRE_END_SEEN || event->kind == WIRE_FAILED || event->kind == WIRE_ABORTED) &&
             event->exchange == device->stream)
        device->stream = 0;
}

static void *create(struct checker *checker) {
    const struct check_settings *settings = checker_settings(checker);
    struct watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    for (size_t i = 0; i < settings->n_clients; i++) {
        struct device *device = memory_allocate(sizeof *device);
        device->client = settings->clients[i];
        map_set(&watcher->devices, device->client, device);
    }
    return watcher;
}

static void destroy(void *self) {
    struct watcher *watcher = self;
    map_free(&watcher->devices, free);
    free(watcher);
}

const struct property property_single_sync = {
    .name = "single-sync",
    .promise = "of the processes that have a device's database open one streams at a time, and one uploads",
    .create = create,
    .record = see_record,
    .wire = see_wire,
    .destroy = destroy,
};
