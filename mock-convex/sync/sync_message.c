#include "mock-convex/sync/sync_message.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"

static bool read_number(const json_t *json, const char *key, uint32_t *number) {
    const json_t *value = json_object_get(json, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > UINT32_MAX) {
        return false;
    }
    *number = (uint32_t)json_integer_value(value);
    return true;
}

/* Absent and null count as NULL; anything else must be text. */
static bool read_optional_text(const json_t *json, const char *key, const char **text) {
    const json_t *value = json_object_get(json, key);
    *text = json_string_value(value);
    return value == NULL || json_is_null(value) || json_is_string(value);
}

static bool is_uuid(const char *text) {
    if (text == NULL || strlen(text) != 36) {
        return false;
    }
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : strchr("0123456789abcdefABCDEF", text[i]) == NULL) {
            return false;
        }
    }
    return true;
}

/* Clocks that are off by more than 100 years are taken for none. */
static void parse_clock(struct sync_message *message) {
    const json_t *value = json_object_get(message->json, "clientTs");
    double ms = json_number_value(value);
    message->has_clock = json_is_number(value) && ms >= 0 && ms < 5e12;
    message->client_ms = message->has_clock ? (int64_t)ms : 0;
}

static bool parse_connect(struct sync_message *message) {
    const char *observed;
    uint32_t count;
    message->session = json_text(message->json, "sessionId");
    parse_clock(message);
    return is_uuid(message->session) && read_number(message->json, "connectionCount", &count) &&
           read_optional_text(message->json, "maxObservedTimestamp", &observed) &&
           (observed == NULL || sync_parse_ts(observed, &message->observed) == STATUS_OK);
}

/* The newer and the older name of the same. */
static bool parse_acting(struct sync_message *message) {
    static const char *const names[] = {"acting_as", "impersonating"};
    for (size_t i = 0; i < 2; i++) {
        const json_t *user = json_object_get(message->json, names[i]);
        if (json_is_object(user)) {
            message->acting = user;
        } else if (user != NULL && !json_is_null(user)) {
            return false;
        }
    }
    return true;
}

static bool parse_authenticate(struct sync_message *message) {
    message->token_type = json_text(message->json, "tokenType");
    message->token = json_text(message->json, "value");
    if (message->token_type == NULL || !read_number(message->json, "baseVersion", &message->base_version)) {
        return false;
    }
    if (strcmp(message->token_type, "None") == 0) {
        message->token = NULL;
        return true;
    }
    bool admin = strcmp(message->token_type, "Admin") == 0;
    return message->token != NULL &&
           (admin ? parse_acting(message) : strcmp(message->token_type, "User") == 0);
}

static bool parse_modify(struct sync_message *message) {
    message->modifications = json_object_get(message->json, "modifications");
    return read_number(message->json, "baseVersion", &message->base_version) &&
           read_number(message->json, "newVersion", &message->new_version) &&
           json_is_array(message->modifications);
}

static bool parse_call(struct sync_message *message) {
    message->path = json_text(message->json, "udfPath");
    message->args = json_object_get(message->json, "args");
    return read_number(message->json, "requestId", &message->request) && message->path != NULL &&
           json_is_array(message->args) &&
           read_optional_text(message->json, "componentPath", &message->component);
}

static bool parse_event(struct sync_message *message) {
    return json_text(message->json, "eventType") != NULL && json_object_get(message->json, "event") != NULL;
}

static const struct {
    const char *type;
    enum sync_kind kind;
    bool (*parse)(struct sync_message *message);
} kinds[] = {
    {"Connect", SYNC_CONNECT, parse_connect},
    {"Authenticate", SYNC_AUTHENTICATE, parse_authenticate},
    {"ModifyQuerySet", SYNC_MODIFY_QUERY_SET, parse_modify},
    {"Mutation", SYNC_MUTATION, parse_call},
    {"Action", SYNC_ACTION, parse_call},
    {"Event", SYNC_EVENT, parse_event},
};

static bool parse_kind(struct sync_message *message, const char *type) {
    for (size_t i = 0; type != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kinds[i].type, type) == 0) {
            message->kind = kinds[i].kind;
            return kinds[i].parse(message);
        }
    }
    return false;
}

enum status sync_message_parse(struct sync_message *message, const char *text, size_t length,
                               struct error *error) {
    memset(message, 0, sizeof *message);
    message->json = json_parse(text, length, NULL);
    if (json_is_object(message->json) && parse_kind(message, json_text(message->json, "type"))) {
        return STATUS_OK;
    }
    sync_message_free(message);
    return error_set(error, STATUS_INVALID, "WSMessageInvalidJson: this is no message of the sync protocol");
}

void sync_message_free(struct sync_message *message) {
    json_decref(message->json);
    message->json = NULL;
}

enum status sync_modification_parse(struct sync_modification *modification, const json_t *json,
                                    struct error *error) {
    const char *type = json_text(json, "type");
    memset(modification, 0, sizeof *modification);
    modification->add = type != NULL && strcmp(type, "Add") == 0;
    bool known = modification->add || (type != NULL && strcmp(type, "Remove") == 0);
    bool good = known && read_number(json, "queryId", &modification->query);
    if (good && modification->add) {
        const char *journal;
        modification->path = json_text(json, "udfPath");
        modification->args = json_object_get(json, "args");
        good = modification->path != NULL && json_is_array(modification->args) &&
               read_optional_text(json, "journal", &journal) &&
               read_optional_text(json, "componentPath", &modification->component);
    }
    return good ? STATUS_OK
                : error_set(error, STATUS_INVALID, "WSMessageInvalidJson: a modification is not well-formed");
}

void sync_append_ts(struct buffer *out, uint64_t ts) {
    unsigned char bytes[8];
    for (unsigned i = 0; i < 8; i++) {
        bytes[i] = (unsigned char)(ts >> (8 * i));
    }
    base64_append(out, bytes, sizeof bytes);
}

enum status sync_parse_ts(const char *text, uint64_t *ts) {
    struct buffer bytes = {0};
    enum status status = base64_decode(&bytes, text, strlen(text), NULL);
    *ts = 0;
    if (status == STATUS_OK && bytes.length != 8) {
        status = STATUS_INVALID;
    }
    for (size_t i = 0; status == STATUS_OK && i < 8; i++) {
        *ts |= (uint64_t)(unsigned char)bytes.data[i] << (8 * i);
    }
    buffer_free(&bytes);
    return status;
}

void sync_append_version(struct buffer *out, const struct sync_version *version) {
    buffer_printf(out, "{\"querySet\":%" PRIu32 ",\"identity\":%" PRIu32 ",\"ts\":\"", version->query_set,
                  version->identity);
    sync_append_ts(out, version->ts);
    buffer_append_text(out, "\"}");
}

void sync_print_transition(struct buffer *out, const struct sync_version *start,
                           const struct sync_version *end, const struct buffer *modifications,
                           const struct sync_clock *clock) {
    assert(start->ts <= end->ts);
    buffer_append_text(out, "{\"type\":\"Transition\",\"startVersion\":");
    sync_append_version(out, start);
    buffer_append_text(out, ",\"endVersion\":");
    sync_append_version(out, end);
    buffer_append_text(out, ",\"modifications\":[");
    buffer_append(out, buffer_text(modifications), modifications->length);
    if (clock->known) {
        buffer_printf(out, "],\"clientClockSkew\":%" PRId64 ",\"serverTs\":%" PRId64 "}", clock->skew,
                      clock->now_ns);
    } else {
        buffer_append_text(out, "],\"clientClockSkew\":null,\"serverTs\":null}");
    }
}

void sync_print_chunk(struct buffer *out, const char *bytes, size_t length, size_t part, size_t parts,
                      uint64_t transition) {
    buffer_append_text(out, "{\"type\":\"TransitionChunk\",\"chunk\":");
    buffer_append_json_string(out, bytes, length);
    buffer_printf(out, ",\"partNumber\":%zu,\"totalParts\":%zu,\"transitionId\":\"%" PRIu64 "\"}", part,
                  parts, transition);
}

void sync_print_error(struct buffer *out, const char *type, const char *text) {
    buffer_printf(out, "{\"type\":\"%s\",\"error\":", type);
    buffer_append_json_text(out, text);
    buffer_append_char(out, '}');
}

void sync_print_auth_error(struct buffer *out, const char *text, uint32_t base_version, bool attempted) {
    buffer_append_text(out, "{\"type\":\"AuthError\",\"error\":");
    buffer_append_json_text(out, text);
    buffer_printf(out, ",\"baseVersion\":%" PRIu32 ",\"authUpdateAttempted\":%s}", base_version,
                  attempted ? "true" : "false");
}
