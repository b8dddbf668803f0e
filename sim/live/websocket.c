#include "live/websocket.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { going_away_code = 1001, silent_code = 1000, closing_idles = 5, ends_kept = 64 };

static uint64_t loop_now(const struct websocket *websocket) {
    return uv_now(&websocket->live->loop);
}

static uint64_t in_ms(int64_t nanoseconds) {
    return (uint64_t)(nanoseconds / TIME_MILLISECOND);
}

static void wake(struct websocket *websocket) {
    websocket->stream->events->wake(websocket->stream->owner);
}

static void ping(struct websocket *websocket) {
    websocket->pinged = loop_now(websocket);
    websocket_end_put(&websocket->end, WSLAY_PING, NULL, 0);
}

struct websocket *websocket_create(struct stream *stream, bool client, struct slot_table *table, uint64_t id,
                                   const struct websocket_events *events, void *context) {
    struct websocket *websocket = memory_allocate(sizeof *websocket);
    const struct live_settings *settings = &stream->live->settings;
    *websocket = (struct websocket){.live = stream->live,
                                    .stream = stream,
                                    .table = table,
                                    .id = id,
                                    .events = *events,
                                    .context = context,
                                    .idle_ms = in_ms(settings->idle_timeout),
                                    .quiet_ms = in_ms(settings->websocket_timeout),
                                    .ping_ms = in_ms(settings->websocket_ping)};
    websocket_end_open(&websocket->end, client, &stream->out);
    ping(websocket);
    wake(websocket);
    return websocket;
}

void websocket_free(struct websocket *websocket) {
    if (!websocket)
        return;
    websocket_end_close(&websocket->end);
    free(websocket->ends);
    free(websocket);
}

/* --- the end --- */

/* The id is over; what it was. */
static uint64_t leave(struct websocket *websocket) {
    uint64_t id = websocket->id;
    slot_table_remove(websocket->table, id);
    websocket->id = 0;
    return id;
}

static void put_close(struct websocket *websocket, int code, const char *reason) {
    if (websocket->said_goodbye)
        return;
    websocket->said_goodbye = true;
    websocket->goodbye = loop_now(websocket);
    websocket_end_put_close(&websocket->end, code, reason);
}

static void tell_closed(struct websocket *websocket, int code, const char *reason) {
    uint64_t id = leave(websocket);
    if (id != 0 && websocket->events.closed)
        websocket->events.closed(websocket->context, id, code, reason);
}

void websocket_lose(struct websocket *websocket, bool tell) {
    if (tell)
        tell_closed(websocket, WEBSOCKET_ABNORMAL, "");
    else
        leave(websocket);
}

/* The host closes: the peer is told, the actor too. */
static void close_ourselves(struct websocket *websocket, int code, const char *reason) {
    put_close(websocket, code, reason);
    tell_closed(websocket, code, reason);
}

/* --- reading --- */

static void take_event(struct websocket *websocket, enum websocket_event event) {
    struct websocket_end *end = &websocket->end;
    switch (event) {
    case WEBSOCKET_EVENT_MESSAGE:
        if (websocket->id != 0 && websocket->events.message)
            websocket->events.message(websocket->context, websocket->id, end->kind,
                                      buffer_text(&end->message), end->message.length);
        break;
    case WEBSOCKET_EVENT_CLOSE:
        websocket->heard_goodbye = true;
        put_close(websocket, end->code == WEBSOCKET_NO_CODE ? 0 : end->code, end->reason);
        tell_closed(websocket, end->code, end->reason);
        break;
    default:
        assert(event == WEBSOCKET_EVENT_VIOLATION);
        websocket->heard_goodbye = true; /* nothing it says can be understood any more */
        close_ourselves(websocket, end->code, "");
    }
}

static void read_on(struct websocket *websocket) {
    struct buffer *held = &websocket->stream->held;
    websocket->end.taken = 0;
    while (!websocket->heard_goodbye && !websocket->reset) {
        enum websocket_event event = websocket_end_next(&websocket->end, held);
        if (event == WEBSOCKET_EVENT_NONE)
            break;
        take_event(websocket, event);
    }
    buffer_free(held);
}

static void answer_ping(struct websocket *websocket) {
    struct websocket_end *end = &websocket->end;
    if (!end->pong_due || websocket->said_goodbye || !stream_all_sent(websocket->stream))
        return;
    end->pong_due = false;
    websocket_end_put(end, WSLAY_PONG, end->pong, end->pong_length);
}

enum websocket_state websocket_settle(struct websocket *websocket) {
    struct stream *stream = websocket->stream;
    read_on(websocket);
    if (websocket->reset)
        return WEBSOCKET_BROKEN;
    if (websocket->going_away && websocket->id != 0)
        close_ourselves(websocket, going_away_code, "");
    answer_ping(websocket);
    if (!stream_send(stream) || (websocket->lost && !websocket->heard_goodbye))
        return WEBSOCKET_BROKEN;
    bool all = websocket->said_goodbye && websocket->heard_goodbye && stream_all_sent(stream);
    return all ? WEBSOCKET_SAID_ALL : WEBSOCKET_GOES_ON;
}

/* The peer does not do its part: websocket_settle finds it broken. */
static void give_up(struct websocket *websocket) {
    websocket->lost = true;
    websocket->heard_goodbye = false;
    websocket->reset = !stream_all_sent(websocket->stream);
    wake(websocket);
}

static void check_goodbye(struct websocket *websocket) {
    const struct stream *stream = websocket->stream;
    const uint64_t now = loop_now(websocket);
    bool sent = stream_all_sent(stream);
    uint64_t limit = sent ? stream_drain_ms : closing_idles * websocket->idle_ms;
    if (now - websocket->goodbye > limit || (!sent && now - stream->moved > websocket->idle_ms))
        give_up(websocket);
}

void websocket_check_idle(struct websocket *websocket) {
    const struct stream *stream = websocket->stream;
    const uint64_t now = loop_now(websocket);
    bool sent = stream_all_sent(stream);
    if (websocket->said_goodbye) {
        check_goodbye(websocket);
    } else if (now - stream->heard > websocket->quiet_ms) {
        close_ourselves(websocket, silent_code, "ClientDisconnect");
        websocket->heard_goodbye = true; /* not waited for */
        wake(websocket);
        if (!sent)
            give_up(websocket);
    } else if (sent && now - websocket->pinged >= websocket->ping_ms) {
        ping(websocket);
        wake(websocket);
    }
}

/* --- operations --- */

static void forget_sent(struct websocket *websocket) {
    uint64_t handed = stream_bytes_handed(websocket->stream);
    while (websocket->first_end < websocket->n_ends && websocket->ends[websocket->first_end] <= handed)
        websocket->first_end++;
    if (websocket->first_end < websocket->n_ends)
        return;
    websocket->first_end = websocket->n_ends = 0;
    if (websocket->room > ends_kept) {
        free(websocket->ends);
        websocket->ends = NULL;
        websocket->room = 0;
    }
}

static void remember_end(struct websocket *websocket) {
    forget_sent(websocket);
    if (websocket->n_ends == websocket->room && websocket->first_end > websocket->room / 2) {
        websocket->n_ends -= websocket->first_end;
        memmove(websocket->ends, websocket->ends + websocket->first_end,
                websocket->n_ends * sizeof *websocket->ends);
        websocket->first_end = 0;
    }
    MEMORY_RESERVE(websocket->ends, websocket->room, websocket->n_ends + 1);
    websocket->ends[websocket->n_ends++] = stream_end_of_out(websocket->stream);
}

void websocket_send(struct websocket *websocket, enum websocket_kind kind, const void *bytes, size_t length) {
    size_t most = websocket->live->settings.unsent_most, waiting = stream_waiting(websocket->stream);
    assert(websocket->id != 0 && (kind == WEBSOCKET_TEXT || kind == WEBSOCKET_BINARY));
    if (length > most || waiting > most - length) {
        websocket->reset = true; /* the peer reads too slowly */
    } else {
        websocket_end_put(&websocket->end, kind == WEBSOCKET_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME,
                          bytes, length);
        remember_end(websocket);
    }
    wake(websocket);
}

void websocket_close(struct websocket *websocket, int code, const char *reason) {
    leave(websocket);
    put_close(websocket, code, reason);
    wake(websocket);
}

void websocket_reset(struct websocket *websocket) {
    leave(websocket);
    websocket->reset = true;
    wake(websocket);
}

void websocket_go_away(struct websocket *websocket) {
    websocket->going_away = true;
    wake(websocket);
}

/* What waits for the loop is tried at once: only what the kernel does not take is held back. */
size_t websocket_unsent(struct websocket *websocket) {
    if (!stream_send(websocket->stream))
        wake(websocket); /* which finds the same */
    forget_sent(websocket);
    return websocket->n_ends - websocket->first_end;
}
