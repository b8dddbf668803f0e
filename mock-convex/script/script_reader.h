/* Reading scripts: from YAML to the trees of script_tree.h, with every name looked up. The first thing that
 * is wrong is reported with its place. */
#ifndef MOCK_CONVEX_SCRIPT_READER_H
#define MOCK_CONVEX_SCRIPT_READER_H

#include "base/yaml.h"
#include "mock-convex/script/script_tree.h"

/* What the backend declares, for looking names up. */
struct script_names {
    const struct convex_table *tables;
    size_t n_tables;
    bool schemaless;
    const struct convex_function *functions; /* path and kind are enough */
    size_t n_functions;
};

struct script_variable {
    const char *name;
    size_t slot;
};

/* One function while it is read. */
struct script_reader {
    const struct yaml_document *document;
    struct script_program *program;
    const struct script_names *names;
    enum convex_function_kind kind;
    struct script_variable variables[SCRIPT_SLOTS_MAX]; /* that can be seen, oldest first */
    size_t n_variables, n_slots;
    bool sees_doc, sees_error;
    int depth; /* of blocks and expressions */
    struct error *error;
};

/* A YAML value and where it stands: the key of a mapping or the item of a sequence. */
struct script_node {
    const json_t *json;
    const json_t *parent;
    const char *key; /* NULL: item `index` */
    size_t index;
};

struct script_node script_node_root(const json_t *json);
struct script_node script_node_member(struct script_node node, const char *key); /* json NULL: not there */
struct script_node script_node_item(struct script_node node, size_t index);
struct script_place script_node_place(const struct yaml_document *document, struct script_node node);
enum status script_node_error(const struct yaml_document *document, struct script_node node,
                              struct error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* A mapping with no keys but these (NULL-terminated). */
enum status script_node_check_keys(const struct yaml_document *document, struct script_node node,
                                   const char *const *allowed, struct error *error);

/* The reader's own errors are STATUS_INVALID and in reader->error. */
enum status script_refuse(struct script_reader *reader, struct script_node node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool script_find_variable(const struct script_reader *reader, const char *name, size_t *slot);
enum status script_declare(struct script_reader *reader, struct script_node node, const char *name,
                           size_t *slot);
/* Makes a node of the tree, a literal with `value` (taken) when it is not NULL. */
struct script_expression *script_make(struct script_reader *reader, enum script_expression_kind kind,
                                      struct convex_value *value);

/* An expression, without the '=' before it. */
enum status script_read_expression(struct script_reader *reader, struct script_node node, const char *text,
                                   const struct script_expression **expression);
/* Any YAML value, with expressions in it. */
enum status script_read_value(struct script_reader *reader, struct script_node node,
                              const struct script_expression **expression);
enum status script_read_block(struct script_reader *reader, struct script_node node,
                              struct script_block *block);

#define SCRIPT_DEPTH_MAX 64

#endif
