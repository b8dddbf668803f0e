#include "mock-convex/export/export_arguments.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-convex/export/selection.h"
#include "mock-convex/value/name.h"

/* A decimal int64 as the backend's parser takes it: an optional sign, digits, nothing else. */
static bool parse_integer(const char *text, int64_t *value) {
    bool negative = text[0] == '-';
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX, sum = 0;
    text += text[0] == '-' || text[0] == '+';
    if (*text == 0) {
        return false;
    }
    for (; *text != 0; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        uint64_t digit = (uint64_t)(*text - '0');
        if (sum > (limit - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = (int64_t)(negative ? 0 - sum : sum);
    return true;
}

static bool bad_query(struct convex_reply *reply, const char *field, const char *reason) {
    return convex_reply_error(reply, 400, "BadQueryArgs", "Failed to deserialize query string: %s: %s", field,
                              reason);
}

static bool query_integer(const struct convex_query *query, const char *name, bool *has, int64_t *value,
                          struct convex_reply *reply) {
    const char *text = convex_query_get(query, name);
    *has = text != NULL;
    if (text != NULL && text[0] == 0) {
        return bad_query(reply, name, "cannot parse integer from empty string");
    }
    return text == NULL || parse_integer(text, value) ||
           bad_query(reply, name, "invalid digit found in string");
}

static bool query_boolean(const struct convex_query *query, const char *name, bool *value,
                          struct convex_reply *reply) {
    const char *text = convex_query_get(query, name);
    *value = text != NULL && strcmp(text, "true") == 0;
    return text == NULL || *value || strcmp(text, "false") == 0 ||
           bad_query(reply, name, "provided string was not `true` or `false`");
}

/* The keys that each endpoint knows; others are ignored. */
static const char *const known_keys[][8] = {
    [CONVEX_LIST_SNAPSHOT] = {"snapshot", "cursor", "format", "table_name", "tableName", "component"},
    [CONVEX_DOCUMENT_DELTAS] = {"cursor", "format", "table_name", "tableName", "component"},
    [CONVEX_JSON_SCHEMAS] = {"deltaSchema", "byComponent", "format"},
    [CONVEX_ACTIVE_SYNCS] = {"limit", "cursor"},
    [CONVEX_SHAPES] = {"component"},
    [CONVEX_KEY_CHECK] = {NULL},
    [CONVEX_EXPORT_OTHER] = {NULL}};

static bool knows(enum convex_export_endpoint endpoint, const char *name) {
    for (size_t i = 0; known_keys[endpoint][i] != NULL; i++) {
        if (strcmp(known_keys[endpoint][i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_repetitions(const struct convex_query *query, enum convex_export_endpoint endpoint,
                               bool knows_alias, struct convex_reply *reply) {
    for (size_t i = 0; i < query->count; i++) {
        const char *name = query->pairs[i].name;
        bool known = knows(endpoint, name) && (knows_alias || strcmp(name, "tableName") != 0);
        if (known && convex_query_count(query, name) > 1) {
            return bad_query(reply, name, "duplicate field");
        }
    }
    if (knows_alias && knows(endpoint, "table_name") && convex_query_get(query, "table_name") != NULL &&
        convex_query_get(query, "tableName") != NULL) {
        return bad_query(reply, "tableName", "duplicate field"); /* one is an alias of the other */
    }
    return true;
}

static char *query_text(const struct convex_query *query, enum convex_export_endpoint endpoint,
                        const char *name) {
    return knows(endpoint, name) ? memory_copy_text(convex_query_get(query, name)) : NULL;
}

static bool decode_query(const struct convex_query *query, enum convex_export_endpoint endpoint,
                         struct convex_export_arguments *arguments, struct convex_reply *reply) {
    if (!refuse_repetitions(query, endpoint, arguments->knows_alias, reply)) {
        return false;
    }
    arguments->format = query_text(query, endpoint, "format");
    arguments->component = query_text(query, endpoint, "component");
    arguments->table = query_text(query, endpoint, "table_name");
    if (arguments->table == NULL && arguments->knows_alias) {
        arguments->table = query_text(query, endpoint, "tableName");
    }
    switch (endpoint) {
    case CONVEX_LIST_SNAPSHOT:
        arguments->cursor = query_text(query, endpoint, "cursor");
        return query_integer(query, "snapshot", &arguments->has_snapshot, &arguments->snapshot, reply);
    case CONVEX_DOCUMENT_DELTAS:
        return query_integer(query, "cursor", &arguments->has_cursor_ts, &arguments->cursor_ts, reply);
    case CONVEX_JSON_SCHEMAS:
        return query_boolean(query, "deltaSchema", &arguments->delta_schema, reply) &&
               query_boolean(query, "byComponent", &arguments->by_component, reply);
    case CONVEX_ACTIVE_SYNCS:
        arguments->cursor = query_text(query, endpoint, "cursor");
        return query_integer(query, "limit", &arguments->has_limit, &arguments->limit, reply);
    default:
        return true;
    }
}

static bool bad_body(struct convex_reply *reply, const char *field) {
    return convex_reply_error(reply, 400, "BadJsonBody",
                              "Failed to deserialize the JSON body: %s: invalid type", field);
}

static bool body_integer(const json_t *body, const char *name, bool *has, int64_t *value,
                         struct convex_reply *reply) {
    const json_t *member = json_object_get(body, name);
    *has = json_is_integer(member);
    *value = json_integer_value(member);
    return *has || member == NULL || json_is_null(member) || bad_body(reply, name);
}

static bool body_text(const json_t *body, const char *name, char **text, struct convex_reply *reply) {
    const json_t *member = json_object_get(body, name);
    *text = memory_copy_text(json_string_value(member));
    return *text != NULL || member == NULL || json_is_null(member) || bad_body(reply, name);
}

/* What filters never fails to decode: a member of the wrong form counts as absent. */
static char *body_filter(const json_t *body, const char *name) {
    return memory_copy_text(json_string_value(json_object_get(body, name)));
}

static bool decode_body(const json_t *body, enum convex_export_endpoint endpoint,
                        struct convex_export_arguments *arguments, struct convex_reply *reply) {
    json_t *selection = json_object_get(body, "selection");
    arguments->selection = convex_selection_is_formed(selection) ? json_incref(selection) : NULL;
    arguments->component = body_filter(body, "component");
    arguments->table = body_filter(body, "table_name");
    if (arguments->table == NULL && arguments->knows_alias) {
        arguments->table = body_filter(body, "tableName");
    }
    if (!body_text(body, "format", &arguments->format, reply)) {
        return false;
    }
    if (endpoint == CONVEX_LIST_SNAPSHOT) {
        return body_integer(body, "snapshot", &arguments->has_snapshot, &arguments->snapshot, reply) &&
               body_text(body, "cursor", &arguments->cursor, reply);
    }
    return body_integer(body, "cursor", &arguments->has_cursor_ts, &arguments->cursor_ts, reply);
}

bool convex_export_may(const struct convex_deployment *deployment, const struct convex_caller *caller,
                       struct convex_reply *reply) {
    if (deployment->switches.no_streaming_export) {
        return convex_reply_error(reply, 403, "StreamingExportNotEnabled",
                                  "The plan of this deployment is without streaming export.");
    }
    return convex_auth_may_view(caller, reply);
}

static bool may_ask(const struct convex_deployment *deployment, enum convex_export_endpoint endpoint,
                    const struct convex_caller *caller, struct convex_reply *reply) {
    return endpoint == CONVEX_KEY_CHECK ? convex_auth_is_admin(caller, reply)
                                        : convex_export_may(deployment, caller, reply);
}

bool convex_export_admit(struct convex_deployment *deployment, const struct convex_request *request,
                         enum convex_export_endpoint endpoint, struct convex_export_arguments *arguments,
                         struct convex_reply *reply) {
    bool allowed_alias = !deployment->switches.ignores_table_name_alias;
    memset(arguments, 0, sizeof *arguments);
    arguments->knows_alias = allowed_alias;
    if (strcmp(request->http->method, "POST") != 0) {
        return decode_query(&request->query, endpoint, arguments, reply) &&
               convex_auth_identify(deployment->auth, request, &arguments->caller, reply) &&
               may_ask(deployment, endpoint, &arguments->caller, reply);
    }
    assert(endpoint == CONVEX_LIST_SNAPSHOT || endpoint == CONVEX_DOCUMENT_DELTAS);
    json_t *body = NULL;
    bool admitted = convex_auth_identify(deployment->auth, request, &arguments->caller, reply) &&
                    convex_request_json(request, &body, reply) &&
                    decode_body(body, endpoint, arguments, reply) &&
                    may_ask(deployment, endpoint, &arguments->caller, reply);
    json_decref(body);
    return admitted;
}

void convex_export_arguments_free(struct convex_export_arguments *arguments) {
    free(arguments->cursor);
    free(arguments->format);
    free(arguments->table);
    free(arguments->component);
    json_decref(arguments->selection);
    memset(arguments, 0, sizeof *arguments);
}

bool convex_export_reach_database(const struct convex_export_arguments *arguments,
                                  struct convex_reply *reply) {
    if (arguments->selection != NULL) {
        if (!convex_selection_is_valid(arguments->selection)) {
            return convex_reply_internal(reply);
        }
    } else if ((arguments->table != NULL && !convex_name_is_table(arguments->table)) ||
               (arguments->component != NULL && !convex_name_is_component(arguments->component))) {
        return convex_reply_internal(reply);
    }
    return arguments->caller.identity != CONVEX_ACTING ||
           convex_reply_error(reply, 403, "SystemIdentityRequired",
                              "A user may not read the streaming export.");
}

bool convex_export_format(const struct convex_export_arguments *arguments, enum convex_format *format,
                          struct convex_reply *reply) {
    *format = CONVEX_FORMAT_JSON;
    return arguments->format == NULL || convex_format_parse(arguments->format, format) == STATUS_OK ||
           convex_reply_error(reply, 400, "BadFormat", "There is no value format \"%.100s\".",
                              arguments->format);
}

bool convex_export_selects(const struct convex_export_arguments *arguments,
                           const struct convex_store_table *table, const json_t **columns) {
    if (table->system) {
        return false;
    }
    if (arguments->selection != NULL) {
        return convex_selection_has_table(arguments->selection, table->component, table->name, columns);
    }
    *columns = NULL;
    const char *component = arguments->component != NULL ? arguments->component
                            : arguments->table != NULL   ? "" /* a table alone is one of the root */
                                                         : table->component;
    return strcmp(component, table->component) == 0 &&
           (arguments->table == NULL || strcmp(arguments->table, table->name) == 0);
}
