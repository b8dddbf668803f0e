/* Shared by the files that run statements: script_run.c (control, calls), script_database.c (reads, writes)
 * and script_outside.c (other functions, jobs, time, servers). */
#ifndef MOCK_CONVEX_SCRIPT_INTERNAL_H
#define MOCK_CONVEX_SCRIPT_INTERNAL_H

#include "mock-convex/script/script_evaluate.h"

struct script_run {
    struct script_frame frame;
    struct convex_value *result; /* of `return` */
    bool returned;
    bool placed; /* the error's message says where it came from */
};

/* The value for the outside: undefined fields are gone, undefined itself is null. The caller's. */
enum status script_evaluate_value(struct script_run *run, const struct script_expression *expression,
                                  struct convex_value **out, struct error *error);
/* The same, and it must be an object; undefined fields of the object itself stay in. */
enum status script_evaluate_object(struct script_run *run, const struct script_expression *expression,
                                   const char *what, struct convex_value **out, struct error *error);
/* And one that must be a text. */
enum status script_evaluate_text(struct script_run *run, const struct script_expression *expression,
                                 const char *what, struct convex_value **out, struct error *error);
/* Milliseconds as ns, 0 to 5 years; 0 when there is no expression. */
enum status script_evaluate_delay(struct script_run *run, const struct script_expression *expression,
                                  int64_t *delay, struct error *error);
/* Of the object itself, not of what is below. */
void script_drop_undefined(struct convex_value *object);
/* Make it a value that can leave the script: undefined fields are gone. STATUS_INVALID: it is undefined or an
 * array in it holds undefined. */
enum status script_clean(struct convex_value *value, struct error *error);
/* Give a variable a value (taken). SCRIPT_NO_SLOT: nobody wants it. */
void script_assign(struct script_run *run, size_t slot, struct convex_value *value);
/* Count one step. STATUS_LIMIT: there were too many. */
enum status script_step(struct script_run *run, struct error *error);

enum status script_run_query(struct script_run *run, const struct script_statement *statement,
                             struct error *error); /* get, first, unique, take, collect */
enum status script_run_write(struct script_run *run, const struct script_statement *statement,
                             struct error *error); /* insert, patch, replace, delete */
/* call, schedule, cancel, sleep, fetch, log. `*failed`: it was the other side that failed, not what it was
 * asked with; that can be caught. */
enum status script_run_outside(struct script_run *run, const struct script_statement *statement, bool *failed,
                               struct error *error);

#endif
