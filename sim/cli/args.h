/* Command lines, strictly: every option is known, is given once and has a value where it needs one. */
#ifndef SYNCLINE_CLI_ARGS_H
#define SYNCLINE_CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct args_option {
    const char *name;   /* "--seeds" or "-j" */
    bool *flag;         /* set when given; or */
    const char **value; /* the text after it (borrowed from argv) */
};

struct args {
    const char **rest; /* what is no option, in order; pointers into argv */
    size_t n_rest;
};

/* Reads argv[1..]. Accepts "--name value", "--name=value", "-j 4" and "-j4"; "--" ends the options.
 * STATUS_INVALID. */
enum status args_parse(int argc, char **argv, const struct args_option *options, size_t n_options,
                       struct args *args, struct error *error);
void args_free(struct args *args);

#endif
