#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scenario/scenario.h"

enum { DEPTH_MOST = 32 };

struct found {
    char **files;
    size_t count, capacity;
};

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), tail = strlen(ending);
    return length > tail && !strcmp(text + length - tail, ending);
}

static enum status find_in(struct found *found, const char *path, int depth, struct error *error) {
    DIR *folder = opendir(path);
    if (!folder)
        return error_set(error, STATUS_IO, "cannot read the folder %s: %s", path, strerror(errno));
    enum status status = STATUS_OK;
    struct dirent *entry;
    while (status == STATUS_OK && (entry = readdir(folder))) {
        if (entry->d_name[0] == '.')
            continue;
        size_t length = strlen(path);
        const char *slash = length > 0 && path[length - 1] == '/' ? "" : "/";
        char *name = memory_format("%s%s%s", path, slash, entry->d_name);
        struct stat about;
        bool known = stat(name, &about) == 0;
        if (known && S_ISDIR(about.st_mode) && depth < DEPTH_MOST) {
            status = find_in(found, name, depth + 1, error);
        } else if (known && S_ISREG(about.st_mode) && ends_with(name, ".yaml")) {
            MEMORY_RESERVE(found->files, found->capacity, found->count + 1);
            found->files[found->count++] = name;
            continue;
        }
        free(name);
    }
    closedir(folder);
    return status;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

enum status scenario_find(const char *path, char ***files, size_t *count, struct error *error) {
    struct found found = {0};
    struct stat about;
    *files = NULL;
    *count = 0;
    if (stat(path, &about) != 0)
        return error_set(error, STATUS_NOT_FOUND, "there is no scenario or folder %s: %s", path,
                         strerror(errno));
    enum status status = STATUS_OK;
    if (S_ISDIR(about.st_mode)) {
        status = find_in(&found, path, 0, error);
    } else {
        found.files = memory_allocate(sizeof *found.files);
        found.files[found.count++] = memory_copy_text(path);
    }
    if (status == STATUS_OK && found.count == 0)
        status = error_set(error, STATUS_NOT_FOUND, "there is no scenario (*.yaml) in %s", path);
    if (status != STATUS_OK) {
        for (size_t i = 0; i < found.count; i++)
            free(found.files[i]);
        free(found.files);
        return status;
    }
    assert(found.count <= found.capacity || found.capacity == 0);
    qsort(found.files, found.count, sizeof *found.files, compare_texts);
    *files = found.files;
    *count = found.count;
    return STATUS_OK;
}
