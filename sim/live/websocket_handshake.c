#include "live/websocket_handshake.h"

#include <assert.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

#include "base/digest.h"

bool websocket_list_has(const char *header, const char *word) {
    static const char separators[] = " \t,";
    const size_t length = strlen(word);
    while (header && *header) {
        header += strspn(header, separators);
        size_t here = strcspn(header, separators);
        if (here == length && strncasecmp(header, word, length) == 0)
            return true;
        header += here;
    }
    return false;
}

bool websocket_key_is_valid(const char *key) {
    struct buffer bytes = {0};
    bool valid = base64_decode(&bytes, key, strlen(key), NULL) == STATUS_OK && bytes.length == 16;
    buffer_free(&bytes);
    return valid;
}

static void copy_base64(const void *bytes, size_t length, char *text, size_t size) {
    struct buffer encoded = {0};
    base64_append(&encoded, bytes, length);
    assert(encoded.length + 1 == size);
    memcpy(text, buffer_text(&encoded), size);
    buffer_free(&encoded);
}

void websocket_key_make(char key[WEBSOCKET_KEY_SIZE]) {
    unsigned char bytes[16];
    int failed = uv_random(NULL, NULL, bytes, sizeof bytes, 0, NULL);
    assert(!failed);
    copy_base64(bytes, sizeof bytes, key, WEBSOCKET_KEY_SIZE);
}

void websocket_accept_of(const char *key, char accept[WEBSOCKET_ACCEPT_SIZE]) {
    unsigned char hash[20];
    struct buffer text = {0};
    buffer_append_text(&text, key);
    buffer_append_text(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    digest_sha1(text.data, text.length, hash);
    buffer_free(&text);
    copy_base64(hash, sizeof hash, accept, WEBSOCKET_ACCEPT_SIZE);
}
