/* What a small checkpoint costs with each engine, and what a client weighs. It measures and judges nothing:
 * no test.
 *
 *   client_engine_cost [CLIENTS]     clients of each engine that are weighed (default 300) */
#include <malloc.h>
#include <time.h>

#include "bench_world.h"

enum { ROWS = 100, ROUNDS = 400 };

static int64_t now_ns(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void feed(struct engine *engine, const char *line) {
    struct engine_result result;
    struct error error = {0};

    if (engine_line(engine, line, strlen(line), false, &result, &error) != STATUS_OK)
        fail_msg("%s: %s", line, error.message);
}

static void append_operation(struct buffer *out, int op, int row) {
    buffer_printf(out,
                  "{\"op_id\":\"%d\",\"op\":\"PUT\",\"object_type\":\"todos\",\"object_id\":"
                  "\"00000000-0000-4000-8000-%012d\",\"checksum\":%d,\"data\":\"{\\\"description\\\":\\\"buy "
                  "the tickets %d\\\",\\\"completed\\\":0,\\\"list_uuid\\\":\\\"00000000-0000-4000-8000-"
                  "000000000001\\\",\\\"estimated_hours\\\":2.25}\"}",
                  op, row, op, op);
}

/* A started client with 100 rows. */
static struct engine *open_client(struct bench_world *bench, size_t number) {
    char *node = memory_format("user-%zu-1", number);
    struct engine *engine = NULL;
    struct engine_result result;
    struct buffer line = {0};

    assert_int_equal(engine_create(bench->pool, net_node(bench->net, node), &engine, NULL), STATUS_OK);
    assert_int_equal(engine->operations->ask(engine, NULL, NULL, 0, NULL), STATUS_OK);
    assert_int_equal(engine_start(engine, &result, NULL), STATUS_OK);
    buffer_printf(&line,
                  "{\"checkpoint\":{\"last_op_id\":\"%d\",\"buckets\":[{\"bucket\":\"1#todos|0[]\","
                  "\"checksum\":%d,\"count\":%d}]}}",
                  ROWS, ROWS * (ROWS + 1) / 2, ROWS);
    feed(engine, buffer_text(&line));
    buffer_clear(&line);
    buffer_append_text(&line, "{\"data\":{\"bucket\":\"1#todos|0[]\",\"data\":[");
    for (int i = 1; i <= ROWS; i++) {
        buffer_append_text(&line, i > 1 ? "," : "");
        append_operation(&line, i, i);
    }
    buffer_append_text(&line, "]}}");
    feed(engine, buffer_text(&line));
    feed(engine, "{\"checkpoint_complete\":{\"last_op_id\":\"100\"}}");
    buffer_free(&line);
    free(node);
    return engine;
}

/* One checkpoint with one operation: three lines. */
static int64_t small_checkpoint(struct engine *engine, int op, int64_t *checksum) {
    struct buffer diff = {0}, data = {0}, complete = {0};
    int64_t start, end;

    *checksum += op;
    buffer_printf(&diff,
                  "{\"checkpoint_diff\":{\"last_op_id\":\"%d\",\"removed_buckets\":[],\"updated_buckets\":[{"
                  "\"bucket\":\"1#todos|0[]\",\"checksum\":%lld,\"count\":%d}]}}",
                  op, (long long)*checksum, op);
    buffer_append_text(&data, "{\"data\":{\"bucket\":\"1#todos|0[]\",\"data\":[");
    append_operation(&data, op, op % ROWS + 1);
    buffer_append_text(&data, "]}}");
    buffer_printf(&complete, "{\"checkpoint_complete\":{\"last_op_id\":\"%d\"}}", op);
    start = now_ns();
    feed(engine, buffer_text(&diff));
    feed(engine, buffer_text(&data));
    feed(engine, buffer_text(&complete));
    end = now_ns();
    buffer_free(&diff);
    buffer_free(&data);
    buffer_free(&complete);
    return end - start;
}

static int by_size(const void *a, const void *b) {
    const int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;

    return (one > other) - (one < other);
}

struct cost {
    double microseconds; /* median of a small checkpoint, rotating over the clients */
    double kibibytes;    /* of a client with 100 rows */
};

static struct cost measure(enum client_engine kind, size_t clients) {
    struct bench_world bench = bench_open_for(kind, 1);
    struct engine **engines = memory_allocate_array(clients, sizeof *engines);
    int64_t *checksums = memory_allocate_array(clients, sizeof *checksums);
    int64_t *times = memory_allocate_array(ROUNDS, sizeof *times);
    size_t before = mallinfo2().uordblks;
    struct cost cost;

    for (size_t i = 0; i < clients; i++) {
        engines[i] = open_client(&bench, i + 1);
        checksums[i] = ROWS * (ROWS + 1) / 2;
    }
    cost.kibibytes = (double)(mallinfo2().uordblks - before) / 1024 / (double)clients;
    for (size_t i = 0; i < ROUNDS; i++)
        times[i] =
            small_checkpoint(engines[i % clients], ROWS + 1 + (int)(i / clients), &checksums[i % clients]);
    qsort(times, ROUNDS, sizeof *times, by_size);
    cost.microseconds = (double)times[ROUNDS / 2] / 1000;
    for (size_t i = 0; i < clients; i++)
        engine_destroy(engines[i]);
    free(engines);
    free(checksums);
    free(times);
    bench_close(&bench);
    return cost;
}

int main(int argc, char **argv) {
    const size_t clients = argc > 1 ? strtoull(argv[1], NULL, 10) : 300;
    const struct cost core = measure(CLIENT_ENGINE_CORE, clients);
    const struct cost model = measure(CLIENT_ENGINE_MODEL, clients);

    printf("%zu clients: a small checkpoint %.1f us core, %.2f us model (%.0f times); a client with %d rows "
           "%.1f KiB core, %.1f KiB model (%.1f times)\n",
           clients, core.microseconds, model.microseconds, core.microseconds / model.microseconds, ROWS,
           core.kibibytes, model.kibibytes, core.kibibytes / model.kibibytes);
    return 0;
}
