/* `reactive:`, groups of plain Convex clients: what they subscribe to and what they call. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenario/generator.h"
#include "scenario/language.h"

#define GROUP(member) offsetof(struct scenario_reactive, member)
#define CALL(member) offsetof(struct scenario_call, member)

enum { GROUPS_MOST = 1000, QUERIES_MOST = 100 };

static const char *keep_json(struct reader *reader, const json_t *value) {
    struct buffer text = {0};
    json_append_sorted(&text, value);
    const char *kept = arena_copy_text(reader->arena, buffer_text(&text));
    buffer_free(&text);
    return kept;
}

static enum status read_args(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_call *call = target;
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`args` must be a mapping, this is %s", reader_type(value.value));
    call->args = keep_json(reader, value.value);
    return generator_check(reader, value);
}

static enum status read_mutation(struct reader *reader, struct reader_value value, void *target) {
    return reader_text(reader, value, &((struct scenario_call *)target)->path);
}

static enum status read_action(struct reader *reader, struct reader_value value, void *target) {
    ((struct scenario_call *)target)->is_action = true;
    return reader_text(reader, value, &((struct scenario_call *)target)->path);
}

static const struct field query_fields[] = {{.key = "query", .kind = FIELD_TEXT, .offset = CALL(path)},
                                            {.key = "args", .kind = FIELD_SPECIAL, .read = read_args},
                                            {.key = NULL}};
static const struct field call_fields[] = {
    {.key = "mutation", .kind = FIELD_SPECIAL, .read = read_mutation},
    {.key = "action", .kind = FIELD_SPECIAL, .read = read_action},
    {.key = "args", .kind = FIELD_SPECIAL, .read = read_args},
    {.key = "weight", .kind = FIELD_COUNT, .offset = CALL(weight), .low = 1, .high = 1000000},
    {.key = NULL}};

static enum status read_one_call(struct reader *reader, struct reader_value item, const struct field *fields,
                                 struct scenario_call *call) {
    *call = (struct scenario_call){.args = "{}", .weight = 1};
    enum status status = reader_mapping(reader, item, "", fields, call);
    if (status == STATUS_OK && !call->path)
        return reader_refuse(reader, item, "this needs `%s`: the path of a function, like tasks:add",
                             fields == query_fields ? "query" : "mutation` or `action");
    if (status == STATUS_OK && json_object_get(item.value, "mutation") &&
        json_object_get(item.value, "action"))
        return reader_refuse(reader, item, "a call is a `mutation` or an `action`, not both");
    return status;
}

static enum status read_calls(struct reader *reader, struct reader_value value, const struct field *fields,
                              const struct scenario_call **result, size_t *count) {
    if (!json_is_array(value.value) || json_array_size(value.value) > QUERIES_MOST)
        return reader_refuse(reader, value, "`%s` must be a list of at most %d entries", value.key,
                             QUERIES_MOST);
    size_t n = json_array_size(value.value);
    struct scenario_call *calls = arena_allocate(reader->arena, (n + 1) * sizeof *calls);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < n; i++)
        status = read_one_call(reader, reader_item(value.value, i), fields, &calls[i]);
    *result = calls;
    *count = n;
    return status;
}

static enum status read_group_queries(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_reactive *group = target;
    return read_calls(reader, value, query_fields, &group->queries, &group->n_queries);
}

static enum status read_group_calls(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_reactive *group = target;
    return read_calls(reader, value, call_fields, &group->calls, &group->n_calls);
}

static const struct field group_fields[] = {
    {.key = "name", .kind = FIELD_TEXT, .offset = GROUP(name)},
    {.key = "user", .kind = FIELD_TEXT, .offset = GROUP(user)},
    {.key = "clients",
     .kind = FIELD_COUNT,
     .offset = GROUP(clients),
     .low = 1,
     .high = SCENARIO_CLIENTS_MOST},
    {.key = "queries", .kind = FIELD_SPECIAL, .read = read_group_queries},
    {.key = "calls", .kind = FIELD_SPECIAL, .read = read_group_calls},
    {.key = "between-calls",
     .kind = FIELD_DURATION_RANGE,
     .offset = GROUP(between_calls),
     .low = TIME_MILLISECOND,
     .high = TIME_DAY},
    {.key = NULL}};

static bool is_taken(const struct scenario *scenario, const struct scenario_reactive *groups, size_t n,
                     const char *name) {
    for (size_t i = 0; i < scenario->n_users; i++)
        if (!strcmp(scenario->users[i], name))
            return true;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(groups[i].name, name))
            return true;
    return false;
}

static enum status read_group(struct reader *reader, struct reader_value item,
                              const struct scenario *scenario, struct scenario_reactive *groups,
                              size_t index) {
    struct scenario_reactive *group = &groups[index];
    *group = (struct scenario_reactive){
        .name = "web", .clients = 1, .between_calls = {5 * TIME_SECOND, 15 * TIME_SECOND}};
    enum status status = reader_mapping(reader, item, "", group_fields, group);
    if (status != STATUS_OK)
        return status;
    struct reader_value name = reader_member(item.value, "name");
    if (!scenario_good_name(group->name))
        return reader_refuse(reader, name, "`%.60s` is no name for a group: write it like a user",
                             group->name);
    if (group->user && !scenario_good_name(group->user))
        return reader_refuse(reader, reader_member(item.value, "user"), "`%.60s` is no name for a user",
                             group->user);
    if (is_taken(scenario, groups, index, group->name))
        return reader_refuse(reader, name.value ? name : item,
                             "a user or another group is called `%s` already", group->name);
    return STATUS_OK;
}

enum status scenario_read_reactive(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    size_t count = json_array_size(value.value);
    if (!json_is_array(value.value) || count > GROUPS_MOST)
        return reader_refuse(reader, value, "`reactive` must be a list of at most %d groups", GROUPS_MOST);
    struct scenario_reactive *groups = arena_allocate(reader->arena, (count + 1) * sizeof *groups);
    for (size_t i = 0; i < count; i++) {
        enum status status = read_group(reader, reader_item(value.value, i), scenario, groups, i);
        if (status != STATUS_OK)
            return status;
        scenario->n_reactive_clients += (size_t)groups[i].clients;
        scenario->reactive_users = scenario->reactive_users || groups[i].user;
    }
    scenario->reactive = groups;
    scenario->n_reactive = count;
    scenario->reactive_text = keep_json(reader, value.value);
    return STATUS_OK;
}
