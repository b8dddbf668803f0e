#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "kernel/world.h"

static struct world *world_of_seed(uint64_t seed) {
    return world_create(&(struct world_settings){.seed = seed});
}

/* A host without a network, as unit tests of actors use it. */
static void make_host(struct world_host *host, struct host_operations *operations, struct world *world,
                      const char *name) {
    memset(operations, 0, sizeof *operations);
    world_host_operations(operations);
    *host = (struct world_host){.host = {.operations = operations, .name = name}, .world = world};
}

struct log {
    struct world *world;
    char text[256];
};

struct step {
    struct log *log;
    char letter;
};

static void write_letter(void *context) {
    struct step *step = context;
    size_t length = strlen(step->log->text);
    assert_true(length < sizeof step->log->text - 1);
    step->log->text[length] = step->letter;
    step->log->text[length + 1] = 0;
}

static void test_time_order_and_until(void **state) {
    (void)state;
    struct log log = {.world = world_of_seed(1)};
    struct step a = {&log, 'a'}, b = {&log, 'b'}, c = {&log, 'c'}, d = {&log, 'd'};
    world_schedule(log.world, 30, write_letter, &c);
    world_schedule(log.world, 10, write_letter, &a);
    uint64_t cancelled = world_schedule(log.world, 15, write_letter, &d);
    world_schedule(log.world, 20, write_letter, &b);
    world_cancel(log.world, cancelled);
    world_cancel(log.world, 0);
    assert_int_equal(world_run(log.world, 20, NULL), STATUS_OK); /* inclusive */
    assert_string_equal(log.text, "ab");
    assert_int_equal(world_now(log.world), 20);
    assert_int_equal(world_run(log.world, 29, NULL), STATUS_OK);
    assert_int_equal(world_now(log.world), 29);
    world_schedule(log.world, 0, write_letter, &d);
    assert_int_equal(world_run(log.world, 1000, NULL), STATUS_OK);
    assert_string_equal(log.text, "abdc");
    assert_int_equal(world_now(log.world), 1000);
    assert_int_equal(world_events(log.world), 4);
    world_destroy(log.world);
}

/* The order of events at one instant comes from the seed: both orders occur, and each seed repeats its own.
 */
static void test_ties_come_from_the_seed(void **state) {
    (void)state;
    int first = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        char texts[2][4];
        for (int run = 0; run < 2; run++) {
            struct log log = {.world = world_of_seed(seed)};
            struct step a = {&log, 'a'}, b = {&log, 'b'};
            world_schedule(log.world, 5, write_letter, &a);
            world_schedule(log.world, 5, write_letter, &b);
            world_run(log.world, 5, NULL);
            (void)snprintf(texts[run], sizeof texts[run], "%.3s", log.text);
            world_destroy(log.world);
        }
        assert_string_equal(texts[0], texts[1]);
        first += strcmp(texts[0], "ab") == 0;
    }
    assert_in_range(first, 30, 70);
}

static void stop(void *context) {
    world_stop(context);
}

static void again(void *context) {
    world_schedule(context, 0, again, context);
}

static void test_stop_and_endless_loop(void **state) {
    (void)state;
    struct world *world = world_create(&(struct world_settings){.seed = 1, .max_events = 1000});
    world_schedule(world, 7, stop, world);
    assert_int_equal(world_run(world, 100, NULL), STATUS_OK);
    assert_int_equal(world_now(world), 7);
    world_schedule(world, 0, again, world);
    struct error error = {0};
    assert_int_equal(world_run(world, 100, &error), STATUS_LIMIT);
    assert_int_equal(world_events(world), 1000);
    assert_non_null(strstr(error.message, "1000 events"));
    world_destroy(world);
}

static void test_clocks(void **state) {
    (void)state;
    struct world *world = world_of_seed(1);
    world_set_clock(world, "late", -5 * TIME_SECOND, 0);
    world_set_clock(world, "fast", TIME_SECOND, 1000); /* 1000 ppb = 1 us each second */
    world_run(world, 100 * TIME_DAY, NULL);
    assert_true(world_wall_clock(world, "right") == TIME_WALL_START + 100 * TIME_DAY);
    assert_true(world_wall_clock(world, "late") == TIME_WALL_START + 100 * TIME_DAY - 5 * TIME_SECOND);
    assert_true(world_wall_clock(world, "fast") ==
                TIME_WALL_START + 100 * TIME_DAY + TIME_SECOND + 8640000 * TIME_MICROSECOND);
    struct world_host host;
    struct host_operations operations;
    make_host(&host, &operations, world, "late");
    assert_true(host_wall_clock(&host.host) == world_wall_clock(world, "late"));
    assert_true(host_now(&host.host) == 100 * TIME_DAY);
    world_destroy(world);
}

static void test_random_streams_of_hosts(void **state) {
    (void)state;
    struct world *world = world_of_seed(9), *same = world_of_seed(9);
    struct world_host a, b, a_again;
    struct host_operations operations;
    make_host(&a, &operations, world, "a");
    make_host(&b, &operations, world, "b");
    make_host(&a_again, &operations, same, "a");
    for (int i = 0; i < 100; i++) {
        uint64_t value = host_random(&a.host, "x");
        assert_true(value != host_random(&b.host, "x"));
        assert_true(value == host_random(&a_again.host, "x")); /* b's draws did not shift it */
        assert_true(value != host_random(&a.host, "y"));
    }
    assert_true(world_random(same, "b", "x") == random_at(9, "b.x", 0));
    char long_choice[300];
    memset(long_choice, 'c', sizeof long_choice - 1);
    long_choice[sizeof long_choice - 1] = 0;
    assert_true(host_random(&a.host, long_choice) != host_random(&b.host, long_choice));
    world_destroy(world);
    world_destroy(same);
}

struct seen {
    int notes;
    int wires;
    char node[16];
};

static void see_note(void *context, int64_t now, const char *node, const struct note *note) {
    struct seen *seen = context;
    assert_int_equal(now, 0);
    assert_string_equal(note->text, "hello");
    (void)snprintf(seen->node, sizeof seen->node, "%s", node);
    seen->notes++;
}

static void see_wire(void *context, int64_t now, const struct wire_event *event) {
    struct seen *seen = context;
    assert_int_equal(now, 0);
    assert_int_equal(event->exchange, 4);
    seen->wires++;
}

static void test_observers(void **state) {
    (void)state;
    struct world *world = world_of_seed(1);
    struct seen both = {0}, wire_only = {0};
    world_observe(world, &(struct world_observer){.note = see_note, .wire = see_wire, .context = &both});
    world_observe(world, &(struct world_observer){.wire = see_wire, .context = &wire_only});
    struct world_host host;
    struct host_operations operations;
    make_host(&host, &operations, world, "a");
    host_note(&host.host, &(struct note){.kind = NOTE_TEXT, .text = "hello"});
    world_emit_wire(world, &(struct wire_event){.exchange = 4});
    assert_int_equal(both.notes, 1);
    assert_int_equal(both.wires, 1);
    assert_int_equal(wire_only.wires, 1);
    assert_string_equal(both.node, "a");
    world_destroy(world);
}

static void test_marks_and_mutants(void **state) {
    (void)state;
    struct world *world = world_of_seed(1);
    struct world_host host;
    struct host_operations operations;
    make_host(&host, &operations, world, "a");
    world_enable_mutant(world, "bad");
    assert_true(host_mutant(&host.host, "bad"));
    assert_false(host_mutant(&host.host, "good"));
    host_mark(&host.host, "z");
    host_mark(&host.host, "a");
    host_mark(&host.host, "z");
    const struct world_counter *counters;
    assert_int_equal(world_marks(world, &counters), 2);
    assert_string_equal(counters[0].name, "z");
    assert_int_equal(counters[0].reached, 2);
    assert_int_equal(counters[0].fired, 2);
    assert_string_equal(counters[1].name, "a");
    assert_int_equal(counters[1].reached, 1);
    world_destroy(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_order_and_until),    cmocka_unit_test(test_ties_come_from_the_seed),
        cmocka_unit_test(test_stop_and_endless_loop),   cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_random_streams_of_hosts), cmocka_unit_test(test_observers),
        cmocka_unit_test(test_marks_and_mutants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
