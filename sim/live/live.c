#include "live/live.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "live/live_private.h"

enum { connections_usual = 10000 };
#define UNSENT_USUAL ((size_t)256 << 20)

/* --- the operations that need neither network nor clock --- */

static void emit_note(struct host *host, const struct note *note) {
    struct live *live = live_of(host);
    if (live->settings.note)
        live->settings.note(live->settings.note_context, live_now(live), host->name, note);
}

static struct fault_point fault_point(struct host *host, const char *name) {
    (void)host;
    (void)name;
    return (struct fault_point){.action = FAULT_NONE};
}

static int64_t knob(struct host *host, const char *name, int64_t usual, int64_t low, int64_t high) {
    (void)host;
    (void)name;
    assert(low <= usual && usual <= high);
    return usual;
}

static void mark(struct host *host, const char *name) {
    (void)host;
    (void)name;
}

static bool mutant(struct host *host, const char *name) {
    const char *const *mutants = live_of(host)->settings.mutants;
    for (; mutants && *mutants; mutants++)
        if (strcmp(*mutants, name) == 0)
            return true;
    return false;
}

static void fill_operations(struct host_operations *operations) {
    *operations = (struct host_operations){
        .note = emit_note, .fault_point = fault_point, .knob = knob, .mark = mark, .mutant = mutant};
    live_clock_operations(operations);
    live_server_operations(operations);
    live_client_operations(operations);
    live_websocket_operations(operations);
}

/* --- life --- */

static void settle(uv_prepare_t *prepare) {
    struct live *live = prepare->data;
    bool again = true;
    while (again) {
        again = live_client_settle(live);
        again = live_server_settle(live) || again;
        again = live_websocket_client_settle(live) || again;
    }
    if (live->stopping && live->connections == 0)
        uv_stop(&live->loop);
}

static void use_usual(struct live_settings *settings) {
    if (settings->connections_most == 0 || settings->connections_most > connections_usual)
        settings->connections_most = connections_usual;
    if (settings->unsent_most == 0)
        settings->unsent_most = UNSENT_USUAL;
    if (settings->idle_timeout == 0)
        settings->idle_timeout = 60 * TIME_SECOND;
    if (settings->grace == 0)
        settings->grace = 2 * TIME_SECOND;
    if (settings->websocket_ping == 0)
        settings->websocket_ping = 5 * TIME_SECOND;
    if (settings->websocket_timeout == 0)
        settings->websocket_timeout = 120 * TIME_SECOND;
    assert(settings->idle_timeout > 0 && settings->grace > 0);
    assert(settings->websocket_ping >= TIME_MILLISECOND && settings->websocket_timeout > 0);
}

struct live *live_create(const struct live_settings *settings) {
    struct live *live = memory_allocate(sizeof *live);
    signal(SIGPIPE, SIG_IGN); /* a peer that is gone is an error of the write, not the end of the process */
    live->settings = *settings;
    use_usual(&live->settings);
    fill_operations(&live->operations);
    /* A node may be server and client: no exchange of one kind has the id of another. */
    live->served = (struct slot_table){.serial = 0, .step = 3};
    live->sent = (struct slot_table){.serial = 1, .step = 3};
    live->opened = (struct slot_table){.serial = 2, .step = 3};
    int failed = uv_loop_init(&live->loop);
    assert(!failed);
    uv_prepare_init(&live->loop, &live->settle);
    live->settle.data = live;
    uv_prepare_start(&live->settle, settle);
    uv_timer_init(&live->loop, &live->grace);
    live->grace.data = live;
    live_clock_open(live);
    live_server_open(live);
    live_client_open(live);
    live_websocket_client_open(live);
    return live;
}

static void close_handle(uv_handle_t *handle, void *context) {
    (void)context;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void free_node(void *value) {
    struct live_node *node = value;
    free(node->name);
    free(node);
}

void live_destroy(struct live *live) {
    live_server_abandon(live);
    live_client_abandon(live);
    live_websocket_client_abandon(live);
    uv_walk(&live->loop, close_handle, NULL);
    uv_run(&live->loop, UV_RUN_DEFAULT);
    int failed = uv_loop_close(&live->loop);
    assert(!failed);
    event_queue_destroy(live->timers);
    slot_table_free(&live->served);
    slot_table_free(&live->sent);
    slot_table_free(&live->opened);
    map_free(&live->streams, free);
    map_free(&live->nodes, free_node);
    free(live);
}

struct host *live_node(struct live *live, const char *name) {
    assert(!map_has(&live->nodes, name));
    struct live_node *node = memory_allocate(sizeof *node);
    node->live = live;
    node->name = memory_copy_text(name);
    node->host = (struct host){
        .operations = &live->operations, .name = node->name, .unheard = live->settings.note == NULL};
    map_set(&live->nodes, name, node);
    return &node->host;
}

/* --- running --- */

void live_run(struct live *live) {
    uv_run(&live->loop, UV_RUN_DEFAULT);
}

static void end_grace(uv_timer_t *timer) {
    uv_stop(timer->loop);
}

void live_stop(struct live *live) {
    if (live->stopping)
        return;
    live->stopping = true;
    live_server_stop(live);
    uv_timer_start(&live->grace, end_grace, (uint64_t)(live->settings.grace / TIME_MILLISECOND), 0);
}

static void on_signal(uv_signal_t *handle, int number) {
    struct live *live = handle->data;
    (void)number;
    if (live->stopping) {
        uv_stop(&live->loop);
        return;
    }
    if (live->ending)
        live->ending(live->ending_context);
    live_stop(live);
}

void live_stop_on_signals(struct live *live, void (*ending)(void *context), void *context) {
    static const int numbers[2] = {SIGINT, SIGTERM};
    live->ending = ending;
    live->ending_context = context;
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&live->loop, &live->signals[i]);
        live->signals[i].data = live;
        uv_signal_start(&live->signals[i], on_signal, numbers[i]);
    }
}

size_t live_connections(const struct live *live) {
    return live->connections;
}

uint64_t live_connections_ever(const struct live *live) {
    return live->connections_ever;
}
