#include "runner/bench_sync.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/jwt.h"
#include "base/memory.h"
#include "kernel/time.h"
#include "runner/bench_load.h"
#include "runner/bench_server.h"
#include "runner/report_folder.h"
#include "runner/statistics.h"
#include "runner/text_table.h"

#define SECRET "a secret of the benchmark"
#define NAME_LENGTH 90 /* makes a document about 200 bytes of JSON */

enum {
    START,
    REPLICATION,
    INITIAL_ROWS,
    INITIAL_BYTES,
    CHURN_ONE,
    CHURN_EIGHT,
    STEADY,
    CEILING,
    FAN_OUT_10,
    FAN_OUT_50,
    FAN_OUT_200,
    SATURATION,
    MEASURES
};

/* Written and not delivered yet, at most, where the writer goes as fast as the service. */
enum { WINDOW = 5000, STARTS = 5, POLLING_MS = 100 };

/* Setting up is not measured, and is given up after this. */
static const uint64_t patience = 120 * UINT64_C(1000000000);

/* What was measured: rates, one sample a round, and delays, one sample a row and stream. */
struct measure {
    const char *name, *unit;
    struct samples rate, delay; /* delay: us from the mutation's answer to the row's arrival */
    struct samples cpu;         /* of the service, per mille of one CPU */
    int64_t memory, peak;       /* of the service afterwards, bytes */
};

/* Changes to the deployment, one row each, over one connection. */
struct writer {
    struct load load;
    bool open;
    uint64_t per_second; /* 0: as fast as rows are delivered, WINDOW ahead */
    uint64_t started;    /* hrtime of the first change */
    uint64_t sent, answered;
};

struct bench {
    const struct bench_sync_settings *settings;
    uv_loop_t loop;
    uv_timer_t timer;  /* ends a round */
    uv_timer_t pacing; /* lets the writer go on, and streams ask again */
    bool rang;
    struct bench_server convex, service;
    struct buffer convex_url, config_path, limits_path, token;
    char folder[32];
    struct measure measures[MEASURES];

    struct writer writer;
    uint64_t names;         /* of rows given out so far */
    struct samples answers; /* by name: hrtime of the mutation's answer; 0: none yet */

    struct load streams;
    bool reconnects;        /* connect again after each complete checkpoint */
    bool resumes;           /* say what we have */
    char bucket[64];        /* as the service named it */
    char last_op[24];       /* of the newest checkpoint line */
    uint64_t rows, bytes;   /* delivered so far */
    uint64_t checkpoint_at; /* when the last checkpoint line came: hrtime */
    uint64_t completes;     /* checkpoints completed so far, of all streams */
    struct samples *delay;  /* where delays go; NULL: nowhere */
    uint64_t refused;       /* answers that there is no sync config yet */
};

/* --- rounds --- */

static void ring(uv_timer_t *timer) {
    ((struct bench *)timer->data)->rang = true;
}

static bool is_broken(const struct bench *bench) {
    return bench->streams.failed || bench->writer.load.failed || bench->convex.exited ||
           bench->service.exited;
}

static void run_for(struct bench *bench, int64_t ns) {
    bench->rang = false;
    uv_timer_start(&bench->timer, ring, (uint64_t)(ns / TIME_MILLISECOND), 0);
    while (!bench->rang && !is_broken(bench))
        uv_run(&bench->loop, UV_RUN_ONCE);
    uv_timer_stop(&bench->timer);
}

/* Until so many checkpoints are complete. */
static enum status wait_for_completes(struct bench *bench, uint64_t completes, struct error *error) {
    uint64_t start = uv_hrtime();
    while (bench->completes < completes && !is_broken(bench)) {
        if (uv_hrtime() - start > patience)
            return error_set(error, STATUS_IO, "the service completes no checkpoint");
        uv_run(&bench->loop, UV_RUN_ONCE);
    }
    return STATUS_OK;
}

static enum status take_failure(const struct bench *bench, struct error *error) {
    if (bench->service.exited || bench->convex.exited)
        return error_set(error, STATUS_IO, "the %s has ended",
                         bench->service.exited ? "service" : "deployment");
    const struct load *failed = bench->streams.failed ? &bench->streams : &bench->writer.load;
    if (!failed->failed)
        return STATUS_OK;
    *error = failed->error;
    return failed->error.status;
}

static void show(const struct bench *bench, const char *what) {
    if (!bench->settings->progress)
        return;
    fprintf(bench->settings->progress, "%s\n", what);
    fflush(bench->settings->progress);
}

static void add_cpu(struct measure *measure, int64_t cpu, uint64_t time) {
    samples_add(&measure->cpu, (int64_t)((double)cpu * 1000 / (double)time));
}

/* One round after one to warm up, `count` being what grows. */
static void measure_rounds(struct bench *bench, const uint64_t *count, struct measure *measure) {
    show(bench, measure->name);
    run_for(bench, bench->settings->round_time);
    if (measure->delay.values || bench->writer.per_second > 0)
        bench->delay = &measure->delay;
    for (unsigned round = 0; round < bench->settings->rounds && !is_broken(bench); round++) {
        uint64_t before = *count, start = uv_hrtime();
        int64_t cpu = bench_server_cpu(&bench->service);
        run_for(bench, bench->settings->round_time);
        uint64_t time = uv_hrtime() - start;
        samples_add(&measure->rate, (int64_t)((double)(*count - before) * 1e9 / (double)time));
        add_cpu(measure, bench_server_cpu(&bench->service) - cpu, time);
    }
    bench->delay = NULL;
    measure->memory = bench_server_memory(&bench->service);
    measure->peak = bench_server_peak(&bench->service);
}

/* --- the writer --- */

static void send_change(struct bench *bench) {
    struct writer *writer = &bench->writer;
    char body[512];
    int length = snprintf(body, sizeof body,
                          "{\"path\":\"todo:addList\",\"format\":\"json\",\"args\":{\"list\":{\"uuid\":"
                          "\"b-%" PRIu64 "\",\"name\":\"%0*d\",\"owner_id\":\"alice\"},\"todos\":[]}}",
                          bench->names++, NAME_LENGTH, 0);
    samples_add(&bench->answers, 0);
    writer->sent++;
    load_request(writer->load.connections[0], "POST", "/api/mutation", "", body, (size_t)length);
}

/* How many changes should have been sent by now. */
static uint64_t changes_due(const struct bench *bench) {
    const struct writer *writer = &bench->writer;
    if (writer->per_second > 0)
        return (uv_hrtime() - writer->started) * writer->per_second / UINT64_C(1000000000);
    uint64_t delivered = bench->streams.n_connections ? bench->rows / bench->streams.n_connections : 0;
    uint64_t done =
        bench->streams.n_connections && delivered < writer->answered ? delivered : writer->answered;
    return done + WINDOW;
}

static void go_on_writing(struct bench *bench) {
    struct writer *writer = &bench->writer;
    if (!writer->open)
        return;
    for (uint64_t due = changes_due(bench); writer->sent < due && writer->sent - writer->answered < WINDOW;)
        send_change(bench);
    load_flush(writer->load.connections[0]);
}

static void open_writer(void *context, struct load_connection *connection) {
    struct bench *bench = context;
    (void)connection;
    bench->writer.started = uv_hrtime();
    bench->writer.open = true;
}

static bool take_answer(void *context, struct load_connection *connection, int status, const char *bytes,
                        size_t length) {
    struct bench *bench = context;
    (void)connection;
    if (status != 200 || !memmem(bytes, length, "\"success\"", 9))
        return false;
    size_t first = bench->answers.count - (size_t)bench->writer.sent;
    bench->answers.values[first + bench->writer.answered++] = (int64_t)uv_hrtime();
    return true;
}

static void start_writer(struct bench *bench, uint64_t per_second) {
    static const struct load_events events = {open_writer, take_answer};
    bench->writer = (struct writer){.per_second = per_second};
    load_start(&bench->writer.load, &bench->loop, bench->convex.port, 1, LOAD_HTTP, &events, bench);
}

static void stop_writer(struct bench *bench) {
    bench->writer.open = false;
    load_stop(&bench->writer.load);
}

/* Documents to begin with. */
static enum status add_rows(struct bench *bench, struct error *error) {
    show(bench, "documents to begin with");
    uint64_t start = uv_hrtime();
    start_writer(bench, 0);
    while (bench->writer.answered < bench->settings->rows && !is_broken(bench) &&
           uv_hrtime() - start < patience)
        uv_run(&bench->loop, UV_RUN_ONCE);
    enum status status = take_failure(bench, error);
    if (status == STATUS_OK && bench->writer.answered < bench->settings->rows)
        status = error_set(error, STATUS_IO, "the deployment is too slow to begin with");
    stop_writer(bench);
    return status;
}

/* --- the streams --- */

static void ask(struct bench *bench, struct load_connection *connection) {
    struct buffer body = {0}, headers = {0};
    buffer_append_text(&body, "{\"raw_data\":true,\"include_checksum\":true,\"client_id\":");
    buffer_printf(&body, "\"bench-%zu\",\"buckets\":[", connection->index);
    if (bench->resumes)
        buffer_printf(&body, "{\"name\":\"%s\",\"after\":\"%s\"}", bench->bucket, bench->last_op);
    buffer_append_text(&body, "]}");
    buffer_printf(&headers, "authorization: Token %s\r\n", buffer_text(&bench->token));
    load_request(connection, "POST", "/sync/stream", headers.data, body.data, body.length);
    load_flush(connection);
    buffer_free(&body);
    buffer_free(&headers);
}

static void open_stream(void *context, struct load_connection *connection) {
    ask(context, connection);
}

static void copy_until_quote(char *out, size_t size, const char *line, size_t length, const char *key) {
    const char *at = memmem(line, length, key, strlen(key));
    if (!at)
        return;
    at += strlen(key);
    size_t count = strcspn(at, "\"");
    snprintf(out, size, "%.*s", (int)count, at);
}

static void take_row(struct bench *bench, const char *id, uint64_t now) {
    if (!bench->delay || id[0] != 'b' || id[1] != '-')
        return;
    uint64_t name = strtoull(id + 2, NULL, 10);
    if (name >= bench->answers.count)
        return;
    int64_t answered = bench->answers.values[name];
    int64_t delay = answered > 0 && (int64_t)now > answered ? (int64_t)now - answered : 0;
    samples_add(bench->delay, delay / TIME_MICROSECOND);
}

static void take_data(struct bench *bench, const char *line, size_t length) {
    static const char key[] = "\"object_id\":\"";
    uint64_t now = uv_hrtime();
    const char *end = line + length;
    for (const char *at = line; (at = memmem(at, (size_t)(end - at), key, sizeof key - 1)) != NULL;) {
        at += sizeof key - 1;
        bench->rows++;
        take_row(bench, at, now);
    }
}

static bool starts_with(const char *line, size_t length, const char *start) {
    return length >= strlen(start) && memcmp(line, start, strlen(start)) == 0;
}

static bool take_line(void *context, struct load_connection *connection, int status, const char *line,
                      size_t length) {
    struct bench *bench = context;
    if (status == 500 && memmem(line, length, "PSYNC_S2302", 11)) {
        connection->number = 1; /* asks again soon */
        bench->refused++;
        return true;
    }
    if (status != 200)
        return false;
    bench->bytes += length + 1;
    if (starts_with(line, length, "{\"data\"")) {
        take_data(bench, line, length);
    } else if (starts_with(line, length, "{\"checkpoint\"") ||
               starts_with(line, length, "{\"checkpoint_diff\"")) {
        bench->checkpoint_at = uv_hrtime();
        copy_until_quote(bench->last_op, sizeof bench->last_op, line, length, "\"last_op_id\":\"");
        copy_until_quote(bench->bucket, sizeof bench->bucket, line, length, "\"bucket\":\"");
    } else if (starts_with(line, length, "{\"checkpoint_complete\"")) {
        bench->completes++;
        if (bench->reconnects)
            load_reconnect(connection);
    }
    return true;
}

static void start_streams(struct bench *bench, size_t count) {
    static const struct load_events events = {open_stream, take_line};
    load_start(&bench->streams, &bench->loop, bench->service.port, count, LOAD_LINES, &events, bench);
}

static void stop_streams(struct bench *bench) {
    load_stop(&bench->streams);
}

static void pace(uv_timer_t *timer) {
    struct bench *bench = timer->data;
    go_on_writing(bench);
    for (size_t i = 0; i < bench->streams.n_connections; i++) {
        struct load_connection *connection = bench->streams.connections[i];
        if (connection->number == 1)
            ask(bench, connection);
        connection->number = 0;
    }
}

/* --- the service --- */

static enum status write_config(struct bench *bench, struct error *error) {
    struct buffer text = {0}, secret = {0};
    base64url_append(&secret, SECRET, strlen(SECRET));
    buffer_printf(&text,
                  "replication:\n  connections: [{type: convex, deployment_url: \"%s\", "
                  "deploy_key: \"dev:syncline-1|0123456789abcdef\", polling_interval_ms: %d}]\n"
                  "client_auth:\n  audience: [bench]\n"
                  "  jwks: {keys: [{kty: oct, alg: HS256, kid: k, k: %s}]}\n"
                  "sync_config:\n  content: |\n"
                  "    config: {edition: 3}\n"
                  "    streams: {all: {auto_subscribe: true, query: \"SELECT *, uuid AS id FROM lists\"}}\n",
                  buffer_text(&bench->convex_url), POLLING_MS, buffer_text(&secret));
    enum status status = report_file_write(buffer_text(&bench->config_path), text.data, text.length, error);
    buffer_free(&text);
    buffer_free(&secret);
    return status;
}

/* The deployment is not what is measured: it may be written to as fast as it goes. */
static enum status write_limits(const struct bench *bench, struct error *error) {
    static const char text[] = "deployment: {limits: {write-rate: 0}}\n";
    return report_file_write(buffer_text(&bench->limits_path), text, strlen(text), error);
}

static void make_token(struct bench *bench) {
    int64_t now = time(NULL);
    json_t *claims =
        json_pack("{s:s,s:s,s:I,s:I}", "sub", "alice", "aud", "bench", "iat", now, "exp", now + 7200);
    char *token = jwt_sign_hs256("k", claims, SECRET, strlen(SECRET));
    buffer_append_text(&bench->token, token);
    json_decref(claims);
    free(token);
}

static enum status start_service(struct bench *bench, struct error *error) {
    const char *words[] = {"--powersync", "127.0.0.1:0", "--config", buffer_text(&bench->config_path), NULL};
    return bench_server_start(&bench->service, &bench->loop, bench->settings->executable, words, error);
}

static void stop_service(struct bench *bench) {
    bench_server_stop(&bench->service, &bench->loop);
    bench->service = (struct bench_server){0};
}

/* --- what is measured --- */

/* From starting the process to the first complete checkpoint. */
static enum status start_once(struct bench *bench, uint64_t *time, struct error *error) {
    uint64_t start = uv_hrtime(), before = bench->completes;
    bench->resumes = false;
    enum status status = start_service(bench, error);
    if (status == STATUS_OK) {
        start_streams(bench, 1);
        status = wait_for_completes(bench, before + 1, error);
    }
    *time = uv_hrtime() - start;
    return status == STATUS_OK ? take_failure(bench, error) : status;
}

static enum status bench_start(struct bench *bench, struct error *error) {
    struct measure *measure = &bench->measures[START];
    enum status status = STATUS_OK;
    show(bench, measure->name);
    for (int i = 0; i < STARTS && status == STATUS_OK; i++) {
        uint64_t time;
        status = start_once(bench, &time, error);
        samples_add(&measure->rate, (int64_t)(time / 1000));
        measure->memory = bench_server_memory(&bench->service);
        measure->peak = bench_server_peak(&bench->service);
        stop_streams(bench);
        stop_service(bench);
    }
    return status;
}

/* Up to the first checkpoint line, as of the real service; CPU time is that up to the end of the checkpoint.
 * The service is the one that everything after this is measured on: it is left running. */
static enum status bench_replication(struct bench *bench, struct error *error) {
    struct measure *measure = &bench->measures[REPLICATION];
    uint64_t time;
    show(bench, measure->name);
    const uint64_t start = uv_hrtime();
    enum status status = start_once(bench, &time, error);
    samples_add(&measure->rate,
                (int64_t)((double)bench->settings->rows * 1e9 / (double)(bench->checkpoint_at - start)));
    add_cpu(measure, bench_server_cpu(&bench->service), time);
    measure->memory = bench_server_memory(&bench->service);
    measure->peak = bench_server_peak(&bench->service);
    stop_streams(bench);
    return status;
}

/* One client from nothing to everything, again and again. */
static enum status bench_initial_sync(struct bench *bench, struct error *error) {
    struct measure *rows = &bench->measures[INITIAL_ROWS], *bytes = &bench->measures[INITIAL_BYTES];
    enum status status = STATUS_OK;
    show(bench, rows->name);
    for (unsigned round = 0; round < bench->settings->rounds && status == STATUS_OK; round++) {
        uint64_t n_rows = bench->rows, n_bytes = bench->bytes, start = uv_hrtime();
        int64_t cpu = bench_server_cpu(&bench->service);
        start_streams(bench, 1);
        status = wait_for_completes(bench, bench->completes + 1, error);
        if (status == STATUS_OK)
            status = take_failure(bench, error);
        uint64_t time = uv_hrtime() - start;
        samples_add(&rows->rate, (int64_t)((double)(bench->rows - n_rows) * 1e9 / (double)time));
        samples_add(&bytes->rate, (int64_t)((double)(bench->bytes - n_bytes) * 1e6 / (double)time));
        add_cpu(rows, bench_server_cpu(&bench->service) - cpu, time);
        stop_streams(bench);
    }
    rows->memory = bench_server_memory(&bench->service);
    rows->peak = bench_server_peak(&bench->service);
    return status;
}

/* Connect, a checkpoint without data, close. */
static enum status bench_churn(struct bench *bench, size_t clients, size_t which, struct error *error) {
    bench->resumes = bench->reconnects = true;
    start_streams(bench, clients);
    measure_rounds(bench, &bench->completes, &bench->measures[which]);
    enum status status = take_failure(bench, error);
    bench->reconnects = false;
    stop_streams(bench);
    return status;
}

/* Rows to streams that have all that was there before. */
static enum status bench_delivery(struct bench *bench, size_t streams, uint64_t per_second, size_t which,
                                  struct error *error) {
    if (streams > bench->settings->streams)
        return STATUS_OK;
    bench->resumes = true;
    start_streams(bench, streams);
    enum status status = wait_for_completes(bench, bench->completes + streams, error);
    bench->rows = 0;
    start_writer(bench, per_second);
    if (status == STATUS_OK)
        measure_rounds(bench, &bench->rows, &bench->measures[which]);
    if (status == STATUS_OK)
        status = take_failure(bench, error);
    stop_writer(bench);
    /* What is still under way belongs to nobody. */
    run_for(bench, 3 * POLLING_MS * TIME_MILLISECOND);
    stop_streams(bench);
    return status;
}

static enum status bench_all(struct bench *bench, struct error *error) {
    static const struct {
        size_t streams;
        uint64_t per_second;
        size_t which;
    } deliveries[] = {{1, 2000, STEADY},     {1, 0, CEILING},         {10, 100, FAN_OUT_10},
                      {50, 100, FAN_OUT_50}, {200, 100, FAN_OUT_200}, {50, 0, SATURATION}};
    enum status status = bench_start(bench, error);
    if (status == STATUS_OK)
        status = add_rows(bench, error);
    if (status == STATUS_OK)
        status = bench_replication(bench, error);
    if (status == STATUS_OK)
        status = bench_initial_sync(bench, error);
    if (status == STATUS_OK)
        status = bench_churn(bench, 1, CHURN_ONE, error);
    if (status == STATUS_OK)
        status = bench_churn(bench, 8, CHURN_EIGHT, error);
    for (size_t i = 0; i < sizeof deliveries / sizeof *deliveries && status == STATUS_OK; i++)
        status = bench_delivery(bench, deliveries[i].streams, deliveries[i].per_second, deliveries[i].which,
                                error);
    return status;
}

/* --- the report --- */

static void add_delay(struct text_table *table, const struct measure *measure, unsigned per_mille) {
    char *text = measure->delay.count > 0
                     ? memory_format("%.1f", (double)samples_at(&measure->delay, per_mille) / 1000)
                     : memory_copy_text("");
    text_table_add(table, text);
    free(text);
}

static void add_mebibytes(struct text_table *table, int64_t bytes) {
    char *text = bytes > 0 ? memory_format("%.1f", (double)bytes / 1048576) : memory_copy_text("");
    text_table_add(table, text);
    free(text);
}

static void print_row(struct text_table *table, const struct measure *measure) {
    char *name = memory_format("%s, %s", measure->name, measure->unit);
    text_table_add(table, name);
    free(name);
    text_table_add_count(table, (uint64_t)samples_at(&measure->rate, 500));
    text_table_add_count(table, (uint64_t)samples_at(&measure->rate, 0));
    text_table_add_count(table, (uint64_t)samples_at(&measure->rate, 1000));
    add_delay(table, measure, 500);
    add_delay(table, measure, 950);
    if (measure->cpu.count > 0)
        text_table_add_count(table, (uint64_t)((samples_at(&measure->cpu, 500) + 5) / 10));
    else
        text_table_add(table, "");
    add_mebibytes(table, measure->memory);
    add_mebibytes(table, measure->peak);
}

static void print_table(const struct bench *bench) {
    static const char *const heads[] = {"measure", "median", "least",      "greatest", "delay ms",
                                        "p95",     "CPU %",  "memory MiB", "peak"};
    struct text_table table;
    struct buffer text = {0};
    text_table_init(&table, "lrrrrrrrr");
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        text_table_add(&table, heads[i]);
    for (size_t i = 0; i < MEASURES; i++)
        if (bench->measures[i].rate.count > 0)
            print_row(&table, &bench->measures[i]);
    text_table_finish(&table, &text);
    fputs(buffer_text(&text), bench->settings->out);
    buffer_free(&text);
}

static void append_measure(struct buffer *out, const struct measure *measure) {
    buffer_printf(out, "{\"name\":\"%s\",\"unit\":\"%s\",\"median\":%" PRId64 ",\"rounds\":[", measure->name,
                  measure->unit, samples_at(&measure->rate, 500));
    for (size_t i = 0; i < measure->rate.count; i++)
        buffer_printf(out, "%s%" PRId64, i ? "," : "", measure->rate.values[i]);
    buffer_printf(out,
                  "],\"delay_us\":{\"median\":%" PRId64 ",\"p95\":%" PRId64
                  ",\"count\":%zu},\"cpu_per_mille\":%" PRId64 ",\"memory_bytes\":%" PRId64
                  ",\"peak_bytes\":%" PRId64 "}",
                  samples_at(&measure->delay, 500), samples_at(&measure->delay, 950), measure->delay.count,
                  samples_at(&measure->cpu, 500), measure->memory, measure->peak);
}

static enum status write_json(const struct bench *bench, struct error *error) {
    struct buffer text = {0};
    buffer_printf(&text, "{\"rows\":%zu,\"round_ns\":%" PRId64 ",\"measures\":[", bench->settings->rows,
                  bench->settings->round_time);
    for (size_t i = 0, n = 0; i < MEASURES; i++) {
        if (bench->measures[i].rate.count == 0)
            continue;
        buffer_append_text(&text, n++ ? "," : "");
        append_measure(&text, &bench->measures[i]);
    }
    buffer_append_text(&text, "]}\n");
    enum status status = report_file_write(bench->settings->json, text.data, text.length, error);
    buffer_free(&text);
    return status;
}

static enum status report(struct bench *bench, struct error *error) {
    for (size_t i = 0; i < MEASURES; i++) {
        samples_sort(&bench->measures[i].rate);
        samples_sort(&bench->measures[i].delay);
        samples_sort(&bench->measures[i].cpu);
    }
    print_table(bench);
    return bench->settings->json ? write_json(bench, error) : STATUS_OK;
}

/* --- all of it --- */

static enum status make_folder(struct bench *bench, struct error *error) {
    snprintf(bench->folder, sizeof bench->folder, "/tmp/syncline-bench-XXXXXX");
    if (!mkdtemp(bench->folder))
        return error_set(error, STATUS_IO, "cannot make a folder in /tmp");
    buffer_printf(&bench->config_path, "%s/service.yaml", bench->folder);
    buffer_printf(&bench->limits_path, "%s/limits.yaml", bench->folder);
    return STATUS_OK;
}

static enum status run_with_deployment(struct bench *bench, struct error *error) {
    const char *words[] = {"--convex", "127.0.0.1:0", "--faults", buffer_text(&bench->limits_path), NULL};
    enum status status = write_limits(bench, error);
    if (status == STATUS_OK)
        status = bench_server_start(&bench->convex, &bench->loop, bench->settings->executable, words, error);
    if (status != STATUS_OK)
        return status;
    buffer_printf(&bench->convex_url, "http://127.0.0.1:%d", bench->convex.port);
    status = write_config(bench, error);
    if (status == STATUS_OK)
        status = bench_all(bench, error);
    if (bench->service.output.data)
        stop_service(bench);
    bench_server_stop(&bench->convex, &bench->loop);
    return status == STATUS_OK ? report(bench, error) : status;
}

static void set_up(struct bench *bench, const struct bench_sync_settings *settings) {
    static const char *const names[MEASURES][2] = {
        [START] = {"start to first complete checkpoint", "us"},
        [REPLICATION] = {"initial replication", "rows per s"},
        [INITIAL_ROWS] = {"initial sync of one client", "rows per s"},
        [INITIAL_BYTES] = {"initial sync of one client", "KB per s"},
        [CHURN_ONE] = {"connections, 1 client", "per s"},
        [CHURN_EIGHT] = {"connections, 8 clients", "per s"},
        [STEADY] = {"2000 commits/s to 1 stream", "rows per s"},
        [CEILING] = {"as many commits as go, 1 stream", "rows per s"},
        [FAN_OUT_10] = {"100 commits/s to 10 streams", "rows per s"},
        [FAN_OUT_50] = {"100 commits/s to 50 streams", "rows per s"},
        [FAN_OUT_200] = {"100 commits/s to 200 streams", "rows per s"},
        [SATURATION] = {"as many commits as go, 50 streams", "rows per s"}};
    bench->settings = settings;
    for (size_t i = 0; i < MEASURES; i++) {
        bench->measures[i].name = names[i][0];
        bench->measures[i].unit = names[i][1];
    }
    uv_loop_init(&bench->loop);
    uv_timer_init(&bench->loop, &bench->timer);
    uv_timer_init(&bench->loop, &bench->pacing);
    bench->timer.data = bench->pacing.data = bench;
    uv_timer_start(&bench->pacing, pace, 1, 1);
    make_token(bench);
}

static void tear_down(struct bench *bench) {
    uv_close((uv_handle_t *)&bench->timer, NULL);
    uv_close((uv_handle_t *)&bench->pacing, NULL);
    uv_run(&bench->loop, UV_RUN_DEFAULT);
    uv_loop_close(&bench->loop);
    for (size_t i = 0; i < MEASURES; i++) {
        samples_free(&bench->measures[i].rate);
        samples_free(&bench->measures[i].delay);
        samples_free(&bench->measures[i].cpu);
    }
    samples_free(&bench->answers);
    unlink(buffer_text(&bench->config_path));
    unlink(buffer_text(&bench->limits_path));
    rmdir(bench->folder);
    buffer_free(&bench->convex_url);
    buffer_free(&bench->config_path);
    buffer_free(&bench->limits_path);
    buffer_free(&bench->token);
}

enum status bench_sync_run(const struct bench_sync_settings *settings, struct error *error) {
    assert(settings->rows > 0 && settings->streams > 0 && settings->rounds > 0);
    struct bench *bench = memory_allocate(sizeof *bench);
    struct error problem = {0};
    set_up(bench, settings);
    enum status status = make_folder(bench, &problem);
    if (status == STATUS_OK)
        status = run_with_deployment(bench, &problem);
    tear_down(bench);
    free(bench);
    if (status != STATUS_OK && error)
        *error = problem;
    return status;
}
