/* The `syncline` command: finds the command named by the first argument and runs it. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "runner/suite.h"

int main(int argc, char **argv) {
    struct error error = {0};
    const char *name = argc > 1 ? argv[1] : NULL;
    assert(command_find("help") != NULL);
    if (name != NULL && (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0))
        name = "help";
    if (name != NULL && strcmp(name, "--version") == 0)
        name = "version";
    if (name == NULL) {
        error_set(&error, STATUS_INVALID, "no command");
        return command_refuse(command_find("help"), &error);
    }
    const struct command *command = command_find(name);
    if (command == NULL) {
        error_set(&error, STATUS_INVALID, "unknown command %s", name);
        return command_refuse(command_find("help"), &error);
    }
    for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0) {
            fputs(command->usage, stdout);
            return EXIT_EXPECTED;
        }
    return command->run(argc - 1, argv + 1);
}
