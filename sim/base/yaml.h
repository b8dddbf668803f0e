/* YAML read once into jansson values, with the place of every value kept for error messages.
 *
 * Supported: one document, mappings with string keys, sequences, scalars of the YAML 1.2 core schema (null,
 * booleans true/false, integers, floats, strings), block and flow style, anchors and aliases. Duplicate keys
 * are an error. Tags: the core schema's, and `!env NAME`, `!env NAME::number`, `!env NAME::boolean` through
 * `resolve_env` (NULL: refused). Limits: depth 64, input 16 MiB, 1 million values counting each alias as what
 * it stands for. */
#ifndef SYNCLINE_BASE_YAML_H
#define SYNCLINE_BASE_YAML_H

#include <jansson.h>

#include "base/error.h"
#include "base/map.h"

struct yaml_document {
    json_t *root;      /* owned */
    char *file;        /* name for messages */
    struct map places; /* address of a json_t -> place; keys and items too, as "<address>.<key or index>" */
};

/* Parse `text`; `file` is only a name for messages. On failure nothing is left to free. */
enum status yaml_parse(struct yaml_document *document, const char *text, size_t length, const char *file,
                       const char *(*resolve_env)(const char *name), struct error *error);
enum status yaml_parse_file(struct yaml_document *document, const char *path, struct error *error);
/* Not named yaml_free: libyaml has a function of that name, and would call this one instead of its own. */
void yaml_release(struct yaml_document *document);

/* The place of a value (line and column from 1; 0 when the value is not of this document). */
void yaml_place(const struct yaml_document *document, const json_t *value, int *line, int *column);
/* The place of a key of a mapping. */
void yaml_key_place(const struct yaml_document *document, const json_t *object, const char *key, int *line,
                    int *column);
/* The place of an item of a sequence, from 0. */
void yaml_item_place(const struct yaml_document *document, const json_t *array, size_t index, int *line,
                     int *column);
/* error_set_at with the place of `value`. Not for true, false and null: jansson keeps one of each for all
 * documents, so they have no place of their own; use the two below. */
enum status yaml_error(const struct yaml_document *document, const json_t *value, struct error *error,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The same with the place of `object`'s key, or of the object when the key is not there. */
enum status yaml_error_key(const struct yaml_document *document, const json_t *object, const char *key,
                           struct error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Refuses a mapping that has a key which is not in `allowed` (ends with NULL), at the key. */
enum status yaml_check_keys(const struct yaml_document *document, const json_t *object,
                            const char *const *allowed, struct error *error);
/* yaml_error with the place of an item of a sequence. */
enum status yaml_error_item(const struct yaml_document *document, const json_t *array, size_t index,
                            struct error *error, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
