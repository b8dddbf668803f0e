/* single: a device has one sync stream at a time, and one request to the backend of its uploads; and none of
 * the service once its app has disconnected, until it connects again. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"
#include "check/stream_lines.h"

struct device {
    const char *client;
    struct map streams, uploads; /* the exchanges that are open */
    bool off;                    /* the app has disconnected */
    uint64_t off_record;
};

struct watcher {
    struct checker *checker;
    struct map devices; /* node -> struct device */
};

static const char not_after[] = "no stream once the app has disconnected";

static void report(const struct watcher *watcher, const struct device *device, int64_t now,
                   const char *expected, const char *seen) {
    const struct violation violation = {
        .property = property_single.name,
        .client = device->client,
        .table = "",
        .row = "",
        .expected = memory_copy_text(expected),
        .seen = memory_copy_text(seen),
        .first_record = device->off ? device->off_record : 0,
        .time = now,
        .explanation =
            memory_format("%s does at the same time what the SDK does one after the other.", device->client)};
    checker_report(watcher->checker, &violation);
}

/* What a process takes with it that ends beside others. */
static void end_process(struct map *exchanges, int process) {
    const struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(exchanges, &i));)
        if ((uintptr_t)entry->value == (uintptr_t)process + 1)
            map_remove(exchanges, entry->key);
}

static void see_record(void *self, const struct history_record *record) {
    struct watcher *watcher = self;
    struct device *device = map_get(&watcher->devices, record->node);
    if (device == NULL)
        return;
    if (record->note.kind == NOTE_CRASH) {
        map_clear(&device->streams, NULL);
        map_clear(&device->uploads, NULL);
    }
    if (record->note.kind != NOTE_CONNECTION)
        return;
    if (strcmp(record->note.text, "disconnected: the tab is closed") == 0) {
        end_process(&device->streams, record->note.process);
        end_process(&device->uploads, record->note.process);
        return;
    }
    device->off = strcmp(record->note.text, "disconnected: by the app") == 0;
    device->off_record = record->number;
}

/* What an app asks of its own server beside has nothing to do with its queue. */
static bool is_upload(const struct wire_event *event) {
    if (strncmp(event->target, "GET ", 4) == 0)
        return false;
    return strcmp(event->server, "convex") == 0 || strcmp(event->server, "backend") == 0;
}

static void begin(const struct watcher *watcher, struct device *device, int64_t now,
                  const struct wire_event *event, const char *key) {
    if (is_upload(event)) {
        if (device->uploads.count > 0)
            report(watcher, device, now, "one upload at a time", "another one");
        map_set(&device->uploads, key, (void *)((uintptr_t)event->process + 1));
    } else if (stream_lines_is_stream(event)) {
        if (device->streams.count > 0)
            report(watcher, device, now, "one stream at a time", "another one");
        if (device->off)
            report(watcher, device, now, not_after, "one begins");
        map_set(&device->streams, key, (void *)((uintptr_t)event->process + 1));
    }
}

static void see_wire(void *self, int64_t now, const struct wire_event *event) {
    const struct watcher *watcher = self;
    struct device *device = event->client == NULL ? NULL : map_get(&watcher->devices, event->client);
    char key[17];
    if (device == NULL)
        return;
    stream_lines_key(event->exchange, key);
    if (event->kind == WIRE_REQUEST) {
        begin(watcher, device, now, event, key);
    } else if (event->kind == WIRE_HEAD_SEEN && device->off && map_get(&device->streams, key) != NULL) {
        report(watcher, device, now, not_after, "one goes on");
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
    .promise = "a device has one stream and one upload at a time, and no stream after its app disconnected",
    .create = create,
    .record = see_record,
    .wire = see_wire,
    .destroy = destroy,
};
