#include "runner/installation.h"

#include <assert.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

static bool try_path(struct buffer *out, const char *folder, const char *above, const char *name) {
    struct buffer path = {0};
    buffer_printf(&path, "%s%s%s", folder, above, name);
    bool found = access(buffer_text(&path), R_OK) == 0;
    if (found)
        buffer_append(out, path.data, path.length);
    buffer_free(&path);
    return found;
}

bool installation_program(char *out, size_t size) {
    ssize_t length = readlink("/proc/self/exe", out, size - 1);
    if (length <= 0)
        return false;
    out[length] = '\0';
    return true;
}

/* The folder of this program's file, with a final slash. */
static bool program_folder(char *out, size_t size) {
    if (!installation_program(out, size))
        return false;
    char *slash = strrchr(out, '/');
    assert(slash != NULL); /* the kernel gives an absolute path */
    slash[1] = '\0';
    return true;
}

bool installation_find(const char *name, struct buffer *out) {
    static const char *const above[] = {"../share/syncline/", "../", "../../", ""};
    char folder[PATH_MAX];
    assert(name[0] != '/');
    if (try_path(out, "", "", name))
        return true;
    if (program_folder(folder, sizeof folder))
        for (size_t i = 0; i < sizeof above / sizeof above[0]; i++)
            if (try_path(out, folder, above[i], name))
                return true;
#ifdef SYNCLINE_SOURCE_DIR
    if (try_path(out, SYNCLINE_SOURCE_DIR, "/", name))
        return true;
#endif
    return false;
}
