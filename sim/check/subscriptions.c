/* subscriptions: what an app has open is asked for, from the next request on and for as long as it is open;
 * once the world is quiet the app has heard that it is there, and what was left is asked for no longer than
 * its time. */
#include <stdlib.h>

#include "base/memory.h"
#include "check/properties.h"
#include "check/stream_log.h"

struct watcher {
    struct checker *checker;
    int64_t now;
};

static const struct {
    const char *expected, *seen;
} words[] = {[STREAM_NOT_ASKED] = {"a request for every stream that is open", "a request without this one"},
             [STREAM_NOT_SYNCED] = {"the app hears of the first sync", "it still waits"},
             [STREAM_OUTLIVED] = {"no request once its time is over", "it is asked for"}};

static void report(const struct watcher *watcher, const char *client, enum stream_trouble trouble,
                   const struct followed_stream *stream, uint64_t second) {
    const struct violation violation = {
        .property = property_subscriptions.name,
        .client = client,
        .table = "",
        .row = "",
        .expected = memory_copy_text(words[trouble].expected),
        .seen = memory_copy_text(words[trouble].seen),
        .first_record = stream->since,
        .second_record = second,
        .time = watcher->now,
        .explanation =
            memory_format("It is about the stream %s with %.200s of %s, which its app has %s.",
                          stream->stream, stream->parameters, client, stream->open ? "open" : "left"),
    };
    checker_report(watcher->checker, &violation);
}

static void see_record(void *self, const struct history_record *record) {
    struct watcher *watcher = self;
    const struct followed_stream *stream;
    watcher->now = record->time;
    stream = stream_log_left_out(checker_streams(watcher->checker), record);
    if (stream != NULL)
        report(watcher, record->node, STREAM_NOT_ASKED, stream, record->number);
}

static void finish(void *self) {
    const struct watcher *watcher = self;
    const struct check_settings *settings = checker_settings(watcher->checker);
    for (size_t i = 0; i < settings->n_clients; i++) {
        const struct followed_stream *stream;
        const enum stream_trouble trouble =
            stream_log_trouble(checker_streams(watcher->checker), i, watcher->now, &stream);
        if (trouble != STREAM_FINE)
            report(watcher, settings->clients[i], trouble, stream, 0);
    }
}

static void *create(struct checker *checker) {
    struct watcher *watcher = memory_allocate(sizeof *watcher);
    watcher->checker = checker;
    return watcher;
}

const struct property property_subscriptions = {
    .name = "subscriptions",
    .promise = "what an app has open is asked for and comes, and what it has left goes when its time is over",
    .create = create,
    .record = see_record,
    .finish = finish,
    .destroy = free,
};
