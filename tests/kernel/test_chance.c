/* Fault points and knobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "kernel/world.h"

static struct host_operations operations;

static struct world *make_world(uint64_t seed, bool on) {
    return world_create(&(struct world_settings){.seed = seed, .fault_points = on, .random_knobs = on});
}

static struct world_host make_host(struct world *world, const char *name) {
    world_host_operations(&operations);
    return (struct world_host){.host = {.operations = &operations, .name = name}, .world = world};
}

/* Over many seeds: live in a quarter of them, and there one in 16 fires, 3 of 4 with a delay of 1 ms .. 2 s.
 */
static void test_fault_points_by_chance(void **state) {
    (void)state;
    enum { seeds = 2000, reaches = 160 };
    int live = 0, delays = 0, errors = 0, short_delays = 0;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct world *world = make_world(seed, true);
        struct world_host host = make_host(world, "a");
        for (int i = 0; i < reaches; i++) {
            struct fault_point fault = host_fault_point(&host.host, "x.y");
            if (fault.action == FAULT_DELAY) {
                assert_true(fault.delay >= TIME_MILLISECOND && fault.delay <= 2 * TIME_SECOND);
                short_delays += fault.delay < 100 * TIME_MILLISECOND;
            }
            delays += fault.action == FAULT_DELAY;
            errors += fault.action == FAULT_ERROR;
        }
        const struct world_counter *counters;
        assert_int_equal(world_fault_points(world, &counters), 1);
        assert_int_equal(counters[0].reached, reaches);
        live += counters[0].fired > 0;
        world_destroy(world);
    }
    assert_in_range(live, seeds / 4 - 100, seeds / 4 + 100); /* 5 standard deviations */
    assert_in_range(delays + errors, live * 9, live * 11);
    assert_in_range(delays, (delays + errors) * 70 / 100, (delays + errors) * 80 / 100);
    assert_in_range(short_delays, delays / 2, delays * 3 / 4);
}

static void test_fault_points_off(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct world *world = make_world(seed, false);
        struct world_host host = make_host(world, "a");
        for (int i = 0; i < 200; i++)
            assert_int_equal(host_fault_point(&host.host, "x").action, FAULT_NONE);
        world_destroy(world);
    }
}

/* What one node meets does not depend on how often another node gets there. */
static void test_nodes_do_not_shift_each_other(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct world *alone = make_world(seed, true), *together = make_world(seed, true);
        struct world_host a = make_host(alone, "a"), a_too = make_host(together, "a"),
                          b = make_host(together, "b");
        for (int i = 0; i < 100; i++) {
            struct fault_point one = host_fault_point(&a.host, "x");
            (void)host_fault_point(&b.host, "x");
            struct fault_point other = host_fault_point(&a_too.host, "x");
            assert_true(one.action == other.action && one.delay == other.delay);
        }
        world_destroy(alone);
        world_destroy(together);
    }
}

static void test_driven_fault_points(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) { /* chance never adds to it */
        struct world *world = make_world(seed, true);
        struct world_host host = make_host(world, "a");
        world_drive_fault_point(world, "x", 3, (struct fault_point){.action = FAULT_ERROR});
        world_drive_fault_point(world, "x", 50, (struct fault_point){.action = FAULT_DELAY, .delay = 77});
        for (int i = 1; i <= 100; i++) {
            struct fault_point fault = host_fault_point(&host.host, "x");
            assert_int_equal(fault.action, i == 3 ? FAULT_ERROR : i == 50 ? FAULT_DELAY : FAULT_NONE);
            assert_int_equal(fault.delay, i == 50 ? 77 : 0);
        }
        const struct world_counter *counters;
        world_fault_points(world, &counters);
        assert_int_equal(counters[0].fired, 2);
        world_destroy(world);
    }
}

static void test_knobs(void **state) {
    (void)state;
    int moved = 0, small = 0;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        struct world *world = make_world(seed, true);
        struct world_host a = make_host(world, "a"), b = make_host(world, "b");
        int64_t value = host_knob(&a.host, "rows", 128, 1, 128);
        assert_true(value >= 1 && value <= 128);
        assert_int_equal(host_knob(&b.host, "rows", 128, 1, 128), value);
        moved += value != 128;
        small += value <= 8;
        const struct world_counter *counters;
        assert_int_equal(world_knobs(world, &counters), 1);
        assert_string_equal(counters[0].name, "rows");
        assert_int_equal(counters[0].reached, value);
        world_destroy(world);
    }
    assert_in_range(moved, 400, 600);
    assert_in_range(small, moved * 40 / 100,
                    moved * 70 / 100); /* 4 of 8 bit counts, as likely as large values */
}

static void test_pinned_knobs(void **state) {
    (void)state;
    struct world *world = make_world(1, true);
    struct world_host host = make_host(world, "a");
    world_pin_knob(world, "p", 5);
    world_pin_knob(world, "p", 6);
    world_pin_knob(world, "high", 1000);
    world_pin_knob(world, "negative", -7);
    assert_int_equal(host_knob(&host.host, "p", 1, 1, 10), 6);
    assert_int_equal(host_knob(&host.host, "high", 1, 1, 10), 10); /* the actor's range holds */
    assert_int_equal(host_knob(&host.host, "negative", 0, -10, 10), -7);
    world_destroy(world);
    world = make_world(1, false);
    host = make_host(world, "a");
    for (int i = 0; i < 20; i++)
        assert_int_equal(host_knob(&host.host, (char[]){'k', (char)('a' + i), 0}, 3, 1, 10), 3);
    world_destroy(world);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fault_points_by_chance),
        cmocka_unit_test(test_fault_points_off),
        cmocka_unit_test(test_nodes_do_not_shift_each_other),
        cmocka_unit_test(test_driven_fault_points),
        cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_pinned_knobs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
