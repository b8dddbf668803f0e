/* Lines of recorded streams in tests/vectors: the part of each text line that is a sync line. */
#ifndef SYNCLINE_TESTS_CHECK_WIRE_VECTORS_H
#define SYNCLINE_TESTS_CHECK_WIRE_VECTORS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct recorded {
    char *lines[128];
    size_t n_lines;
};

/* Recordings have "[+ 1.0 ms] {...}", "[+1.0 ms] #1 < {...}" or bare lines. `mark` is what stands before the
 * object. */
static inline void recorded_read(struct recorded *recorded, const char *name, const char *mark) {
    char path[512];
    snprintf(path, sizeof path, "%s/real-service-1.25.0/%s", TEST_VECTORS, name);
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        abort();
    }
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) > 0) {
        const char *start = strstr(line, mark);
        if (!start || start[strlen(mark)] != '{')
            continue;
        start += strlen(mark);
        if (recorded->n_lines == sizeof recorded->lines / sizeof recorded->lines[0])
            abort();
        recorded->lines[recorded->n_lines++] = memory_copy_bytes(start, strcspn(start, "\n"));
    }
    free(line);
    fclose(file);
}

static inline void recorded_free(struct recorded *recorded) {
    for (size_t i = 0; i < recorded->n_lines; i++)
        free(recorded->lines[i]);
    recorded->n_lines = 0;
}

#endif
