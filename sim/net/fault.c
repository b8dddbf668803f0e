/* Wire faults: what an exchange is to meet is drawn when it starts, from a stream of its own. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "net/net_private.h"

/* One draw, whatever the rate: so switching a fault on or off does not shift the others. */
static bool hit(struct random_stream *stream, uint32_t rate) {
    uint64_t draw = (uint64_t)((unsigned __int128)random_next(stream) * 1000000 >> 64);
    return draw < rate;
}

/* 1 ms .. 65 s, every power of two as likely as the next. */
static int64_t draw_moment(struct random_stream *stream) {
    int64_t low = TIME_MILLISECOND << random_below(stream, 16);
    return random_between(stream, low, 2 * low - 1);
}

/* Half of the resets come near one of the first messages (so that short requests meet them before, while and
 * after they are processed), half at any time (for long streams). */
static void draw_reset(struct exchange *exchange) {
    struct exchange_faults *faults = &exchange->faults;
    if (random_chance(&exchange->stream, 1, 2)) {
        faults->reset_at = 1 + random_below(&exchange->stream, 4);
        faults->reset_after =
            random_below(&exchange->stream, (uint64_t)(2 * exchange->to_server.link->latency) + 1);
    } else {
        faults->reset_at = 1;
        faults->reset_after = (uint64_t)draw_moment(&exchange->stream);
    }
}

void fault_draw(struct exchange *exchange) {
    const struct net_faults *rates = &exchange->net->faults;
    struct exchange_faults *faults = &exchange->faults;
    if (!rates->refuse && !rates->reset && !rates->lose_response && !rates->stall && !rates->split_chunks)
        return;
    struct link *link = exchange->to_server.link;
    char *name = memory_format("net.%s>%s.%llu", link->from, link->to, (unsigned long long)link->exchanges);
    exchange->stream = random_stream_make(world_seed(exchange->net->world), name);
    free(name);
    bool refuse = hit(&exchange->stream, rates->refuse);
    bool reset = hit(&exchange->stream, rates->reset);
    bool lose_response = hit(&exchange->stream, rates->lose_response);
    bool stall = hit(&exchange->stream, rates->stall);
    faults->refuse = refuse;
    faults->lose_response = lose_response;
    faults->split_chunks = rates->split_chunks;
    if (reset)
        draw_reset(exchange);
    if (stall) {
        faults->stall_at = 1 + random_below(&exchange->stream, 4);
        faults->stall = 1 + random_exponential(&exchange->stream, rates->stall_time);
    }
}

int64_t fault_stall(struct exchange *exchange) {
    struct exchange_faults *faults = &exchange->faults;
    if (!faults->stall || exchange->messages != faults->stall_at)
        return 0;
    int64_t stall = faults->stall;
    assert(stall > 0);
    faults->stall = 0;
    exchange->net->counters[NET_STALL].count++;
    return stall;
}

static void reset_now(void *context) {
    struct exchange *exchange = context;
    exchange->reset = 0;
    if (!exchange->client_open && !exchange->server_open) /* only its last words are on their way */
        return;
    exchange->net->counters[NET_RESET].count++;
    exchange_break(exchange, HTTP_FAILURE_RESET);
}

void fault_message_sent(struct exchange *exchange) {
    struct exchange_faults *faults = &exchange->faults;
    if (!faults->reset_at || exchange->messages != faults->reset_at)
        return;
    assert(!exchange->reset);
    faults->reset_at = 0;
    exchange->reset = world_schedule(exchange->net->world, (int64_t)faults->reset_after, reset_now, exchange);
}

void fault_write(struct exchange *exchange, const void *bytes, size_t length) {
    struct lane *lane = &exchange->to_client;
    uint64_t choice = random_below(&exchange->stream, 4);
    if (choice == 0 && length >= 2) {
        size_t first = 1 + (size_t)random_below(&exchange->stream, length - 1);
        assert(first < length);
        exchange->net->counters[NET_SPLIT_CHUNKS].count++;
        lane_send(lane, message_body(bytes, first, NULL, 0));
        lane_send(lane, message_body((const char *)bytes + first, length - first, NULL, 0));
    } else if (choice == 1) {
        lane_merge(lane, bytes, length);
    } else {
        lane_send(lane, message_body(bytes, length, NULL, 0));
    }
}

void fault_clear(struct exchange *exchange) {
    exchange->faults = (struct exchange_faults){0};
    if (exchange->reset)
        world_cancel(exchange->net->world, exchange->reset);
    exchange->reset = 0;
}
