/* Storage: the life of replication streams, what commits show and hold back, the parameter index, write
 * checkpoints, and what bad or greedy input leaves behind. */
#include "mock-powersync/unit.h"

#include "mock-powersync/storage_work.h"

static const char *const other_config = WORK_CONFIG "  more:\n    query: SELECT * FROM items\n";

struct fixture {
    struct storage *storage;
    struct replication_stream *stream;
    struct bucket_storage *buckets;
    unsigned changes; /* how often the storage's changes woke somebody */
    struct watch watch;
};

static void count(void *context) {
    ++*(unsigned *)context;
}

static int set_up(void **state) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    fixture->storage = storage_create();
    watch_add(&fixture->storage->changes, &fixture->watch, count, &fixture->changes);
    assert_int_equal(
        storage_deploy(fixture->storage, WORK_CONFIG, "sync.yaml", false, &fixture->stream, NULL), STATUS_OK);
    fixture->buckets = fixture->stream->buckets;
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    watch_remove(&fixture->watch);
    storage_check(fixture->storage);
    storage_destroy(fixture->storage);
    free(fixture);
    return 0;
}

static struct bucket *bucket_b(struct bucket_storage *buckets) {
    return bucket_storage_bucket(buckets, "b", 1);
}

static void save_in(struct bucket_storage *buckets, const char *row, const char *id, const char *data) {
    struct bucket_output output = {
        .bucket = "b", .bucket_length = 1, .object_type = "t", .object_id = id, .data = data};
    output.data_length = data ? strlen(data) : 0;
    struct row_outputs outputs = {.buckets = &output, .n_buckets = data != NULL};
    bucket_storage_save(buckets, "items", row, &outputs, false);
}

/* One row of bucket "b" whose id is that of the row; `data` NULL: it is gone. */
static void save(struct fixture *fixture, const char *row, const char *data) {
    save_in(fixture->buckets, row, row, data);
}

static void activate(struct fixture *fixture, int64_t lsn) {
    fixture->buckets->snapshot_done = true;
    assert_true(bucket_storage_commit(fixture->buckets, lsn, true));
}

/* "PUT a {..} | REMOVE a" of bucket "b". */
static void assert_bucket(struct bucket_storage *buckets, const char *expected) {
    const struct bucket *bucket = bucket_b(buckets);
    struct buffer text = {0};
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_operation *operation = &bucket->operations[i];
        bool put = operation->kind == OPERATION_PUT;
        buffer_printf(&text, "%s%s %s%s%s", i > 0 ? " | " : "", put ? "PUT" : "REMOVE",
                      operation_object_id(operation), put ? " " : "", put ? operation->data : "");
    }
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

/* Streams */

static void first_commit_activates(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(fixture->stream->number, 1);
    assert_int_equal(fixture->changes, 1);
    assert_ptr_equal(storage_deploying(fixture->storage), fixture->stream);
    assert_null(storage_serving(fixture->storage));
    assert_false(bucket_storage_commit(fixture->buckets, 500, true)); /* no snapshot yet */
    assert_int_equal(fixture->stream->state, STREAM_PROCESSING);
    fixture->buckets->snapshot_done = true;
    assert_true(bucket_storage_commit(fixture->buckets, 500, false)); /* although there is nothing */
    assert_int_equal(fixture->stream->state, STREAM_ACTIVE);
    assert_int_equal(fixture->buckets->lsn, 500);
    assert_int_equal(fixture->buckets->resume_lsn, 500);
    assert_ptr_equal(storage_serving(fixture->storage), fixture->stream);
    assert_null(storage_deploying(fixture->storage));
    assert_int_equal(fixture->changes, 2);
}

static void identical_text_is_not_deployed_again(void **state) {
    struct fixture *fixture = *state;
    struct replication_stream *stream = NULL;
    assert_int_equal(storage_deploy(fixture->storage, WORK_CONFIG, "sync.yaml", false, &stream, NULL),
                     STATUS_OK);
    assert_ptr_equal(stream, fixture->stream);
    activate(fixture, 1);
    assert_int_equal(storage_deploy(fixture->storage, WORK_CONFIG, "sync.yaml", false, &stream, NULL),
                     STATUS_OK);
    assert_ptr_equal(stream, fixture->stream);
    assert_int_equal(fixture->storage->n_streams, 1);
    assert_int_equal(storage_deploy(fixture->storage, WORK_CONFIG, "sync.yaml", true, &stream, NULL),
                     STATUS_OK);
    assert_int_equal(stream->number, 2);
    assert_int_equal(stream->state, STREAM_PROCESSING);
    assert_int_equal(fixture->stream->state, STREAM_ACTIVE);
}

static void redeploy_replaces_when_it_is_ready(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{}");
    activate(fixture, 1);
    replication_stream_hold(fixture->stream);
    struct replication_stream *next;
    assert_int_equal(storage_deploy(fixture->storage, other_config, "sync.yaml", false, &next, NULL),
                     STATUS_OK);
    assert_ptr_equal(storage_serving(fixture->storage), fixture->stream);
    save(fixture, "b", "{}"); /* the old one goes on */
    assert_true(bucket_storage_commit(fixture->buckets, 2, false));
    save_in(next->buckets, "a", "a", "{}");
    assert_int_equal(bucket_b(next->buckets)->operations[0].op_id, 3); /* one sequence for all */
    next->buckets->snapshot_done = true;
    unsigned before = fixture->changes;
    assert_true(bucket_storage_commit(next->buckets, 1, true));
    assert_int_equal(fixture->changes, before + 1);
    assert_ptr_equal(storage_serving(fixture->storage), next);
    assert_int_equal(fixture->stream->state, STREAM_STOPPED);
    assert_int_equal(bucket_b(fixture->buckets)->count, 2); /* held: still there to be read */
    save(fixture, "c", "{}");
    assert_false(bucket_storage_commit(fixture->buckets, 3, false)); /* and never moves again */
    replication_stream_release(fixture->stream);
    assert_int_equal(fixture->storage->n_streams, 1);
    assert_int_equal(fixture->storage->last_number, 2);
}

static void only_the_newest_deployment_goes_on(void **state) {
    struct fixture *fixture = *state;
    struct replication_stream *next;
    replication_stream_hold(fixture->stream);
    assert_int_equal(storage_deploy(fixture->storage, other_config, "sync.yaml", false, &next, NULL),
                     STATUS_OK);
    assert_int_equal(fixture->stream->state, STREAM_STOPPED);
    assert_ptr_equal(storage_deploying(fixture->storage), next);
    replication_stream_release(fixture->stream);
    assert_int_equal(fixture->storage->n_streams, 1);
}

static void wrong_config_changes_nothing(void **state) {
    struct fixture *fixture = *state;
    struct error error;
    assert_int_equal(storage_deploy(fixture->storage, "streams: [", "wrong.yaml", false, NULL, &error),
                     STATUS_INVALID);
    assert_string_equal(error.file, "wrong.yaml");
    assert_true(error.line > 0 && error.column > 0);
    assert_ptr_equal(storage_deploying(fixture->storage), fixture->stream);
    assert_int_equal(fixture->storage->last_number, 1);
    assert_int_equal(fixture->changes, 1);
}

/* The source lost the position: begin anew, and serve the old state until the new one is there. */
static void restart_of_a_served_stream(void **state) {
    struct fixture *fixture = *state;
    activate(fixture, 5);
    assert_int_equal(storage_stream_restart(fixture->storage, fixture->stream, NULL), STATUS_OK);
    assert_int_equal(fixture->stream->state, STREAM_ERRORED);
    assert_ptr_equal(storage_serving(fixture->storage), fixture->stream);
    struct replication_stream *next = storage_deploying(fixture->storage);
    assert_int_equal(next->number, 2);
    assert_string_equal(next->text, WORK_CONFIG);
    assert_false(bucket_storage_commit(fixture->buckets, 6, true)); /* not replicated any more */
    next->buckets->snapshot_done = true;
    assert_true(bucket_storage_commit(next->buckets, 9, true));
    assert_ptr_equal(storage_serving(fixture->storage), next);
    assert_int_equal(fixture->storage->n_streams, 1);
}

static void restart_of_a_deployment(void **state) {
    struct fixture *fixture = *state;
    assert_int_equal(storage_stream_restart(fixture->storage, fixture->stream, NULL), STATUS_OK);
    assert_int_equal(fixture->storage->n_streams, 1);
    assert_int_equal(storage_deploying(fixture->storage)->number, 2);
}

/* A newer config is on its way already: the old one's text does not come back. */
static void restart_while_deploying(void **state) {
    struct fixture *fixture = *state;
    activate(fixture, 5);
    struct replication_stream *next;
    assert_int_equal(storage_deploy(fixture->storage, other_config, "sync.yaml", false, &next, NULL),
                     STATUS_OK);
    assert_int_equal(storage_stream_restart(fixture->storage, fixture->stream, NULL), STATUS_OK);
    assert_int_equal(fixture->stream->state, STREAM_ERRORED);
    assert_ptr_equal(storage_deploying(fixture->storage), next);
    assert_int_equal(fixture->storage->last_number, 2);
}

static void failures_are_told(void **state) {
    struct fixture *fixture = *state;
    unsigned before = fixture->changes;
    replication_stream_report(fixture->stream, "it broke", 77);
    assert_string_equal(fixture->stream->error, "it broke");
    assert_int_equal(fixture->stream->error_at, 77);
    assert_int_equal(fixture->changes, before + 1);
    replication_stream_report(fixture->stream, NULL, 0);
    assert_null(fixture->stream->error);
    replication_stream_report(fixture->stream, NULL, 0);
    assert_int_equal(fixture->changes, before + 2);
}

/* Operations (fact sheet 7.3, data tests) */

static void insert_delete_insert(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{\"v\":1}");
    save(fixture, "a", NULL);
    save(fixture, "a", "{\"v\":2}");
    save(fixture, "a", NULL);
    save(fixture, "a", NULL); /* applied again: it is unknown by now */
    assert_bucket(fixture->buckets, "PUT a {\"v\":1} | REMOVE a | PUT a {\"v\":2} | REMOVE a");
    const struct bucket *bucket = bucket_b(fixture->buckets);
    char first[37], second[37];
    operation_subkey(&bucket->operations[0], first);
    operation_subkey(&bucket->operations[2], second);
    assert_string_equal(first, second);
    assert_int_equal(bucket->operations[1].checksum, checksum_remove(first));
}

static void changing_client_ids(void **state) {
    struct fixture *fixture = *state;
    save_in(fixture->buckets, "row", "client1", "{\"v\":1}");
    save_in(fixture->buckets, "row", "client2", "{\"v\":2}");
    assert_bucket(fixture->buckets, "PUT client1 {\"v\":1} | PUT client2 {\"v\":2} | REMOVE client1");
}

/* Two source rows with the same id: removing one leaves the other. */
static void overlapping_ids(void **state) {
    struct fixture *fixture = *state;
    save_in(fixture->buckets, "row1", "x", "{\"v\":1}");
    save_in(fixture->buckets, "row2", "x", "{\"v\":2}");
    save_in(fixture->buckets, "row1", "x", NULL);
    activate(fixture, 1);
    struct reduced client = {0};
    reduced_read(&client, bucket_b(fixture->buckets), fixture->buckets->checkpoint, SIZE_MAX);
    assert_int_equal(client.live.count, 1);
    struct map_entry *entry;
    for (size_t i = 0; (entry = map_next(&client.live, &i));)
        assert_string_equal(((struct reduced_row *)entry->value)->data, "{\"v\":2}");
    assert_int_equal(reduced_checksum(&client),
                     bucket_state_at(bucket_b(fixture->buckets), fixture->buckets->checkpoint).checksum);
    reduced_free(&client);
}

/* S28: what is too large is not there. */
static void too_large_rows(void **state) {
    struct fixture *fixture = *state;
    char *large = memory_allocate(ROW_BYTES_LIMIT + 2);
    memset(large, ' ', ROW_BYTES_LIMIT + 1);
    struct bucket_output output = {.bucket = "b",
                                   .bucket_length = 1,
                                   .object_type = "t",
                                   .object_id = "a",
                                   .data = large,
                                   .data_length = ROW_BYTES_LIMIT + 1};
    struct row_outputs outputs = {.buckets = &output, .n_buckets = 1};
    assert_int_equal(bucket_storage_save(fixture->buckets, "items", "a", &outputs, false), 1);
    assert_int_equal(bucket_b(fixture->buckets)->count, 0);
    assert_int_equal(fixture->buckets->rows.count, 0);
    output.data_length = ROW_BYTES_LIMIT;
    assert_int_equal(bucket_storage_save(fixture->buckets, "items", "a", &outputs, false), 0);
    output.data_length = ROW_BYTES_LIMIT + 1;
    assert_int_equal(bucket_storage_save(fixture->buckets, "items", "a", &outputs, false), 1);
    const struct bucket *bucket = bucket_b(fixture->buckets);
    assert_int_equal(bucket->count, 2);
    assert_int_equal(bucket->operations[0].data_length, ROW_BYTES_LIMIT);
    assert_int_equal(bucket->operations[1].kind, OPERATION_REMOVE);
    free(large);
}

/* Commits (fact sheet 2.6) */

static void blocked_commits_are_released(void **state) {
    struct fixture *fixture = *state;
    activate(fixture, 100);
    fixture->buckets->no_checkpoint_before = 200;
    save(fixture, "a", "{}");
    assert_false(bucket_storage_commit(fixture->buckets, 99, false));
    assert_false(bucket_storage_commit(fixture->buckets, 199, true));
    assert_int_equal(fixture->buckets->checkpoint, 0);
    assert_int_equal(fixture->buckets->lsn, 100);
    /* The next that is not blocked shows what the blocked ones would have, although it has nothing itself. */
    assert_true(bucket_storage_commit(fixture->buckets, 200, false));
    assert_int_equal(fixture->buckets->checkpoint, 1);
}

static void empty_commits(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{}");
    activate(fixture, 100);
    assert_false(bucket_storage_commit(fixture->buckets, 200, false));
    assert_int_equal(fixture->buckets->lsn, 100);
    assert_true(bucket_storage_commit(fixture->buckets, 200, true)); /* a keepalive */
    assert_int_equal(fixture->buckets->lsn, 200);
    assert_int_equal(fixture->buckets->checkpoint, 1);
    assert_int_equal(fixture->buckets->commits, 1);
}

/* Parameters (fact sheet 2.9) */

static void save_lookup(struct fixture *fixture, const char *row, const char *key, const char *values) {
    struct lookup_output lookup = {key, strlen(key), values, values ? strlen(values) : 0};
    struct row_outputs outputs = {.lookups = &lookup, .n_lookups = values != NULL};
    bucket_storage_save(fixture->buckets, "items", row, &outputs, false);
}

static void assert_lookup(struct fixture *fixture, const char *key, uint64_t op_id, const char *expected) {
    struct lines lines = {0};
    bucket_storage_lookup(fixture->buckets, key, strlen(key), op_id, add_tuple, &lines);
    char *text = lines_text(&lines);
    assert_string_equal(text, expected);
    free(text);
}

static void lookups_at_each_checkpoint(void **state) {
    struct fixture *fixture = *state;
    save_lookup(fixture, "r1", "k", "[[\"t1\"]]");
    save_lookup(fixture, "r2", "k", "[[\"t2\",{\"a\":[1]}],[\"] \\\" [\"]]");
    activate(fixture, 1);
    assert_int_equal(fixture->buckets->checkpoint, 2); /* each entry has an op id */
    save_lookup(fixture, "r1", "k", "[[\"t3\"]]");
    save_lookup(fixture, "r2", "other", "[[7]]");
    assert_int_equal(fixture->buckets->last_op, 5); /* and the one that is left, too */
    assert_lookup(fixture, "k", 0, "");
    assert_lookup(fixture, "k", 1, "[\"t1\"]\n");
    assert_lookup(fixture, "k", 2, "[\"] \\\" [\"]\n[\"t1\"]\n[\"t2\",{\"a\":[1]}]\n");
    assert_lookup(fixture, "k", 5, "[\"t3\"]\n");
    assert_lookup(fixture, "other", 5, "[7]\n");
    assert_lookup(fixture, "unknown", 5, "");
    save_lookup(fixture, "r1", "k", NULL);
    save_lookup(fixture, "r1", "k", NULL);
    assert_int_equal(fixture->buckets->last_op, 6);
    assert_lookup(fixture, "k", 6, "");
}

/* Whichever list is shorter, the row's keys or the key's rows, the row's entry is found again. */
static void entries_are_found_again(void **state) {
    struct fixture *fixture = *state;
    static const char *const rows[] = {"r1", "r2", "r3"};
    for (size_t i = 0; i < 3; i++)
        save_lookup(fixture, rows[i], "k", "[[1]]");
    for (size_t i = 0; i < 3; i++)
        save_lookup(fixture, rows[i], "k", "[[2]]");
    assert_int_equal(fixture->buckets->last_op, 6); /* nothing had to be taken back */
    struct lookup_output many[] = {
        {"a", 1, "[[1]]", 5}, {"b", 1, "[[1]]", 5}, {"c", 1, "[[1]]", 5}, {"k", 1, "[[1]]", 5}};
    struct row_outputs outputs = {.lookups = many, .n_lookups = 4};
    for (int i = 0; i < 2; i++)
        bucket_storage_save(fixture->buckets, "items", "r4", &outputs, false);
    assert_int_equal(fixture->buckets->last_op, 14);
}

static void lookup_watches(void **state) {
    struct fixture *fixture = *state;
    unsigned wakes = 0;
    struct watch watch = {0};
    watch_add(bucket_storage_lookup_watches(fixture->buckets, "k", 1), &watch, count, &wakes);
    save_lookup(fixture, "r1", "k", "[[1]]");
    assert_int_equal(wakes, 0);
    activate(fixture, 1);
    assert_int_equal(wakes, 1);
    save_lookup(fixture, "r2", "other", "[[1]]");
    assert_true(bucket_storage_commit(fixture->buckets, 2, false));
    assert_int_equal(wakes, 1);
    save_lookup(fixture, "r1", "k", "[[1]]"); /* a new op id, but nothing else is said */
    assert_true(bucket_storage_commit(fixture->buckets, 3, false));
    assert_int_equal(fixture->buckets->checkpoint, 3);
    assert_int_equal(wakes, 1);
    save_lookup(fixture, "r1", "k", NULL);
    assert_true(bucket_storage_commit(fixture->buckets, 4, false));
    assert_int_equal(wakes, 2);
    watch_remove(&watch);
}

static void snapshots_skip_rows_with_parameters_only(void **state) {
    struct fixture *fixture = *state;
    struct lookup_output lookup = {"k", 1, "[[1]]", 5};
    struct row_outputs outputs = {.lookups = &lookup, .n_lookups = 1};
    bucket_storage_save(fixture->buckets, "items", "r", &outputs, true);
    bucket_storage_save(fixture->buckets, "items", "r", &outputs, true);
    assert_int_equal(fixture->buckets->last_op, 1);
}

/* Write checkpoints (fact sheet 4.3) */

static void write_checkpoints_follow_the_served_stream(void **state) {
    struct fixture *fixture = *state;
    struct write_checkpoints *checkpoints = &fixture->storage->write_checkpoints;
    activate(fixture, 100);
    struct write_checkpoint *record = write_checkpoints_record(checkpoints, "ann/1");
    unsigned wakes = 0;
    struct watch watch = {0};
    watch_add(&record->watches, &watch, count, &wakes);
    assert_int_equal(write_checkpoints_next(checkpoints, "ann/1", 150, 1), 1);
    struct replication_stream *next;
    assert_int_equal(storage_deploy(fixture->storage, other_config, "sync.yaml", false, &next, NULL),
                     STATUS_OK);
    assert_true(bucket_storage_commit(fixture->buckets, 140, true));
    assert_int_equal(write_checkpoint_visible(record, fixture->buckets->lsn), 0);
    assert_int_equal(wakes, 0);
    next->buckets->snapshot_done = true;
    assert_true(bucket_storage_commit(next->buckets, 160, true));
    assert_int_equal(wakes, 1);
    assert_int_equal(write_checkpoint_visible(record, next->buckets->lsn), 1);
    assert_int_equal(write_checkpoints_next(checkpoints, "ann/1", 170, 2), 2); /* goes on after a redeploy */
    watch_remove(&watch);
}

/* S14 */
static void supplied_ids_are_monotone(void **state) {
    struct fixture *fixture = *state;
    struct write_checkpoints *checkpoints = &fixture->storage->write_checkpoints;
    static const struct {
        int64_t id, head, stored;
    } requests[] = {{5, 10, 5}, {3, 99, 5}, {5, 99, 5}, {9, 20, 9}};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(write_checkpoints_supply(checkpoints, "k", requests[i].id, requests[i].head, 1),
                         requests[i].stored);
    assert_int_equal(write_checkpoints_record(checkpoints, "k")->head, 20);
    assert_int_equal(write_checkpoints_next(checkpoints, "k", 30, 2), 10);
    assert_false(write_checkpoints_record(checkpoints, "k")->supplied);
}

/* Clients can ask for any bucket, key and client id: what nobody watches goes. */
static void unneeded_things_go(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{}");
    activate(fixture, 1);
    struct watch watches[3] = {{0}};
    unsigned wakes = 0;
    watch_add(&bucket_storage_bucket(fixture->buckets, "watched", 7)->watches, &watches[0], count, &wakes);
    watch_add(bucket_storage_lookup_watches(fixture->buckets, "watched", 7), &watches[1], count, &wakes);
    struct write_checkpoints *checkpoints = &fixture->storage->write_checkpoints;
    watch_add(&write_checkpoints_record(checkpoints, "watched")->watches, &watches[2], count, &wakes);
    write_checkpoints_next(checkpoints, "used", 1, 1);
    for (int i = 0; i < 100000; i++) {
        char name[20];
        size_t length = (size_t)snprintf(name, sizeof name, "n%d", i);
        bucket_storage_bucket(fixture->buckets, name, length);
        bucket_storage_lookup_watches(fixture->buckets, name, length);
        write_checkpoints_record(checkpoints, name);
        if (i % 100 == 0)
            assert_true(bucket_storage_commit(fixture->buckets, 2 + i, true));
        assert_true(fixture->buckets->buckets.count + fixture->buckets->parameters.lookups.count < 2500);
        assert_true(checkpoints->records.count < 2500);
    }
    assert_non_null(bucket_storage_find(fixture->buckets, "watched", 7));
    assert_int_equal(bucket_b(fixture->buckets)->count, 1);
    assert_int_equal(write_checkpoints_record(checkpoints, "used")->id, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(watches[i].list);
        watch_remove(&watches[i]);
    }
}

/* Many rows come and go, found by table and id all the while. */
static void rows_come_and_go(void **state) {
    struct fixture *fixture = *state;
    struct dice dice = {.seed = 7};
    bool there[500] = {false};
    activate(fixture, 1);
    size_t count_there = 0;
    for (int64_t i = 0; i < 20000; i++) {
        unsigned row = roll(&dice, 500);
        char id[20];
        snprintf(id, sizeof id, "row-%u", row);
        count_there += there[row] ? (size_t)-1 : 1;
        there[row] = !there[row];
        save(fixture, id, there[row] ? "{}" : NULL);
        if (i % 500 == 0) {
            assert_true(bucket_storage_commit(fixture->buckets, 2 + i, false));
            struct compaction_options options = {0};
            storage_compact(fixture->storage, NULL, &options, NULL, NULL);
            storage_check(fixture->storage);
        }
    }
    assert_true(bucket_storage_commit(fixture->buckets, 30000, false));
    struct compaction_options options = {0};
    storage_compact(fixture->storage, NULL, &options, NULL, NULL);
    for (unsigned row = 0; row < 500; row++) {
        char id[20];
        snprintf(id, sizeof id, "row-%u", row);
        const struct source_row *found = source_rows_find(&fixture->buckets->rows, "items", id);
        assert_int_equal(found && found->n_emitted > 0, there[row]);
    }
    assert_true(fixture->buckets->rows.count >= count_there);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(first_commit_activates),
        TEST(identical_text_is_not_deployed_again),
        TEST(redeploy_replaces_when_it_is_ready),
        TEST(only_the_newest_deployment_goes_on),
        TEST(wrong_config_changes_nothing),
        TEST(restart_of_a_served_stream),
        TEST(restart_of_a_deployment),
        TEST(restart_while_deploying),
        TEST(failures_are_told),
        TEST(insert_delete_insert),
        TEST(changing_client_ids),
        TEST(overlapping_ids),
        TEST(too_large_rows),
        TEST(blocked_commits_are_released),
        TEST(empty_commits),
        TEST(lookups_at_each_checkpoint),
        TEST(entries_are_found_again),
        TEST(lookup_watches),
        TEST(snapshots_skip_rows_with_parameters_only),
        TEST(write_checkpoints_follow_the_served_stream),
        TEST(supplied_ids_are_monotone),
        TEST(unneeded_things_go),
        TEST(rows_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
