/* What each app has open, and what its device asks the service for, as the history tells (NOTE_STREAMS). For
 * the property `subscriptions`, and for the stage, which waits until nothing is amiss. Only streams that an
 * app opens while it runs are followed. After a device's disk has lost something, what was left before is not
 * known any more and is forgotten. */
#ifndef SYNCLINE_CHECK_STREAM_LOG_H
#define SYNCLINE_CHECK_STREAM_LOG_H

#include "check/check.h"

struct followed_stream {
    char *stream;
    char *parameters;
    bool open;
    bool asked;     /* the newest request asks for it */
    bool synced;    /* since it was opened */
    int64_t ttl;    /* ns */
    int64_t left;   /* ns, when it was left */
    uint64_t since; /* the record that opened it or left it */
};

enum stream_trouble {
    STREAM_FINE,
    STREAM_NOT_ASKED,  /* it is open, and the device does not ask for it */
    STREAM_NOT_SYNCED, /* it is open, and the app was never told that it is there */
    STREAM_OUTLIVED    /* its time is over, and the device asks for it */
};

struct stream_log;

struct stream_log *stream_log_create(const struct check_settings *settings);
void stream_log_destroy(struct stream_log *log);
void stream_log_record(struct stream_log *log, const struct history_record *record);

/* The first that is open and that the newest record, a request, leaves out; NULL: there is none. */
const struct followed_stream *stream_log_left_out(const struct stream_log *log,
                                                  const struct history_record *record);
/* The first trouble of a client (in the order of the settings) at this time. Where devices' clocks may have
 * been wrong, nothing is said to have outlived its time. */
enum stream_trouble stream_log_trouble(const struct stream_log *log, size_t client, int64_t now,
                                       const struct followed_stream **stream);
bool stream_log_settled(const struct stream_log *log, int64_t now); /* nobody has any */

#endif
