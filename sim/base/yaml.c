#include "base/yaml.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/yaml_scalar.h"

enum { depth_limit = 64, value_limit = 1000000, input_limit = FILE_INPUT_LIMIT };

struct place {
    int line;
    int column;
};

/* A value and its size with every alias counted as what it stands for. */
struct node {
    json_t *value; /* owned */
    size_t values; /* itself and all below */
    int height;    /* 1 for a scalar */
};

struct reader {
    yaml_parser_t parser;
    const char *text;
    size_t length;
    struct yaml_document *document;
    const char *(*resolve_env)(const char *name);
    struct map anchors; /* name -> struct node, complete ones only: so an alias cannot contain itself */
    size_t values;
    struct error *error;
};

/* --- places --- */

/* The key in `places` of a value (child NULL) or of a key or item below it. */
static void place_key(struct buffer *key, const json_t *value, const char *child) {
    uintptr_t address = (uintptr_t)value;
    buffer_append(key, &address, sizeof address);
    if (child) {
        buffer_append_char(key, '.');
        buffer_append_text(key, child);
    }
}

static void remember(struct yaml_document *document, const json_t *value, const char *child,
                     const yaml_mark_t *mark) {
    struct buffer key = {0};
    place_key(&key, value, child);
    struct place *place = memory_allocate(sizeof *place);
    *place = (struct place){.line = (int)mark->line + 1, .column = (int)mark->column + 1};
    free(map_set_bytes(&document->places, key.data, key.length, place));
    buffer_free(&key);
}

static bool find_place(const struct yaml_document *document, const json_t *value, const char *child,
                       int *line, int *column) {
    struct buffer key = {0};
    place_key(&key, value, child);
    const struct place *place = map_get_bytes(&document->places, key.data, key.length);
    buffer_free(&key);
    *line = place ? place->line : 0;
    *column = place ? place->column : 0;
    return place != NULL;
}

void yaml_place(const struct yaml_document *document, const json_t *value, int *line, int *column) {
    find_place(document, value, NULL, line, column);
}

void yaml_key_place(const struct yaml_document *document, const json_t *object, const char *key, int *line,
                    int *column) {
    if (!find_place(document, object, key, line, column))
        find_place(document, object, NULL, line, column);
}

void yaml_item_place(const struct yaml_document *document, const json_t *array, size_t index, int *line,
                     int *column) {
    char child[24];
    (void)snprintf(child, sizeof child, "%zu", index);
    yaml_key_place(document, array, child, line, column);
}

static enum status fail_at(const struct yaml_document *document, int line, int column, struct error *error,
                           const char *format, va_list arguments) {
    if (error) {
        char message[sizeof error->message];
        (void)vsnprintf(message, sizeof message, format, arguments);
        error_set_at(error, STATUS_INVALID, document->file, line, column, "%s", message);
    }
    return STATUS_INVALID;
}

#define FAIL_AT(document, line, column, error, format)                                                       \
    va_list arguments;                                                                                       \
    va_start(arguments, format);                                                                             \
    enum status status = fail_at(document, line, column, error, format, arguments);                          \
    va_end(arguments);                                                                                       \
    return status

enum status yaml_error(const struct yaml_document *document, const json_t *value, struct error *error,
                       const char *format, ...) {
    int line = 0, column = 0;
    yaml_place(document, value, &line, &column);
    FAIL_AT(document, line, column, error, format);
}

enum status yaml_error_key(const struct yaml_document *document, const json_t *object, const char *key,
                           struct error *error, const char *format, ...) {
    int line = 0, column = 0;
    yaml_key_place(document, object, key, &line, &column);
    FAIL_AT(document, line, column, error, format);
}

enum status yaml_error_item(const struct yaml_document *document, const json_t *array, size_t index,
                            struct error *error, const char *format, ...) {
    int line = 0, column = 0;
    yaml_item_place(document, array, index, &line, &column);
    FAIL_AT(document, line, column, error, format);
}

/* --- reading --- */

static bool refuse(struct reader *reader, const yaml_mark_t *mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Always false. */
static bool refuse(struct reader *reader, const yaml_mark_t *mark, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_at(reader->document, (int)mark->line + 1, (int)mark->column + 1, reader->error, format, arguments);
    va_end(arguments);
    return false;
}

static yaml_mark_t mark_of(const struct reader *reader, size_t offset) {
    yaml_mark_t mark = {.index = offset};
    for (size_t i = 0; i < offset && i < reader->length; i++) {
        mark.column++;
        if (reader->text[i] == '\n') {
            mark.line++;
            mark.column = 0;
        }
    }
    return mark;
}

static bool next_event(struct reader *reader, yaml_event_t *event) {
    if (yaml_parser_parse(&reader->parser, event))
        return true;
    const char *problem = reader->parser.problem ? reader->parser.problem : "unreadable";
    yaml_mark_t mark = reader->parser.problem_mark;
    if (reader->parser.error == YAML_READER_ERROR) /* about bytes: it knows only an offset */
        mark = mark_of(reader, reader->parser.problem_offset);
    return refuse(reader, &mark, "invalid YAML: %s%s%s", problem, reader->parser.context ? ", " : "",
                  reader->parser.context ? reader->parser.context : "");
}

static bool read_node(struct reader *reader, const yaml_event_t *event, int depth, struct node *node);

static bool read_scalar(struct reader *reader, const yaml_event_t *event, struct node *node) {
    const char *tag = (const char *)event->data.scalar.tag;
    const char *text = (const char *)event->data.scalar.value;
    size_t length = event->data.scalar.length;
    struct error error = {.message = "not valid UTF-8"};
    if (tag && strcmp(tag, "!env") == 0)
        node->value = yaml_scalar_env(text, reader->resolve_env, &error);
    else if (tag)
        node->value = yaml_scalar_tagged(tag, text, length, &error);
    else if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
        node->value = yaml_scalar_resolve(text, length, &error);
    else
        node->value = json_stringn(text, length);
    return node->value || refuse(reader, &event->start_mark, "%s", error.message);
}

static bool read_alias(struct reader *reader, const yaml_event_t *event, int depth, struct node *node) {
    const char *name = (const char *)event->data.alias.anchor;
    const struct node *anchor = map_get(&reader->anchors, name);
    if (!anchor)
        return refuse(reader, &event->start_mark,
                      "the alias *%s stands for nothing that is complete before it", name);
    if (depth + anchor->height - 1 > depth_limit)
        return refuse(reader, &event->start_mark, "nested more than %d deep", depth_limit);
    *node = *anchor;
    json_incref(node->value);
    return true;
}

/* Read the next value inside a collection and add its size to the collection's. 0: refused, 1: read, 2: the
 * collection ended. */
static int read_child(struct reader *reader, yaml_event_t *event, int depth, struct node *parent,
                      struct node *child) {
    if (event->type == YAML_SEQUENCE_END_EVENT || event->type == YAML_MAPPING_END_EVENT)
        return 2;
    *child = (struct node){0};
    if (!read_node(reader, event, depth + 1, child))
        return 0;
    parent->values += child->values;
    parent->height = child->height + 1 > parent->height ? child->height + 1 : parent->height;
    return 1;
}

static bool read_sequence(struct reader *reader, int depth, struct node *node) {
    node->value = json_array();
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return false;
        struct node child;
        int result = read_child(reader, &event, depth, node, &child);
        if (result == 1) {
            char index[24];
            (void)snprintf(index, sizeof index, "%zu", json_array_size(node->value));
            remember(reader->document, node->value, index, &event.start_mark);
            json_array_append_new(node->value, child.value);
        }
        yaml_event_delete(&event);
        if (result != 1)
            return result == 2;
    }
}

/* The key is checked here and its place remembered; `event` is a key's event. */
static bool check_key(struct reader *reader, const yaml_event_t *event, const json_t *object) {
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(reader, &event->start_mark, "a key must be a plain text");
    const char *key = (const char *)event->data.scalar.value;
    if (strlen(key) != event->data.scalar.length)
        return refuse(reader, &event->start_mark, "a key must not contain a 0 byte");
    if (json_object_get(object, key)) {
        int line = 0, column = 0;
        yaml_key_place(reader->document, object, key, &line, &column);
        return refuse(reader, &event->start_mark, "the key `%s` is already there, in line %d column %d", key,
                      line, column);
    }
    remember(reader->document, object, key, &event->start_mark);
    return true;
}

static bool read_member(struct reader *reader, const yaml_event_t *key, int depth, struct node *node) {
    if (!check_key(reader, key, node->value))
        return false;
    yaml_event_t event;
    if (!next_event(reader, &event))
        return false;
    struct node child;
    int result = read_child(reader, &event, depth, node, &child);
    assert(result != 2); /* libyaml completes every pair */
    if (result == 1)
        json_object_set_new_nocheck(node->value, (const char *)key->data.scalar.value, child.value);
    yaml_event_delete(&event);
    return result == 1;
}

static bool read_mapping(struct reader *reader, int depth, struct node *node) {
    node->value = json_object();
    for (;;) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return false;
        bool end = event.type == YAML_MAPPING_END_EVENT;
        bool read = !end && read_member(reader, &event, depth, node);
        yaml_event_delete(&event);
        if (!read)
            return end;
    }
}

static void drop_node(void *value) {
    struct node *node = value;
    if (node)
        json_decref(node->value);
    free(node);
}

static void remember_anchor(struct reader *reader, const char *name, const struct node *node) {
    struct node *copy = memory_allocate(sizeof *copy);
    *copy = *node;
    json_incref(copy->value);
    drop_node(
        map_set(&reader->anchors, name, copy)); /* a later anchor of the same name replaces the earlier */
}

static bool is_singleton(const json_t *value) {
    return json_is_null(value) || json_is_boolean(value);
}

/* A collection takes no tag but its own. */
static bool check_collection(struct reader *reader, const yaml_event_t *event, const char *tag, int depth) {
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_MAP_TAG) != 0 && strcmp(tag, YAML_SEQ_TAG) != 0)
        return refuse(reader, &event->start_mark, "the tag %s is not supported here", tag);
    return depth <= depth_limit ||
           refuse(reader, &event->start_mark, "nested more than %d deep", depth_limit);
}

/* Read the value that starts with `event`. On failure node->value is NULL. */
static bool read_node(struct reader *reader, const yaml_event_t *event, int depth, struct node *node) {
    *node = (struct node){.value = NULL, .values = 1, .height = 1};
    const char *anchor = NULL;
    bool read = false;
    if (event->type == YAML_SCALAR_EVENT) {
        anchor = (const char *)event->data.scalar.anchor;
        read = depth <= depth_limit
                   ? read_scalar(reader, event, node)
                   : refuse(reader, &event->start_mark, "nested more than %d deep", depth_limit);
    } else if (event->type == YAML_SEQUENCE_START_EVENT) {
        anchor = (const char *)event->data.sequence_start.anchor;
        read = check_collection(reader, event, (const char *)event->data.sequence_start.tag, depth) &&
               read_sequence(reader, depth, node);
    } else if (event->type == YAML_MAPPING_START_EVENT) {
        anchor = (const char *)event->data.mapping_start.anchor;
        read = check_collection(reader, event, (const char *)event->data.mapping_start.tag, depth) &&
               read_mapping(reader, depth, node);
    } else {
        assert(event->type == YAML_ALIAS_EVENT);
        read = read_alias(reader, event, depth, node);
        reader->values += read ? node->values - 1 : 0;
    }
    reader->values++;
    if (read && reader->values > value_limit)
        read = refuse(reader, &event->start_mark, "more than %d values", value_limit);
    if (!read) {
        json_decref(node->value);
        node->value = NULL;
        return false;
    }
    if (event->type != YAML_ALIAS_EVENT && !is_singleton(node->value))
        remember(reader->document, node->value, NULL, &event->start_mark);
    if (anchor)
        remember_anchor(reader, anchor, node);
    return true;
}

/* Read the event after `last` of the stream: a second document is refused. An empty stream is the value null.
 */
static bool read_document(struct reader *reader) {
    bool done = false, ok = true;
    while (ok && !done) {
        yaml_event_t event;
        if (!next_event(reader, &event))
            return false;
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (reader->document->root)
                ok = refuse(reader, &event.start_mark, "only one document is allowed in a file");
            break;
        case YAML_STREAM_END_EVENT:
            done = true;
            break;
        default: {
            struct node node;
            ok = read_node(reader, &event, 1, &node);
            reader->document->root = node.value;
        }
        }
        yaml_event_delete(&event);
    }
    if (ok && !reader->document->root)
        reader->document->root = json_null();
    return ok;
}

enum status yaml_parse(struct yaml_document *document, const char *text, size_t length, const char *file,
                       const char *(*resolve_env)(const char *name), struct error *error) {
    assert(text || length == 0);
    memset(document, 0, sizeof *document);
    if (length > input_limit)
        return error_set_at(error, STATUS_LIMIT, file, 0, 0, "YAML input is larger than %d MiB",
                            input_limit / 1024 / 1024);
    document->file = memory_copy_text(file ? file : "");
    struct reader reader = {
        .text = text, .length = length, .document = document, .resolve_env = resolve_env, .error = error};
    if (!yaml_parser_initialize(&reader.parser))
        memory_allocate(SIZE_MAX / 2); /* out of memory: abort as everywhere */
    yaml_parser_set_input_string(&reader.parser, (const unsigned char *)(length ? text : ""), length);
    bool ok = read_document(&reader);
    yaml_parser_delete(&reader.parser);
    map_free(&reader.anchors, drop_node);
    if (!ok)
        yaml_release(document);
    return ok ? STATUS_OK : STATUS_INVALID;
}

enum status yaml_parse_file(struct yaml_document *document, const char *path, struct error *error) {
    memset(document, 0, sizeof *document);
    struct buffer text = {0};
    enum status status = file_read(&text, path, error);
    if (status == STATUS_OK)
        status = yaml_parse(document, buffer_text(&text), text.length, path, NULL, error);
    buffer_free(&text);
    return status;
}

void yaml_release(struct yaml_document *document) {
    json_decref(document->root);
    free(document->file);
    map_free(&document->places, free);
    memset(document, 0, sizeof *document);
}

enum status yaml_check_keys(const struct yaml_document *document, const json_t *object,
                            const char *const *allowed, struct error *error) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        const char *const *name = allowed;
        while (*name && strcmp(*name, key) != 0)
            name++;
        if (!*name)
            return yaml_error_key(document, object, key, error, "%s: unknown key", key);
    }
    return STATUS_OK;
}
