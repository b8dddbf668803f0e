/* Operators' routes about the running service: /api/admin/v1. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "mock-powersync/http/deployment.h"
#include "mock-powersync/http/route.h"
#include "mock-powersync/http/source_inquiry.h"
#include "mock-powersync/http/status_report.h"
#include "mock-powersync/service_internal.h"

/* --- diagnostics --- */

static bool validate_diagnostics(const json_t *parameters, struct http_error *error) {
    const json_t *content = json_object_get(parameters, "sync_rules_content");
    return !content || json_is_boolean(content) ||
           route_invalid(error, "/sync_rules_content must be boolean");
}

static void answer_diagnostics(struct route_call *call, const struct source_findings *findings) {
    const struct powersync_service *service = call->service;
    const struct replication_stream *active = storage_serving(service->storage);
    const struct replication_stream *deploying = storage_deploying(service->storage);
    bool content = json_bool_or(call->parameters, "sync_rules_content", false);
    json_t *report = json_pack("{s:[o]}", "connections", status_report_connection(service, findings));
    if (active)
        json_object_set_new(report, "active_sync_rules",
                            status_report_stream(service, active, findings, content));
    if (deploying)
        json_object_set_new(report, "deploying_sync_rules",
                            status_report_stream(service, deploying, findings, content));
    route_call_answer_json(call, report);
}

static void handle_diagnostics(struct route_call *call, const struct auth_user *user) {
    (void)user;
    source_inquiry_start(call, answer_diagnostics);
}

/* --- schema --- */

static void answer_schema(struct route_call *call, const struct source_findings *findings) {
    if (findings->schema)
        route_call_answer_json(call, status_report_schema(findings));
    else
        route_call_fail(call, findings->failure);
}

static void handle_schema(struct route_call *call, const struct auth_user *user) {
    (void)user;
    source_inquiry_start(call, answer_schema);
}

/* --- SQL --- */

static bool validate_sql(const json_t *parameters, struct http_error *error) {
    const json_t *sql = json_object_get(parameters, "sql");
    const json_t *arguments = json_object_get(sql, "args");
    bool valid = json_text(sql, "query") && json_is_array(arguments);
    for (size_t i = 0; valid && i < json_array_size(arguments); i++) {
        const json_t *argument = json_array_get(arguments, i);
        valid = json_is_string(argument) || json_is_number(argument) || json_is_boolean(argument);
    }
    return valid || route_invalid(error, "/sql must hold query and args");
}

static void handle_sql(struct route_call *call, const struct auth_user *user) {
    (void)user;
    route_call_answer_json(call, json_pack("{s:{s:[],s:[]},s:b,s:s}", "results", "columns", "rows", "success",
                                           0, "error", "SQL querying is not enabled"));
}

/* --- validate --- */

static bool validate_text(const json_t *parameters, struct http_error *error) {
    return json_text(parameters, "sync_rules") || route_invalid(error, "/sync_rules must be string");
}

static void answer_validate(struct route_call *call, const struct source_findings *findings) {
    if (findings->schema)
        route_call_answer_json(
            call, status_report_text(call->service, json_text(call->parameters, "sync_rules"), findings));
    else
        route_call_fail(call, findings->failure);
}

static void handle_validate(struct route_call *call, const struct auth_user *user) {
    (void)user;
    source_inquiry_start(call, answer_validate);
}

/* --- reprocess --- */

static void handle_reprocess(struct route_call *call, const struct auth_user *user) {
    struct http_error error;
    struct replication_stream *stream = deployment_again(call->service, true, &error);
    (void)user;
    if (!stream) {
        route_call_refuse(call, &error);
        return;
    }
    route_call_answer_json(call, json_pack("{s:[{s:s,s:s,s:o}]}", "connections", "tag", "default", "id",
                                           "default", "slot_name", status_report_slot(stream)));
}

#define OPERATOR(path, validate, handle)                                                                     \
    { "POST", "/api/admin/v1/" path, GROUP_ADMIN, ACCESS_OPERATOR, false, validate, handle }

const struct route admin_routes[] = {
    OPERATOR("diagnostics", validate_diagnostics, handle_diagnostics),
    OPERATOR("schema", NULL, handle_schema),
    OPERATOR("execute-sql", validate_sql, handle_sql),
    OPERATOR("validate", validate_text, handle_validate),
    OPERATOR("reprocess", NULL, handle_reprocess),
};
