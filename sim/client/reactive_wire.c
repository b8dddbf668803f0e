#include <string.h>

#include "base/digest.h"
#include "client/reactive_parts.h"

void reactive_append_ts(struct buffer *out, uint64_t ts) {
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(ts >> 8 * i);
    }
    base64_append(out, bytes, sizeof bytes);
}

bool reactive_read_ts(const json_t *object, const char *key, uint64_t *ts) {
    const char *text = json_text(object, key);
    struct buffer bytes = {0};
    bool good = text != NULL && base64_decode(&bytes, text, strlen(text), NULL) == STATUS_OK &&
                bytes.length == sizeof *ts;
    *ts = 0;
    for (size_t i = good ? sizeof *ts : 0; i-- > 0;) {
        *ts = *ts << 8 | (unsigned char)bytes.data[i];
    }
    buffer_free(&bytes);
    return good;
}

bool reactive_read_count(const json_t *object, const char *key, uint32_t *count) {
    const json_t *value = json_object_get(object, key);
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= 0 && number <= UINT32_MAX)) {
        return false;
    }
    *count = (uint32_t)number;
    return (double)*count == number;
}
