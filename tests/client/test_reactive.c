/* The plain Convex client against a scripted server: what it says on a socket and in which order, what it
 * makes of answers, and when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/reactive_client.h"
#include "net/net.h"

#define MS TIME_MILLISECOND
#define ZERO "AAAAAAAAAAA="
#define ONE "AQAAAAAAAAA="   /* 1, eight bytes, lowest first */
#define TWO "AgAAAAAAAAA="   /* 2 */
#define THREE "AwAAAAAAAAA=" /* 3 */

struct bench {
    struct world *world;
    struct net *net;
    struct host *server, *device;
    struct reactive_client *client;
    struct buffer heard; /* by the server: one message a line, times and sessions left out */
    struct buffer notes; /* of the client, one a line */
    uint64_t socket;     /* the newest */
    unsigned sockets;
    int64_t opened_at;
    int closed;
    bool refuse;
};

/* --- the server --- */

static void hear(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes, size_t length) {
    struct bench *bench = context;
    const char *text = bytes, *end = text + length;
    (void)socket;
    assert_int_equal(kind, WEBSOCKET_TEXT);
    while (text < end) {
        if (strncmp(text, "\"clientTs\":", 11) == 0) {
            text += 11 + strspn(text + 11, "0123456789");
            buffer_append_text(&bench->heard, "\"clientTs\":N");
        } else if (strncmp(text, "\"sessionId\":\"", 13) == 0) {
            text += 13 + 36;
            buffer_append_text(&bench->heard, "\"sessionId\":\"S");
        } else {
            buffer_append_char(&bench->heard, *text++);
        }
    }
    buffer_append_char(&bench->heard, '\n');
}

static void hear_closed(void *context, uint64_t socket, int code, const char *reason) {
    struct bench *bench = context;
    (void)socket;
    (void)reason;
    bench->closed = code;
}

static void hear_request(void *context, uint64_t exchange, const struct http_request *request) {
    static const struct websocket_server_events events = {.message = hear, .closed = hear_closed};
    struct bench *bench = context;
    assert_string_equal(request->target, "/api/1.48.0/sync");
    bench->opened_at = world_now(bench->world);
    bench->sockets++;
    if (bench->refuse) {
        host_http_respond(bench->server, exchange, &(struct http_response){.status = 404});
        host_http_end(bench->server, exchange);
        return;
    }
    bench->socket = exchange;
    assert_true(host_websocket_accept(bench->server, exchange, &events, bench));
}

static void keep_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct bench *bench = context;
    (void)now;
    (void)node;
    const struct note_row *row = note->n_rows > 0 ? &note->rows[0] : NULL;
    if (note->kind == NOTE_TRANSITION) {
        buffer_printf(&bench->notes, "sees as of %d:", (int)note->timestamp);
        for (size_t i = 0; i < note->n_rows; i++) {
            buffer_printf(&bench->notes, " %s %s(%s)=%s", note->rows[i].operation, note->rows[i].table,
                          note->rows[i].id, note->rows[i].values);
        }
        buffer_append_char(&bench->notes, '\n');
    } else if (note->kind == NOTE_CALL_STARTED) {
        buffer_printf(&bench->notes, "calls %d %s %s(%s)\n", (int)note->transaction, row->operation,
                      row->table, row->id);
    } else if (note->kind == NOTE_CALL_ENDED) {
        buffer_printf(&bench->notes, "ended %d %s at %d: %s\n", (int)note->transaction, note->text,
                      (int)note->timestamp, row->values != NULL ? row->values : "-");
    } else if (note->kind == NOTE_TEXT) {
        buffer_printf(&bench->notes, "text %s\n", note->text);
    }
}

/* --- the bench --- */

static void run_for(struct bench *bench, int64_t time) {
    assert_int_equal(world_run(bench->world, world_now(bench->world) + time, NULL), STATUS_OK);
}

static void open_bench(struct bench *bench) {
    static const struct http_server_events events = {.request = hear_request};
    *bench = (struct bench){0};
    bench->world = world_create(&(struct world_settings){.seed = 7});
    bench->net = net_create(bench->world, &(struct net_settings){.latency = 5 * MS, .give_up = TIME_HOUR});
    bench->server = net_node(bench->net, "convex");
    bench->device = net_node(bench->net, "web-1");
    host_http_listen(bench->server, &events, bench);
    world_observe(bench->world, &(struct world_observer){.note = keep_note, .context = bench});
    bench->client = reactive_client_create(bench->device, &(struct reactive_settings){"convex"});
}

static void close_bench(struct bench *bench) {
    reactive_client_destroy(bench->client);
    net_destroy(bench->net);
    world_destroy(bench->world);
    buffer_free(&bench->heard);
    buffer_free(&bench->notes);
}

static void connect(struct bench *bench) {
    reactive_client_connect(bench->client);
    run_for(bench, 50 * MS);
}

static void say(struct bench *bench, const char *text) {
    host_websocket_send(bench->server, bench->socket, WEBSOCKET_TEXT, text, strlen(text));
    run_for(bench, 50 * MS);
}

/* "querySet identity ts" for each end, and what stands in `modifications`. */
static void say_transition(struct bench *bench, int from, const char *from_ts, int to, const char *to_ts,
                           const char *modifications) {
    char *text = memory_format("{\"type\":\"Transition\","
                               "\"startVersion\":{\"querySet\":%d,\"identity\":0,\"ts\":\"%s\"},"
                               "\"endVersion\":{\"querySet\":%d,\"identity\":0,\"ts\":\"%s\"},"
                               "\"modifications\":[%s],\"clientClockSkew\":null,\"serverTs\":null}",
                               from, from_ts, to, to_ts, modifications);
    say(bench, text);
    free(text);
}

#define UPDATED(query, value)                                                                                \
    "{\"type\":\"QueryUpdated\",\"queryId\":" query ",\"value\":" value ",\"logLines\":[],\"journal\":null}"
#define RESPONSE(request, ts)                                                                                \
    "{\"type\":\"MutationResponse\",\"requestId\":" request ",\"success\":true,\"result\":null,\"ts\":\"" ts \
    "\",\"logLines\":[]}"
#define CONNECT(count, reason)                                                                               \
    "{\"connectionCount\":" count ",\"lastCloseReason\":\"" reason "\",\"clientTs\":N,\"type\":\"Connect\"," \
    "\"sessionId\":\"S\""
#define ADD(query, path, rest)                                                                               \
    "{\"type\":\"Add\",\"queryId\":" query ",\"udfPath\":\"" path "\",\"args\":[{}]" rest "}"
#define MODIFY(from, to, items)                                                                              \
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":" from ",\"newVersion\":" to ",\"modifications\":[" items  \
    "]}\n"
#define CALL(type, request, path)                                                                            \
    "{\"type\":\"" type "\",\"requestId\":" request ",\"udfPath\":\"" path "\",\"args\":[{}]}\n"

static void expect(struct buffer *log, const char *text) {
    assert_string_equal(buffer_text(log), text);
    buffer_clear(log);
}

static void mutate(struct bench *bench, const char *path) {
    reactive_client_call(bench->client, REACTIVE_MUTATION, path, "{}", NULL);
    run_for(bench, 20 * MS);
}

/* --- what is said --- */

static void test_first_words(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    reactive_client_subscribe(bench.client, "pets:list", "{}");
    reactive_client_call(bench.client, REACTIVE_MUTATION, "pets:add", "{}", NULL);
    reactive_client_call(bench.client, REACTIVE_ACTION, "pets:act", "{}", NULL);
    connect(&bench);
    expect(&bench.heard, CONNECT("0", "InitialConnect") "}\n" MODIFY("0", "1", ADD("0", "pets:list", ""))
                             CALL("Mutation", "0", "pets:add") CALL("Action", "1", "pets:act"));
    assert_int_equal(reactive_client_subscribe(bench.client, "pets:list", "{}"), 0);
    assert_int_equal(reactive_client_subscribe(bench.client, "pets:count", "{}"), 1);
    reactive_client_unsubscribe(bench.client, 0);
    run_for(&bench, 20 * MS);
    expect(&bench.heard, MODIFY("1", "2", ADD("1", "pets:count", ""))
                             MODIFY("2", "3", "{\"type\":\"Remove\",\"queryId\":0}"));
    close_bench(&bench);
}

static void test_no_queries_still_modify(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    expect(&bench.heard, CONNECT("0", "InitialConnect") "}\n" MODIFY("0", "1", ""));
    close_bench(&bench);
}

/* The second socket: count and reason, what was seen, journals, and everything unfinished under the old
 * numbers; also a mutation that was answered and not yet shown, but no action. */
static void test_second_socket(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    reactive_client_subscribe(bench.client, "pets:list", "{}");
    connect(&bench);
    say_transition(
        &bench, 0, ZERO, 1, ONE,
        "{\"type\":\"QueryUpdated\",\"queryId\":0,\"value\":[],\"logLines\":[],\"journal\":\"j\"}");
    mutate(&bench, "pets:shown");
    mutate(&bench, "pets:answered");
    reactive_client_call(bench.client, REACTIVE_ACTION, "pets:act", "{}", NULL);
    mutate(&bench, "pets:open");
    say(&bench, RESPONSE("0", ONE));
    say(&bench, RESPONSE("1", THREE));
    say_transition(&bench, 1, ONE, 1, TWO, "");
    buffer_clear(&bench.heard);
    buffer_clear(&bench.notes);
    host_websocket_close(bench.server, bench.socket, 1011, "InternalServerError");
    run_for(&bench, 2 * TIME_SECOND);
    expect(&bench.heard,
           CONNECT("1", "InternalServerError") ",\"maxObservedTimestamp\":\"" THREE "\"}\n" MODIFY(
               "0", "1", ADD("0", "pets:list", ",\"journal\":\"j\"")) CALL("Mutation", "1", "pets:answered")
               CALL("Mutation", "3", "pets:open"));
    expect(&bench.notes, "ended 2 unknown at 0: -\n");
    close_bench(&bench);
}

static void test_close_without_reason(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    buffer_clear(&bench.heard);
    host_websocket_close(bench.server, bench.socket, 0, "");
    run_for(&bench, 2 * TIME_SECOND);
    expect(&bench.heard, CONNECT("1", "closed with code 1005") "}\n" MODIFY("0", "1", ""));
    close_bench(&bench);
}

/* --- what is heard --- */

static void test_results(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    reactive_client_subscribe(bench.client, "a", "{}");
    reactive_client_subscribe(bench.client, "b", "{}");
    connect(&bench);
    say_transition(&bench, 0, ZERO, 1, ONE, UPDATED("0", "[1.0]"));
    assert_false(reactive_client_settled(bench.client)); /* b has no answer */
    say_transition(
        &bench, 1, ONE, 1, TWO,
        "{\"type\":\"QueryFailed\",\"queryId\":1,\"errorMessage\":\"no\",\"logLines\":[],\"journal\":null}");
    assert_true(reactive_client_settled(bench.client));
    assert_string_equal(reactive_client_value(bench.client, 0), "[1.0]");
    assert_null(reactive_client_value(bench.client, 1));
    assert_int_equal(reactive_client_timestamp(bench.client), 2);
    expect(&bench.notes, "sees as of 1: VALUE a({})=[1.0]\n"
                         "sees as of 2: VALUE a({})=[1.0] ERROR b({})=no\n");
    say_transition(&bench, 1, TWO, 1, THREE, "{\"type\":\"QueryRemoved\",\"queryId\":0}");
    expect(&bench.notes, "sees as of 3: ERROR b({})=no\n");
    close_bench(&bench);
}

static void test_mutation_ends_with_its_transition(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    say_transition(&bench, 0, ZERO, 1, ONE, "");
    mutate(&bench, "m");
    buffer_clear(&bench.notes);
    say(&bench,
        "{\"type\":\"MutationResponse\",\"requestId\":0,\"success\":true,\"result\":7.0,\"ts\":\"" THREE
        "\",\"logLines\":[]}");
    expect(&bench.notes, "");
    say_transition(&bench, 1, ONE, 1, TWO, "");
    expect(&bench.notes, "sees as of 2:\n");
    say_transition(&bench, 1, TWO, 1, THREE, "");
    expect(&bench.notes, "sees as of 3:\nended 0 success at 3: 7.0\n");
    close_bench(&bench);
}

static void test_failures_and_actions_end_at_once(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    mutate(&bench, "m");
    reactive_client_call(bench.client, REACTIVE_ACTION, "act", "{}", NULL);
    reactive_client_call(bench.client, REACTIVE_ACTION, "act", "{}", NULL);
    run_for(&bench, 20 * MS);
    buffer_clear(&bench.notes);
    say(&bench,
        "{\"type\":\"MutationResponse\",\"requestId\":0,\"success\":false,\"result\":\"no\",\"ts\":null,"
        "\"logLines\":[]}");
    say(&bench,
        "{\"type\":\"ActionResponse\",\"requestId\":2,\"success\":true,\"result\":[],\"logLines\":[]}");
    say(&bench,
        "{\"type\":\"ActionResponse\",\"requestId\":1,\"success\":false,\"result\":\"bad\",\"logLines\":[]}");
    say(&bench,
        "{\"type\":\"ActionResponse\",\"requestId\":1,\"success\":false,\"result\":\"bad\",\"logLines\":[]}");
    expect(&bench.notes, "ended 0 failure at 0: no\nended 2 success at 0: []\nended 1 failure at 0: bad\n");
    close_bench(&bench);
}

static void test_chunks(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    say(&bench,
        "{\"type\":\"TransitionChunk\",\"chunk\":\"{\\\"type\\\":\\\"Transition\\\",\\\"startVersion\\\":"
        "{\\\"querySet\\\":0,\\\"identity\\\":0,\\\"ts\\\":\\\"" ZERO "\\\"},\",\"partNumber\":0,"
        "\"totalParts\":2,\"transitionId\":\"9\"}");
    expect(&bench.notes, "");
    say(&bench,
        "{\"type\":\"TransitionChunk\",\"chunk\":\"\\\"endVersion\\\":{\\\"querySet\\\":1,\\\"identity\\\":0,"
        "\\\"ts\\\":\\\"" TWO "\\\"},\\\"modifications\\\":[]}\",\"partNumber\":1,\"totalParts\":2,"
        "\"transitionId\":\"9\"}");
    expect(&bench.notes, "sees as of 2:\n");
    say(&bench, "{\"type\":\"TransitionChunk\",\"chunk\":\"\",\"partNumber\":1,\"totalParts\":2,"
                "\"transitionId\":\"9\"}"); /* the first part is missing */
    assert_true(strncmp(buffer_text(&bench.notes), "text a message of the server breaks", 35) == 0);
    close_bench(&bench);
}

static void test_broken_messages(void **state) {
    static const char *const broken[] = {
        "no JSON", "[]", "{\"type\":7}", "{\"type\":\"Surprise\"}", "{\"type\":\"Transition\"}",
        /* starts elsewhere than the last one ended */
        "{\"type\":\"Transition\",\"startVersion\":{\"querySet\":0,\"identity\":0,\"ts\":\"" ONE "\"},"
        "\"endVersion\":{\"querySet\":1,\"identity\":0,\"ts\":\"" TWO "\"},\"modifications\":[]}",
        "{\"type\":\"Transition\",\"startVersion\":{\"querySet\":0,\"identity\":1,\"ts\":\"" ZERO "\"},"
        "\"endVersion\":{\"querySet\":1,\"identity\":1,\"ts\":\"" TWO "\"},\"modifications\":[]}",
        "{\"type\":\"Transition\",\"startVersion\":{\"querySet\":1,\"identity\":0,\"ts\":\"" ZERO "\"},"
        "\"endVersion\":{\"querySet\":1,\"identity\":0,\"ts\":\"" TWO "\"},\"modifications\":[]}",
        /* a success without ts */
        "{\"type\":\"MutationResponse\",\"requestId\":0,\"success\":true,\"result\":null,\"logLines\":[]}",
        "{\"type\":\"MutationResponse\",\"requestId\":0,\"success\":true,\"result\":null,\"ts\":\"" ONE
        "\"}"};
    (void)state;
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct bench bench;
        open_bench(&bench);
        connect(&bench);
        mutate(&bench, "m");
        buffer_clear(&bench.notes);
        buffer_clear(&bench.heard);
        say(&bench, broken[i]);
        assert_true(strncmp(buffer_text(&bench.notes), "text a message of the server breaks", 35) == 0);
        assert_int_equal(bench.closed, WEBSOCKET_NO_CODE);
        run_for(&bench, TIME_SECOND);
        assert_int_equal(bench.sockets, 2);
        assert_true(strncmp(buffer_text(&bench.heard), CONNECT("1", "InvalidMessage"),
                            strlen(CONNECT("1", "InvalidMessage"))) == 0);
        close_bench(&bench);
    }
}

static void test_fatal_error(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    say(&bench, "{\"type\":\"FatalError\",\"error\":\"BaseVersionMismatch: no\"}");
    expect(&bench.notes, "text the server ends this client for good: BaseVersionMismatch: no\n");
    reactive_client_connect(bench.client);
    run_for(&bench, TIME_HOUR);
    assert_int_equal(bench.sockets, 1);
    assert_true(reactive_client_dead(bench.client));
    close_bench(&bench);
}

/* --- coming back --- */

static void test_backoff_table(void **state) {
    (void)state;
    assert_int_equal(reactive_backoff(true, "", 0), 100 * MS);
    assert_int_equal(reactive_backoff(true, "CommitterFullError", 3), 800 * MS);
    assert_int_equal(reactive_backoff(false, "", 0), 1000 * MS);
    assert_int_equal(reactive_backoff(false, "InternalServerError", 1), 2000 * MS);
    assert_int_equal(reactive_backoff(false, "CommitterFullError: and more", 0), 3000 * MS);
    assert_int_equal(reactive_backoff(false, "TooManyWritesInTimePeriod", 2), 12000 * MS);
    assert_int_equal(reactive_backoff(false, "TooManyWrites", 0), 1000 * MS);
    assert_int_equal(reactive_backoff(false, "OptimisticConcurrencyControlFailure", 0), 1000 * MS);
    assert_int_equal(reactive_backoff(false, "ExpiredInQueue", 3), 16000 * MS);
    assert_int_equal(reactive_backoff(false, "", 4000000000u), 16000 * MS);
}

/* Retries grow while nothing is heard, and begin again only after everything outstanding was synced. */
static void test_retries(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    reactive_client_subscribe(bench.client, "a", "{}");
    connect(&bench);
    for (int i = 0; i < 8; i++) {
        int64_t closed_at = world_now(bench.world);
        host_websocket_close(bench.server, bench.socket, 1011, "");
        int64_t base = i < 4 ? (1000 * MS) << i : 16000 * MS;
        while (bench.sockets < (unsigned)i + 2) {
            run_for(&bench, MS);
        }
        assert_in_range(bench.opened_at - closed_at, base / 2, base * 3 / 2 + 20 * MS);
        run_for(&bench, 20 * MS);
        say_transition(&bench, 0, ZERO, 1, ONE, ""); /* the query has no answer yet */
        say(&bench, "{\"type\":\"Ping\"}");
    }
    say_transition(&bench, 1, ONE, 1, ONE, UPDATED("0", "1.0"));
    int64_t closed_at = world_now(bench.world);
    host_websocket_close(bench.server, bench.socket, 1011, "");
    run_for(&bench, 2 * TIME_SECOND);
    assert_in_range(bench.opened_at - closed_at, 500 * MS, 1520 * MS);
    close_bench(&bench);
}

static void test_silence(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    connect(&bench);
    run_for(&bench, 50 * TIME_SECOND);
    say(&bench, "{\"type\":\"Ping\"}");
    run_for(&bench, 59 * TIME_SECOND);
    assert_int_equal(bench.sockets, 1);
    buffer_clear(&bench.heard);
    run_for(&bench, 2 * TIME_SECOND);
    assert_int_equal(bench.sockets, 2);
    expect(&bench.heard, CONNECT("1", "InactiveServer") "}\n" MODIFY("0", "1", ""));
    close_bench(&bench);
}

/* The watch also covers a handshake that nobody answers. */
static void test_silence_while_connecting(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    net_cut(bench.net, "web-1", "convex");
    connect(&bench);
    run_for(&bench, 59 * TIME_SECOND);
    net_heal_all(bench.net);
    net_cut(bench.net, "convex", "web-1"); /* the handshake arrives, its answer does not */
    run_for(&bench, 800 * MS);
    assert_int_equal(bench.sockets, 1);
    run_for(&bench, TIME_SECOND);
    net_heal_all(bench.net);
    run_for(&bench, 100 * MS);
    assert_int_equal(bench.sockets, 2);
    expect(&bench.heard, CONNECT("0", "InactiveServer") "}\n" MODIFY("0", "1", ""));
    close_bench(&bench);
}

static void test_refused(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    bench.refuse = true;
    connect(&bench);
    assert_int_equal(bench.sockets, 1);
    bench.refuse = false;
    run_for(&bench, 2 * TIME_SECOND);
    assert_int_equal(bench.sockets, 2);
    expect(&bench.heard, CONNECT("0", "InitialConnect") "}\n" MODIFY("0", "1", ""));
    close_bench(&bench);
}

/* A new process: another session, numbers from 0, calls gone, subscriptions there. */
static void test_crash(void **state) {
    struct bench bench;
    (void)state;
    open_bench(&bench);
    reactive_client_subscribe(bench.client, "a", "{}");
    connect(&bench);
    say_transition(&bench, 0, ZERO, 1, ONE, UPDATED("0", "1.0"));
    mutate(&bench, "m");
    char *session = memory_copy_text(reactive_client_session(bench.client));
    net_crash_node(bench.net, "web-1");
    reactive_client_crash(bench.client);
    run_for(&bench, TIME_SECOND);
    buffer_clear(&bench.heard);
    reactive_client_restart(bench.client);
    run_for(&bench, 50 * MS);
    expect(&bench.heard, CONNECT("0", "InitialConnect") "}\n" MODIFY("0", "1", ADD("0", "a", "")));
    assert_string_not_equal(reactive_client_session(bench.client), session);
    assert_int_equal(strlen(reactive_client_session(bench.client)), 36);
    assert_int_equal(reactive_client_session(bench.client)[14], '4');
    mutate(&bench, "n");
    expect(&bench.heard, CALL("Mutation", "0", "n"));
    free(session);
    close_bench(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_first_words),
                                       cmocka_unit_test(test_no_queries_still_modify),
                                       cmocka_unit_test(test_second_socket),
                                       cmocka_unit_test(test_close_without_reason),
                                       cmocka_unit_test(test_results),
                                       cmocka_unit_test(test_mutation_ends_with_its_transition),
                                       cmocka_unit_test(test_failures_and_actions_end_at_once),
                                       cmocka_unit_test(test_chunks),
                                       cmocka_unit_test(test_broken_messages),
                                       cmocka_unit_test(test_fatal_error),
                                       cmocka_unit_test(test_backoff_table),
                                       cmocka_unit_test(test_retries),
                                       cmocka_unit_test(test_silence),
                                       cmocka_unit_test(test_silence_while_connecting),
                                       cmocka_unit_test(test_refused),
                                       cmocka_unit_test(test_crash)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
