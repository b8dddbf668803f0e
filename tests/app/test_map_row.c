/* From columns to fields: names, times, booleans, the owner, and what is refused. */
#include "cmocka_all.h"

#include <string.h>

#include "app/map_row.h"
#include "base/json.h"

/* The fields of a notes row as encoded JSON; NULL: refused. The caller frees the buffer. */
static bool map(const char *data, bool whole, struct app_mapping_rules rules, struct buffer *out) {
    const struct app *app = NULL;
    const struct client_table *table = app_find_table("notes", &app);
    json_t *json = json_parse(data, strlen(data), NULL);
    struct convex_value *columns = NULL, *fields = NULL;
    struct error error = {0};
    assert_non_null(table);
    assert_int_equal(convex_from_json(json, &columns, &error), STATUS_OK);
    bool good = app_map_row(app, table, columns, whole, &rules, &fields, &error) == STATUS_OK;
    if (good)
        convex_append_json(out, fields, CONVEX_FORMAT_ENCODED);
    else
        assert_true(strlen(error.message) > 0);
    convex_free(fields);
    convex_free(columns);
    json_decref(json);
    return good;
}

static void assert_maps(const char *data, bool whole, struct app_mapping_rules rules, const char *expected) {
    struct buffer out = {0};
    assert_true(map(data, whole, rules, &out));
    json_t *seen = json_parse(buffer_text(&out), out.length, NULL);
    json_t *wanted = json_parse(expected, strlen(expected), NULL);
    assert_non_null(wanted);
    if (!json_equal(seen, wanted)) /* 1.0 and 1 differ here: Float64 is printed with its point */
        fail_msg("%s, expected %s", buffer_text(&out), expected);
    json_decref(seen);
    json_decref(wanted);
    buffer_free(&out);
}

static void assert_refused(const char *data, bool whole) {
    struct buffer out = {0};
    assert_false(map(data, whole, (struct app_mapping_rules){.user = "alice"}, &out));
    buffer_free(&out);
}

static const struct app_mapping_rules right = {.user = "alice"};

static void test_whole_row(void **state) {
    (void)state;
    assert_maps("{\"title\":\"a\",\"folder_id\":\"f\",\"done\":1,\"owner_id\":\"bob\"}", true, right,
                "{\"title\":\"a\",\"folderId\":\"f\",\"done\":true,\"ownerId\":\"alice\",\"dueAt\":null,"
                "\"remindAt\":null,\"createdAt\":null}");
}

static void test_changes_only(void **state) {
    (void)state;
    assert_maps("{\"done\":0}", false, right, "{\"done\":false}");
    assert_maps("{\"done\":null}", false, right, "{\"done\":null}");
    assert_maps("{\"owner_id\":\"bob\"}", false, right, "{}"); /* nobody gives a row away */
    assert_maps("{}", false, right, "{}");
}

/* Both spellings; the client's own counts when both are there. */
static void test_spellings(void **state) {
    (void)state;
    const struct app_mapping_rules camel = {.user = "alice", .camel_only = true};
    assert_maps("{\"folderId\":\"f\"}", false, right, "{\"folderId\":\"f\"}");
    assert_maps("{\"folder_id\":\"a\",\"folderId\":\"b\"}", false, right, "{\"folderId\":\"a\"}");
    const struct app_mapping_rules camel_first = {.user = "alice", .camel_first = true};
    assert_maps("{\"folder_id\":\"a\",\"folderId\":\"b\"}", false, camel_first, "{\"folderId\":\"b\"}");
    assert_maps("{\"folder_id\":\"a\"}", false, camel_first, "{\"folderId\":\"a\"}");
    assert_maps("{\"folder_id\":\"a\"}", false, camel, "{}");
    assert_maps("{\"unknown\":1}", false, right, "{}");
}

/* Row 306: 10,000,000,000 is where the guess changes sides. Right is what the column says. */
static void test_units(void **state) {
    (void)state;
    const struct app_mapping_rules guess = {.user = "alice", .guess_units = true};
    const struct app_mapping_rules none = {.user = "alice", .seconds_as_milliseconds = true};
    assert_maps("{\"remind_at\":1767225600}", false, right, "{\"remindAt\":1767225600000.0}");
    assert_maps("{\"remind_at\":-1}", false, right, "{\"remindAt\":-1000.0}");
    assert_maps("{\"due_at\":9999999999}", false, right, "{\"dueAt\":9999999999.0}");
    assert_maps("{\"due_at\":9999999999}", false, guess, "{\"dueAt\":9999999999000.0}");
    assert_maps("{\"due_at\":10000000000}", false, guess, "{\"dueAt\":10000000000.0}");
    assert_maps("{\"due_at\":-9999999999}", false, guess, "{\"dueAt\":-9999999999000.0}");
    assert_maps("{\"remind_at\":10000000000}", false, guess, "{\"remindAt\":10000000000.0}");
    assert_maps("{\"remind_at\":1767225600}", false, none, "{\"remindAt\":1767225600.0}");
}

static void test_booleans(void **state) {
    (void)state;
    const struct app_mapping_rules number = {.user = "alice", .boolean_as_number = true};
    const struct app_mapping_rules null = {.user = "alice", .null_is_false = true};
    assert_maps("{\"done\":1}", false, number, "{\"done\":1.0}");
    assert_maps("{\"done\":null}", false, null, "{\"done\":false}");
    assert_maps("{\"done\":true}", false, right, "{\"done\":true}");
}

/* Boolean("false") is true elsewhere. */
static void test_booleans_as_text(void **state) {
    (void)state;
    const struct app_mapping_rules truthy = {.user = "alice", .truthy_text = true};
    assert_maps("{\"done\":\"true\"}", false, right, "{\"done\":true}");
    assert_maps("{\"done\":\"1\"}", false, right, "{\"done\":true}");
    assert_maps("{\"done\":\"false\"}", false, right, "{\"done\":false}");
    assert_maps("{\"done\":\"0\"}", false, right, "{\"done\":false}");
    assert_refused("{\"done\":\"yes\"}", false);
    assert_refused("{\"done\":\"\"}", false);
    assert_maps("{\"done\":\"0\"}", false, truthy, "{\"done\":true}");
}

static void test_refused(void **state) {
    (void)state;
    char data[160] = "{\"title\":\"";
    assert_refused("{\"folder_id\":\"f\"}", true); /* no title */
    assert_refused("{\"title\":\"\"}", false);
    assert_refused("{\"title\":null}", false);
    assert_refused("{\"title\":1}", false);
    assert_refused("{\"due_at\":\"1767225600\"}", false);
    memset(data + 10, 'x', 100);
    memcpy(data + 110, "\"}", 3);
    struct buffer out = {0};
    assert_true(map(data, false, right, &out));
    buffer_free(&out);
    memcpy(data + 110, "x\"}", 4);
    assert_refused(data, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_row), cmocka_unit_test(test_changes_only),
        cmocka_unit_test(test_spellings), cmocka_unit_test(test_units),
        cmocka_unit_test(test_booleans),  cmocka_unit_test(test_booleans_as_text),
        cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
