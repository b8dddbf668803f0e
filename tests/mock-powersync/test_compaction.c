/* Compaction: what becomes a MOVE or a CLEAR, that nobody can tell the difference, and who must not go on. */
#include "mock-powersync/unit.h"

#include "mock-powersync/storage_work.h"

struct fixture {
    struct storage *storage;
    struct replication_stream *stream;
    struct bucket_storage *buckets;
    int64_t lsn;
};

static int set_up(void **state) {
    struct fixture *fixture = memory_allocate(sizeof *fixture);
    fixture->storage = storage_create();
    assert_int_equal(
        storage_deploy(fixture->storage, WORK_CONFIG, "sync.yaml", false, &fixture->stream, NULL), STATUS_OK);
    fixture->buckets = fixture->stream->buckets;
    fixture->buckets->snapshot_done = true;
    fixture->lsn = 1000;
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *fixture = *state;
    storage_check(fixture->storage);
    storage_destroy(fixture->storage);
    free(fixture);
    return 0;
}

/* One row in bucket "b"; `data` NULL: it is gone. */
static void save(struct fixture *fixture, const char *id, const char *data) {
    struct bucket_output output = {.bucket = "b", .bucket_length = 1, .object_type = "t", .object_id = id};
    output.data = data;
    output.data_length = data ? strlen(data) : 0;
    struct row_outputs outputs = {.buckets = &output, .n_buckets = data != NULL};
    bucket_storage_save(fixture->buckets, "items", id, &outputs, false);
}

static uint64_t commit(struct fixture *fixture) {
    assert_true(bucket_storage_commit(fixture->buckets, ++fixture->lsn, false));
    return fixture->buckets->checkpoint;
}

static struct bucket *the_bucket(struct fixture *fixture) {
    return bucket_storage_bucket(fixture->buckets, "b", 1);
}

static void compact(struct fixture *fixture, uint64_t max_op) {
    struct compaction_options options = {.max_op = max_op};
    assert_int_equal(storage_compact(fixture->storage, fixture->stream, &options, NULL, NULL), STATUS_OK);
    storage_check(fixture->storage);
}

/* "1P 2M>3": op id, kind, target. */
static void assert_operations(struct fixture *fixture, const char *expected) {
    const struct bucket *bucket = the_bucket(fixture);
    struct buffer text = {0};
    for (size_t i = 0; i < bucket->count; i++) {
        const struct bucket_operation *operation = &bucket->operations[i];
        buffer_printf(&text, "%s%llu%c", i > 0 ? " " : "", (unsigned long long)operation->op_id,
                      "PRMC"[operation->kind]);
        if (!operation->place && operation->target_op > 0)
            buffer_printf(&text, ">%llu", (unsigned long long)operation->target_op);
    }
    assert_string_equal(buffer_text(&text), expected);
    buffer_free(&text);
}

static void replaced_operations_move(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{}");
    save(fixture, "x", "{\"v\":1}");
    save(fixture, "x", "{\"v\":2}");
    save(fixture, "x", "{\"v\":3}");
    uint64_t checkpoint = commit(fixture);
    struct bucket_state before = bucket_state_at(the_bucket(fixture), checkpoint);
    uint32_t checksum = the_bucket(fixture)->operations[1].checksum;
    compact(fixture, 0);
    assert_operations(fixture, "1P 2M>4 3M>4 4P");
    assert_int_equal(the_bucket(fixture)->operations[1].checksum, checksum);
    struct bucket_state after = bucket_state_at(the_bucket(fixture), checkpoint);
    assert_int_equal(after.checksum, before.checksum);
    assert_int_equal(after.count, 4);
    assert_int_equal(bucket_storage_size(fixture->buckets).operations,
                     4 * sizeof(struct bucket_operation) + strlen("{}") + strlen("{\"v\":3}"));
}

static void leading_operations_clear(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "x", "{\"v\":1}");
    save(fixture, "x", "{\"v\":2}");
    save(fixture, "y", "{}");
    save(fixture, "y", NULL);
    save(fixture, "x", "{\"v\":3}");
    uint64_t checkpoint = commit(fixture);
    const struct bucket *bucket = the_bucket(fixture);
    uint32_t sum = bucket->operations[3].sum, all = bucket_state_at(bucket, checkpoint).checksum;
    compact(fixture, 0);
    assert_operations(fixture, "4C>5 5P");
    assert_int_equal(bucket->operations[0].checksum, sum);
    assert_int_equal(bucket_state_at(bucket, checkpoint).checksum, all);
    assert_int_equal(bucket_state_at(bucket, checkpoint).count, 2);
    compact(fixture, 0);
    assert_operations(fixture, "4C>5 5P");
}

static void removed_rows_leave_nothing(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "x", "{}");
    commit(fixture);
    compact(fixture, 0);
    save(fixture, "x", NULL);
    commit(fixture);
    struct compaction_options options = {.max_op = 1};
    assert_int_equal(storage_compact(fixture->storage, NULL, &options, NULL, NULL), STATUS_OK);
    assert_operations(fixture, "1P 2R");
    compact(fixture, 0);
    assert_operations(fixture, "2C>2");
    assert_int_equal(fixture->buckets->rows.count, 0); /* nothing speaks of the row any more */
    save(fixture, "z", "{}");
    save(fixture, "z", NULL);
    commit(fixture);
    compact(fixture, 0);
    assert_operations(fixture, "4C>4");
}

/* And one leading operation alone is not cleared, as with the real service's Postgres storage. */
static void what_is_not_committed_stays(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "x", "{\"v\":1}");
    save(fixture, "x", "{\"v\":2}");
    commit(fixture);
    save(fixture, "x", "{\"v\":3}");
    compact(fixture, 1000);
    assert_operations(fixture, "1M>2 2P 3P");
}

static void few_new_operations_are_not_worth_it(void **state) {
    struct fixture *fixture = *state;
    for (int i = 0; i < 9; i++)
        save(fixture, "x", "{}");
    commit(fixture);
    struct compaction_result result;
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    assert_int_equal(result.moved, 0);
    save(fixture, "x", "{}");
    commit(fixture);
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    assert_int_equal(result.moved, 9);
    assert_int_equal(result.cleared, 9);
    /* 10 new ones of 201 are less than a tenth; 23 of 214 are more. */
    for (int i = 0; i < 199; i++) {
        char id[20];
        snprintf(id, sizeof id, "y%d", i);
        save(fixture, id, "{}");
    }
    commit(fixture);
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    for (int i = 0; i < 10; i++)
        save(fixture, "x", "{}");
    commit(fixture);
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    assert_int_equal(result.moved, 0);
    for (int i = 0; i < 13; i++)
        save(fixture, "x", "{}");
    commit(fixture);
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    assert_int_equal(result.moved, 23);
    const char *const names[] = {"b", "unknown"};
    struct compaction_options options = compaction_usual();
    options.names = names;
    options.n_names = 2;
    save(fixture, "x", "{}");
    commit(fixture);
    assert_int_equal(storage_compact(fixture->storage, NULL, &options, &result, NULL), STATUS_OK);
    assert_int_equal(result.moved, 1);
}

/* A reader in the middle of an older checkpoint. */
static void compacted_past(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "a", "{}");
    save(fixture, "x", "{\"v\":1}");
    uint64_t old = commit(fixture);
    save(fixture, "x", "{\"v\":2}");
    uint64_t new = commit(fixture);
    const struct bucket *bucket = the_bucket(fixture);
    assert_false(bucket_is_compacted_past(bucket, 0, old));
    compact(fixture, 0);
    assert_operations(fixture, "1P 2M>3 3P");
    assert_true(bucket_is_compacted_past(bucket, 0, old));
    assert_true(bucket_is_compacted_past(bucket, 1, old));
    assert_false(bucket_is_compacted_past(bucket, 2, old)); /* had it all before */
    assert_false(bucket_is_compacted_past(bucket, 0, new));
    save(fixture, "a", NULL);
    save(fixture, "x", NULL);
    uint64_t last = commit(fixture);
    compact(fixture, 0);
    assert_operations(fixture, "5C>5");
    assert_true(bucket_is_compacted_past(bucket, 1, new)); /* its operations are in the CLEAR */
    assert_false(bucket_is_compacted_past(bucket, 0, last));
}

static void parameters_keep_what_the_checkpoint_sees(void **state) {
    struct fixture *fixture = *state;
    struct lookup_output lookup = {"k", 1, "[[1]]", 5};
    struct row_outputs outputs = {.lookups = &lookup, .n_lookups = 1};
    bucket_storage_save(fixture->buckets, "items", "r", &outputs, false);
    lookup.values = "[[2]]";
    bucket_storage_save(fixture->buckets, "items", "r", &outputs, false);
    bucket_storage_save(fixture->buckets, "items", "gone", &outputs, false);
    bucket_storage_save(fixture->buckets, "items", "gone", NULL, false);
    uint64_t checkpoint = commit(fixture);
    lookup.values = "[[3]]";
    bucket_storage_save(fixture->buckets, "items", "r", &outputs, false);
    struct compaction_result result;
    assert_int_equal(storage_compact(fixture->storage, NULL, NULL, &result, NULL), STATUS_OK);
    assert_int_equal(result.parameters, 3);
    assert_int_equal(fixture->buckets->rows.count, 1);
    struct lines lines = {0};
    assert_int_equal(bucket_storage_lookup(fixture->buckets, "k", 1, checkpoint, add_tuple, &lines), 1);
    char *text = lines_text(&lines);
    assert_string_equal(text, "[2]\n");
    free(text);
    assert_int_equal(fixture->buckets->parameters.n_versions, 2);
}

static void old_supplied_checkpoints_expire(void **state) {
    struct fixture *fixture = *state;
    save(fixture, "x", "{}");
    commit(fixture);
    struct write_checkpoints *checkpoints = &fixture->storage->write_checkpoints;
    write_checkpoints_supply(checkpoints, "old", 7, 1, 100);
    write_checkpoints_supply(checkpoints, "kept longer", 7, 1, 100);
    write_checkpoints_supply(checkpoints, "kept longer", 7, 1, 200);
    write_checkpoints_supply(checkpoints, "pending", 7, 5000, 100);
    write_checkpoints_next(checkpoints, "generated", 1, 100);
    save(fixture, "x", "{}");
    commit(fixture);
    struct compaction_options options = {.expire_before = 200};
    struct compaction_result result;
    assert_int_equal(storage_compact(fixture->storage, NULL, &options, &result, NULL), STATUS_OK);
    assert_int_equal(result.expired, 1);
    assert_int_equal(write_checkpoints_record(checkpoints, "old")->id, 0);
    assert_int_equal(write_checkpoints_record(checkpoints, "kept longer")->id, 7);
    assert_int_equal(write_checkpoints_record(checkpoints, "pending")->id, 7);
    assert_int_equal(write_checkpoints_record(checkpoints, "generated")->id, 1);
    /* Forgotten: a smaller id counts again. */
    assert_int_equal(write_checkpoints_supply(checkpoints, "old", 3, 1, 300), 3);
}

/* A client that follows one bucket at its own pace. */
struct follower {
    struct reduced bucket;
    unsigned number;
    bool busy; /* in the middle of a checkpoint */
    bool spoiled;
    uint64_t checkpoint;
    uint32_t checksum; /* as announced */
    char *expected;
};

static void follower_start(struct follower *follower, struct bucket_storage *buckets,
                           const struct work_row *rows) {
    follower->busy = true;
    follower->spoiled = false;
    follower->checkpoint = buckets->checkpoint;
    follower->checksum =
        bucket_state_at(work_bucket(buckets, follower->number), buckets->checkpoint).checksum;
    free(follower->expected);
    follower->expected = model_bucket(rows, follower->number);
}

/* Read a little; at the end the state must be that of the checkpoint, unless compaction spoiled it. */
static void follower_step(struct follower *follower, struct bucket_storage *buckets, size_t limit,
                          size_t *completed, size_t *spoiled) {
    const struct bucket *bucket = work_bucket(buckets, follower->number);
    follower->spoiled |= bucket_is_compacted_past(bucket, follower->bucket.after, follower->checkpoint);
    if (!reduced_read(&follower->bucket, bucket, follower->checkpoint, limit))
        return;
    follower->busy = false;
    if (follower->spoiled) {
        assert_true(buckets->checkpoint > follower->checkpoint); /* there is something to go on with */
        ++*spoiled;
        return;
    }
    ++*completed;
    char *text = reduced_text(&follower->bucket);
    assert_string_equal(text, follower->expected);
    assert_int_equal(reduced_checksum(&follower->bucket), follower->checksum);
    free(text);
}

/* All invariants of compaction at any moment, with clients that are behind, in the middle and up to date. */
static void nobody_can_tell(void **state) {
    (void)state;
    size_t completed = 0, spoiled = 0;
    for (unsigned seed = 0; seed < 60; seed++) {
        struct dice dice = {.seed = seed};
        void *made;
        set_up(&made);
        struct fixture *fixture = made;
        struct work_row rows[WORK_ROWS] = {0}, committed[WORK_ROWS] = {0};
        struct follower followers[3 * WORK_BUCKETS] = {0};
        size_t n_followers = sizeof followers / sizeof *followers;
        for (unsigned step = 0; step < 600; step++) {
            unsigned row = roll(&dice, WORK_ROWS), what = roll(&dice, 20);
            if (what < 6) {
                rows[row] = work_row_roll(&dice, step);
                work_save(fixture->buckets, row, &rows[row], false);
            } else if (what < 8) {
                bucket_storage_commit(fixture->buckets, ++fixture->lsn, false);
                memcpy(committed, rows, sizeof rows);
            } else if (what == 8) {
                compact(fixture,
                        roll(&dice, 2) ? 0 : roll(&dice, (unsigned)fixture->buckets->checkpoint + 1));
            } else if (fixture->buckets->lsn > 0) {
                struct follower *follower = &followers[roll(&dice, (unsigned)n_followers)];
                follower->number = (unsigned)(follower - followers) % WORK_BUCKETS;
                if (!follower->busy)
                    follower_start(follower, fixture->buckets, committed);
                follower_step(follower, fixture->buckets, 1 + roll(&dice, 6), &completed, &spoiled);
            }
            for (unsigned key = 0; key < WORK_KEYS; key++) {
                char *expected = model_lookup(committed, key);
                char *found = storage_tuples(fixture->buckets, key, fixture->buckets->checkpoint);
                assert_string_equal(found, expected);
                free(expected);
                free(found);
            }
        }
        for (size_t i = 0; i < n_followers; i++) {
            reduced_free(&followers[i].bucket);
            free(followers[i].expected);
        }
        tear_down(&made);
    }
    assert_true(completed > 1000 && spoiled > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replaced_operations_move, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leading_operations_clear, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removed_rows_leave_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_committed_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(few_new_operations_are_not_worth_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(compacted_past, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parameters_keep_what_the_checkpoint_sees, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_supplied_checkpoints_expire, set_up, tear_down),
        cmocka_unit_test(nobody_can_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
