/* Checksums and subkeys: values that the real service's own tests expect, others computed with sha256sum, and
 * every operation of a recorded stream. */
#include "mock-powersync/unit.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/storage/checksum.h"

struct put_vector {
    const char *type, *id, *data;
    uint32_t checksum;
};

static const struct put_vector put_vectors[] = {
    {"test", "t1", "{\"id\":\"t1\"}", 2634521662},
    {"test", "a", "{\"id\":\"a\",\"description\":\"Test 1\"}", 2582164875},
    {"test", "test1", "{\"id\":\"test1\",\"description\":\"test1\"}", 2871785649},
    {"lists", "list_1", "{\"id\":\"list_1\",\"name\":\"Inbox\"}", 1122146825},
    {"lists", "list_1", "{\"id\":\"list_1\",\"name\":\"Inbox 2\",\"rank\":1.0}", 4063581847},
    {"notes", "ü", "{\"id\":\"ü\",\"t\":\"é\"}", 3087830997},
};

static void put_checksums(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof put_vectors / sizeof *put_vectors; i++)
        assert_int_equal(checksum_put(put_vectors[i].type, put_vectors[i].id, put_vectors[i].data,
                                      strlen(put_vectors[i].data)),
                         put_vectors[i].checksum);
}

static void remove_checksums(void **state) {
    (void)state;
    assert_int_equal(checksum_remove("6544e3899293153fa7b38331/117ab485-4b42-58a2-ab32-0053a22c3423"),
                     4228978084);
    assert_int_equal(checksum_remove("t1/k1"), 3136821616);
}

static void subkey(void **state) {
    (void)state;
    char text[37];
    unsigned char subkey[16];
    subkey_make("tbl-1", "j57a", subkey);
    subkey_text(subkey, text);
    assert_string_equal(text, "977c5cb3-3e2e-545f-8259-138c6f6c87b0");
}

static void check_operation(const json_t *operation) {
    const char *data = json_text(operation, "data");
    uint32_t checksum = data ? checksum_put(json_text(operation, "object_type"),
                                            json_text(operation, "object_id"), data, strlen(data))
                             : checksum_remove(json_text(operation, "subkey"));
    assert_int_equal(checksum, json_integer_or(operation, "checksum", -1));
}

static size_t check_recording(const char *name) {
    char path[500], line[20000];
    snprintf(path, sizeof path, "%s/real-service-1.25.0/%s", TEST_VECTORS, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t checked = 0;
    while (fgets(line, sizeof line, file)) {
        const char *start = strstr(line, "{\"data\":{\"bucket\"");
        json_t *json = start ? json_parse(start, strlen(start) - 1, NULL) : NULL;
        size_t i;
        json_t *operation;
        json_array_foreach(json_object_get(json_object_get(json, "data"), "data"), i, operation) {
            check_operation(operation);
            checked++;
        }
        json_decref(json);
    }
    fclose(file);
    return checked;
}

static void recorded_operations(void **state) {
    (void)state;
    assert_int_equal(check_recording("01-initial-sync.txt"), 8);
    assert_int_equal(check_recording("03-three-document-mutation.txt"), 3);
    assert_int_equal(check_recording("04-delete.txt"), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(put_checksums), cmocka_unit_test(remove_checksums),
                                       cmocka_unit_test(subkey), cmocka_unit_test(recorded_operations)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
