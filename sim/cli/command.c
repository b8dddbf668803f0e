#include "cli/command.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "runner/suite.h"

const struct command *const *command_all(void) {
    static const struct command *const commands[] = {
        &command_run,   &command_replay, &command_list,    &command_mutants, &command_bench,
        &command_serve, &command_help,   &command_version, &command_worker,  NULL};
    return commands;
}

const struct command *command_find(const char *name) {
    for (const struct command *const *at = command_all(); *at != NULL; at++)
        if (strcmp((*at)->name, name) == 0)
            return *at;
    return NULL;
}

int command_fail(const struct error *error, int exit_status) {
    char message[1400];
    assert(exit_status != 0);
    error_format(error, message, sizeof message);
    fprintf(stderr, "%s: %s\n", PROGRAM, message);
    return exit_status;
}

int command_refuse(const struct command *command, const struct error *error) {
    assert(command->usage != NULL);
    command_fail(error, EXIT_WRONG_USE);
    if (error->status == STATUS_INVALID && error->line == 0)
        fputs(command->usage, stderr);
    return EXIT_WRONG_USE;
}
