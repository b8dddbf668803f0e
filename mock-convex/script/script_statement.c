/* Statements of a script, from YAML; see script_reader.h and docs/backends.md. */
#include <assert.h>
#include <string.h>

#include "mock-convex/script/script_reader.h"

enum {
    IN_QUERY = 1 << CONVEX_QUERY,
    IN_MUTATION = 1 << CONVEX_MUTATION,
    IN_ACTION = 1 << CONVEX_ACTION | 1 << CONVEX_HTTP_ACTION,
    READS = IN_QUERY | IN_MUTATION,
    ANYWHERE = READS | IN_ACTION
};

/* What a statement looks like: its verb's key, and which other keys it may have. */
struct form {
    const char *key;
    enum script_verb verb;
    int where;
    const char *keys[12];
};

#define RANGE_KEYS "index", "eq", "gt", "gte", "lt", "lte", "order", "where", "as"

static const struct form forms[] = {
    {"let", SCRIPT_LET, ANYWHERE, {NULL}},
    {"set", SCRIPT_LET, ANYWHERE, {NULL}},
    {"append", SCRIPT_APPEND, ANYWHERE, {"value"}},
    {"get", SCRIPT_GET, READS, {"id", "as"}},
    {"first", SCRIPT_FIRST, READS, {RANGE_KEYS}},
    {"unique", SCRIPT_UNIQUE, READS, {RANGE_KEYS}},
    {"take", SCRIPT_TAKE, READS, {"count", RANGE_KEYS}},
    {"collect", SCRIPT_COLLECT, READS, {RANGE_KEYS}},
    {"insert", SCRIPT_INSERT, IN_MUTATION, {"value", "as"}},
    {"patch", SCRIPT_PATCH, IN_MUTATION, {"id", "value"}},
    {"replace", SCRIPT_REPLACE, IN_MUTATION, {"id", "value"}},
    {"delete", SCRIPT_DELETE, IN_MUTATION, {"id"}},
    {"if", SCRIPT_IF, ANYWHERE, {"then", "else"}},
    {"each", SCRIPT_EACH, ANYWHERE, {"in", "do"}},
    {"return", SCRIPT_RETURN, ANYWHERE, {NULL}},
    {"throw", SCRIPT_THROW, ANYWHERE, {NULL}},
    {"fail", SCRIPT_FAIL, ANYWHERE, {NULL}},
    {"call", SCRIPT_CALL, ANYWHERE, {"args", "as", "catch"}},
    {"schedule", SCRIPT_SCHEDULE, IN_MUTATION | IN_ACTION, {"args", "after", "as"}},
    {"cancel", SCRIPT_CANCEL, IN_MUTATION | IN_ACTION, {NULL}},
    {"sleep", SCRIPT_SLEEP, IN_ACTION, {NULL}},
    {"fetch", SCRIPT_FETCH, IN_ACTION, {"method", "headers", "body", "as", "catch"}},
    {"log", SCRIPT_LOG, ANYWHERE, {"level"}}};
enum { N_FORMS = sizeof forms / sizeof *forms };

/* A statement while it is read. */
struct reading {
    struct script_reader *reader;
    struct script_node node; /* the mapping */
    struct script_node main; /* the verb's value */
    const struct form *form;
    struct script_statement *out;
};

/* --- parts that several statements have --- */

static enum status need(const struct reading *reading, const char *key, struct script_node *child) {
    *child = script_node_member(reading->node, key);
    return child->json != NULL
               ? STATUS_OK
               : script_refuse(reading->reader, reading->node, "`%s` needs `%s`", reading->form->key, key);
}

/* A value where a text that is no expression makes no sense: most likely its '=' was forgotten. */
static enum status read_computed(const struct reading *reading, struct script_node node,
                                 const struct script_expression **out) {
    const char *text = json_string_value(node.json);
    if (text != NULL && text[0] != '=') {
        return script_refuse(reading->reader, node,
                             "a text makes no sense here; an expression begins with =");
    }
    return script_read_value(reading->reader, node, out);
}

static enum status read_needed(const struct reading *reading, const char *key, bool computed,
                               const struct script_expression **out) {
    struct script_node child;
    enum status status = need(reading, key, &child);
    if (status != STATUS_OK) {
        return status;
    }
    return computed ? read_computed(reading, child, out) : script_read_value(reading->reader, child, out);
}

/* `args` of a call: an empty object when it is not there. */
static enum status read_args(const struct reading *reading) {
    struct script_node child = script_node_member(reading->node, "args");
    if (child.json == NULL) {
        reading->out->value = script_make(reading->reader, SCRIPT_OBJECT, NULL);
        return STATUS_OK;
    }
    return read_computed(reading, child, &reading->out->value);
}

static enum status read_as(const struct reading *reading, bool needed) {
    struct script_node child = script_node_member(reading->node, "as");
    if (child.json == NULL) {
        return needed ? script_refuse(reading->reader, reading->node, "`%s` needs `as`", reading->form->key)
                      : STATUS_OK;
    }
    const char *name = json_string_value(child.json);
    return name != NULL ? script_declare(reading->reader, child, name, &reading->out->slot)
                        : script_refuse(reading->reader, child, "`as` takes the name of a variable");
}

static enum status read_inner_block(const struct reading *reading, const char *key,
                                    struct script_block *block) {
    struct script_node child = script_node_member(reading->node, key);
    return child.json != NULL ? script_read_block(reading->reader, child, block) : STATUS_OK;
}

static enum status read_catch(const struct reading *reading) {
    struct script_reader *reader = reading->reader;
    struct script_node child = script_node_member(reading->node, "catch");
    if (child.json == NULL) {
        return STATUS_OK;
    }
    if (!(IN_ACTION >> reader->kind & 1)) {
        return script_refuse(reader, child, "only actions can `catch`: here the transaction is spoilt");
    }
    bool saw = reader->sees_error;
    reader->sees_error = true;
    reading->out->catches = true;
    enum status status = script_read_block(reader, child, &reading->out->otherwise);
    reader->sees_error = saw;
    return status;
}

/* --- tables and indexes --- */

static enum status read_table(const struct reading *reading, const struct convex_table **table) {
    const struct script_names *names = reading->reader->names;
    const char *name = json_string_value(reading->main.json);
    *table = NULL;
    if (name == NULL) {
        return script_refuse(reading->reader, reading->main, "`%s` takes the name of a table",
                             reading->form->key);
    }
    reading->out->name = arena_copy_text(&reading->reader->program->arena, name);
    for (size_t i = 0; i < names->n_tables; i++) {
        if (strcmp(names->tables[i].name, name) == 0) {
            *table = &names->tables[i];
        }
    }
    if (*table == NULL && !names->schemaless && strcmp(name, "powersync_checkpoints") != 0) {
        return script_refuse(reading->reader, reading->main, "there is no table `%.64s`", name);
    }
    return STATUS_OK;
}

static enum status find_index(const struct reading *reading, const struct convex_table *table,
                              const struct convex_index **index) {
    static const struct convex_index usual = {
        .name = "by_creation_time", .fields = {"_creationTime"}, .n_fields = 1};
    static const struct convex_index by_id = {.name = "by_id", .fields = {"_id"}, .n_fields = 1};
    struct script_node child = script_node_member(reading->node, "index");
    const char *name = child.json != NULL ? json_string_value(child.json) : usual.name;
    *index = NULL;
    if (name != NULL && strcmp(name, usual.name) == 0) {
        *index = &usual;
    } else if (name != NULL && strcmp(name, by_id.name) == 0) {
        *index = &by_id;
    }
    for (size_t i = 0; name != NULL && table != NULL && i < table->n_indexes; i++) {
        if (strcmp(table->indexes[i].name, name) == 0) {
            *index = &table->indexes[i];
        }
    }
    return *index != NULL ? STATUS_OK
                          : script_refuse(reading->reader, child, "the table `%s` has no such index",
                                          reading->out->name);
}

/* `eq`: values for the first fields of the index, all that there are up to one. */
static enum status read_equal(const struct reading *reading, const struct convex_index *index,
                              struct script_range *range) {
    struct script_node eq = script_node_member(reading->node, "eq");
    enum status status = STATUS_OK;
    if (eq.json == NULL) {
        return STATUS_OK;
    }
    if (!json_is_object(eq.json)) {
        return script_refuse(reading->reader, eq, "`eq` takes {field: value}");
    }
    for (; status == STATUS_OK && range->n_keys < index->n_fields; range->n_keys++) {
        struct script_node child = script_node_member(eq, index->fields[range->n_keys]);
        if (child.json == NULL) {
            break;
        }
        status = script_read_value(reading->reader, child, &range->keys[range->n_keys]);
    }
    if (status == STATUS_OK && json_object_size(eq.json) != range->n_keys) {
        return script_refuse(reading->reader, eq, "`eq` may name only the first fields of the index `%s`",
                             index->name);
    }
    return status;
}

static enum status read_bound(const struct reading *reading, const struct convex_index *index,
                              const char *key, struct script_range *range) {
    struct script_node bound = script_node_member(reading->node, key);
    if (bound.json == NULL) {
        return STATUS_OK;
    }
    bool lower = key[0] == 'g', open = key[2] == 0;
    const struct script_expression **side = lower ? &range->lower : &range->upper;
    const char *field = index->fields[0][0] == '_' ? NULL : "_creationTime"; /* which ends every index */
    field = range->n_keys < index->n_fields ? index->fields[range->n_keys] : field;
    if (field == NULL || json_object_size(bound.json) != 1 || json_object_get(bound.json, field) == NULL) {
        return script_refuse(
            reading->reader, bound,
            "`%s` takes {field: value} for the field of the index `%s` that follows `eq`%s%s", key,
            index->name, field != NULL ? ": " : "", field != NULL ? field : "");
    }
    if (*side != NULL) {
        return script_refuse(reading->reader, bound, "there is a %s bound already",
                             lower ? "lower" : "upper");
    }
    range->above_lower = lower ? open : range->above_lower;
    range->below_upper = lower ? range->below_upper : open;
    return script_read_value(reading->reader, script_node_member(bound, field), side);
}

static enum status read_order(const struct reading *reading, struct script_range *range) {
    struct script_node order = script_node_member(reading->node, "order");
    const char *text = order.json != NULL ? json_string_value(order.json) : "asc";
    range->descending = text != NULL && strcmp(text, "desc") == 0;
    return text != NULL && (range->descending || strcmp(text, "asc") == 0)
               ? STATUS_OK
               : script_refuse(reading->reader, order, "`order` is asc or desc");
}

static enum status read_where(const struct reading *reading, struct script_range *range) {
    struct script_node where = script_node_member(reading->node, "where");
    if (where.json == NULL) {
        return STATUS_OK;
    }
    reading->reader->sees_doc = true;
    enum status status = read_computed(reading, where, &range->where);
    reading->reader->sees_doc = false;
    return status;
}

static enum status read_range(const struct reading *reading) {
    static const char *const bounds[] = {"gt", "gte", "lt", "lte"};
    const struct convex_table *table = NULL;
    const struct convex_index *index = NULL;
    struct script_range *range = arena_allocate(&reading->reader->program->arena, sizeof *range);
    enum status status = read_table(reading, &table);
    if (status == STATUS_OK) {
        status = find_index(reading, table, &index);
    }
    if (status == STATUS_OK) {
        range->index = index->name;
        status = read_equal(reading, index, range);
    }
    for (size_t i = 0; status == STATUS_OK && i < 4; i++) {
        status = read_bound(reading, index, bounds[i], range);
    }
    if (status == STATUS_OK) {
        status = read_order(reading, range);
    }
    if (status == STATUS_OK) {
        status = read_where(reading, range);
    }
    if (status == STATUS_OK && reading->form->verb == SCRIPT_TAKE) {
        status = read_needed(reading, "count", true, &reading->out->extra);
    }
    reading->out->range = range;
    return status == STATUS_OK ? read_as(reading, true) : status;
}

/* --- one verb each --- */

static enum status read_assignments(const struct reading *reading) {
    struct script_reader *reader = reading->reader;
    const char *key;
    json_t *value;
    if (!json_is_object(reading->main.json) || json_object_size(reading->main.json) == 0) {
        return script_refuse(reader, reading->main, "`%s` takes {variable: value}", reading->form->key);
    }
    struct script_assignment *assignments =
        arena_allocate(&reader->program->arena, json_object_size(reading->main.json) * sizeof *assignments);
    reading->out->assignments = assignments;
    json_object_foreach((json_t *)(uintptr_t)reading->main.json, key, value) {
        struct script_assignment *assignment = &assignments[reading->out->n_assignments++];
        struct script_node child = script_node_member(reading->main, key);
        enum status status = script_read_value(reader, child, &assignment->value);
        child.json = NULL; /* from here on it is the name that may be wrong */
        if (status == STATUS_OK && reading->form->key[0] == 'l') {
            status = script_declare(reader, child, key, &assignment->slot);
        } else if (status == STATUS_OK && (!script_find_variable(reader, key, &assignment->slot) ||
                                           assignment->slot < SCRIPT_SLOTS_FIXED)) {
            status = script_refuse(reader, child, "there is no variable `%.64s` to set", key);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static enum status read_append(const struct reading *reading) {
    const char *name = json_string_value(reading->main.json);
    if (name == NULL || !script_find_variable(reading->reader, name, &reading->out->slot) ||
        reading->out->slot < SCRIPT_SLOTS_FIXED) {
        return script_refuse(reading->reader, reading->main, "`append` takes the name of a variable");
    }
    return read_needed(reading, "value", false, &reading->out->value);
}

static enum status read_document(const struct reading *reading) {
    const struct convex_table *table;
    enum script_verb verb = reading->form->verb;
    enum status status = read_table(reading, &table);
    if (status == STATUS_OK && verb != SCRIPT_INSERT) {
        status = read_needed(reading, "id", true, &reading->out->id);
    }
    if (status == STATUS_OK && verb != SCRIPT_GET && verb != SCRIPT_DELETE) {
        status = read_needed(reading, "value", true, &reading->out->value);
    }
    return status == STATUS_OK ? read_as(reading, verb == SCRIPT_GET) : status;
}

static enum status read_if(const struct reading *reading) {
    struct script_node then;
    enum status status = read_computed(reading, reading->main, &reading->out->value);
    if (status == STATUS_OK) {
        status = need(reading, "then", &then);
    }
    if (status == STATUS_OK) {
        status = read_inner_block(reading, "then", &reading->out->body);
    }
    return status == STATUS_OK ? read_inner_block(reading, "else", &reading->out->otherwise) : status;
}

static enum status read_each(const struct reading *reading) {
    struct script_reader *reader = reading->reader;
    const char *name = json_string_value(reading->main.json);
    struct script_node body;
    size_t outer = reader->n_variables;
    if (name == NULL) {
        return script_refuse(reader, reading->main, "`each` takes the name of a variable");
    }
    enum status status = read_needed(reading, "in", true, &reading->out->value);
    if (status == STATUS_OK) {
        status = script_declare(reader, reading->main, name, &reading->out->slot);
    }
    if (status == STATUS_OK) {
        status = need(reading, "do", &body);
    }
    if (status == STATUS_OK) {
        status = read_inner_block(reading, "do", &reading->out->body);
    }
    reader->n_variables = outer;
    return status;
}

static bool may_call(enum convex_function_kind caller, enum script_verb verb,
                     enum convex_function_kind callee) {
    if (verb == SCRIPT_SCHEDULE) {
        return callee == CONVEX_MUTATION || callee == CONVEX_ACTION;
    }
    return callee == CONVEX_QUERY || (callee == CONVEX_MUTATION && caller != CONVEX_QUERY) ||
           (callee == CONVEX_ACTION && (IN_ACTION >> caller & 1));
}

static enum status read_call(const struct reading *reading) {
    static const char *const kinds[] = {"a query", "a mutation", "an action", "an HTTP action"};
    const struct script_names *names = reading->reader->names;
    const char *path = json_string_value(reading->main.json);
    const struct convex_function *callee = NULL;
    for (size_t i = 0; path != NULL && i < names->n_functions; i++) {
        callee = strcmp(names->functions[i].path, path) == 0 ? &names->functions[i] : callee;
    }
    if (callee == NULL) {
        return script_refuse(reading->reader, reading->main, "there is no function `%.200s`",
                             path != NULL ? path : "");
    }
    if (!may_call(reading->reader->kind, reading->form->verb, callee->kind)) {
        return script_refuse(reading->reader, reading->main, "`%s` is %s: %s cannot %s it", path,
                             kinds[callee->kind], kinds[reading->reader->kind], reading->form->key);
    }
    reading->out->name = callee->path;
    reading->out->callee = callee->kind;
    enum status status = read_args(reading);
    struct script_node after = script_node_member(reading->node, "after");
    if (status == STATUS_OK && after.json != NULL) {
        status = read_computed(reading, after, &reading->out->extra);
    }
    if (status == STATUS_OK) { /* before `as`, which a failed call does not set */
        status = read_catch(reading);
    }
    return status == STATUS_OK ? read_as(reading, false) : status;
}

/* The request of a fetch as one object, of the parts that are there. */
static enum status read_fetch(const struct reading *reading) {
    static const char *const names[] = {"method", "headers", "body"};
    struct script_reader *reader = reading->reader;
    struct script_expression *request = script_make(reader, SCRIPT_OBJECT, NULL);
    struct script_part *parts = arena_allocate(&reader->program->arena, 3 * sizeof *parts);
    enum status status = script_read_value(reader, reading->main, &reading->out->value);
    for (size_t i = 0; status == STATUS_OK && i < 3; i++) {
        struct script_node child = script_node_member(reading->node, names[i]);
        if (child.json != NULL) {
            parts[request->n_parts].name = names[i];
            status = script_read_value(reader, child, &parts[request->n_parts++].value);
        }
    }
    request->parts = parts;
    reading->out->extra = request;
    if (status == STATUS_OK) {
        status = read_catch(reading);
    }
    return status == STATUS_OK ? read_as(reading, false) : status;
}

static enum status read_log(const struct reading *reading) {
    static const char *const levels[][2] = {
        {"log", "LOG"}, {"info", "INFO"}, {"warn", "WARN"}, {"error", "ERROR"}, {"debug", "DEBUG"}};
    struct script_node level = script_node_member(reading->node, "level");
    const char *text = level.json != NULL ? json_string_value(level.json) : "log";
    for (size_t i = 0; text != NULL && i < sizeof levels / sizeof *levels; i++) {
        reading->out->name = strcmp(levels[i][0], text) == 0 ? levels[i][1] : reading->out->name;
    }
    if (reading->out->name == NULL) {
        return script_refuse(reading->reader, level, "`level` is log, info, warn, error or debug");
    }
    return script_read_value(reading->reader, reading->main, &reading->out->value);
}

static enum status read_verb(const struct reading *reading) {
    switch (reading->form->verb) {
    case SCRIPT_LET:
        return read_assignments(reading);
    case SCRIPT_APPEND:
        return read_append(reading);
    case SCRIPT_FIRST:
    case SCRIPT_UNIQUE:
    case SCRIPT_TAKE:
    case SCRIPT_COLLECT:
        return read_range(reading);
    case SCRIPT_GET:
    case SCRIPT_INSERT:
    case SCRIPT_PATCH:
    case SCRIPT_REPLACE:
    case SCRIPT_DELETE:
        return read_document(reading);
    case SCRIPT_IF:
        return read_if(reading);
    case SCRIPT_EACH:
        return read_each(reading);
    case SCRIPT_CALL:
    case SCRIPT_SCHEDULE:
        return read_call(reading);
    case SCRIPT_CANCEL:
        return read_computed(reading, reading->main, &reading->out->id);
    case SCRIPT_SLEEP:
        return read_computed(reading, reading->main, &reading->out->extra);
    case SCRIPT_FETCH:
        return read_fetch(reading);
    case SCRIPT_LOG:
        return read_log(reading);
    default: /* return, throw, fail */
        return script_read_value(reading->reader, reading->main, &reading->out->value);
    }
}

/* --- statements and blocks --- */

static const struct form *find_form(struct script_node node) {
    for (size_t i = 0; i < N_FORMS; i++) {
        if (json_object_get(node.json, forms[i].key) != NULL) {
            return &forms[i];
        }
    }
    return NULL;
}

static enum status read_statement(struct script_reader *reader, struct script_node node,
                                  struct script_statement *out) {
    static const char *const kinds[] = {"a query", "a mutation", "an action", "an HTTP action"};
    const struct form *form = json_is_object(node.json) ? find_form(node) : NULL;
    if (form == NULL) {
        return script_refuse(reader, node, "a statement is expected here, such as {let: ..} or {insert: ..}");
    }
    const char *allowed[14] = {form->key};
    for (size_t i = 0; form->keys[i] != NULL; i++) {
        allowed[i + 1] = form->keys[i];
    }
    enum status status = script_node_check_keys(reader->document, node, allowed, reader->error);
    struct reading reading = {reader, node, script_node_member(node, form->key), form, out};
    if (status == STATUS_OK && !(form->where >> reader->kind & 1)) {
        status = script_refuse(reader, node, "%s cannot `%s`", kinds[reader->kind], form->key);
    }
    if (status != STATUS_OK) {
        return status;
    }
    out->verb = form->verb;
    out->place = script_node_place(reader->document, node);
    out->slot = SCRIPT_NO_SLOT;
    return read_verb(&reading);
}

enum status script_read_block(struct script_reader *reader, struct script_node node,
                              struct script_block *block) {
    size_t count = json_array_size(node.json), outer = reader->n_variables;
    enum status status = STATUS_OK;
    if (count == 0) {
        return script_refuse(reader, node, "a list of statements is expected here");
    }
    if (reader->depth >= SCRIPT_DEPTH_MAX) {
        return script_refuse(reader, node, "nested more than %d deep", SCRIPT_DEPTH_MAX);
    }
    struct script_statement *statements = arena_allocate(&reader->program->arena, count * sizeof *statements);
    reader->depth++;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = read_statement(reader, script_node_item(node, i), &statements[i]);
    }
    reader->depth--;
    reader->n_variables = outer;
    block->statements = statements;
    block->count = count;
    return status;
}
