#include "runner/plot.h"

#include <assert.h>
#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/memory.h"

extern char **environ;

/* name='value' in gnuplot's language: a single quote inside is written twice. */
static void append_setting(struct buffer *out, const char *name, const char *value) {
    buffer_printf(out, "%s='", name);
    for (; *value != '\0'; value++) {
        buffer_append_char(out, *value);
        if (*value == '\'')
            buffer_append_char(out, '\'');
    }
    buffer_append_text(out, "'; ");
}

/* 0: good; -1: gnuplot is not installed; otherwise its exit status. */
static int run_gnuplot(const char *settings, const char *script) {
    char *copies[] = {memory_copy_text("gnuplot"), memory_copy_text("-e"), memory_copy_text(settings),
                      memory_copy_text(script), NULL};
    pid_t child = 0;
    int waited = 0;
    assert(copies[3] != NULL);
    int result = posix_spawnp(&child, "gnuplot", NULL, NULL, copies, environ);
    for (size_t i = 0; copies[i] != NULL; i++)
        free(copies[i]);
    if (result != 0)
        return -1;
    while (waitpid(child, &waited, 0) < 0)
        if (errno != EINTR)
            return 1;
    return WIFEXITED(waited) ? WEXITSTATUS(waited) : 1;
}

static bool make_one(const char *script, const char *data, const char *path, const char *format, FILE *out) {
    struct buffer settings = {0};
    append_setting(&settings, "data", data);
    append_setting(&settings, "output", path);
    append_setting(&settings, "format", format);
    int result = run_gnuplot(buffer_text(&settings), script);
    buffer_free(&settings);
    if (result == 0)
        fprintf(out, "figure: %s\n", path);
    else if (result < 0)
        fprintf(out, "no figure: gnuplot is not installed\n");
    else
        fprintf(out, "no figure: gnuplot ended with status %d\n", result);
    return result == 0;
}

bool plot_make(const char *script, const char *data, const char *folder, const char *name, FILE *out) {
    static const char *const formats[] = {"png", "svg"};
    bool good = true;
    assert(data != NULL && folder != NULL);
    if (script == NULL) {
        fprintf(out, "no figure: %s.gnuplot was not found\n", name);
        return false;
    }
    fflush(out);
    for (size_t i = 0; i < 2 && good; i++) {
        char *path = memory_format("%s/%s.%s", folder, name, formats[i]);
        good = make_one(script, data, path, formats[i], out);
        free(path);
    }
    return good;
}
