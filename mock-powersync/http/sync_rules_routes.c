/* Operators' routes about sync configs: /api/sync-rules/v1. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/deployment.h"
#include "mock-powersync/http/route.h"
#include "mock-powersync/http/source_inquiry.h"
#include "mock-powersync/http/status_report.h"
#include "mock-powersync/service_internal.h"

static bool validate_content(const json_t *parameters, struct http_error *error) {
    return json_text(parameters, "content") || route_invalid(error, "/content must be string");
}

/* With line breaks, as for people. Takes `report`. */
static void answer_pretty(struct route_call *call, json_t *report) {
    char *text = json_dumps(report, JSON_INDENT(2));
    char *lines = memory_format("%s\n", text);
    json_decref(report);
    free(text);
    route_call_answer(call, 200, lines);
    free(lines);
}

static void answer_slot(struct route_call *call, const struct replication_stream *stream,
                        const struct http_error *error) {
    if (stream)
        route_call_answer_json(call, json_pack("{s:o}", "slot_name", status_report_slot(stream)));
    else
        route_call_refuse(call, error);
}

static void handle_deploy(struct route_call *call, const struct auth_user *user) {
    struct http_error error;
    (void)user;
    answer_slot(call, deployment_new(call->service, json_text(call->parameters, "content"), &error), &error);
}

static void handle_reprocess(struct route_call *call, const struct auth_user *user) {
    struct http_error error;
    (void)user;
    answer_slot(call, deployment_again(call->service, false, &error), &error);
}

/* --- what a text means --- */

static json_t *explain_config(const struct sync_config *config, const struct source_findings *findings) {
    json_t *streams = json_array();
    for (size_t i = 0; i < config->n_streams; i++)
        json_array_append_new(streams, json_pack("{s:s,s:i}", "name", config->streams[i].name, "priority",
                                                 config->streams[i].priority));
    return json_pack("{s:b,s:o,s:o}", "valid", 1, "bucket_definitions", streams, "source_tables",
                     status_report_tables(config, findings));
}

static json_t *explain_text(const char *text, const struct source_findings *findings) {
    struct sync_config *config;
    struct error error = {0};
    char message[sizeof error.message + sizeof error.file];
    if (sync_config_parse(&config, text, "sync config", &error)) {
        error_format(&error, message, sizeof message);
        return json_pack("{s:b,s:[o]}", "valid", 0, "errors", json_string_lossy(message, strlen(message)));
    }
    json_t *report = explain_config(config, findings);
    sync_config_destroy(config);
    return report;
}

static void answer_validate(struct route_call *call, const struct source_findings *findings) {
    answer_pretty(call, explain_text(json_text(call->parameters, "content"), findings));
}

static void handle_validate(struct route_call *call, const struct auth_user *user) {
    (void)user;
    source_inquiry_start(call, answer_validate);
}

/* --- what is deployed --- */

static json_t *explain_stream(const struct replication_stream *stream,
                              const struct source_findings *findings) {
    if (!stream)
        return json_null();
    json_t *report = json_pack("{s:o,s:s}", "slot_name", status_report_slot(stream), "content", stream->text);
    json_t *meaning = explain_config(stream->config, findings);
    json_object_update(report, meaning);
    json_decref(meaning);
    return report;
}

static void answer_current(struct route_call *call, const struct source_findings *findings) {
    const struct storage *storage = call->service->storage;
    answer_pretty(call, json_pack("{s:{s:o,s:o}}", "data", "current",
                                  explain_stream(storage_serving(storage), findings), "next",
                                  explain_stream(storage_deploying(storage), findings)));
}

static void handle_current(struct route_call *call, const struct auth_user *user) {
    struct http_error error;
    (void)user;
    if (storage_serving(call->service->storage)) {
        source_inquiry_start(call, answer_current);
        return;
    }
    http_error_set(&error, 422, "ServiceError", "PSYNC_S4104", "No active sync config");
    route_call_refuse(call, &error);
}

#define OPERATOR(method, path, yaml, validate, handle)                                                       \
    { method, "/api/sync-rules/v1/" path, GROUP_ADMIN, ACCESS_OPERATOR, yaml, validate, handle }

const struct route sync_rules_routes[] = {
    OPERATOR("POST", "deploy", true, validate_content, handle_deploy),
    OPERATOR("POST", "validate", true, validate_content, handle_validate),
    OPERATOR("POST", "reprocess", false, NULL, handle_reprocess),
    OPERATOR("GET", "current", false, NULL, handle_current),
};
