/* The commands of `syncline`, one file each. `argv[0]` is the command's name. Each returns the exit status.
 */
#ifndef SYNCLINE_CLI_COMMAND_H
#define SYNCLINE_CLI_COMMAND_H

#include "base/error.h"

#define PROGRAM "syncline"

struct command {
    const char *name;
    const char *summary; /* one line; NULL: not listed */
    const char *usage;   /* what `help NAME` prints */
    int (*run)(int argc, char **argv);
};

extern const struct command command_run, command_replay, command_list, command_mutants, command_bench,
    command_serve, command_help, command_version, command_worker;

const struct command *const *command_all(void); /* NULL-terminated */
const struct command *command_find(const char *name);

/* Prints the message and, where the command line itself is wrong, how the command is used; returns the exit
 * status for wrong use. */
int command_refuse(const struct command *command, const struct error *error);
/* Prints the message; returns `exit_status`. */
int command_fail(const struct error *error, int exit_status);

#endif
