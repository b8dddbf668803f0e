/* Frames of RSocket: bytes that the real SDK sent, and what is no frame. */
#include "mock-powersync/unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "mock-powersync/http/rsocket_frame.h"

/* From @powersync/node 1.1.0 with the token "t". */
static const char setup_hex[] =
    "0000000005000001000000004e2000015f90106170706c69636174696f6e2f6a736f6e106170706c69636174696f6e2f6a736f6e"
    "0000667b22746f6b656e223a22546f6b656e2074222c22757365725f6167656e74223a22706f77657273796e632d6a732f312e33"
    "2e3020706f77657273796e632d6e6f6465206e6f64652f32342e392e30206c696e75782f362e31382e34342d66632d7636363922"
    "7d";
static const char request_hex[] = "0000000119000000000a0000177b2270617468223a222f73796e632f73747265616d227d"
                                  "7b226275636b657473223a5b5d7d";
static const char keepalive_hex[] = "000000000c800000000000000000";

static unsigned digit(char byte) {
    return (unsigned)(byte <= '9' ? byte - '0' : byte - 'a' + 10);
}

static struct buffer bytes_of(const char *hex) {
    struct buffer bytes = {0};
    for (size_t i = 0; hex[i]; i += 2)
        buffer_append_char(&bytes, (char)(digit(hex[i]) << 4 | digit(hex[i + 1])));
    return bytes;
}

static bool reads(const char *hex, struct rsocket_frame *frame, struct buffer *bytes) {
    const char *reason;
    *bytes = bytes_of(hex);
    const bool is_frame = rsocket_frame_read(frame, buffer_text(bytes), bytes->length, &reason);
    assert_true(is_frame == (reason == NULL));
    return is_frame;
}

static void assert_writes(const struct rsocket_frame *frame, const struct buffer *bytes) {
    struct buffer written = {0};
    rsocket_frame_append(&written, frame);
    assert_int_equal(written.length, bytes->length);
    assert_memory_equal(written.data, bytes->data, bytes->length);
    buffer_free(&written);
}

static void setup_of_the_sdk(void **state) {
    (void)state;
    struct rsocket_frame frame;
    struct buffer bytes;
    assert_true(reads(setup_hex, &frame, &bytes));
    assert_int_equal(frame.type, RSOCKET_SETUP);
    assert_int_equal(frame.stream, 0);
    assert_int_equal(frame.major, 1);
    assert_int_equal(frame.minor, 0);
    assert_int_equal(frame.keepalive, 20000);
    assert_int_equal(frame.lifetime, 90000);
    assert_true(rsocket_bytes_are(&frame.metadata_type, "application/json"));
    assert_true(rsocket_bytes_are(&frame.data_type, "application/json"));
    assert_true(rsocket_bytes_are(&frame.metadata,
                                  "{\"token\":\"Token t\",\"user_agent\":\"powersync-js/1.3.0 powersync-node "
                                  "node/24.9.0 linux/6.18.44-fc-v669\"}"));
    assert_int_equal(frame.data.length, 0);
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
}

static void request_of_the_sdk(void **state) {
    (void)state;
    struct rsocket_frame frame;
    struct buffer bytes;
    assert_true(reads(request_hex, &frame, &bytes));
    assert_int_equal(frame.type, RSOCKET_REQUEST_STREAM);
    assert_int_equal(frame.stream, 1);
    assert_int_equal(frame.number, 10);
    assert_true(rsocket_bytes_are(&frame.metadata, "{\"path\":\"/sync/stream\"}"));
    assert_true(rsocket_bytes_are(&frame.data, "{\"buckets\":[]}"));
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
    assert_true(reads(keepalive_hex, &frame, &bytes));
    assert_int_equal(frame.type, RSOCKET_KEEPALIVE);
    assert_int_equal(frame.flags, RSOCKET_RESPOND);
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
}

/* By the protocol's layout: 4 bytes of stream, 6 bits of type, 10 of flags. */
static void other_frames(void **state) {
    (void)state;
    struct rsocket_frame frame;
    struct buffer bytes;
    assert_true(reads("0000000520000000000a", &frame, &bytes));
    assert_true(frame.type == RSOCKET_REQUEST_N && frame.stream == 5 && frame.number == 10);
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
    assert_true(reads("000000052400", &frame, &bytes));
    assert_true(frame.type == RSOCKET_CANCEL && frame.stream == 5);
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
    assert_true(reads("00000005286061", &frame, &bytes));
    assert_true(frame.type == RSOCKET_PAYLOAD && frame.flags == (RSOCKET_NEXT | RSOCKET_COMPLETE));
    assert_true(rsocket_bytes_are(&frame.data, "a"));
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
    assert_true(reads("000000002c00000000036e6f", &frame, &bytes));
    assert_true(frame.type == RSOCKET_ERROR && frame.number == RSOCKET_REJECTED_SETUP);
    assert_true(rsocket_bytes_are(&frame.data, "no"));
    assert_writes(&frame, &bytes);
    buffer_free(&bytes);
    assert_true(reads("00000000fe00", &frame, &bytes)); /* an extension that may be passed over */
    assert_true(frame.type == 0x3f && frame.flags == RSOCKET_IGNORE);
    buffer_free(&bytes);
}

static void no_frames(void **state) {
    (void)state;
    static const char *const wrong[] = {
        "",
        "0000000024",                                  /* cut in the head */
        "800000012400",                                /* 32 bits of stream */
        "000000002400",                                /* a CANCEL of the connection */
        "000000012000000000000000",                    /* no credits */
        "0000000120ff80000000",                        /* too many */
        "000000011900000000010000057b",                /* metadata longer than the frame */
        "00000001190000000001ffff",                    /* its length is cut */
        "000000010c800000000000000000",                /* KEEPALIVE of a stream */
        "000000000c8000000000",                        /* its position is cut */
        "0000000105000001000000004e20",                /* SETUP of a stream */
        "00000000040000010000000000000000000100000000" /* keepalive 0 */
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct rsocket_frame frame;
        struct buffer bytes;
        if (reads(wrong[i], &frame, &bytes))
            fail_msg("taken: %s", wrong[i]);
        buffer_free(&bytes);
    }
}

/* A SETUP is no frame wherever it is cut, up to its metadata's end. */
static void cut_setup(void **state) {
    (void)state;
    struct buffer bytes = bytes_of(setup_hex);
    for (size_t length = 0; length < bytes.length; length++) {
        struct rsocket_frame frame;
        const char *reason = NULL;
        char *copy = memory_copy_bytes(bytes.data, length); /* so that a sanitizer sees its end */
        assert_false(rsocket_frame_read(&frame, copy, length, &reason));
        assert_non_null(reason);
        free(copy);
    }
    buffer_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(setup_of_the_sdk),
                                       cmocka_unit_test(request_of_the_sdk), cmocka_unit_test(other_frames),
                                       cmocka_unit_test(no_frames), cmocka_unit_test(cut_setup)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
