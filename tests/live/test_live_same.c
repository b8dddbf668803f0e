/* The same script of requests and of WebSocket messages through the virtual network and through sockets: the
 * same answers, but for the times in them. Both wall clocks start on the same day, because a document id
 * holds the day it was made. */
#include "cmocka_all.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "app/app.h"
#include "base/buffer.h"
#include "live/live.h"
#include "net/net.h"

enum { seed = 7 };

static const char authorization[] = "Convex prod:syncline-1|0123456789abcdef";

static const struct {
    const char *method, *target, *body;
} script[] = {
    {"GET", "/version", ""},
    {"POST", "/api/mutation",
     "{\"path\":\"todo:addList\",\"args\":{\"list\":{\"uuid\":\"u1\",\"name\":\"n\"},\"todos\":[{\"uuid\":"
     "\"t1\",\"rank\":1.5},{\"uuid\":\"t2\"}]},\"format\":\"json\"}"},
    {"POST", "/api/mutation",
     "{\"path\":\"powersync_checkpoints:createCheckpoint\",\"args\":{},\"format\":\"json\"}"},
    {"POST", "/api/query", "{\"path\":\"todo:getList\",\"args\":{\"uuid\":\"u1\"},\"format\":\"json\"}"},
    {"POST", "/api/query", "{\"path\":\"todo:getList\",\"args\":{},\"format\":\"json\"}"},
    {"GET", "/api/list_snapshot?tableName=todos&format=json", ""},
    {"GET", "/api/list_snapshot", ""},
    {"GET", "/api/document_deltas?cursor=0", ""},
    {"GET", "/api/json_schemas?deltaSchema=true&format=json", ""},
    {"GET", "/api/document_deltas", ""},
    {"POST", "/api/mutation", "{\"path\":"},
    {"GET", "/nowhere", ""},
};
enum { script_length = sizeof script / sizeof script[0] };

/* Runs the script on any host; one request after the other. */
struct talk {
    struct host *host;
    size_t next;
    struct buffer said[script_length]; /* status and body */
    struct buffer messages;            /* of the WebSocket, a line each */
    size_t step;                       /* of talk_script */
    void (*finished)(void *context);
    void *context;
};

static void send_next(struct talk *talk);
static void open_talk(struct talk *talk);

static void on_head(void *context, uint64_t exchange, const struct http_response *response) {
    struct talk *talk = context;
    (void)exchange;
    buffer_printf(&talk->said[talk->next], "%d ", response->status);
}

static void on_body(void *context, uint64_t exchange, const void *bytes, size_t length) {
    struct talk *talk = context;
    (void)exchange;
    buffer_append(&talk->said[talk->next], bytes, length);
}

static void on_end(void *context, uint64_t exchange) {
    struct talk *talk = context;
    (void)exchange;
    talk->next++;
    if (talk->next < script_length)
        send_next(talk);
    else
        open_talk(talk);
}

static void on_failed(void *context, uint64_t exchange, enum http_failure failure) {
    (void)context;
    (void)exchange;
    fail_msg("request failed: %d", (int)failure);
}

static void send_next(struct talk *talk) {
    static const struct http_client_events events = {on_head, on_body, on_end, on_failed};
    static const struct http_header headers[] = {{"authorization", authorization},
                                                 {"content-type", "application/json"}};
    const struct http_request request = {.authority = "convex",
                                         .method = script[talk->next].method,
                                         .target = script[talk->next].target,
                                         .headers = headers,
                                         .n_headers = 2,
                                         .body = script[talk->next].body,
                                         .body_length = strlen(script[talk->next].body)};
    host_http_send(talk->host, &request, &events, talk);
}

/* --- a WebSocket after the requests --- */

static const char session[] =
    "{\"type\":\"Connect\",\"sessionId\":\"3f0c8a52-63a4-4c1b-9a6e-0d9f3a1c2b4d\",\"connectionCount\":0,"
    "\"lastCloseReason\":\"InitialConnect\",\"clientTs\":12}";
/* Each is sent when the one before has been answered; the last is no message of the protocol. */
static const struct {
    const char *sent, *until; /* the type of the message that makes it go on */
} talk_script[] = {
    {"{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":\"Add\","
     "\"queryId\":0,\"udfPath\":\"todo:getList\",\"args\":[{\"uuid\":\"u2\"}]}]}",
     "Transition"},
    {"{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"todo:addList\",\"args\":[{\"list\":{\"uuid\":"
     "\"u2\","
     "\"name\":\"n2\"},\"todos\":[]}]}",
     "Transition"},
    {"{\"type\":\"Mutation\",\"requestId\":1,\"udfPath\":\"todo:missing\",\"args\":[{}]}",
     "MutationResponse"},
    {"{\"type\":\"ModifyQuerySet\",\"baseVersion\":1,\"newVersion\":2,\"modifications\":[{\"type\":"
     "\"Remove\","
     "\"queryId\":0}]}",
     "Transition"},
    {"no message", "nothing"},
};
enum { talk_length = sizeof talk_script / sizeof talk_script[0] };

static void say(struct talk *talk, uint64_t socket, const char *text) {
    host_websocket_send(talk->host, socket, WEBSOCKET_TEXT, text, strlen(text));
}

static void on_opened(void *context, uint64_t socket) {
    struct talk *talk = context;
    buffer_append_text(&talk->messages, "opened\n");
    say(talk, socket, session);
    say(talk, socket, talk_script[0].sent);
}

static void on_message(void *context, uint64_t socket, enum websocket_kind kind, const void *bytes,
                       size_t length) {
    struct talk *talk = context;
    char type[64];
    assert_int_equal(kind, WEBSOCKET_TEXT);
    buffer_append(&talk->messages, bytes, length);
    buffer_append_char(&talk->messages, '\n');
    snprintf(type, sizeof type, "{\"type\":\"%s\"", talk_script[talk->step].until);
    if (strncmp(bytes, type, strlen(type)) == 0)
        say(talk, socket, talk_script[++talk->step].sent);
}

static void on_goodbye(void *context, uint64_t socket, int code, const char *reason) {
    struct talk *talk = context;
    (void)socket;
    buffer_printf(&talk->messages, "closed %d '%s'\n", code, reason);
    if (talk->finished)
        talk->finished(talk->context);
}

static void open_talk(struct talk *talk) {
    static const struct websocket_client_events events = {
        .opened = on_opened, .message = on_message, .closed = on_goodbye};
    const struct http_request request = {
        .authority = "convex", .method = "GET", .target = "/api/1.48.0/sync"};
    host_websocket_connect(talk->host, &request, &events, talk);
}

static struct convex_deployment *deploy(struct host *host) {
    const struct app *app = app_find("todo");
    const struct convex_deployment_options options = {.deploy_key = authorization + strlen("Convex "),
                                                      .tables = app->tables,
                                                      .n_tables = app->n_tables,
                                                      .functions = app->functions,
                                                      .n_functions = app->n_functions,
                                                      .mutation_time_low = TIME_MILLISECOND,
                                                      .mutation_time_high = 5 * TIME_MILLISECOND,
                                                      .read_time = 2 * TIME_MILLISECOND};
    return convex_deployment_create(host, &options);
}

static void talk_in_world(struct talk *talk) {
    struct world *world = world_create(&(struct world_settings){.seed = seed});
    struct net *net = net_create(world, &(struct net_settings){.latency = TIME_MILLISECOND});
    struct convex_deployment *deployment = deploy(net_node(net, "convex"));
    struct error error = {0};
    talk->host = net_node(net, "client");
    send_next(talk);
    assert_int_equal(world_run(world, 10 * TIME_SECOND, &error), STATUS_OK);
    convex_deployment_destroy(deployment);
    net_destroy(net);
    world_destroy(world);
}

static void stop(void *live) {
    live_stop(live);
}

static void talk_on_sockets(struct talk *talk, uint64_t live_seed) {
    struct live *live =
        live_create(&(struct live_settings){.seed = live_seed, .wall_start = TIME_WALL_START});
    struct host *server = live_node(live, "convex");
    struct convex_deployment *deployment = deploy(server);
    assert_int_equal(live_serve(live, server, "127.0.0.1:0", NULL), STATUS_OK);
    talk->host = live_node(live, "client");
    talk->finished = stop;
    talk->context = live;
    send_next(talk);
    host_timer_set(talk->host, 20 * TIME_SECOND, stop, live);
    live_run(live);
    convex_deployment_destroy(deployment);
    live_destroy(live);
}

/* Numbers of 13 digits and more before the point are times, and so is what `"ts":"` announces. */
static char *without_times(const char *text) {
    static const char timestamp[] = "\"ts\":\"";
    struct buffer out = {0};
    while (*text) {
        if (strncmp(text, timestamp, strlen(timestamp)) == 0) {
            text += strlen(timestamp);
            text += strcspn(text, "\"");
            buffer_append_text(&out, "TS");
        }
        size_t digits = strspn(text, "0123456789");
        if (digits >= 13) {
            text += strspn(text, "0123456789.");
            buffer_append_text(&out, "TIME");
        } else {
            size_t length = digits ? digits : 1;
            if (!digits && isalpha((unsigned char)*text)) /* a word, as in an id: its digits are no number */
                length = strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-");
            buffer_append(&out, text, length);
            text += length;
        }
    }
    return buffer_take(&out);
}

static void free_talk(struct talk *talk) {
    for (size_t i = 0; i < script_length; i++)
        buffer_free(&talk->said[i]);
    buffer_free(&talk->messages);
}

/* 1 when the texts differ; with `must` they may not. */
static unsigned compare_texts(const struct buffer *left, const struct buffer *right, bool must) {
    char *one = without_times(buffer_text(left));
    char *other = without_times(buffer_text(right));
    if (must)
        assert_string_equal(one, other);
    unsigned different = strcmp(one, other) != 0;
    free(one);
    free(other);
    return different;
}

/* How many answers differ. */
static unsigned compare(const struct talk *left, const struct talk *right, bool must) {
    unsigned different = compare_texts(&left->messages, &right->messages, must);
    for (size_t i = 0; i < script_length; i++)
        different += compare_texts(&left->said[i], &right->said[i], must);
    return different;
}

static void same_script_same_answers(void **state) {
    struct talk simulated = {0}, real = {0}, control = {0};
    (void)state;
    talk_in_world(&simulated);
    talk_on_sockets(&real, seed);
    talk_on_sockets(&control, seed + 1);
    assert_int_equal(simulated.next, script_length);
    assert_int_equal(real.next, script_length);
    assert_non_null(strstr(buffer_text(&simulated.said[3]), "\"uuid\":\"u1\""));
    assert_int_equal(simulated.step, talk_length - 1);
    assert_non_null(strstr(buffer_text(&simulated.messages), "\"uuid\":\"u2\""));
    assert_non_null(strstr(buffer_text(&simulated.messages), "FatalError"));
    assert_non_null(strstr(buffer_text(&simulated.messages), "\nclosed 1005 ''\n"));
    compare(&simulated, &real, true);
    assert_int_equal(compare_texts(&real.messages, &control.messages, false), 1);
    assert_true(compare(&real, &control, false) > 0); /* other ids from another seed */
    free_talk(&simulated);
    free_talk(&real);
    free_talk(&control);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(same_script_same_answers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
