/* Sequences of what happens to an engine: lines of a service that is mostly right and sometimes wrong,
 * events, local writes, uploads, restarts, time. Drawn from a seed; for tests that drive two engines with
 * them. */
#ifndef TEST_CLIENT_SEQUENCE_H
#define TEST_CLIENT_SEQUENCE_H

#include "base/bson.h"
#include "base/random.h"
#include "bench_world.h"

enum { SEQUENCE_BUCKETS = 5, SEQUENCE_STEPS_LEAST = 5, SEQUENCE_STEPS_MOST = 40 };

struct sequence_bucket {
    bool listed;  /* in the checkpoint that the client tracks */
    uint32_t sum; /* of what the client has */
    int priority;
    int count;
};

struct sequence {
    struct random_stream chance;
    struct bench_world *bench;
    struct engine *engine;
    struct sequence_bucket buckets[SEQUENCE_BUCKETS];
    int64_t op, write_checkpoint;
    bool has_checkpoint, running, binary, has_streams;
    int subscriptions;
    int n_steps;
    char *planned[8]; /* the lines that come next */
    int n_planned, next_planned;
    struct buffer line;
    char *said; /* the newest step, for who asks why it failed */
};

/* The schemas that an app may have: tables with every option, tables and columns that others lack, and the
 * same name local-only here and synced there. */
static const struct client_column sequence_list_columns[] = {
    {"name", "text"}, {"unknown", "text"}, {"points", "real"}, {"created_at", "integer"}};
static const struct client_column sequence_todo_columns[] = {
    {"description", "text"}, {"points", "integer"}, {"estimated_hours", "real"}};
static const char *const sequence_old_columns[] = {"points", "completed"};
static const struct client_table sequence_tables_1[] = {
    {"lists", wire_lists_columns, 3, .include_old = true, .include_metadata = true},
    {"todos", wire_todos_columns, 7, .include_old = true, .old_only_when_changed = true,
     .ignore_empty_update = true, .old_columns = sequence_old_columns, .n_old_columns = 2},
    {"prefs", sequence_todo_columns, 3, .local_only = true}};
static const struct client_table sequence_tables_2[] = {
    {"lists", sequence_list_columns, 4, .local_only = true, .ignore_empty_update = true},
    {"todos", wire_todos_columns, 7, .insert_only = true, .include_metadata = true, .include_old = true},
    {"unknown", sequence_list_columns, 4, .include_old = true, .include_metadata = true}};
static const struct client_table sequence_tables_3[] = {{"todos", sequence_todo_columns, 3}};
static const struct client_table sequence_tables_4[] = {
    {"lists", sequence_list_columns, 4, .include_metadata = true, .ignore_empty_update = true},
    {"todos", wire_todos_columns, 7, .include_old = true, .old_columns = sequence_old_columns,
     .n_old_columns = 2},
    {"unknown", wire_lists_columns, 3, .local_only = true},
    {"prefs", sequence_list_columns, 4, .local_only = true}};
static const struct client_table sequence_tables_5[] = {
    {"lists", sequence_list_columns, 4, .include_old = true, .old_only_when_changed = true,
     .include_metadata = true},
    {"todos", sequence_todo_columns, 3, .local_only = true},
    {"prefs", sequence_list_columns, 4},
    {"unknown", sequence_todo_columns, 3, .insert_only = true}};
static const struct client_schema sequence_schemas[] = {{wire_tables, 2, 0},       {sequence_tables_1, 3, 1},
                                                        {sequence_tables_2, 3, 2}, {sequence_tables_3, 1, 3},
                                                        {sequence_tables_4, 4, 4}, {sequence_tables_5, 4, 5}};

static const char *const sequence_names[SEQUENCE_BUCKETS] = {"a", "1#lists|0[]", "3#todos|0[\"x \\ y\"]",
                                                             "b\xc3\xa9", "z"};

static inline uint64_t below(struct sequence *sequence, uint64_t bound) {
    return random_below(&sequence->chance, bound);
}

static inline bool one_in(struct sequence *sequence, uint64_t bound) {
    return below(sequence, bound) == 0;
}

static inline const char *pick(struct sequence *sequence, const char *const *items, size_t count) {
    return items[below(sequence, count)];
}

#define PICK(sequence, items) pick(sequence, items, sizeof(items) / sizeof *(items))

/* --- rows --- */

static inline void append_row_value(struct sequence *sequence, struct buffer *out) {
    static const char *const values[] = {"\"x\"",
                                         "\"\"",
                                         "\"a \\\"b\\\" \\\\ \\n \\t\"",
                                         "\"\\u00e9\\u0001\"",
                                         "\"\xc3\xa9\xe2\x82\xac\"",
                                         "\"12ab\"",
                                         "\"7\"",
                                         "\"-3.5e2x\"",
                                         "\" 4\"",
                                         "0",
                                         "1",
                                         "-1",
                                         "-0",
                                         "5",
                                         "123456789012",
                                         "9223372036854775807",
                                         "9223372036854775808",
                                         "-9223372036854775808",
                                         "12345678901234567890123",
                                         "0.5",
                                         "2.50",
                                         "-0.0",
                                         "1.25",
                                         "0.1",
                                         "123456.789",
                                         "0.30000000000000004",
                                         "1e3",
                                         "1E-7",
                                         "1e300",
                                         "1e400",
                                         "-1e400",
                                         "1.0",
                                         "4.5",
                                         "0.1234567890123456789",
                                         "true",
                                         "false",
                                         "null",
                                         "[]",
                                         "{}",
                                         "[1, 2.50, \"x\"]",
                                         "{\"a\": [null]}",
                                         "100.75",
                                         "3.999999999999",
                                         "1e22",
                                         "1e23",
                                         "5e-324"};

    buffer_append_text(out, PICK(sequence, values));
}

static inline void append_row(struct sequence *sequence, struct buffer *out) {
    static const char *const keys[] = {"name",      "owner_id", "created_at", "description",
                                       "completed", "points",   "list_uuid",  "estimated_hours",
                                       "tags",      "unknown",  "na\\u006de", "explicit_null"};
    static const char *const odd[] = {"",
                                      "{",
                                      "[]",
                                      "5",
                                      "null",
                                      "{\"name\":}",
                                      "{}x",
                                      "{name:'x'}",
                                      "\"text\"",
                                      "{\"name\":1,}",
                                      " {\"name\": 1} ",
                                      "{\"name\":01}",
                                      "{\"name\":\"\\ud800\"}"};
    uint64_t count = below(sequence, 6);

    if (one_in(sequence, 30)) {
        buffer_append_text(out, PICK(sequence, odd));
        return;
    }
    buffer_append_char(out, '{');
    for (uint64_t i = 0; i < count; i++) {
        buffer_append_text(out, i > 0 ? (one_in(sequence, 5) ? " , " : ",") : "");
        buffer_printf(out, "\"%s\":", PICK(sequence, keys));
        append_row_value(sequence, out);
    }
    buffer_append_char(out, '}');
}

/* --- lines --- */

static inline void append_checksum(struct sequence *sequence, uint32_t value, struct buffer *out) {
    if (one_in(sequence, 8))
        buffer_printf(out, "%d", (int)value);
    else if (one_in(sequence, 10))
        buffer_printf(out, "%u.0", value);
    else
        buffer_printf(out, "%u", value);
}

static inline void append_bucket(struct sequence *sequence, int b, struct buffer *out) {
    struct sequence_bucket *bucket = &sequence->buckets[b];

    buffer_append_text(out, "{\"bucket\":");
    buffer_append_json_text(out, sequence_names[b]);
    buffer_append_text(out, ",\"checksum\":");
    append_checksum(sequence, one_in(sequence, 60) ? bucket->sum + 1 : bucket->sum, out);
    if (bucket->priority != 3 || one_in(sequence, 2))
        buffer_printf(out, ",\"priority\":%d", bucket->priority);
    if (!one_in(sequence, 4))
        buffer_printf(out, ",\"count\":%d", bucket->count);
    if (sequence->has_streams) {
        buffer_append_text(out, ",\"subscriptions\":[");
        for (uint64_t n = below(sequence, 3), i = 0; i < n; i++)
            buffer_printf(out, "%s{\"%s\":%d}", i > 0 ? "," : "", one_in(sequence, 2) ? "default" : "sub",
                          (int)below(sequence, 3));
        buffer_append_char(out, ']');
    }
    buffer_append_char(out, '}');
}

static inline void append_write_checkpoint(struct sequence *sequence, struct buffer *out) {
    if (one_in(sequence, 2))
        buffer_printf(out, ",\"write_checkpoint\":\"%lld\"", (long long)sequence->write_checkpoint);
    else if (one_in(sequence, 3))
        buffer_append_text(out, ",\"write_checkpoint\":null");
}

static inline void append_streams(struct sequence *sequence, struct buffer *out) {
    static const char *const names[] = {"mine", "everything", "other"};
    uint64_t count = below(sequence, 4);

    buffer_append_text(out, ",\"streams\":[");
    for (uint64_t i = 0; i < count; i++) {
        buffer_printf(out, "%s{\"name\":\"%s\",\"is_default\":%s,\"errors\":[", i > 0 ? "," : "",
                      PICK(sequence, names), one_in(sequence, 2) ? "true" : "false");
        if (one_in(sequence, 6))
            buffer_printf(out, "{\"message\":\"no\",\"subscription\":%s}",
                          one_in(sequence, 2) ? "\"default\"" : "0");
        buffer_append_text(out, "]}");
    }
    buffer_append_char(out, ']');
}

/* What the client has by now: by the core's own sums, for nobody else knows what it dropped. */
static inline void read_sums(struct sequence *sequence) {
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(sequence->engine->operations->database(sequence->engine),
                       "SELECT name, add_checksum + op_checksum FROM ps_buckets", -1, &statement, NULL);
    for (int b = 0; b < SEQUENCE_BUCKETS; b++)
        sequence->buckets[b].sum = 0;
    while (sqlite3_step(statement) == SQLITE_ROW)
        for (int b = 0; b < SEQUENCE_BUCKETS; b++)
            if (strcmp(sequence_names[b], (const char *)sqlite3_column_text(statement, 0)) == 0)
                sequence->buckets[b].sum = (uint32_t)sqlite3_column_int64(statement, 1);
    sqlite3_finalize(statement);
}

/* What the client has of a bucket that is not listed any more is gone. */
static inline void unlist(struct sequence_bucket *bucket) {
    bucket->listed = false;
    bucket->sum = 0;
}

static inline void redraw_bucket(struct sequence *sequence, struct sequence_bucket *bucket) {
    if (one_in(sequence, 3))
        bucket->priority = (int)below(sequence, 4);
    bucket->count = (int)below(sequence, 8);
}

static inline void make_checkpoint(struct sequence *sequence, struct buffer *out) {
    const char *comma = "";

    sequence->op += (int64_t)below(sequence, 3);
    buffer_printf(out, "{\"checkpoint\":{\"last_op_id\":\"%lld\"", (long long)sequence->op);
    append_write_checkpoint(sequence, out);
    sequence->has_streams = one_in(sequence, 2);
    if (sequence->has_streams)
        append_streams(sequence, out);
    buffer_append_text(out, ",\"buckets\":[");
    for (int b = 0; b < SEQUENCE_BUCKETS; b++) {
        if (one_in(sequence, 3)) {
            unlist(&sequence->buckets[b]);
            continue;
        }
        sequence->buckets[b].listed = true;
        redraw_bucket(sequence, &sequence->buckets[b]);
        buffer_append_text(out, comma);
        append_bucket(sequence, b, out);
        comma = ",";
    }
    buffer_append_text(out, "]}}");
    sequence->has_checkpoint = true;
}

static inline void make_diff(struct sequence *sequence, struct buffer *out) {
    const char *comma = "";
    bool removed[SEQUENCE_BUCKETS];

    sequence->op += (int64_t)below(sequence, 3);
    buffer_printf(out, "{\"checkpoint_diff\":{\"last_op_id\":\"%lld\",\"removed_buckets\":[",
                  (long long)sequence->op);
    for (int b = 0; b < SEQUENCE_BUCKETS; b++) {
        removed[b] = one_in(sequence, 12);
        if (!removed[b])
            continue;
        buffer_append_text(out, comma);
        buffer_append_json_text(out, sequence_names[b]);
        comma = ",";
        unlist(&sequence->buckets[b]);
    }
    buffer_append_text(out, "],\"updated_buckets\":[");
    comma = "";
    for (int b = 0; b < SEQUENCE_BUCKETS; b++) {
        if (!sequence->buckets[b].listed && !one_in(sequence, 3))
            continue;
        if (removed[b] && !one_in(sequence, 4))
            continue;
        sequence->buckets[b].listed = true;
        redraw_bucket(sequence, &sequence->buckets[b]);
        buffer_append_text(out, comma);
        append_bucket(sequence, b, out);
        comma = ",";
    }
    buffer_append_char(out, ']');
    append_write_checkpoint(sequence, out);
    buffer_append_text(out, "}}");
}

static inline void append_operation(struct sequence *sequence, struct sequence_bucket *bucket,
                                    struct buffer *out) {
    static const char *const kinds[] = {"PUT",    "PUT",    "PUT",  "PUT",  "PUT",
                                        "REMOVE", "REMOVE", "MOVE", "CLEAR"};
    static const char *const types[] = {"lists", "todos", "todos", "unknown", "prefs"};
    static const char *const subkeys[] = {"null", "\"s\"", "\"null\"", "\"t/u\""};
    const char *kind = PICK(sequence, kinds);
    uint32_t checksum = (uint32_t)random_next(&sequence->chance);
    struct buffer row = {0};

    sequence->op += !one_in(sequence, 20);
    bucket->sum = strcmp(kind, "CLEAR") == 0 ? checksum : bucket->sum + checksum;
    buffer_printf(out, "{\"op_id\":\"%lld\",\"op\":\"%s\",\"checksum\":",
                  (long long)(one_in(sequence, 40) ? (int64_t)below(sequence, 5) - 2 : sequence->op), kind);
    append_checksum(sequence, checksum, out);
    if (kind[0] != 'M' && kind[0] != 'C' && !one_in(sequence, 150))
        buffer_printf(out, ",\"object_type\":\"%s\",\"object_id\":\"r%llu\"", PICK(sequence, types),
                      (unsigned long long)below(sequence, 6));
    if (one_in(sequence, 3))
        buffer_printf(out, ",\"subkey\":%s", PICK(sequence, subkeys));
    if (kind[0] == 'P' && !one_in(sequence, 40)) {
        append_row(sequence, &row);
        buffer_append_text(out, ",\"data\":");
        buffer_append_json_text(out, buffer_text(&row));
        buffer_free(&row);
    }
    buffer_append_char(out, '}');
}

static inline void make_data(struct sequence *sequence, struct buffer *out) {
    int b = (int)below(sequence, SEQUENCE_BUCKETS);
    uint64_t count = below(sequence, 5);

    for (int tries = 0; tries < 3 && !sequence->buckets[b].listed; tries++)
        b = (int)below(sequence, SEQUENCE_BUCKETS);
    buffer_append_text(out, "{\"data\":{\"bucket\":");
    buffer_append_json_text(out, sequence_names[b]);
    buffer_append_text(out, ",\"has_more\":false,\"after\":\"0\",\"next_after\":\"0\",\"data\":[");
    for (uint64_t i = 0; i < count; i++) {
        buffer_append_text(out, i > 0 ? "," : "");
        append_operation(sequence, &sequence->buckets[b], out);
    }
    buffer_append_text(out, "]}}");
}

/* A line of no service. */
static inline void make_odd(struct sequence *sequence, struct buffer *out) {
    static const char *const lines[] = {
        "",
        "{}",
        "[]",
        "5",
        "null",
        "\"checkpoint_complete\"",
        "{\"future\":{\"x\":[1]}}",
        "{\"a\":1,\"b\":2}",
        "{\"checkpoint\":{\"last_op_id\":14,\"buckets\":[]}}",
        "{\"checkpoint\":{\"buckets\":[]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\"}}",
        "{\"checkpoint\":{\"last_op_id\":\"x\",\"buckets\":[]}}",
        "{\"checkpoint\":{\"last_op_id\":\"+9\",\"buckets\":[]}}",
        "{\"checkpoint\":[\"x\",null,[]]}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"last_op_id\":\"1\",\"buckets\":[]}}",
        "{\"checkpoint\":{\"last_op_id\":\"9223372036854775808\",\"buckets\":[]}}",
        "{\"checkpoint\":{\"last_op_id\":\"-5\",\"buckets\":[],\"more\":{\"x\":[]}}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\"}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":1.5}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":4294967296}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":-2147483649}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":-0}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,\"priority\":-1}"
        "]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,\"priority\":7}]"
        "}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,\"priority\":"
        "2147483647}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,\"count\":1.0}]}"
        "}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,\"count\":null,"
        "\"priority\":null}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[[\"a\",0,3,5]]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,"
        "\"subscriptions\":[{}]}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,"
        "\"subscriptions\":[{\"x\":1}]}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,"
        "\"subscriptions\":[{\"sub\":-1}]}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,"
        "\"subscriptions\":[{\"default\":\"0\"}]}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[{\"bucket\":\"a\",\"checksum\":0,"
        "\"subscriptions\":null}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":[{\"name\":\"x\"}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":[{\"name\":\"x\",\"is_default\":"
        "true}]}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":[],\"streams\":null}}",
        "{\"checkpoint\":{\"last_op_id\":\"1\",\"buckets\":null}}",
        "{\"checkpoint\":null}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"updated_buckets\":[]}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"removed_buckets\":[]}}",
        "{\"checkpoint_diff\":{\"last_op_id\":\"1\",\"updated_buckets\":[],\"removed_buckets\":[1]}}",
        "{\"checkpoint_complete\":[]}",
        "{\"checkpoint_complete\":[1]}",
        "{\"checkpoint_complete\":null}",
        "{\"checkpoint_complete\":{\"last_op_id\":7}}",
        "{\"check\\u0070oint_complete\":{}}",
        "{\"partial_checkpoint_complete\":{\"last_op_id\":\"1\"}}",
        "{\"partial_checkpoint_complete\":{\"priority\":\"1\"}}",
        "{\"partial_checkpoint_complete\":{\"priority\":1.0}}",
        "{\"partial_checkpoint_complete\":{\"priority\":-1}}",
        "{\"partial_checkpoint_complete\":[1]}",
        "{\"token_expires_in\":60.0}",
        "{\"token_expires_in\":\"60\"}",
        "{\"token_expires_in\":2147483648}",
        "{\"token_expires_in\":null}",
        "{\"data\":{\"bucket\":\"a\"}}",
        "{\"data\":{\"data\":[]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{}]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":\"put\",\"checksum\":1}]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":1,\"op\":\"PUT\",\"checksum\":1}]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":\"PUT\"}]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":\"MOVE\",\"checksum\":0,\"data\":{}}]}"
        "}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":\"MOVE\",\"checksum\":0,\"data\":null,"
        "\"x\":1}]}}",
        "{\"data\":{\"bucket\":\"q\",\"data\":[[0,\"1\",\"MOVE\"]]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[{\"op_id\":\"1\",\"op\":\"MOVE\",\"checksum\":\"0\"}]}}",
        "{\"data\":{\"bucket\":\"a\",\"data\":[]}} ",
        " {\"data\" : {\"bucket\":\"z\" , \"data\":[] } } ",
        "{\"data\":{\"bucket\":\"a\",\"data\":[]}}x",
        "{\"data\":{\"bucket\":\"a\",\"data\":[]",
        "{\"x\":nul}",
        "{\"x\":[1,]}",
        "{\"x\":01}",
        "{\"x\":\"\\x\"}",
        "{'x':1}"};

    buffer_append_text(out, PICK(sequence, lines));
}

/* As a right service does it: a checkpoint, the operations it speaks of, and its end. */
static inline void plan_checkpoint(struct sequence *sequence, struct buffer *out) {
    struct buffer text = {0};
    int n_data = (int)below(sequence, 4);

    read_sums(sequence);
    sequence->n_planned = 0;
    sequence->next_planned = 0;
    for (int i = 0; i < n_data; i++) {
        make_data(sequence, &text);
        sequence->planned[sequence->n_planned++] = buffer_take(&text);
    }
    for (int i = 0; one_in(sequence, 2) && i < 2; i++)
        sequence->planned[sequence->n_planned++] =
            memory_format("{\"partial_checkpoint_complete\":{\"last_op_id\":\"%lld\",\"priority\":%d}}",
                          (long long)sequence->op, (int)below(sequence, 4));
    sequence->planned[sequence->n_planned++] =
        memory_format("{\"checkpoint_complete\":{\"last_op_id\":\"%lld\"}}", (long long)sequence->op);
    if (!sequence->has_checkpoint || one_in(sequence, 4))
        make_checkpoint(sequence, out);
    else
        make_diff(sequence, out);
}

static inline void drop_plan(struct sequence *sequence) {
    while (sequence->next_planned < sequence->n_planned)
        free(sequence->planned[sequence->next_planned++]);
}

static inline void make_line(struct sequence *sequence, struct buffer *out) {
    static const int token[] = {0, -3, 1, 30, 31, 60, 60, 300};

    buffer_clear(out);
    if (sequence->next_planned < sequence->n_planned && !one_in(sequence, 12)) {
        buffer_append_text(out, sequence->planned[sequence->next_planned]);
        free(sequence->planned[sequence->next_planned++]);
        return;
    }
    drop_plan(sequence);
    if (one_in(sequence, 2) || (!sequence->has_checkpoint && !one_in(sequence, 8))) {
        plan_checkpoint(sequence, out);
        return;
    }
    read_sums(sequence);
    switch (below(sequence, 16)) {
    case 0:
    case 1:
        make_checkpoint(sequence, out);
        break;
    case 2:
    case 3:
        make_diff(sequence, out);
        break;
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
        make_data(sequence, out);
        break;
    case 9:
    case 10:
    case 11:
        buffer_printf(out, "{\"checkpoint_complete\":{\"last_op_id\":\"%lld\"}}", (long long)sequence->op);
        break;
    case 12:
    case 13:
        buffer_printf(out, "{\"partial_checkpoint_complete\":{\"last_op_id\":\"%lld\",\"priority\":%d}}",
                      (long long)sequence->op, (int)below(sequence, 4));
        break;
    case 14:
        buffer_printf(out, "{\"token_expires_in\":%d}", token[below(sequence, 8)]);
        break;
    default:
        make_odd(sequence, out);
    }
}

/* --- the same as BSON --- */

static inline void bson_value(struct buffer *out, const char *key, const json_t *value);

static inline void bson_bytes(struct buffer *out, uint64_t value, int count) {
    for (int i = 0; i < count; i++)
        buffer_append_char(out, (char)(value >> 8 * i & 0xff));
}

static inline void bson_document_of(struct buffer *out, const json_t *value) {
    size_t start = out->length, i;
    char index[24];
    const char *key;
    json_t *item;
    uint32_t length;

    bson_bytes(out, 0, 4);
    if (json_is_array(value)) {
        json_array_foreach(value, i, item) {
            snprintf(index, sizeof index, "%zu", i);
            bson_value(out, index, item);
        }
    } else {
        json_object_foreach((json_t *)(uintptr_t)value, key, item) bson_value(out, key, item);
    }
    buffer_append_char(out, 0);
    length = (uint32_t)(out->length - start);
    for (i = 0; i < 4; i++)
        out->data[start + i] = (char)(length >> 8 * i & 0xff);
}

static inline void bson_value(struct buffer *out, const char *key, const json_t *value) {
    double real = json_number_value(value);
    bool small = json_is_integer(value) && json_integer_value(value) >= INT32_MIN &&
                 json_integer_value(value) <= INT32_MAX;
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    buffer_append_char(out, json_is_object(value)    ? 3
                            : json_is_array(value)   ? 4
                            : json_is_string(value)  ? 2
                            : json_is_boolean(value) ? 8
                            : json_is_null(value)    ? 10
                            : small                  ? 16
                                                     : 1);
    buffer_append(out, key, strlen(key) + 1);
    if (json_is_object(value) || json_is_array(value)) {
        bson_document_of(out, value);
    } else if (json_is_string(value)) {
        bson_bytes(out, json_string_length(value) + 1, 4);
        buffer_append(out, json_string_value(value), json_string_length(value) + 1);
    } else if (json_is_boolean(value)) {
        buffer_append_char(out, json_is_true(value));
    } else if (json_is_number(value)) {
        bson_bytes(out, small ? (uint64_t)json_integer_value(value) : bits, small ? 4 : 8);
    }
}

/* --- steps --- */

static inline void say(struct sequence *sequence, char *text) {
    free(sequence->said);
    sequence->said = text;
}

static inline void take_result(struct sequence *sequence, enum status status,
                               const struct engine_result *result) {
    if (status == STATUS_OK && !result->close)
        return;
    drop_plan(sequence);
    sequence->running = false;
    sequence->has_checkpoint = false;
}

/* Of the odd lines above. In BSON the core takes these in ways of its own (docs/known-differences.md). */
static inline bool has_array_for_object(const char *line) {
    return strstr(line, "checkpoint\":[\"") != NULL || strstr(line, "_complete\":[") != NULL ||
           strstr(line, "[[") != NULL;
}

static inline void step_line(struct sequence *sequence) {
    struct engine_result result;
    struct buffer bson = {0};
    json_t *json = NULL;
    enum status status;

    do
        make_line(sequence, &sequence->line);
    while (!sequence->has_checkpoint &&
           strncmp(sequence->line.data ? sequence->line.data : "", "{\"d", 3) == 0);
    say(sequence, memory_copy_text(buffer_text(&sequence->line)));
    if (sequence->binary && !has_array_for_object(buffer_text(&sequence->line)))
        json = json_loads(buffer_text(&sequence->line), JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json)) {
        bson_document_of(&bson, json);
        status = engine_line(sequence->engine, bson.data, bson.length, true, &result, NULL);
    } else {
        status = engine_line(sequence->engine, buffer_text(&sequence->line), sequence->line.length, false,
                             &result, NULL);
    }
    json_decref(json);
    buffer_free(&bson);
    take_result(sequence, status, &result);
}

static inline void step_start(struct sequence *sequence) {
    struct engine_result result;

    say(sequence, memory_copy_text("start"));
    assert_int_equal(engine_start(sequence->engine, &result, NULL), STATUS_OK);
    drop_plan(sequence);
    sequence->running = true;
    sequence->has_checkpoint = false;
    if (!one_in(sequence, 4))
        engine_send(sequence->engine, ENGINE_ESTABLISHED, &result, NULL);
}

static inline void step_event(struct sequence *sequence) {
    static const enum engine_event events[] = {ENGINE_COMPLETED_UPLOAD,
                                               ENGINE_COMPLETED_UPLOAD,
                                               ENGINE_COMPLETED_UPLOAD,
                                               ENGINE_ESTABLISHED,
                                               ENGINE_END,
                                               ENGINE_REFRESHED_TOKEN,
                                               ENGINE_STOP};
    enum engine_event event = events[below(sequence, 7)];
    struct engine_result result;
    enum status status;

    say(sequence, memory_format("event %d", (int)event));
    status = engine_send(sequence->engine, event, &result, NULL);
    take_result(sequence, status, &result);
}

static inline json_t *draw_values(struct sequence *sequence, const struct client_table *table) {
    json_t *values = json_object();

    for (uint64_t n = below(sequence, 4), i = 0; i < n; i++) {
        struct buffer text = {0};
        json_t *value;

        append_row_value(sequence, &text);
        value = json_loads(buffer_text(&text), JSON_DECODE_ANY, NULL);
        if (value == NULL)
            value = json_null();
        json_object_set_new(values, table->columns[below(sequence, table->n_columns)].name, value);
        buffer_free(&text);
    }
    return values;
}

static inline void add_metadata(struct sequence *sequence, const struct client_table *table, json_t *values) {
    if (!table->include_metadata || one_in(sequence, 2))
        return;
    json_object_set_new(values, CLIENT_METADATA,
                        one_in(sequence, 5) ? json_integer(5) : json_string("why \"so\""));
}

static inline void step_write(struct sequence *sequence) {
    const struct client_schema *schema = sequence->engine->operations->schema(sequence->engine);
    struct client_operation operations[3];
    char ids[3][8];
    size_t count = 1 + below(sequence, 3);
    struct engine_result result;
    struct buffer text = {0};

    for (size_t i = 0; i < count; i++) {
        const struct client_table *table = &schema->tables[below(sequence, schema->n_tables)];
        json_t *values = draw_values(sequence, table);

        snprintf(ids[i], sizeof ids[i], "r%d", (int)below(sequence, 6));
        add_metadata(sequence, table, values);
        operations[i] = (struct client_operation){.kind = (enum client_operation_kind)below(sequence, 3),
                                                  .table = table->name,
                                                  .id = ids[i],
                                                  .values = values};
        if (table->insert_only && !one_in(sequence, 6))
            operations[i].kind = CLIENT_PUT;
        buffer_printf(&text, "write %d %s %s ", (int)operations[i].kind, table->name, ids[i]);
        json_append(&text, operations[i].values);
    }
    say(sequence, buffer_take(&text));
    sequence->engine->operations->write(sequence->engine, operations, count, &result, NULL);
    for (size_t i = 0; i < count; i++)
        json_decref((json_t *)(uintptr_t)operations[i].values);
}

static inline void step_upload(struct sequence *sequence) {
    const struct engine_operations *operations = sequence->engine->operations;
    struct engine_transaction transaction;
    struct engine_gate gate;
    bool set;

    say(sequence, memory_copy_text("upload"));
    while (operations->next_transaction(sequence->engine, 0, &transaction, NULL) == STATUS_OK) {
        int64_t last = transaction.last;

        engine_transaction_free(&transaction);
        operations->complete(sequence->engine, last,
                             one_in(sequence, 8) ? (int64_t)below(sequence, 4) - 1 : ENGINE_TARGET_UNKNOWN,
                             NULL);
        if (one_in(sequence, 3))
            return;
    }
    engine_gate(sequence->engine, &gate);
    if (gate.target != ENGINE_TARGET_UNKNOWN && !one_in(sequence, 4))
        return;
    sequence->write_checkpoint += (int64_t)below(sequence, 2);
    operations->set_target(sequence->engine, gate.sequence - one_in(sequence, 10),
                           sequence->write_checkpoint + 1, &set, NULL);
    if (set && !one_in(sequence, 4))
        sequence->write_checkpoint++;
}

static inline void step_restart(struct sequence *sequence) {
    struct engine_result result;

    say(sequence, memory_copy_text("restart"));
    assert_int_equal(sequence->engine->operations->restart(sequence->engine, &result, NULL), STATUS_OK);
    drop_plan(sequence);
    sequence->running = false;
    sequence->has_checkpoint = false;
}

static inline void step_time(struct sequence *sequence) {
    static const int64_t spans[] = {1, TIME_MILLISECOND, TIME_SECOND, 86400 * TIME_SECOND};
    int64_t span = spans[below(sequence, 4)] * (int64_t)(1 + below(sequence, 1000)) / 900;

    say(sequence, memory_format("%lld ns pass", (long long)span));
    world_run(sequence->bench->world, world_now(sequence->bench->world) + span, NULL);
}

static inline void step_clear(struct sequence *sequence) {
    struct engine_result result;
    unsigned flags = (unsigned)below(sequence, 4);

    engine_send(sequence->engine, ENGINE_STOP, &result, NULL);
    drop_plan(sequence);
    sequence->running = false;
    sequence->has_checkpoint = false;
    say(sequence, memory_format("clear %u", flags));
    sequence->engine->operations->clear(sequence->engine, flags, &result, NULL);
}

static inline void step_schema(struct sequence *sequence) {
    const struct client_schema *schema =
        &sequence_schemas[below(sequence, sizeof sequence_schemas / sizeof *sequence_schemas)];
    struct engine_result result;

    engine_send(sequence->engine, ENGINE_STOP, &result, NULL);
    drop_plan(sequence);
    sequence->running = false;
    sequence->has_checkpoint = false;
    say(sequence, memory_format("schema %lld", (long long)schema->version));
    assert_int_equal(sequence->engine->operations->update_schema(sequence->engine, schema, &result, NULL),
                     STATUS_OK);
}

static inline void step_request(struct sequence *sequence) {
    enum engine_request request = (enum engine_request)below(sequence, 3);
    int64_t id = 1 + (int64_t)below(sequence, 9);

    say(sequence, memory_format("checkpoint request %d of %lld", (int)request, (long long)id));
    sequence->engine->operations->request_id(sequence->engine, request, &id, NULL);
}

static inline struct client_subscription draw_subscription(struct sequence *sequence) {
    static const char *const names[] = {"mine", "other", "page"};
    static const char *const parameters[] = {"{\"b\":1, \"a\":\"x\"}", NULL, "null", "{\"page\":1}"};
    static const int64_t ttls[] = {0, 1, 60, 86400};
    struct client_subscription drawn = {.stream = PICK(sequence, names),
                                        .parameters = PICK(sequence, parameters)};

    drawn.ttl = ttls[below(sequence, 4)];
    drawn.overrides = one_in(sequence, 4);
    drawn.priority = (int)below(sequence, 4);
    return drawn;
}

/* A page is opened or left; the app tells the core what is open, or forgets to. */
static inline void step_page(struct sequence *sequence) {
    struct client_subscription wanted = draw_subscription(sequence);
    struct client_subscription open[2] = {wanted, draw_subscription(sequence)};
    const struct engine_operations *operations = sequence->engine->operations;
    struct engine_result result;
    enum status status;
    bool leave = one_in(sequence, 4), told = !one_in(sequence, 3);
    uint64_t n_open = below(sequence, 3);

    say(sequence,
        memory_format("%s %s %s, ttl %lld, priority %d%s %llu open", leave ? "unsubscribe" : "subscribe",
                      wanted.stream, wanted.parameters ? wanted.parameters : "-", (long long)wanted.ttl,
                      wanted.overrides ? wanted.priority : -1, told ? ", and tell of" : ", not of",
                      (unsigned long long)n_open));
    status = leave ? operations->unsubscribe(sequence->engine, &wanted, NULL)
                   : operations->subscribe(sequence->engine, &wanted, NULL);
    assert_int_equal(status, STATUS_OK);
    if (!told)
        return;
    operations->ask(sequence->engine, NULL, open, n_open, NULL);
    if (!sequence->running) {
        operations->offline_status(sequence->engine, &result);
        return;
    }
    status = engine_send(sequence->engine, ENGINE_CHANGED_STREAMS, &result, NULL);
    take_result(sequence, status, &result);
}

static inline void sequence_step(struct sequence *sequence) {
    uint64_t what = below(sequence, 44);

    if (what >= 42)
        step_schema(sequence);
    else if (what == 41)
        step_page(sequence);
    else if (what == 40 && one_in(sequence, 2))
        step_clear(sequence);
    else if (what == 40)
        step_request(sequence);
    else if (!sequence->running && what < 30)
        step_start(sequence);
    else if (what < 28)
        step_line(sequence);
    else if (what < 31)
        step_event(sequence);
    else if (what < 34)
        step_write(sequence);
    else if (what < 37)
        step_upload(sequence);
    else if (what < 39)
        step_time(sequence);
    else
        step_restart(sequence);
}

/* A new client of the bench's pool. */
static inline void sequence_begin(struct sequence *sequence, struct bench_world *bench, uint64_t seed) {
    static const struct client_subscription asked[] = {
        {.stream = "mine", .parameters = "{\"b\":1, \"a\":\"x\"}"},
        {.stream = "mine"},
        {.stream = "other", .parameters = "null"}};
    static const char *const parameters[] = {NULL, "{}", "{\"z\":1,\"a\":{\"y\":2.5,\"b\":[true,null]}}"};
    char *node = memory_format("user-%llu-1", (unsigned long long)seed);
    struct error error = {0};

    *sequence = (struct sequence){.chance = random_stream_make(seed, "sequence"), .bench = bench};
    for (int b = 0; b < SEQUENCE_BUCKETS; b++)
        sequence->buckets[b].priority = 3;
    sequence->binary = one_in(sequence, 3);
    sequence->op = 1;
    sequence->n_steps = (int)random_between(&sequence->chance, SEQUENCE_STEPS_LEAST, SEQUENCE_STEPS_MOST);
    assert_int_equal(engine_create(bench->pool, net_node(bench->net, node), &sequence->engine, &error),
                     STATUS_OK);
    if (one_in(sequence, 4))
        sequence->engine->operations->use_requests(sequence->engine);
    sequence->subscriptions = (int)below(sequence, 4);
    assert_int_equal(sequence->engine->operations->ask(sequence->engine, PICK(sequence, parameters), asked,
                                                       (size_t)sequence->subscriptions, &error),
                     STATUS_OK);
    for (int i = 0; i < sequence->subscriptions; i++)
        assert_int_equal(sequence->engine->operations->subscribe(sequence->engine, &asked[i], &error),
                         STATUS_OK);
    free(node);
}

static inline void sequence_end(struct sequence *sequence) {
    drop_plan(sequence);
    engine_destroy(sequence->engine);
    buffer_free(&sequence->line);
    free(sequence->said);
}

#endif
