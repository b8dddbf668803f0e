#include "cli/args.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct args_option *find_option(const struct args_option *options, size_t n, const char *text,
                                             size_t length) {
    for (size_t i = 0; i < n; i++)
        if (strlen(options[i].name) == length && memcmp(options[i].name, text, length) == 0)
            return &options[i];
    return NULL;
}

/* The option that an argument names, and the value that is glued to it (NULL: none). */
static const struct args_option *split_argument(const struct args_option *options, size_t n,
                                                const char *argument, const char **glued) {
    *glued = NULL;
    assert(argument[0] == '-');
    if (argument[1] != '-') {
        if (argument[1] != '\0' && argument[2] != '\0')
            *glued = argument + 2;
        return find_option(options, n, argument, argument[1] == '\0' ? 1 : 2);
    }
    const char *equals = strchr(argument, '=');
    if (equals != NULL)
        *glued = equals + 1;
    return find_option(options, n, argument, equals == NULL ? strlen(argument) : (size_t)(equals - argument));
}

/* Takes the option at argv[*index], and its value behind it. */
static enum status take_option(int argc, char **argv, int *index, const struct args_option *options, size_t n,
                               struct error *error) {
    const char *glued = NULL, *argument = argv[*index];
    const struct args_option *option = split_argument(options, n, argument, &glued);
    if (option == NULL)
        return error_set(error, STATUS_INVALID, "unknown option %s", argument);
    assert((option->flag == NULL) != (option->value == NULL));
    if (option->flag != NULL) {
        if (glued != NULL)
            return error_set(error, STATUS_INVALID, "%s takes no value", option->name);
        if (*option->flag)
            return error_set(error, STATUS_INVALID, "%s is given twice", option->name);
        *option->flag = true;
        return STATUS_OK;
    }
    if (*option->value != NULL)
        return error_set(error, STATUS_INVALID, "%s is given twice", option->name);
    if (glued == NULL && *index + 1 < argc)
        glued = argv[++*index];
    if (glued == NULL || *glued == '\0')
        return error_set(error, STATUS_INVALID, "%s needs a value", option->name);
    *option->value = glued;
    return STATUS_OK;
}

enum status args_parse(int argc, char **argv, const struct args_option *options, size_t n_options,
                       struct args *args, struct error *error) {
    bool options_end = false;
    *args = (struct args){.rest = memory_allocate_array((size_t)argc, sizeof *args->rest)};
    for (int i = 1; i < argc; i++) {
        enum status status = STATUS_OK;
        if (!options_end && strcmp(argv[i], "--") == 0)
            options_end = true;
        else if (!options_end && argv[i][0] == '-' && argv[i][1] != '\0')
            status = take_option(argc, argv, &i, options, n_options, error);
        else
            args->rest[args->n_rest++] = argv[i];
        if (status != STATUS_OK) {
            args_free(args);
            return status;
        }
    }
    return STATUS_OK;
}

void args_free(struct args *args) {
    free(args->rest);
    *args = (struct args){0};
}
