/* The engine `core` on a disk: what is there after the process ended, after power was lost at any operation,
 * and when operations fail. */
#include "bench_world.h"

#include "client/pool.h"

struct device {
    struct bench_world bench;
    struct disk *disk;
    struct engine *engine;
};

static void open_device(struct device *device, uint64_t seed, bool full) {
    struct error error = {0};

    device->bench = bench_open(seed);
    world_pin_knob(device->bench.world, "client.wal-checkpoint-pages", 24);
    struct host *host = net_node(device->bench.net, "alice-1");
    device->disk = disk_create(host);
    client_pool_use_disk(device->bench.pool, "alice-1", &(struct client_disk){device->disk, full, false});
    if (engine_core_create(device->bench.pool, host, &device->engine, &error) != STATUS_OK)
        fail_msg("%s", error.message);
}

static void close_device(struct device *device) {
    engine_destroy(device->engine);
    bench_close(&device->bench);
    disk_destroy(device->disk);
}

/* Transactions of two rows each; returns the number of the last that was committed. */
static int64_t write_rows(struct device *device, int from, int to) {
    int64_t newest = 0;

    for (int i = from; i <= to; i++) {
        json_t *values = json_pack("{s:s}", "name", "a list with a name that takes some room");
        char list[16], todo[16];
        snprintf(list, sizeof list, "l%d", i);
        snprintf(todo, sizeof todo, "t%d", i);
        const struct client_operation operations[] = {{CLIENT_PUT, "lists", list, values},
                                                      {CLIENT_DELETE, "lists", "none", NULL},
                                                      {CLIENT_PUT, "lists", todo, values}};
        struct engine_result result;
        struct error error = {0};
        enum status status =
            device->engine->operations->write(device->engine, operations, 3, &result, &error);
        if (status == STATUS_OK)
            newest = result.transaction;
        else
            assert_int_equal(status, STATUS_IO);
        if (disk_has_power(device->disk)) /* it may go behind a commit: then nobody can look */
            assert_int_equal(status == STATUS_OK, result.n_rows > 0);
        json_decref(values);
    }
    return newest;
}

static void count_entry(void *context, int64_t transaction, const json_t *data) {
    (void)transaction;
    (void)data;
    ++*(int64_t *)context;
}

static int64_t queued(struct device *device) {
    int64_t entries = 0;

    device->engine->operations->queue_each(device->engine, count_entry, &entries);
    return entries;
}

static struct engine_result restart(struct device *device) {
    struct engine_result result;
    struct error error = {0};

    if (device->engine->operations->restart(device->engine, &result, &error) != STATUS_OK)
        fail_msg("%s", error.message);
    return result;
}

/* Two rows and two entries a transaction, none of them torn apart, and a gate that is shut over them. */
static void check_restart(struct device *device, const struct engine_result *result) {
    struct engine_gate gate;

    assert_int_equal(result->n_rows, 2 * result->survived);
    assert_int_equal(queued(device), 2 * result->survived);
    engine_gate(device->engine, &gate);
    assert_int_equal(gate.sequence, 2 * result->survived);
    assert_int_equal(gate.target, result->survived > 0 ? ENGINE_TARGET_UNKNOWN : 0);
}

static void test_a_process_loses_nothing(void **state) {
    (void)state;
    struct device device;
    open_device(&device, 1, false);
    assert_int_equal(write_rows(&device, 1, 3), 3);
    disk_end_process(device.disk);
    struct engine_result result = restart(&device);
    assert_null(result.aftermath);
    assert_int_equal(result.survived, 3);
    assert_int_equal(result.promised, 3);
    check_restart(&device, &result);
    assert_int_equal(write_rows(&device, 4, 4), 4);
    close_device(&device);
}

/* Power goes at each operation of a run, with several draws of what survives. */
static void lose_power_everywhere(bool full, bool *lost) {
    bool over = false;

    *lost = false;
    for (uint64_t nth = 1; !over; nth += full ? 3 : 1)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct device device;
            open_device(&device, seed, full);
            disk_lose_power_at(device.disk, nth, NULL, NULL);
            int64_t newest = write_rows(&device, 1, 8);
            over = disk_has_power(device.disk);
            disk_lose_power(device.disk);
            struct engine_result result = restart(&device);
            assert_string_equal(result.aftermath, "power loss");
            assert_in_range(result.survived, full ? newest : result.promised, newest + 1);
            check_restart(&device, &result);
            *lost |= result.survived < newest;
            close_device(&device);
        }
}

static void test_power_goes_anywhere(void **state) {
    (void)state;
    bool lost;
    lose_power_everywhere(false, &lost);
    assert_true(lost);
    lose_power_everywhere(true, &lost);
    assert_false(lost);
}

/* The nth operation of a kind fails, for each n: what was answered is there, and the app can go on. */
static void fail_everywhere(enum disk_operation operation, uint64_t least) {
    uint64_t nth = 0, faults;

    do {
        struct device device;
        open_device(&device, 1, true);
        disk_fail_at(device.disk, operation, ++nth);
        write_rows(&device, 1, 8);
        disk_fail_at(device.disk, operation, 0);
        faults = disk_faults(device.disk);
        int64_t newest = write_rows(&device, 9, 9);
        assert_int_equal(2 * newest, queued(&device));
        disk_end_process(device.disk);
        struct engine_result result = restart(&device);
        check_restart(&device, &result);
        close_device(&device);
    } while (faults > 0);
    assert_true(nth > least);
}

static void test_every_operation_may_fail(void **state) {
    (void)state;
    fail_everywhere(DISK_WRITE, 20);
    fail_everywhere(DISK_SYNC, 5);
    fail_everywhere(DISK_READ, 0);
}

static void test_reads_fail_on_a_restart(void **state) {
    (void)state;
    enum status status = STATUS_IO;
    uint64_t nth = 0;

    while (status != STATUS_OK) {
        struct device device;
        struct engine_result result;
        open_device(&device, 1, false);
        write_rows(&device, 1, 2);
        disk_end_process(device.disk);
        disk_fail_at(device.disk, DISK_READ, ++nth);
        status = device.engine->operations->restart(device.engine, &result, NULL);
        assert_true(status == STATUS_OK || status == STATUS_IO);
        disk_fail_at(device.disk, DISK_READ, 0);
        if (status == STATUS_IO) /* the app is opened again, later */
            result = restart(&device);
        check_restart(&device, &result);
        close_device(&device);
    }
    assert_true(nth > 3);
}

static void test_full_and_read_only(void **state) {
    (void)state;
    struct device device;
    open_device(&device, 1, false);
    disk_set_full(device.disk, true);
    assert_int_equal(write_rows(&device, 1, 2), 0);
    disk_set_full(device.disk, false);
    assert_int_equal(write_rows(&device, 1, 1), 1);
    disk_set_read_only(device.disk, true);
    assert_int_equal(write_rows(&device, 2, 2), 0);
    disk_end_process(device.disk);
    struct engine_result result;
    assert_int_equal(device.engine->operations->restart(device.engine, &result, NULL), STATUS_IO);
    disk_set_read_only(device.disk, false);
    result = restart(&device);
    assert_int_equal(result.survived, 1);
    assert_int_equal(write_rows(&device, 2, 2), 2);
    close_device(&device);
}

/* The control: syncs that do nothing break the promise, or the database. */
static void test_lying_syncs_are_seen(void **state) {
    (void)state;
    int broken = 0, damaged = 0;

    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct device device;
        open_device(&device, seed, true);
        disk_skip_syncs(device.disk, true);
        write_rows(&device, 1, 12);
        disk_lose_power(device.disk);
        struct engine_result result = restart(&device);
        damaged += strncmp(result.aftermath, "damaged: ", 9) == 0;
        broken += result.survived < result.promised;
        close_device(&device);
    }
    assert_true(broken > 5);
    (void)damaged;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_process_loses_nothing),  cmocka_unit_test(test_power_goes_anywhere),
        cmocka_unit_test(test_every_operation_may_fail), cmocka_unit_test(test_reads_fail_on_a_restart),
        cmocka_unit_test(test_full_and_read_only),       cmocka_unit_test(test_lying_syncs_are_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
