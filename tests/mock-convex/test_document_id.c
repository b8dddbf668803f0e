/* Document ids against id_vectors.h, and everything that is no id. */
#include "fixture.h"

#include "id_vectors.h"

static void from_hex(const char *hex, unsigned char bytes[16]) {
    for (size_t i = 0; i < 16; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
        bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
    }
}

static void test_vectors(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(id_vectors); i++) {
        struct convex_id id = {.table = id_vectors[i].table}, back;
        char text[CONVEX_ID_TEXT_MAX];
        from_hex(id_vectors[i].internal, id.internal);
        convex_id_encode(&id, text);
        assert_string_equal(text, id_vectors[i].text);
        assert_int_equal(convex_id_decode(text, &back), STATUS_OK);
        assert_int_equal(back.table, id.table);
        assert_memory_equal(back.internal, id.internal, 16);
    }
}

static const char *const strangers[] = {"",
                                        "j",
                                        "j57000820c20a1g7104gm2rc1m70ynr",   /* cut */
                                        "j57000820c20a1g7104gm2rc1m70ynr80", /* too long */
                                        "J57000820c20a1g7104gm2rc1m70ynr8",  /* upper case */
                                        "j57000820c20a1g7104gm2rc1m70ynr9",  /* checksum */
                                        "j97000820c20a1g7104gm2rc1m70ynr8",  /* another table */
                                        "j57oo0820c20a1g7104gm2rc1m70ynr8",  /* o is no digit of base32 */
                                        "j57000820c20a1g7l04gm2rc1m70ynr8",
                                        "j57000820c20a1g7104gm2rc1m70ynr\xc3\xa9",
                                        "0400000000000000000000000000249", /* spare bits */
                                        "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
                                        "00000000-0000-4000-8000-000000000001"};

static void test_strangers_are_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(strangers); i++) {
        struct convex_id id;
        if (convex_id_decode(strangers[i], &id) == STATUS_OK) {
            fail_msg("accepted: %s", strangers[i]);
        }
    }
}

/* Every change of one character is noticed. (Fletcher-16 modulo 256 sees every change of a single byte; one
 * character touches at most two neighbouring bytes by 5 bits.) */
static void test_single_changes_are_refused(void **state) {
    (void)state;
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    const char *original = "j57000820c20a1g7104gm2rc1m70ynr8";
    for (size_t i = 0; i < strlen(original); i++) {
        for (size_t j = 0; j < 32; j++) {
            char text[CONVEX_ID_TEXT_MAX];
            struct convex_id id;
            strcpy(text, original);
            text[i] = alphabet[j];
            assert_int_equal(convex_id_decode(text, &id) == STATUS_OK, strcmp(text, original) == 0);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_strangers_are_refused),
                                       cmocka_unit_test(test_single_changes_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
