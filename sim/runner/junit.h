/* JUnit XML as CI systems read it: one testsuite a scenario, one testcase a seed. A scenario with more than
 * 1000 seeds lists its failures and one testcase for all the others. Written at the end, because the suites
 * carry sums. */
#ifndef SYNCLINE_RUNNER_JUNIT_H
#define SYNCLINE_RUNNER_JUNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

#define JUNIT_CASES_MAX 1000

struct junit;

struct junit_failure {
    const char *type;    /* the violated property */
    const char *message; /* one line */
    const char *text;    /* everything */
};

struct junit *junit_create(void);
void junit_destroy(struct junit *junit);

/* Suites are numbered from 0 in the order in which they were added. */
size_t junit_add_suite(struct junit *junit, const char *name, const char *file);
/* `failure` NULL: it passed. `wall_time` in ns. */
void junit_add_seed(struct junit *junit, size_t suite, uint64_t seed, int64_t wall_time,
                    const struct junit_failure *failure);
/* A testcase that is not a seed ("expected violation"). */
void junit_add_case(struct junit *junit, size_t suite, const char *name, const struct junit_failure *failure);

void junit_write(const struct junit *junit, struct buffer *out);
enum status junit_save(const struct junit *junit, const char *path, struct error *error);

/* Text for XML 1.0: markup escaped; bytes that are not UTF-8 or that XML forbids become U+FFFD. In attributes
 * line ends and tabs are written as references, because parsers turn them into spaces otherwise. */
void junit_escape(struct buffer *out, const char *text, bool attribute);

#endif
