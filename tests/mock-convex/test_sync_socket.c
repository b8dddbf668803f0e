/* The WebSocket sync protocol, row by row: what a client says and what it hears. */
#include "sync_script.h"

#define SESSION "3f0c0000-1111-4222-8333-444455556666"
#define CONNECT                                                                                              \
    "{\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\",\"type\":\"Connect\","                    \
    "\"sessionId\":\"" SESSION "\"}"
#define ADD(id, path, args)                                                                                  \
    "{\"type\":\"Add\",\"queryId\":" id ",\"udfPath\":\"" path "\",\"args\":[" args "]}"
#define REMOVE(id) "{\"type\":\"Remove\",\"queryId\":" id "}"
#define MODIFY(base, next, items)                                                                            \
    "{\"type\":\"ModifyQuerySet\",\"baseVersion\":" base ",\"newVersion\":" next                             \
    ",\"modifications\":[" items "]}"
#define MUTATION(id, path, args)                                                                             \
    "{\"type\":\"Mutation\",\"requestId\":" id ",\"udfPath\":\"" path "\",\"args\":[" args "]}"
#define ACTION(id, path) "{\"type\":\"Action\",\"requestId\":" id ",\"udfPath\":\"" path "\",\"args\":[{}]}"
#define VERSION(query_set, identity, ts)                                                                     \
    "{\"querySet\":" query_set ",\"identity\":" identity ",\"ts\":\"" ts "\"}"
#define TRANSITION(start, end, items)                                                                        \
    "{\"type\":\"Transition\",\"startVersion\":" start ",\"endVersion\":" end ",\"modifications\":[" items   \
    "],\"clientClockSkew\":null,\"serverTs\":null}\n"
#define UPDATED(id, value)                                                                                   \
    "{\"type\":\"QueryUpdated\",\"queryId\":" id ",\"value\":" value ",\"logLines\":[],\"journal\":null}"
#define FAILED(id, message)                                                                                  \
    "{\"type\":\"QueryFailed\",\"queryId\":" id ",\"errorMessage\":\"" message                               \
    "\",\"logLines\":[],\"journal\":null}"
#define REMOVED(id) "{\"type\":\"QueryRemoved\",\"queryId\":" id "}"
#define SUCCEEDED(id, result, ts)                                                                            \
    "{\"type\":\"MutationResponse\",\"requestId\":" id ",\"success\":true,\"result\":" result                \
    ",\"ts\":\"" ts "\",\"logLines\":[]}\n"
#define REFUSED(id, message)                                                                                 \
    "{\"type\":\"MutationResponse\",\"requestId\":" id ",\"success\":false,\"result\":\"" message            \
    "\",\"ts\":null,\"logLines\":[]}\n"
#define HIDDEN "[Request ID: X] Server Error"
#define FATAL(message) "{\"type\":\"FatalError\",\"error\":\"" message "\"}\nclosed 1005 ''\n"
#define BAD_JSON FATAL("WSMessageInvalidJson: this is no message of the sync protocol")
#define MISMATCH FATAL("BaseVersionMismatch: the query set has another version")
#define INTERNAL "closed 1011 'InternalServerError'\n"
#define START VERSION("0", "0", "T0")

struct row {
    const char *what;
    const char *says[6]; /* half a second apart */
    const char *hears;
};

static const struct row rows[] = {
    {"the first exchange",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:count", "{}"))},
     TRANSITION(START, VERSION("1", "0", "T1"), UPDATED("0", "0.0"))},
    {"an empty query set is answered too",
     {CONNECT, MODIFY("0", "1", "")},
     TRANSITION(START, VERSION("1", "0", "T1"), "")},
    {"messages before Connect are taken",
     {MODIFY("0", "1", ADD("0", "pets:count", "{}")), MUTATION("0", "pets:echo", "{}")},
     TRANSITION(START, VERSION("1", "0", "T1"), UPDATED("0", "0.0")) SUCCEEDED("0", "{}", "T1") TRANSITION(
         VERSION("1", "0", "T1"), VERSION("1", "0", "T1"), "")}, /* says that the client is there */
    {"mod.js:fn is mod:fn",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets.js:count", "{}"))},
     TRANSITION(START, VERSION("1", "0", "T1"), UPDATED("0", "0.0"))},
    {"a query that throws",
     {CONNECT, MODIFY("0", "1", ADD("7", "pets:named", "{}"))},
     TRANSITION(START, VERSION("1", "0", "T1"), FAILED("7", HIDDEN))},
    {"a query that does not exist",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:nothing", "{}"))},
     TRANSITION(START, VERSION("1", "0", "T1"), FAILED("0", HIDDEN))},
    {"a mutation is no query",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:echo", "{}"))},
     TRANSITION(START, VERSION("1", "0", "T1"), FAILED("0", HIDDEN))},
    {"a removed query",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:count", "{}")), MODIFY("1", "2", REMOVE("0"))},
     TRANSITION(START, VERSION("1", "0", "T1"), UPDATED("0", "0.0"))
         TRANSITION(VERSION("1", "0", "T1"), VERSION("2", "0", "T1"), REMOVED("0"))},
    {"a mutation that changes nothing for the queries still gets its transition",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:named", "{\"uuid\":\"z\"}")),
      MUTATION("0", "pets:increment", "{\"uuid\":\"a\"}")},
     TRANSITION(START, VERSION("1", "0", "T1"), UPDATED("0", "[]")) SUCCEEDED("0", "null", "T2")
         TRANSITION(VERSION("1", "0", "T1"), VERSION("1", "0", "T2"), "")},
    {"a mutation that throws has no timestamp and no transition",
     {CONNECT, MUTATION("5", "pets:throw", "{}")},
     REFUSED("5", HIDDEN)},
    {"a mutation that does not exist", {CONNECT, MUTATION("5", "pets:nothing", "{}")}, REFUSED("5", HIDDEN)},
    {"a query is no mutation", {CONNECT, MUTATION("5", "pets:count", "{}")}, REFUSED("5", HIDDEN)},
    {"arguments that are no object", {CONNECT, MUTATION("5", "pets:echo", "1")}, REFUSED("5", HIDDEN)},
    {"an action",
     {CONNECT, ACTION("6", "pets:echo")},
     "{\"type\":\"ActionResponse\",\"requestId\":6,\"success\":false,\"result\":\"" HIDDEN
     "\",\"logLines\":[]}\n"},
    {"an event has no answer",
     {CONNECT, "{\"type\":\"Event\",\"eventType\":\"ClientConnect\",\"event\":[]}"},
     ""},
    {"a user's token",
     {CONNECT,
      "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"" TOKEN_TEXT "\"}"},
     TRANSITION(START, VERSION("0", "1", "T1"), "")},
    {"the deploy key",
     {CONNECT,
      "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"Admin\",\"value\":\"" DEPLOY_KEY "\"}"},
     TRANSITION(START, VERSION("0", "1", "T1"), "")},
    {"and nobody again",
     {CONNECT,
      "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"" TOKEN_TEXT "\"}",
      "{\"type\":\"Authenticate\",\"baseVersion\":1,\"tokenType\":\"None\"}"},
     TRANSITION(START, VERSION("0", "1", "T1"), "")
         TRANSITION(VERSION("0", "1", "T1"), VERSION("0", "2", "T1"), "")},
    {"a token that is none",
     {CONNECT, "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"User\",\"value\":\"abc\"}"},
     "{\"type\":\"AuthError\",\"error\":\"InvalidAuthHeader: The bearer token is not a JSON Web "
     "Token.\",\"baseVersion\":0,"
     "\"authUpdateAttempted\":true}\nclosed 1005 ''\n"},
    {"another deploy key",
     {CONNECT, "{\"type\":\"Authenticate\",\"baseVersion\":0,\"tokenType\":\"Admin\",\"value\":\"abc\"}"},
     "{\"type\":\"AuthError\",\"error\":\"BadAdminKey: The deploy key is not valid for this "
     "deployment.\",\"baseVersion\":0,"
     "\"authUpdateAttempted\":true}\nclosed 1005 ''\n"},
    {"a wrong identity version",
     {CONNECT, "{\"type\":\"Authenticate\",\"baseVersion\":1,\"tokenType\":\"None\"}"},
     INTERNAL},
    {"a wrong base version", {CONNECT, MODIFY("1", "2", "")}, MISMATCH},
    {"a version that is not the next", {CONNECT, MODIFY("0", "2", "")}, MISMATCH},
    {"an id in use",
     {CONNECT, MODIFY("0", "1", ADD("0", "pets:count", "{}") "," ADD("0", "pets:count", "{}"))},
     INTERNAL},
    {"an unknown id", {CONNECT, MODIFY("0", "1", REMOVE("0"))}, INTERNAL},
    {"bad JSON", {CONNECT, "{\"type\":"}, BAD_JSON},
    {"no object", {"[]"}, BAD_JSON},
    {"an unknown type", {"{\"type\":\"Hello\"}"}, BAD_JSON},
    {"a session id that is none",
     {"{\"type\":\"Connect\",\"connectionCount\":0,\"lastCloseReason\":null,\"sessionId\":\"me\"}"},
     BAD_JSON},
    {"a negative request id", {CONNECT, MUTATION("-1", "pets:echo", "{}")}, BAD_JSON},
    {"a modification of no kind",
     {CONNECT, MODIFY("0", "1", "{\"type\":\"Swap\",\"queryId\":0}")},
     FATAL("WSMessageInvalidJson: a modification is not well-formed")},
    {"a path that cannot be parsed",
     {CONNECT, MUTATION("0", "pets:a:b", "{}")},
     FATAL("BadConvexFunctionIdentifier: the function's path cannot be parsed")},
    {"a component without the deploy key",
     {CONNECT, "{\"type\":\"Mutation\",\"requestId\":0,\"udfPath\":\"pets:echo\",\"args\":[{}],"
               "\"componentPath\":\"shop\"}"},
     FATAL("ComponentPathForbidden: only an admin may name a component")},
    {"a timestamp from the future",
     {"{\"type\":\"Connect\",\"connectionCount\":1,\"lastCloseReason\":null,\"sessionId\":\"" SESSION
      "\",\"maxObservedTimestamp\":\"//////////8=\"}"},
     INTERNAL},
};

static void test_rows(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct fixture *fixture = script_world();
        struct script script = {0};
        script_connect(&script, fixture, fixture->client, "/api/1.48.0/sync");
        fixture_run(fixture, 100 * TIME_MILLISECOND);
        assert_true(script.open);
        for (size_t j = 0; j < LENGTH_OF(rows[i].says) && rows[i].says[j] != NULL; j++) {
            script_say(&script, fixture->client, rows[i].says[j]);
            fixture_run(fixture, 500 * TIME_MILLISECOND);
        }
        if (strcmp(buffer_text(&script.log), rows[i].hears) != 0) {
            fail_msg("%s:\n%s-- expected:\n%s", rows[i].what, buffer_text(&script.log), rows[i].hears);
        }
        script_free(&script);
        fixture_free(fixture);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
