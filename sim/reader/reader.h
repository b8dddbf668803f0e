/* Strict reading of a YAML mapping into a struct, by a table of its keys. An unknown key, a wrong type and a
 * value out of range are refused at their place in the file, with what was expected. Texts are copied into
 * the arena. */
#ifndef SYNCLINE_READER_READER_H
#define SYNCLINE_READER_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/memory.h"
#include "base/yaml.h"

struct reader {
    const struct yaml_document *document;
    struct arena *arena;
    struct error *error;
};

/* A value and where it hangs. true, false and null have no place of their own (jansson shares them), so
 * messages about them point at the key. */
struct reader_value {
    const json_t *holder; /* the mapping or list that the value is in; NULL for the root */
    const char *key;      /* NULL in a list */
    const json_t *value;
};

/* Both ends included; equal ends: one value. */
struct reader_range {
    int64_t low;
    int64_t high;
};

enum field_kind {
    FIELD_TEXT,           /* const char * */
    FIELD_COUNT,          /* int64_t, low..high */
    FIELD_COUNT_RANGE,    /* struct reader_range: 5 or [1, 20] */
    FIELD_DURATION,       /* int64_t ns, low..high */
    FIELD_DURATION_RANGE, /* struct reader_range: 5ms or [5ms, 60ms] */
    FIELD_BOOLEAN,        /* bool */
    FIELD_SECTION,        /* a mapping with fields of its own, of the same struct */
    FIELD_SPECIAL         /* read by a function */
};

struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    int64_t low, high;
    const struct field *section; /* FIELD_SECTION: ends with key NULL */
    enum status (*read)(struct reader *reader, struct reader_value value, void *target);
};

/* Read every key of the mapping into `target`, in the order of the table; keys that are not there leave it as
 * it is. `name` is how messages call the mapping ("" for the whole file). */
enum status reader_mapping(struct reader *reader, struct reader_value mapping, const char *name,
                           const struct field *fields, void *target);

/* Read one value as `field` says. */
enum status reader_field(struct reader *reader, const struct field *field, struct reader_value value,
                         void *target);

/* A list of texts. `check` may be NULL; it refuses an entry itself. */
enum status reader_texts(struct reader *reader, struct reader_value value,
                         enum status (*check)(struct reader *reader, struct reader_value item, void *context),
                         void *context, const char *const **texts, size_t *count);
enum status reader_text(struct reader *reader, struct reader_value value, const char **text);
enum status reader_count(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                         int64_t *count);
enum status reader_duration(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                            int64_t *ns);
enum status reader_duration_range(struct reader *reader, struct reader_value value, int64_t low, int64_t high,
                                  struct reader_range *range);

/* STATUS_INVALID at the place of the value, or of its key. */
enum status reader_refuse(struct reader *reader, struct reader_value value, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same at the place of the key `key` of `mapping`. */
enum status reader_refuse_key(struct reader *reader, struct reader_value mapping, const char *key,
                              const char *format, ...) __attribute__((format(printf, 4, 5)));
/* "unknown <what> `name`; did you mean `x`? Expected one of: a, b, c". `names` yields NULL at the end. */
enum status reader_refuse_name(struct reader *reader, struct reader_value value, const char *what,
                               const char *name, const char *(*names)(size_t index, const void *context),
                               const void *context);
const char *reader_type(const json_t *value); /* "a text", "a list", ... for messages */

struct reader_value reader_item(const json_t *holder, size_t index);
struct reader_value reader_member(const json_t *holder, const char *key); /* value NULL: not there */

#endif
