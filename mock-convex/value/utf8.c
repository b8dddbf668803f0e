#include "mock-convex/value/utf8.h"

#include <assert.h>
#include <string.h>

size_t convex_utf8_length(const char *bytes, size_t length) {
    assert(length >= 1);
    const unsigned char *at = (const unsigned char *)bytes;
    if (at[0] < 0x80) {
        return 1;
    }
    size_t count = at[0] >= 0xc2 && at[0] < 0xe0   ? 2
                   : at[0] >= 0xe0 && at[0] < 0xf0 ? 3
                   : at[0] >= 0xf0 && at[0] < 0xf5 ? 4
                                                   : 0;
    if (count == 0 || count > length) {
        return 0;
    }
    /* The second byte excludes overlong forms, surrogates and what lies above U+10FFFF. */
    unsigned char low = at[0] == 0xe0 ? 0xa0 : at[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char high = at[0] == 0xed ? 0x9f : at[0] == 0xf4 ? 0x8f : 0xbf;
    if (at[1] < low || at[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < count; i++) {
        if (at[i] < 0x80 || at[i] > 0xbf) {
            return 0;
        }
    }
    return count;
}

void convex_utf8_append(struct buffer *out, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        size_t step = convex_utf8_length(text + at, length - at);
        if (step == 0) {
            buffer_append_text(out, "\xef\xbf\xbd");
            at++;
        } else {
            buffer_append(out, text + at, step);
            at += step;
        }
    }
}

void convex_utf8_append_json(struct buffer *out, const char *text) {
    struct buffer clean = {0};
    convex_utf8_append(&clean, text, strlen(text));
    buffer_append_json_string(out, buffer_text(&clean), clean.length);
    buffer_free(&clean);
}
