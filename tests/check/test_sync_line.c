/* The parser of sync lines: what it takes from a line, what it refuses and where, and how bodies are cut into
 * lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "check/sync_line.h"
#include "wire_vectors.h"

static struct sync_line_parser parser;

static int setup(void **state) {
    (void)state;
    memset(&parser, 0, sizeof parser);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sync_line_parser_free(&parser);
    return 0;
}

static struct sync_line parse(const char *text) {
    struct sync_line line;
    struct error error = {0};
    enum status status = sync_line_parse(&parser, text, strlen(text), &line, &error);
    if (status != STATUS_OK)
        fail_msg("refused at byte %d: %s: %s", error.column, error.message, text);
    return line;
}

static void assert_text(struct json_span text, const char *expected) {
    assert_non_null(text.bytes);
    assert_int_equal(text.length, strlen(expected));
    assert_memory_equal(text.bytes, expected, text.length);
}

static void test_checkpoint(void **state) {
    (void)state;
    struct sync_line line = parse(
        "{\"checkpoint\":{\"last_op_id\":\"42\",\"write_checkpoint\":\"3\",\"buckets\":["
        "{\"bucket\":\"1#lists|0[\\\"u1\\\"]\",\"checksum\":-267384304,\"count\":3,\"priority\":1,"
        "\"subscriptions\":[{\"default\":0},{\"sub\":2}]},{\"bucket\":\"b\",\"checksum\":4063581847}],"
        "\"streams\":[{\"name\":\"lists\",\"is_default\":true,\"errors\":[]},"
        "{\"name\":\"todos\",\"is_default\":false,\"errors\":[{\"subscription\":0,\"message\":\"m\"}]}]}}");
    assert_int_equal(line.kind, SYNC_LINE_CHECKPOINT);
    assert_int_equal(line.last_op_id, 42);
    assert_int_equal(line.write_checkpoint, 3);
    assert_int_equal(line.n_buckets, 2);
    assert_text(line.buckets[0].name, "1#lists|0[\"u1\"]");
    assert_int_equal(line.buckets[0].checksum, UINT32_C(4027582992)); /* 2^32 - 267384304 */
    assert_int_equal(line.buckets[0].count, 3);
    assert_int_equal(line.buckets[0].priority, 1);
    assert_int_equal(line.buckets[0].n_subscriptions, 2);
    assert_true(line.subscriptions[0].is_default);
    assert_false(line.subscriptions[1].is_default);
    assert_int_equal(line.subscriptions[1].index, 2);
    assert_text(line.buckets[1].name, "b");
    assert_int_equal(line.buckets[1].checksum, UINT32_C(4063581847));
    assert_int_equal(line.buckets[1].count, -1);
    assert_int_equal(line.buckets[1].priority, 3);
    assert_int_equal(line.buckets[1].n_subscriptions, 0);
    assert_true(line.has_streams);
    assert_int_equal(line.n_streams, 2);
    assert_text(line.streams[1].name, "todos");
    assert_false(line.streams[1].is_default);
    assert_int_equal(line.streams[1].n_errors, 1);
    assert_false(line.spaced);
}

static void test_data(void **state) {
    (void)state;
    struct sync_line line =
        parse("{\"data\":{\"bucket\":\"b\",\"after\":\"39\",\"has_more\":true,\"data\":["
              "{\"op_id\":\"40\",\"op\":\"PUT\",\"object_type\":\"lists\",\"object_id\":\"list_1\","
              "\"checksum\":1122146825,"
              "\"subkey\":\"t1/k9\",\"data\":\"{\\\"id\\\":\\\"list_1\\\",\\\"name\\\":\\\"Inbox\\\"}\"},"
              "{\"op_id\":\"41\",\"op\":\"REMOVE\",\"object_type\":\"lists\",\"object_id\":\"list_0\","
              "\"checksum\":3136821616,\"subkey\":\"t1/k1\",\"data\":null},"
              "{\"op_id\":\"42\",\"op\":\"MOVE\",\"checksum\":5},"
              "{\"op_id\":\"43\",\"op\":\"CLEAR\",\"checksum\":-1,\"data\":{\"a\":[1, "
              "{}]}}],\"next_after\":\"43\"}}");
    assert_int_equal(line.kind, SYNC_LINE_DATA);
    assert_text(line.bucket, "b");
    assert_int_equal(line.after, 39);
    assert_int_equal(line.next_after, 43);
    assert_true(line.has_more);
    assert_int_equal(line.n_operations, 4);
    const struct sync_operation *put = &line.operations[0];
    assert_int_equal(put->op_id, 40);
    assert_int_equal(put->kind, SYNC_PUT);
    assert_text(put->object_type, "lists");
    assert_text(put->object_id, "list_1");
    assert_text(put->subkey, "t1/k9");
    assert_int_equal(put->data_form, SYNC_DATA_TEXT);
    assert_true(put->data_escaped);
    struct buffer data = {0};
    sync_text_unescape(&data, put->data.bytes, put->data.length);
    assert_string_equal(buffer_text(&data), "{\"id\":\"list_1\",\"name\":\"Inbox\"}");
    buffer_free(&data);
    assert_int_equal(line.operations[1].kind, SYNC_REMOVE);
    assert_int_equal(line.operations[1].data_form, SYNC_DATA_NULL);
    assert_int_equal(line.operations[2].kind, SYNC_MOVE);
    assert_int_equal(line.operations[2].data_form, SYNC_DATA_ABSENT);
    assert_null(line.operations[2].object_type.bytes);
    assert_int_equal(line.operations[3].kind, SYNC_CLEAR);
    assert_int_equal(line.operations[3].checksum, UINT32_MAX);
    assert_true(line.operations[3].checksum_negative);
    assert_int_equal(line.operations[3].data_form, SYNC_DATA_OBJECT);
    assert_text(line.operations[3].data, "{\"a\":[1, {}]}");
    assert_false(line.spaced); /* the row's own white space does not count */
}

static void test_other_kinds(void **state) {
    (void)state;
    struct sync_line line = parse("{\"checkpoint_diff\":{\"last_op_id\":\"50\",\"write_checkpoint\":null,"
                                  "\"removed_buckets\":[\"\\\"a\",\"\\u00fc\"],\"updated_buckets\":[]}}");
    assert_int_equal(line.kind, SYNC_LINE_CHECKPOINT_DIFF);
    assert_int_equal(line.write_checkpoint, -1);
    assert_int_equal(line.n_removed, 2);
    assert_text(line.removed[0], "\"a");
    assert_text(line.removed[1], "\xc3\xbc");
    line = parse("{\"partial_checkpoint_complete\":{\"last_op_id\":\"42\",\"priority\":1}}");
    assert_int_equal(line.kind, SYNC_LINE_PARTIAL_CHECKPOINT_COMPLETE);
    assert_int_equal(line.priority, 1);
    line = parse("{\"checkpoint_complete\":{\"last_op_id\":\"9223372036854775807\"}}");
    assert_int_equal(line.kind, SYNC_LINE_CHECKPOINT_COMPLETE);
    assert_true(line.last_op_id == INT64_MAX);
    line = parse("{\"token_expires_in\":-5}");
    assert_int_equal(line.kind, SYNC_LINE_TOKEN_EXPIRES_IN);
    assert_int_equal(line.token_expires_in, -5);
    line = parse(" { \"something\\nnew\" : [ 1.5e3 , { } , \"x\" , true , false , null , -0 ] } ");
    assert_int_equal(line.kind, SYNC_LINE_UNKNOWN);
    assert_text(line.key, "something\nnew");
    assert_true(line.spaced);
    /* Unknown fields are skipped. */
    line = parse("{\"checkpoint_complete\":{\"new\":{\"a\":[]},\"last_op_id\":\"1\",\"priority\":\"text\"}}");
    assert_int_equal(line.last_op_id, 1);
}

/* Checksums as the client core takes them: u32, negative i32, whole doubles. */
static void test_checksums(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t value; /* -1: refused */
    } cases[] = {
        {"0", 0},
        {"-0", 0},
        {"4294967295", 4294967295},
        {"-2147483648", 2147483648},
        {"-1", 4294967295},
        {"2634521662.0", 2634521662},
        {"2634521662.000000", 2634521662},
        {"1e3", 1000},
        {"12.5e1", 125},
        {"1.200E+2", 120},
        {"120e-1", 12},
        {"0.0000e99999999999999", 0},
        {"1000e-3", 1},
        {"4294967296", -1},
        {"-2147483649", -1},
        {"1.5", -1},
        {"1e-1", -1},
        {"1e400", -1},
        {"1e99999999999999999999", -1},
        {"123456789012345678901234567890", -1},
        {"0.000001", -1},
        {"\"5\"", -1},
        {"null", -1},
        {"true", -1},
        {"01", -1},
        {"1.", -1},
        {".5", -1},
        {"+1", -1},
        {"1e", -1},
        {"-", -1},
        {"NaN", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[256];
        struct sync_line line;
        snprintf(text, sizeof text,
                 "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":%s}]}}",
                 cases[i].text);
        enum status status = sync_line_parse(&parser, text, strlen(text), &line, NULL);
        if ((status == STATUS_OK) != (cases[i].value >= 0))
            fail_msg("%s was %s", cases[i].text, status == STATUS_OK ? "accepted" : "refused");
        if (status == STATUS_OK && line.buckets[0].checksum != cases[i].value)
            fail_msg("%s was read as %u", cases[i].text, line.buckets[0].checksum);
    }
}

/* Each refused for one reason; `at` is the text right where the parser stops. */
static const struct {
    const char *line;
    const char *reason;
    const char *at;
} refused[] = {
    {"", "expected an object", ""},
    {"null", "expected an object", "null"},
    {"[]", "expected an object", "[]"},
    {"{}", "an object without a key", ""},
    {"{\"token_expires_in\":1", "expected a comma or the end", ""},
    {"{\"token_expires_in\":1}x", "something follows", "x"},
    {"{\"token_expires_in\":1}{\"token_expires_in\":1}", "something follows", "{\"token_expires_in\":1}"},
    {"{\"token_expires_in\":1,\"more\":2}", "more than one key", "\"more\":2}"},
    {"{\"token_expires_in\":1,}", "a comma before the end", "}"},
    {"{\"token_expires_in\" 1}", "expected a colon", "1}"},
    {"{token_expires_in:1}", "expected a key", "token_expires_in:1}"},
    {"{\"token_expires_in\":1.5}", "token_expires_in must be", "1.5}"},
    {"{\"token_expires_in\":2147483648}", "token_expires_in must be", "2147483648}"},
    {"{\"token_expires_in\":\"5\"}", "token_expires_in must be", "\"5\"}"},
    {"\xef\xbb\xbf{\"token_expires_in\":1}", "expected an object", "\xef\xbb\xbf{\"token_expires_in\":1}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":5}}", "last_op_id must be", "5}}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":\"\"}}", "last_op_id must be", "\"}}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":\"-1\"}}", "last_op_id must be", "-1\"}}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":\"01\"}}", "last_op_id must be", "01\"}}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":\"9223372036854775808\"}}", "last_op_id must be",
     "9223372036854775808\"}}"},
    {"{\"checkpoint_complete\":{\"last_op_id\":\"1\",\"last_op_id\":\"1\"}}", "a field is there twice",
     "\"1\"}}"},
    {"{\"checkpoint_complete\":{}}", "no last_op_id", "}"},
    {"{\"checkpoint_complete\":5}", "expected an object", "5}"},
    {"{\"partial_checkpoint_complete\":{\"last_op_id\":\"1\"}}", "no priority", "}"},
    {"{\"partial_checkpoint_complete\":{\"last_op_id\":\"1\",\"priority\":-1}}", "a priority must be",
     "-1}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\"}}", "no buckets", "}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":{}}}", "expected a list", "{}}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\"}]}}", "no checksum", "]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":7}]}}", "a bucket's name must be",
     "7}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":1,\"count\":-1}]}}",
     "a count must be", "-1}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":1,\"subscriptions\":["
     "{}]}]}}",
     "a subscription is neither", "]}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"b\",\"checksum\":1,\"subscriptions\":"
     "[{\"default\":0,\"sub\":0}]}]}}",
     "a subscription is either", "0}]}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":[{\"name\":\"s\"}]}}", "no is_default",
     "]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":[{\"name\":\"s\",\"is_default\":1}]}}",
     "expected a value", "1}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":[{\"name\":\"s\",\"is_default\":true,"
     "\"errors\":[{\"subscription\":\"other\",\"message\":\"m\"}]}]}}",
     "an error's subscription", ",\"message\":\"m\"}]}]}}"},
    {"{\"checkpoint\":{\"last_op_id\":\"1\",\"write_checkpoint\":3,\"buckets\":[]}}",
     "write_checkpoint must be", "3,\"buckets\":[]}}"},
    {"{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"removed_buckets\":[]}}", "no updated_buckets", "}"},
    {"{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"removed_buckets\":[1],\"updated_buckets\":[]}}",
     "a bucket's name must be", "1],\"updated_buckets\":[]}}"},
    {"{\"data\":{\"bucket\":\"b\"}}", "no data", "}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[],\"has_more\":\"no\"}}", "expected a value", "\"no\"}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[],\"after\":0}}", "after must be", "0}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[],\"next_after\":0}}", "next_after must be", "0}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"op_id\":7}]}}", "op_id must be", "7}]}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"op_id\":\"7\",\"op\":\"put\"}]}}", "op must be PUT", "}]}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"op_id\":\"7\",\"op\":\"PUT\"}]}}", "no checksum", "]}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"object_type\":1}]}}", "object_type must be", "1}]}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"data\":[]}]}}", "data must be a string", "[]}]}}"},
    {"{\"data\":{\"bucket\":\"b\",\"data\":[{\"data\":{\"a\" 1}}]}}", "expected a colon", "1}}]}}"},
    {"{\"x\":\"\\x\"}", "an unknown escape", "\\x\"}"},
    {"{\"x\":\"\\u12g4\"}", "a bad \\u escape", "\\u12g4\"}"},
    {"{\"x\":\"\\ud800\"}", "a bad \\u escape", "\\ud800\"}"},
    {"{\"x\":\"\\ud800\\u0041\"}", "a bad \\u escape", "\\ud800\\u0041\"}"},
    {"{\"x\":\"\\udc00\"}", "a bad \\u escape", "\\udc00\"}"},
    {"{\"x\":\"a\tb\"}", "a control character", "\tb\"}"},
    {"{\"x\":\"a", "the string does not end", ""},
    {"{\"x\":\"a\\", "the string does not end", "\\"},
    {"{\"x\":\"\x80\"}", "bytes that are not UTF-8", "\x80\"}"},
    {"{\"x\":\"\xc0\xaf\"}", "bytes that are not UTF-8", "\xc0\xaf\"}"},
    {"{\"x\":\"\xed\xa0\x80\"}", "bytes that are not UTF-8", "\xed\xa0\x80\"}"},
    {"{\"x\":\"\xf4\x90\x80\x80\"}", "bytes that are not UTF-8", "\xf4\x90\x80\x80\"}"},
    {"{\"x\":\"\xf0\x8f\xbf\xbf\"}", "bytes that are not UTF-8", "\xf0\x8f\xbf\xbf\"}"},
    {"{\"x\":\"\xe0\x9f\xbf\"}", "bytes that are not UTF-8", "\xe0\x9f\xbf\"}"},
    {"{\"x\":\"\xe2\x82\"}", "bytes that are not UTF-8", "\xe2\x82\"}"},
    {"{\"x\":\"\xc3", "bytes that are not UTF-8", "\xc3"},
    {"{\"x\":tru}", "expected a value", "tru}"},
    {"{\"x\":}", "expected a value", "}"},
    {"{\"x\":[1 2]}", "expected a comma", "2]}"},
    {"{\"x\":[1,]}", "a comma before the end", "]}"},
    {"{\"x\":{1:2}}", "expected a key", "1:2}}"},
};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *text = refused[i].line;
        struct sync_line line;
        struct error error = {0};
        if (sync_line_parse(&parser, text, strlen(text), &line, &error) == STATUS_OK)
            fail_msg("accepted: %s", text);
        if (strncmp(error.message, refused[i].reason, strlen(refused[i].reason)) != 0)
            fail_msg("%s: refused for \"%s\"", text, error.message);
        if (strcmp(text + parser.offset, refused[i].at) != 0)
            fail_msg("%s: refused at \"%s\"", text, text + parser.offset);
        assert_int_equal(error.column, parser.offset + 1);
    }
}

/* Every proper prefix of a line is refused, and says so within its bounds. */
static void test_prefixes(void **state) {
    (void)state;
    struct recorded recorded = {0};
    recorded_read(&recorded, "04-delete.txt", "ms] ");
    for (size_t i = 0; i < recorded.n_lines; i++) {
        const char *text = recorded.lines[i];
        for (size_t length = 0; length < strlen(text); length++) {
            struct sync_line line;
            char *copy =
                memory_allocate(length ? length : 1); /* exactly as long, so that reading on is seen */
            memcpy(copy, text, length);
            assert_int_equal(sync_line_parse(&parser, copy, length, &line, NULL), STATUS_INVALID);
            assert_true(parser.offset <= length);
            free(copy);
        }
    }
    recorded_free(&recorded);
}

static void test_nesting(void **state) {
    (void)state;
    struct sync_line line;
    struct buffer text = {0};
    for (int brackets = 126; brackets <= 127;
         brackets++) { /* with the line's own braces: 127 and 128 levels */
        buffer_clear(&text);
        buffer_append_text(&text, "{\"x\":");
        for (int i = 0; i < brackets; i++)
            buffer_append_char(&text, '[');
        for (int i = 0; i < brackets; i++)
            buffer_append_char(&text, ']');
        buffer_append_char(&text, '}');
        enum status status = sync_line_parse(&parser, text.data, text.length, &line, NULL);
        assert_int_equal(status, brackets == 126 ? STATUS_OK : STATUS_INVALID);
    }
    assert_string_equal(parser.reason, "nested too deeply");
    buffer_free(&text);
}

static void test_unescape(void **state) {
    (void)state;
    const char *escaped =
        "a\\\"\\\\\\/\\b\\f\\n\\r\\tz\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\uD83D\\uDE00\xc3\xa9";
    char line_text[256];
    snprintf(line_text, sizeof line_text, "{\"%s\":0}", escaped);
    struct sync_line line = parse(line_text);
    const char *meaning = "a\"\\/\b\f\n\r\tzA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xc3\xa9";
    assert_text(line.key, meaning);
    struct buffer out = {0};
    buffer_append_text(&out, "before ");
    sync_text_unescape(&out, escaped, strlen(escaped));
    assert_string_equal(buffer_text(&out) + 7, meaning);
    assert_int_equal(out.length, 7 + strlen(meaning));
    buffer_free(&out);
    assert_true(sync_text_is_object(" {\"a\":1} ", 9));
    assert_false(sync_text_is_object("{\"a\":1} x", 9));
    assert_false(sync_text_is_object("[1]", 3));
    assert_false(sync_text_is_object("", 0));
}

/* Characters that the scanner takes eight at a time, with the special one at each place of a word. */
static void test_special_at_each_place(void **state) {
    (void)state;
    for (size_t place = 0; place < 20; place++) {
        char text[64] = "{\"";
        memset(text + 2, 'x', 20);
        strcpy(text + 22, "\":0}");
        text[2 + place] = '\x1f';
        struct sync_line line;
        assert_int_equal(sync_line_parse(&parser, text, strlen(text), &line, NULL), STATUS_INVALID);
        assert_int_equal(parser.offset, 2 + place);
        text[2 + place] = '\x7f';
        assert_int_equal(sync_line_parse(&parser, text, strlen(text), &line, NULL), STATUS_OK);
    }
}

static void test_vectors(void **state) {
    (void)state;
    static const struct {
        const char *file;
        const char *mark;
        size_t n_lines; /* counted by hand: grep -c */
    } files[] = {
        {"01-initial-sync.txt", "ms] ", 4},
        {"01b-initial-sync-raw_data-false.ndjson", "", 4},
        {"02-incremental-update.txt", "ms] ", 3},
        {"02b-incremental-insert.txt", "ms] ", 3},
        {"03-three-document-mutation.txt", "ms] ", 4},
        {"04-delete.txt", "ms] ", 3},
        {"09-resume.txt", "ms] ", 2},
        {"sdk-ndjson-wire.txt", "ms] #1 < ", 21},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct recorded recorded = {0};
        recorded_read(&recorded, files[i].file, files[i].mark);
        assert_int_equal(recorded.n_lines, files[i].n_lines);
        for (size_t j = 0; j < recorded.n_lines; j++) {
            struct sync_line line = parse(recorded.lines[j]);
            assert_int_not_equal(line.kind, SYNC_LINE_UNKNOWN);
            assert_false(line.spaced);
        }
        recorded_free(&recorded);
    }
}

/* --- bodies --- */

static void collect(void *context, const char *bytes, size_t length) {
    struct buffer *out = context;
    buffer_append_char(out, '<');
    if (length > 0)
        buffer_append(out, bytes, length);
    buffer_append_char(out, '>');
}

static void assert_split(size_t limit, const char *body, const char *expected, const char *rest) {
    size_t length = strlen(body);
    for (size_t first = 0; first <= length; first++)
        for (size_t step = 1; step <= length + 1; step++) {
            struct sync_line_splitter splitter = {.limit = limit};
            struct buffer out = {0};
            sync_line_split(&splitter, body, first, collect, &out);
            for (size_t at = first; at < length; at += step)
                sync_line_split(&splitter, body + at, length - at < step ? length - at : step, collect, &out);
            assert_string_equal(buffer_text(&out), expected);
            assert_string_equal(buffer_text(&splitter.rest), rest);
            sync_line_splitter_free(&splitter);
            buffer_free(&out);
        }
}

static void test_split(void **state) {
    (void)state;
    assert_split(0, "one\ntwo\n\nfour\nrest", "<one><two><><four>", "rest");
    assert_split(0, "one\n", "<one>", "");
    assert_split(0, "", "", "");
    assert_split(4, "abc\nabcdefghij\nx\n", "<abc><abcd><efgh><ij><x>", "");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_checkpoint, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_checksums, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefixes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nesting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unescape, setup, teardown),
        cmocka_unit_test_setup_teardown(test_special_at_each_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_vectors, setup, teardown),
        cmocka_unit_test(test_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
