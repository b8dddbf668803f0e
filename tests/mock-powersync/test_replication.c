/* What the Convex job copies, in which order, and when clients see it: snapshot and resume, tables,
 * keepalives, pages that break the rules. Names in comments are those of the fact sheet (G: known traps, S:
 * scenarios). */
#include "mock-powersync/unit.h"

#include "mock-powersync/replication.h"

#define LISTS "SELECT *, _id AS id FROM lists"
#define MINE "SELECT *, _id AS id FROM lists WHERE owner = 'me'"
#define SECOND TIME_SECOND
#define OUT "1#all|0[]"

static int set_up(void **state) {
    *state = setting_create();
    return 0;
}

static int tear_down(void **state) {
    setting_destroy(*state);
    return 0;
}

static struct setting *started(void **state, const char *query) {
    struct setting *setting = *state;
    deploy_query(setting, query);
    start(setting);
    run(setting, SECOND / 2);
    assert_int_equal(serving(setting)->lsn, setting->fake->latest);
    return setting;
}

/* --- the snapshot --- */

/* S24: the process dies after each request in turn. The end is the same, no page is read twice, the boundary
 * stays, and what came after it arrives by deltas. */
static void snapshot_resumes_anywhere(void **state) {
    (void)state;
    size_t total = 0;
    for (size_t dies_after = 1; total == 0 || dies_after < total; dies_after++) {
        struct setting *setting = setting_create();
        setting->fake->snapshot_rows = 2;
        static const char *const ids[] = {"a", "b", "c", "d", "e"};
        for (size_t i = 0; i < 5; i++)
            put(setting, 1000 + (int64_t)i, "lists", ids[i], "");
        deploy_query(setting, LISTS);
        start(setting);
        while (setting->fake->n_requests < dies_after)
            run(setting, TIME_MILLISECOND / 2);
        run(setting, dies_after % 2 ? 0 : TIME_MILLISECOND); /* before or after the answer has come */
        put(setting, 5000, "lists", "f", "");
        crash(setting);
        run(setting, 3 * SECOND);
        assert_operations(setting, OUT, "PUT a, PUT b, PUT c, PUT d, PUT e, PUT f");
        size_t heads = requests(setting, 0, "GET /api/list_snapshot?format=json&snapshot=");
        /* The boundary moved only if the process died before it knew it. */
        size_t of_boundary =
            requests(setting, 0, "GET /api/list_snapshot?format=json&snapshot=1767225600000001004&");
        assert_true(of_boundary == heads || (dies_after <= 1 && of_boundary == 0));
        assert_in_range(heads, 3, 4); /* three pages; one may be asked for twice */
        if (total == 0)
            total = 8;
        setting_destroy(setting);
    }
}

static void snapshot_page_of_another_boundary(void **state) {
    struct setting *setting = *state;
    setting->fake->wrong_snapshot = true;
    deploy_query(setting, LISTS);
    start(setting);
    run(setting, 19 * SECOND);
    const struct replication_stream *stream = storage_deploying(setting->storage);
    assert_non_null(stream);
    assert_int_equal(strncmp(stream->error, "[PSYNC_S1101]", 13), 0);
    setting->fake->wrong_snapshot = false;
    run(setting, 2 * SECOND);
    assert_null(storage_deploying(setting->storage));
    assert_null(storage_serving(setting->storage)->error); /* a commit forgives */
}

/* Rows that say they are deleted, or have no id, are none. */
static void rows_that_a_snapshot_skips(void **state) {
    struct setting *setting = *state;
    put(setting, 1000, "lists", "l1", "");
    deploy_query(setting, LISTS);
    setting->fake->fail_route = "/api/list_snapshot?format=json&snapshot";
    setting->fake->fail_status = 200;
    setting->fake->fail_body =
        "{\"values\":[{\"_id\":\"x\",\"_deleted\":true},{\"name\":\"no id\"},{\"_id\":7.0},{\"_id\":\"l1\"}],"
        "\"snapshot\":1767225600000001000,\"cursor\":null,\"hasMore\":false}";
    setting->fake->failures = 1;
    start(setting);
    run(setting, SECOND);
    assert_operations(setting, OUT, "PUT l1");
    assert_int_equal(setting->metrics.rows_replicated, 1);
    assert_int_equal(setting->metrics.transactions_replicated, 0);
}

/* G-4: a deployment that ignores the filter: all its rows become rows of the table that was asked for. */
static void a_filter_that_is_ignored(void **state) {
    struct setting *setting = *state;
    setting->fake->ignore_filter = true;
    put(setting, 1000, "lists", "l1", "");
    put(setting, 2000, "other", "o1", "");
    started(state, LISTS);
    assert_operations(setting, OUT, "PUT l1, PUT o1");
}

/* --- tables --- */

/* G-8: a table that json_schemas does not know has no snapshot; what is written later comes by deltas. */
static void exact_table_missing_from_the_schemas(void **state) {
    struct setting *setting = *state;
    put(setting, 1000, "later", "before", "");
    started(state, "SELECT *, _id AS id FROM later");
    assert_int_equal(requests(setting, 0, "GET /api/list_snapshot?format=json&snapshot"), 0);
    put(setting, 2000, "later", "after", "");
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT after");
    assert_int_equal(requests(setting, 0, "GET /api/list_snapshot?format=json&snapshot"), 0);
}

/* Wildcards are prefixes, with case; the service's own table is in none of them. */
static void wildcard_tables(void **state) {
    struct setting *setting = *state;
    setting->fake->schemas = "{\"p_b\":{},\"P_c\":{},\"p_a\":{},\"powersync_checkpoints\":{},\"other\":{}}";
    put(setting, 1000, "p_b", "b1", "");
    put(setting, 1000, "p_a", "a1", "");
    put(setting, 1000, "P_c", "c1", "");
    put(setting, 1000, "powersync_checkpoints", "m1", "");
    put(setting, 1000, "other", "o1", "");
    started(state, "SELECT *, _id AS id FROM \\\"p%\\\"");
    assert_operations(setting, OUT, "PUT a1, PUT b1"); /* sorted by the names of their tables */
    assert_int_equal(requests(setting, 0, "GET /api/json_schemas"), 2); /* once for each pattern, twice */
    /* one that is new is taken from the deltas, and not looked up again */
    put(setting, 2000, "p_new", "n1", "");
    put(setting, 3000, "P_new", "n2", "");
    put(setting, 4000, "powersync_checkpoints", "m1", "");
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT a1, PUT b1, PUT n1");
    assert_int_equal(requests(setting, 0, "GET /api/json_schemas"), 2);
    const struct table_progress *progress = map_get(&serving(setting)->tables, "p_new");
    assert_true(progress && progress->done);
}

static void case_matters(void **state) {
    struct setting *setting = started(state, "SELECT *, _id AS id FROM \\\"Lists\\\"");
    put(setting, 1000, "lists", "l1", "");
    put(setting, 2000, "Lists", "l2", "");
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT l2");
}

/* G-1, S27: a table that is dropped says nothing, one that is cleared does. */
static void dropped_and_cleared_tables(void **state) {
    struct setting *setting = *state;
    put(setting, 1000, "lists", "l1", "");
    put(setting, 1000, "lists", "l2", "");
    started(state, LISTS);
    setting->fake->schemas = "{\"powersync_checkpoints\":{}}";
    run(setting, 5 * SECOND);
    assert_operations(setting, OUT, "PUT l1, PUT l2");
    put(setting, 2000, "lists", "l1", NULL);
    put(setting, 2000, "lists", "l2", NULL);
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT l1, PUT l2, REMOVE l1, REMOVE l2");
}

/* --- streaming --- */

/* S25: one page is one checkpoint, whatever number of transactions it has. Metrics count them. */
static void transactions_of_a_page(void **state) {
    struct setting *setting = started(state, LISTS);
    uint64_t commits = serving(setting)->commits;
    put(setting, 1000, "lists", "l1", "");
    put(setting, 1000, "lists", "l2", "");
    put(setting, 2000, "other", "o1", "");
    put(setting, 3000, "lists", "l1", NULL);
    put(setting, 3000, "lists", "l3", "");
    put(setting, 4000, "lists", "l3", ",\"n\":1.0");
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT l1, PUT l2, REMOVE l1, PUT l3, PUT l3");
    assert_int_equal(serving(setting)->commits, commits + 1);
    assert_int_equal(serving(setting)->lsn, START + 4000);
    assert_int_equal(setting->metrics.transactions_replicated, 3);
    assert_int_equal(setting->metrics.rows_replicated, 5);
}

/* G-5: with more to come there is no pause between pages; each of them is a commit. */
static void pages_follow_at_once(void **state) {
    struct setting *setting = started(state, LISTS);
    setting->fake->delta_rows = 1;
    uint64_t commits = serving(setting)->commits;
    for (int i = 0; i < 20; i++) {
        char id[4] = {'l', (char)('a' + i), 0, 0};
        put(setting, 1000 + i, "lists", id, "");
    }
    run(setting, SECOND + 100 * TIME_MILLISECOND);
    assert_int_equal(serving(setting)->commits, commits + 20);
    assert_int_equal(serving(setting)->lsn, START + 1019);
}

/* The idle source: a keepalive at once, then after more than 60 s. Rows that nothing selects move the
 * position in memory only (S26, G-6). */
static void keepalives_of_an_idle_source(void **state) {
    struct setting *setting = started(state, LISTS);
    put(setting, 1000, "other", "o1", "");
    run(setting, 55 * SECOND);
    assert_int_equal(serving(setting)->lsn, START);
    assert_int_equal(serving(setting)->resume_lsn, START);
    run(setting, 10 * SECOND);
    assert_int_equal(serving(setting)->lsn, START + 1000);
    assert_int_equal(serving(setting)->checkpoint, 0);
}

/* A source whose position moves although nothing happens is not idle at that poll. */
static void keepalive_waits_for_a_still_position(void **state) {
    struct setting *setting = started(state, LISTS);
    for (int i = 0; i < 90; i++) {
        setting->fake->latest += 1000;
        run(setting, SECOND);
    }
    assert_int_equal(serving(setting)->lsn, START);
    run(setting, 2 * SECOND);
    assert_int_equal(serving(setting)->lsn, setting->fake->latest);
}

static void marker_alone(void **state) {
    struct setting *setting = started(state, LISTS);
    run(setting, 2 * SECOND);
    put(setting, 1000, "powersync_checkpoints", "m1", "");
    run(setting, SECOND + 100 * TIME_MILLISECOND);
    assert_int_equal(serving(setting)->lsn, START + 1000);
}

/* G-7: a marker in a page with a selected row that is in no bucket waits for the next commit or keepalive. */
static void marker_beside_rows_without_effect(void **state) {
    struct setting *setting = started(state, MINE);
    put(setting, 1000, "lists", "l1", ",\"owner\":\"you\"");
    put(setting, 2000, "powersync_checkpoints", "m1", "");
    run(setting, 50 * SECOND);
    assert_int_equal(serving(setting)->lsn, START);
    run(setting, 15 * SECOND);
    assert_int_equal(serving(setting)->lsn, START + 2000);
    /* with other traffic all the time the source is never idle */
    put(setting, 3000, "lists", "l1", ",\"owner\":\"you\"");
    put(setting, 4000, "powersync_checkpoints", "m1", "");
    for (int i = 0; i < 100; i++) {
        put(setting, 5000 + i, "other", "o1", "");
        run(setting, SECOND);
    }
    assert_int_equal(serving(setting)->lsn, START + 2000);
    put(setting, 9000, "lists", "l2", ",\"owner\":\"me\"");
    run(setting, 2 * SECOND);
    assert_int_equal(serving(setting)->lsn, START + 9000);
}

/* S26, I15: what was read and not committed is read again after a crash, with the same end. */
static void uncommitted_pages_are_read_again(void **state) {
    struct setting *setting = started(state, LISTS);
    put(setting, 1000, "lists", "l1", "");
    run(setting, 2 * SECOND);
    put(setting, 2000, "other", "o1", "");
    run(setting, 2 * SECOND);
    assert_string_equal(last_request(setting),
                        "GET /api/document_deltas?format=json&cursor=1767225600000002000");
    crash(setting);
    run(setting, SECOND / 2);
    assert_string_equal(last_request(setting),
                        "GET /api/document_deltas?format=json&cursor=1767225600000001000");
    put(setting, 3000, "lists", "l2", "");
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT l1, PUT l2");
}

/* Time since the oldest page that was read and has no commit. */
static void lag(void **state) {
    struct setting *setting = started(state, LISTS);
    assert_int_equal(replicator_lag(setting->replicator), 0);
    put(setting, 10 * SECOND, "other", "o1", "");
    run(setting, 30 * SECOND);
    int64_t expected = TIME_WALL_START + world_now(setting->world) - (START + 10 * SECOND);
    assert_int_equal(replicator_lag(setting->replicator), expected);
    put(setting, 31 * SECOND, "lists", "l1", "");
    run(setting, 2 * SECOND);
    assert_int_equal(replicator_lag(setting->replicator), 0);
}

/* Pages that break the rules end the job; its successor starts 20 s later (an assertion), or 45 s (no JSON).
 */
static void pages_that_break_the_rules(void **state) {
    (void)state;
#define ROW(table, id, ts) "{\"_table\":\"" table "\",\"_id\":\"" id "\",\"_ts\":17672256000000" ts "}"
#define PAGE(rows) "{\"values\":[" rows "],\"cursor\":1767225600000009000,\"hasMore\":false}"
    static const struct {
        const char *page;
        int64_t pause;          /* s; 0: it is good */
        const char *operations; /* at the end */
    } rows[] = {
        {PAGE(ROW("lists", "a", "02000") "," ROW("lists", "b", "01000")), 20, "PUT later"},
        {PAGE(ROW("lists", "a", "02000") "," ROW("other", "b", "01000")), 20, "PUT later"},
        {PAGE(ROW("lists", "a", "02000") "," ROW("powersync_checkpoints", "b", "01000")), 0,
         "PUT a, PUT later"},
        {PAGE(ROW("lists", "a", "02000") ",{\"_id\":\"b\"}"), 0, "PUT a, PUT later"},
        {PAGE(ROW("lists", "a", "02000") ",{\"_table\":7,\"_id\":\"b\"}"), 0, "PUT a, PUT later"},
        {PAGE(ROW("lists", "a", "02000") ",{\"_table\":\"lists\",\"_ts\":1767225600000003000}"), 0,
         "PUT a, PUT later"},
        {PAGE("{\"_table\":\"lists\",\"_id\":\"a\"}"), 0, NULL}, /* no _ts at all: taken as it comes */
        {PAGE("7"), 20, "PUT later"},
        {"{\"values\":[],\"cursor\":9000,\"hasMore\":false}", 20, "PUT later"}, /* G-15 */
        {"{\"values\":[],\"cursor\":0,\"hasMore\":false}", 20, "PUT later"},
        {"{\"values\":[],\"cursor\":1767225600000009000.0,\"hasMore\":false}", 20, "PUT later"},
        {"{\"values\":[],\"cursor\":\"x\",\"hasMore\":false}", 20, "PUT later"},
        {"{\"cursor\":1767225600000009000,\"hasMore\":false}", 20, "PUT later"},
        {"[]", 45, "PUT later"},
        {"", 45, "PUT later"},
        {"{\"values\":[", 45, "PUT later"},
        {"\xff\xfe{}", 45, "PUT later"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *made = setting_create();
        struct setting *setting = started(&made, LISTS);
        setting->fake->fail_status = 200;
        setting->fake->fail_body = rows[i].page;
        setting->fake->failures = 1;
        size_t from = setting->fake->n_requests;
        run(setting, 50 * SECOND);
        int64_t gap = setting->fake->request_times[from + 1] - setting->fake->request_times[from];
        int64_t expected = rows[i].pause ? rows[i].pause : 1;
        assert_in_range(gap, expected * SECOND, expected * SECOND + 10 * TIME_MILLISECOND);
        put(setting, 10000, "lists", "later", "");
        run(setting, 2 * SECOND);
        if (rows[i].operations)
            assert_operations(setting, OUT, rows[i].operations);
        setting_destroy(setting);
    }
}

/* Across pages, too; and what the page held is not shown. */
static void time_goes_back_on_the_next_page(void **state) {
    struct setting *setting = started(state, LISTS);
    put(setting, 2000, "lists", "l1", "");
    run(setting, 2 * SECOND);
    setting->fake->fail_status = 200;
    setting->fake->fail_body = PAGE(ROW("other", "x", "01000") "," ROW("lists", "l2", "03000"));
    setting->fake->failures = 1;
    run(setting, 2 * SECOND);
    assert_operations(setting, OUT, "PUT l1");
    assert_int_equal(strncmp(storage_serving(setting->storage)->error, "[PSYNC_S1101]", 13), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(snapshot_resumes_anywhere),
                                       TEST(snapshot_page_of_another_boundary),
                                       TEST(rows_that_a_snapshot_skips),
                                       TEST(a_filter_that_is_ignored),
                                       TEST(exact_table_missing_from_the_schemas),
                                       TEST(wildcard_tables),
                                       TEST(case_matters),
                                       TEST(dropped_and_cleared_tables),
                                       TEST(transactions_of_a_page),
                                       TEST(pages_follow_at_once),
                                       TEST(keepalives_of_an_idle_source),
                                       TEST(keepalive_waits_for_a_still_position),
                                       TEST(marker_alone),
                                       TEST(marker_beside_rows_without_effect),
                                       TEST(uncommitted_pages_are_read_again),
                                       TEST(lag),
                                       cmocka_unit_test(pages_that_break_the_rules),
                                       TEST(time_goes_back_on_the_next_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
