#include "runner/bench_clients.h"

#include <assert.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "client/core_library.h"
#include "client/engine.h"
#include "disk/vfs.h"
#include "net/net.h"
#include "runner/bench_kernel.h"
#include "runner/statistics.h"

enum { ROWS = 100, ROUNDS = 400 };

static const struct client_column list_columns[] = {
    {"name", "text"}, {"owner_id", "text"}, {"created_at", "text"}};
static const struct client_column todo_columns[] = {
    {"description", "text"}, {"completed", "integer"}, {"list_uuid", "text"}, {"estimated_hours", "real"}};
static const struct client_table tables[] = {{.name = "lists", .columns = list_columns, .n_columns = 3},
                                             {.name = "todos", .columns = todo_columns, .n_columns = 4}};
static const struct client_schema schema = {.tables = tables, .n_tables = 2};

/* What engines need around them. */
struct bench {
    struct world *world;
    struct net *net;
    struct disk_vfs *vfs;
    struct core_library *library;
    struct client_pool *pool;
};

struct cost {
    int64_t start, checkpoint; /* ns of CPU time: of each client, median */
    size_t bytes;              /* of each client */
};

static enum status open_bench(struct bench *bench, enum client_engine engine, const char *core,
                              struct error *error) {
    const struct world_settings world = {.seed = 1};
    const struct net_settings net = {.latency = 10 * TIME_MILLISECOND, .give_up = 30 * TIME_SECOND};
    enum status status = STATUS_OK;
    bench->world = world_create(&world);
    bench->net = net_create(bench->world, &net);
    bench->vfs = disk_vfs_open(bench->world);
    if (engine == CLIENT_ENGINE_CORE)
        status = core_library_open(core, &bench->library, error);
    if (status == STATUS_OK)
        status = client_pool_create_for(engine, bench->library, bench->vfs, &schema, &bench->pool, error);
    return status;
}

static void close_bench(struct bench *bench) {
    client_pool_destroy(bench->pool);
    if (bench->library != NULL)
        core_library_close(bench->library);
    disk_vfs_close(bench->vfs);
    net_destroy(bench->net);
    world_destroy(bench->world);
}

static enum status feed(struct engine *engine, const struct buffer *line, struct error *error) {
    struct engine_result result;
    return engine_line(engine, line->data, line->length, false, &result, error);
}

static void append_operation(struct buffer *out, int op, int row) {
    buffer_printf(out,
                  "{\"op_id\":\"%d\",\"op\":\"PUT\",\"object_type\":\"todos\",\"object_id\":"
                  "\"00000000-0000-4000-8000-%012d\",\"checksum\":%d,\"data\":\"{\\\"description\\\":\\\"buy "
                  "the tickets %d\\\",\\\"completed\\\":0,\\\"list_uuid\\\":\\\"00000000-0000-4000-8000-"
                  "000000000001\\\",\\\"estimated_hours\\\":2.25}\"}",
                  op, row, op, op);
}

/* The lines of a checkpoint: its head, one data line, its end. */
struct lines {
    struct buffer head, data, end;
};

static void begin_lines(struct lines *lines) {
    buffer_clear(&lines->head);
    buffer_clear(&lines->data);
    buffer_clear(&lines->end);
    buffer_append_text(&lines->data, "{\"data\":{\"bucket\":\"1#todos|0[]\",\"data\":[");
}

static void end_lines(struct lines *lines, int last) {
    buffer_append_text(&lines->data, "]}}");
    buffer_printf(&lines->end, "{\"checkpoint_complete\":{\"last_op_id\":\"%d\"}}", last);
}

static void free_lines(struct lines *lines) {
    buffer_free(&lines->head);
    buffer_free(&lines->data);
    buffer_free(&lines->end);
}

static enum status feed_all(struct engine *engine, const struct lines *lines, struct error *error) {
    enum status status = feed(engine, &lines->head, error);
    if (status == STATUS_OK)
        status = feed(engine, &lines->data, error);
    return status == STATUS_OK ? feed(engine, &lines->end, error) : status;
}

static void make_first(struct lines *lines) {
    begin_lines(lines);
    buffer_printf(&lines->head,
                  "{\"checkpoint\":{\"last_op_id\":\"%d\",\"buckets\":[{\"bucket\":\"1#todos|0[]\","
                  "\"checksum\":%d,\"count\":%d}]}}",
                  ROWS, ROWS * (ROWS + 1) / 2, ROWS);
    for (int i = 1; i <= ROWS; i++) {
        buffer_append_text(&lines->data, i > 1 ? "," : "");
        append_operation(&lines->data, i, i);
    }
    end_lines(lines, ROWS);
}

/* One operation; it is the `op`th of the bucket. */
static void make_small(struct lines *lines, int op) {
    begin_lines(lines);
    buffer_printf(&lines->head,
                  "{\"checkpoint_diff\":{\"last_op_id\":\"%d\",\"removed_buckets\":[],\"updated_buckets\":[{"
                  "\"bucket\":\"1#todos|0[]\",\"checksum\":%d,\"count\":%d}]}}",
                  op, op * (op + 1) / 2, op);
    append_operation(&lines->data, op, op % ROWS + 1);
    end_lines(lines, op);
}

static enum status open_client(struct bench *bench, size_t number, const struct lines *first,
                               struct engine **engine, struct error *error) {
    char *node = memory_format("user-%zu-1", number);
    struct engine_result result;
    enum status status = engine_create(bench->pool, net_node(bench->net, node), engine, error);
    if (status == STATUS_OK)
        status = (*engine)->operations->ask(*engine, NULL, NULL, 0, error);
    if (status == STATUS_OK)
        status = engine_start(*engine, &result, error);
    if (status == STATUS_OK)
        status = feed_all(*engine, first, error);
    free(node);
    return status;
}

static enum status run_small(struct engine **engines, size_t clients, struct cost *cost,
                             struct error *error) {
    struct lines lines = {0};
    struct samples times = {0};
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < ROUNDS; i++) {
        make_small(&lines, ROWS + 1 + (int)(i / clients));
        const int64_t start = bench_cpu_now();
        status = feed_all(engines[i % clients], &lines, error);
        samples_add(&times, bench_cpu_now() - start);
    }
    samples_sort(&times);
    cost->checkpoint = samples_at(&times, 500);
    samples_free(&times);
    free_lines(&lines);
    return status;
}

static enum status run_clients(struct bench *bench, size_t clients, struct cost *cost, struct error *error) {
    struct engine **engines = memory_allocate_array(clients, sizeof *engines);
    struct lines first = {0};
    enum status status = STATUS_OK;
    make_first(&first);
    const size_t before = mallinfo2().uordblks;
    const int64_t start = bench_cpu_now();
    for (size_t i = 0; status == STATUS_OK && i < clients; i++)
        status = open_client(bench, i + 1, &first, &engines[i], error);
    cost->start = (bench_cpu_now() - start) / (int64_t)clients;
    cost->bytes = (mallinfo2().uordblks - before) / clients;
    if (status == STATUS_OK)
        status = run_small(engines, clients, cost, error);
    for (size_t i = 0; i < clients; i++)
        if (engines[i] != NULL)
            engine_destroy(engines[i]);
    free(engines);
    free_lines(&first);
    return status;
}

static enum status measure(enum client_engine engine, const char *core, size_t clients, struct cost *cost,
                           struct error *error) {
    struct bench bench = {0};
    enum status status = open_bench(&bench, engine, core, error);
    if (status == STATUS_OK)
        status = run_clients(&bench, clients, cost, error);
    close_bench(&bench);
    return status;
}

enum status bench_clients_run(const char *core, size_t clients, FILE *out, struct error *error) {
    static const struct {
        const char *name;
        enum client_engine engine;
    } engines[] = {{"core", CLIENT_ENGINE_CORE}, {"model", CLIENT_ENGINE_MODEL}};
    struct cost costs[2] = {0};
    assert(clients > 0);
    fprintf(out, "%zu clients with %d rows each\n%-8s  %14s  %12s  %16s\n", clients, ROWS, "engine",
            "KiB a client", "start, us", "checkpoint, us");
    for (size_t i = 0; i < 2; i++) {
        enum status status = measure(engines[i].engine, core, clients, &costs[i], error);
        if (status != STATUS_OK)
            return status;
        fprintf(out, "%-8s  %14.1f  %12.1f  %16.2f\n", engines[i].name, (double)costs[i].bytes / 1024,
                (double)costs[i].start / 1e3, (double)costs[i].checkpoint / 1e3);
    }
    fprintf(out, "%-8s  %14.1f  %12.1f  %16.2f\n", "ratio", (double)costs[0].bytes / (double)costs[1].bytes,
            (double)costs[0].start / (double)costs[1].start,
            (double)costs[0].checkpoint / (double)costs[1].checkpoint);
    return STATUS_OK;
}
