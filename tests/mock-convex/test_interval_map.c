/* Interval maps against a list that is searched from end to end. */
#include "fixture.h"

#include "base/random.h"
#include "mock-convex/store/interval_map.h"

enum { HOLDERS = 200, STEPS = 4000, KEY_MAX = 3 };

struct held {
    struct convex_interval_holder holder;
    bool in;
    unsigned char low[KEY_MAX], high[KEY_MAX];
    struct convex_interval interval;
    unsigned hits;
};

struct bench {
    struct random_stream random;
    struct convex_interval_map map;
    struct held held[HOLDERS];
};

/* Short keys of few bytes, so that equal ones, prefixes and neighbours are common. */
static size_t draw_key(struct bench *bench, unsigned char key[KEY_MAX]) {
    size_t length = (size_t)random_below(&bench->random, KEY_MAX + 1);
    for (size_t i = 0; i < length; i++) {
        key[i] = (unsigned char)random_below(&bench->random, 6);
    }
    return length;
}

static void draw_interval(struct bench *bench, struct held *held) {
    held->interval = (struct convex_interval){.low = held->low};
    held->interval.low_length = draw_key(bench, held->low);
    if (random_below(&bench->random, 4) > 0) {
        held->interval.high = held->high;
        held->interval.high_length = draw_key(bench, held->high);
    }
}

static void change(struct bench *bench) {
    struct held *held = &bench->held[random_below(&bench->random, HOLDERS)];
    if (held->in) {
        convex_interval_map_remove(&bench->map, &held->holder);
    } else {
        draw_interval(bench, held);
        held->holder.owner = held;
        convex_interval_map_add(&bench->map, &held->interval, &held->holder);
    }
    held->in = !held->in;
}

static void hit(void *context, void *owner) {
    struct held *held = owner;
    assert_ptr_equal(context, NULL);
    held->hits++;
}

static bool contains(const struct convex_interval *interval, const unsigned char *key, size_t length) {
    return convex_key_compare(key, length, interval->low, interval->low_length) >= 0 &&
           (interval->high == NULL ||
            convex_key_compare(key, length, interval->high, interval->high_length) < 0);
}

static void check(struct bench *bench) {
    unsigned char key[KEY_MAX];
    size_t length = draw_key(bench, key);
    for (size_t i = 0; i < HOLDERS; i++) {
        bench->held[i].hits = 0;
    }
    convex_interval_map_find(&bench->map, key, length, hit, NULL);
    for (size_t i = 0; i < HOLDERS; i++) {
        const struct held *held = &bench->held[i];
        assert_int_equal(held->hits, held->in && contains(&held->interval, key, length));
    }
}

static void test_every_holder_of_a_key_is_found_once(void **state) {
    static struct bench bench;
    (void)state;
    bench.random = random_stream_make(1, "intervals");
    for (size_t step = 0; step < STEPS; step++) {
        change(&bench);
        check(&bench);
    }
    for (size_t i = 0; i < HOLDERS; i++) {
        if (bench.held[i].in) {
            convex_interval_map_remove(&bench.map, &bench.held[i].holder);
        }
    }
    assert_null(bench.map.root);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_holder_of_a_key_is_found_once)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
