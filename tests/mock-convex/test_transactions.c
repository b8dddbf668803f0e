/* The store and transactions, without HTTP: snapshots, own writes, conflicts, no-ops, limits, order of the
 * log. */
#include "fixture.h"

#include "mock-convex/store/transaction.h"

struct bench {
    struct fixture *fixture; /* only for its host */
    struct convex_store store;
    struct convex_store_table *pets, *toys;
};

#define START TIME_WALL_START

static int setup(void **state) {
    static const struct convex_index by_uuid = {.name = "by_uuid", .fields = {"uuid"}, .n_fields = 1};
    static const struct convex_table pets = {.name = "pets", .indexes = &by_uuid, .n_indexes = 1};
    static const struct convex_table toys = {.name = "toys"};
    struct bench *bench = memory_allocate(sizeof *bench);
    bench->fixture = fixture_world();
    convex_store_init(&bench->store, START);
    bench->pets = convex_store_add_table(&bench->store, &pets, (const unsigned char *)"pppppppppppppppp");
    bench->toys = convex_store_add_table(&bench->store, &toys, (const unsigned char *)"aaaaaaaaaaaaaaaa");
    *state = bench;
    return 0;
}

static int teardown(void **state) {
    struct bench *bench = *state;
    convex_store_free(&bench->store);
    fixture_free(bench->fixture);
    free(bench);
    return 0;
}

static void begin(struct bench *bench, struct convex_transaction *transaction) {
    convex_transaction_begin(transaction, &bench->store, bench->fixture->convex, START);
}

static struct convex_value *fields(const char *uuid, double count) {
    struct convex_value *value = convex_object();
    convex_object_set(value, "uuid", convex_string(uuid));
    convex_object_set(value, "count", convex_float64(count));
    return value;
}

static void insert(struct convex_transaction *transaction, struct convex_store_table *table, const char *uuid,
                   char id[40]) {
    assert_int_equal(convex_transaction_insert(transaction, table, fields(uuid, 0), id, NULL), STATUS_OK);
}

static void set_count(struct convex_transaction *transaction, struct convex_store_table *table,
                      const char *id, double count) {
    struct convex_value *patch = convex_object();
    convex_object_set(patch, "count", convex_float64(count));
    assert_int_equal(convex_transaction_patch(transaction, table, id, patch, NULL), STATUS_OK);
    convex_free(patch);
}

/* The count of a document as this transaction sees it; -1: there is none. */
static double count_of(struct convex_transaction *transaction, struct convex_store_table *table,
                       const char *id) {
    const struct convex_value *document;
    assert_int_equal(convex_transaction_get(transaction, table, id, &document, NULL), STATUS_OK);
    return document != NULL ? convex_object_get(document, "count")->as.number : -1;
}

/* How many documents have this uuid. */
static size_t find(struct bench *bench, struct convex_transaction *transaction, const char *uuid,
                   size_t limit) {
    struct convex_value *key = convex_string(uuid);
    const struct convex_value *keys[1] = {key};
    const struct convex_value **documents;
    size_t count;
    struct convex_store_index *index = convex_store_index(bench->pets, "by_uuid");
    assert_int_equal(convex_transaction_find(transaction, index, keys, 1, limit, &documents, &count, NULL),
                     STATUS_OK);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(convex_object_text(documents[i], "uuid"), uuid);
    }
    free(documents);
    convex_free(key);
    return count;
}

static enum status commit(struct convex_transaction *transaction, int64_t *ts) {
    struct error error = {0};
    enum status status = convex_transaction_commit(transaction, START, ts, &error);
    assert_int_equal(status, error.status);
    convex_transaction_end(transaction);
    return status;
}

static void test_timestamps(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    char id[40];
    int64_t ts;
    assert_true(bench->store.latest >= INT64_C(1000000000000000000)); /* 19 digits before any commit */
    for (int64_t i = 1; i <= 3; i++) { /* the wall clock stands still: newest + 1 */
        begin(bench, &transaction);
        insert(&transaction, bench->pets, "a", id);
        assert_int_equal(commit(&transaction, &ts), STATUS_OK);
        assert_int_equal(ts, START + i);
    }
    convex_transaction_begin(&transaction, &bench->store, bench->fixture->convex, START + 500);
    insert(&transaction, bench->pets, "a", id);
    assert_int_equal(convex_transaction_commit(&transaction, START + 700, &ts, NULL), STATUS_OK);
    assert_int_equal(ts, START + 700);
    convex_transaction_end(&transaction);
    begin(bench, &transaction); /* reading only: no timestamp of its own */
    assert_int_equal(find(bench, &transaction, "a", 10), 4);
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    assert_int_equal(ts, START + 700);
    assert_int_equal(bench->store.log_count, 4);
}

static void test_inserts_get_system_fields(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    const struct convex_value *document;
    struct convex_id binary;
    char first[40], second[40];
    begin(bench, &transaction);
    insert(&transaction, bench->pets, "a", first);
    insert(&transaction, bench->toys, "b", second);
    assert_int_equal(strlen(first), 32);
    assert_memory_equal(first, "j57", 3);
    assert_memory_equal(second, "j97", 3);
    assert_int_equal(convex_id_decode(first, &binary), STATUS_OK);
    int day = (int)(START / TIME_DAY);
    assert_int_equal(binary.internal[14] << 8 | binary.internal[15], day);
    convex_transaction_get(&transaction, bench->pets, first, &document, NULL);
    double earlier = convex_object_get(document, "_creationTime")->as.number;
    assert_true(earlier >= (double)START / 1e6 && earlier < (double)START / 1e6 + 1);
    convex_transaction_get(&transaction, bench->toys, second, &document, NULL);
    assert_true(convex_object_get(document, "_creationTime")->as.number > earlier);
    assert_string_equal(convex_object_text(document, "_id"), second);
    /* An id of one table is no id of another. */
    convex_transaction_get(&transaction, bench->pets, second, &document, NULL);
    assert_null(document);
    convex_transaction_end(&transaction);
}

static void test_snapshot_and_own_writes(void **state) {
    struct bench *bench = *state;
    struct convex_transaction writer, reader;
    char id[40], other[40];
    int64_t ts;
    begin(bench, &writer);
    insert(&writer, bench->pets, "a", id);
    assert_int_equal(find(bench, &writer, "a", 10), 1); /* its own write */
    begin(bench, &reader);
    assert_int_equal(find(bench, &reader, "a", 10), 0);
    assert_int_equal(commit(&writer, &ts), STATUS_OK);
    assert_int_equal(find(bench, &reader, "a", 10), 0); /* still its snapshot */
    assert_true(count_of(&reader, bench->pets, id) == -1);
    convex_transaction_end(&reader);

    begin(bench, &reader);
    begin(bench, &writer);
    set_count(&writer, bench->pets, id, 5);
    insert(&writer, bench->pets, "a", other);
    assert_int_equal(find(bench, &writer, "a", 10), 2); /* changed one not twice */
    assert_int_equal(find(bench, &writer, "a", 1), 1);
    assert_true(count_of(&writer, bench->pets, id) == 5);
    assert_int_equal(convex_transaction_delete(&writer, bench->pets, id, NULL), STATUS_OK);
    assert_int_equal(find(bench, &writer, "a", 10), 1);
    assert_int_equal(commit(&writer, &ts), STATUS_OK);
    assert_true(count_of(&reader, bench->pets, id) == 0);
    assert_int_equal(find(bench, &reader, "a", 10), 1);
    convex_transaction_end(&reader);
    begin(bench, &reader);
    assert_true(count_of(&reader, bench->pets, id) == -1);
    assert_int_equal(find(bench, &reader, "a", 10), 1);
    convex_transaction_end(&reader);
}

/* One transaction reads by `read`, another does `write` and commits first; does the reader's commit conflict?
 * The pets "a" and "b" exist before. */
enum doing { READ_ID_A, READ_ABSENT, READ_UUID_A, READ_UUID_A_FIRST, READ_ALL, READ_TOYS, READ_NOTHING };
enum deed {
    PATCH_A,
    PATCH_A_SAME,
    RENAME_B_TO_A,
    DELETE_A,
    INSERT_A,
    INSERT_ABSENT,
    INSERT_C,
    INSERT_TOY,
    NO_DEED
};

static const struct {
    const char *what;
    enum doing read;
    enum deed write;
    enum status expected;
} conflicts[] = {{"a point that changed", READ_ID_A, PATCH_A, STATUS_CONFLICT},
                 {"a point that was deleted", READ_ID_A, DELETE_A, STATUS_CONFLICT},
                 {"a patch that changes nothing is no write", READ_ID_A, PATCH_A_SAME, STATUS_OK},
                 {"another point", READ_ID_A, RENAME_B_TO_A, STATUS_OK},
                 {"an equality range whose member changed elsewhere", READ_UUID_A, PATCH_A, STATUS_CONFLICT},
                 {"a phantom enters the range", READ_UUID_A, INSERT_A, STATUS_CONFLICT},
                 {"a document moves into the range", READ_UUID_A, RENAME_B_TO_A, STATUS_CONFLICT},
                 {"a document leaves the range", READ_UUID_A, DELETE_A, STATUS_CONFLICT},
                 {"a neighbour of the range", READ_UUID_A, INSERT_C, STATUS_OK},
                 {"a phantom enters an empty range", READ_ABSENT, INSERT_ABSENT, STATUS_CONFLICT},
                 {"an empty range and others", READ_ABSENT, INSERT_A, STATUS_OK},
                 {"the first of a range, and a later one enters", READ_UUID_A_FIRST, INSERT_A, STATUS_OK},
                 {"the first of a range changes", READ_UUID_A_FIRST, PATCH_A, STATUS_CONFLICT},
                 {"a whole table and an insert", READ_ALL, INSERT_C, STATUS_CONFLICT},
                 {"a whole table and another table", READ_ALL, INSERT_TOY, STATUS_OK},
                 {"another table", READ_TOYS, INSERT_A, STATUS_OK},
                 {"two blind inserts", READ_NOTHING, INSERT_C, STATUS_OK},
                 {"nobody else", READ_ALL, NO_DEED, STATUS_OK}};

static void do_read(struct bench *bench, struct convex_transaction *transaction, enum doing read,
                    const char *a) {
    const struct convex_value **documents = NULL;
    size_t count;
    struct convex_store_table *table = read == READ_TOYS ? bench->toys : bench->pets;
    switch (read) {
    case READ_ID_A:
        count_of(transaction, bench->pets, a);
        break;
    case READ_ABSENT:
        assert_int_equal(find(bench, transaction, "absent", 10), 0);
        break;
    case READ_UUID_A:
    case READ_UUID_A_FIRST:
        assert_int_equal(find(bench, transaction, "a", read == READ_UUID_A ? 10 : 1), 1);
        break;
    case READ_ALL:
    case READ_TOYS:
        convex_transaction_find(transaction, convex_store_index(table, "by_creation_time"), NULL, 0, SIZE_MAX,
                                &documents, &count, NULL);
        free(documents);
        break;
    default:
        break;
    }
}

static void do_write(struct bench *bench, struct convex_transaction *transaction, enum deed write,
                     const char *a, const char *b) {
    char id[40];
    struct convex_value *patch = convex_object();
    switch (write) {
    case PATCH_A:
        set_count(transaction, bench->pets, a, 9);
        break;
    case PATCH_A_SAME:
        set_count(transaction, bench->pets, a, 0);
        break;
    case RENAME_B_TO_A:
        convex_object_set(patch, "uuid", convex_string("a"));
        assert_int_equal(convex_transaction_patch(transaction, bench->pets, b, patch, NULL), STATUS_OK);
        break;
    case DELETE_A:
        assert_int_equal(convex_transaction_delete(transaction, bench->pets, a, NULL), STATUS_OK);
        break;
    case INSERT_TOY:
        insert(transaction, bench->toys, "a", id);
        break;
    case NO_DEED:
        break;
    default:
        insert(transaction, bench->pets, write == INSERT_A ? "a" : write == INSERT_C ? "aa" : "absent", id);
    }
    convex_free(patch);
}

static void test_conflicts(void **state) {
    for (size_t i = 0; i < LENGTH_OF(conflicts); i++) {
        void *fresh = NULL;
        setup(&fresh);
        struct bench *bench = fresh;
        struct convex_transaction before, reader, writer;
        char a[40], b[40], own[40];
        int64_t ts;
        begin(bench, &before);
        insert(&before, bench->pets, "a", a);
        insert(&before, bench->pets, "b", b);
        assert_int_equal(commit(&before, &ts), STATUS_OK);
        begin(bench, &reader);
        begin(bench, &writer);
        do_read(bench, &reader, conflicts[i].read, a);
        insert(&reader, bench->toys, "own", own); /* so that there is something to commit */
        do_write(bench, &writer, conflicts[i].write, a, b);
        assert_int_equal(commit(&writer, &ts), STATUS_OK);
        size_t log = bench->store.log_count;
        enum status status = commit(&reader, &ts);
        if (status != conflicts[i].expected) {
            fail_msg("%s: status %d, expected %d", conflicts[i].what, (int)status,
                     (int)conflicts[i].expected);
        }
        assert_int_equal(bench->store.log_count, log + (status == STATUS_OK ? 1 : 0)); /* all or nothing */
        teardown(&fresh);
    }
    (void)state;
}

static void test_final_states_only(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    char a[40], b[40];
    int64_t ts;
    begin(bench, &transaction);
    insert(&transaction, bench->pets, "a", a);
    set_count(&transaction, bench->pets, a, 1);
    set_count(&transaction, bench->pets, a, 2);
    insert(&transaction, bench->pets, "b", b);
    assert_int_equal(convex_transaction_delete(&transaction, bench->pets, b, NULL), STATUS_OK);
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    assert_int_equal(bench->store.log_count,
                     2); /* one row a document: the last state, and a lone tombstone */
    for (size_t i = 0; i < 2; i++) {
        const struct convex_revision *revision = bench->store.log[i];
        assert_int_equal(revision->ts, ts);
        assert_null(revision->previous);
        if (revision->value != NULL) {
            assert_true(convex_object_get(revision->value, "count")->as.number == 2);
        }
    }
    assert_true((bench->store.log[0]->value == NULL) != (bench->store.log[1]->value == NULL));
    /* A -> B -> A is a write whose row equals the old one. */
    begin(bench, &transaction);
    set_count(&transaction, bench->pets, a, 3);
    set_count(&transaction, bench->pets, a, 2);
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    assert_int_equal(bench->store.log_count, 3);
    assert_int_equal(convex_compare(bench->store.log[2]->value, bench->store.log[2]->previous->value), 0);
    /* A patch that changes nothing is not. */
    begin(bench, &transaction);
    set_count(&transaction, bench->pets, a, 2);
    int64_t newest = bench->store.latest;
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    assert_int_equal(bench->store.log_count, 3);
    assert_int_equal(ts, newest);
}

static void test_log_order(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    char id[40];
    int64_t ts;
    begin(bench, &transaction);
    for (int i = 0; i < 50; i++) {
        insert(&transaction, i % 2 == 0 ? bench->pets : bench->toys, "x", id);
    }
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    for (size_t i = 1; i < bench->store.log_count;
         i++) { /* by tablet, then by internal id; toys have the lower tablet */
        const struct convex_document *left = bench->store.log[i - 1]->document,
                                     *right = bench->store.log[i]->document;
        int order = memcmp(left->table->tablet, right->table->tablet, 16);
        assert_true(order < 0 || (order == 0 && memcmp(left->internal, right->internal, 16) < 0));
    }
    assert_ptr_equal(bench->store.log[0]->document->table, bench->toys);
}

static void test_missing_documents_and_wrong_fields(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    struct convex_value *patch = convex_object();
    char a[40], toy[40];
    begin(bench, &transaction);
    insert(&transaction, bench->pets, "a", a);
    insert(&transaction, bench->toys, "t", toy);
    convex_object_set(patch, "x", convex_null());
    assert_int_equal(convex_transaction_patch(&transaction, bench->pets, toy, patch, NULL), STATUS_NOT_FOUND);
    assert_int_equal(convex_transaction_patch(&transaction, bench->pets, "nonsense", patch, NULL),
                     STATUS_NOT_FOUND);
    assert_int_equal(convex_transaction_delete(&transaction, bench->pets, a, NULL), STATUS_OK);
    assert_int_equal(convex_transaction_delete(&transaction, bench->pets, a, NULL), STATUS_NOT_FOUND);
    assert_int_equal(convex_transaction_replace(&transaction, bench->pets, a, fields("b", 1), NULL),
                     STATUS_NOT_FOUND);
    convex_object_set(patch, "_id", convex_string(a));
    assert_int_equal(convex_transaction_patch(&transaction, bench->toys, toy, patch, NULL), STATUS_INVALID);
    assert_int_equal(convex_transaction_replace(&transaction, bench->toys, toy, convex_null(), NULL),
                     STATUS_INVALID);
    assert_int_equal(convex_transaction_insert(&transaction, bench->toys, convex_array(), a, NULL),
                     STATUS_INVALID);
    convex_free(patch);
    convex_transaction_end(&transaction);
}

static void test_replace_and_removed_fields(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    const struct convex_value *document;
    struct convex_value *patch = convex_object(), *undefined = convex_null();
    char id[40];
    undefined->kind = CONVEX_UNDEFINED;
    convex_object_set(patch, "count", undefined);
    begin(bench, &transaction);
    insert(&transaction, bench->pets, "a", id);
    assert_int_equal(convex_transaction_patch(&transaction, bench->pets, id, patch, NULL), STATUS_OK);
    convex_transaction_get(&transaction, bench->pets, id, &document, NULL);
    assert_null(convex_object_get(document, "count"));
    assert_int_equal(document->as.object.count, 3);
    assert_int_equal(convex_transaction_replace(&transaction, bench->pets, id, fields("z", 4), NULL),
                     STATUS_OK);
    assert_int_equal(find(bench, &transaction, "a", 10), 0);
    assert_int_equal(find(bench, &transaction, "z", 10), 1);
    convex_transaction_get(&transaction, bench->pets, id, &document, NULL);
    assert_string_equal(convex_object_text(document, "_id"), id);
    convex_free(patch);
    convex_transaction_end(&transaction);
}

/* Each limit is reached exactly, then passed by one. */
static void test_limit_of_writes(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    char id[40];
    int64_t ts;
    begin(bench, &transaction);
    for (int i = 0; i < 16000; i++) {
        insert(&transaction, bench->toys, "x", id);
    }
    assert_int_equal(convex_transaction_insert(&transaction, bench->toys, fields("x", 0), id, NULL),
                     STATUS_LIMIT);
    assert_int_equal(commit(&transaction, &ts), STATUS_OK);
    assert_int_equal(bench->store.log_count, 16000);
    /* 32,000 documents read: twice the table; the next one is too many. */
    const struct convex_value **documents;
    size_t count;
    struct convex_store_index *index = convex_store_index(bench->toys, "by_id");
    begin(bench, &transaction);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            convex_transaction_find(&transaction, index, NULL, 0, SIZE_MAX, &documents, &count, NULL),
            STATUS_OK);
        assert_int_equal(count, 16000);
        free(documents);
    }
    assert_int_equal(convex_transaction_find(&transaction, index, NULL, 0, 1, &documents, &count, NULL),
                     STATUS_LIMIT);
    assert_null(documents);
    convex_transaction_end(&transaction);
}

static void test_limit_of_ranges(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    struct convex_store_index *index = convex_store_index(bench->pets, "by_uuid");
    const struct convex_value **documents;
    size_t count;
    begin(bench, &transaction);
    for (int i = 0; i <= 4096; i++) {
        struct convex_value *key = convex_float64(i);
        const struct convex_value *keys[1] = {key};
        assert_int_equal(convex_transaction_find(&transaction, index, keys, 1, 1, &documents, &count, NULL),
                         i < 4096 ? STATUS_OK : STATUS_LIMIT);
        convex_free(key);
    }
    convex_transaction_end(&transaction);
}

static void test_limit_of_bytes(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    char *text = memory_allocate(1000001), id[40];
    memset(text, 'x', 1000000);
    begin(bench, &transaction);
    for (int i = 0; i <= 16; i++) { /* 16 documents of a million bytes fit into 16 MiB, 17 do not */
        assert_int_equal(convex_transaction_insert(&transaction, bench->toys, fields(text, 0), id, NULL),
                         i < 16 ? STATUS_OK : STATUS_LIMIT);
    }
    convex_transaction_end(&transaction);
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_timestamps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inserts_get_system_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_snapshot_and_own_writes, setup, teardown),
        cmocka_unit_test(test_conflicts),
        cmocka_unit_test_setup_teardown(test_final_states_only, setup, teardown),
        cmocka_unit_test_setup_teardown(test_log_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_documents_and_wrong_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_replace_and_removed_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_writes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit_of_bytes, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
