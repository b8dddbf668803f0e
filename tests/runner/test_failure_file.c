/* Failure files: what is written is read back; a scenario is not taken for one; and where two traces differ.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "runner/failure_file.h"
#include "runner/report_folder.h"

static const char result_text[] =
    "{\"passed\":false,\"violations\":[{\"property\":\"isolation\",\"client\":\"bob-1\","
    "\"seen\":\"one\\ntwo: "
    "\\\"x\\\"\"}],\"trace_hash\":\"0123456789abcdef0123456789abcdef\",\"trace_length\":8000,"
    "\"trace_marks\":[\"0000000000000001\",\"0000000000000002\",\"0000000000000003\",\"0000000000000004\","
    "\"0000000000000005\",\"0000000000000006\",\"0000000000000007\"]}";

static const char plan[] = "name: pinned\nsteps:\n  - {id: w1}\n";

static void it_comes_back(void **state) {
    json_t *result = json_parse(result_text, sizeof result_text - 1, NULL);
    struct buffer text = {0};
    struct failure failure;
    struct error error = {0};
    (void)state;
    failure_file_write(&text, "scenarios/smoke/with space.yaml", 9223372036854775807u, "core", result, plan);
    assert_int_equal(failure_file_parse(buffer_text(&text), "f.yaml", &failure, &error), STATUS_OK);
    assert_string_equal(failure.scenario, "scenarios/smoke/with space.yaml");
    assert_true(failure.seed == INT64_MAX);
    assert_string_equal(failure.engine, "core");
    assert_string_equal(failure.property, "isolation");
    assert_string_equal(failure.client, "bob-1");
    assert_string_equal(failure.trace_hash, "0123456789abcdef0123456789abcdef");
    assert_int_equal(failure.trace_length, 8000);
    assert_int_equal(failure.n_trace_marks, 7);
    assert_string_equal(failure.trace_marks[6], "0000000000000007");
    failure_free(&failure);
    buffer_free(&text);
    json_decref(result);
}

/* All that was added are comments: what is left is the plan, byte for byte. */
static void only_comments_are_added(void **state) {
    json_t *result = json_parse(result_text, sizeof result_text - 1, NULL);
    struct buffer text = {0};
    (void)state;
    failure_file_write(&text, "x\ninjected: true", 1, "core", result, plan);
    const char *at = buffer_text(&text);
    while (*at == '#')
        at = strchr(at, '\n') + 1;
    assert_string_equal(at, plan);
    buffer_free(&text);
    json_decref(result);
}

static void a_scenario_is_none(void **state) {
    struct failure failure;
    (void)state;
    assert_int_equal(failure_file_parse(plan, "f.yaml", &failure, NULL), STATUS_NOT_FOUND);
    assert_int_equal(failure_file_parse("", "f.yaml", &failure, NULL), STATUS_NOT_FOUND);
}

static void a_wrong_seed_is_refused(void **state) {
    struct failure failure;
    struct error error = {0};
    (void)state;
    assert_int_equal(failure_file_parse(FAILURE_FILE_FIRST_LINE "\n# a note: by hand\n# seed: many\n",
                                        "f.yaml", &failure, &error),
                     STATUS_INVALID);
    assert_non_null(strstr(error.message, "f.yaml:3"));
}

static void the_difference_is_found(void **state) {
    char *marks[] = {(char *)"aaaaaaaaaaaaaaaa", (char *)"bbbbbbbbbbbbbbbb", (char *)"cccccccccccccccc"};
    struct failure failure = {.trace_marks = marks, .n_trace_marks = 3};
    json_t *same = json_pack("[sss]", marks[0], marks[1], marks[2]);
    json_t *other = json_pack("[sss]", marks[0], marks[1], "dddddddddddddddd");
    json_t *shorter = json_pack("[s]", marks[0]);
    (void)state;
    assert_int_equal(failure_equal_records(&failure, same), 3 * 1024);
    assert_int_equal(failure_equal_records(&failure, other), 2 * 1024);
    assert_int_equal(failure_equal_records(&failure, shorter), 1024);
    assert_int_equal(failure_equal_records(&failure, NULL), 0);
    json_decref(same);
    json_decref(other);
    json_decref(shorter);
}

static void touch(const char *folder, const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(report_file_write(path, text, strlen(text), NULL), STATUS_OK);
}

static bool there(const char *folder, const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

/* A new run clears its own old files and nothing else. */
static void foreign_files_stay(void **state) {
    char folder[] = "/tmp/syncline-folder-XXXXXX", path[128], command[160];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/failures", folder);
    assert_int_equal(report_folder_make(path, NULL), STATUS_OK);
    touch(folder, "results.jsonl", "{}\n");
    touch(folder, "notes.txt", "mine\n");
    touch(folder, "failures/a-1.yaml", FAILURE_FILE_FIRST_LINE "\n# seed: 1\n");
    touch(folder, "failures/edited.yaml", "# what I found\nname: x\n");
    assert_int_equal(report_folder_prepare(folder, NULL), STATUS_OK);
    assert_false(there(folder, "results.jsonl"));
    assert_false(there(folder, "failures/a-1.yaml"));
    assert_true(there(folder, "notes.txt"));
    assert_true(there(folder, "failures/edited.yaml"));
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

static void folders_that_cannot_be(void **state) {
    struct error error = {0};
    (void)state;
    assert_int_equal(report_folder_make("/proc/nonexistent/here", &error), STATUS_IO);
    assert_int_equal(report_folder_make("/dev/null", &error), STATUS_IO);
}

static void names_become_files(void **state) {
    struct buffer out = {0};
    (void)state;
    report_file_name(&out, "../smoke/a b_c.1");
    assert_string_equal(buffer_text(&out), "-.-smoke-a-b_c.1");
    buffer_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_comes_back),           cmocka_unit_test(only_comments_are_added),
        cmocka_unit_test(a_scenario_is_none),      cmocka_unit_test(a_wrong_seed_is_refused),
        cmocka_unit_test(the_difference_is_found), cmocka_unit_test(foreign_files_stay),
        cmocka_unit_test(folders_that_cannot_be),  cmocka_unit_test(names_become_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
