/* Ranges of an index against a model: all documents that fit, sorted by convex_compare. Values of every kind,
 * both directions, with writes of the transaction itself on top; and what counts as read. */
#include "fixture.h"

#include <math.h>

#include "base/random.h"
#include "mock-convex/store/transaction.h"

#define DOCUMENTS_MAX 80

struct bench {
    struct fixture *fixture; /* only for its host */
    struct convex_store store;
    struct convex_store_table *table;
    struct random_stream random;
    char ids[DOCUMENTS_MAX][40]; /* that were ever made */
    size_t n_ids;
};

static const struct convex_value undefined = {.kind = CONVEX_UNDEFINED};
static const char *const fields[] = {"a", "b", "_creationTime"};

static int setup(void **state) {
    static const struct convex_index by_ab = {.name = "by_ab", .fields = {"a", "b"}, .n_fields = 2};
    static const struct convex_table table = {.name = "pets", .indexes = &by_ab, .n_indexes = 1};
    struct bench *bench = memory_allocate(sizeof *bench);
    bench->fixture = fixture_world();
    convex_store_init(&bench->store, TIME_WALL_START);
    bench->table = convex_store_add_table(&bench->store, &table, (const unsigned char *)"pppppppppppppppp");
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
    convex_transaction_begin(transaction, &bench->store, bench->fixture->convex, TIME_WALL_START);
}

/* --- values of all kinds, from few, so that equal ones meet --- */

static struct convex_value *draw_value(struct bench *bench, int depth);

static struct convex_value *draw_container(struct bench *bench, bool object, int depth) {
    static const char *const names[] = {"a", "b", "ab"};
    struct convex_value *value = object ? convex_object() : convex_array();
    size_t count = (size_t)random_below(&bench->random, 3);
    for (size_t i = 0; i < count; i++) {
        if (object) {
            size_t name = (size_t)random_below(&bench->random, LENGTH_OF(names));
            convex_object_set(value, names[name], draw_value(bench, depth + 1));
        } else {
            convex_array_append(value, draw_value(bench, depth + 1));
        }
    }
    return value;
}

static struct convex_value *draw_value(struct bench *bench, int depth) {
    static const double numbers[] = {
        0, -0.0, 1, -1, 0.5, 1e300, -1e300, (double)INFINITY, (double)-INFINITY, (double)NAN};
    static const int64_t integers[] = {0, 1, -1, INT64_MAX, INT64_MIN, 256};
    static const char *const texts[] = {"", "a", "ab", "b", "\xff", "\xc3\xa9"};
    uint64_t pick = random_below(&bench->random, 1000);
    switch (random_below(&bench->random, depth < 2 ? 8 : 6)) {
    case 0:
        return convex_null();
    case 1:
        return convex_int64(integers[pick % LENGTH_OF(integers)]);
    case 2:
        return convex_float64(numbers[pick % LENGTH_OF(numbers)]);
    case 3:
        return convex_boolean(pick % 2 == 0);
    case 4:
        return pick % 7 == 0 ? convex_bytes("a\0b", 3) : convex_string(texts[pick % 4]);
    case 5:
        return convex_bytes(texts[pick % LENGTH_OF(texts)], strlen(texts[pick % LENGTH_OF(texts)]));
    case 6:
        return draw_container(bench, false, depth);
    default:
        return draw_container(bench, true, depth);
    }
}

static struct convex_value *draw_document(struct bench *bench) {
    struct convex_value *document = convex_object();
    for (size_t i = 0; i < 2; i++) {
        if (!random_chance(&bench->random, 1, 6)) {
            convex_object_set(document, fields[i], draw_value(bench, 0));
        }
    }
    return document;
}

static void write_something(struct bench *bench, struct convex_transaction *transaction) {
    bool full = bench->n_ids == DOCUMENTS_MAX;
    if (!full && (bench->n_ids == 0 || random_chance(&bench->random, 1, 2))) {
        char *id = bench->ids[bench->n_ids++];
        assert_int_equal(convex_transaction_insert(transaction, bench->table, draw_document(bench), id, NULL),
                         STATUS_OK);
        return;
    }
    const char *id = bench->ids[random_below(&bench->random, bench->n_ids)];
    if (random_chance(&bench->random, 1, 4)) {
        convex_transaction_delete(transaction, bench->table, id, NULL); /* perhaps long gone */
    } else {
        convex_transaction_replace(transaction, bench->table, id, draw_document(bench), NULL);
    }
}

/* --- the model --- */

struct question {
    struct convex_range range;
    const struct convex_value *keys[3];
    struct convex_value *owned[5];
    size_t n_owned;
};

static const struct convex_value *draw_key(struct bench *bench, struct question *question,
                                           const struct convex_value *model) {
    const struct convex_value *near = model != NULL && random_chance(&bench->random, 2, 3) ? model : NULL;
    if (near == NULL && random_chance(&bench->random, 1, 8)) {
        return &undefined;
    }
    struct convex_value *value = near != NULL ? convex_copy(near) : draw_value(bench, 0);
    question->owned[question->n_owned++] = value;
    return value;
}

static const struct convex_value *field_of(const struct convex_value *document, size_t field) {
    const struct convex_value *value = convex_object_get(document, fields[field]);
    return value != NULL ? value : &undefined;
}

/* Often with values that some document has. */
static void draw_question(struct bench *bench, const struct convex_value *const *visible, size_t count,
                          struct question *question) {
    memset(question, 0, sizeof *question);
    struct convex_range *range = &question->range;
    const struct convex_value *model = count > 0 ? visible[random_below(&bench->random, count)] : &undefined;
    range->keys = question->keys;
    range->n_keys = (size_t)random_below(&bench->random, 4);
    for (size_t i = 0; i < range->n_keys; i++) {
        question->keys[i] = draw_key(bench, question, count > 0 ? field_of(model, i) : NULL);
    }
    if (range->n_keys < 3) {
        const struct convex_value *next = count > 0 ? field_of(model, range->n_keys) : NULL;
        range->lower = random_chance(&bench->random, 1, 2) ? draw_key(bench, question, next) : NULL;
        range->upper = random_chance(&bench->random, 1, 2) ? draw_key(bench, question, next) : NULL;
    }
    range->above_lower = random_chance(&bench->random, 1, 2);
    range->below_upper = random_chance(&bench->random, 1, 2);
    range->descending = random_chance(&bench->random, 1, 2);
    range->limit = random_chance(&bench->random, 1, 2) ? SIZE_MAX : (size_t)random_below(&bench->random, 6);
}

static void free_question(struct question *question) {
    for (size_t i = 0; i < question->n_owned; i++) {
        convex_free(question->owned[i]);
    }
}

static bool fits(const struct convex_range *range, const struct convex_value *document) {
    for (size_t i = 0; i < range->n_keys; i++) {
        if (convex_compare(range->keys[i], field_of(document, i)) != 0) {
            return false;
        }
    }
    int low = range->lower != NULL ? convex_compare(field_of(document, range->n_keys), range->lower) : 1;
    int high = range->upper != NULL ? convex_compare(field_of(document, range->n_keys), range->upper) : -1;
    return (range->above_lower ? low > 0 : low >= 0) && (range->below_upper ? high < 0 : high <= 0);
}

static int compare_documents(const struct convex_value *a, const struct convex_value *b) {
    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        int order = convex_compare(field_of(a, i), field_of(b, i));
        if (order != 0) {
            return order;
        }
    }
    return strcmp(convex_object_text(a, "_id"), convex_object_text(b, "_id"));
}

static int compare_pointers(const void *a, const void *b) {
    return compare_documents(*(const struct convex_value *const *)a, *(const struct convex_value *const *)b);
}

/* Everything that exists for this transaction, by point reads of all ids, sorted. */
static size_t list_visible(struct bench *bench, struct convex_transaction *transaction,
                           const struct convex_value **visible) {
    size_t count = 0;
    for (size_t i = 0; i < bench->n_ids; i++) {
        const struct convex_value *document;
        assert_int_equal(convex_transaction_get(transaction, bench->table, bench->ids[i], &document, NULL),
                         STATUS_OK);
        if (document != NULL) {
            visible[count++] = document;
        }
    }
    qsort(visible, count, sizeof *visible, compare_pointers);
    return count;
}

static size_t expect(const struct convex_range *range, const struct convex_value *const *visible,
                     size_t count, const struct convex_value **expected) {
    size_t n = 0;
    for (size_t i = 0; i < count && n < range->limit; i++) {
        const struct convex_value *document = visible[range->descending ? count - 1 - i : i];
        if (fits(range, document)) {
            expected[n++] = document;
        }
    }
    return n;
}

static void ask(struct bench *bench, struct convex_transaction *transaction) {
    const struct convex_value *visible[DOCUMENTS_MAX], *expected[DOCUMENTS_MAX];
    const struct convex_value **documents;
    size_t count;
    struct question question;
    size_t n_visible = list_visible(bench, transaction, visible);
    draw_question(bench, visible, n_visible, &question);
    size_t n = expect(&question.range, visible, n_visible, expected);
    assert_int_equal(convex_transaction_find_range(transaction, convex_store_index(bench->table, "by_ab"),
                                                   &question.range, &documents, &count, NULL),
                     STATUS_OK);
    assert_int_equal(count, n);
    for (size_t i = 0; i < n; i++) {
        assert_ptr_equal(documents[i], expected[i]);
    }
    free(documents);
    free_question(&question);
}

static void commit(struct convex_transaction *transaction) {
    int64_t ts;
    assert_int_equal(convex_transaction_commit(transaction, TIME_WALL_START, &ts, NULL), STATUS_OK);
    convex_transaction_end(transaction);
}

static void test_random_ranges(void **state) {
    struct bench *bench = *state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct convex_transaction transaction;
        bench->random = random_stream_make(seed, "ranges");
        for (int round = 0; round < 6; round++) {
            begin(bench, &transaction);
            for (int i = 0; i < 12; i++) {
                write_something(bench, &transaction);
                ask(bench, &transaction);
                ask(bench, &transaction);
            }
            commit(&transaction);
        }
        bench->n_ids = seed % 4 == 3 ? 0 : bench->n_ids; /* now and then from an emptier model */
        if (bench->n_ids == 0) {
            teardown(state);
            setup(state);
            bench = *state;
        }
    }
}

/* Change a document that is there, or insert one, often near one that is there (its id: else ""). Returns the
 * document that was or is.
 */
static const struct convex_value *write_near(struct bench *bench, struct convex_transaction *writer,
                                             const struct convex_value *const *visible, size_t count,
                                             char id[40]) {
    const struct convex_value *near = count > 0 ? visible[random_below(&bench->random, count)] : NULL;
    const struct convex_value *added, *a = near != NULL ? convex_object_get(near, "a") : NULL;
    id[0] = 0;
    if (near != NULL && random_chance(&bench->random, 1, 4)) {
        struct convex_value *patch = convex_object(); /* of a field that is in no index */
        convex_object_set(patch, "c", convex_int64((int64_t)(random_next(&bench->random) >> 1)));
        convex_transaction_patch(writer, bench->table, convex_object_text(near, "_id"), patch, NULL);
        convex_free(patch);
        return near;
    }
    struct convex_value *document = draw_document(bench);
    if (a != NULL && random_chance(&bench->random, 1, 2)) {
        convex_object_set(document, "a", convex_copy(a));
    }
    assert_int_equal(convex_transaction_insert(writer, bench->table, document, id, NULL), STATUS_OK);
    assert_int_equal(convex_transaction_get(writer, bench->table, id, &added, NULL), STATUS_OK);
    return added;
}

/* A commit of one document conflicts exactly when the scan would have come across it. */
static void test_exact_read_sets(void **state) {
    struct bench *bench = *state;
    size_t conflicts = 0, passes = 0;
    for (uint64_t seed = 0; seed < 3000; seed++) {
        const struct convex_value *visible[DOCUMENTS_MAX], *expected[DOCUMENTS_MAX];
        const struct convex_value **documents;
        struct convex_transaction reader, writer, look;
        struct question question;
        size_t count;
        char id[40];
        bench->random = random_stream_make(seed, "reads");
        if (bench->n_ids < 20) {
            begin(bench, &writer);
            write_something(bench, &writer);
            commit(&writer);
        }
        begin(bench, &look);
        size_t n_visible = list_visible(bench, &look, visible);
        draw_question(bench, visible, n_visible, &question);
        const struct convex_range *range = &question.range;
        size_t n = expect(range, visible, n_visible, expected);
        begin(bench, &reader);
        convex_transaction_find_range(&reader, convex_store_index(bench->table, "by_ab"), range, &documents,
                                      &count, NULL);
        free(documents);

        begin(bench, &writer);
        const struct convex_value *changed = write_near(bench, &writer, visible, n_visible, id);
        bool seen = fits(range, changed) && range->limit > 0;
        if (seen && n == range->limit) {
            int order = compare_documents(changed, expected[n - 1]);
            seen = range->descending ? order >= 0 : order <= 0;
        }
        commit(&writer);
        assert_int_equal(convex_transaction_validate(&reader, NULL), seen ? STATUS_CONFLICT : STATUS_OK);
        conflicts += seen;
        passes += !seen;
        convex_transaction_end(&reader);
        convex_transaction_end(&look);
        free_question(&question);
        if (id[0] != 0) {
            begin(bench, &writer);
            convex_transaction_delete(&writer, bench->table, id, NULL);
            commit(&writer);
        }
    }
    assert_true(conflicts > 50 && passes > 50);
}

/* by_id: bounds are ids of the table, in the order of their text. */
static void test_by_id(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    struct convex_store_index *index = convex_store_index(bench->table, "by_id");
    const struct convex_value **documents;
    char ids[3][40];
    size_t count;
    begin(bench, &transaction);
    for (size_t i = 0; i < 3; i++) {
        convex_transaction_insert(&transaction, bench->table, convex_object(), ids[i], NULL);
    }
    qsort(ids, 3, sizeof ids[0], (int (*)(const void *, const void *))strcmp);
    struct convex_value *middle = convex_string(ids[1]), *foreign = convex_string("x");
    struct convex_range range = {.lower = middle, .descending = true, .limit = SIZE_MAX};
    assert_int_equal(convex_transaction_find_range(&transaction, index, &range, &documents, &count, NULL), 0);
    assert_int_equal(count, 2);
    assert_string_equal(convex_object_text(documents[0], "_id"), ids[2]);
    assert_string_equal(convex_object_text(documents[1], "_id"), ids[1]);
    free(documents);
    range = (struct convex_range){.upper = middle, .below_upper = true, .limit = SIZE_MAX};
    assert_int_equal(convex_transaction_find_range(&transaction, index, &range, &documents, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_string_equal(convex_object_text(documents[0], "_id"), ids[0]);
    free(documents);
    range.upper = foreign;
    assert_int_equal(convex_transaction_find_range(&transaction, index, &range, &documents, &count, NULL),
                     STATUS_INVALID);
    convex_free(middle);
    convex_free(foreign);
    convex_transaction_end(&transaction);
}

/* More fields than the index has, _creationTime included. */
static void test_too_many_fields(void **state) {
    struct bench *bench = *state;
    struct convex_transaction transaction;
    struct convex_value *one = convex_float64(1);
    const struct convex_value *keys[] = {one, one, one, one};
    const struct convex_value **documents;
    size_t count;
    struct convex_store_index *index = convex_store_index(bench->table, "by_ab");
    begin(bench, &transaction);
    for (size_t n = 0; n <= 4; n++) {
        for (int bound = 0; bound < 2; bound++) {
            const struct convex_range range = {
                .keys = keys, .n_keys = n, .lower = bound ? one : NULL, .limit = 1};
            enum status status =
                convex_transaction_find_range(&transaction, index, &range, &documents, &count, NULL);
            assert_int_equal(status, n + (size_t)bound <= 3 ? STATUS_OK : STATUS_INVALID);
            free(documents);
        }
    }
    convex_free(one);
    convex_transaction_end(&transaction);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exact_read_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_id, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_fields, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
