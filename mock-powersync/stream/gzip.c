#include "mock-powersync/stream/gzip.h"

#include <assert.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"

/* A window of 16 KiB and 128 KiB of memory a stream; rows repeat themselves soon. */
enum { LEVEL = 3, WINDOW_BITS = 14, GZIP_HEADER = 16, MEMORY_LEVEL = 7 };

struct gzip {
    z_stream stream;
};

struct gzip *gzip_create(void) {
    struct gzip *gzip = memory_allocate(sizeof *gzip);
    int failed = deflateInit2(&gzip->stream, LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP_HEADER, MEMORY_LEVEL,
                              Z_DEFAULT_STRATEGY);
    if (failed)
        abort(); /* out of memory */
    return gzip;
}

void gzip_destroy(struct gzip *gzip) {
    if (!gzip)
        return;
    deflateEnd(&gzip->stream);
    free(gzip);
}

void gzip_append(struct gzip *gzip, struct buffer *out, const void *bytes, size_t length, bool last) {
    unsigned char piece[16384];
    z_stream *stream = &gzip->stream;
    assert(length <= UINT32_MAX);
    stream->next_in = (unsigned char *)(uintptr_t)bytes;
    stream->avail_in = (unsigned)length;
    do {
        stream->next_out = piece;
        stream->avail_out = sizeof piece;
        int status = deflate(stream, last ? Z_FINISH : Z_SYNC_FLUSH);
        assert(status != Z_STREAM_ERROR);
        (void)status;
        buffer_append(out, piece, sizeof piece - stream->avail_out);
    } while (stream->avail_out == 0);
    assert(stream->avail_in == 0);
}
