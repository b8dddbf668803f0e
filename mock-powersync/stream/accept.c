#include "mock-powersync/stream/accept.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum { WEIGHT_ONE = 1000 };

/* A piece of a header, not terminated. */
struct piece {
    const char *text;
    size_t length;
};

static struct piece trim(struct piece piece) {
    while (piece.length > 0 && strchr(" \t", piece.text[0]))
        piece = (struct piece){piece.text + 1, piece.length - 1};
    while (piece.length > 0 && strchr(" \t", piece.text[piece.length - 1]))
        piece.length--;
    return piece;
}

/* Cuts the text up to `mark` off the rest. */
static struct piece cut(struct piece *rest, char mark) {
    const char *end = memchr(rest->text, mark, rest->length);
    struct piece piece = {rest->text, end ? (size_t)(end - rest->text) : rest->length};
    size_t skip = piece.length + (end != NULL);
    *rest = (struct piece){rest->text + skip, rest->length - skip};
    return trim(piece);
}

static bool is(struct piece piece, const char *word, size_t length) {
    return piece.length == length && strncasecmp(piece.text, word, length) == 0;
}

/* "0.8" in thousandths; what is no weight counts as 1. */
static int read_weight(struct piece text) {
    if (text.length == 0 || text.text[0] == '1')
        return WEIGHT_ONE;
    int weight = 0, unit = WEIGHT_ONE / 10;
    if (text.text[0] != '0' || (text.length > 1 && text.text[1] != '.'))
        return WEIGHT_ONE;
    for (size_t i = 2; i < text.length && unit > 0; i++, unit /= 10) {
        if (text.text[i] < '0' || text.text[i] > '9')
            return WEIGHT_ONE;
        weight += unit * (text.text[i] - '0');
    }
    return weight;
}

/* An entry of a header: its name and, of the parameters, the weight. */
struct entry {
    struct piece name;
    int weight;
    bool has_parameters; /* beside the weight */
};

static struct entry next_entry(struct piece *header) {
    struct piece rest = cut(header, ',');
    struct entry entry = {cut(&rest, ';'), WEIGHT_ONE, false};
    while (rest.length > 0) {
        struct piece value = cut(&rest, ';');
        struct piece key = cut(&value, '=');
        if (is(key, "q", 1))
            entry.weight = read_weight(trim(value));
        else
            entry.has_parameters = entry.has_parameters || key.length > 0;
    }
    return entry;
}

/* How well a header suits something. */
struct match {
    int exactness; /* -1: not at all */
    int weight;
    int order;
};

/* 6: the very type, 4: all of its kind, 0: anything, -1: another. */
static int media_exactness(const struct entry *entry, const char *type) {
    const char *slash = strchr(type, '/');
    size_t kind = (size_t)(slash - type) + 1;
    assert(slash);
    if (entry->has_parameters) /* ours have none */
        return -1;
    if (is(entry->name, type, strlen(type)))
        return 6;
    if (is(entry->name, "*/*", 3))
        return 0;
    bool all = entry->name.length == kind + 1 && entry->name.text[kind] == '*';
    return all && strncasecmp(entry->name.text, type, kind) == 0 ? 4 : -1;
}

static int encoding_exactness(const struct entry *entry, const char *encoding) {
    if (is(entry->name, encoding, strlen(encoding)))
        return 1;
    return is(entry->name, "*", 1) ? 0 : -1;
}

/* The entry that says most exactly how welcome something is. */
static struct match best_match(const char *header, const char *wanted,
                               int (*exactness)(const struct entry *entry, const char *wanted)) {
    struct match best = {.exactness = -1};
    struct piece rest = {header, strlen(header)};
    for (int order = 0; rest.length > 0; order++) {
        struct entry entry = next_entry(&rest);
        struct match match = {exactness(&entry, wanted), entry.weight, order};
        if (match.exactness > best.exactness ||
            (match.exactness == best.exactness && match.weight > best.weight))
            best = match;
    }
    return best;
}

bool accept_prefers_bson(const char *accept) {
    if (!accept)
        return false;
    struct match bson = best_match(accept, ACCEPT_BSON, media_exactness);
    struct match ndjson = best_match(accept, ACCEPT_NDJSON, media_exactness);
    if (bson.exactness < 0 || bson.weight == 0)
        return false;
    if (ndjson.exactness < 0 || ndjson.weight != bson.weight)
        return ndjson.exactness < 0 || ndjson.weight < bson.weight;
    if (ndjson.exactness != bson.exactness)
        return ndjson.exactness < bson.exactness;
    return bson.order < ndjson.order;
}

bool accept_allows_gzip(const char *accept_encoding) {
    if (!accept_encoding)
        return false;
    struct match gzip = best_match(accept_encoding, "gzip", encoding_exactness);
    return gzip.exactness >= 0 && gzip.weight > 0;
}
