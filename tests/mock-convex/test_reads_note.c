/* What a deployment tells of a transaction's reads and keys, right before its commit. */
#include "fixture.h"

struct log {
    struct buffer text; /* a line a note: "COMMIT path" or "READS snapshot", then a line a row */
    int64_t snapshot, committed;
};

static void keep(void *context, int64_t now, const char *node, const struct note *note) {
    struct log *log = context;
    (void)now;
    assert_string_equal(node, "convex");
    if (note->kind == NOTE_COMMIT) {
        log->committed = note->timestamp;
        buffer_printf(&log->text, "COMMIT %s\n", note->text);
    } else if (note->kind == NOTE_TABLE) {
        assert_int_equal(note->n_rows, 1);
        buffer_printf(&log->text, "%s %s\n", note->text, note->rows[0].table);
        log->committed = note->timestamp;
    } else if (note->kind == NOTE_READS) {
        log->snapshot = note->timestamp;
        buffer_append_text(&log->text, "READS\n");
        for (size_t i = 0; i < note->n_rows; i++) {
            const struct note_row *row = &note->rows[i];
            buffer_printf(&log->text, "%s %s %s %s\n", row->operation, row->table, row->id,
                          row->values != NULL ? row->values : "-");
        }
    }
}

static struct fixture *open(struct log *log) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    const struct world_observer observer = {.note = keep, .context = log};
    world_observe(fixture->world, &observer);
    fixture_deploy(fixture, &options);
    return fixture;
}

static const char *line_with(struct log *log, const char *beginning) {
    static char line[1024];
    const char *at = strstr(buffer_text(&log->text), beginning);
    if (at == NULL) {
        fail_msg("no \"%s\" in:\n%s", beginning, buffer_text(&log->text));
    }
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

/* An insert reads nothing; its keys are those of every index. A string's key is its kind (8), its bytes, and
 * two zeros. */
static void test_insert(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    (void)state;
    mutate(fixture, "pets:add", "{\"uuid\":\"u1\"}");
    assert_int_equal(strncmp(buffer_text(&log.text), "READS\nKEY pets ", 15), 0);
    assert_non_null(strstr(buffer_text(&log.text), "\"}\nCOMMIT pets:add\n"));
    const char *line = line_with(&log, "KEY pets ");
    assert_non_null(strstr(line, "{\"by_id\":\""));
    assert_non_null(strstr(line, "\",\"by_creation_time\":\"05"));
    assert_non_null(strstr(line, "\",\"by_uuid(uuid)\":\"0875310000"));
    assert_non_null(strstr(line, "\",\"by_name(name,count)\":\"08706574203000000"));
    assert_true(log.snapshot < log.committed);
    buffer_free(&log.text);
    fixture_free(fixture);
}

/* A search up to the first match: the range ends behind it; and the document with its version. */
static void test_increment(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    char expected[64], key[512];
    (void)state;
    mutate(fixture, "pets:add", "{\"uuid\":\"u1\"}");
    int64_t added = log.committed;
    const char *by_uuid = strstr(line_with(&log, "KEY pets "), "by_uuid(uuid)\":\"") + 16;
    snprintf(key, sizeof key, "RANGE pets by_uuid(uuid) {\"low\":\"0875310000\",\"high\":\"%.*s00\"}",
             (int)strcspn(by_uuid, "\""), by_uuid);
    buffer_clear(&log.text);
    mutate(fixture, "pets:increment", "{\"uuid\":\"u1\"}");
    snprintf(expected, sizeof expected, " %lld", (long long)added);
    const char *line = line_with(&log, "READ pets ");
    assert_string_equal(line + strlen(line) - strlen(expected), expected);
    assert_int_equal(log.snapshot, added);
    line_with(&log, key);
    assert_null(strstr(buffer_text(&log.text), "RANGE pets by_id")); /* the READ row says it */
    buffer_free(&log.text);
    fixture_free(fixture);
}

/* An empty range is read too; nothing was written, so nobody is told. */
static void test_nothing_written(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    (void)state;
    mutate(fixture, "pets:increment", "{\"uuid\":\"nobody\"}");
    assert_int_equal(log.text.length, 0);
    buffer_free(&log.text);
    fixture_free(fixture);
}

static void test_deletion(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    (void)state;
    mutate(fixture, "pets:add", "{\"uuid\":\"u1\"}");
    buffer_clear(&log.text);
    mutate(fixture, "pets:remove", "{\"uuid\":\"u1\"}");
    const char *line = line_with(&log, "KEY pets ");
    assert_string_equal(line + strlen(line) - 2, " -");
    buffer_free(&log.text);
    fixture_free(fixture);
}

/* A cleared table: keys without reads, as of a commit that read nothing. */
static void test_clear(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    struct error error = {0};
    (void)state;
    mutate(fixture, "pets:add", "{\"count\":3}");
    buffer_clear(&log.text);
    assert_int_equal(convex_deployment_clear_table(fixture->deployment, "pets", &error), STATUS_OK);
    assert_null(strstr(buffer_text(&log.text), "READ "));
    assert_non_null(strstr(buffer_text(&log.text), " -\nCOMMIT clear_table\n"));
    assert_int_equal(log.snapshot, log.committed - 1);
    buffer_free(&log.text);
    fixture_free(fixture);
}

/* Tables that end without tombstones are told of, and no commits are: an exporter sees none. */
static void test_ends_of_tables(void **state) {
    struct log log = {0};
    struct fixture *fixture = open(&log);
    struct error error = {0};
    const struct convex_value *none = NULL;
    (void)state;
    mutate(fixture, "pets:add", "{\"count\":3}");
    buffer_clear(&log.text);
    assert_int_equal(convex_deployment_replace_table(fixture->deployment, "pets", &none, 0, &error),
                     STATUS_OK);
    assert_int_equal(log.committed, convex_deployment_latest(fixture->deployment));
    assert_int_equal(convex_deployment_drop_table(fixture->deployment, "pets", &error), STATUS_OK);
    assert_string_equal(buffer_text(&log.text), "replaces pets\ndrops pets\n");
    buffer_free(&log.text);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_insert),          cmocka_unit_test(test_increment),
        cmocka_unit_test(test_nothing_written), cmocka_unit_test(test_deletion),
        cmocka_unit_test(test_clear),           cmocka_unit_test(test_ends_of_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
