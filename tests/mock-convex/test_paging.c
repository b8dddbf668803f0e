/* Pages of document_deltas and list_snapshot: what is in them, where they end, what their cursors are. */
#include "fixture.h"

static struct fixture *make_with_page(int64_t delta_rows, int64_t snapshot_rows) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    world_pin_knob(fixture->world, "convex.delta-page-rows", delta_rows);
    world_pin_knob(fixture->world, "convex.snapshot-page-rows", snapshot_rows);
    fixture_deploy(fixture, &options);
    return fixture;
}

struct page {
    size_t rows;
    int64_t cursor;
    bool has_more;
    int64_t first_ts, last_ts;
};

static struct page get_deltas(struct fixture *fixture, int64_t cursor, const char *filter) {
    char target[256];
    snprintf(target, sizeof target, "/api/document_deltas?format=json&cursor=%lld%s", (long long)cursor,
             filter);
    json_t *json = get_json(fixture, target);
    json_t *values = json_object_get(json, "values");
    struct page page = {.rows = json_array_size(values),
                        .cursor = json_integer_value(json_object_get(json, "cursor")),
                        .has_more = json_is_true(json_object_get(json, "hasMore"))};
    for (size_t i = 0; i < page.rows; i++) {
        int64_t ts = json_integer_value(json_object_get(json_array_get(values, i), "_ts"));
        assert_true(ts > cursor && ts >= page.last_ts);
        page.first_ts = i == 0 ? ts : page.first_ts;
        page.last_ts = ts;
    }
    json_decref(json);
    return page;
}

static int64_t add(struct fixture *fixture, int count) {
    char args[64];
    snprintf(args, sizeof args, "{\"count\":%d}", count);
    mutate(fixture, "pets:add", args);
    return convex_deployment_latest(fixture->deployment);
}

/* Transactions of these sizes are committed; pages of 4 rows must end as said. cursor: the number of a commit
 * from 1, or -1 for the newest timestamp. */
static const struct {
    const char *what;
    int sizes[6];
    struct {
        size_t rows;
        int cursor;
        bool has_more;
    } pages[6];
} delta_cases[] = {{"under the limit", {1, 2}, {{3, 2, false}}},
                   {"exactly at the limit, at the end of the log", {2, 2}, {{4, 2, false}}},
                   {"exactly at the limit, more follows", {2, 2, 1}, {{4, 2, true}, {1, 3, false}}},
                   {"a transaction larger than the page", {9}, {{9, 1, false}}},
                   {"a larger one in the middle", {1, 9, 1}, {{10, 2, true}, {1, 3, false}}},
                   {"the limit falls inside a transaction", {3, 3, 3}, {{6, 2, true}, {3, 3, false}}},
                   {"single rows", {1, 1, 1, 1, 1}, {{4, 4, true}, {1, 5, false}}},
                   {"two full pages", {4, 4}, {{4, 1, true}, {4, 2, false}}}};

static void test_delta_pages(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(delta_cases); i++) {
        struct fixture *fixture = make_with_page(4, 1024);
        int64_t commits[8] = {convex_deployment_latest(fixture->deployment)};
        for (size_t j = 0; j < 6 && delta_cases[i].sizes[j] > 0; j++) {
            commits[j + 1] = add(fixture, delta_cases[i].sizes[j]);
        }
        int64_t cursor = commits[0];
        for (size_t j = 0; j < 6 && delta_cases[i].pages[j].rows > 0; j++) {
            struct page page = get_deltas(fixture, cursor, "");
            if (page.rows != delta_cases[i].pages[j].rows ||
                page.has_more != delta_cases[i].pages[j].has_more ||
                page.cursor != commits[delta_cases[i].pages[j].cursor]) {
                fail_msg("%s, page %zu: %zu rows, more %d", delta_cases[i].what, j, page.rows, page.has_more);
            }
            assert_int_equal(page.last_ts, page.cursor);
            cursor = page.cursor;
        }
        struct page last = get_deltas(fixture, cursor, ""); /* nothing is left */
        assert_int_equal(last.rows, 0);
        assert_int_equal(last.cursor, cursor);
        assert_false(last.has_more);
        fixture_free(fixture);
    }
}

static void test_delta_page_of_128(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    int64_t start = convex_deployment_latest(fixture->deployment);
    int64_t first = add(fixture, 127), second = add(fixture, 300), third = add(fixture, 1);
    struct page page = get_deltas(fixture, start, "");
    assert_int_equal(page.rows, 427);
    assert_int_equal(page.first_ts, first);
    assert_int_equal(page.cursor, second);
    assert_true(page.has_more);
    page = get_deltas(fixture, page.cursor, "");
    assert_int_equal(page.rows, 1);
    assert_int_equal(page.cursor, third);
    fixture_free(fixture);
}

/* Rows that the filter hides count as read: an empty page may say that there is more. */
static void test_delta_filter(void **state) {
    (void)state;
    struct fixture *fixture = make_with_page(4, 1024);
    int64_t start = convex_deployment_latest(fixture->deployment);
    int64_t first = add(fixture, 4);
    mutate(fixture, "powersync_checkpoints:createCheckpoint", "{}");
    struct page page = get_deltas(fixture, start, "&table_name=powersync_checkpoints");
    assert_int_equal(page.rows, 0);
    assert_int_equal(page.cursor, first);
    assert_true(page.has_more);
    page = get_deltas(fixture, page.cursor, "&tableName=powersync_checkpoints");
    assert_int_equal(page.rows, 1);
    assert_false(page.has_more);
    assert_int_equal(get_deltas(fixture, start, "&component=other").rows, 0);
    assert_int_equal(get_deltas(fixture, start, "&component=&table_name=pets").rows, 4);
    fixture_free(fixture);
}

static void test_delta_cursor_of_the_future_moves_back(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    int64_t latest = add(fixture, 2);
    struct page page = get_deltas(fixture, latest + TIME_HOUR, "");
    assert_int_equal(page.rows, 0);
    assert_int_equal(page.cursor, latest);
    assert_false(page.has_more);
    assert_int_equal(get_deltas(fixture, 0, "").rows, 2); /* from the beginning */
    fixture_free(fixture);
}

static void test_delta_rows_word_for_word(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    struct answer answer;
    struct buffer target = {0}, expected = {0};
    int64_t start = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    int64_t added = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:remove", "{\"uuid\":\"a\"}");
    int64_t removed = convex_deployment_latest(fixture->deployment);
    buffer_printf(&target, "/api/document_deltas?format=json&cursor=%lld", (long long)start);
    json_t *json = get_json(fixture, buffer_text(&target));
    json_t *row = json_array_get(json_object_get(json, "values"), 0);
    const char *id = json_text(row, "_id");
    /* Everything but the id and the creation time is known; those two are taken from the answer and must fit.
     */
    assert_int_equal(strlen(id), 32);
    double creation = json_real_value(json_object_get(row, "_creationTime"));
    assert_true(creation >= (double)start / 1e6 && creation <= (double)added / 1e6);
    struct buffer creation_text = {0};
    buffer_append_double(&creation_text, creation);
    buffer_printf(&expected,
                  "{\"values\":[{\"_component\":\"\",\"_table\":\"pets\",\"_ts\":%lld,\"_deleted\":false,"
                  "\"_creationTime\":%s,\"_id\":\"%s\",\"count\":0.0,\"name\":\"pet 0\",\"uuid\":\"a\"},"
                  "{\"_component\":\"\",\"_table\":\"pets\",\"_ts\":%lld,\"_deleted\":true,\"_id\":\"%s\"}],"
                  "\"cursor\":%lld,\"hasMore\":false}",
                  (long long)added, buffer_text(&creation_text), id, (long long)removed, id,
                  (long long)removed);
    send_request(fixture, &answer, "GET", buffer_text(&target), AUTHORIZED, NULL, NULL, 0);
    wait_for(fixture, &answer);
    assert_string_equal(buffer_text(&answer.body), buffer_text(&expected));
    json_decref(json);
    buffer_free(&answer.body);
    buffer_free(&creation_text);
    buffer_free(&target);
    buffer_free(&expected);
    fixture_free(fixture);
}

/* The empty deployment of the fact that PowerSync relies on: 19 digits before any commit. */
static void test_nothing_committed(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    json_t *json = get_json(fixture, "/api/list_snapshot?format=json&table_name=pets");
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)json_integer_value(json_object_get(json, "snapshot")));
    assert_int_equal(strlen(text), 19);
    assert_true(json_is_null(json_object_get(json, "cursor")));
    assert_true(json_is_false(json_object_get(json, "hasMore")));
    json_decref(json);
    struct page page = get_deltas(fixture, TIME_WALL_START, "");
    assert_int_equal(page.cursor, convex_deployment_latest(fixture->deployment));
    fixture_free(fixture);
}

/* Follow the cursors of list_snapshot to the end. Returns the pages; every document must come once, in order.
 */
struct walk {
    size_t pages, rows, empty_pages;
    size_t largest;
};

static struct walk walk_snapshot(struct fixture *fixture, int64_t snapshot, const char *filter) {
    struct walk walk = {0};
    struct map seen = {0};
    struct buffer cursor = {0};
    for (bool more = true; more; walk.pages++) {
        struct buffer target = {0};
        buffer_printf(&target, "/api/list_snapshot?format=json&snapshot=%lld%s%s", (long long)snapshot,
                      buffer_text(&cursor), filter);
        json_t *json = get_json(fixture, buffer_text(&target));
        json_t *values = json_object_get(json, "values");
        size_t rows = json_array_size(values);
        assert_int_equal(json_integer_value(json_object_get(json, "snapshot")), snapshot);
        for (size_t i = 0; i < rows; i++) {
            json_t *row = json_array_get(values, i);
            assert_null(map_set(&seen, json_text(row, "_id"), fixture)); /* not seen before */
            assert_true(json_integer_value(json_object_get(row, "_ts")) <= snapshot);
            assert_null(json_object_get(row, "_deleted"));
            assert_string_equal(json_text(row, "_table"), json_text(json_array_get(values, 0), "_table"));
        }
        walk.rows += rows;
        walk.empty_pages += rows == 0;
        walk.largest = rows > walk.largest ? rows : walk.largest;
        const char *text = json_text(json, "cursor");
        more = json_is_true(json_object_get(json, "hasMore"));
        assert_int_equal(more, text != NULL);
        buffer_clear(&cursor);
        buffer_append_text(&cursor, "&cursor=");
        for (const char *at = text; at != NULL && *at != 0; at++) {
            buffer_printf(&cursor, "%%%02X", (unsigned)(unsigned char)*at);
        }
        json_decref(json);
        buffer_free(&target);
        assert_true(walk.pages < 1000);
    }
    buffer_free(&cursor);
    map_free(&seen, NULL);
    return walk;
}

static void test_snapshot_pages(void **state) {
    (void)state;
    static const struct {
        int count;
        size_t pages, empty;
    } cases[] = {{0, 1, 1}, {1, 1, 0}, {15, 1, 0}, {16, 2, 1}, {17, 2, 0}, {32, 3, 1}, {40, 3, 0}};
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct fixture *fixture = make_with_page(128, 16);
        if (cases[i].count > 0) {
            add(fixture, cases[i].count);
        }
        int64_t snapshot = convex_deployment_latest(fixture->deployment);
        add(fixture, 5); /* later: not in the snapshot */
        struct walk walk = walk_snapshot(fixture, snapshot, "&table_name=pets");
        assert_int_equal(walk.rows, cases[i].count);
        assert_int_equal(walk.pages, cases[i].pages);
        assert_int_equal(walk.empty_pages, cases[i].empty);
        assert_true(walk.largest <= 16);
        /* All three tables: each costs at least one page. The two others are empty. */
        walk = walk_snapshot(fixture, snapshot, "");
        assert_int_equal(walk.rows, cases[i].count);
        assert_int_equal(walk.pages, cases[i].pages + 2);
        fixture_free(fixture);
    }
}

/* A snapshot shows old revisions of documents that were changed or deleted since. */
static void test_snapshot_of_the_past(void **state) {
    (void)state;
    struct fixture *fixture = fixture_make();
    char target[128];
    mutate(fixture, "pets:add", "{\"uuid\":\"a\"}");
    mutate(fixture, "pets:add", "{\"uuid\":\"b\"}");
    int64_t past = convex_deployment_latest(fixture->deployment);
    mutate(fixture, "pets:rename", "{\"uuid\":\"a\",\"name\":\"new\"}");
    mutate(fixture, "pets:remove", "{\"uuid\":\"b\"}");
    for (int i = 0; i < 2; i++) {
        int64_t snapshot = i == 0 ? past : convex_deployment_latest(fixture->deployment);
        snprintf(target, sizeof target, "/api/list_snapshot?table_name=pets&snapshot=%lld",
                 (long long)snapshot);
        json_t *json = get_json(fixture, target);
        json_t *values = json_object_get(json, "values");
        assert_int_equal(json_array_size(values), i == 0 ? 2 : 1);
        for (size_t j = 0; j < json_array_size(values); j++) {
            assert_string_equal(json_text(json_array_get(values, j), "name"), i == 0 ? "pet 0" : "new");
        }
        json_decref(json);
    }
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_delta_pages),
                                       cmocka_unit_test(test_delta_page_of_128),
                                       cmocka_unit_test(test_delta_filter),
                                       cmocka_unit_test(test_delta_cursor_of_the_future_moves_back),
                                       cmocka_unit_test(test_delta_rows_word_for_word),
                                       cmocka_unit_test(test_nothing_committed),
                                       cmocka_unit_test(test_snapshot_pages),
                                       cmocka_unit_test(test_snapshot_of_the_past)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
