/* The grammar of sync streams: recorded streams of the real service are accepted, a stream with one rule
 * broken is refused for that rule at that line, and the property finds both on the wire of a world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/check.h"
#include "check/wire_grammar.h"
#include "wire_vectors.h"

#define POSITIONS_NONE                                                                                       \
    "{\"buckets\":[],\"raw_data\":true,\"streams\":{\"include_defaults\":true,\"subscriptions\":["           \
    "{\"stream\":\"notes\",\"parameters\":null,\"override_priority\":null}]}}"

static struct wire_scratch *scratch;

static int setup(void **state) {
    (void)state;
    scratch = wire_scratch_create();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    wire_scratch_destroy(scratch);
    return 0;
}

/* --- a grammar that remembers its first fault --- */

struct judge {
    struct wire_grammar *grammar;
    uint64_t faults;
    enum wire_rule rule;
    uint64_t line;
    char text[1024];
};

static void remember(void *context, const struct wire_fault *fault) {
    struct judge *judge = context;
    if (judge->faults++ > 0)
        return;
    judge->rule = fault->rule;
    judge->line = fault->line;
    snprintf(judge->text, sizeof judge->text, "line %d, bucket \"%s\", %s: expected %s, seen %s",
             (int)fault->line, fault->bucket, wire_rule_name(fault->rule), fault->expected, fault->seen);
}

static void judge_start(struct judge *judge, const char *request) {
    memset(judge, 0, sizeof *judge);
    judge->grammar = wire_grammar_create(
        &(struct wire_grammar_settings){.scratch = scratch, .report = remember, .context = judge});
    if (request)
        assert_int_equal(wire_grammar_request(judge->grammar, request, strlen(request), NULL), STATUS_OK);
}

static void judge_line(struct judge *judge, const char *line) {
    wire_grammar_line(judge->grammar, line, strlen(line));
}

static void judge_end(struct judge *judge) {
    assert_int_equal(judge->faults, wire_grammar_faults(judge->grammar));
    wire_grammar_destroy(judge->grammar);
}

/* --- recorded streams --- */

static void judge_recording(struct judge *judge, const char *file, const char *mark) {
    struct recorded recorded = {0};
    recorded_read(&recorded, file, mark);
    assert_true(recorded.n_lines > 0);
    for (size_t i = 0; i < recorded.n_lines; i++)
        judge_line(judge, recorded.lines[i]);
    recorded_free(&recorded);
    if (judge->faults > 0)
        fail_msg("%s: %s", file, judge->text);
    assert_true(wire_grammar_complete(judge->grammar));
}

static void test_first_recorded_stream(void **state) {
    (void)state;
    struct judge judge;
    judge_start(&judge,
                "{\"buckets\":[],\"include_checksum\":true,\"raw_data\":true,\"client_id\":\"raw-client-1\","
                "\"streams\":{\"include_defaults\":true,\"subscriptions\":[]}}");
    judge_recording(&judge, "01-initial-sync.txt", "ms] ");
    judge_recording(&judge, "02-incremental-update.txt", "ms] ");
    judge_recording(&judge, "02b-incremental-insert.txt", "ms] ");
    judge_recording(&judge, "03-three-document-mutation.txt", "ms] ");
    judge_recording(&judge, "04-delete.txt", "ms] ");
    assert_int_equal(wire_grammar_lines(judge.grammar), 4 + 3 + 3 + 4 + 3);
    assert_int_equal(wire_grammar_last_op_id(judge.grammar), 14);
    judge_end(&judge);
}

static void test_resumed_recorded_stream(void **state) {
    (void)state;
    struct judge judge;
    judge_start(&judge, "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"15\"},{\"name\":\"1#todos|0[]\","
                        "\"after\":\"13\"}],\"raw_data\":true,\"client_id\":\"raw-client-1\"}");
    judge_recording(&judge, "09-resume.txt", "ms] ");
    judge_end(&judge);
}

static void test_other_recorded_streams(void **state) {
    (void)state;
    struct judge judge;
    judge_start(&judge, "{\"buckets\":[],\"raw_data\":false}");
    judge_recording(&judge, "01b-initial-sync-raw_data-false.ndjson", "");
    judge_end(&judge);
    struct recorded request = {0};
    recorded_read(&request, "sdk-ndjson-wire.txt", "ms] #1 > ");
    assert_int_equal(request.n_lines, 1);
    judge_start(&judge, request.lines[0]);
    recorded_free(&request);
    judge_recording(&judge, "sdk-ndjson-wire.txt", "ms] #1 < ");
    judge_end(&judge);
    /* Without the request the stream itself tells where it starts. */
    judge_start(&judge, NULL);
    judge_recording(&judge, "sdk-ndjson-wire.txt", "ms] #1 < ");
    judge_end(&judge);
}

/* --- one rule broken at a time --- */

/* Row checksums and sums are the reference vectors of the service's fact sheet:
 *   put.lists.list_1.{"id":"list_1","name":"Inbox"}                  1122146825
 *   put.lists.list_1.{"id":"list_1","name":"Inbox 2","rank":1.0}     4063581847
 *   put.notes.U.{"id":"U","t":"E"} with U = u-umlaut, E = e-acute    3087830997 (as a signed sum -1207136299)
 *   delete.t1/k1                                                     3136821616
 *   the first, second and fourth                                     -267384304
 * and 854762521 = 1122146825 - 267384304. */
#define INBOX "\"{\\\"id\\\":\\\"list_1\\\",\\\"name\\\":\\\"Inbox\\\"}\""
#define ROW "\"object_type\":\"lists\",\"object_id\":\"list_1\",\"checksum\":"

static const char *const stream[] = {
    /* 1 */ "{\"checkpoint\":{\"last_op_id\":\"42\",\"write_checkpoint\":\"3\",\"buckets\":["
            "{\"bucket\":\"1#lists|0[]\",\"checksum\":-267384304,\"count\":3,\"priority\":1,"
            "\"subscriptions\":[{\"default\":0}]},"
            "{\"bucket\":\"1#notes|0[]\",\"checksum\":-1207136299,\"count\":1,\"priority\":3,"
            "\"subscriptions\":[{\"sub\":0}]},"
            "{\"bucket\":\"1#empty|0[]\",\"checksum\":0,\"count\":0,\"priority\":3,\"subscriptions\":[{"
            "\"sub\":0}]}],"
            "\"streams\":[{\"name\":\"lists\",\"is_default\":true,\"errors\":[]},"
            "{\"name\":\"notes\",\"is_default\":false,\"errors\":[]}]}}",
    /* 2 */
    "{\"data\":{\"bucket\":\"1#lists|0[]\",\"after\":\"0\",\"has_more\":true,\"data\":["
    "{\"op_id\":\"40\",\"op\":\"PUT\"," ROW "1122146825,\"subkey\":\"t1/k9\",\"data\":" INBOX "},"
    "{\"op_id\":\"41\",\"op\":\"PUT\"," ROW "4063581847,\"subkey\":\"t1/k9\",\"data\":"
    "\"{\\\"id\\\":\\\"list_1\\\",\\\"name\\\":\\\"Inbox 2\\\",\\\"rank\\\":1.0}\"}],\"next_after\":\"41\"}}",
    /* 3 */
    "{\"data\":{\"bucket\":\"1#lists|0[]\",\"after\":\"41\",\"has_more\":false,\"data\":["
    "{\"op_id\":\"42\",\"op\":\"REMOVE\",\"object_type\":\"lists\",\"object_id\":\"list_0\","
    "\"checksum\":3136821616,\"subkey\":\"t1/k1\",\"data\":null}],\"next_after\":\"42\"}}",
    /* 4 */ "{\"partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":1}}",
    /* 5 */ "{\"token_expires_in\":3581}",
    /* 6 */
    "{\"data\":{\"bucket\":\"1#notes|0[]\",\"after\":\"0\",\"has_more\":false,\"data\":["
    "{\"op_id\":\"7\",\"op\":\"PUT\",\"object_type\":\"notes\",\"object_id\":\"\xc3\xbc\","
    "\"checksum\":3087830997,\"subkey\":\"t2/k1\",\"data\":"
    "\"{\\\"id\\\":\\\"\xc3\xbc\\\",\\\"t\\\":\\\"\xc3\xa9\\\"}\"}],\"next_after\":\"7\"}}",
    /* 7 */ "{\"checkpoint_complete\":{\"last_op_id\":\"42\"}}",
    /* 8 */
    "{\"checkpoint_diff\":{\"last_op_id\":\"50\",\"write_checkpoint\":\"4\",\"removed_buckets\":"
    "[\"1#notes|0[]\"],\"updated_buckets\":[{\"bucket\":\"1#lists|0[]\",\"checksum\":854762521,\"count\":4,"
    "\"priority\":1,\"subscriptions\":[{\"default\":0}]}]}}",
    /* 9 */
    "{\"data\":{\"bucket\":\"1#lists|0[]\",\"after\":\"42\",\"has_more\":false,\"data\":["
    "{\"op_id\":\"50\",\"op\":\"PUT\"," ROW "1122146825,\"subkey\":\"t1/k9\",\"data\":" INBOX "}],"
    "\"next_after\":\"50\"}}",
    /* 10 */ "{\"checkpoint_complete\":{\"last_op_id\":\"50\"}}",
    /* 11 */
    ("{\"checkpoint_diff\":{\"last_op_id\":\"51\",\"write_checkpoint\":\"5\",\"removed_buckets\":[],"
     "\"updated_buckets\":[]}}"),
    /* 12 */ "{\"checkpoint_complete\":{\"last_op_id\":\"51\"}}",
    /* 13 */ "{\"token_expires_in\":0}",
};
#define STREAM_LINES (sizeof stream / sizeof stream[0])

/* Change one line: `from` becomes `to`; without `from` the line `to` goes before it; without both the line is
 * left out. */
struct mutation {
    size_t line;
    const char *from;
    const char *to;
    enum wire_rule rule;
    uint64_t fault_line;
};

#define EMPTY_DATA(bucket)                                                                                   \
    "{\"data\":{\"bucket\":\"" bucket "\",\"after\":\"0\",\"has_more\":false,\"data\":[]}}"
#define MOVE(id)                                                                                             \
    "{\"data\":{\"bucket\":\"1#notes|0[]\",\"after\":\"7\",\"has_more\":false,\"data\":[{\"op_id\":\"" id    \
    "\",\"op\":\"MOVE\",\"checksum\":0}],\"next_after\":\"" id "\"}}"

static const struct mutation mutations[] = {
    {1, "\"42\"", "42", WIRE_LINE_SYNTAX, 1},
    {5, "3581", "3581,\"x\":1", WIRE_LINE_SYNTAX, 5},
    {5, "3581", "\"3581\"", WIRE_LINE_SYNTAX, 5},
    {5, NULL, "", WIRE_LINE_SYNTAX, 5},
    {7, ":{", ": {", WIRE_LINE_LAYOUT, 7},
    {1, NULL, "{\"checkpoint_complete\":{\"last_op_id\":\"42\"}}", WIRE_CHECKPOINT_FIRST, 1},
    {1, NULL, "{\"partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":1}}",
     WIRE_CHECKPOINT_FIRST, 1},
    {1, NULL, EMPTY_DATA("1#lists|0[]"), WIRE_CHECKPOINT_FIRST, 1},
    {1, NULL, "{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"removed_buckets\":[],\"updated_buckets\":[]}}",
     WIRE_CHECKPOINT_FIRST, 1},
    {8, NULL, "{\"checkpoint\":{\"last_op_id\":\"42\",\"write_checkpoint\":\"3\",\"buckets\":[]}}",
     WIRE_CHECKPOINT_ONCE, 8},
    {6, "1#notes", "1#other", WIRE_DATA_EXPECTED, 6},
    {6, NULL, EMPTY_DATA("1#notes|0[]"), WIRE_DATA_EXPECTED, 6},
    {8, NULL, MOVE("8"), WIRE_DATA_EXPECTED, 8},      /* after the completion */
    {9, "1#lists", "1#notes", WIRE_DATA_EXPECTED, 9}, /* a bucket that this diff removes */
    {9, "1#lists", "1#empty", WIRE_DATA_EXPECTED, 9}, /* one that has not changed */
    {7, NULL, MOVE("8"), WIRE_DATA_EXPECTED, 7},      /* after has_more=false */
    {1, "\"42\"", "\"41\"", WIRE_OP_BOUND, 3},
    {9, "\"50\",\"op\"", "\"51\",\"op\"", WIRE_POSITIONS, 9},
    {2, "\"41\",\"op\"", "\"40\",\"op\"", WIRE_POSITIONS, 2},
    {2, "\"40\",\"op\"", "\"41\",\"op\"", WIRE_OP_ORDER, 2},
    {2, "\"40\",\"op\"", "\"0\",\"op\"", WIRE_OP_ORDER, 2},
    {2, "\"after\":\"0\"", "\"after\":\"1\"", WIRE_POSITIONS, 2},
    {2, "\"after\":\"0\",", "", WIRE_POSITIONS, 2},
    {3, "\"after\":\"41\"", "\"after\":\"40\"", WIRE_POSITIONS, 3},
    {3, ",\"next_after\":\"42\"", "", WIRE_POSITIONS, 3},
    {9, "\"after\":\"42\"", "\"after\":\"0\"", WIRE_POSITIONS, 9},
    {4, NULL, NULL, WIRE_PRIORITY_ORDER, 5},
    {1, "\"priority\":1", "\"priority\":4", WIRE_PRIORITY_ORDER, 1},
    {4, "\"priority\":1", "\"priority\":2", WIRE_PARTIAL_COMPLETE, 4},
    {4, "\"priority\":1", "\"priority\":3", WIRE_PARTIAL_COMPLETE, 4},
    {4, "\"priority\":1", "\"priority\":9", WIRE_PARTIAL_COMPLETE, 4},
    {4, "\"42\"", "\"41\"", WIRE_PARTIAL_COMPLETE, 4},
    {7, NULL, "{\"partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":3}}",
     WIRE_PARTIAL_COMPLETE, 7},
    {8, NULL, "{\"partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":3}}",
     WIRE_PARTIAL_COMPLETE, 8},
    {4, "partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":1}",
     "checkpoint_complete\":{\"last_op_id\":\"42\"}", WIRE_PARTIAL_COMPLETE, 4},
    {7, "\"42\"", "\"41\"", WIRE_COMPLETE, 7},
    {8, NULL, "{\"checkpoint_complete\":{\"last_op_id\":\"42\"}}", WIRE_COMPLETE, 8},
    {11, "\"51\"", "\"49\"", WIRE_LAST_OP_MONOTONE, 11},
    {8, "\"write_checkpoint\":\"4\"", "\"write_checkpoint\":\"2\"", WIRE_WRITE_CHECKPOINT, 8},
    {8, "\"write_checkpoint\":\"4\",", "", WIRE_WRITE_CHECKPOINT, 8},
    {1, "\"write_checkpoint\":\"3\"", "\"write_checkpoint\":\"0\"", WIRE_WRITE_CHECKPOINT, 1},
    {1, "-267384304", "-267384303", WIRE_CHECKSUM, 4},
    {3, NULL, NULL, WIRE_CHECKSUM, 3},
    {8, "854762521", "854762520", WIRE_CHECKSUM, 10},
    {9, NULL, NULL, WIRE_CHECKSUM, 9},
    {1, "\"checksum\":0", "\"checksum\":1", WIRE_CHECKSUM, 7},
    {1, "\"count\":3", "\"count\":4", WIRE_COUNT, 4},
    {1, "\"count\":3", "\"count\":2", WIRE_COUNT, 4},
    {8, "\"count\":4", "\"count\":5", WIRE_COUNT, 10},
    {8, "1#notes", "1#other", WIRE_BUCKET_SET, 8},
    {8, "[\"1#notes|0[]\"]", "[\"1#notes|0[]\",\"1#notes|0[]\"]", WIRE_BUCKET_SET, 8},
    {8, "[\"1#notes|0[]\"]", "[\"1#lists|0[]\"]", WIRE_BUCKET_SET, 8},
    {8, "854762521,\"count\":4", "-267384304,\"count\":3", WIRE_BUCKET_SET, 8},
    {1, "1#empty", "1#notes", WIRE_BUCKET_SET, 1},
    {11, "\"5\"", "\"4\"", WIRE_BUCKET_SET, 11},
    {3, ",\"subkey\":\"t1/k1\"", "", WIRE_ROW_FORM, 3},
    {3, "\"data\":null", "\"data\":\"{}\"", WIRE_ROW_FORM, 3},
    {6, ",\"subkey\":\"t2/k1\"", "", WIRE_ROW_FORM, 6},
    {6, "\"checksum\":3087830997", "\"checksum\":-1207136299", WIRE_ROW_FORM, 6},
    {9, "\"data\":" INBOX, "\"data\":null", WIRE_ROW_FORM, 9},
    {9, "\"data\":" INBOX, "\"data\":{\"id\":\"list_1\",\"name\":\"Inbox\"}", WIRE_ROW_FORM, 9},
    {9, "\"data\":" INBOX, "\"data\":\"[1]\"", WIRE_ROW_FORM, 9},
    {9, "\"data\":" INBOX, "\"data\":\"{\"", WIRE_ROW_FORM, 9},
    {9, "\"op\":\"PUT\"", "\"op\":\"MOVE\"", WIRE_ROW_FORM, 9},
    {9, "Inbox", "Inbux", WIRE_ROW_CHECKSUM, 9},
    {9, "\"object_id\":\"list_1\"", "\"object_id\":\"list_2\"", WIRE_ROW_CHECKSUM, 9},
    {3, "t1/k1", "t1/k2", WIRE_ROW_CHECKSUM, 3},
    {1, "{\"default\":0}", "{\"default\":1}", WIRE_SUBSCRIPTIONS, 1},
    {1, "{\"default\":0}", "{\"default\":2}", WIRE_SUBSCRIPTIONS, 1},
    {1, "{\"sub\":0}", "{\"sub\":1}", WIRE_SUBSCRIPTIONS, 1},
    {8, "{\"default\":0}", "{\"default\":2}", WIRE_SUBSCRIPTIONS, 8},
    {5, "3581", "-1", WIRE_TOKEN_EXPIRY, 5},
    {13, NULL, "{\"token_expires_in\":0}", WIRE_TOKEN_EXPIRY, 14},
};

static char *mutated(const struct mutation *mutation) {
    const char *line = stream[mutation->line - 1];
    if (!mutation->from)
        return mutation->to ? memory_copy_text(mutation->to) : NULL;
    const char *at = strstr(line, mutation->from);
    if (!at)
        fail_msg("line %d has no %s", (int)mutation->line, mutation->from);
    return memory_format("%.*s%s%s", (int)(at - line), line, mutation->to, at + strlen(mutation->from));
}

static void judge_mutation(struct judge *judge, const struct mutation *mutation) {
    for (size_t line = 1; line <= STREAM_LINES; line++) {
        bool here = mutation && mutation->line == line;
        char *text = here ? mutated(mutation) : NULL;
        if (text)
            judge_line(judge, text);
        if (!here || (!mutation->from && mutation->to)) /* unchanged, or something went before it */
            judge_line(judge, stream[line - 1]);
        free(text);
    }
}

static void test_sound_stream(void **state) {
    (void)state;
    struct judge judge;
    judge_start(&judge, POSITIONS_NONE);
    judge_mutation(&judge, NULL);
    if (judge.faults > 0)
        fail_msg("%s", judge.text);
    assert_true(wire_grammar_complete(judge.grammar));
    judge_end(&judge);
}

static void test_mutated_streams(void **state) {
    (void)state;
    bool broken[WIRE_RULES] = {false};
    for (size_t i = 0; i < sizeof mutations / sizeof mutations[0]; i++) {
        const struct mutation *mutation = &mutations[i];
        struct judge judge;
        judge_start(&judge, POSITIONS_NONE);
        judge_mutation(&judge, mutation);
        if (judge.faults == 0)
            fail_msg("mutation %d (%s at line %d) was accepted", (int)i, wire_rule_name(mutation->rule),
                     (int)mutation->line);
        if (judge.rule != mutation->rule || judge.line != mutation->fault_line)
            fail_msg("mutation %d (%s at line %d): %s", (int)i, wire_rule_name(mutation->rule),
                     (int)mutation->fault_line, judge.text);
        broken[mutation->rule] = true;
        judge_end(&judge);
    }
    for (int rule = 0; rule < WIRE_STREAM_END; rule++) /* the rest are about heads and ends */
        if (!broken[rule])
            fail_msg("no mutation breaks %s", wire_rule_name((enum wire_rule)rule));
}

static void test_report_names_expected_and_seen(void **state) {
    (void)state;
    struct judge judge;
    judge_start(&judge, POSITIONS_NONE);
    judge_mutation(&judge, &(struct mutation){3, "\"after\":\"41\"", "\"after\":\"40\"", WIRE_POSITIONS, 3});
    assert_string_equal(judge.text,
                        "line 3, bucket \"1#lists|0[]\", positions: expected after 41, seen after 40");
    assert_int_equal(judge.faults, 1); /* nothing follows from it */
    judge_end(&judge);
}

/* --- what must not be reported --- */

static void accept(const char *request, const char *const *lines) {
    struct judge judge;
    judge_start(&judge, request);
    for (size_t i = 0; lines[i]; i++)
        judge_line(&judge, lines[i]);
    if (judge.faults > 0)
        fail_msg("%s", judge.text);
    judge_end(&judge);
}

/* After 1000 operations a newer checkpoint interrupts: no completion, a diff, and the unfinished bucket goes
 * on. MOVEs stand in for the operations. */
static void test_interrupted_checkpoint(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"checkpoint\":{\"last_op_id\":\"5\",\"buckets\":[{\"bucket\":\"low\",\"checksum\":7,\"count\":3},"
        "{\"bucket\":\"high\",\"checksum\":0,\"count\":0,\"priority\":0}]}}",
        "{\"partial_checkpoint_complete\":{\"last_op_id\":\"5\",\"priority\":0}}",
        "{\"data\":{\"bucket\":\"low\",\"after\":\"0\",\"has_more\":true,\"data\":["
        "{\"op_id\":\"1\",\"op\":\"MOVE\",\"checksum\":1}],\"next_after\":\"1\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"6\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"high\",\"checksum\":9,\"count\":1,\"priority\":0}]}}",
        "{\"data\":{\"bucket\":\"high\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"6\",\"op\":\"MOVE\",\"checksum\":9}],\"next_after\":\"6\"}}",
        "{\"partial_checkpoint_complete\":{\"last_op_id\":\"6\",\"priority\":0}}",
        "{\"data\":{\"bucket\":\"low\",\"after\":\"1\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"2\",\"op\":\"MOVE\",\"checksum\":2},{\"op_id\":\"5\",\"op\":\"MOVE\",\"checksum\":4}],"
        "\"next_after\":\"5\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"6\"}}",
        NULL,
    };
    accept("{\"raw_data\":true}", lines);
}

/* A bucket that everything was sent of before the interruption needs no group of its own. */
static void test_interrupted_after_the_last_operation(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"checkpoint\":{\"last_op_id\":\"5\",\"buckets\":[{\"bucket\":\"low\",\"checksum\":1,\"count\":1},"
        "{\"bucket\":\"high\",\"checksum\":0,\"count\":0,\"priority\":0}]}}",
        "{\"partial_checkpoint_complete\":{\"last_op_id\":\"5\",\"priority\":0}}",
        "{\"data\":{\"bucket\":\"low\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"1\",\"op\":\"MOVE\",\"checksum\":1}],\"next_after\":\"1\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"6\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"high\",\"checksum\":9,\"count\":1,\"priority\":0}]}}",
        "{\"data\":{\"bucket\":\"high\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"6\",\"op\":\"MOVE\",\"checksum\":9}],\"next_after\":\"6\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"6\"}}",
        NULL,
    };
    accept("{\"raw_data\":true}", lines);
}

/* A compaction replaces what was before by a CLEAR with the sum, and lowers the count. */
static void test_compacted_bucket(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"checkpoint\":{\"last_op_id\":\"5\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":6,\"count\":3}]}}",
        "{\"data\":{\"bucket\":\"b\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"3\",\"op\":\"MOVE\",\"checksum\":1},{\"op_id\":\"4\",\"op\":\"MOVE\",\"checksum\":2},"
        "{\"op_id\":\"5\",\"op\":\"MOVE\",\"checksum\":3}],\"next_after\":\"5\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"5\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"9\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"b\",\"checksum\":-4,\"count\":2}]}}",
        "{\"data\":{\"bucket\":\"b\",\"after\":\"5\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"8\",\"op\":\"CLEAR\",\"checksum\":-5},{\"op_id\":\"9\",\"op\":\"MOVE\",\"checksum\":1}]"
        ","
        "\"next_after\":\"9\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"9\"}}",
        /* Only the count changed: announced, nothing to fetch. */
        "{\"checkpoint_diff\":{\"last_op_id\":\"9\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"b\",\"checksum\":4294967292,\"count\":1}]}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"9\"}}",
        NULL,
    };
    accept("{\"raw_data\":true}", lines);
}

/* A bucket that is removed, or that the first checkpoint does not name, is forgotten: when it comes back it
 * starts from 0, whatever the request said. */
static void test_bucket_comes_back(void **state) {
    (void)state;
    static const char *const lines[] = {
        "{\"token_expires_in\":60}",
        "{\"something_new\":{}}",
        "{\"checkpoint\":{\"last_op_id\":\"5\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":6,\"count\":3}]}}",
        "{\"data\":{\"bucket\":\"b\",\"after\":\"4\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"5\",\"op\":\"MOVE\",\"checksum\":3}],\"next_after\":\"5\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"5\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"6\",\"removed_buckets\":[\"b\"],\"updated_buckets\":[]}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"6\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"7\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"b\",\"checksum\":6,\"count\":2}]}}",
        "{\"data\":{\"bucket\":\"b\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"4\",\"op\":\"MOVE\",\"checksum\":2},{\"op_id\":\"7\",\"op\":\"MOVE\",\"checksum\":4}],"
        "\"next_after\":\"7\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"7\"}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"8\",\"removed_buckets\":[],\"updated_buckets\":["
        "{\"bucket\":\"gone\",\"checksum\":5,\"count\":1}]}}", /* the client had deleted it */
        "{\"data\":{\"bucket\":\"gone\",\"after\":\"0\",\"has_more\":false,\"data\":["
        "{\"op_id\":\"8\",\"op\":\"MOVE\",\"checksum\":5}],\"next_after\":\"8\"}}",
        "{\"checkpoint_complete\":{\"last_op_id\":\"8\"}}",
        "{\"token_expires_in\":0}",
        NULL,
    };
    accept("{\"buckets\":[{\"name\":\"b\",\"after\":\"4\"},{\"name\":\"gone\",\"after\":\"9\"}],\"raw_data\":"
           "true}",
           lines);
}

static void test_requests(void **state) {
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{",
        "{\"buckets\":{}}",
        "{\"buckets\":[{\"name\":\"b\"}]}",
        "{\"buckets\":[{\"name\":\"b\",\"after\":7}]}",
        "{\"buckets\":[{\"name\":\"1#lists|0[]\",\"after\":\"7\"},{\"name\":\"b\",\"after\":\"-7\"}]}",
        "{\"buckets\":[{\"name\":\"b\",\"after\":\"9223372036854775808\"}]}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct judge judge;
        judge_start(&judge, NULL);
        if (wire_grammar_request(judge.grammar, bad[i], strlen(bad[i]), NULL) != STATUS_INVALID)
            fail_msg("accepted: %s", bad[i]);
        judge_mutation(&judge, NULL); /* as without a request */
        assert_int_equal(judge.faults, 0);
        judge_end(&judge);
    }
}

/* --- the property --- */

/* Stands in for the checker: wire_property.c needs no more of it. */
static struct {
    int violations;
    char client[32];
    char text[2048];
} reported;

void checker_report(struct checker *checker, const struct violation *violation) {
    assert_null(checker);
    if (reported.violations++ == 0) {
        snprintf(reported.client, sizeof reported.client, "%s", violation->client);
        snprintf(reported.text, sizeof reported.text, "%s: expected %s, seen %s: %s", violation->property,
                 violation->expected, violation->seen, violation->explanation);
        assert_int_equal(violation->time, 77);
    }
    free(violation->expected);
    free(violation->seen);
    free(violation->explanation);
}

static void *watcher_create(void) {
    memset(&reported, 0, sizeof reported);
    return property_wire_grammar.create(NULL);
}

static void emit(void *watcher, struct wire_event event) {
    event.client = "alice-1";
    event.server = "powersync";
    event.target = event.target ? event.target : "POST /sync/stream";
    property_wire_grammar.wire(watcher, 77, &event);
}

static void emit_text(void *watcher, enum wire_kind kind, uint64_t exchange, const char *text) {
    emit(watcher,
         (struct wire_event){.kind = kind, .exchange = exchange, .bytes = text, .length = strlen(text)});
}

static void emit_head(void *watcher, uint64_t exchange, int status, const char *content_type) {
    struct http_header header = {"Content-Type", content_type};
    struct http_response response = {status, &header, 1};
    emit(watcher, (struct wire_event){
                      .kind = WIRE_RESPONSE, .exchange = exchange, .status = status, .response = &response});
}

static void assert_violation(const char *part) {
    assert_int_equal(reported.violations, 1);
    assert_string_equal(reported.client, "alice-1");
    if (!strstr(reported.text, part))
        fail_msg("\"%s\" is not in \"%s\"", part, reported.text);
}

static void test_property_accepts_a_stream(void **state) {
    (void)state;
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 9, POSITIONS_NONE);
    emit_text(watcher, WIRE_REQUEST_SEEN, 9, POSITIONS_NONE);
    emit_head(watcher, 9, 200, "application/x-ndjson");
    for (size_t i = 0; i < STREAM_LINES; i++) { /* in pieces of 100 bytes */
        char *text = memory_format("%s\n", stream[i]);
        for (size_t at = 0; at < strlen(text); at += 100) {
            char piece[101];
            snprintf(piece, sizeof piece, "%.100s", text + at);
            emit_text(watcher, WIRE_WRITE, 9, piece);
        }
        free(text);
    }
    emit(watcher, (struct wire_event){.kind = WIRE_END, .exchange = 9});
    emit_text(watcher, WIRE_REQUEST, 10, POSITIONS_NONE); /* still open at the end */
    property_wire_grammar.destroy(watcher);
    assert_int_equal(reported.violations, 0);
    assert_string_equal(property_wire_grammar.name, "wire-grammar");
}

static void test_property_reports(void **state) {
    (void)state;
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 9, POSITIONS_NONE);
    emit_head(watcher, 9, 200, "application/x-ndjson");
    emit_text(watcher, WIRE_WRITE, 9, "{\"checkpoint_diff\"");
    emit_text(watcher, WIRE_WRITE, 9,
              ":{\"last_op_id\":\"1\",\"removed_buckets\":[],\"updated_buckets\":[]}}\n");
    emit(watcher, (struct wire_event){.kind = WIRE_CLOSED, .exchange = 9});
    emit_text(watcher, WIRE_WRITE, 9, "nobody listens any more\n");
    property_wire_grammar.destroy(watcher);
    assert_violation("wire-grammar: expected a checkpoint, seen a checkpoint_diff: checkpoint-first: O1");
    assert_violation("exchange 9, line 1");
}

static void test_property_watches_ends_and_heads(void **state) {
    (void)state;
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/x-ndjson; charset=utf-8");
    emit_text(watcher, WIRE_WRITE, 1, "{\"token_expires_in\":60}");
    emit(watcher, (struct wire_event){.kind = WIRE_END, .exchange = 1});
    property_wire_grammar.destroy(watcher);
    assert_violation("stream-end");

    watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/json");
    property_wire_grammar.destroy(watcher);
    assert_violation("expected content-type application/x-ndjson, seen application/json");

    watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 302, "text/html");
    property_wire_grammar.destroy(watcher);
    assert_violation("response-head");
}

/* BSON is judged as the JSON that it stands for; documents may be cut anywhere. */
static void test_property_reads_bson(void **state) {
    (void)state;
    static const char expires[] = "\x1b\0\0\0\x10token_expires_in\0\x3c\0\0\0"; /* and a final 0 */
    static const char complete[] = "\x31\0\0\0\x03"
                                   "checkpoint_complete\0\x17\0\0\0\x02last_op_id\0"
                                   "\x02\0\0\0"
                                   "1\0\0";
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/vnd.powersync.bson-stream");
    emit(watcher, (struct wire_event){.kind = WIRE_WRITE, .exchange = 1, .bytes = expires, .length = 7});
    emit(watcher, (struct wire_event){
                      .kind = WIRE_WRITE, .exchange = 1, .bytes = expires + 7, .length = sizeof expires - 7});
    emit(watcher, (struct wire_event){.kind = WIRE_END, .exchange = 1});
    property_wire_grammar.destroy(watcher);
    assert_int_equal(reported.violations, 0);

    watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/vnd.powersync.bson-stream");
    emit(watcher, (struct wire_event){
                      .kind = WIRE_WRITE, .exchange = 1, .bytes = complete, .length = sizeof complete});
    property_wire_grammar.destroy(watcher);
    assert_violation("checkpoint-first");

    watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/vnd.powersync.bson-stream");
    emit_text(watcher, WIRE_WRITE, 1, "\x10\n\n");
    emit(watcher, (struct wire_event){.kind = WIRE_END, .exchange = 1});
    property_wire_grammar.destroy(watcher);
    assert_violation("stream-end");
}

static void answer(int status, const char *body) {
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "{\"buckets\":7}");
    emit_head(watcher, 1, status, "application/json");
    emit_text(watcher, WIRE_WRITE, 1, body);
    emit(watcher, (struct wire_event){.kind = WIRE_END, .exchange = 1});
    property_wire_grammar.destroy(watcher);
}

static void test_property_watches_error_bodies(void **state) {
    (void)state;
    answer(401, "{\"error\":{\"name\":\"AuthorizationError\",\"code\":\"PSYNC_S2103\",\"status\":401,"
                "\"description\":\"token expired\"}}");
    assert_int_equal(reported.violations, 0);
    answer(415,
           "{\"statusCode\":415,\"code\":\"FST_ERR_CTP_INVALID_MEDIA_TYPE\",\"error\":\"Unsupported Media "
           "Type\",\"message\":\"Unsupported Media Type\"}");
    assert_int_equal(reported.violations, 0);
    answer(429, "");
    assert_int_equal(reported.violations, 0);
    answer(401, "{\"error\":{\"code\":\"PSYNC_S2103\",\"status\":403,\"description\":\"another status\"}}");
    assert_violation("error-body");
    answer(500, "");
    assert_violation("seen nothing");
    answer(500, "<html>");
    assert_violation("seen <html>");
}

static void test_property_across_streams(void **state) {
    (void)state;
    void *watcher = watcher_create();
    emit_text(watcher, WIRE_REQUEST, 1, "");
    emit_head(watcher, 1, 200, "application/x-ndjson");
    emit_text(watcher, WIRE_WRITE, 1, "{\"checkpoint\":{\"last_op_id\":\"8\",\"buckets\":[]}}\n");
    emit(watcher, (struct wire_event){.kind = WIRE_ABORTED, .exchange = 1});
    emit_text(watcher, WIRE_REQUEST, 2, "");
    emit_head(watcher, 2, 200, "application/x-ndjson");
    emit_text(watcher, WIRE_WRITE, 2, "{\"checkpoint\":{\"last_op_id\":\"7\",\"buckets\":[]}}\n");
    property_wire_grammar.destroy(watcher);
    assert_violation("last-op-monotone");
}

static void test_property_ignores_other_targets(void **state) {
    (void)state;
    void *watcher = watcher_create();
    emit(watcher, (struct wire_event){.kind = WIRE_REQUEST, .exchange = 1, .target = "POST /sync/streams"});
    emit(watcher, (struct wire_event){
                      .kind = WIRE_RESPONSE, .exchange = 1, .target = "POST /sync/streams", .status = 302});
    emit(watcher,
         (struct wire_event){.kind = WIRE_REQUEST, .exchange = 2, .target = "POST /sync/stream?a=b"});
    emit(watcher,
         (struct wire_event){
             .kind = WIRE_RESPONSE, .exchange = 2, .target = "POST /sync/stream?a=b", .status = 302});
    property_wire_grammar.destroy(watcher);
    assert_violation("response-head");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_recorded_stream),
        cmocka_unit_test(test_resumed_recorded_stream),
        cmocka_unit_test(test_other_recorded_streams),
        cmocka_unit_test(test_sound_stream),
        cmocka_unit_test(test_mutated_streams),
        cmocka_unit_test(test_report_names_expected_and_seen),
        cmocka_unit_test(test_interrupted_checkpoint),
        cmocka_unit_test(test_interrupted_after_the_last_operation),
        cmocka_unit_test(test_compacted_bucket),
        cmocka_unit_test(test_bucket_comes_back),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_property_accepts_a_stream),
        cmocka_unit_test(test_property_reports),
        cmocka_unit_test(test_property_watches_ends_and_heads),
        cmocka_unit_test(test_property_reads_bson),
        cmocka_unit_test(test_property_watches_error_bodies),
        cmocka_unit_test(test_property_across_streams),
        cmocka_unit_test(test_property_ignores_other_targets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
