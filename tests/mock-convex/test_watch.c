/* A watch is touched by exactly those changes that make the validation of its transaction fail: commits to
 * what it read, tables that end, come into being or are declared anew. */
#include "fixture.h"

#include "base/random.h"
#include "mock-convex/store/watch.h"

enum { READERS = 40, STEPS = 600, DOCUMENTS_MAX = 60 };

struct reader {
    struct convex_transaction transaction; /* stays open: its validation is what the watch is compared to */
    struct convex_watch watch;
    bool touched;
    bool invalid; /* from its first failure on: a table may come and go */
};

struct bench {
    struct fixture *fixture; /* only for its host */
    struct convex_store store;
    struct convex_watches watches;
    struct random_stream random;
    struct reader readers[READERS];
    char ids[DOCUMENTS_MAX][40];
    size_t n_ids;
    size_t n_touched; /* over the whole test */
    unsigned tables;  /* made so far */
};

static int setup(void **state) {
    static const struct convex_index by_uuid = {.name = "by_uuid", .fields = {"uuid"}, .n_fields = 1};
    static const struct convex_table pets = {.name = "pets", .indexes = &by_uuid, .n_indexes = 1};
    struct bench *bench = memory_allocate(sizeof *bench);
    bench->fixture = fixture_world();
    convex_store_init(&bench->store, TIME_WALL_START);
    convex_store_add_table(&bench->store, &pets, (const unsigned char *)"pppppppppppppppp");
    bench->watches = (struct convex_watches){.store = &bench->store, .host = bench->fixture->convex};
    bench->random = random_stream_make(7, "watch");
    *state = bench;
    return 0;
}

static int teardown(void **state) {
    struct bench *bench = *state;
    for (size_t i = 0; i < READERS; i++) {
        convex_watch_end(&bench->readers[i].watch);
        convex_transaction_end(&bench->readers[i].transaction);
    }
    convex_watches_free(&bench->watches);
    convex_store_free(&bench->store);
    fixture_free(bench->fixture);
    free(bench);
    return 0;
}

static void begin(struct bench *bench, struct convex_transaction *transaction) {
    convex_transaction_begin(transaction, &bench->store, bench->fixture->convex, TIME_WALL_START);
}

static struct convex_value *draw_uuid(struct bench *bench) {
    char text[2] = {(char)('a' + random_below(&bench->random, 12)), 0};
    return convex_string(text);
}

/* One table that was there from the start, and two that come and go. */
static const char *draw_table(struct bench *bench) {
    static const char *const names[] = {"pets", "pets", "toys", "boxes"};
    return names[random_below(&bench->random, 4)];
}

static void read_something(struct bench *bench, struct convex_transaction *transaction) {
    struct convex_store_table *table = convex_transaction_table(transaction, draw_table(bench));
    if (table == NULL) {
        return; /* that counts */
    }
    bool by_uuid = table->n_indexes > 2;
    struct convex_value *uuid = draw_uuid(bench);
    const struct convex_value *keys[] = {uuid}, **documents, *document;
    size_t count;
    if (bench->n_ids > 0 && random_chance(&bench->random, 1, 3)) {
        const char *id = bench->ids[random_below(&bench->random, bench->n_ids)];
        assert_int_equal(convex_transaction_get(transaction, table, id, &document, NULL), STATUS_OK);
    } else {
        size_t limit = random_chance(&bench->random, 1, 2) ? 2 : SIZE_MAX;
        assert_int_equal(convex_transaction_find(transaction, &table->indexes[by_uuid ? 2 : 1], keys,
                                                 by_uuid && limit == 2, limit, &documents, &count, NULL),
                         STATUS_OK);
        free(documents);
    }
    convex_free(uuid);
}

static void read_anew(struct bench *bench) {
    struct reader *reader = &bench->readers[random_below(&bench->random, READERS)];
    convex_watch_end(&reader->watch);
    if (reader->transaction.store != NULL) {
        convex_transaction_end(&reader->transaction);
    }
    begin(bench, &reader->transaction);
    for (uint64_t reads = random_below(&bench->random, 4); reads > 0; reads--) {
        read_something(bench, &reader->transaction);
    }
    reader->touched = reader->invalid = false;
    convex_watch_begin(&reader->watch, &bench->watches, &reader->transaction, reader);
}

static void write_document(struct bench *bench, struct convex_transaction *transaction,
                           struct convex_store_table *table) {
    struct convex_value *document = convex_object();
    convex_object_set(document, "uuid", draw_uuid(bench));
    const char *id = bench->n_ids > 0 ? bench->ids[random_below(&bench->random, bench->n_ids)] : "";
    const struct convex_value *before = NULL;
    if (bench->n_ids > 0) {
        assert_int_equal(convex_transaction_get(transaction, table, id, &before, NULL), STATUS_OK);
    }
    if (before != NULL && random_chance(&bench->random, 1, 3)) {
        assert_int_equal(convex_transaction_delete(transaction, table, id, NULL), STATUS_OK);
        convex_free(document);
    } else if (before != NULL) {
        assert_int_equal(convex_transaction_replace(transaction, table, id, document, NULL), STATUS_OK);
    } else {
        char *room = bench->ids[bench->n_ids < DOCUMENTS_MAX ? bench->n_ids++ : 0];
        assert_int_equal(convex_transaction_insert(transaction, table, document, room, NULL), STATUS_OK);
    }
}

static void commit(struct bench *bench) {
    struct convex_transaction transaction;
    struct convex_store_table *table;
    const char *name = draw_table(bench);
    int64_t ts;
    begin(bench, &transaction);
    table = convex_transaction_table(&transaction, name);
    if (table == NULL) {
        assert_int_equal(convex_transaction_make_table(&transaction, name, &table, NULL), STATUS_OK);
    }
    write_document(bench, &transaction, table);
    assert_int_equal(convex_transaction_commit(&transaction, TIME_WALL_START, &ts, NULL), STATUS_OK);
    convex_transaction_end(&transaction);
}

static void change_tables(struct bench *bench) {
    static const char *const names[] = {"toys", "boxes"};
    struct convex_store_table *table =
        convex_store_table(&bench->store, names[random_below(&bench->random, 2)]);
    if (table != NULL && random_chance(&bench->random, 2, 3)) {
        convex_store_drop_table(&bench->store, table, NULL, TIME_WALL_START);
    } else if (random_chance(&bench->random, 1, 8)) { /* as a push does */
        bench->store.schema_ts = convex_store_bump(&bench->store, TIME_WALL_START);
        bench->store.table_changes++;
    }
}

static void touch(void *context, void *owner) {
    struct bench *bench = context;
    struct reader *reader = owner;
    bench->n_touched += !reader->touched;
    reader->touched = true;
}

static void check(struct bench *bench) {
    convex_watches_look(&bench->watches, touch, bench);
    for (size_t i = 0; i < READERS; i++) {
        struct reader *reader = &bench->readers[i];
        if (reader->transaction.store != NULL) {
            reader->invalid =
                reader->invalid || convex_transaction_validate(&reader->transaction, NULL) != STATUS_OK;
            assert_int_equal(reader->touched, reader->invalid);
        }
    }
}

static void test_watches_agree_with_validation(void **state) {
    struct bench *bench = *state;
    for (size_t step = 0; step < STEPS; step++) {
        read_anew(bench);
        if (random_chance(&bench->random, 1, 2)) {
            commit(bench);
        }
        if (random_chance(&bench->random, 1, 10)) {
            change_tables(bench);
        }
        check(bench);
    }
    assert_in_range(bench->n_touched, STEPS / 10, STEPS - STEPS / 10); /* neither none nor all */
}

/* As the mutant "split-snapshot" reads: what was committed since its snapshot concerns it at the next look.
 */
static void test_a_watch_of_an_old_snapshot_sees_what_is_newer(void **state) {
    struct bench *bench = *state;
    struct reader *new = &bench->readers[0], *old = &bench->readers[1];
    const struct convex_value **documents;
    size_t count;
    int64_t before = bench->store.latest;
    struct convex_store_table *pets = convex_store_table(&bench->store, "pets");
    struct convex_transaction transaction;
    int64_t ts;
    begin(bench, &transaction);
    write_document(bench, &transaction, pets);
    assert_int_equal(convex_transaction_commit(&transaction, TIME_WALL_START, &ts, NULL), STATUS_OK);
    convex_transaction_end(&transaction);
    for (struct reader *reader = new; reader <= old; reader++) {
        begin(bench, &reader->transaction);
        reader->transaction.begin = reader == old ? before : bench->store.latest;
        assert_int_equal(convex_transaction_find(&reader->transaction, &pets->indexes[1], NULL, 0, SIZE_MAX,
                                                 &documents, &count, NULL),
                         STATUS_OK);
        assert_int_equal(count, reader == old ? 0 : 1);
        free(documents);
        convex_watch_begin(&reader->watch, &bench->watches, &reader->transaction, reader);
    }
    convex_watches_look(&bench->watches, touch, bench);
    assert_true(old->touched);
    assert_false(new->touched);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_watches_agree_with_validation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_watch_of_an_old_snapshot_sees_what_is_newer, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
