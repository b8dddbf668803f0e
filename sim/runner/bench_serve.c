#include "runner/bench_serve.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "kernel/time.h"
#include "runner/bench_load.h"
#include "runner/bench_server.h"
#include "runner/report_folder.h"
#include "runner/text_table.h"

enum { MUTATIONS, DELTAS, UPDATES, MEASURES };
enum { DELTA_CONNECTIONS = 4, LISTS = 1000 /* that WebSockets watch */ };

/* Setting up is not measured, and is given up after this. */
static const uint64_t patience = 60 * UINT64_C(1000000000);

struct bench {
    const struct bench_serve_settings *settings;
    uv_loop_t loop;
    uv_timer_t timer;
    bool rang;
    struct bench_server server;
    struct bench_measure measures[MEASURES];
    uint64_t count;      /* of what is measured, so far */
    uint64_t mutations;  /* sent so far */
    uint64_t updates;    /* QueryUpdated of all WebSockets, so far */
    uint64_t expected;   /* updates after which the next change is made */
    uint64_t changes;    /* of the list that everybody watches */
    struct load *writer; /* NULL: nobody changes it */
    int64_t memory;      /* bytes resident with all WebSockets; 0: not measured */
    int64_t memory_before;
};

/* --- rounds --- */

static void ring(uv_timer_t *timer) {
    ((struct bench *)timer->data)->rang = true;
}

static void run_for(struct bench *bench, const struct load *load, int64_t ns) {
    bench->rang = false;
    uv_timer_start(&bench->timer, ring, (uint64_t)(ns / TIME_MILLISECOND), 0);
    while (!bench->rang && !load->failed && !(bench->writer && bench->writer->failed) &&
           !bench->server.exited)
        uv_run(&bench->loop, UV_RUN_ONCE);
    uv_timer_stop(&bench->timer);
}

static void show(const struct bench *bench, const char *what, unsigned round) {
    if (!bench->settings->progress)
        return;
    if (round == 0)
        fprintf(bench->settings->progress, "%s: warming up\n", what);
    else
        fprintf(bench->settings->progress, "%s: round %u of %u\n", what, round, bench->settings->rounds);
    fflush(bench->settings->progress);
}

static void measure_round(struct bench *bench, const struct load *load, struct bench_measure *measure) {
    uint64_t count = bench->count, start = uv_hrtime();
    int64_t cpu = bench_server_cpu(&bench->server);
    run_for(bench, load, bench->settings->round_time);
    uint64_t time = uv_hrtime() - start;
    double seconds = (double)time / 1e9;
    samples_add(&measure->values, (int64_t)((double)(bench->count - count) / seconds));
    samples_add(&measure->cpu,
                (int64_t)((double)(bench_server_cpu(&bench->server) - cpu) * 1000 / (double)time));
}

static enum status take_failure(const struct bench *bench, const struct load *load, struct error *error) {
    const struct load *failed = bench->writer && bench->writer->failed ? bench->writer : load;
    if (bench->server.exited)
        return error_set(error, STATUS_IO, "the server has ended");
    if (!failed->failed)
        return STATUS_OK;
    *error = failed->error;
    return failed->error.status;
}

static enum status measure(struct bench *bench, const struct load *load, size_t which, struct error *error) {
    struct bench_measure *measure = &bench->measures[which];
    show(bench, measure->name, 0);
    run_for(bench, load, bench->settings->round_time);
    for (unsigned round = 1; round <= bench->settings->rounds && !load->failed; round++) {
        show(bench, measure->name, round);
        measure_round(bench, load, measure);
    }
    samples_sort(&measure->values);
    samples_sort(&measure->cpu);
    return take_failure(bench, load, error);
}

/* --- mutations --- */

static void add_mutation(struct bench *bench, struct load_connection *connection) {
    char body[256];
    int length = snprintf(body, sizeof body,
                          "{\"path\":\"todo:addList\",\"format\":\"json\",\"args\":{\"list\":{\"uuid\":"
                          "\"m-%" PRIu64 "\",\"name\":\"a list\",\"owner_id\":\"alice\"},\"todos\":[]}}",
                          bench->mutations++);
    load_request(connection, "POST", "/api/mutation", "", body, (size_t)length);
}

static void open_mutations(void *context, struct load_connection *connection) {
    struct bench *bench = context;
    for (size_t i = 0; i < bench->settings->ahead; i++)
        add_mutation(bench, connection);
}

static bool take_mutation(void *context, struct load_connection *connection, int status, const char *bytes,
                          size_t length) {
    struct bench *bench = context;
    if (status != 200 || !memmem(bytes, length, "\"success\"", 9))
        return false;
    bench->count++;
    add_mutation(bench, connection);
    return true;
}

static enum status bench_mutations(struct bench *bench, struct error *error) {
    static const struct load_events events = {open_mutations, take_mutation};
    struct load load;
    load_start(&load, &bench->loop, bench->server.port, bench->settings->connections, LOAD_HTTP, &events,
               bench);
    enum status status = measure(bench, &load, MUTATIONS, error);
    load_stop(&load);
    return status;
}

/* --- deltas --- */

static void ask_deltas(struct load_connection *connection, const char *cursor) {
    char target[128];
    snprintf(target, sizeof target, "/api/document_deltas?format=json&cursor=%.30s", cursor);
    load_request(connection, "GET", target, "authorization: Convex prod:syncline-1|0123456789abcdef\r\n", "",
                 0);
}

static void open_deltas(void *context, struct load_connection *connection) {
    (void)context;
    ask_deltas(connection, "0");
}

static uint64_t count_of(const char *bytes, size_t length, const char *what) {
    uint64_t count = 0;
    size_t size = strlen(what);
    const char *end = bytes + length;
    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), what, size)) != NULL; at += size)
        count++;
    return count;
}

/* The whole log, again and again. */
static bool take_deltas(void *context, struct load_connection *connection, int status, const char *bytes,
                        size_t length) {
    struct bench *bench = context;
    uint64_t rows = count_of(bytes, length, "\"_ts\":");
    const char *cursor = memmem(bytes, length, "\"cursor\":", 9);
    if (status != 200 || rows == 0 || !cursor)
        return false;
    bench->count += rows;
    char digits[24] = "0";
    if (memmem(bytes, length, "\"hasMore\":true", 14))
        snprintf(digits, sizeof digits, "%.*s", (int)strspn(cursor + 9, "0123456789"), cursor + 9);
    ask_deltas(connection, digits);
    return true;
}

static enum status bench_deltas(struct bench *bench, struct error *error) {
    static const struct load_events events = {open_deltas, take_deltas};
    struct load load;
    load_start(&load, &bench->loop, bench->server.port, DELTA_CONNECTIONS, LOAD_HTTP, &events, bench);
    enum status status = measure(bench, &load, DELTAS, error);
    load_stop(&load);
    return status;
}

/* --- subscriptions --- */

/* The first query is the list that everybody watches, the others are lists of earlier mutations. */
static void subscribe(void *context, struct load_connection *connection) {
    const struct bench *bench = context;
    struct buffer text = {0};
    buffer_printf(&text,
                  "{\"type\":\"Connect\",\"sessionId\":\"00000000-0000-4000-8000-%012zx\","
                  "\"connectionCount\":0,\"lastCloseReason\":\"InitialConnect\",\"clientTs\":0}",
                  connection->index);
    load_message(connection, text.data, text.length);
    buffer_clear(&text);
    buffer_append_text(&text, "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,"
                              "\"modifications\":[");
    for (size_t i = 0; i < bench->settings->subscriptions; i++) {
        uint64_t list = (connection->index * bench->settings->subscriptions + i) % LISTS;
        buffer_printf(&text,
                      "%s{\"type\":\"Add\",\"queryId\":%zu,\"udfPath\":\"todo:getList\",\"args\":"
                      "[{\"uuid\":\"m-%" PRIu64 "\"}]}",
                      i ? "," : "", i, i == 0 ? 0 : list);
    }
    buffer_append_text(&text, "]}");
    load_message(connection, text.data, text.length);
    buffer_free(&text);
}

static void change_list(struct bench *bench) {
    struct load_connection *connection = bench->writer->connections[0];
    char body[320];
    int length = snprintf(body, sizeof body,
                          "{\"path\":\"sync:applyTransaction\",\"format\":\"json\",\"args\":{\"clientId\":"
                          "\"bench\",\"transactionId\":\"%" PRIu64 "\",\"operations\":[{\"op\":\"PATCH\","
                          "\"table\":\"lists\",\"id\":\"m-0\",\"data\":{\"name\":\"%" PRIu64 "\"}}]}}",
                          bench->changes, bench->changes);
    bench->changes++;
    bench->expected = bench->updates + bench->settings->sockets;
    load_request(connection, "POST", "/api/mutation", "", body, (size_t)length);
    load_flush(connection);
}

static bool take_message(void *context, struct load_connection *connection, int status, const char *bytes,
                         size_t length) {
    struct bench *bench = context;
    (void)connection;
    if (status != 101 || memmem(bytes, length, "QueryFailed", 11) || memmem(bytes, length, "Error\"", 6))
        return false;
    uint64_t updates = count_of(bytes, length, "\"QueryUpdated\"");
    bench->updates += updates;
    bench->count += updates;
    if (bench->writer && updates > 0 && bench->updates >= bench->expected)
        change_list(bench);
    return true;
}

static bool take_change(void *context, struct load_connection *connection, int status, const char *bytes,
                        size_t length) {
    (void)context;
    (void)connection;
    return status == 200 && memmem(bytes, length, "\"success\"", 9);
}

static void start_changing(void *context, struct load_connection *connection) {
    (void)connection;
    change_list(context);
}

/* Lists to watch. */
static enum status add_lists(struct bench *bench, struct error *error) {
    static const struct load_events events = {open_mutations, take_mutation};
    struct load load;
    uint64_t start = uv_hrtime();
    bench->count = 0;
    load_start(&load, &bench->loop, bench->server.port, 1, LOAD_HTTP, &events, bench);
    while (bench->count < LISTS && !load.failed && uv_hrtime() - start < patience)
        run_for(bench, &load, 10 * TIME_MILLISECOND);
    enum status status = take_failure(bench, &load, error);
    if (status == STATUS_OK && bench->count < LISTS)
        status = error_set(error, STATUS_IO, "the server is too slow to begin with");
    load_stop(&load);
    return status;
}

static enum status wait_for_results(struct bench *bench, const struct load *load, struct error *error) {
    uint64_t all = (uint64_t)bench->settings->sockets * bench->settings->subscriptions;
    uint64_t start = uv_hrtime();
    if (bench->settings->progress)
        fprintf(bench->settings->progress, "%zu WebSockets with %zu subscriptions each\n",
                bench->settings->sockets, bench->settings->subscriptions);
    while (bench->updates < all && !load->failed && uv_hrtime() - start < patience)
        run_for(bench, load, 20 * TIME_MILLISECOND);
    if (!load->failed && bench->updates < all)
        return error_set(error, STATUS_IO, "%" PRIu64 " of %" PRIu64 " first results have come",
                         bench->updates, all);
    return take_failure(bench, load, error);
}

static enum status bench_sockets(struct bench *bench, struct error *error) {
    static const struct load_events events = {subscribe, take_message};
    static const struct load_events changes = {start_changing, take_change};
    struct load load, writer;
    enum status status = add_lists(bench, error);
    if (status != STATUS_OK)
        return status;
    bench->memory_before = bench_server_memory(&bench->server);
    load_start(&load, &bench->loop, bench->server.port, bench->settings->sockets, LOAD_WEBSOCKETS, &events,
               bench);
    status = wait_for_results(bench, &load, error);
    bench->memory = bench_server_memory(&bench->server);
    if (status == STATUS_OK) {
        bench->writer = &writer;
        load_start(&writer, &bench->loop, bench->server.port, 1, LOAD_HTTP, &changes, bench);
        status = measure(bench, &load, UPDATES, error);
        bench->writer = NULL;
        load_stop(&writer);
    }
    load_stop(&load);
    return status;
}

/* --- the report --- */

static void print_table(const struct bench *bench) {
    struct text_table table;
    struct buffer text = {0};
    text_table_init(&table, "lrrrrr");
    static const char *const heads[] = {"measure", "median", "least", "greatest", "rounds", "server's CPU %"};
    for (size_t i = 0; i < 6; i++)
        text_table_add(&table, heads[i]);
    for (size_t i = 0; i < MEASURES; i++) {
        const struct bench_measure *measure = &bench->measures[i];
        if (measure->values.count == 0)
            continue;
        char *name = memory_format("%s, %s", measure->name, measure->unit);
        text_table_add(&table, name);
        free(name);
        text_table_add_count(&table, (uint64_t)samples_at(&measure->values, 500));
        text_table_add_count(&table, (uint64_t)samples_at(&measure->values, 0));
        text_table_add_count(&table, (uint64_t)samples_at(&measure->values, 1000));
        text_table_add_count(&table, measure->values.count);
        text_table_add_count(&table, (uint64_t)((samples_at(&measure->cpu, 500) + 5) / 10));
    }
    text_table_finish(&table, &text);
    fputs(buffer_text(&text), bench->settings->out);
    buffer_free(&text);
    if (bench->memory > 0)
        fprintf(bench->settings->out,
                "memory of the server with %zu WebSockets x %zu subscriptions: %.1f MiB (%.1f MiB before)\n",
                bench->settings->sockets, bench->settings->subscriptions, (double)bench->memory / 1048576,
                (double)bench->memory_before / 1048576);
}

static void append_measure(struct buffer *out, const struct bench_measure *measure) {
    buffer_printf(out, "{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%" PRId64 ",\"rounds\":[", measure->name,
                  measure->unit, samples_at(&measure->values, 500));
    for (size_t i = 0; i < measure->values.count; i++)
        buffer_printf(out, "%s%" PRId64, i ? "," : "", measure->values.values[i]);
    buffer_printf(out, "],\"server_cpu_per_mille\":%" PRId64 "}", samples_at(&measure->cpu, 500));
}

static enum status write_json(const struct bench *bench, struct error *error) {
    const struct bench_serve_settings *settings = bench->settings;
    struct buffer text = {0};
    buffer_printf(&text,
                  "{\"connections\":%zu,\"ahead\":%zu,\"sockets\":%zu,\"subscriptions\":%zu,"
                  "\"round_ns\":%" PRId64 ",\"memory_bytes\":%" PRId64 ",\"memory_before_bytes\":%" PRId64
                  ",\"measures\":[",
                  settings->connections, settings->ahead, settings->sockets, settings->subscriptions,
                  settings->round_time, bench->memory, bench->memory_before);
    for (size_t i = 0, n = 0; i < MEASURES; i++) {
        if (bench->measures[i].values.count == 0)
            continue;
        buffer_append_text(&text, n++ ? "," : "");
        append_measure(&text, &bench->measures[i]);
    }
    buffer_append_text(&text, "]}\n");
    enum status status = report_file_write(settings->json, text.data, text.length, error);
    buffer_free(&text);
    return status;
}

/* Each WebSocket is a file here and one in the server, which inherits the limit. */
static void raise_file_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum status bench_http(struct bench *bench, struct error *error) {
    enum status status = bench_mutations(bench, error);
    return status == STATUS_OK ? bench_deltas(bench, error) : status;
}

/* With a server of its own, so that memory is not that of an earlier load. */
static enum status run_with_server(struct bench *bench,
                                   enum status (*run)(struct bench *bench, struct error *error),
                                   struct error *error) {
    bench->mutations = 0;
    static const char *const words[] = {"--convex", "127.0.0.1:0", NULL};
    enum status status =
        bench_server_start(&bench->server, &bench->loop, bench->settings->executable, words, error);
    if (status == STATUS_OK)
        status = run(bench, error);
    bench_server_stop(&bench->server, &bench->loop);
    return status;
}

static enum status run_all(struct bench *bench, struct error *error) {
    enum status status = run_with_server(bench, bench_http, error);
    if (status == STATUS_OK && bench->settings->sockets > 0)
        status = run_with_server(bench, bench_sockets, error);
    if (status != STATUS_OK)
        return status;
    print_table(bench);
    return bench->settings->json ? write_json(bench, error) : STATUS_OK;
}

enum status bench_serve_run(const struct bench_serve_settings *settings, struct error *error) {
    struct bench bench = {.settings = settings,
                          .measures = {{.name = "mutations over HTTP", .unit = "per s"},
                                       {.name = "document_deltas", .unit = "rows per s"},
                                       {.name = "subscriptions", .unit = "updates per s"}}};
    struct error problem = {0};
    assert(settings->connections > 0 && settings->ahead > 0 && settings->rounds > 0);
    raise_file_limit();
    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.timer);
    bench.timer.data = &bench;
    enum status status = run_all(&bench, &problem);
    uv_close((uv_handle_t *)&bench.timer, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench.loop);
    for (size_t i = 0; i < MEASURES; i++) {
        samples_free(&bench.measures[i].values);
        samples_free(&bench.measures[i].cpu);
    }
    if (status != STATUS_OK && error)
        *error = problem;
    return status;
}
