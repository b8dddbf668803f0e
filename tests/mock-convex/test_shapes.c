/* Shapes that follow the log give the same schemas as looking at all living documents. */
#include "fixture.h"

#include "base/random.h"
#include "mock-convex/export/json_schema.h"
#include "mock-convex/state.h"
#include "mock-convex/store/transaction.h"

static const char *const field_names[] = {"a", "b", "c", "d", "e"};

static struct convex_value *random_value(struct random_stream *random, struct fixture *fixture, int depth) {
    const uint64_t kind = random_below(random, depth > 2 ? 9 : 11);
    char text[CONVEX_ID_TEXT_MAX];
    struct convex_id id = {.table = 0};
    struct convex_value *value;
    switch (kind) {
    case 0:
        return convex_null();
    case 1:
        return convex_int64((int64_t)random_below(random, 9));
    case 2:
        return convex_float64(1.5);
    case 3:
        return convex_float64(-0.0);
    case 4:
        return convex_boolean(true);
    case 5:
        return convex_string("text");
    case 6:
        return convex_bytes("by", 2);
    case 7: /* an id of a table that lives, or of one that never did */
    case 8:
        id.table = kind == 7 ? convex_store_table(&fixture->deployment->store, "pets")->number : 4242;
        convex_id_encode(&id, text);
        return convex_string(text);
    case 9:
        value = convex_array();
        for (uint64_t n = random_below(random, 3); n > 0; n--) {
            convex_array_append(value, random_value(random, fixture, depth + 1));
        }
        return value;
    default:
        value = convex_object();
        for (uint64_t n = random_below(random, 3); n > 0; n--) {
            const char *name = field_names[random_below(random, LENGTH_OF(field_names))];
            convex_object_set(value, name, random_value(random, fixture, depth + 1));
        }
        return value;
    }
}

static struct convex_value *random_document(struct random_stream *random, struct fixture *fixture) {
    struct convex_value *document = convex_object();
    for (uint64_t n = random_below(random, 4); n > 0; n--) {
        const char *name = field_names[random_below(random, LENGTH_OF(field_names))];
        convex_object_set(document, name, random_value(random, fixture, 0));
    }
    return document;
}

/* One transaction: a document comes, is replaced, or goes. */
static void change(struct random_stream *random, struct fixture *fixture, char ids[][CONVEX_ID_TEXT_MAX],
                   size_t *n_ids) {
    struct convex_store *store = &fixture->deployment->store;
    struct convex_store_table *table = convex_store_table(store, "empty");
    struct convex_transaction transaction;
    struct error error = {0};
    int64_t ts, now = host_wall_clock(fixture->convex);
    enum status status;
    convex_transaction_begin(&transaction, store, fixture->convex, now);
    const uint64_t what = random_below(random, 3);
    const size_t which = *n_ids > 0 ? (size_t)random_below(random, *n_ids) : 0;
    if (*n_ids == 0 || (what == 0 && *n_ids < 6)) {
        status = convex_transaction_insert(&transaction, table, random_document(random, fixture), ids[*n_ids],
                                           &error);
        ++*n_ids;
    } else if (what == 1) {
        status = convex_transaction_replace(&transaction, table, ids[which], random_document(random, fixture),
                                            &error);
    } else {
        status = convex_transaction_delete(&transaction, table, ids[which], &error);
        memcpy(ids[which], ids[--*n_ids], CONVEX_ID_TEXT_MAX);
    }
    assert_int_equal(status, STATUS_OK);
    assert_int_equal(convex_transaction_commit(&transaction, now, &ts, &error), STATUS_OK);
    convex_transaction_end(&transaction);
}

/* The schema from all living documents. */
static void scan(const struct convex_store *store, const struct convex_store_table *table,
                 struct buffer *out) {
    struct convex_shape shape = {0};
    for (const struct convex_ordered_node *node = convex_ordered_first(&table->indexes[0].entries);
         node != NULL; node = convex_ordered_next(node)) {
        const struct convex_document *document = node->item;
        if (node->until == CONVEX_LIVE) {
            convex_shape_observe(&shape, document->newest->value);
        }
    }
    convex_append_table_schema(out, store, "", &shape, CONVEX_FORMAT_JSON, false);
    convex_shape_clear(&shape);
}

static void test_random(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct fixture *fixture = fixture_make();
        struct random_stream random = random_stream_make(seed, "test.shapes");
        struct convex_deployment *deployment = fixture->deployment;
        char ids[8][CONVEX_ID_TEXT_MAX];
        size_t n_ids = 0;
        for (int i = 0; i < 40; i++) {
            change(&random, fixture, ids, &n_ids);
            const struct convex_store_table *table = convex_store_table(&deployment->store, "empty");
            if (n_ids == 0 || random_below(&random, 2) == 0) {
                continue;
            }
            struct buffer expected = {0}, seen = {0};
            scan(&deployment->store, table, &expected);
            convex_append_table_schema(&seen, &deployment->store, "",
                                       convex_table_shape(&deployment->shapes, &deployment->store, table),
                                       CONVEX_FORMAT_JSON, false);
            assert_string_equal(buffer_text(&seen), buffer_text(&expected));
            buffer_free(&expected);
            buffer_free(&seen);
        }
        fixture_free(fixture);
    }
}

/* Removed fields vanish, an emptied table has the two system fields again, and ids of a dropped table are
 * strings like any other (fact: only what is stored counts). */
static void test_going(void **state) {
    struct fixture *fixture = fixture_make();
    char args[128];
    (void)state;
    mutate(fixture, "pets:add", "{\"uuid\":\"u1\"}");
    json_t *json = get_json(fixture, "/api/json_schemas");
    assert_int_equal(json_object_size(json_object_get(json_object_get(json, "pets"), "properties")), 5);
    json_decref(json);
    mutate(fixture, "pets:remove", "{\"uuid\":\"u1\"}");
    json = get_json(fixture, "/api/json_schemas");
    assert_int_equal(json_object_size(json_object_get(json_object_get(json, "pets"), "properties")), 2);
    json_decref(json);
    char id[CONVEX_ID_TEXT_MAX];
    const struct convex_id empty = {.table =
                                        convex_store_table(&fixture->deployment->store, "empty")->number};
    convex_id_encode(&empty, id);
    snprintf(args, sizeof args, "{\"uuid\":\"%s\"}", id);
    mutate(fixture, "pets:add", args);
    for (int dropped = 0; dropped < 2; dropped++) {
        json = get_json(fixture, "/api/json_schemas");
        const json_t *uuid =
            json_object_get(json_object_get(json_object_get(json, "pets"), "properties"), "uuid");
        assert_string_equal(json_text(uuid, "type"), "string");
        assert_true((json_object_get(uuid, "$description") == NULL) == (dropped == 1));
        json_decref(json);
        assert_int_equal(convex_deployment_drop_table(fixture->deployment, "empty", NULL),
                         dropped ? STATUS_NOT_FOUND : STATUS_OK);
    }
    fixture_free(fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_going)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
