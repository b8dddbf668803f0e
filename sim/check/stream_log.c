#include "check/stream_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "kernel/time.h"

struct device {
    struct followed_stream **streams; /* in the order in which they were first opened */
    size_t count, capacity;
};

struct stream_log {
    const struct check_settings *settings;
    struct device *devices; /* in the order of the settings */
    struct map by_node;
};

static struct followed_stream *find(const struct device *device, const struct note_row *row) {
    for (size_t i = 0; i < device->count; i++)
        if (strcmp(device->streams[i]->stream, row->table) == 0 &&
            strcmp(device->streams[i]->parameters, row->id) == 0)
            return device->streams[i];
    return NULL;
}

static struct followed_stream *follow(struct device *device, const struct note_row *row) {
    struct followed_stream *stream = find(device, row);
    if (stream != NULL)
        return stream;
    stream = memory_allocate(sizeof *stream);
    stream->stream = memory_copy_text(row->table);
    stream->parameters = memory_copy_text(row->id);
    MEMORY_RESERVE(device->streams, device->capacity, device->count + 1);
    device->streams[device->count++] = stream;
    return stream;
}

static void forget(struct device *device, size_t index) {
    free(device->streams[index]->stream);
    free(device->streams[index]->parameters);
    free(device->streams[index]);
    device->count--;
    memmove(device->streams + index, device->streams + index + 1,
            (device->count - index) * sizeof *device->streams);
}

static void leave(struct followed_stream *stream, const struct history_record *record) {
    stream->open = false;
    stream->left = record->time;
    stream->since = record->number;
}

/* --- records --- */

static void record_one(struct device *device, const struct history_record *record) {
    struct followed_stream *stream = follow(device, &record->note.rows[0]);
    const char *text = record->note.text;
    if (strcmp(text, "opened") == 0) {
        stream->synced = stream->open && stream->synced;
        stream->open = true;
        stream->ttl = record->note.timestamp * TIME_SECOND;
        stream->since = record->number;
    } else if (strcmp(text, "left") == 0) {
        leave(stream, record);
    } else if (strcmp(text, "dropped") == 0) {
        leave(stream, record);
        stream->ttl = 0;
    } else {
        assert(strcmp(text, "synced") == 0);
        stream->synced = true;
    }
}

static void record_request(struct device *device, const struct note *note) {
    for (size_t i = 0; i < device->count; i++)
        device->streams[i]->asked = false;
    for (size_t i = 0; i < note->n_rows; i++) {
        struct followed_stream *stream = find(device, &note->rows[i]);
        if (stream != NULL)
            stream->asked = true;
    }
}

/* The app is gone, and with it all that it had open. */
static void record_crash(struct device *device, const struct history_record *record) {
    for (size_t i = 0; i < device->count; i++)
        if (device->streams[i]->open)
            leave(device->streams[i], record);
}

static void forget_left(struct device *device) {
    for (size_t i = device->count; i-- > 0;)
        if (!device->streams[i]->open)
            forget(device, i);
}

void stream_log_record(struct stream_log *log, const struct history_record *record) {
    const struct note *note = &record->note;
    struct device *device = map_get(&log->by_node, record->node);
    if (device == NULL)
        return;
    if (note->kind == NOTE_STREAMS && strcmp(note->text, "asked") == 0)
        record_request(device, note);
    else if (note->kind == NOTE_STREAMS)
        record_one(device, record);
    else if (note->kind == NOTE_CRASH)
        record_crash(device, record);
    else if ((note->kind == NOTE_RESTART && note->text != NULL) ||
             (note->kind == NOTE_VIEW && note->text != NULL && strcmp(note->text, "clear") == 0))
        forget_left(device);
}

/* --- questions --- */

const struct followed_stream *stream_log_left_out(const struct stream_log *log,
                                                  const struct history_record *record) {
    const struct device *device = map_get(&log->by_node, record->node);
    if (device == NULL || record->note.kind != NOTE_STREAMS || strcmp(record->note.text, "asked") != 0)
        return NULL;
    for (size_t i = 0; i < device->count; i++)
        if (device->streams[i]->open && !device->streams[i]->asked)
            return device->streams[i];
    return NULL;
}

static enum stream_trouble trouble_of(const struct stream_log *log, const struct followed_stream *stream,
                                      int64_t now) {
    if (stream->open && !stream->asked)
        return STREAM_NOT_ASKED;
    if (stream->open && !stream->synced)
        return STREAM_NOT_SYNCED;
    if (!stream->open && stream->asked && !log->settings->wrong_clocks && stream->left + stream->ttl < now)
        return STREAM_OUTLIVED;
    return STREAM_FINE;
}

enum stream_trouble stream_log_trouble(const struct stream_log *log, size_t client, int64_t now,
                                       const struct followed_stream **stream) {
    const struct device *device = &log->devices[client];
    assert(client < log->settings->n_clients);
    for (size_t i = 0; i < device->count; i++) {
        const enum stream_trouble trouble = trouble_of(log, device->streams[i], now);
        *stream = device->streams[i];
        if (trouble != STREAM_FINE)
            return trouble;
    }
    return STREAM_FINE;
}

bool stream_log_settled(const struct stream_log *log, int64_t now) {
    const struct followed_stream *stream;
    for (size_t i = 0; i < log->settings->n_clients; i++)
        if (stream_log_trouble(log, i, now, &stream) != STREAM_FINE)
            return false;
    return true;
}

/* --- life --- */

struct stream_log *stream_log_create(const struct check_settings *settings) {
    struct stream_log *log = memory_allocate(sizeof *log);
    log->settings = settings;
    log->devices = memory_allocate_array(settings->n_clients + 1, sizeof *log->devices);
    for (size_t i = 0; i < settings->n_clients; i++)
        map_set(&log->by_node, settings->clients[i], &log->devices[i]);
    return log;
}

void stream_log_destroy(struct stream_log *log) {
    for (size_t i = 0; i < log->settings->n_clients; i++) {
        while (log->devices[i].count > 0)
            forget(&log->devices[i], log->devices[i].count - 1);
        free(log->devices[i].streams);
    }
    map_free(&log->by_node, NULL);
    free(log->devices);
    free(log);
}
