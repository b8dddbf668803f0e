/* Scripts of requests and WebSocket conversations, for targets that talk to a Convex deployment: records,
 * separated by lines "---". A record is a request (a line "METHOD target", header lines, an empty line, the
 * body) or a WebSocket ("WS target", an empty line, then one message a line; one that begins with "!" is
 * binary).
 *
 * What comes back is checked with assert: an error is an empty body or an envelope of exactly two texts
 * (HTTP actions speak for themselves), every message of a WebSocket is a JSON object with a type, transitions
 * join up. With `faulty` nothing is sure but the order of events: somebody between the two changes bytes. */
#ifndef FUZZ_CONVERSATION_H
#define FUZZ_CONVERSATION_H

#include "base/buffer.h"
#include "net/net.h"

enum { CONVERSATION_RECORDS_MOST = 16 };

struct conversation_record {
    struct host *client;
    bool faulty;
    bool free_form; /* the answer of an HTTP action */
    bool answered;  /* a complete response, or the socket is over or open */
    int status;
    struct buffer body;
    const char *messages; /* WebSocket: lines to send once it is open */
    char *version;        /* endVersion of the last Transition as JSON text; NULL: none yet */
};

/* Sends what a record says (the text is cut in place and must live on); false: it is none that a host would
 * pass on. `record` is zeroed but for `client` and `faulty`. */
bool conversation_start(struct conversation_record *record, char *text);
/* All records of a script, 3 ms apart: some overlap, some do not. How many were sent. */
size_t conversation_start_all(struct world *world, struct host *client, bool faulty, char *script,
                              struct conversation_record records[CONVERSATION_RECORDS_MOST]);
void conversation_free(struct conversation_record *record);

/* STATUS_LIMIT (too many events) is no failure of the code under test and ends the input: false. */
bool conversation_run(struct world *world, int64_t duration);

#endif
