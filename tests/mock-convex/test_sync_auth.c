/* Authenticate on the WebSocket: who is signed in, keys that are still on their way, tokens that are not
 * good. */
#include "auth_world.h"
#include "sync_script.h"

#define SESSION "3f0c0000-1111-4222-8333-444455556666"
#define CONNECT                                                                                              \
    "{\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\",\"type\":\"Connect\",\"sessionId\":"      \
    "\"" SESSION "\"}"
#define AUTHENTICATE(base, type, value)                                                                      \
    "{\"type\":\"Authenticate\",\"baseVersion\":" base ",\"tokenType\":\"" type "\"" value "}"
#define NOBODY(base) AUTHENTICATE(base, "None", "")
#define SUBSCRIBE                                                                                            \
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":[{\"type\":\"Add\","  \
    "\"queryId\":0,\"udfPath\":\"who:query\",\"args\":[{}]}]}"
#define CALL(type, id, path)                                                                                 \
    "{\"type\":\"" type "\",\"requestId\":" id ",\"udfPath\":\"" path "\",\"args\":[{}]}"
#define VERSION(query_set, identity, ts)                                                                     \
    "{\"querySet\":" query_set ",\"identity\":" identity ",\"ts\":\"" ts "\"}"
#define TRANSITION(start, end, items)                                                                        \
    "{\"type\":\"Transition\",\"startVersion\":" start ",\"endVersion\":" end ",\"modifications\":[" items   \
    "],\"clientClockSkew\":null,\"serverTs\":null}\n"
#define UPDATED(value)                                                                                       \
    "{\"type\":\"QueryUpdated\",\"queryId\":0,\"value\":" value ",\"logLines\":[],\"journal\":null}"
#define SUCCEEDED(id, result)                                                                                \
    "{\"type\":\"MutationResponse\",\"requestId\":" id ",\"success\":true,\"result\":" result                \
    ",\"ts\":\"T2\",\"logLines\":[]}\n"
#define ALICE                                                                                                \
    "{\"issuer\":\"https://issuer.test\",\"subject\":\"alice\",\"tokenIdentifier\":\"https://"               \
    "issuer.test|alice\"}"
#define BOB "{\"issuer\":\"i\",\"name\":\"Bob\",\"subject\":\"bob\",\"tokenIdentifier\":\"i|bob\"}"
#define BOB_GIVEN "{\"issuer\":\"i\",\"subject\":\"bob\",\"name\":\"Bob\"}"
#define START VERSION("0", "0", "T0")
#define FIRST(items) TRANSITION(START, VERSION("1", "0", "T1"), items)

struct scene {
    struct auth_world world;
    struct script script;
    char *alice; /* her Authenticate, base version 0 */
};

static void begin(struct scene *scene) {
    memset(scene, 0, sizeof *scene);
    auth_world_make(&scene->world);
    char *header =
        bearer(FIXTURE_PRIVATE_KEY, "{\"iss\":\"https://issuer.test\",\"sub\":\"alice\",\"aud\":\"app\","
                                    "\"exp\":4102444800}");
    scene->alice = memory_format(AUTHENTICATE("0", "User", ",\"value\":\"%s\""), header + strlen("Bearer "));
    free(header);
    script_connect(&scene->script, scene->world.fixture, scene->world.fixture->client, "/api/1.48.0/sync");
    fixture_run(scene->world.fixture, 100 * TIME_MILLISECOND);
    assert_true(scene->script.open);
    script_say(&scene->script, scene->world.fixture->client, CONNECT);
}

static void say(struct scene *scene, const char *text) {
    script_say(&scene->script, scene->world.fixture->client, text);
}

static void hears(struct scene *scene, int64_t wait, const char *expected) {
    fixture_run(scene->world.fixture, wait);
    if (strcmp(buffer_text(&scene->script.log), expected) != 0) {
        fail_msg("%s-- expected:\n%s", buffer_text(&scene->script.log), expected);
    }
    buffer_clear(&scene->script.log);
}

static void end(struct scene *scene) {
    free(scene->alice);
    script_free(&scene->script);
    auth_world_free(&scene->world);
}

static void test_identity_change(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    say(&scene, SUBSCRIBE);
    hears(&scene, TIME_SECOND, FIRST(UPDATED("null")));
    say(&scene, scene.alice);
    hears(&scene, TIME_SECOND, TRANSITION(VERSION("1", "0", "T1"), VERSION("1", "1", "T1"), UPDATED(ALICE)));
    say(&scene, NOBODY("1"));
    hears(&scene, TIME_SECOND, TRANSITION(VERSION("1", "1", "T1"), VERSION("1", "2", "T1"), UPDATED("null")));
    say(&scene, NOBODY("2")); /* the same result is not sent again, the version is */
    hears(&scene, TIME_SECOND, TRANSITION(VERSION("1", "2", "T1"), VERSION("1", "3", "T1"), ""));
    end(&scene);
}

/* What comes behind a token that waits for its keys waits too, and then sees the identity. */
static void test_waiting(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    net_set_latency(scene.world.fixture->net, "convex", "issuer.test", 500 * TIME_MILLISECOND, 0);
    say(&scene, scene.alice);
    say(&scene, SUBSCRIBE);
    say(&scene, CALL("Mutation", "4", "who:mutation"));
    say(&scene, CALL("Action", "5", "who:action"));
    hears(&scene, 900 * TIME_MILLISECOND, "");
    /* the transition, the action and the mutation, which counts as a write of its own */
    hears(
        &scene, 2 * TIME_SECOND,
        TRANSITION(
            START, VERSION("1", "1", "T1"),
            UPDATED(ALICE)) "{\"type\":\"ActionResponse\",\"requestId\":5,\"success\":true,\"result\":" ALICE
                            ",\"logLines\":[]}\n" SUCCEEDED("4", ALICE)
                                TRANSITION(VERSION("1", "1", "T1"), VERSION("1", "1", "T2"), ""));
    assert_int_equal(scene.world.issuer.sets, 1);
    end(&scene);
}

/* Two tokens of different providers, one behind the other. */
static void test_waiting_twice(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    char *header =
        bearer(FIXTURE_EC_KEY, "{\"iss\":\"https://custom.test\",\"sub\":\"bob\",\"exp\":4102444800}");
    net_set_latency(scene.world.fixture->net, "convex", "issuer.test", 100 * TIME_MILLISECOND, 0);
    char *bob = memory_format(AUTHENTICATE("1", "User", ",\"value\":\"%s\""), header + strlen("Bearer "));
    say(&scene, scene.alice);
    say(&scene, SUBSCRIBE);
    say(&scene, bob);
    say(&scene, CALL("Mutation", "1", "who:mutation"));
    hears(&scene, TIME_SECOND,
          TRANSITION(START, VERSION("1", "1", "T1"), UPDATED(ALICE))
              TRANSITION(VERSION("1", "1", "T1"), VERSION("1", "2", "T1"),
                         UPDATED("{\"issuer\":\"https://custom.test\",\"subject\":\"bob\","
                                 "\"tokenIdentifier\":\"https://custom.test|bob\"}"))
                  SUCCEEDED("1", "{\"issuer\":\"https://custom.test\",\"subject\":\"bob\","
                                 "\"tokenIdentifier\":\"https://custom.test|bob\"}")
                      TRANSITION(VERSION("1", "2", "T1"), VERSION("1", "2", "T2"), ""));
    free(bob);
    free(header);
    end(&scene);
}

/* The peer goes while its token waits; the deployment goes while another does. */
static void test_gone_while_waiting(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.world.issuer.silent = true;
    say(&scene, scene.alice);
    say(&scene, SUBSCRIBE);
    fixture_run(scene.world.fixture, TIME_SECOND);
    host_websocket_close(scene.world.fixture->client, scene.script.socket, 1000, "");
    fixture_run(scene.world.fixture, 15 * TIME_SECOND); /* beyond the time that the keys may take */
    assert_int_equal(scene.world.issuer.configurations, 1);
    struct script other = {0};
    script_connect(&other, scene.world.fixture, scene.world.fixture->client, "/api/1.48.0/sync");
    fixture_run(scene.world.fixture, TIME_SECOND);
    script_say(&other, scene.world.fixture->client, scene.alice);
    fixture_run(scene.world.fixture, TIME_SECOND);
    assert_true(other.open);
    script_free(&other);
    end(&scene);
}

static void test_too_many_held(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.world.issuer.silent = true;
    say(&scene, scene.alice);
    for (int i = 0; i < 999; i++) { /* with the token itself, 1000 */
        say(&scene, "{\"type\":\"Event\",\"eventType\":\"x\",\"event\":1}");
    }
    hears(&scene, TIME_SECOND, "");
    say(&scene, SUBSCRIBE);
    hears(&scene, TIME_SECOND, "closed 1013 'WorkerOverloaded'\n");
    end(&scene);
}

/* Tokens that are not good are the client's to renew: AuthError with the version that it was based on.
 * Trouble with the provider ends the socket by its status. */
static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *what, *message;
        int issuer_status; /* 0: it is told nothing */
        const char *begins, *ends;
    } rows[] = {
        {"no token", AUTHENTICATE("0", "User", ",\"value\":\"x\""), 200,
         "{\"type\":\"AuthError\",\"error\":\"InvalidAuthHeader: ",
         "\",\"baseVersion\":0,\"authUpdateAttempted\":true}\nclosed 1005 ''\n"},
        {"no provider", AUTHENTICATE("0", "User", ",\"value\":\"e30.e30.AA\""), 200,
         "{\"type\":\"AuthError\",\"error\":\"NoAuthProvider: ",
         "\",\"baseVersion\":0,\"authUpdateAttempted\":true}\nclosed 1005 ''\n"},
        {"another key", AUTHENTICATE("0", "Admin", ",\"value\":\"x|y\""), 200,
         "{\"type\":\"AuthError\",\"error\":\"BadAdminKey: ",
         "\",\"baseVersion\":0,\"authUpdateAttempted\":true}\nclosed 1005 ''\n"},
        {"a provider that knows nothing", NULL, 404, "closed 1000 'AuthProviderDiscoveryFailed'\n", ""},
        {"a provider that is overloaded", NULL, 503, "closed 1013 'AuthProviderDiscoveryFailed'\n", ""},
        {"a provider that is broken", NULL, 500, "closed 1011 'AuthProviderDiscoveryFailed'\n", ""},
        {"a provider of nonsense", NULL, 400,
         "{\"type\":\"FatalError\",\"error\":\"AuthProviderDiscoveryFailed: ", "\"}\nclosed 1005 ''\n"},
        {"acting as a number", AUTHENTICATE("0", "Admin", ",\"value\":\"" DEPLOY_KEY "\",\"acting_as\":5"),
         200, "{\"type\":\"FatalError\",\"error\":\"WSMessageInvalidJson: ", "\"}\nclosed 1005 ''\n"},
        {"a wrong version", AUTHENTICATE("1", "None", ""), 200, "closed 1011 'InternalServerError'\n", ""},
    };
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct scene scene;
        begin(&scene);
        scene.world.issuer.status = rows[i].issuer_status;
        say(&scene, rows[i].message != NULL ? rows[i].message : scene.alice);
        fixture_run(scene.world.fixture, TIME_SECOND);
        const char *log = buffer_text(&scene.script.log);
        if (strncmp(log, rows[i].begins, strlen(rows[i].begins)) != 0 || strlen(log) < strlen(rows[i].ends) ||
            strcmp(log + strlen(log) - strlen(rows[i].ends), rows[i].ends) != 0) {
            fail_msg("%s:\n%s", rows[i].what, log);
        }
        end(&scene);
    }
}

/* An admin may say whom it acts as; both names of that are known. */
static void test_acting(void **state) {
    (void)state;
    static const char *const messages[] = {
        AUTHENTICATE("0", "Admin", ",\"value\":\"" DEPLOY_KEY "\",\"acting_as\":" BOB_GIVEN),
        AUTHENTICATE("0", "Admin", ",\"value\":\"" DEPLOY_KEY "\",\"impersonating\":" BOB_GIVEN)};
    for (size_t i = 0; i < LENGTH_OF(messages); i++) {
        struct scene scene;
        begin(&scene);
        say(&scene, messages[i]);
        say(&scene, SUBSCRIBE);
        hears(&scene, TIME_SECOND, TRANSITION(START, VERSION("1", "1", "T1"), UPDATED(BOB)));
        end(&scene);
    }
    struct scene scene;
    begin(&scene);
    say(&scene, AUTHENTICATE("0", "Admin", ",\"value\":\"" DEPLOY_KEY "\",\"acting_as\":null"));
    say(&scene, SUBSCRIBE);
    hears(&scene, TIME_SECOND, TRANSITION(START, VERSION("1", "1", "T1"), UPDATED("null")));
    end(&scene);
}

/* The read-only key subscribes, but may not call anything that writes: Forbidden closes with 1000. */
static void test_read_only(void **state) {
    (void)state;
    static const char *const calls[] = {CALL("Mutation", "0", "who:mutation"),
                                        CALL("Action", "0", "who:action")};
    for (size_t i = 0; i < LENGTH_OF(calls); i++) {
        struct scene scene;
        begin(&scene);
        say(&scene, AUTHENTICATE("0", "Admin", ",\"value\":\"" READ_ONLY_KEY "\""));
        say(&scene, SUBSCRIBE);
        hears(&scene, TIME_SECOND, TRANSITION(START, VERSION("1", "1", "T1"), UPDATED("null")));
        say(&scene, calls[i]);
        hears(&scene, TIME_SECOND, "closed 1000 'OperationNotPermitted'\n");
        end(&scene);
    }
}

/* A second token in place of the first: only the newer one's end counts. */
static void test_renewal(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    for (int i = 0; i < 2; i++) {
        char *claims =
            memory_format("{\"iss\":\"https://data.test\",\"sub\":\"alice\",\"aud\":\"app\",\"exp\":%d}",
                          1767225600 + 30 + 30 * i);
        char *header = bearer(FIXTURE_PRIVATE_KEY, claims);
        char *text =
            memory_format(AUTHENTICATE("%d", "User", ",\"value\":\"%s\""), i, header + strlen("Bearer "));
        say(&scene, text);
        free(text);
        free(header);
        free(claims);
    }
    fixture_run(scene.world.fixture, 50 * TIME_SECOND);
    assert_true(scene.script.open && scene.script.closed == 0);
    buffer_clear(&scene.script.log);
    hears(&scene, 20 * TIME_SECOND,
          "{\"type\":\"Ping\"}\n"
          "{\"type\":\"AuthError\",\"error\":\"TokenExpired: The token has expired.\",\"baseVersion\":2,"
          "\"authUpdateAttempted\":false}\nclosed 1005 ''\n");
    end(&scene);
}

static void keep_raw(struct script *script, const char *text, size_t length) {
    buffer_append(&script->log, text, length);
}

/* sha256("<session>|<request>"), 16 hex digits of it. */
static void test_request_id(void **state) {
    (void)state;
    struct scene scene;
    begin(&scene);
    scene.script.hear = keep_raw;
    say(&scene, CALL("Mutation", "7", "pets:throw"));
    fixture_run(scene.world.fixture, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&scene.script.log), "[Request ID: 5339b3006339453f] Server Error"));
    buffer_clear(&scene.script.log);
    say(&scene, CALL("Action", "7", "pets:nothing"));
    fixture_run(scene.world.fixture, TIME_SECOND);
    assert_non_null(strstr(buffer_text(&scene.script.log), "[Request ID: 5339b3006339453f] Server Error"));
    end(&scene);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identity_change), cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_waiting_twice),   cmocka_unit_test(test_gone_while_waiting),
        cmocka_unit_test(test_too_many_held),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_acting),          cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_request_id),      cmocka_unit_test(test_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
