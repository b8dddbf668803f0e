#include "runner/report_folder.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define READ_LIMIT (64u << 20)

enum status report_folder_make(const char *path, struct error *error) {
    char *part = memory_copy_text(path);
    size_t length = strlen(part);
    enum status status = STATUS_OK;
    assert(length > 0);
    for (size_t i = 1; i <= length && status == STATUS_OK; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        char kept = part[i];
        part[i] = '\0';
        struct stat found;
        if (mkdir(part, 0777) != 0 && (errno != EEXIST || stat(part, &found) != 0 || !S_ISDIR(found.st_mode)))
            status = error_set(error, STATUS_IO, "cannot make the folder %s: %s", part, strerror(errno));
        part[i] = kept;
    }
    free(part);
    return status;
}

/* True when the file starts with the line. */
static bool starts_with_line(const char *path, const char *line) {
    char start[128] = {0};
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    size_t length = fread(start, 1, sizeof start - 1, file);
    fclose(file);
    assert(strlen(line) < sizeof start);
    return length > strlen(line) && strncmp(start, line, strlen(line)) == 0 && start[strlen(line)] == '\n';
}

static void remove_written(const char *folder, const char *sub, const char *first_line) {
    char *path = memory_format("%s/%s", folder, sub);
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL) {
        char *file = memory_format("%s/%s", path, entry->d_name);
        if (starts_with_line(file, first_line))
            unlink(file);
        free(file);
    }
    if (directory != NULL)
        closedir(directory);
    free(path);
}

enum status report_folder_prepare(const char *path, struct error *error) {
    static const char *const files[] = {"results.sqlite", "results.jsonl", "junit.xml"};
    enum status status = report_folder_make(path, error);
    if (status != STATUS_OK)
        return status;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char *file = memory_format("%s/%s", path, files[i]);
        unlink(file);
        free(file);
    }
    remove_written(path, "failures", FAILURE_FILE_FIRST_LINE);
    remove_written(path, "traces", TRACE_FILE_FIRST_LINE);
    return STATUS_OK;
}

enum status report_file_write(const char *path, const void *bytes, size_t length, struct error *error) {
    FILE *file = fopen(path, "wb");
    assert(bytes != NULL || length == 0);
    if (file == NULL)
        return error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
    bool good = length == 0 || fwrite(bytes, 1, length, file) == length;
    if (fclose(file) != 0 || !good)
        return error_set(error, STATUS_IO, "cannot write %s: %s", path, strerror(errno));
    return STATUS_OK;
}

enum status report_file_read(const char *path, struct buffer *out, struct error *error) {
    char part[16384];
    size_t length;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return error_set(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, "cannot read %s: %s", path,
                         strerror(errno));
    while ((length = fread(part, 1, sizeof part, file)) > 0 && out->length <= READ_LIMIT)
        buffer_append(out, part, length);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return error_set(error, STATUS_IO, "cannot read %s", path);
    if (out->length > READ_LIMIT)
        return error_set(error, STATUS_LIMIT, "%s is larger than 64 MiB", path);
    return STATUS_OK;
}

void report_file_name(struct buffer *out, const char *name) {
    static const char kept[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    assert(name != NULL && *name != '\0');
    for (const char *at = name; *at != '\0'; at++) {
        bool leading_dot = at == name && *at == '.';
        buffer_append_char(out, strchr(kept, *at) != NULL && !leading_dot ? *at : '-');
    }
}
