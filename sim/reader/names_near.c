#include "reader/names_near.h"

#include <assert.h>
#include <string.h>

enum { NAME_MOST = 64 };

/* Lower case without hyphens and underscores; what is too long is cut. */
static size_t normalize(const char *name, char out[NAME_MOST]) {
    size_t length = 0;
    for (; *name && length + 1 < NAME_MOST; name++) {
        if (*name == '-' || *name == '_')
            continue;
        out[length++] = *name >= 'A' && *name <= 'Z' ? (char)(*name - 'A' + 'a') : *name;
    }
    assert(length < NAME_MOST);
    out[length] = '\0';
    return length;
}

/* Letters to add, drop or change. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length) {
    size_t row[NAME_MOST];
    assert(a_length < NAME_MOST && b_length < NAME_MOST);
    for (size_t j = 0; j <= b_length; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            size_t best = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            row[j] = change < best ? change : best;
        }
    }
    return row[b_length];
}

const char *names_nearest(const char *name, const char *(*names)(size_t index, const void *context),
                          const void *context) {
    char wanted[NAME_MOST], candidate[NAME_MOST];
    size_t length = normalize(name, wanted);
    const char *nearest = NULL;
    size_t least = NAME_MOST;
    for (size_t i = 0; names(i, context); i++) {
        size_t candidate_length = normalize(names(i, context), candidate);
        size_t apart = distance(wanted, length, candidate, candidate_length);
        if (apart < least && apart * 3 <= candidate_length) {
            nearest = names(i, context);
            least = apart;
        }
    }
    return nearest;
}
