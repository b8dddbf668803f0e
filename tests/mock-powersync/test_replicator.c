/* Several replication streams of one storage: redeploys, pauses that all jobs share, positions that are lost,
 * locks between replicators. */
#include "mock-powersync/unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "mock-powersync/replication.h"
#include "mock-powersync/replication/rate_limit.h"

#define LISTS "SELECT *, _id AS id FROM lists"
#define TODOS "SELECT *, _id AS id FROM todos"
#define SECOND TIME_SECOND

static int set_up(void **state) {
    *state = setting_create();
    return 0;
}

static int tear_down(void **state) {
    setting_destroy(*state);
    return 0;
}

static struct setting *started(void **state) {
    struct setting *setting = *state;
    put(setting, 1000, "lists", "l1", "");
    put(setting, 2000, "todos", "t1", "");
    deploy_query(setting, LISTS);
    start(setting);
    run(setting, SECOND / 2);
    assert_int_equal(serving(setting)->lsn, START + 2000);
    return setting;
}

static void pauses(void **state) {
    (void)state;
    struct rate_limit limit = {0};
    assert_int_equal(rate_limit_wait(&limit, 0), 0);
    rate_limit_started(&limit, 0);
    assert_int_equal(rate_limit_wait(&limit, 0), SECOND / 2);
    assert_int_equal(rate_limit_wait(&limit, SECOND / 2), 0);
    rate_limit_failed(&limit, 0, 45 * SECOND);
    rate_limit_failed(&limit, SECOND, 10 * SECOND); /* ends earlier: the other counts */
    rate_limit_started(&limit, SECOND);
    assert_int_equal(rate_limit_wait(&limit, 5 * SECOND), 40 * SECOND);
    rate_limit_failed(&limit, 40 * SECOND, 10 * SECOND);
    assert_int_equal(rate_limit_wait(&limit, 45 * SECOND), 5 * SECOND);
}

/* The new stream is replicated beside the old one, which is served until the new one is there. */
static void redeploy(void **state) {
    struct setting *setting = started(state);
    struct fake_convex *fake = setting->fake;
    run(setting, 2 * SECOND);
    size_t from = fake->n_requests;
    fake->snapshot_rows = 1;
    int64_t deployed = world_now(setting->world);
    struct replication_stream *old = storage_serving(setting->storage);
    struct replication_stream *new = replication_stream_hold(deploy_query(setting, TODOS));
    assert_int_equal(new->state, STREAM_PROCESSING);
    run(setting, 2 * SECOND);
    assert_int_equal(requests(setting, from, "GET /api/list_snapshot"), 0); /* it looks every 5 s */
    put(setting, 3000, "lists", "l2", "");
    run(setting, 5 * SECOND);
    assert_int_equal(new->state, STREAM_ACTIVE);
    assert_operations(setting, "2#all|0[]", "PUT t1");
    for (size_t i = from; i < fake->n_requests; i++) {
        if (strcmp(fake->requests[i], "GET /api/list_snapshot?format=json") == 0) {
            assert_in_range(fake->request_times[i], deployed, deployed + 5 * SECOND);
            assert_true(strstr(fake->requests[i + 1], "json_schemas") != NULL);
        }
    }
    (void)old;
    /* the replaced one is not polled for any more: one poll a second */
    run(setting, 6 * SECOND);
    from = fake->n_requests;
    run(setting, 10 * SECOND);
    assert_int_equal(requests(setting, from, "GET /api/document_deltas"), 10);
    replication_stream_release(new);
}

/* While it is being deployed, the old stream goes on following the source. */
static void old_stream_follows_during_a_redeploy(void **state) {
    struct setting *setting = started(state);
    setting->fake->fail_route = "/api/json_schemas";
    setting->fake->fail_status = 400;
    setting->fake->failures = 1;
    deploy_query(setting, TODOS);
    put(setting, 3000, "lists", "l2", "");
    run(setting, 20 * SECOND);
    assert_non_null(storage_deploying(setting->storage));
    assert_string_equal(storage_deploying(setting->storage)->error != NULL ? "failed" : "fine", "failed");
    assert_null(storage_serving(setting->storage)->error);
    assert_operations(setting, "1#all|0[]", "PUT l1, PUT l2");
    run(setting, 40 * SECOND);
    assert_null(storage_deploying(setting->storage));
    assert_operations(setting, "2#all|0[]", "PUT t1");
}

/* Two jobs that start together: the second waits 500 ms. */
static void starts_are_apart(void **state) {
    struct setting *setting = started(state);
    setting->fake->fail_route = "/api/list_snapshot";
    setting->fake->fail_status = 500;
    setting->fake->failures = 1000;
    deploy_query(setting, TODOS);
    run(setting, 6 * SECOND);
    size_t from = setting->fake->n_requests;
    crash(setting);
    run(setting, 4 * SECOND);
    assert_string_equal(setting->fake->requests[from], "GET /api/json_schemas?format=json");
    int64_t first = setting->fake->request_times[from];
    for (size_t i = from; i < setting->fake->n_requests; i++) {
        if (strcmp(setting->fake->requests[i], "GET /api/list_snapshot?format=json") == 0) {
            assert_int_equal(setting->fake->request_times[i] - first, SECOND / 2);
            return;
        }
    }
    fail_msg("the second job never started");
}

/* What the deployment says, in its words; and what follows. */
static void lost_positions(void **state) {
    (void)state;
    static const struct {
        const char *route, *body;
        int status;
        bool strict, lost;
        int64_t pause; /* s */
    } rows[] = {
        {"/api/document_deltas", "{\"code\":\"CursorExpired\",\"message\":\"x\"}", 400, false, true, 20},
        {"/api/document_deltas", "{\"message\":\"This CURSOR is Invalid\"}", 400, false, true, 20},
        {"/api/document_deltas", "{\"message\":\"snapshot has expired\"}", 410, false, true, 20},
        {"/api/document_deltas", "{\"message\":\"expired\"}", 400, false, false, 45},
        {"/api/document_deltas", "{\"message\":\"cursor\"}", 400, false, false, 45},
        {"/api/document_deltas", "{\"message\":\"snapshot invalid\"}", 400, false, false, 45},
        /* current words of the deployment: not recognised (G-2), unless that is repaired */
        {"/api/document_deltas",
         "{\"code\":\"InvalidWindowToReadDocuments\",\"message\":\"Timestamp is too far in the past\"}", 400,
         false, false, 45},
        {"/api/document_deltas",
         "{\"code\":\"InvalidWindowToReadDocuments\",\"message\":\"Timestamp is too far in the past\"}", 400,
         true, true, 20},
        {"/api/document_deltas", "{\"code\":\"InvalidListSnapshotCursor\"}", 400, false, true, 20},
        {"/api/document_deltas", "{\"code\":\"SnapshotTooOld\"}", 400, false, false, 45},
        {"/api/document_deltas", "{\"code\":\"SnapshotTooOld\"}", 400, true, true, 20},
        {"/api/document_deltas", "cursor expired", 401, false, true, 20}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        void *made = setting_create();
        struct setting *setting = made;
        setting->settings.strict_expiry = rows[i].strict;
        started(&made);
        struct fake_convex *fake = setting->fake;
        fake->fail_route = rows[i].route;
        fake->fail_status = rows[i].status;
        fake->fail_body = rows[i].body;
        fake->failures = 1;
        size_t failed = fake->n_requests;
        run(setting, (rows[i].pause - 1) * SECOND);
        const struct replication_stream *stream = storage_serving(setting->storage);
        assert_int_equal(stream->number, 1);
        assert_int_equal(stream->state, rows[i].lost ? STREAM_ERRORED : STREAM_ACTIVE);
        assert_non_null(stream->error);
        assert_true((strstr(stream->error, "PSYNC_S1500") != NULL) == rows[i].lost);
        assert_true((storage_deploying(setting->storage) != NULL) == rows[i].lost);
        assert_int_equal(fake->n_requests, failed + 1);
        run(setting, 3 * SECOND);
        int64_t pause = fake->request_times[failed + 1] - fake->request_times[failed];
        assert_in_range(pause, rows[i].pause * SECOND, rows[i].pause * SECOND + 10 * TIME_MILLISECOND);
        assert_string_equal(fake->requests[failed + 1], rows[i].lost ? "GET /api/list_snapshot?format=json"
                                                                     : "GET /api/json_schemas?format=json");
        stream = storage_serving(setting->storage);
        assert_int_equal(stream->number, rows[i].lost ? 2 : 1);
        assert_int_equal(stream->state, STREAM_ACTIVE);
        assert_operations(setting, rows[i].lost ? "2#all|0[]" : "1#all|0[]", "PUT l1");
        setting_destroy(setting);
    }
}

/* The path of a request is among its words: a failed list_snapshot that says expired counts. */
static void path_counts_as_words(void **state) {
    struct setting *setting = *state;
    deploy_query(setting, LISTS);
    setting->fake->fail_route = "/api/list_snapshot";
    setting->fake->fail_status = 400;
    setting->fake->fail_body = "{\"message\":\"it has expired\"}";
    setting->fake->failures = 1;
    start(setting);
    run(setting, 25 * SECOND);
    assert_int_equal(storage_serving(setting->storage)->number, 2);
}

/* A stream that is replaced before its position is lost does not start over. */
static void lost_while_being_replaced(void **state) {
    struct setting *setting = started(state);
    deploy_query(setting, TODOS);
    setting->fake->fail_status = 400;
    setting->fake->fail_body = "{\"message\":\"cursor expired\"}";
    setting->fake->failures = 1;
    run(setting, 40 * SECOND);
    assert_int_equal(storage_serving(setting->storage)->number, 2);
    assert_null(storage_deploying(setting->storage));
    assert_operations(setting, "2#all|0[]", "PUT t1");
}

/* A deployment that is replaced while it copies: its job comes to its end unheard, and delays nobody. */
static void replaced_while_copying(void **state) {
    struct setting *setting = started(state);
    setting->fake->snapshot_rows = 1;
    for (int i = 0; i < 20; i++) {
        char id[4] = {'l', (char)('a' + i), 0, 0};
        put(setting, 3000 + i, "lists", id, "");
    }
    run(setting, 4500 * TIME_MILLISECOND);
    for (int round = 0; round < 12; round++) { /* it looks every 5 s, then copies for about 50 ms */
        deploy_query(setting, LISTS);
        run(setting, 5 * SECOND + 5 * TIME_MILLISECOND);
    }
    run(setting, 10 * SECOND);
    const struct replication_stream *stream = storage_serving(setting->storage);
    assert_int_equal(stream->number, 13);
    size_t heads = 0;
    for (size_t i = 0; i < setting->fake->n_requests; i++)
        heads += strcmp(setting->fake->requests[i], "GET /api/list_snapshot?format=json") == 0;
    assert_int_equal(heads, 13); /* each was begun at its time */
    assert_int_equal(stream->state, STREAM_ACTIVE);
    assert_null(stream->error);
    assert_null(storage_deploying(setting->storage));
}

/* A file that cannot be written ends the job; 20 s later everything is as if nothing had been. */
static void storage_that_cannot_be_written(void **state) {
    struct setting *setting = *state;
    char path[] = "/tmp/syncline-replicator-XXXXXX";
    assert_true(mkdtemp(path));
    char *file = memory_format("%s/storage.db", path);
    storage_destroy(setting->storage);
    struct error error = {0};
    if (storage_open(&setting->storage, file, &error))
        fail_msg("%s", error.message);
    started(state);
    struct rlimit usual, none;
    getrlimit(RLIMIT_FSIZE, &usual);
    none = usual;
    none.rlim_cur = 0;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &none);
    put(setting, 3000, "lists", "l2", "");
    run(setting, 3 * SECOND);
    setrlimit(RLIMIT_FSIZE, &usual);
    signal(SIGXFSZ, before);
    assert_operations(setting, "1#all|0[]", "PUT l1");
    assert_non_null(storage_serving(setting->storage)->error);
    size_t from = setting->fake->n_requests;
    run(setting, 15 * SECOND);
    assert_int_equal(setting->fake->n_requests, from);
    run(setting, 5 * SECOND);
    assert_null(storage_serving(setting->storage)->error);
    assert_int_equal(serving(setting)->lsn, START + 3000);
    assert_data(setting, "1#all|0[]", "{\"_creationTime\":1767225600000.5,\"_id\":\"l2\",\"id\":\"l2\"}");
    char *remove = memory_format("rm -r %s", path);
    assert_int_equal(system(remove), 0);
    free(remove);
    free(file);
}

/* Nothing is deployed at the start: what comes later is seen within half a second at first. */
static void first_deploy_comes_late(void **state) {
    struct setting *setting = *state;
    start(setting);
    run(setting, 30 * SECOND + 1);
    assert_int_equal(setting->fake->n_requests, 0);
    deploy_query(setting, LISTS);
    run(setting, SECOND / 2 - 2);
    assert_int_equal(setting->fake->n_requests, 0);
    run(setting, 100 * TIME_MILLISECOND);
    assert_non_null(storage_serving(setting->storage));
}

/* After two minutes it looks every 5 s. */
static void first_deploy_comes_very_late(void **state) {
    struct setting *setting = *state;
    start(setting);
    run(setting, 121 * SECOND);
    deploy_query(setting, LISTS);
    run(setting, 3900 * TIME_MILLISECOND);
    assert_int_equal(setting->fake->n_requests, 0);
    run(setting, 200 * TIME_MILLISECOND);
    assert_non_null(storage_serving(setting->storage));
}

static struct replicator *second_replicator(struct setting *setting, struct source **source,
                                            int64_t job_lock) {
    *source = convex_module.open(net_node(setting->net, "powersync-2"), &setting->settings);
    return replicator_create(&(struct replicator_options){
        .source = *source, .storage = setting->storage, .metrics = &setting->metrics, .job_lock = job_lock});
}

/* Of two replicators on one storage one works; the other takes over within 5 s when the first lets go. */
static void standing_by(void **state) {
    struct setting *setting = started(state);
    struct source *source;
    run(setting, SECOND);
    struct replicator *second = second_replicator(setting, &source, 0);
    size_t from = setting->fake->n_requests;
    run(setting, 10 * SECOND);
    assert_int_equal(requests(setting, from, "GET /api/document_deltas"), 10);
    assert_int_equal(requests(setting, from, "GET /api/json_schemas"), 0);
    replicator_destroy(setting->replicator);
    setting->replicator = NULL;
    from = setting->fake->n_requests;
    run(setting, 6 * SECOND);
    assert_int_equal(requests(setting, from, "GET /api/json_schemas"), 1);
    put(setting, 5000, "lists", "l3", "");
    run(setting, 2 * SECOND);
    assert_operations(setting, "1#all|0[]", "PUT l1, PUT l3");
    replicator_destroy(second);
    source_close(source);
}

/* One that dies keeps its lock for what is left of a minute. */
static void lock_of_the_dead(void **state) {
    struct setting *setting = *state;
    put(setting, 1000, "lists", "l1", "");
    deploy_query(setting, LISTS);
    setting->source = convex_module.open(setting->host, &setting->settings);
    const struct replicator_options options = {.source = setting->source,
                                               .storage = setting->storage,
                                               .metrics = &setting->metrics,
                                               .job_lock = 60 * SECOND};
    setting->replicator = replicator_create(&options);
    run(setting, 34 * SECOND); /* renewed at 30 s */
    net_crash_node(setting->net, "powersync");
    replicator_crash(setting->replicator);
    size_t from = setting->fake->n_requests;
    setting->replicator = replicator_create(&options);
    run(setting, 55 * SECOND);
    assert_int_equal(setting->fake->n_requests, from);
    run(setting, 6 * SECOND);
    assert_string_equal(setting->fake->requests[from], "GET /api/json_schemas?format=json");
    /* it is held while its holder lives, however long */
    struct source *source;
    struct replicator *second = second_replicator(setting, &source, 60 * SECOND);
    from = setting->fake->n_requests;
    run(setting, 200 * SECOND);
    assert_int_equal(requests(setting, from, "GET /api/json_schemas"), 0);
    replicator_destroy(second);
    source_close(source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(pauses),
                                       TEST(redeploy),
                                       TEST(old_stream_follows_during_a_redeploy),
                                       TEST(starts_are_apart),
                                       cmocka_unit_test(lost_positions),
                                       TEST(path_counts_as_words),
                                       TEST(lost_while_being_replaced),
                                       TEST(replaced_while_copying),
                                       TEST(storage_that_cannot_be_written),
                                       TEST(first_deploy_comes_late),
                                       TEST(first_deploy_comes_very_late),
                                       TEST(standing_by),
                                       TEST(lock_of_the_dead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
