#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"

static void check_hex(const unsigned char *bytes, size_t length, const char *expected) {
    struct buffer out = {0};
    hex_append(&out, bytes, length);
    assert_string_equal(buffer_text(&out), expected);
    buffer_free(&out);
}

static void test_sha_and_hmac(void **state) {
    (void)state;
    unsigned char out[32];
    digest_sha256("abc", 3, out); /* FIPS 180 example */
    check_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_sha1("abc", 3, out);
    check_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    const char *text = "The quick brown fox jumps over the lazy dog";
    digest_hmac_sha256("key", 3, text, strlen(text), out);
    check_hex(out, 32, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
    digest_hmac_sha256("", 0, "", 0, out);
    check_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_hash128(void **state) {
    (void)state;
    char text[33];
    hash128_text(hash128_of("", 0), text); /* XXH3-128's published value for no input */
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
    struct hash128 a = hash128_of("a", 1), b = hash128_of("b", 1), set = {0};
    assert_false(hash128_equal(a, b));
    struct hash128 one_way = hash128_add(hash128_add(set, a), b);
    struct hash128 other_way = hash128_add(hash128_add(set, b), a);
    assert_true(hash128_equal(one_way, other_way));
    assert_true(hash128_equal(hash128_subtract(one_way, a), b));
    /* carry and borrow between the halves */
    struct hash128 last = {.high = 1, .low = UINT64_MAX}, unit = {.high = 0, .low = 1};
    struct hash128 sum = hash128_add(last, unit);
    assert_true(sum.high == 2 && sum.low == 0);
    assert_true(hash128_equal(hash128_subtract(sum, unit), last));
}

static void test_base64(void **state) {
    (void)state;
    static const unsigned char bytes[] = {251, 255, 254, 0, 127, 63};
    static const char *const standard[] = {"", "+w==", "+/8=", "+//+", "+//+AA==", "+//+AH8=", "+//+AH8/"};
    static const char *const url[] = {"", "-w", "-_8", "-__-", "-__-AA", "-__-AH8", "-__-AH8_"};
    for (size_t length = 0; length <= 6; length++) {
        struct buffer out = {0};
        base64_append(&out, bytes, length);
        assert_string_equal(buffer_text(&out), standard[length]);
        buffer_clear(&out);
        assert_int_equal(base64_decode(&out, standard[length], strlen(standard[length]), NULL), STATUS_OK);
        assert_int_equal(out.length, length);
        assert_memory_equal(buffer_text(&out), bytes, length);
        buffer_clear(&out);
        base64url_append(&out, bytes, length);
        assert_string_equal(buffer_text(&out), url[length]);
        buffer_clear(&out);
        assert_int_equal(base64url_decode(&out, url[length], strlen(url[length]), NULL), STATUS_OK);
        assert_memory_equal(buffer_text(&out), bytes, length);
        buffer_free(&out);
    }
}

static void test_base64_refuses(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "A", "AA", "AAA", "AA=A", "A===", "====", "+w=", "AB==", "AAB=", "-w==", "+w=\n", "AAAA="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct buffer out = {0};
        struct error error = {0};
        buffer_append_text(&out, "kept");
        assert_int_equal(base64_decode(&out, wrong[i], strlen(wrong[i]), &error), STATUS_INVALID);
        assert_true(error.message[0] != 0);
        assert_int_equal(out.length, 4);
        buffer_free(&out);
    }
    struct buffer out = {0};
    assert_int_equal(base64url_decode(&out, "AAAAA", 5, NULL), STATUS_INVALID);
    assert_int_equal(base64url_decode(&out, "AA==", 4, NULL), STATUS_INVALID);
    assert_int_equal(base64url_decode(&out, "AB", 2, NULL), STATUS_INVALID);
    buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha_and_hmac),
        cmocka_unit_test(test_hash128),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
