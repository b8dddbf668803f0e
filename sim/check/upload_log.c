#include "check/upload_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"

static const char receipts_table[] = "upload_receipts";

struct logged_write {
    const struct history_record *write;
    size_t parts;
};

struct upload_log {
    const struct check_settings *settings;
    const struct view_models *views;
    struct unchanged unchanged;
    struct map nodes;      /* node -> index of the client + 1 */
    struct map client_ids; /* the core's client id -> the same */
    struct map writes;     /* "client number" -> struct logged_write */
    struct buffer key;
    const struct history_record *record; /* the newest */
    struct uploaded_part *parts;
    size_t n_parts, parts_capacity;
    struct committed_document *documents;
    size_t n_documents, documents_capacity;
    bool parsed;
};

struct upload_log *upload_log_create(const struct check_settings *settings, const struct view_models *views) {
    struct upload_log *log = memory_allocate(sizeof *log);
    log->settings = settings;
    log->views = views;
    for (size_t i = 0; i < settings->n_clients; i++) {
        map_set(&log->nodes, settings->clients[i], (void *)(uintptr_t)(i + 1));
    }
    return log;
}

static void forget_documents(struct upload_log *log) {
    for (size_t i = 0; i < log->n_documents; i++) {
        json_decref(log->documents[i].fields);
    }
    log->n_documents = 0;
    log->parsed = false;
}

void upload_log_destroy(struct upload_log *log) {
    if (log == NULL) {
        return;
    }
    forget_documents(log);
    free(log->documents);
    free(log->parts);
    map_free(&log->nodes, NULL);
    map_free(&log->client_ids, NULL);
    map_free(&log->writes, free);
    buffer_free(&log->key);
    unchanged_free(&log->unchanged);
    free(log);
}

static const char *write_key(struct upload_log *log, size_t client, long long number) {
    buffer_clear(&log->key);
    buffer_printf(&log->key, "%zu %lld", client, number);
    return buffer_text(&log->key);
}

static void add_part(struct upload_log *log, const char *text) {
    json_t *receipt = json_parse(text, strlen(text), NULL);
    const char *client_id = json_text(receipt, "client_id"), *number = json_text(receipt, "transaction_id");
    const size_t client = client_id == NULL ? 0 : (uintptr_t)map_get(&log->client_ids, client_id);
    struct logged_write *write =
        client == 0 || number == NULL
            ? NULL
            : map_get(&log->writes, write_key(log, client - 1, strtoll(number, NULL, 10)));
    if (write != NULL) {
        MEMORY_RESERVE(log->parts, log->parts_capacity, log->n_parts + 1);
        log->parts[log->n_parts++] =
            (struct uploaded_part){.client = client - 1,
                                   .write = write->write,
                                   .rows = (size_t)json_number_value(json_object_get(receipt, "rows")),
                                   .earlier = write->parts++};
    }
    json_decref(receipt);
}

void upload_log_record(struct upload_log *log, const struct history_record *record) {
    const struct note *note = &record->note;
    log->record = record;
    log->n_parts = 0;
    forget_documents(log);
    if (note->kind == NOTE_COMMIT) {
        for (size_t i = 0; i < note->n_rows; i++) {
            if (note->rows[i].values != NULL && strcmp(note->rows[i].table, receipts_table) == 0) {
                add_part(log, note->rows[i].values);
            }
        }
        return;
    }
    const size_t client = (uintptr_t)map_get(&log->nodes, record->node);
    if (client > 0 && note->kind == NOTE_UPLOAD_STARTED && note->text != NULL) {
        map_set(&log->client_ids, note->text, (void *)(uintptr_t)client);
    } else if (client > 0 && note->kind == NOTE_LOCAL_WRITE && note->transaction > 0) {
        struct logged_write *write = memory_allocate(sizeof *write);
        write->write = record;
        unchanged_record(&log->unchanged, view_models_get(log->views, client - 1), log->settings->schema,
                         record);
        free(map_set(&log->writes, write_key(log, client - 1, note->transaction), write));
    }
}

const struct unchanged *upload_log_unchanged(const struct upload_log *log) {
    return &log->unchanged;
}

size_t upload_log_parts(const struct upload_log *log, const struct uploaded_part **parts) {
    *parts = log->parts;
    return log->n_parts;
}

static void parse_document(struct upload_log *log, const struct note_row *row) {
    json_t *fields = json_parse(row->values, strlen(row->values), NULL);
    const char *uuid = json_text(fields, "uuid");
    if (uuid == NULL) {
        json_decref(fields);
        return;
    }
    MEMORY_RESERVE(log->documents, log->documents_capacity, log->n_documents + 1);
    log->documents[log->n_documents++] = (struct committed_document){row->table, uuid, fields};
}

size_t upload_log_documents(struct upload_log *log, const struct committed_document **documents) {
    const struct note *note = log->record == NULL ? NULL : &log->record->note;
    if (note != NULL && note->kind == NOTE_COMMIT && !log->parsed) {
        log->parsed = true;
        for (size_t i = 0; i < note->n_rows; i++) {
            if (note->rows[i].values != NULL && strcmp(note->rows[i].table, receipts_table) != 0) {
                parse_document(log, &note->rows[i]);
            }
        }
    }
    *documents = log->documents;
    return log->n_documents;
}
