#include "mock-powersync/http/status_report.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/service_internal.h"

#define CONNECTION "default" /* id and tag of the only connection */
#define LAG_WARNING (120 * TIME_SECOND)
#define LAG_FATAL (15 * 60 * TIME_SECOND)

/* The object takes the value; an absent one (NULL) leaves the member out. */
static void set_if(json_t *object, const char *name, json_t *value) {
    if (value)
        json_object_set_new(object, name, value);
}

static json_t *time_text(int64_t time) {
    struct buffer text = {0};
    if (time <= 0)
        return NULL;
    http_append_time(&text, time);
    json_t *value = json_stringn(text.data + 1, text.length - 2);
    buffer_free(&text);
    return value;
}

static void add_error(json_t *errors, const char *level, const char *message, int64_t time) {
    json_t *error =
        json_pack("{s:s,s:o}", "level", level, "message", json_string_lossy(message, strlen(message)));
    set_if(error, "ts", time_text(time));
    json_array_append_new(errors, error);
}

json_t *status_report_slot(const struct replication_stream *stream) {
    return json_sprintf("powersync_%d", stream->number);
}

/* --- the source --- */

json_t *status_report_connection(const struct powersync_service *service,
                                 const struct source_findings *findings) {
    json_t *errors = json_array();
    const char *uri = service->options.source.deployment;
    if (!findings->schema)
        add_error(errors, "fatal", findings->failure, 0);
    for (size_t i = 0; findings->schema && i < json_array_size(findings->problems); i++)
        add_error(errors, "fatal", json_string_value(json_array_get(findings->problems, i)), 0);
    return json_pack("{s:s,s:s,s:s,s:b,s:o}", "id", CONNECTION, "uri", uri, "postgres_uri", uri, "connected",
                     findings->schema != NULL, "errors", errors);
}

static json_t *columns_of(const struct source_table_schema *table) {
    json_t *columns = json_array();
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct source_column *column = &table->columns[i];
        json_array_append_new(columns, json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", column->name, "sqlite_type",
                                                 column->sqlite_type, "internal_type", column->type, "type",
                                                 column->type, "pg_type", column->type));
    }
    return columns;
}

json_t *status_report_schema(const struct source_findings *findings) {
    const struct source_schema *schema = findings->schema;
    json_t *tables = json_array();
    for (size_t i = 0; i < schema->n_tables; i++)
        json_array_append_new(tables, json_pack("{s:s,s:o}", "name", schema->tables[i].name, "columns",
                                                columns_of(&schema->tables[i])));
    json_t *schemas = json_pack("[{s:s,s:o}]", "name", schema->name, "tables", tables);
    return json_pack("{s:[{s:s,s:s,s:o}],s:s,s:s}", "connections", "id", CONNECTION, "tag", CONNECTION,
                     "schemas", schemas, "defaultConnectionTag", CONNECTION, "defaultSchema", schema->name);
}

/* --- tables of a config --- */

static json_t *report_table(const struct source_pattern *pattern, const char *name) {
    json_t *table = json_pack("{s:s,s:s,s:[],s:b,s:b,s:[]}", "schema", pattern->schema, "name", name,
                              "replication_id", "data_queries", 1, "parameter_queries", 0, "errors");
    if (pattern->prefix)
        json_object_set_new(table, "pattern", json_sprintf("%s%%", pattern->name));
    return table;
}

static void add_missing(json_t *tables, const struct source_pattern *pattern, const char *level,
                        const char *message) {
    json_t *table = report_table(pattern, pattern->name);
    add_error(json_object_get(table, "errors"), level, message, 0);
    json_array_append_new(tables, table);
}

static size_t add_matching(json_t *tables, const struct source_pattern *pattern,
                           const struct source_schema *schema) {
    size_t found = 0;
    for (size_t i = 0; i < schema->n_tables; i++) {
        const struct source_table table = {CONNECTION, schema->name, schema->tables[i].name};
        if (!source_pattern_matches(pattern, &table))
            continue;
        json_t *report = report_table(pattern, table.name);
        json_array_append_new(json_object_get(report, "replication_id"), json_string("_id"));
        json_array_append_new(tables, report);
        found++;
    }
    return found;
}

json_t *status_report_tables(const struct sync_config *config, const struct source_findings *findings) {
    json_t *tables = json_array();
    for (size_t i = 0; i < config->n_patterns; i++) {
        const struct source_pattern *pattern = &config->patterns[i];
        if (!findings->schema) {
            add_missing(tables, pattern, "fatal", "connection failed");
        } else if (add_matching(tables, pattern, findings->schema) == 0 && !pattern->prefix) {
            char *message = memory_format("Table %s.%s not found", pattern->schema, pattern->name);
            add_missing(tables, pattern, "warning", message);
            free(message);
        }
    }
    return tables;
}

/* --- a config --- */

/* Errors of the tables, then warnings of the config. */
static void add_config_errors(json_t *errors, const struct sync_config *config, const json_t *tables) {
    size_t i, j;
    json_t *table, *error;
    json_array_foreach((json_t *)(uintptr_t)tables, i, table) {
        json_array_foreach(json_object_get(table, "errors"), j, error) {
            json_array_append(errors, error);
        }
    }
    for (i = 0; i < config->n_warnings; i++)
        add_error(errors, "warning", config->warnings[i].message, 0);
}

/* The real service looks at when it last wrote a checkpoint; here the source's own time stands for that. */
static void add_lag(json_t *errors, int64_t committed, int64_t now) {
    if (committed <= 0) {
        add_error(errors, "warning", "No checkpoint found, cannot calculate replication lag", now);
    } else if (now - committed > LAG_WARNING) {
        char *message =
            memory_format("No replicated commit in more than %" PRId64 "s", (now - committed) / TIME_SECOND);
        add_error(errors, now - committed > LAG_FATAL ? "fatal" : "warning", message, now);
        free(message);
    }
}

static json_t *report_progress(const struct powersync_service *service,
                               const struct replication_stream *stream, json_t *tables) {
    const struct source_module *module = service->source->module;
    int64_t lsn = stream->buckets->lsn;
    struct buffer position = {0};
    json_t *connection =
        json_pack("{s:s,s:s,s:o,s:b}", "id", CONNECTION, "tag", CONNECTION, "slot_name",
                  status_report_slot(stream), "initial_replication_done", stream->buckets->snapshot_done);
    if (lsn > 0) {
        module->position_append(&position, lsn);
        json_object_set_new(connection, "last_lsn", json_string(buffer_text(&position)));
        set_if(connection, "last_checkpoint_ts", time_text(module->position_time(lsn)));
    }
    json_object_set_new(connection, "tables", tables);
    buffer_free(&position);
    return connection;
}

json_t *status_report_stream(const struct powersync_service *service, const struct replication_stream *stream,
                             const struct source_findings *findings, bool content) {
    json_t *tables = status_report_tables(stream->config, findings), *errors = json_array();
    int64_t lsn = stream->buckets->lsn;
    if (stream->error)
        add_error(errors, "fatal", stream->error, stream->error_at);
    add_config_errors(errors, stream->config, tables);
    if (stream->state == STREAM_ACTIVE || stream->state == STREAM_ERRORED)
        add_lag(errors, lsn > 0 ? service->source->module->position_time(lsn) : 0,
                host_wall_clock(service->host));
    json_t *status = json_object();
    if (content)
        json_object_set_new(status, "content", json_string(stream->text));
    json_object_set_new(status, "connections", json_pack("[o]", report_progress(service, stream, tables)));
    json_object_set_new(status, "errors", errors);
    return status;
}

json_t *status_report_text(const struct powersync_service *service, const char *text,
                           const struct source_findings *findings) {
    struct sync_config *config;
    struct error error = {0};
    json_t *errors = json_array(), *connections = json_array();
    if (sync_config_parse(&config, text, "sync config", &error)) {
        char message[sizeof error.message + sizeof error.file];
        error_format(&error, message, sizeof message);
        add_error(errors, "fatal", message, host_wall_clock(service->host));
    } else {
        json_t *tables = status_report_tables(config, findings);
        add_config_errors(errors, config, tables);
        json_array_append_new(connections,
                              json_pack("{s:s,s:s,s:s,s:b,s:o}", "id", CONNECTION, "tag", CONNECTION,
                                        "slot_name", "", "initial_replication_done", 0, "tables", tables));
        sync_config_destroy(config);
    }
    return json_pack("{s:o,s:o}", "connections", connections, "errors", errors);
}
