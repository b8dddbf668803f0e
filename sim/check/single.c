/* single: a device has one sync stream at a time, however many processes have its database open, and one
 * request to the backend of its uploads; only one of the processes has transactions under way; and a process
 * has no stream once its app has disconnected, until it connects again. Two streams put the same operations
 * away twice, and two upload loops race over the head of the queue. */
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
struct process {
    int64_t uploading;   /* transactions under way */
    uint64_t off_record; /* since then its app has disconnected; 0: it has not */
};

struct device {
    const char *client;
    struct map streams, uploads; /* the exchanges that are open -> whose: process + 1 */
    struct process processes[PROCESSES_MOST];
};

struct watcher {
    struct checker *checker;
    struct map devices; /* node -> struct device */
};

/* Takes `seen`. */
static void report(const struct watcher *watcher, const struct device *device, struct violation violation) {
    violation.property = property_single.name;
    violation.client = device->client;
    violation.table = "";
    violation.row = "";
    violation.explanation =
        memory_format("%s does at the same time what the SDK does one after the other.", device->client);
    checker_report(watcher->checker, &violation);
}

/* "process 2 begins one while process 1 has one" */
static char *who_begins(int process, const struct map *open) {
    size_t i = 0;
    const struct map_entry *first = map_next(open, &i);
    const int holder = (int)((uintptr_t)first->value - 1);
    return holder == process
               ? memory_copy_text("another one")
               : memory_format("process %d begins one while process %d has one", process, holder);
}

/* --- what the device tells --- */

/* What a process takes with it that ends beside others. */
static void forget_exchanges(struct map *exchanges, int process) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(exchanges, &i));)
        if ((uintptr_t)entry->value == (uintptr_t)process + 1)
            map_remove(exchanges, entry->key);
}

static void end_process(struct device *device, int process) {
    forget_exchanges(&device->streams, process);
    forget_exchanges(&device->uploads, process);
    device->processes[process].uploading = 0;
}

static void end_all(struct device *device) {
    map_clear(&device->streams, NULL);
    map_clear(&device->uploads, NULL);
    for (int process = 0; process < PROCESSES_MOST; process++)
        device->processes[process].uploading = 0;
}

/* A batch is several transactions of one process. */
static void begin_transaction(const struct watcher *watcher, struct device *device,
                              const struct history_record *record) {
    const int process = record->note.process;
    for (int other = 0; other < PROCESSES_MOST; other++)
        if (other != process && device->processes[other].uploading > 0)
            report(watcher, device,
                   (struct violation){
                       .expected = memory_copy_text("one process uploads"),
                       .seen =
                           memory_format("process %d begins transaction %" PRId64 " while process %d uploads",
                                         process, record->note.transaction, other),
                       .first_record = record->number,
                       .time = record->time,
                   });
    device->processes[process].uploading++;
}

static void see_connection(struct device *device, const struct history_record *record) {
    const char *text = record->note.text;
    if (strcmp(text, "disconnected: the tab is closed") == 0)
        end_process(device, record->note.process);
    else
        device->processes[record->note.process].off_record =
            strcmp(text, "disconnected: by the app") == 0 ? record->number : 0;
}

static void see_record(void *self, const struct history_record *record) {
    const struct watcher *watcher = self;
    const struct note *note = &record->note;
    struct device *device = map_get(&watcher->devices, record->node);
    if (device == NULL)
        return;
    assert(note->process >= 0 && note->process < PROCESSES_MOST);
    if (note->kind == NOTE_CRASH) /* the last process of the device */
        end_all(device);
    else if (note->kind == NOTE_CONNECTION)
        see_connection(device, record);
    else if (note->kind == NOTE_UPLOAD_STARTED)
        begin_transaction(watcher, device, record);
    else if (note->kind == NOTE_UPLOAD_ACKNOWLEDGED || note->kind == NOTE_UPLOAD_REJECTED ||
             note->kind == NOTE_UPLOAD_FAILED)
        device->processes[note->process].uploading -= device->processes[note->process].uploading > 0;
}

/* --- what is on the wire --- */

/* What an app asks of its own server beside has nothing to do with its queue. */
static bool is_upload(const struct wire_event *event) {
    if (strncmp(event->target, "GET ", 4) == 0)
        return false;
    return strcmp(event->server, "convex") == 0 || strcmp(event->server, "backend") == 0;
}

static void expect_none(const struct watcher *watcher, const struct device *device, int64_t now,
                        const struct map *open, int process, const char *expected) {
    if (open->count > 0)
        report(watcher, device,
               (struct violation){
                   .expected = memory_copy_text(expected), .seen = who_begins(process, open), .time = now});
}

static void expect_on(const struct watcher *watcher, const struct device *device, int64_t now, int process,
                      const char *seen) {
    const uint64_t off_record = device->processes[process].off_record;
    if (off_record > 0)
        report(watcher, device,
               (struct violation){
                   .expected = memory_copy_text("no stream once the app has disconnected"),
                   .seen = memory_copy_text(seen),
                   .first_record = off_record,
                   .time = now,
               });
}

static void begin(const struct watcher *watcher, struct device *device, int64_t now,
                  const struct wire_event *event, const char *key) {
    void *process = (void *)((uintptr_t)event->process + 1);
    if (is_upload(event)) {
        expect_none(watcher, device, now, &device->uploads, event->process, "one upload at a time");
        map_set(&device->uploads, key, process);
    } else if (stream_lines_is_stream(event)) {
        expect_none(watcher, device, now, &device->streams, event->process, "one stream at a time");
        expect_on(watcher, device, now, event->process, "one begins");
        map_set(&device->streams, key, process);
    }
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    const struct watcher *watcher = self;
    struct device *device = event->client == NULL ? NULL : map_get(&watcher->devices, event->client);
    char key[17];
    if (device == NULL)
        return;
    assert(event->process >= 0 && event->process < PROCESSES_MOST);
    stream_lines_key(event->exchange, key);
    if (event->kind == WIRE_REQUEST) {
        begin(watcher, device, now, event, key);
    } else if (event->kind == WIRE_HEAD_SEEN && map_get(&device->streams, key) != NULL) {
        expect_on(watcher, device, now, event->process, "one goes on");
    } else if (event->kind == WIRE_END_SEEN || event->kind == WIRE_FAILED || event->kind == WIRE_ABORTED) {
        map_remove(&device->streams, key);
        map_remove(&device->uploads, key);
    }
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

static void free_device(void *value) {
    struct device *device = value;
    map_free(&device->streams, NULL);
    map_free(&device->uploads, NULL);
    free(device);
}

static void destroy(void *self) {
    struct watcher *watcher = self;
    map_free(&watcher->devices, free_device);
    free(watcher);
}

const struct property property_single = {
    .name = "single",
    .promise = "a device, whatever its processes, has one stream and one upload at a time, and no stream "
               "after its app disconnected",
    .create = create,
    .record = see_record,
    .wire = see_wire,
    .destroy = destroy,
};
