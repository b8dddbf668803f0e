#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum status file_read(struct buffer *text, const char *path, struct error *error) {
    assert(text && path);
    FILE *file = fopen(path, "rb");
    if (!file)
        return error_set_at(error, errno == ENOENT ? STATUS_NOT_FOUND : STATUS_IO, path, 0, 0, "%s",
                            strerror(errno));
    char bytes[16384];
    size_t got;
    while (text->length <= FILE_INPUT_LIMIT && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buffer_append(text, bytes, got);
    const int failed = ferror(file);
    (void)fclose(file);
    if (failed)
        return error_set_at(error, STATUS_IO, path, 0, 0, "cannot be read");
    if (text->length > FILE_INPUT_LIMIT)
        return error_set_at(error, STATUS_LIMIT, path, 0, 0, "is larger than 16 MiB");
    return STATUS_OK;
}
