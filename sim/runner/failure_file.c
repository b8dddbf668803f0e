#include "runner/failure_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "runner/report_folder.h"
#include "runner/seeds.h"

#define RECORDS_PER_MARK 1024
#define MARKS_PER_LINE 6

/* A value on one comment line: line ends would end the comment. */
static void write_line(struct buffer *out, const char *name, const char *value) {
    buffer_printf(out, "# %s: ", name);
    for (const char *at = value == NULL ? "" : value; *at != '\0'; at++)
        buffer_append_char(out, (unsigned char)*at < 0x20 ? ' ' : *at);
    buffer_append_char(out, '\n');
}

static void write_marks(struct buffer *out, const json_t *marks) {
    size_t index;
    json_t *mark;
    json_array_foreach(marks, index, mark) {
        if (index % MARKS_PER_LINE == 0)
            buffer_printf(out, "%s# trace-marks:", index == 0 ? "" : "\n");
        buffer_printf(out, " %s", json_string_value(mark));
    }
    if (json_array_size(marks) > 0)
        buffer_append_char(out, '\n');
}

void failure_file_write(struct buffer *out, const char *scenario, uint64_t seed, const char *engine,
                        const json_t *result, const char *plan) {
    const json_t *violation = json_array_get(json_object_get(result, "violations"), 0);
    assert(violation != NULL && plan != NULL);
    buffer_append_text(out, FAILURE_FILE_FIRST_LINE "\n");
    write_line(out, "scenario", scenario);
    buffer_printf(out, "# seed: %llu\n", (unsigned long long)seed);
    write_line(out, "engine", engine);
    write_line(out, "property", json_text(violation, "property"));
    write_line(out, "client", json_text(violation, "client"));
    write_line(out, "seen", json_text(violation, "seen"));
    write_line(out, "trace-hash", json_text(result, "trace_hash"));
    buffer_printf(out, "# trace-length: %lld\n", (long long)json_integer_or(result, "trace_length", 0));
    write_marks(out, json_object_get(result, "trace_marks"));
    buffer_append_text(out, "# Replay: syncline replay THIS-FILE\n");
    buffer_append_text(out, plan);
}

static void read_marks(struct failure *failure, const char *value) {
    char *copy = memory_copy_text(value), *rest = copy, *mark;
    while ((mark = strsep(&rest, " ")) != NULL) {
        if (strlen(mark) != 16)
            continue;
        failure->trace_marks =
            memory_resize(failure->trace_marks, failure->n_trace_marks + 1, sizeof *failure->trace_marks);
        failure->trace_marks[failure->n_trace_marks++] = memory_copy_text(mark);
    }
    free(copy);
}

static void set_text(char **text, const char *value) {
    free(*text);
    *text = memory_copy_text(value);
}

/* Unknown names are skipped: people write comments too. */
static enum status read_line(struct failure *failure, const char *name, const char *value,
                             struct error *error) {
    const struct {
        const char *name;
        char **text;
    } texts[] = {{"scenario", &failure->scenario},
                 {"engine", &failure->engine},
                 {"property", &failure->property},
                 {"client", &failure->client},
                 {"trace-hash", &failure->trace_hash}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (strcmp(name, texts[i].name) == 0)
            set_text(texts[i].text, value);
    if (strcmp(name, "seed") == 0)
        return seed_parse_number(value, SEED_MAX, &failure->seed, error);
    if (strcmp(name, "trace-length") == 0)
        return seed_parse_number(value, SEED_MAX, &failure->trace_length, error);
    if (strcmp(name, "trace-marks") == 0)
        read_marks(failure, value);
    return STATUS_OK;
}

static enum status read_comment(struct failure *failure, char *line, struct error *error) {
    char *colon = strstr(line, ": ");
    assert(line[0] == '#');
    if (line[1] != ' ' || colon == NULL)
        return STATUS_OK;
    *colon = '\0';
    return read_line(failure, line + 2, colon + 2, error);
}

enum status failure_file_parse(const char *text, const char *path, struct failure *failure,
                               struct error *error) {
    const char *first = FAILURE_FILE_FIRST_LINE "\n";
    if (strncmp(text, first, strlen(first)) != 0)
        return error_set(error, STATUS_NOT_FOUND, "%s is not a failure file", path);
    *failure = (struct failure){.scenario = memory_copy_text(""),
                                .engine = memory_copy_text(""),
                                .property = memory_copy_text(""),
                                .client = memory_copy_text(""),
                                .trace_hash = memory_copy_text("")};
    char *copy = memory_copy_text(text), *rest = copy, *line;
    enum status status = STATUS_OK;
    for (int number = 1; status == STATUS_OK && (line = strsep(&rest, "\n")) != NULL && line[0] == '#';
         number++) {
        status = read_comment(failure, line, error);
        if (status != STATUS_OK)
            error_prefix(error, "%s:%d", path, number);
    }
    free(copy);
    if (status != STATUS_OK)
        failure_free(failure);
    return status;
}

void failure_free(struct failure *failure) {
    free(failure->scenario);
    free(failure->engine);
    free(failure->property);
    free(failure->client);
    free(failure->trace_hash);
    for (size_t i = 0; i < failure->n_trace_marks; i++)
        free(failure->trace_marks[i]);
    free(failure->trace_marks);
    *failure = (struct failure){0};
}

uint64_t failure_equal_records(const struct failure *failure, const json_t *marks) {
    size_t equal = 0;
    while (equal < failure->n_trace_marks && equal < json_array_size(marks)) {
        const char *mark = json_string_value(json_array_get(marks, equal));
        if (mark == NULL || strcmp(mark, failure->trace_marks[equal]) != 0)
            break;
        equal++;
    }
    return (uint64_t)equal * RECORDS_PER_MARK;
}
