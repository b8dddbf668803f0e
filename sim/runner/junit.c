#include "runner/junit.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "kernel/time.h"
#include "runner/report_folder.h"

struct junit_case {
    char *name;
    int64_t wall_time;
    bool failed;
    char *type, *message, *text; /* of the failure */
};

struct junit_suite {
    char *name, *file;
    struct junit_case *cases;
    size_t n_cases, capacity;
    uint64_t others;   /* seeds that passed and are not listed */
    int64_t wall_time; /* ns, of all */
    int64_t others_time;
    uint64_t failures;
};

struct junit {
    struct junit_suite *suites;
    size_t n_suites, capacity;
};

struct junit *junit_create(void) {
    return memory_allocate(sizeof(struct junit));
}

static void free_case(struct junit_case *one) {
    free(one->name);
    free(one->type);
    free(one->message);
    free(one->text);
}

void junit_destroy(struct junit *junit) {
    for (size_t i = 0; i < junit->n_suites; i++) {
        struct junit_suite *suite = &junit->suites[i];
        for (size_t j = 0; j < suite->n_cases; j++)
            free_case(&suite->cases[j]);
        free(suite->cases);
        free(suite->name);
        free(suite->file);
    }
    free(junit->suites);
    free(junit);
}

size_t junit_add_suite(struct junit *junit, const char *name, const char *file) {
    assert(name != NULL && file != NULL);
    MEMORY_RESERVE(junit->suites, junit->capacity, junit->n_suites + 1);
    junit->suites[junit->n_suites] =
        (struct junit_suite){.name = memory_copy_text(name), .file = memory_copy_text(file)};
    return junit->n_suites++;
}

static void add_case(struct junit_suite *suite, char *name, int64_t wall_time,
                     const struct junit_failure *failure) {
    assert(suite->n_cases <= suite->capacity);
    MEMORY_RESERVE(suite->cases, suite->capacity, suite->n_cases + 1);
    struct junit_case *one = &suite->cases[suite->n_cases++];
    *one = (struct junit_case){.name = name, .wall_time = wall_time, .failed = failure != NULL};
    suite->wall_time += wall_time;
    if (failure == NULL)
        return;
    suite->failures++;
    one->type = memory_copy_text(failure->type);
    one->message = memory_copy_text(failure->message);
    one->text = memory_copy_text(failure->text);
}

void junit_add_seed(struct junit *junit, size_t index, uint64_t seed, int64_t wall_time,
                    const struct junit_failure *failure) {
    assert(index < junit->n_suites);
    struct junit_suite *suite = &junit->suites[index];
    if (failure == NULL && suite->n_cases >= JUNIT_CASES_MAX) {
        suite->others++;
        suite->others_time += wall_time;
        suite->wall_time += wall_time;
        return;
    }
    add_case(suite, memory_format("seed %llu", (unsigned long long)seed), wall_time, failure);
}

void junit_add_case(struct junit *junit, size_t index, const char *name,
                    const struct junit_failure *failure) {
    assert(index < junit->n_suites);
    add_case(&junit->suites[index], memory_copy_text(name), 0, failure);
}

/* The code point at `at` and its length, or 0 when the bytes are not UTF-8 (overlong, surrogate, cut short).
 */
static size_t decode_utf8(const char *at, uint32_t *point) {
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char first = (unsigned char)at[0];
    size_t length = first < 0x80                    ? 1
                    : first >= 0xf0 && first < 0xf8 ? 4
                    : first >= 0xe0                 ? 3
                    : first >= 0xc0                 ? 2
                                                    : 0;
    if (length == 0 || first >= 0xf8)
        return 0;
    *point = length == 1 ? first : first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char next = (unsigned char)at[i];
        if ((next & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (next & 0x3f);
    }
    assert(length <= 4);
    bool surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return length > 1 && (*point < lowest[length] || *point > 0x10ffff || surrogate) ? 0 : length;
}

static bool allowed_in_xml(uint32_t point) {
    return point >= 0x20 ? point != 0xfffe && point != 0xffff
                         : point == '\t' || point == '\n' || point == '\r';
}

void junit_escape(struct buffer *out, const char *text, bool attribute) {
    const char *at = text == NULL ? "" : text;
    while (*at != '\0') {
        uint32_t point = 0;
        size_t length = decode_utf8(at, &point);
        if (length == 0 || !allowed_in_xml(point))
            buffer_append_text(out, "\xef\xbf\xbd");
        else if (point == '&')
            buffer_append_text(out, "&amp;");
        else if (point == '<')
            buffer_append_text(out, "&lt;");
        else if (point == '>')
            buffer_append_text(out, "&gt;");
        else if (point == '"' && attribute)
            buffer_append_text(out, "&quot;");
        else if (point == '\r' || (attribute && point < 0x20))
            buffer_printf(out, "&#%u;", (unsigned)point);
        else
            buffer_append(out, at, length);
        at += length == 0 ? 1 : length;
    }
}

static void write_attribute(struct buffer *out, const char *name, const char *text) {
    buffer_printf(out, " %s=\"", name);
    junit_escape(out, text, true);
    buffer_append_char(out, '"');
}

/* Seconds with three decimals, without the locale's comma. */
static void write_time(struct buffer *out, int64_t time) {
    buffer_printf(out, " time=\"%lld.%03lld\"", (long long)(time / TIME_SECOND),
                  (long long)(time % TIME_SECOND / TIME_MILLISECOND));
}

static void write_sums(struct buffer *out, uint64_t tests, uint64_t failures, int64_t wall_time) {
    assert(failures <= tests);
    buffer_printf(out, " tests=\"%llu\" failures=\"%llu\" errors=\"0\" skipped=\"0\"",
                  (unsigned long long)tests, (unsigned long long)failures);
    write_time(out, wall_time);
}

static void write_case(struct buffer *out, const struct junit_suite *suite, const struct junit_case *one) {
    buffer_append_text(out, "    <testcase");
    write_attribute(out, "classname", suite->name);
    write_attribute(out, "name", one->name);
    write_attribute(out, "file", suite->file);
    write_time(out, one->wall_time);
    if (!one->failed) {
        buffer_append_text(out, "/>\n");
        return;
    }
    buffer_append_text(out, ">\n      <failure");
    write_attribute(out, "type", one->type);
    write_attribute(out, "message", one->message);
    buffer_append_char(out, '>');
    junit_escape(out, one->text, false);
    buffer_append_text(out, "</failure>\n    </testcase>\n");
}

static uint64_t suite_tests(const struct junit_suite *suite) {
    return suite->n_cases + (suite->others > 0);
}

static void write_suite(struct buffer *out, const struct junit_suite *suite) {
    buffer_append_text(out, "  <testsuite");
    write_attribute(out, "name", suite->name);
    write_sums(out, suite_tests(suite), suite->failures, suite->wall_time);
    buffer_append_text(out, ">\n");
    for (size_t i = 0; i < suite->n_cases; i++)
        write_case(out, suite, &suite->cases[i]);
    if (suite->others > 0) {
        struct junit_case others = {.wall_time = suite->others_time};
        others.name = memory_format("%llu more seeds that passed", (unsigned long long)suite->others);
        write_case(out, suite, &others);
        free(others.name);
    }
    buffer_append_text(out, "  </testsuite>\n");
}

void junit_write(const struct junit *junit, struct buffer *out) {
    uint64_t tests = 0, failures = 0;
    int64_t wall_time = 0;
    for (size_t i = 0; i < junit->n_suites; i++) {
        tests += suite_tests(&junit->suites[i]);
        failures += junit->suites[i].failures;
        wall_time += junit->suites[i].wall_time;
    }
    buffer_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"syncline\"");
    write_sums(out, tests, failures, wall_time);
    buffer_append_text(out, ">\n");
    for (size_t i = 0; i < junit->n_suites; i++)
        write_suite(out, &junit->suites[i]);
    buffer_append_text(out, "</testsuites>\n");
}

enum status junit_save(const struct junit *junit, const char *path, struct error *error) {
    struct buffer out = {0};
    junit_write(junit, &out);
    enum status status = report_file_write(path, out.data, out.length, error);
    buffer_free(&out);
    return status;
}
