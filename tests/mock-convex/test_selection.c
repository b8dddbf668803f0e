/* What filters of the export select: `selection` before table, before component, before everything; and its
 * columns. */
#include "fixture.h"

#define JSON "application/json"

/* The body of a POST, and what list_snapshot and document_deltas of two pets give for it: how many rows, and
 * which fields the first one has after the metadata, in order. */
static const struct {
    const char *what;
    const char *filter;
    size_t rows;
    const char *fields;
} cases[] = {
#define ALL "_creationTime _id count name uuid "
    {"no filter", "", 2, ALL},
    {"one table", ",\"table_name\":\"pets\"", 2, ALL},
    {"another table", ",\"tableName\":\"empty\"", 0, ""},
    {"a table of another component", ",\"table_name\":\"pets\",\"component\":\"shop\"", 0, ""},
    {"the root component", ",\"component\":\"\"", 2, ALL},
    {"another component", ",\"component\":\"shop/cart\"", 0, ""},
    {"everything", ",\"selection\":{\"_other\":\"included\"}", 2, ALL},
    {"everything, short", ",\"selection\":{\"_other\":\"incl\"}", 2, ALL},
    {"nothing", ",\"selection\":{\"_other\":\"excluded\"}", 0, ""},
    {"nothing, short", ",\"selection\":{\"_other\":\"excl\"}", 0, ""},
    {"without the root", ",\"selection\":{\"_other\":\"included\",\"\":\"excluded\"}", 0, ""},
    {"without another component", ",\"selection\":{\"_other\":\"included\",\"shop\":\"excl\"}", 2, ALL},
    {"the root alone", ",\"selection\":{\"_other\":\"excl\",\"\":{\"_other\":\"incl\"}}", 2, ALL},
    {"without the table", ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":\"excl\"}}",
     0, ""},
    {"only this table",
     ",\"selection\":{\"_other\":\"excl\",\"\":{\"_other\":\"excl\",\"pets\":{\"_other\":\"incl\"}}}", 2,
     ALL},
    {"only another table",
     ",\"selection\":{\"_other\":\"excl\",\"\":{\"_other\":\"excl\",\"empty\":{\"_other\":\"incl\"}}}", 0,
     ""},
    {"without a column",
     ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{\"_other\":\"incl\","
     "\"name\":\"excluded\"}}}",
     2, "_creationTime _id count uuid "},
    {"one column",
     ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{\"_other\":\"excl\","
     "\"name\":\"included\"}}}",
     2, "_id name "},
    {"no column but _id",
     ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{\"_other\":\"excl\"}}}", 2,
     "_id "},
    {"columns of another table",
     ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"empty\":{\"_other\":\"excl\"}}}", 2,
     ALL},
    {"selection before table", ",\"table_name\":\"empty\",\"selection\":{\"_other\":\"incl\"}", 2, ALL},
    {"selection before a table that cannot be", ",\"table_name\":\"1x\",\"selection\":{\"_other\":\"incl\"}",
     2, ALL},
    {"selection before component", ",\"component\":\"shop\",\"selection\":{\"_other\":\"incl\"}", 2, ALL},
    /* Malformed: what comes next in the order of precedence decides. */
    {"a text", ",\"selection\":\"excluded\"", 2, ALL},
    {"null", ",\"selection\":null", 2, ALL},
    {"without _other", ",\"selection\":{\"\":\"excluded\"}", 2, ALL},
    {"a word that is none", ",\"selection\":{\"_other\":\"none\"}", 2, ALL},
    {"an included component", ",\"selection\":{\"_other\":\"excl\",\"\":\"included\"}", 2, ALL},
    {"a table's level without _other", ",\"selection\":{\"_other\":\"excl\",\"\":{\"pets\":\"excl\"}}", 2,
     ALL},
    {"columns too deep",
     ",\"selection\":{\"_other\":\"excl\",\"\":{\"_other\":\"excl\",\"pets\":{\"_other\":\"excl\","
     "\"name\":{\"_other\":\"excl\"}}}}",
     2, ALL},
    {"malformed, table next", ",\"selection\":[],\"table_name\":\"empty\"", 0, ""},
    {"malformed, component next", ",\"selection\":7,\"component\":\"shop\"", 0, ""}};

static json_t *post_json(struct fixture *fixture, const char *target, const char *body) {
    struct answer answer;
    send_request(fixture, &answer, "POST", target, AUTHORIZED, JSON, body, strlen(body));
    wait_for(fixture, &answer);
    if (answer.status != 200) {
        fail_msg("%s %s: %d %s", target, body, answer.status, buffer_text(&answer.body));
    }
    json_t *json = json_parse(buffer_text(&answer.body), answer.body.length, NULL);
    buffer_free(&answer.body);
    return json;
}

/* Rows in all pages of a snapshot; the fields of one of them. */
static size_t count_snapshot(struct fixture *fixture, const char *filter, struct buffer *fields) {
    size_t rows = 0;
    struct buffer body = {0}, cursor = {0};
    buffer_append_text(&cursor, "null");
    for (bool more = true; more;) {
        buffer_clear(&body);
        buffer_printf(&body, "{\"cursor\":%s%s}", buffer_text(&cursor), filter);
        json_t *page = post_json(fixture, "/api/list_snapshot", buffer_text(&body));
        json_t *values = json_object_get(page, "values");
        const char *name;
        json_t *value, *row = json_array_get(values, 0);
        if (row != NULL) {
            buffer_clear(fields);
        }
        json_object_foreach(row, name, value) {
            if (strcmp(name, "_component") != 0 && strcmp(name, "_table") != 0 && strcmp(name, "_ts") != 0) {
                buffer_printf(fields, "%s ", name);
            }
        }
        rows += json_array_size(values);
        more = json_is_true(json_object_get(page, "hasMore"));
        buffer_clear(&cursor);
        json_append(&cursor, json_object_get(page, "cursor"));
        json_decref(page);
    }
    buffer_free(&body);
    buffer_free(&cursor);
    return rows;
}

static size_t count_deltas(struct fixture *fixture, const char *filter, struct buffer *fields) {
    struct buffer body = {0};
    const char *name;
    json_t *value;
    buffer_printf(&body, "{\"cursor\":0%s}", filter);
    json_t *page = post_json(fixture, "/api/document_deltas", buffer_text(&body));
    json_t *values = json_object_get(page, "values");
    size_t rows = json_array_size(values);
    json_object_foreach(json_array_get(values, 0), name, value) {
        if (strcmp(name, "_component") != 0 && strcmp(name, "_table") != 0 && strcmp(name, "_ts") != 0 &&
            strcmp(name, "_deleted") != 0) {
            buffer_printf(fields, "%s ", name);
        }
    }
    json_decref(page);
    buffer_free(&body);
    return rows;
}

static void test_filters(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    mutate(fixture, "pets:add", "{\"count\":2}");
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct buffer snapshot = {0}, deltas = {0};
        size_t snapshot_rows = count_snapshot(fixture, cases[i].filter, &snapshot);
        size_t delta_rows = count_deltas(fixture, cases[i].filter, &deltas);
        if (snapshot_rows != cases[i].rows || delta_rows != cases[i].rows ||
            strcmp(buffer_text(&snapshot), cases[i].fields) != 0 ||
            strcmp(buffer_text(&deltas), cases[i].fields) != 0) {
            fail_msg("%s: snapshot %zu rows of %s, deltas %zu rows of %s", cases[i].what, snapshot_rows,
                     buffer_text(&snapshot), delta_rows, buffer_text(&deltas));
        }
        buffer_free(&snapshot);
        buffer_free(&deltas);
    }
    fixture_free(fixture);
}

/* Names that cannot be: the cause is hidden, as with the other filters. */
static const struct expectation impossible[] = {
    {"a component", "POST", "/api/document_deltas", AUTHORIZED, JSON,
     "{\"cursor\":0,\"selection\":{\"_other\":\"incl\",\"a//b\":\"excl\"}}", 500, "InternalServerError"},
    {"a table", "POST", "/api/list_snapshot", AUTHORIZED, JSON,
     "{\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"1x\":\"excl\"}}}", 500,
     "InternalServerError"},
    {"_id excluded", "POST", "/api/list_snapshot", AUTHORIZED, JSON,
     "{\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{\"_other\":\"incl\","
     "\"_id\":\"excl\"}}}}",
     500, "InternalServerError"},
    {"_id included", "POST", "/api/list_snapshot", AUTHORIZED, JSON,
     "{\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{\"_other\":\"incl\","
     "\"_id\":\"incl\"}}}}",
     200, ""},
    {"after the cursor", "POST", "/api/document_deltas", AUTHORIZED, JSON,
     "{\"selection\":{\"_other\":\"incl\",\"a//b\":\"excl\"}}", 400, "DocumentDeltasCursorRequired"}};

static void test_impossible_names(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    check_expectations(fixture, impossible, LENGTH_OF(impossible));
    fixture_free(fixture);
}

/* A deletion has no fields that could be left out. */
static void test_tombstone(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct buffer fields = {0};
    mutate(fixture, "pets:blink", "{}");
    assert_int_equal(count_deltas(fixture,
                                  ",\"selection\":{\"_other\":\"incl\",\"\":{\"_other\":\"incl\",\"pets\":{"
                                  "\"_other\":\"excl\"}}}",
                                  &fields),
                     1);
    assert_string_equal(buffer_text(&fields), "_id ");
    buffer_free(&fields);
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_filters),
                                       cmocka_unit_test(test_impossible_names),
                                       cmocka_unit_test(test_tombstone)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
