#include "runner/results.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"

#define SEEDS_PER_TRANSACTION 256

static const char schema[] =
    "CREATE TABLE runs(id INTEGER PRIMARY KEY, started TEXT NOT NULL, command TEXT NOT NULL, version TEXT "
    "NOT NULL,"
    " engine TEXT NOT NULL, core TEXT NOT NULL, workers INTEGER NOT NULL, first_seed INTEGER NOT NULL,"
    " last_seed INTEGER NOT NULL, shard INTEGER NOT NULL, shards INTEGER NOT NULL, wall_ns INTEGER, verdict "
    "TEXT);"
    "CREATE TABLE seeds(run INTEGER NOT NULL REFERENCES runs, scenario TEXT NOT NULL, seed INTEGER NOT NULL,"
    " file TEXT NOT NULL, outcome TEXT NOT NULL, trace_hash TEXT NOT NULL, trace_length INTEGER NOT NULL,"
    " virtual_ns INTEGER NOT NULL, events INTEGER NOT NULL, commits INTEGER NOT NULL, local_writes INTEGER "
    "NOT NULL,"
    " applied INTEGER NOT NULL, judged INTEGER NOT NULL, exchanges INTEGER NOT NULL,"
    " convex_requests INTEGER NOT NULL, wall_ns INTEGER NOT NULL, failure_file TEXT,"
    " PRIMARY KEY(run, scenario, seed)) WITHOUT ROWID;"
    "CREATE TABLE violations(run INTEGER NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL,"
    " number INTEGER NOT NULL, property TEXT NOT NULL, client TEXT NOT NULL, table_name TEXT NOT NULL,"
    " row_id TEXT NOT NULL, expected TEXT NOT NULL, seen TEXT NOT NULL, time_ns INTEGER NOT NULL,"
    " first_record INTEGER NOT NULL, second_record INTEGER NOT NULL, explanation TEXT NOT NULL,"
    " steps TEXT NOT NULL, PRIMARY KEY(run, scenario, seed, number)) WITHOUT ROWID;"
    "CREATE TABLE faults(run INTEGER NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " fired INTEGER NOT NULL, PRIMARY KEY(run, scenario, seed, name)) WITHOUT ROWID;"
    "CREATE TABLE fault_points(run INTEGER NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL,"
    " name TEXT NOT NULL, fired INTEGER NOT NULL, PRIMARY KEY(run, scenario, seed, name)) WITHOUT ROWID;"
    "CREATE TABLE marks(run INTEGER NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " reached INTEGER NOT NULL, PRIMARY KEY(run, scenario, seed, name)) WITHOUT ROWID;"
    "CREATE TABLE knobs(run INTEGER NOT NULL, scenario TEXT NOT NULL, seed INTEGER NOT NULL, name TEXT NOT "
    "NULL,"
    " value INTEGER NOT NULL, PRIMARY KEY(run, scenario, seed, name)) WITHOUT ROWID;";

enum { ADD_SEED, ADD_VIOLATION, ADD_FAULT, ADD_FAULT_POINT, ADD_MARK, ADD_KNOB, STATEMENTS };

static const char *const statement_texts[STATEMENTS] = {
    [ADD_SEED] = "INSERT INTO seeds VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16)",
    [ADD_VIOLATION] = "INSERT INTO violations VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)",
    [ADD_FAULT] = "INSERT INTO faults VALUES(1,?1,?2,?3,?4)",
    [ADD_FAULT_POINT] = "INSERT INTO fault_points VALUES(1,?1,?2,?3,?4)",
    [ADD_MARK] = "INSERT INTO marks VALUES(1,?1,?2,?3,?4)",
    [ADD_KNOB] = "INSERT INTO knobs VALUES(1,?1,?2,?3,?4)",
};

struct results {
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENTS];
    char *path;
    unsigned in_transaction; /* seeds */
};

static enum status fail(const struct results *results, struct error *error) {
    return error_set(error, STATUS_IO, "%s: %s", results->path,
                     results->database == NULL ? "out of memory" : sqlite3_errmsg(results->database));
}

static void free_results(struct results *results) {
    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(results->statements[i]);
    sqlite3_close(results->database);
    free(results->path);
    free(results);
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text) {
    sqlite3_bind_text(statement, index, text == NULL ? "" : text, -1, SQLITE_TRANSIENT);
}

/* Run a statement that returns no rows and make it ready for the next values. */
static enum status step(const struct results *results, sqlite3_stmt *statement, struct error *error) {
    int result = sqlite3_step(statement);
    assert(result != SQLITE_ROW);
    enum status status = result == SQLITE_DONE ? STATUS_OK : fail(results, error);
    sqlite3_reset(statement);
    return status;
}

static enum status insert_run(struct results *results, const struct results_run *run, struct error *error) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(results->database,
                           "INSERT INTO runs VALUES(1,?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,NULL,NULL)", -1,
                           &statement, NULL) != SQLITE_OK)
        return fail(results, error);
    bind_text(statement, 1, run->started);
    bind_text(statement, 2, run->command);
    bind_text(statement, 3, run->version);
    bind_text(statement, 4, run->engine);
    bind_text(statement, 5, run->core);
    sqlite3_bind_int64(statement, 6, run->workers);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)run->seeds.first);
    sqlite3_bind_int64(statement, 8, (sqlite3_int64)run->seeds.last);
    sqlite3_bind_int64(statement, 9, (sqlite3_int64)run->shard.index + 1);
    sqlite3_bind_int64(statement, 10, (sqlite3_int64)run->shard.count);
    enum status status = step(results, statement, error);
    sqlite3_finalize(statement);
    return status;
}

static enum status open_database(struct results *results, const struct results_run *run,
                                 struct error *error) {
    /* Losing a report with the machine is no harm; waiting for the disk at every commit would be. */
    static const char settings[] = "PRAGMA synchronous=OFF; PRAGMA journal_mode=MEMORY;";
    if (sqlite3_open(results->path, &results->database) != SQLITE_OK ||
        sqlite3_exec(results->database, settings, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(results->database, schema, NULL, NULL, NULL) != SQLITE_OK)
        return fail(results, error);
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v2(results->database, statement_texts[i], -1, &results->statements[i], NULL) !=
            SQLITE_OK)
            return fail(results, error);
    return insert_run(results, run, error);
}

enum status results_create(const char *path, const struct results_run *run, struct results **out,
                           struct error *error) {
    struct results *results = memory_allocate(sizeof *results);
    assert(run->seeds.first <= run->seeds.last && run->shard.index <= run->shard.count);
    results->path = memory_copy_text(path);
    unlink(path);
    enum status status = open_database(results, run, error);
    if (status != STATUS_OK) {
        free_results(results);
        return status;
    }
    *out = results;
    return STATUS_OK;
}

static enum status add_seed(struct results *results, const struct results_seed *seed, struct error *error) {
    static const char *const figures[] = {"trace_length", "virtual_ns",   "events",
                                          "commits",      "local_writes", "applied",
                                          "judged",       "exchanges",    "convex_requests"};
    const int n = (int)(sizeof figures / sizeof figures[0]);
    sqlite3_stmt *statement = results->statements[ADD_SEED];
    bind_text(statement, 1, seed->scenario);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed->seed);
    bind_text(statement, 3, seed->file);
    bind_text(statement, 4, outcome_name(seed->outcome));
    bind_text(statement, 5, json_text(seed->result, "trace_hash"));
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(statement, 6 + i, json_integer_or(seed->result, figures[i], 0));
    sqlite3_bind_int64(statement, 6 + n, seed->wall_time);
    if (seed->failure_file != NULL)
        bind_text(statement, 7 + n, seed->failure_file);
    else
        sqlite3_bind_null(statement, 7 + n);
    return step(results, statement, error);
}

static enum status add_violation(struct results *results, const struct results_seed *seed, size_t number,
                                 const json_t *violation, struct error *error) {
    static const char *const texts[] = {"property", "client", "table", "row", "expected", "seen"};
    static const char *const numbers[] = {"time_ns", "first_record", "second_record"};
    sqlite3_stmt *statement = results->statements[ADD_VIOLATION];
    bind_text(statement, 1, seed->scenario);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed->seed);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)number);
    for (int i = 0; i < 6; i++)
        bind_text(statement, 4 + i, json_text(violation, texts[i]));
    for (int i = 0; i < 3; i++)
        sqlite3_bind_int64(statement, 10 + i, json_integer_or(violation, numbers[i], 0));
    bind_text(statement, 13, json_text(violation, "explanation"));
    bind_text(statement, 14, number == 1 ? json_text(seed->result, "steps") : "");
    return step(results, statement, error);
}

static enum status add_counts(struct results *results, int which, const struct results_seed *seed,
                              const char *key, struct error *error) {
    sqlite3_stmt *statement = results->statements[which];
    const char *name;
    json_t *count;
    enum status status = STATUS_OK;
    json_object_foreach(json_object_get(seed->result, key), name, count) {
        bind_text(statement, 1, seed->scenario);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)seed->seed);
        bind_text(statement, 3, name);
        sqlite3_bind_int64(statement, 4, json_integer_value(count));
        if (status == STATUS_OK)
            status = step(results, statement, error);
    }
    return status;
}

static enum status execute(struct results *results, const char *text, struct error *error) {
    return sqlite3_exec(results->database, text, NULL, NULL, NULL) == SQLITE_OK ? STATUS_OK
                                                                                : fail(results, error);
}

enum status results_add(struct results *results, const struct results_seed *seed, struct error *error) {
    static const struct {
        int statement;
        const char *key;
    } counts[] = {
        {ADD_FAULT, "faults"}, {ADD_FAULT_POINT, "fault_points"}, {ADD_MARK, "marks"}, {ADD_KNOB, "knobs"}};
    enum status status = results->in_transaction == 0 ? execute(results, "BEGIN", error) : STATUS_OK;
    size_t index;
    json_t *violation;
    assert(seed->scenario != NULL && seed->result != NULL);
    results->in_transaction++;
    if (status == STATUS_OK)
        status = add_seed(results, seed, error);
    json_array_foreach(json_object_get(seed->result, "violations"), index, violation) {
        if (status == STATUS_OK)
            status = add_violation(results, seed, index + 1, violation, error);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0] && status == STATUS_OK; i++)
        status = add_counts(results, counts[i].statement, seed, counts[i].key, error);
    if (status == STATUS_OK && results->in_transaction >= SEEDS_PER_TRANSACTION) {
        results->in_transaction = 0;
        status = execute(results, "COMMIT", error);
    }
    return status;
}

enum status results_close(struct results *results, const char *verdict, int64_t wall_time,
                          struct error *error) {
    sqlite3_stmt *statement = NULL;
    enum status status = STATUS_OK;
    if (sqlite3_prepare_v2(results->database, "UPDATE runs SET verdict = ?1, wall_ns = ?2", -1, &statement,
                           NULL) != SQLITE_OK)
        status = fail(results, error);
    if (status == STATUS_OK) {
        bind_text(statement, 1, verdict);
        sqlite3_bind_int64(statement, 2, wall_time);
        status = step(results, statement, error);
    }
    sqlite3_finalize(statement);
    if (status == STATUS_OK && results->in_transaction > 0)
        status = execute(results, "COMMIT", error);
    free_results(results);
    return status;
}
