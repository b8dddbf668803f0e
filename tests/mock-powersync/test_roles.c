/* Processes that share a storage: API and replication apart, two services side by side, one of them dying. */
#include "mock-powersync/unit.h"

#include "mock-powersync/fixture.h"
#include "mock-powersync/storage/storage.h"

static const char *const yaml = "config: {edition: 3}\n"
                                "streams:\n"
                                "  own:\n"
                                "    auto_subscribe: true\n"
                                "    query: SELECT *, uuid AS id FROM lists WHERE owner = auth.user_id()\n";

#define SOON (100 * TIME_MILLISECOND)

struct setting {
    struct fixture *fixture; /* clients talk to "api" */
    struct storage *storage;
    struct host *api_host, *other_host;
    struct powersync_service *api, *other;
};

static int set_up(void **state) {
    struct setting *setting = memory_allocate(sizeof *setting);
    setting->fixture = fixture_create();
    setting->fixture->server = "api";
    setting->storage = storage_create();
    setting->api_host = net_node(setting->fixture->net, "api");
    setting->other_host = net_node(setting->fixture->net, "other");
    *state = setting;
    return 0;
}

static int tear_down(void **state) {
    struct setting *setting = *state;
    powersync_service_destroy(setting->api);
    powersync_service_destroy(setting->other);
    fixture_destroy(setting->fixture);
    storage_destroy(setting->storage);
    free(setting);
    return 0;
}

static struct powersync_service *start(struct setting *setting, struct host *host, enum powersync_role role,
                                       struct powersync_options options) {
    options.role = role;
    options.storage = setting->storage;
    return fixture_start_on(host, options);
}

/* The API on its node, replication on the other. */
static void start_apart(struct setting *setting) {
    setting->api = start(setting, setting->api_host, POWERSYNC_API,
                         (struct powersync_options){.notification_delay = 50 * TIME_MILLISECOND});
    setting->other = start(setting, setting->other_host, POWERSYNC_REPLICATION,
                           (struct powersync_options){.sync_config = yaml, .job_lock = 55 * TIME_SECOND});
    run_for(setting->fixture, TIME_SECOND);
}

static void put_list(struct setting *setting, int number) {
    char id[20], *fields = memory_format(",\"uuid\":\"u%d\",\"owner\":\"alice\"", number);
    snprintf(id, sizeof id, "j%d", number);
    fake_put(setting->fixture->fake, setting->fixture->fake->latest + 1000, "lists", id, fields);
    free(fields);
}

static size_t count_requests(const struct setting *setting, const char *start) {
    size_t count = 0;
    for (size_t i = 0; i < setting->fixture->fake->n_requests; i++)
        count += strncmp(setting->fixture->fake->requests[i], start, strlen(start)) == 0;
    return count;
}

static void stop(struct setting *setting, struct powersync_service *service, const char *node) {
    net_crash_node(setting->fixture->net, node);
    powersync_service_crash(service);
}

static struct client *open_stream(struct setting *setting) {
    struct client *client = client_open(setting->fixture, "alice-1", "alice", "{\"client_id\":\"c1\"}");
    run_for(setting->fixture, SOON);
    assert_int_equal(client->status, 200);
    return client;
}

/* --- API and replication apart --- */

static void through_storage_only(void **state) {
    struct setting *setting = *state;
    start_apart(setting);
    struct client *client = open_stream(setting);
    assert_kinds(client, "checkpoint checkpoint_complete");
    forget_lines(client);
    put_list(setting, 1);
    run_for(setting->fixture, 2 * TIME_SECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    forget_lines(client);
    struct client *request =
        client_get(setting->fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(setting->fixture, 2 * TIME_SECOND);
    assert_int_equal(request->status, 200);
    assert_kinds(client, "checkpoint_diff checkpoint_complete");
    assert_string_equal(json_text(line_of(client, 0, "checkpoint_diff"), "write_checkpoint"), "1");
    client_close(request);
    client_close(client);
}

/* Clients hear of a commit only after the notification's way. */
static void notifications_take_time(void **state) {
    struct setting *setting = *state;
    setting->api = start(setting, setting->api_host, POWERSYNC_API,
                         (struct powersync_options){.notification_delay = 700 * TIME_MILLISECOND});
    setting->other = start(setting, setting->other_host, POWERSYNC_REPLICATION,
                           (struct powersync_options){.sync_config = yaml});
    run_for(setting->fixture, TIME_SECOND);
    struct client *client = open_stream(setting);
    run_for(setting->fixture, TIME_SECOND);
    forget_lines(client);
    uint64_t before = storage_serving(setting->storage)->buckets->checkpoint;
    put_list(setting, 1);
    while (storage_serving(setting->storage)->buckets->checkpoint == before)
        run_for(setting->fixture, 10 * TIME_MILLISECOND);
    run_for(setting->fixture, 650 * TIME_MILLISECOND);
    assert_int_equal(line_count(client), 0);
    run_for(setting->fixture, 100 * TIME_MILLISECOND);
    assert_kinds(client, "checkpoint_diff data checkpoint_complete");
    client_close(client);
}

/* Who only replicates answers probes, nothing else; who only serves does not replicate. */
static void each_its_own(void **state) {
    struct setting *setting = *state;
    setting->api =
        start(setting, setting->api_host, POWERSYNC_API, (struct powersync_options){.sync_config = yaml});
    run_for(setting->fixture, 5 * TIME_SECOND);
    assert_int_equal(setting->fixture->fake->n_requests, 0);
    assert_null(storage_serving(setting->storage));
    setting->other =
        start(setting, setting->other_host, POWERSYNC_REPLICATION, (struct powersync_options){0});
    run_for(setting->fixture, TIME_SECOND);
    assert_true(powersync_service_position(setting->api) > 0); /* deployed there, replicated here */
    setting->fixture->server = "other";
    static const struct {
        const char *target;
        int status;
    } cases[] = {
        {"/probes/liveness", 200}, {"/write-checkpoint2.json", 404}, {"/api/sync-rules/v1/current", 404}};
    for (size_t i = 0; i < 3; i++) {
        struct client *client = client_get(setting->fixture, "alice-1", "alice", cases[i].target);
        run_for(setting->fixture, SOON);
        assert_int_equal(client->status, cases[i].status);
        client_close(client);
    }
    struct buffer text = {0};
    powersync_service_metrics(setting->other, &text);
    assert_non_null(strstr(buffer_text(&text), "powersync_rows_replicated_total"));
    assert_null(strstr(buffer_text(&text), "powersync_concurrent_connections"));
    buffer_clear(&text);
    powersync_service_metrics(setting->api, &text);
    assert_null(strstr(buffer_text(&text), "powersync_rows_replicated_total"));
    assert_non_null(strstr(buffer_text(&text), "powersync_concurrent_connections"));
    buffer_free(&text);
}

/* Streams stay open while replication is dead, and go on when it is back. */
static void replication_dies(void **state) {
    struct setting *setting = *state;
    start_apart(setting);
    struct client *client = open_stream(setting);
    stop(setting, setting->other, "other");
    put_list(setting, 1);
    run_for(setting->fixture, 10 * TIME_SECOND);
    assert_kinds(client, "checkpoint checkpoint_complete");
    powersync_service_restart(setting->other);
    run_for(setting->fixture, 70 * TIME_SECOND); /* its old lock has to run out first */
    size_t data = 0;
    for (size_t i = 0; i < line_count(client); i++)
        data += strcmp(line_kind(line(client, i)), "data") == 0;
    assert_int_equal(data, 1);
    client_close(client);
}

/* Replication goes on without the API. */
static void api_dies(void **state) {
    struct setting *setting = *state;
    start_apart(setting);
    struct client *client = open_stream(setting);
    stop(setting, setting->api, "api");
    run_for(setting->fixture, SOON);
    assert_true(client->failed);
    client_close(client);
    put_list(setting, 1);
    run_for(setting->fixture, 2 * TIME_SECOND);
    assert_int_equal(storage_serving(setting->storage)->buckets->checkpoint, 1);
    powersync_service_restart(setting->api);
    client = open_stream(setting);
    assert_kinds(client, "checkpoint data checkpoint_complete");
    client_close(client);
}

/* A write checkpoint whose API died after it was stored is announced by the next one. */
static void acknowledged_by_another(void **state) {
    struct setting *setting = *state;
    start_apart(setting);
    struct client *request =
        client_get(setting->fixture, "alice-1", "alice", "/write-checkpoint2.json?client_id=c1");
    run_for(setting->fixture, 50 * TIME_MILLISECOND);
    assert_int_equal(request->status, 200);
    client_close(request);
    stop(setting, setting->api, "api");
    run_for(setting->fixture, 3 * TIME_SECOND);
    powersync_service_restart(setting->api);
    struct client *client = open_stream(setting);
    assert_string_equal(json_text(line_of(client, 0, "checkpoint"), "write_checkpoint"), "1");
    client_close(client);
}

/* --- two services --- */

static void start_two(struct setting *setting) {
    const struct powersync_options options = {.sync_config = yaml, .job_lock = 55 * TIME_SECOND};
    setting->api = start(setting, setting->api_host, POWERSYNC_UNIFIED, options);
    setting->other = start(setting, setting->other_host, POWERSYNC_UNIFIED, options);
    run_for(setting->fixture, TIME_SECOND);
}

/* Only one replicates; both serve. */
static void one_replicates(void **state) {
    struct setting *setting = *state;
    start_two(setting);
    run_for(setting->fixture, 9 * TIME_SECOND);
    assert_in_range(count_requests(setting, "GET /api/document_deltas"), 9, 12); /* one a second */
    assert_int_equal(setting->storage->n_streams, 1);                            /* deployed once */
    struct client *first = open_stream(setting);
    setting->fixture->server = "other";
    struct client *second = open_stream(setting);
    put_list(setting, 1);
    run_for(setting->fixture, 2 * TIME_SECOND);
    assert_kinds(first, "checkpoint checkpoint_complete checkpoint_diff data checkpoint_complete");
    assert_kinds(second, "checkpoint checkpoint_complete checkpoint_diff data checkpoint_complete");
    client_close(first);
    client_close(second);
}

/* The one that replicates dies: the other takes over when the lock has run out, and loses nothing. */
static void the_other_takes_over(void **state) {
    struct setting *setting = *state;
    start_two(setting);
    setting->fixture->server = "other";
    struct client *client = open_stream(setting);
    forget_lines(client);
    stop(setting, setting->api, "api");
    put_list(setting, 1);
    run_for(setting->fixture, 40 * TIME_SECOND);
    uint64_t checkpoint = storage_serving(setting->storage)->buckets->checkpoint;
    assert_int_equal(checkpoint, 0);
    run_for(setting->fixture, 30 * TIME_SECOND);
    assert_int_equal(storage_serving(setting->storage)->buckets->checkpoint, 1);
    powersync_service_restart(setting->api);
    put_list(setting, 2);
    run_for(setting->fixture, 10 * TIME_SECOND);
    assert_int_equal(storage_serving(setting->storage)->buckets->checkpoint, 2);
    size_t data = 0;
    for (size_t i = 0; i < line_count(client); i++)
        data += strcmp(line_kind(line(client, i)), "data") == 0;
    assert_int_equal(data, 2);
    client_close(client);
}

/* A clean end lets go of the lock at once. */
static void a_clean_end(void **state) {
    struct setting *setting = *state;
    start_two(setting);
    powersync_service_destroy(setting->api);
    setting->api = NULL;
    put_list(setting, 1);
    run_for(setting->fixture, 7 * TIME_SECOND); /* it looks every 5 s */
    assert_int_equal(storage_serving(setting->storage)->buckets->checkpoint, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {TEST(through_storage_only),
                                       TEST(notifications_take_time),
                                       TEST(each_its_own),
                                       TEST(replication_dies),
                                       TEST(api_dies),
                                       TEST(acknowledged_by_another),
                                       TEST(one_replicates),
                                       TEST(the_other_takes_over),
                                       TEST(a_clean_end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
