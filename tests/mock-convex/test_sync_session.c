/* The sync protocol over time: what mutations show, what is run again, reconnects, silence, slow readers,
 * long answers, and the handshake. */
#include "sync_script.h"

#define SESSION "3f0c0000-1111-4222-8333-444455556666"
#define CONNECT                                                                                              \
    "{\"type\":\"Connect\",\"sessionId\":\"" SESSION "\",\"connectionCount\":0,\"lastCloseReason\":null}"
#define SUBSCRIBE(items)                                                                                     \
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[" items "]}"
#define NAMED(id, uuid)                                                                                      \
    "{\"type\":\"Add\",\"queryId\":" id ",\"udfPath\":\"pets:named\",\"args\":[{\"uuid\":\"" uuid "\"}]}"
#define MUTATION(id, path, args)                                                                             \
    "{\"type\":\"Mutation\",\"requestId\":" id ",\"udfPath\":\"pets:" path "\",\"args\":[" args "]}"
#define MS TIME_MILLISECOND

static struct fixture *begin(struct script *script, const char *subscribed) {
    struct fixture *fixture = script_world();
    struct error error = {0};
    struct convex_value *args = convex_object();
    convex_object_set(args, "uuid", convex_string("a"));
    assert_int_equal(convex_deployment_run(fixture->deployment, "pets:add", args, NULL, &error), STATUS_OK);
    convex_free(args);
    memset(script, 0, sizeof *script);
    script_connect(script, fixture, fixture->client, "/api/1.48.0/sync");
    fixture_run(fixture, 100 * MS);
    script_say(script, fixture->client, CONNECT);
    if (subscribed != NULL) {
        script_say(script, fixture->client, subscribed);
    }
    fixture_run(fixture, 100 * MS);
    buffer_clear(&script->log);
    return fixture;
}

static void end(struct script *script, struct fixture *fixture) {
    script_free(script);
    fixture_free(fixture);
}

static void expect(struct script *script, const char *expected) {
    assert_string_equal(buffer_text(&script->log), expected);
    buffer_clear(&script->log);
}

#define TRANSITION(start, end, items)                                                                        \
    "{\"type\":\"Transition\",\"startVersion\":{\"querySet\":1,\"identity\":0,\"ts\":\"" start               \
    "\"},\"endVersion\":{\"querySet\":1,\"identity\":0,\"ts\":\"" end "\"},\"modifications\":[" items        \
    "],\"clientClockSkew\":null,\"serverTs\":null}\n"
#define UPDATED(id, value)                                                                                   \
    "{\"type\":\"QueryUpdated\",\"queryId\":" id ",\"value\":" value ",\"logLines\":[],\"journal\":null}"
#define SUCCEEDED(id, result, ts)                                                                            \
    "{\"type\":\"MutationResponse\",\"requestId\":" id ",\"success\":true,\"result\":" result                \
    ",\"ts\":\"" ts "\",\"logLines\":[]}\n"

/* The response first, then a transition at its timestamp; only the query that was touched is in it. */
static void test_visibility(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, SUBSCRIBE(NAMED("0", "a") "," NAMED("1", "b")));
    script_say(&script, fixture->client, MUTATION("0", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    expect(&script, SUCCEEDED("0", "1.0", "T2") TRANSITION("T1", "T2", UPDATED("0", "[1.0]")));
    end(&script, fixture);
}

/* The action's answer has no timestamp; what its mutation changed shows by itself. */
static void test_action(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, SUBSCRIBE(NAMED("0", "a")));
    script_say(&script, fixture->client,
               "{\"type\":\"Action\",\"requestId\":3,\"udfPath\":\"pets:act\",\"args\":[{\"uuid\":\"a\"}]}");
    fixture_run(fixture, 100 * MS);
    expect(&script, "{\"type\":\"ActionResponse\",\"requestId\":3,\"success\":true,\"result\":1.0,"
                    "\"logLines\":[]}\n" TRANSITION("T1", "T2", UPDATED("0", "[1.0]")));
    end(&script, fixture);
}

/* What a function throws travels beside the hidden text, in encoded JSON: Int64 7 is BwAAAAAAAAA=. */
#define WHY "\"errorData\":{\"why\":{\"$integer\":\"BwAAAAAAAAA=\"}}"

static void test_thrown_data(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(
        &script, SUBSCRIBE("{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"pets:denied\",\"args\":[{}]}"));
    script_say(&script, fixture->client, MUTATION("0", "deny", "{}"));
    fixture_run(fixture, 100 * MS);
    expect(&script, "{\"type\":\"MutationResponse\",\"requestId\":0,\"success\":false,\"result\":"
                    "\"[Request ID: X] Server Error\"," WHY ",\"ts\":null,\"logLines\":[]}\n");
    end(&script, fixture);
    fixture = begin(&script, NULL);
    script_say(&script, fixture->client,
               SUBSCRIBE("{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"pets:denied\",\"args\":[{}]}"));
    fixture_run(fixture, 100 * MS);
    assert_non_null(
        strstr(buffer_text(&script.log),
               "{\"type\":\"QueryFailed\",\"queryId\":0,\"errorMessage\":\"[Request ID: X] Server "
               "Error\",\"logLines\":[],\"journal\":null," WHY "}"));
    end(&script, fixture);
}

/* In the order in which they were sent, also when all are sent at once. */
static void test_one_at_a_time(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    for (int i = 0; i < 20; i++) {
        char *text = memory_format(MUTATION("%d", "increment", "{\"uuid\":\"a\"}"), i);
        script_say(&script, fixture->client, text);
        free(text);
    }
    fixture_run(fixture, TIME_SECOND);
    const char *at = buffer_text(&script.log);
    for (int i = 0; i < 20; i++) {
        char *text = memory_format("\"requestId\":%d,\"success\":true,\"result\":%d.0,", i, i + 1);
        at = strstr(at, text);
        assert_non_null(at);
        free(text);
    }
    end(&script, fixture);
}

/* A commit from elsewhere: a touched query is sent, an untouched one is not even run; a result that is the
 * same as before is left out. */
static void test_invalidation(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, SUBSCRIBE(NAMED("0", "a") "," NAMED("1", "b")));
    mutate(fixture, "pets:increment", "{\"uuid\":\"a\"}");
    fixture_run(fixture, 100 * MS);
    expect(&script, TRANSITION("T1", "T2", UPDATED("0", "[1.0]")));
    mutate(fixture, "pets:rename", "{\"uuid\":\"a\",\"name\":\"x\"}"); /* the result stays the same */
    fixture_run(fixture, 100 * MS);
    expect(&script, "");
    mutate(fixture, "pets:add", "{\"uuid\":\"c\"}"); /* in nobody's range */
    fixture_run(fixture, 100 * MS);
    expect(&script, "");
    mutate(fixture, "pets:add", "{\"uuid\":\"b\"}"); /* into a range that was empty */
    fixture_run(fixture, 100 * MS);
    expect(&script, TRANSITION("T2", "T3", UPDATED("1", "[0.0]")));
    end(&script, fixture);
}

static void reconnect(struct script *script, struct fixture *fixture) {
    script_connect(script, fixture, fixture->client, "/api/sync");
    fixture_run(fixture, 10 * MS);
    script_say(script, fixture->client, CONNECT);
}

/* Sent again after the answer, while it runs, and in a session of another id: once, once, twice. */
static void test_resend(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    script_say(&script, fixture->client, MUTATION("3", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    char *first = memory_copy_text(buffer_text(&script.log));
    *(strchr(first, '\n') + 1) = 0; /* the response without its transition */
    host_http_abort(fixture->client, script.socket);
    buffer_clear(&script.log);
    size_t commits = fixture->commits;
    reconnect(&script, fixture);
    script_say(&script, fixture->client, MUTATION("3", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    assert_memory_equal(buffer_text(&script.log), first, strlen(first)); /* the same result and timestamp */
    assert_int_equal(fixture->commits, commits);
    script_say(&script, fixture->client, MUTATION("4", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 2 * MS); /* it has begun */
    host_http_abort(fixture->client, script.socket);
    buffer_clear(&script.log);
    script_connect(&script, fixture, fixture->client, "/api/sync");
    fixture_run(fixture, 2 * MS);
    script_say(&script, fixture->client, CONNECT);
    script_say(&script, fixture->client, MUTATION("4", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    assert_non_null(strstr(buffer_text(&script.log), "\"requestId\":4,\"success\":true,\"result\":2.0"));
    assert_int_equal(fixture->commits, commits + 1);
    free(first);
    end(&script, fixture);
}

/* A failure is not stored: it runs again. */
static void test_failures_run_again(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    for (int i = 0; i < 2; i++) {
        script_say(&script, fixture->client, MUTATION("0", "throw", "{}"));
        fixture_run(fixture, 100 * MS);
        assert_non_null(strstr(buffer_text(&script.log), "\"success\":false"));
        buffer_clear(&script.log);
    }
    script_say(&script, fixture->client, MUTATION("0", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    assert_non_null(strstr(buffer_text(&script.log), "\"success\":true"));
    end(&script, fixture);
}

/* {"type":"Ping"} 15 s after the last message, and every 15 s from then on. */
static void test_ping(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, SUBSCRIBE(""));
    int64_t heard = script.heard_at;
    fixture_run(fixture, 14 * TIME_SECOND);
    expect(&script, "");
    fixture_run(fixture, 2 * TIME_SECOND);
    expect(&script, "{\"type\":\"Ping\"}\n");
    assert_int_equal(script.heard_at, heard + 15 * TIME_SECOND);
    fixture_run(fixture, 15 * TIME_SECOND);
    expect(&script, "{\"type\":\"Ping\"}\n");
    end(&script, fixture);
}

/* The way to the client is cut: at most two messages wait, and one transition then tells of everything. */
static void test_slow_reader(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, SUBSCRIBE(NAMED("0", "a")));
    struct host *other = net_node(fixture->net, "other");
    struct host *client = fixture->client;
    net_cut(fixture->net, "convex", "client");
    fixture->client = other; /* the mutations come from elsewhere */
    for (int i = 0; i < 10; i++) {
        mutate(fixture, "pets:increment", "{\"uuid\":\"a\"}");
        fixture_run(fixture, 100 * MS);
    }
    fixture->client = client;
    net_heal(fixture->net, "convex", "client");
    fixture_run(fixture, TIME_SECOND);
    expect(&script, TRANSITION("T1", "T2", UPDATED("0", "[1.0]")) TRANSITION(
                        "T2", "T3", UPDATED("0", "[2.0]")) TRANSITION("T3", "T4", UPDATED("0", "[10.0]")));
    end(&script, fixture);
}

/* Chunks put together are the text of one Transition. */
static void hear_chunks(struct script *script, const char *text, size_t length) {
    struct buffer *whole = script->context;
    json_t *json = json_parse(text, length, NULL);
    assert_non_null(json);
    if (strcmp(json_text(json, "type"), "TransitionChunk") == 0) {
        assert_int_equal(json_integer_or(json, "partNumber", -1), script->closed++);
        assert_int_equal(json_integer_or(json, "totalParts", -1), 3);
        assert_non_null(json_text(json, "transitionId"));
        assert_true(strlen(json_text(json, "chunk")) <= 5000000);
        buffer_append_text(whole, json_text(json, "chunk"));
    }
    json_decref(json);
}

static void test_chunks(void **state) {
    (void)state;
    static const struct {
        const char *target, *count;
        int parts;
    } cases[] = {{"/api/1.48.0/sync", "6000000", 3},
                 {"/api/1.28.0/sync", "6000000", 3},
                 {"/api/1.27.9/sync", "6000000", 0},
                 {"/api/sync", "6000000", 0},
                 {"/api/1.48.0/sync", "2000000", 0}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct fixture *fixture = script_world();
        struct buffer whole = {0};
        struct script script = {.hear = hear_chunks, .context = &whole};
        script_connect(&script, fixture, fixture->client, cases[i].target);
        fixture_run(fixture, 100 * MS);
        char *text = memory_format(
            SUBSCRIBE("{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"pets:big\",\"args\":[{\"count\":%s}]}"),
            cases[i].count);
        script_say(&script, fixture->client, text);
        free(text);
        fixture_run(fixture, 100 * MS);
        assert_int_equal(script.closed, cases[i].parts);
        if (cases[i].parts > 0) {
            json_t *json = json_parse(buffer_text(&whole), whole.length, NULL);
            assert_string_equal(json_text(json, "type"), "Transition");
            json_decref(json);
        } else {
            assert_true(script.largest > 4000000);
        }
        buffer_free(&whole);
        script_free(&script);
        fixture_free(fixture);
    }
}

/* Handshakes over plain HTTP, each with one thing wrong. */
static void test_handshake(void **state) {
    (void)state;
    static const struct {
        const char *method;
        const char *values[4]; /* Connection, Upgrade, Sec-WebSocket-Version, Sec-WebSocket-Key */
        const char *code;
    } cases[] = {{"POST", {"Upgrade", "websocket", "13", "x"}, "MethodNotGet"},
                 {"GET", {NULL, "websocket", "13", "x"}, "InvalidConnectionHeader"},
                 {"GET", {"close", "websocket", "13", "x"}, "InvalidConnectionHeader"},
                 {"GET", {"keep-alive, Upgrade", "h2c", "13", "x"}, "InvalidUpgradeHeader"},
                 {"GET", {"Upgrade", "websocket", "8", "x"}, "InvalidWebSocketVersionHeader"},
                 {"GET", {"Upgrade", "WebSocket", "13", NULL}, "WebSocketKeyHeaderMissing"}};
    static const char *const names[] = {"Connection", "Upgrade", "Sec-WebSocket-Version",
                                        "Sec-WebSocket-Key"};
    static const struct http_client_events events = {answer_head, answer_body, answer_end, answer_failed};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct fixture *fixture = script_world();
        struct answer answer = {.fixture = fixture};
        struct http_header headers[4];
        size_t count = 0;
        for (size_t j = 0; j < 4; j++) {
            if (cases[i].values[j] != NULL) {
                headers[count++] = (struct http_header){names[j], cases[i].values[j]};
            }
        }
        const struct http_request request = {.authority = "convex",
                                             .method = cases[i].method,
                                             .target = "/api/1.48.0/sync",
                                             .headers = headers,
                                             .n_headers = count};
        host_http_send(fixture->client, &request, &events, &answer);
        wait_for(fixture, &answer);
        assert_int_equal(answer.status, 400);
        assert_non_null(strstr(buffer_text(&answer.body), cases[i].code));
        buffer_free(&answer.body);
        fixture_free(fixture);
    }
}

static void test_binary(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    host_websocket_send(fixture->client, script.socket, WEBSOCKET_BINARY, "{}", 2);
    fixture_run(fixture, 100 * MS);
    expect(&script, "closed 1011 'InternalServerError'\n");
    end(&script, fixture);
}

/* 1000 wait; the one that runs is not among them. */
static void test_queue_limit(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    for (int i = 0; i < 1002; i++) {
        char *text = memory_format(MUTATION("%d", "increment", "{\"uuid\":\"a\"}"), i);
        script_say(&script, fixture->client, text);
        free(text);
        if (i == 1000) {
            fixture_run(fixture, MS);
            assert_true(script.open);
        }
    }
    fixture_run(fixture, 2 * MS);
    assert_non_null(strstr(buffer_text(&script.log), "closed 1013 'TooManyConcurrentMutations'\n"));
    end(&script, fixture);
}

/* The commit queue stays full: no message, only the close code. */
static void test_overload(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    world_drive_fault_point(fixture->world, "convex.before-commit", 1,
                            (struct fault_point){.action = FAULT_ERROR});
    script_say(&script, fixture->client, MUTATION("0", "increment", "{\"uuid\":\"a\"}"));
    fixture_run(fixture, 100 * MS);
    expect(&script, "closed 1013 'CommitterFullError'\n");
    end(&script, fixture);
}

/* A token of ten seconds: AuthError when they, and the 5 s by which its times may be missed, are over. */
static void test_expiry(void **state) {
    (void)state;
    struct script script;
    struct fixture *fixture = begin(&script, NULL);
    json_t *claims = token_claims("alice", host_wall_clock(fixture->client) / TIME_SECOND + 10);
    char *token = token_sign(FIXTURE_PRIVATE_KEY, claims);
    char *text = memory_format(
        "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"%s\"}", token);
    script_say(&script, fixture->client, text);
    fixture_run(fixture, 14 * TIME_SECOND);
    assert_true(script.open);
    buffer_clear(&script.log);
    fixture_run(fixture, 2 * TIME_SECOND);
    expect(&script,
           "{\"type\":\"AuthError\",\"error\":\"TokenExpired: The token has expired.\",\"baseVersion\":1,"
           "\"authUpdateAttempted\":false}\nclosed 1005 ''\n");
    free(text);
    free(token);
    json_decref(claims);
    end(&script, fixture);
}

/* What npm's client computes from these two numbers: how long a Transition was on its way. Its clock is 5 s
 * ahead; the links take a millisecond or so. */
static void test_clock(void **state) {
    (void)state;
    struct script script = {0};
    struct fixture *fixture = script_world();
    const int64_t ahead = 5000;
    char connect[300];
    script_connect(&script, fixture, fixture->client, "/api/1.48.0/sync");
    fixture_run(fixture, 100 * MS);
    snprintf(connect, sizeof connect,
             "{\"type\":\"Connect\",\"sessionId\":\"" SESSION
             "\",\"connectionCount\":0,\"lastCloseReason\":null,\"clientTs\":%lld}",
             (long long)(host_wall_clock(fixture->client) / MS + ahead));
    script_say(&script, fixture->client, connect);
    script_say(&script, fixture->client, SUBSCRIBE(NAMED("0", "a")));
    fixture_run(fixture, 100 * MS);
    int64_t client_now = host_wall_clock(fixture->client) / MS + ahead;
    json_t *transition = json_parse(buffer_text(&script.log), strcspn(buffer_text(&script.log), "\n"), NULL);
    const json_t *skew = json_object_get(transition, "clientClockSkew"),
                 *sent = json_object_get(transition, "serverTs");
    assert_true(json_is_integer(skew) && json_is_integer(sent));
    assert_in_range(json_integer_value(skew), ahead - 50, ahead);
    int64_t on_its_way = client_now - json_integer_value(skew) - json_integer_value(sent) / MS;
    assert_in_range(on_its_way, 0, 150); /* we have looked 100 ms after it was sent, at most */
    json_decref(transition);
    end(&script, fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_visibility),
        cmocka_unit_test(test_one_at_a_time),
        cmocka_unit_test(test_invalidation),
        cmocka_unit_test(test_resend),
        cmocka_unit_test(test_failures_run_again),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_slow_reader),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_handshake),
        cmocka_unit_test(test_binary),
        cmocka_unit_test(test_queue_limit),
        cmocka_unit_test(test_overload),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_action),
        cmocka_unit_test(test_thrown_data),
        cmocka_unit_test(test_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
