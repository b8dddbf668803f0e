#include "fault/rules.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fault/kind.h"
#include "reader/units.h"

/* --- matching --- */

bool fault_glob_matches(const char *glob, const char *text, size_t length) {
    const char *star = NULL;
    size_t at = 0, star_at = 0;
    while (at < length) {
        if (*glob == '*') {
            star = glob++;
            star_at = at;
        } else if (*glob == text[at]) {
            glob++;
            at++;
        } else if (star) {
            glob = star + 1;
            at = ++star_at;
        } else {
            return false;
        }
    }
    while (*glob == '*')
        glob++;
    return !*glob;
}

bool fault_rule_matches(const struct fault_rule *rule, const struct http_request *request) {
    size_t length = strchr(rule->path, '?') ? strlen(request->target) : strcspn(request->target, "?");
    return fault_glob_matches(rule->method, request->method, strlen(request->method)) &&
           fault_glob_matches(rule->path, request->target, length);
}

/* --- reading --- */

static enum status read_at(struct reader *reader, struct reader_value value, void *target) {
    struct fault_rule *rule = target;
    const char *text = NULL;
    enum status status = reader_text(reader, value, &text);
    if (status != STATUS_OK)
        return status;
    size_t method = strcspn(text, " ");
    if (method == 0 || text[method] != ' ' || (text[method + 1] != '/' && text[method + 1] != '*') ||
        strchr(text + method + 1, ' '))
        return reader_refuse(
            reader, value,
            "`at` is a method and a path, both may have *: \"POST /api/mutation\", \"* /api/*\"");
    rule->method = arena_copy_bytes(reader->arena, text, method);
    rule->path = text + method + 1;
    return STATUS_OK;
}

static enum status set_when(struct reader *reader, struct reader_value value, struct fault_rule *rule,
                            enum fault_when when) {
    if (rule->when != FAULT_ALWAYS)
        return reader_refuse(reader, value, "a rule has one of `every`, `nth` and `rate`");
    rule->when = when;
    return STATUS_OK;
}

static enum status read_every(struct reader *reader, struct reader_value value, void *target) {
    struct fault_rule *rule = target;
    enum status status = set_when(reader, value, rule, FAULT_EVERY);
    return status == STATUS_OK ? reader_count(reader, value, 1, INT32_MAX, &rule->every) : status;
}

static enum status read_nth(struct reader *reader, struct reader_value value, void *target) {
    static const struct field field = {.key = "nth",
                                       .kind = FIELD_COUNT_RANGE,
                                       .offset = offsetof(struct fault_rule, nth),
                                       .low = 1,
                                       .high = INT32_MAX};
    enum status status = set_when(reader, value, target, FAULT_NTH);
    return status == STATUS_OK ? reader_field(reader, &field, value, target) : status;
}

static enum status read_rate(struct reader *reader, struct reader_value value, void *target) {
    struct fault_rule *rule = target;
    const char *text = json_string_value(value.value);
    enum status status = set_when(reader, value, rule, FAULT_RATE);
    if (status == STATUS_OK && (!text || !units_read_rate(text, &rule->rate)))
        return reader_refuse(reader, value,
                             "`rate` must be a rate such as 1%%, 0.25%% or 2500 per million, at most 100%%");
    return status;
}

static const char *kind_name(size_t index, const void *unused) {
    (void)unused;
    return door_faults[index] ? door_faults[index]->name : NULL;
}

static const struct door_fault *find_kind(const char *name) {
    for (size_t i = 0; door_faults[i]; i++)
        if (!strcmp(door_faults[i]->name, name))
            return door_faults[i];
    return NULL;
}

/* `value` is what stands behind the kind's name, or what names the kind alone. */
static enum status read_parameters(struct reader *reader, struct reader_value value, bool bare,
                                   struct fault_rule *rule) {
    const struct door_fault *kind = rule->kind;
    void *parameters = arena_allocate(reader->arena, kind->size + 1);
    enum status status = STATUS_OK;
    rule->parameters = parameters;
    if (kind->prepare)
        kind->prepare(parameters);
    if (!bare && !kind->fields)
        return reader_refuse(reader, value, "`%s` takes nothing more: write `do: %s`", kind->name,
                             kind->name);
    if (!bare && kind->alone && !json_is_object(value.value)) {
        const struct field *field = kind->fields;
        while (strcmp(field->key, kind->alone) != 0)
            field++;
        status = reader_field(reader, field, value, parameters);
    } else if (!bare) {
        status = reader_mapping(reader, value, kind->name, kind->fields, parameters);
    }
    return status == STATUS_OK && kind->check ? kind->check(reader, value, parameters) : status;
}

static enum status read_do(struct reader *reader, struct reader_value value, void *target) {
    struct fault_rule *rule = target;
    struct reader_value parameters = value;
    const char *name = json_string_value(value.value);
    bool bare = name != NULL;
    if (!bare && (!json_is_object(value.value) || json_object_size(value.value) != 1))
        return reader_refuse(reader, value,
                             "`do` is what happens: `reset`, or {delay: 2s}, or {answer: {status: 503}}");
    if (!bare) {
        name = json_object_iter_key(json_object_iter((json_t *)(uintptr_t)value.value));
        parameters = reader_member(value.value, name);
    }
    rule->kind = find_kind(name);
    if (!rule->kind && bare)
        return reader_refuse_name(reader, value, "fault", name, kind_name, NULL);
    if (!rule->kind)
        return reader_refuse_name(reader, (struct reader_value){value.value, name, json_null()}, "fault",
                                  name, kind_name, NULL);
    if (bare)
        parameters.key = rule->kind->name;
    return read_parameters(reader, parameters, bare, rule);
}

#define PLACE(member) offsetof(struct fault_rule, member)
static const struct field rule_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = PLACE(name)},
    {.key = "at", .kind = FIELD_SPECIAL, .read = read_at},
    {.key = "message", .kind = FIELD_TEXT, .offset = PLACE(message)},
    {.key = "every", .kind = FIELD_SPECIAL, .read = read_every},
    {.key = "nth", .kind = FIELD_SPECIAL, .read = read_nth},
    {.key = "rate", .kind = FIELD_SPECIAL, .read = read_rate},
    {.key = "during", .kind = FIELD_DURATION_RANGE, .offset = PLACE(during), .high = 3650 * TIME_DAY},
    {.key = "times", .kind = FIELD_COUNT, .offset = PLACE(times), .low = 1, .high = INT32_MAX},
    {.key = "do", .kind = FIELD_SPECIAL, .read = read_do},
    {.key = NULL}};

static enum status check_rule(struct reader *reader, struct reader_value value,
                              const struct fault_rule *rule) {
    if (!rule->path || !rule->kind)
        return reader_refuse(reader, value,
                             "a rule needs `at` and `do`: {at: \"POST /api/mutation\", do: reset}");
    if (rule->message && !rule->kind->messages)
        return reader_refuse(reader, value, "`%s` strikes requests: it goes without `message`",
                             rule->kind->name);
    if (!rule->message && !rule->kind->requests)
        return reader_refuse(reader, value, "`%s` strikes messages: say which, as in `message: Transition`",
                             rule->kind->name);
    return STATUS_OK;
}

static bool is_taken(const struct fault_rule *rules, size_t count, const char *name) {
    for (size_t i = 0; i < count; i++)
        if (!strcmp(rules[i].name, name))
            return true;
    return false;
}

static const char *make_name(struct arena *arena, const struct fault_rule *rules, size_t index) {
    const struct fault_rule *rule = &rules[index];
    const char *name = arena_format(arena, "%s at %s %s%s%s", rule->kind->name, rule->method, rule->path,
                                    rule->message ? " " : "", rule->message ? rule->message : "");
    return is_taken(rules, index, name) ? arena_format(arena, "%s, rule %zu", name, index + 1) : name;
}

static enum status read_rule(struct reader *reader, struct reader_value value, struct fault_rule *rules,
                             size_t index) {
    struct fault_rule *rule = &rules[index];
    *rule = (struct fault_rule){.during = {0, INT64_MAX}, .times = INT64_MAX};
    enum status status = reader_mapping(reader, value, "rule", rule_fields, rule);
    if (status == STATUS_OK)
        status = check_rule(reader, value, rule);
    if (status != STATUS_OK)
        return status;
    if (rule->name && is_taken(rules, index, rule->name))
        return reader_refuse(reader, value, "two rules have the name `%.100s`", rule->name);
    if (!rule->name)
        rule->name = make_name(reader->arena, rules, index);
    rule->choice = arena_format(reader->arena, "fault.%zu", index);
    return STATUS_OK;
}

enum status fault_rules_read(struct reader *reader, struct reader_value list, struct fault_rules *rules) {
    if (!json_is_array(list.value) || json_array_size(list.value) > FAULT_RULES_MOST)
        return reader_refuse(reader, list, "fault rules must be a list of at most %d, this is %s",
                             FAULT_RULES_MOST, reader_type(list.value));
    size_t count = json_array_size(list.value);
    struct fault_rule *read = arena_allocate(reader->arena, (count + 1) * sizeof *read);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = read_rule(reader, reader_item(list.value, i), read, i);
    *rules = (struct fault_rules){read, count};
    return status;
}
