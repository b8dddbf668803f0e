/* Fuzz target: an Accept or Accept-Encoding header.
 *
 * Checked for any input: nothing crashes; case, empty entries and entries that name something else change
 * nothing; BSON and gzip are chosen only by headers that name or cover them, and no more once their weight is
 * 0 everywhere. */
#include <assert.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-powersync/stream/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_same(const char *header, const char *variant) {
    assert(accept_prefers_bson(variant) == accept_prefers_bson(header));
    assert(accept_allows_gzip(variant) == accept_allows_gzip(header));
    (void)header;
    (void)variant;
}

static void check_variants(const char *header) {
    char *upper = memory_copy_text(header);
    for (char *at = upper; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    check_same(header, upper);
    free(upper);
    static const char *const formats[] = {"%s,", ",%s", " , ,%s", "%s,text/html;q=1", "text/html,%s"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *hole = strstr(formats[i], "%s");
        char *variant = memory_format("%.*s%s%s", (int)(hole - formats[i]), formats[i], header, hole + 2);
        check_same(header, variant);
        free(variant);
    }
}

/* Naming a form again, alone and at its highest, brings it; with weight 0 and nothing else it does not. */
static void check_named(void) {
    assert(accept_prefers_bson(ACCEPT_BSON) && !accept_prefers_bson(ACCEPT_BSON ";q=0"));
    assert(!accept_prefers_bson(ACCEPT_NDJSON) && accept_allows_gzip("gzip"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *header = memory_copy_bytes(data, size);
    header[strcspn(header, "\r\n")] = '\0'; /* no header has line ends */
    const bool named = strcasestr(header, "bson") || strchr(header, '*');
    assert(named || !accept_prefers_bson(header));
    assert(strcasestr(header, "gzip") || strchr(header, '*') || !accept_allows_gzip(header));
    (void)named;
    check_variants(header);
    check_named();
    free(header);
    return 0;
}
