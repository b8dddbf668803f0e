/* The promises of single apps, each with histories that keep it and histories that break it. */
#include "app/app.h"
#include "base/digest.h"
#include "history_fixture.h"

static struct fixture open_for(const char *app_name, const char *property) {
    struct fixture fixture = {.history = history_create(), .timestamp = TIME_WALL_START};
    const struct app *app = app_find(app_name);
    assert_non_null(app);
    const char *const properties[] = {property};
    const struct check_settings settings = {.schema = app->schema,
                                            .sync_config = app->sync_config,
                                            .mapping = &app->mapping,
                                            .clients = fixture_clients,
                                            .users = fixture_users,
                                            .n_clients = 3,
                                            .properties = properties,
                                            .n_properties = 1};
    struct error error;
    if (checker_create(fixture.history, NULL, &settings, &fixture.checker, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return fixture;
}

/* The document of a client's row; `fields` is JSON without braces. */
static void document(struct fixture *fixture, const char *table, const char *uuid, const char *fields) {
    fixture_row(fixture, NULL, table, arena_format(&fixture->arena, "document-%s", uuid),
                arena_format(&fixture->arena,
                             "{\"_creationTime\":1.5,\"_id\":\"document-%s\",%s,\"uuid\":\"%s\"}", uuid,
                             fields, uuid));
}

static void shown(struct fixture *fixture, const char *table, const char *id, const char *text) {
    fixture_row(fixture, NULL, table, id, text);
}

static void expect_one(struct fixture *fixture, const char *property, const char *client,
                       const char *expected, const char *seen) {
    const struct violation *const *violations;
    expect_violations(fixture, 1);
    checker_violations(fixture->checker, &violations);
    assert_string_equal(violations[0]->property, property);
    assert_string_equal(violations[0]->client, client);
    assert_string_equal(violations[0]->expected, expected);
    assert_string_equal(violations[0]->seen, seen);
    assert_true(strlen(violations[0]->explanation) > 0);
}

/* --- sum-kept --- */

static struct fixture open_bank(void) {
    struct fixture fixture = open_for("bank", "sum-kept");
    document(&fixture, "accounts", "a", "\"owner\":\"alice\",\"balance\":100.0");
    document(&fixture, "accounts", "b", "\"owner\":\"bob\",\"balance\":100.0");
    fixture_commit(&fixture);
    shown(&fixture, "accounts", "a", "[\"alice\",100]");
    shown(&fixture, "accounts", "b", "[\"bob\",100]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    return fixture;
}

static void test_money_moves(void **state) {
    (void)state;
    struct fixture fixture = open_bank();
    document(&fixture, "accounts", "a", "\"owner\":\"alice\",\"balance\":70.0");
    document(&fixture, "accounts", "b", "\"owner\":\"bob\",\"balance\":130.0");
    fixture_commit(&fixture);
    shown(&fixture, "accounts", "a", "[\"alice\",70]");
    shown(&fixture, "accounts", "b", "[\"bob\",130]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    shown(&fixture, "accounts", "a", NULL); /* the device is cleared */
    shown(&fixture, "accounts", "b", NULL);
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_money_is_lost(void **state) {
    (void)state;
    struct fixture fixture = open_bank();
    shown(&fixture, "accounts", "a", "[\"alice\",70]"); /* and bob's half is missing */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_one(&fixture, "sum-kept", "bob-1", "200", "170");
    shown(&fixture, "accounts", "a", "[\"alice\",70]"); /* the same again is no news */
    fixture_view(&fixture, "bob-1", "restart");         /* and bob's account is gone with it */
    expect_violations(&fixture, 2);
    fixture_close(&fixture);
    fixture = open_bank();
    document(&fixture, "accounts", "b", "\"owner\":\"bob\",\"balance\":130.0");
    fixture_commit(&fixture);
    expect_one(&fixture, "sum-kept", "convex", "200", "230");
    fixture_close(&fixture);
}

/* --- counter-exact --- */

static void test_counting(void **state) {
    (void)state;
    struct fixture fixture = open_for("counter", "counter-exact");
    document(&fixture, "counters", "c", "\"name\":\"c\",\"value\":0.0");
    fixture_commit(&fixture);
    document(&fixture, "counters", "c", "\"name\":\"c\",\"value\":3.0");
    document(&fixture, "increments", "i", "\"counter\":\"c\",\"amount\":3.0,\"total\":3.0");
    fixture_commit(&fixture);
    shown(&fixture, "counters", "c", "[\"c\",0]");
    shown(&fixture, "increments", "i", "[\"c\",3,null]"); /* own, on its way */
    fixture_view(&fixture, "bob-1", "write");
    expect_violations(&fixture, 0);
    shown(&fixture, "increments", "i", "[\"c\",3,3]"); /* counted, and the counter is behind */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_one(&fixture, "counter-exact", "bob-1", "0", "-3");
    fixture_close(&fixture);
}

/* --- unique-numbers --- */

static void test_numbers(void **state) {
    (void)state;
    struct fixture fixture = open_for("tickets", "unique-numbers");
    document(&fixture, "tickets", "a", "\"title\":\"a\",\"number\":1.0");
    document(&fixture, "tickets", "b", "\"title\":\"b\",\"number\":2.0");
    fixture_commit(&fixture);
    shown(&fixture, "tickets", "x", "[\"x\",null,\"bob\",0]"); /* two without a number are no pair */
    shown(&fixture, "tickets", "y", "[\"y\",null,\"bob\",0]");
    fixture_view(&fixture, "bob-1", "write");
    shown(&fixture, "tickets", "x", "[\"x\",3,\"bob\",0]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    document(&fixture, "tickets", "c", "\"title\":\"c\",\"number\":2.0");
    fixture_commit(&fixture);
    expect_one(&fixture, "unique-numbers", "convex", "a number of its own", "2");
    fixture_close(&fixture);
}

static void test_a_number_changes(void **state) {
    (void)state;
    struct fixture fixture = open_for("tickets", "unique-numbers");
    shown(&fixture, "tickets", "x", "[\"x\",3,\"bob\",0]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    shown(&fixture, "tickets", "x", "[\"x\",4,\"bob\",0]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_one(&fixture, "unique-numbers", "bob-1", "3", "4");
    fixture_close(&fixture);
}

/* --- no-duplicates --- */

static void tag(struct fixture *fixture, const char *uuid, const char *entry, const char *name) {
    document(fixture, "tags", uuid,
             arena_format(&fixture->arena, "\"entry_id\":\"%s\",\"name\":\"%s\"", entry, name));
}

static void test_pairs(void **state) {
    (void)state;
    struct fixture fixture = open_for("diary", "no-duplicates");
    tag(&fixture, "a", "e1", "home");
    tag(&fixture, "b", "e2", "home");
    tag(&fixture, "c", "e1", "garden");
    fixture_commit(&fixture);
    shown(&fixture, "tags", "own", "[\"e1\",\"home\",\"red\"]");
    fixture_view(&fixture, "bob-1", "write");
    shown(&fixture, "tags", "own", NULL); /* dropped by the backend, which had a */
    shown(&fixture, "tags", "a", "[\"e1\",\"home\",\"red\"]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    tag(&fixture, "d", "e1", "home");
    fixture_commit(&fixture);
    expect_one(&fixture, "no-duplicates", "convex", "the tag home of e1 once", "2 times");
    fixture_close(&fixture);
}

static void test_imports(void **state) {
    (void)state;
    struct fixture fixture = open_for("diary", "no-duplicates");
    document(&fixture, "entries", "a", "\"text\":\"new\",\"source\":null"); /* two that are no old ones */
    document(&fixture, "entries", "b", "\"text\":\"new\",\"source\":null");
    document(&fixture, "entries", "old-1", "\"text\":\"x\",\"source\":\"page 1\"");
    fixture_commit(&fixture);
    document(&fixture, "entries", "old-1", "\"text\":\"y\",\"source\":\"page 1\"");
    fixture_commit(&fixture);
    expect_violations(&fixture, 0);
    document(&fixture, "entries", "c", "\"text\":\"x\",\"source\":\"page 1\"");
    fixture_commit(&fixture);
    expect_one(&fixture, "no-duplicates", "convex", "the old entry page 1 once", "2 times");
    fixture_close(&fixture);
}

/* --- messages-ordered --- */

static void say(struct fixture *fixture, const char *client, int transaction, const char *id) {
    fixture_row(fixture, "PUT", "messages", id, "{\"room\":\"r\",\"sender\":\"s\",\"body\":\"b\"}");
    fixture_add(fixture, client, (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = transaction});
}

static const char message_text[] = "[\"r\",\"s\",\"b\",null]";
static const char message_fields[] = "\"room\":\"r\",\"sender\":\"s\",\"body\":\"b\"";

static void commit_message(struct fixture *fixture, const char *id) {
    document(fixture, "messages", id, message_fields);
    fixture_commit(fixture);
}

static void test_messages_in_order(void **state) {
    (void)state;
    struct fixture fixture = open_for("chat", "messages-ordered");
    say(&fixture, "alice-1", 1, "m1");
    say(&fixture, "alice-1", 2, "m2");
    say(&fixture, "bob-1", 1, "n1");
    shown(&fixture, "messages", "m1", message_text);
    shown(&fixture, "messages", "m2", message_text);
    fixture_view(&fixture, "alice-1", "write");
    commit_message(&fixture, "m1");
    commit_message(&fixture, "n1");
    shown(&fixture, "messages", "m1", message_text);
    fixture_view(&fixture, "bob-1", "checkpoint"); /* without n1: that is another thread */
    commit_message(&fixture, "m2");
    shown(&fixture, "messages", "m2", message_text);
    fixture_view(&fixture, "bob-1", "checkpoint");
    shown(&fixture, "messages", "n1", message_text);
    fixture_view(&fixture, "alice-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_a_gap(void **state) {
    (void)state;
    struct fixture fixture = open_for("chat", "messages-ordered");
    say(&fixture, "alice-1", 1, "m1");
    say(&fixture, "alice-1", 2, "m2");
    commit_message(&fixture, "m1");
    commit_message(&fixture, "m2");
    shown(&fixture, "messages", "m2", message_text);
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_one(&fixture, "messages-ordered", "bob-1", "the first 2 messages of alice-1", "1 of them");
    fixture_close(&fixture);
}

static void test_overtaken_upload(void **state) {
    (void)state;
    struct fixture fixture = open_for("chat", "messages-ordered");
    say(&fixture, "alice-1", 1, "m1");
    say(&fixture, "alice-1", 2, "m2");
    say(&fixture, "alice-1", 3, "m3");
    document(&fixture, "messages", "m3", message_fields); /* the rows of one commit have no order */
    document(&fixture, "messages", "m2", message_fields);
    fixture_commit(&fixture);
    expect_violations(&fixture, 0);
    commit_message(&fixture, "m1");
    expect_one(&fixture, "messages-ordered", "convex", "committed in the order of writing",
               "committed after a later one");
    fixture_close(&fixture);
}

/* --- last-write-wins --- */

static struct fixture open_pages(void) {
    struct fixture fixture = open_for("pages", "last-write-wins");
    document(&fixture, "pages", "p",
             "\"title\":\"t\",\"body\":\"old\",\"edited_by\":\"bob\",\"edited_at\":\"2\"");
    fixture_commit(&fixture);
    shown(&fixture, "pages", "p", "[\"t\",\"old\",\"bob\",\"2\"]");
    fixture_view(&fixture, "alice-1", "checkpoint");
    fixture_row(&fixture, "PATCH", "pages", "p",
                "{\"body\":\"new\",\"edited_by\":\"bob\",\"edited_at\":\"1\"}"); /* a clock that is behind */
    fixture_add(&fixture, "alice-1", (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = 1});
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_STARTED, 1, "id-of-alice-1");
    return fixture;
}

static void test_last_arrival_wins(void **state) {
    (void)state;
    struct fixture fixture = open_pages();
    /* Somebody renames it in between; and `edited_by` of the upload was no change. */
    document(&fixture, "pages", "p",
             "\"title\":\"u\",\"body\":\"old\",\"edited_by\":\"carol\",\"edited_at\":\"3\"");
    fixture_commit(&fixture);
    document(&fixture, "pages", "p",
             "\"title\":\"u\",\"body\":\"new\",\"edited_by\":\"carol\",\"edited_at\":\"1\"");
    fixture_receipt(&fixture, "id-of-alice-1", 1);
    fixture_commit(&fixture);
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_last_arrival_is_dropped(void **state) {
    (void)state;
    struct fixture fixture = open_pages();
    fixture_receipt(&fixture, "id-of-alice-1", 1);
    fixture_commit(&fixture);
    expect_violations(&fixture, 2); /* body and edited_at */
    fixture_close(&fixture);
    fixture = open_pages(); /* another column is touched */
    document(&fixture, "pages", "p",
             "\"title\":\"lost\",\"body\":\"new\",\"edited_by\":\"bob\",\"edited_at\":\"1\"");
    fixture_receipt(&fixture, "id-of-alice-1", 1);
    fixture_commit(&fixture);
    expect_one(&fixture, "last-write-wins", "alice-1", "title \"t\"", "title \"lost\"");
    fixture_close(&fixture);
}

/* --- causal-order --- */

static void commit_value(struct fixture *fixture, const char *key, const char *value) {
    document(fixture, "registers", key, arena_format(&fixture->arena, "\"value\":\"%s\"", value));
    fixture_commit(fixture);
}

static void see(struct fixture *fixture, const char *client, const char *key, const char *value) {
    shown(fixture, "registers", key, arena_format(&fixture->arena, "[\"%s\"]", value));
    fixture_view(fixture, client, "checkpoint");
}

static void set(struct fixture *fixture, const char *client, int transaction, const char *key,
                const char *value) {
    fixture_row(fixture, "PATCH", "registers", key,
                arena_format(&fixture->arena, "{\"value\":\"%s\"}", value));
    fixture_add(fixture, client, (struct note){.kind = NOTE_LOCAL_WRITE, .transaction = transaction});
    shown(fixture, "registers", key, arena_format(&fixture->arena, "[\"%s\"]", value));
    fixture_view(fixture, client, "write");
}

static struct fixture open_registers(void) {
    struct fixture fixture = open_for("registers", "causal-order");
    commit_value(&fixture, "x", "x0");
    commit_value(&fixture, "y", "y0");
    for (size_t i = 0; i < 3; i++) {
        shown(&fixture, "registers", "x", "[\"x0\"]");
        shown(&fixture, "registers", "y", "[\"y0\"]");
        fixture_view(&fixture, fixture_clients[i], "checkpoint");
    }
    return fixture;
}

/* alice-1 writes x1, bob-1 sees it and answers with y1. */
static void ask_and_answer(struct fixture *fixture) {
    set(fixture, "alice-1", 1, "x", "x1");
    commit_value(fixture, "x", "x1");
    see(fixture, "bob-1", "x", "x1");
    set(fixture, "bob-1", 1, "y", "y1");
    commit_value(fixture, "y", "y1");
}

static void test_causes_before_effects(void **state) {
    (void)state;
    struct fixture fixture = open_registers();
    ask_and_answer(&fixture);
    see(&fixture, "alice-2", "x", "x1");
    see(&fixture, "alice-2", "y", "y1");
    see(&fixture, "alice-1", "y", "y1");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void test_an_effect_without_its_cause(void **state) {
    (void)state;
    struct fixture fixture = open_registers();
    ask_and_answer(&fixture);
    see(&fixture, "alice-2", "y", "y1"); /* still x0 */
    expect_one(&fixture, "causal-order", "alice-2", "version 2 or later", "version 1");
    fixture_close(&fixture);
}

static void test_going_back(void **state) {
    (void)state;
    struct fixture fixture = open_registers();
    commit_value(&fixture, "x", "x1");
    see(&fixture, "bob-1", "x", "x1");
    expect_violations(&fixture, 0);
    see(&fixture, "bob-1", "x", "x0");
    expect_one(&fixture, "causal-order", "bob-1", "version 2 or later", "version 1");
    fixture_close(&fixture);
}

static void test_own_write_is_gone(void **state) {
    (void)state;
    struct fixture fixture = open_registers();
    set(&fixture, "alice-1", 1, "x", "x1");
    commit_value(&fixture, "x", "x1");
    expect_violations(&fixture, 0);
    see(&fixture, "alice-1", "x", "x0");
    expect_one(&fixture, "causal-order", "alice-1", "version 2 or later", "version 1");
    fixture_close(&fixture);
}

static void test_a_later_write_first(void **state) {
    (void)state;
    struct fixture fixture = open_registers();
    set(&fixture, "alice-1", 1, "x", "x1");
    set(&fixture, "alice-1", 2, "y", "y1");
    commit_value(&fixture, "y", "y1");
    see(&fixture, "bob-1", "y", "y1");
    expect_one(&fixture, "causal-order", "bob-1", "the writer's earlier write",
               "a later one, while this is in no commit");
    fixture_close(&fixture);
    fixture = open_registers(); /* unless the first one was refused */
    set(&fixture, "alice-1", 1, "x", "x1");
    set(&fixture, "alice-1", 2, "y", "y1");
    fixture_upload(&fixture, "alice-1", NOTE_UPLOAD_REJECTED, 1, "no");
    commit_value(&fixture, "y", "y1");
    see(&fixture, "bob-1", "y", "y1");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

/* --- intact-rows --- */

static void test_intact_rows(void **state) {
    (void)state;
    struct fixture fixture = open_for("wide", "intact-rows");
    char digest[33];
    hash128_text(hash128_of("hello", 5), digest);
    shown(&fixture, "wide_07", "a", arena_format(&fixture.arena, "[\"t\",\"hello\",5,\"%s\"]", digest));
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    shown(&fixture, "wide_07", "a", arena_format(&fixture.arena, "[\"t\",\"hell\",5,\"%s\"]", digest));
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 1);
    fixture_close(&fixture);
}

/* --- values-exact --- */

static void test_exact_values(void **state) {
    (void)state;
    struct fixture fixture = open_for("values", "values-exact");
    shown(&fixture, "specimens", "a", "[\"int64-most\",\"=9223372036854775807\",\"9223372036854775807\"]");
    shown(&fixture, "specimens", "b", "[\"bytes-two\",\"=+/8=\",\"+/8=\"]");
    shown(&fixture, "specimens", "c", "[\"yes\",\"=1\",\"1\"]");
    shown(&fixture, "specimens", "d", "[\"gone\",null,null]");
    shown(&fixture, "specimens", "e", "[\"float-whole\",\"=1.0\",\"1.0\"]");
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    shown(&fixture, "specimens", "a", "[\"gone\",null,null]"); /* another type */
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_violations(&fixture, 0);
    fixture_close(&fixture);
}

static void expect_inexact(const char *row, const char *expected, const char *seen) {
    struct fixture fixture = open_for("values", "values-exact");
    shown(&fixture, "specimens", "a", row);
    fixture_view(&fixture, "bob-1", "checkpoint");
    expect_one(&fixture, "values-exact", "bob-1", expected, seen);
    fixture_close(&fixture);
}

static void test_inexact_values(void **state) {
    (void)state;
    expect_inexact("[\"int64-above-doubles\",\"=9007199254740993\",\"9007199254740992\"]",
                   "\"9007199254740993\"", "\"9007199254740992\"");
    expect_inexact("[\"bytes-two\",\"=+/8=\",\"-_8\"]", "\"+/8=\"", "\"-_8\"");
    expect_inexact("[\"bytes-none\",\"=\",null]", "\"\"", "null");
    expect_inexact("[\"gone\",null,\"the value before\"]", "null", "\"the value before\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_money_moves),
                                       cmocka_unit_test(test_money_is_lost),
                                       cmocka_unit_test(test_counting),
                                       cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_a_number_changes),
                                       cmocka_unit_test(test_pairs),
                                       cmocka_unit_test(test_imports),
                                       cmocka_unit_test(test_messages_in_order),
                                       cmocka_unit_test(test_a_gap),
                                       cmocka_unit_test(test_overtaken_upload),
                                       cmocka_unit_test(test_last_arrival_wins),
                                       cmocka_unit_test(test_last_arrival_is_dropped),
                                       cmocka_unit_test(test_causes_before_effects),
                                       cmocka_unit_test(test_an_effect_without_its_cause),
                                       cmocka_unit_test(test_going_back),
                                       cmocka_unit_test(test_own_write_is_gone),
                                       cmocka_unit_test(test_a_later_write_first),
                                       cmocka_unit_test(test_intact_rows),
                                       cmocka_unit_test(test_exact_values),
                                       cmocka_unit_test(test_inexact_values)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
