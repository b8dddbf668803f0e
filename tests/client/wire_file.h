/* Lines of the recorded sessions in tests/vectors/real-service-1.25.0. */
#ifndef TEST_CLIENT_WIRE_FILE_H
#define TEST_CLIENT_WIRE_FILE_H

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct wire_file {
    char *text;
    char *rest; /* what has not been read */
};

static inline struct wire_file wire_open(const char *name) {
    char path[512];
    struct wire_file file;
    FILE *stream;
    long size;
    size_t got;

    snprintf(path, sizeof path, "%s/real-service-1.25.0/%s", TEST_VECTORS, name);
    stream = fopen(path, "rb");
    assert(stream != NULL);
    fseek(stream, 0, SEEK_END);
    size = ftell(stream);
    rewind(stream);
    file.text = memory_allocate((size_t)size + 1);
    got = fread(file.text, 1, (size_t)size, stream);
    assert(got == (size_t)size);
    fclose(stream);
    file.rest = file.text;
    return file;
}

static inline void wire_close(struct wire_file *file) {
    free(file->text);
}

/* The JSON text of the next line "[+ 1020.0 ms] <mark>{...", NULL at the end. `mark` is "" or "#1 < ". */
static inline const char *wire_next(struct wire_file *file, const char *mark) {
    while (*file->rest != 0) {
        char *line = file->rest;
        char *end = strchr(line, '\n');
        char *json = strstr(line, " ms] ");

        if (end != NULL)
            *end++ = 0;
        file->rest = end != NULL ? end : line + strlen(line);
        json = strstr(line, " ms] ");
        if (line[0] != '[' || json == NULL)
            continue;
        json += 5;
        if (strncmp(json, mark, strlen(mark)) == 0 && json[strlen(mark)] == '{')
            return json + strlen(mark);
    }
    return NULL;
}

#endif
