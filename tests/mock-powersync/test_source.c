/* The API's side of the Convex module: head, mark, schema, check; and that a source is just a module: one
 * that reads a write-ahead log of ours replicates through the same replicator and writer. */
#include "mock-powersync/unit.h"

#include "mock-powersync/replication.h"
#include "mock-powersync/replication/writer.h"

#define SECOND TIME_SECOND

static int set_up(void **state) {
    *state = setting_create();
    return 0;
}

static int tear_down(void **state) {
    setting_destroy(*state);
    return 0;
}

/* What a call answered; texts of failures and problems, one a line. */
struct answer {
    size_t count;
    int64_t position;
    int64_t retry_delay;
    char text[1000];
};

static void take(void *context, const struct source_reply *reply) {
    struct answer *answer = context;
    answer->count++;
    answer->position = reply->position;
    char *end = answer->text;
    size_t room = sizeof answer->text;
    if (reply->failure) {
        answer->retry_delay = reply->failure->retry_delay;
        snprintf(end, room, "%s", reply->failure->message);
        return;
    }
    for (size_t i = 0; i < reply->n_problems; i++)
        snprintf(answer->text + strlen(answer->text), room - strlen(answer->text), "%s\n",
                 reply->problems[i]);
    for (size_t i = 0; reply->schema && i < reply->schema->n_tables; i++)
        snprintf(answer->text + strlen(answer->text), room - strlen(answer->text), "%s.%s(%zu)\n",
                 reply->schema->name, reply->schema->tables[i].name, reply->schema->tables[i].n_columns);
}

static struct setting *opened(void **state) {
    struct setting *setting = *state;
    setting->source = convex_module.open(setting->host, &setting->settings);
    return setting;
}

static void head_and_mark(void **state) {
    struct setting *setting = opened(state);
    struct answer head = {0}, mark = {0}, later = {0}, never = {0};
    put(setting, 7000, "lists", "l1", "");
    source_head(setting->source, take, &head);
    assert_int_equal(head.count, 0); /* never from inside */
    run(setting, SECOND);
    assert_int_equal(head.position, START + 7000);
    source_mark(setting->source, take, &mark);
    run(setting, SECOND);
    assert_int_equal(mark.count, 1);
    assert_string_equal(mark.text, "");
    assert_string_equal(last_request(setting), "POST /api/mutation");
    source_head(setting->source, take, &later);
    source_cancel(source_head(setting->source, take, &never));
    run(setting, SECOND);
    assert_true(later.position > head.position);
    assert_int_equal(never.count, 0);
    source_cancel(NULL);
}

/* Failures go to who asked. But a mutation that fails with status 200 counts as run, as measured. */
static void failures_are_passed_on(void **state) {
    struct setting *setting = opened(state);
    struct answer head = {0}, mark = {0}, error = {0}, small = {0};
    setting->fake->fail_route = "/api/";
    setting->fake->fail_status = 503;
    setting->fake->fail_body = "{\"code\":\"Overloaded\"}";
    setting->fake->failures = 2;
    source_head(setting->source, take, &head);
    source_mark(setting->source, take, &mark);
    run(setting, SECOND);
    assert_non_null(strstr(head.text, "503"));
    assert_non_null(strstr(head.text, "Overloaded"));
    assert_non_null(strstr(mark.text, "503"));
    setting->fake->ignore_marker = true;
    source_mark(setting->source, take, &error);
    run(setting, SECOND);
    assert_int_equal(error.count, 1);
    assert_string_equal(error.text, "");
    setting->fake->fail_status = 200;
    setting->fake->fail_body = "{\"snapshot\":12345,\"values\":[]}";
    setting->fake->failures = 1;
    source_head(setting->source, take, &small);
    run(setting, SECOND);
    assert_non_null(strstr(small.text, "19 digits"));
}

/* A deployment behind a path, with the slashes that people write. */
static void deployment_behind_a_path(void **state) {
    struct setting *setting = *state;
    setting->settings.address = "http://convex/behind//";
    opened(state);
    struct answer head = {0};
    source_head(setting->source, take, &head);
    run(setting, SECOND);
    assert_string_equal(last_request(setting), "GET /behind/api/list_snapshot?format=json");
}

static void schema(void **state) {
    struct setting *setting = opened(state);
    struct answer answer = {0};
    setting->fake->schemas = "{\"todos\":{\"properties\":{\"_id\":{},\"n\":{}}},\"lists\":{},"
                             "\"powersync_checkpoints\":{}}";
    source_describe(setting->source, take, &answer);
    run(setting, SECOND);
    assert_string_equal(answer.text, "convex.lists(0)\nconvex.todos(2)\n");
}

static void check_of_the_source(void **state) {
    struct setting *setting = opened(state);
    struct answer good = {0}, unmarked = {0}, readable = {0}, unreadable = {0}, broken = {0};
    source_check(setting->source, false, take, &good);
    run(setting, SECOND);
    assert_int_equal(good.count, 1);
    assert_string_equal(good.text, "");
    assert_int_equal(requests(setting, 0, "POST /api/mutation"), 1);
    source_check(setting->source, true, take, &readable);
    run(setting, SECOND);
    assert_string_equal(readable.text, "");
    assert_int_equal(requests(setting, 0, "POST /api/mutation"), 1);
    setting->fake->schemas = "{\"lists\":{}}";
    source_check(setting->source, true, take, &unmarked);
    run(setting, SECOND);
    assert_non_null(strstr(unmarked.text, "powersync_checkpoints"));
    setting->fake->fail_route = "/api/mutation";
    setting->fake->fail_status = 400;
    setting->fake->failures = 1;
    source_check(setting->source, false, take, &broken);
    run(setting, SECOND);
    assert_non_null(strstr(broken.text, "Convex table powersync_checkpoints is missing\n"));
    assert_non_null(strstr(broken.text, "createCheckpoint"));
    setting->fake->fail_route = "/api/json_schemas";
    setting->fake->fail_status = 403;
    setting->fake->failures = 1;
    source_check(setting->source, false, take, &unreadable);
    run(setting, SECOND);
    assert_non_null(strstr(unreadable.text, "403"));
}

/* --- another source --- */

/* A write-ahead log: its positions are byte offsets, its rows have columns of their own, it pushes. */
struct log_entry {
    int64_t offset;
    const char *table, *id;
    int64_t amount; /* below 0: deleted */
    bool commit;    /* the transaction ends here */
};

struct log_source {
    struct source source;
    const struct log_entry *entries;
    size_t count;
    size_t lost_below; /* entries that it has forgotten */
};

struct log_job {
    struct source_job job;
    struct source_job_options options;
    uint64_t timer;
    size_t next;
};

static struct source_table log_table(const char *name) {
    return (struct source_table){"default", "convex", name};
}

static void log_write(struct log_job *job, const struct log_entry *entry, bool snapshot) {
    struct row_column columns[] = {{"id", {.kind = SQL_TEXT, .text = entry->id, .length = strlen(entry->id)}},
                                   {"amount", {.kind = SQL_INTEGER, .integer = entry->amount}}};
    struct row row = {columns, 2};
    struct source_table table = log_table(entry->table);
    if (!sync_config_selects(writer_config(job->options.writer), &table))
        return;
    if (snapshot)
        writer_insert(job->options.writer, &table, entry->id, &row);
    else if (entry->amount < 0)
        writer_delete(job->options.writer, &table, entry->id);
    else
        writer_update(job->options.writer, &table, entry->id, &row);
}

static void log_step(void *context) {
    struct log_job *job = context;
    struct log_source *source = (struct log_source *)job->job.source;
    struct writer *writer = job->options.writer;
    job->timer = 0;
    if (!writer_snapshot_is_done(writer)) {
        writer_start_snapshot(writer, source->entries[0].offset);
        log_write(job, &source->entries[0], true);
        writer_finish_snapshot(writer);
    }
    for (job->next = 0; job->next < source->count; job->next++) {
        const struct log_entry *entry = &source->entries[job->next];
        if (entry->offset <= writer_position(writer))
            continue;
        if (job->next < source->lost_below) {
            job->options.ended(job->options.context, &(struct source_failure){.message = "the slot is gone",
                                                                              .code = "PSYNC_S1146",
                                                                              .retry_delay = SECOND,
                                                                              .position_lost = true});
            return;
        }
        log_write(job, entry, false);
        if (entry->commit)
            writer_commit(writer, entry->offset);
    }
    job->timer = host_timer_set(job->job.source->host, SECOND, log_step, job);
}

static struct source_job *log_job_start(struct source *source, const struct source_job_options *options) {
    struct log_job *job = memory_allocate(sizeof *job);
    job->job.source = source;
    job->options = *options;
    job->timer = host_timer_set(source->host, 0, log_step, job);
    return &job->job;
}

static void log_job_stop(struct source_job *base) {
    host_timer_cancel(base->source->host, ((struct log_job *)base)->timer);
    free(base);
}

static void log_close(struct source *source) {
    (void)source; /* the test's own */
}

static void log_position_append(struct buffer *out, int64_t position) {
    buffer_printf(out, "%X/%X", (unsigned)(position >> 32), (unsigned)position);
}

static const struct source_module log_module = {.type = "log",
                                                .close = log_close,
                                                .job_start = log_job_start,
                                                .job_stop = log_job_stop,
                                                .position_append = log_position_append};

static void another_kind_of_source(void **state) {
    struct setting *setting = *state;
    static const struct log_entry entries[] = {{17, "accounts", "a", 1, true},
                                               {21, "accounts", "b", 2, false},
                                               {23, "secrets", "s", 9, false},
                                               {29, "accounts", "a", 3, true},
                                               {31, "accounts", "b", -1, true},
                                               {INT64_C(0x100000020), "accounts", "c", 4, true},
                                               {INT64_C(0x100000040), "accounts", "d", 5, false}};
    struct log_source log = {.source = {&log_module, setting->host}, .entries = entries, .count = 4};
    deploy_query(setting, "SELECT id, amount FROM accounts WHERE amount < 5");
    setting->source = &log.source;
    setting->replicator = replicator_create(&(struct replicator_options){
        .source = setting->source, .storage = setting->storage, .metrics = &setting->metrics});
    run(setting, SECOND / 2);
    assert_operations(setting, "1#all|0[]", "PUT a, PUT b, PUT a");
    assert_data(setting, "1#all|0[]", "{\"id\":\"a\",\"amount\":3}");
    assert_int_equal(serving(setting)->lsn, 29);
    log.count = 7; /* the last transaction is not complete */
    run(setting, 2 * SECOND);
    assert_operations(setting, "1#all|0[]", "PUT a, PUT b, PUT a, REMOVE b, PUT c");
    assert_int_equal(serving(setting)->lsn, INT64_C(0x100000020));
    struct buffer text = {0};
    log_module.position_append(&text, serving(setting)->lsn);
    assert_string_equal(text.data, "1/20");
    buffer_free(&text);
    /* it loses its log: a new stream, with a new snapshot */
    static const struct log_entry lost[] = {{INT64_C(0x100000030), "accounts", "z", 1, true}};
    log.entries = lost;
    log.count = log.lost_below = 1;
    run(setting, 10 * SECOND);
    assert_int_equal(storage_serving(setting->storage)->number, 2);
    assert_operations(setting, "2#all|0[]", "PUT z");
    replicator_destroy(setting->replicator);
    setting->replicator = NULL;
    setting->source = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(head_and_mark), TEST(failures_are_passed_on), TEST(deployment_behind_a_path),
        TEST(schema),        TEST(check_of_the_source),    TEST(another_kind_of_source)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
