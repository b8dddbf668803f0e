/* Fuzz target: one BSON document, as clients send it over RSocket.
 *
 * Checked for any input: nothing crashes; what is refused gives no value and a reason; what is read is a JSON
 * object that can be written as JSON, and its claimed length is its length.
 */
#include <assert.h>
#include <stdint.h>

#include "base/bson.h"
#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *value;
    struct error error = {0};
    if (bson_parse(data, size, &value, &error) != STATUS_OK) {
        assert(!value && error.message[0]);
        return 0;
    }
    assert(json_is_object(value) && bson_length(data, size) == size);
    struct buffer text = {0};
    json_append(&text, value);
    assert(text.length >= 2);
    buffer_free(&text);
    json_decref(value);
    return 0;
}
