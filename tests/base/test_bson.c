/* BSON documents: what is written byte by byte, and what is refused when it is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "base/json.h"
#include "base/memory.h"

#define BYTES(text) text, sizeof(text) - 1

static void assert_bytes(const struct buffer *out, const char *bytes, size_t length) {
    assert_int_equal(out->length, length);
    assert_memory_equal(out->data, bytes, length);
}

/* The examples of bsonspec.org, and JavaScript's numbers. */
static void written(void **state) {
    (void)state;
    struct buffer out = {0};
    struct bson_writer writer;
    bson_begin(&writer, &out);
    bson_text(&writer, "hello", "world", 5);
    bson_end(&writer);
    assert_bytes(&out, BYTES("\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0"));
    buffer_clear(&out);
    bson_begin(&writer, &out);
    bson_array(&writer, "BSON");
    bson_text(&writer, NULL, "awesome", 7);
    bson_number(&writer, NULL, 1986);
    bson_end(&writer);
    bson_end(&writer);
    assert_bytes(&out, BYTES("\x26\0\0\0\x04"
                             "BSON\0\x1b\0\0\0\x02\x30\0\x08\0\0\0awesome\0\x10\x31\0\xc2\x07\0\0\0\0"));
    buffer_clear(&out);
    bson_begin(&writer, &out);
    bson_number(&writer, "a", INT32_MIN);
    bson_number(&writer, "b", INT64_C(2634521662)); /* a checksum above 2^31 */
    bson_boolean(&writer, "c", true);
    bson_null(&writer, "d");
    bson_document(&writer, "e");
    bson_end(&writer);
    bson_end(&writer);
    assert_bytes(&out, BYTES("\x26\0\0\0\x10"
                             "a\0\0\0\0\x80\x01"
                             "b\0\0\0\xc0\x87\xf3\xa0\xe3\x41\x08"
                             "c\0\x01"
                             "\x0a"
                             "d\0\x03"
                             "e\0\x05\0\0\0\0\0"));
    buffer_free(&out);
}

static void behind_another(void **state) {
    (void)state;
    struct buffer out = {0};
    struct bson_writer writer;
    buffer_append_text(&out, "before");
    bson_begin(&writer, &out);
    bson_end(&writer);
    assert_bytes(&out, BYTES("before\x05\0\0\0\0"));
    buffer_free(&out);
}

static void read_back(void **state) {
    (void)state;
    json_t *value;
    static const char document[] = "\x3e\0\0\0\x10"
                                   "a\0\x01\0\0\0\x12"
                                   "b\0\xff\xff\xff\xff\xff\xff\xff\x7f\x01"
                                   "c\0\0\0\0\0\0\0\xf8\x3f\x06"
                                   "d\0\x08"
                                   "e\0\0\x0a"
                                   "f\0\x02"
                                   "g\0\x03\0\0\0\xc3\xbc\0\x04"
                                   "h\0\x05\0\0\0\0";
    assert_int_equal(bson_parse(document, sizeof document, &value, NULL), STATUS_OK);
    struct buffer text = {0};
    json_append(&text, value);
    assert_string_equal(text.data, "{\"a\":1,\"b\":9223372036854775807,\"c\":1.5,\"e\":false,\"f\":null,"
                                   "\"g\":\"\xc3\xbc\",\"h\":[]}");
    buffer_clear(&text);
    assert_true(bson_append_json(document, sizeof document, &text));
    assert_string_equal(text.data, "{\"a\":1,\"b\":9223372036854775807,\"c\":1.5,\"e\":false,\"f\":null,"
                                   "\"g\":\"\xc3\xbc\",\"h\":[]}");
    buffer_free(&text);
    json_decref(value);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        bool is_only_not_utf8; /* which the reader of the JSON text sees */
    } cases[] = {
        {BYTES("")},
        {BYTES("\x05\0\0")},
        {BYTES("\x04\0\0\0")},
        {BYTES("\x06\0\0\0\0")},   /* longer than it is */
        {BYTES("\x05\0\0\0\0\0")}, /* shorter */
        {BYTES("\x05\0\0\0\x01")}, /* no end */
        {BYTES("\xff\xff\xff\xff\0")},
        {BYTES("\x08\0\0\0\x10"
               "a\0\0")}, /* half a number */
        {BYTES("\x08\0\0\0\x02"
               "ab\0")}, /* no name */
        {BYTES("\x0d\0\0\0\x02"
               "a\0\0\0\0\0\0\0")}, /* a text without its 0 */
        {BYTES("\x0e\0\0\0\x02"
               "a\0\x02\0\0\0xy\0")}, /* another byte in its place */
        {BYTES("\x0e\0\0\0\x02"
               "a\0\x09\0\0\0x\0\0")}, /* a text beyond the end */
        {BYTES("\x0e\0\0\0\x02"
               "a\0\x02\0\0\0\xff\0\0"),
         true}, /* not UTF-8 */
        {BYTES("\x0c\0\0\0\x03"
               "a\0\x09\0\0\0\0")}, /* a document beyond the end */
        {BYTES("\x10\0\0\0\x01"
               "a\0\0\0\0\0\0\0\xf8\x7f\0")}, /* NaN */
        {BYTES("\x09\0\0\0\x08"
               "a\0\x02\0")}, /* a boolean of 2 */
        {BYTES("\x08\0\0\0\x7f"
               "a\0\0")}, /* a type that JSON does not have */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *value = NULL;
        struct error error = {0};
        /* On the heap: a read beyond the end is seen by the sanitizer. */
        char *bytes = memory_copy_bytes(cases[i].bytes, cases[i].length);
        assert_int_equal(bson_parse(bytes, cases[i].length, &value, &error), STATUS_INVALID);
        assert_null(value);
        struct buffer text = {0};
        assert_int_equal(bson_append_json(bytes, cases[i].length, &text), cases[i].is_only_not_utf8);
        buffer_free(&text);
        free(bytes);
    }
}

static void nesting(void **state) {
    (void)state;
    for (size_t levels = 63; levels <= 65; levels++) {
        struct buffer inner = {0};
        buffer_append(&inner, "\5\0\0\0\0", 5);
        for (size_t i = 1; i < levels; i++) {
            struct buffer outer = {0};
            uint32_t length = (uint32_t)inner.length + 8;
            buffer_append(&outer, (const char[]){(char)length, (char)(length >> 8), 0, 0, 3, 'a', 0}, 7);
            buffer_append(&outer, inner.data, inner.length);
            buffer_append_char(&outer, '\0');
            buffer_free(&inner);
            inner = outer;
        }
        json_t *value;
        assert_int_equal(bson_parse(inner.data, inner.length, &value, NULL),
                         levels <= 64 ? STATUS_OK : STATUS_INVALID);
        json_decref(value);
        buffer_free(&inner);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(written), cmocka_unit_test(behind_another),
                                       cmocka_unit_test(read_back), cmocka_unit_test(refused),
                                       cmocka_unit_test(nesting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
