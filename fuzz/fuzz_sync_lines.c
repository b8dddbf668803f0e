/* Fuzz target: the body of a sync stream, as NDJSON lines. When the first line starts with "> ", the rest of
 * it is the body of the request.
 *
 * Checked for any input: nothing crashes; a line that is accepted and printed is accepted again and prints
 * the same; the wire grammar finds the same faults wherever the body is cut into chunks. */
#include <assert.h>
#include <string.h>

#include "base/digest.h"
#include "check/wire_grammar.h"
#include "sync_line_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Memory that is used again from input to input, for speed; it has no influence on any result. */
static struct sync_line_check check;
static struct wire_scratch *scratch;

/* What a run over the body found, in short. */
struct findings {
    uint64_t faults;
    uint64_t digest;
};

struct body {
    const char *request; /* NULL: none */
    size_t request_length;
    const char *lines;
    size_t length;
};

static void check_line(void *context, const char *bytes, size_t length) {
    bool *accepted = context;
    *accepted |= sync_line_check(&check, bytes, length);
}

static void count_fault(void *context, const struct wire_fault *fault) {
    struct findings *findings = context;
    assert(fault->rule < WIRE_RULES && fault->expected && fault->seen && fault->bucket);
    findings->faults++;
    findings->digest =
        findings->digest * UINT64_C(0x9e3779b97f4a7c15) + fault->line * WIRE_RULES + fault->rule;
}

static void grammar_line(void *context, const char *bytes, size_t length) {
    wire_grammar_line(context, bytes, length);
}

static struct findings judge(const struct body *body, size_t chunk) {
    struct findings findings = {0};
    struct sync_line_splitter splitter = {0};
    struct wire_grammar *grammar = wire_grammar_create(
        &(struct wire_grammar_settings){.scratch = scratch, .report = count_fault, .context = &findings});
    if (body->request)
        (void)wire_grammar_request(grammar, body->request, body->request_length, NULL);
    for (size_t at = 0; at < body->length; at += chunk) {
        size_t length = body->length - at < chunk ? body->length - at : chunk;
        sync_line_split(&splitter, body->lines + at, length, grammar_line, grammar);
    }
    assert(findings.faults == wire_grammar_faults(grammar));
    wire_grammar_destroy(grammar);
    sync_line_splitter_free(&splitter);
    return findings;
}

static struct body body_of(const char *text, size_t length) {
    struct body body = {.lines = text, .length = length};
    if (length < 2 || memcmp(text, "> ", 2) != 0)
        return body;
    const char *newline = memchr(text, '\n', length);
    size_t head = newline ? (size_t)(newline - text) + 1 : length;
    body.request = text + 2;
    body.request_length = (newline ? head - 1 : head) - 2;
    body.lines = text + head;
    body.length = length - head;
    return body;
}

/* Every line alone. True when the parser took any of them. */
static bool check_lines(const struct body *body) {
    bool accepted = false;
    struct sync_line_splitter splitter = {0};
    sync_line_split(&splitter, body->lines, body->length, check_line, &accepted);
    if (splitter.rest.length > 0)
        check_line(&accepted, splitter.rest.data, splitter.rest.length);
    sync_line_splitter_free(&splitter);
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (!scratch)
        scratch = wire_scratch_create();
    if (size == 0)
        return 0;
    struct body body = body_of((const char *)data, size);
    if (!check_lines(&body)) /* the grammar has nothing to say about lines that nobody can read */
        return 0;
    struct findings whole = judge(&body, body.length);
    size_t chunk = 1 + (size_t)(hash128_of(data, size).low % 61);
    struct findings pieces = judge(&body, chunk);
    assert(whole.faults == pieces.faults && whole.digest == pieces.digest);
    return 0;
}
