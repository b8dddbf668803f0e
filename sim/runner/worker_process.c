#include "runner/worker_process.h"

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"

#define LINE_LIMIT (256u << 20)  /* bytes; a worker that sends more in one line is broken */
#define ERRORS_LIMIT (48u << 10) /* bytes kept of standard error */
#define READ_SIZE (64u << 10)

enum { PIPE_INPUT, PIPE_OUTPUT, PIPE_ERRORS, PIPES };

struct worker_process {
    uv_process_t process;
    uv_pipe_t pipes[PIPES];
    const struct worker_process_events *events;
    void *context;
    struct buffer output; /* an unfinished line */
    struct buffer errors;
    char read_buffer[READ_SIZE];
    bool ended[PIPES]; /* output, errors: reached their end; input: closed by us */
    bool exited;
    bool told;
    struct worker_end end;
    int open_handles;
};

static void handle_closed(uv_handle_t *handle) {
    struct worker_process *process = handle->data;
    assert(process->open_handles > 0);
    if (--process->open_handles > 0)
        return;
    buffer_free(&process->output);
    buffer_free(&process->errors);
    free(process);
}

static void close_handle(uv_handle_t *handle) {
    if (!uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

/* The exit and the ends of both pipes come in any order; only after all three has everything been heard. */
static void tell_when_gone(struct worker_process *process) {
    if (!process->exited || !process->ended[PIPE_OUTPUT] || !process->ended[PIPE_ERRORS] || process->told)
        return;
    process->told = true;
    process->end.errors = buffer_text(&process->errors);
    process->events->gone(process->context, &process->end);
    close_handle((uv_handle_t *)&process->process);
    for (int i = 0; i < PIPES; i++)
        close_handle((uv_handle_t *)&process->pipes[i]);
}

static void process_exited(uv_process_t *handle, int64_t exit_status, int signal_number) {
    struct worker_process *process = handle->data;
    assert(!process->exited);
    process->exited = true;
    process->end.exit_status = exit_status;
    process->end.signal = signal_number;
    tell_when_gone(process);
}

static void give_read_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct worker_process *process = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(process->read_buffer, READ_SIZE);
}

static void deliver_lines(struct worker_process *process) {
    size_t start = 0;
    const char *data = process->output.data, *newline;
    while ((newline = memchr(data + start, '\n', process->output.length - start)) != NULL) {
        size_t end = (size_t)(newline - data);
        process->events->line(process->context, data + start, end - start);
        start = end + 1;
        assert(start <= process->output.length);
    }
    buffer_consume(&process->output, start);
    if (process->output.length > LINE_LIMIT)
        worker_process_kill(process);
}

/* Keeps the end: what a dying process said last says why. */
static void keep_errors(struct worker_process *process, const char *bytes, size_t length) {
    buffer_append(&process->errors, bytes, length);
    if (process->errors.length > ERRORS_LIMIT)
        buffer_consume(&process->errors, process->errors.length - ERRORS_LIMIT);
    assert(process->errors.length <= ERRORS_LIMIT);
}

static void pipe_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer) {
    struct worker_process *process = stream->data;
    int which = stream == (uv_stream_t *)&process->pipes[PIPE_OUTPUT] ? PIPE_OUTPUT : PIPE_ERRORS;
    if (count < 0) {
        uv_read_stop(stream);
        process->ended[which] = true;
        tell_when_gone(process);
    } else if (count > 0 && which == PIPE_ERRORS) {
        keep_errors(process, buffer->base, (size_t)count);
    } else if (count > 0) {
        buffer_append(&process->output, buffer->base, (size_t)count);
        if (memchr(buffer->base, '\n', (size_t)count) != NULL || process->output.length > LINE_LIMIT)
            deliver_lines(process);
    }
}

static void open_pipes(struct worker_process *process, uv_loop_t *loop, uv_stdio_container_t *containers) {
    for (int i = 0; i < PIPES; i++) {
        uv_pipe_init(loop, &process->pipes[i], 0);
        process->pipes[i].data = process;
        process->open_handles++;
        containers[i].flags = UV_CREATE_PIPE | (i == PIPE_INPUT ? UV_READABLE_PIPE : UV_WRITABLE_PIPE);
        containers[i].data.stream = (uv_stream_t *)&process->pipes[i];
    }
}

enum status worker_process_start(uv_loop_t *loop, const char *executable, const char *const *arguments,
                                 const struct worker_process_events *events, void *context,
                                 struct worker_process **out, struct error *error) {
    struct worker_process *process = memory_allocate(sizeof *process);
    uv_stdio_container_t containers[PIPES];
    char **copy = NULL;
    size_t n = 0, capacity = 0;
    process->events = events;
    process->context = context;
    process->process.data = process;
    open_pipes(process, loop, containers);
    do {
        MEMORY_RESERVE(copy, capacity, n + 1);
        copy[n] = memory_copy_text(arguments[n]);
    } while (arguments[n++] != NULL);
    uv_process_options_t options = {.file = executable,
                                    .args = copy,
                                    .exit_cb = process_exited,
                                    .stdio = containers,
                                    .stdio_count = PIPES};
    process->open_handles++;
    int result = uv_spawn(loop, &process->process, &options);
    while (n > 0)
        free(copy[--n]);
    free(copy);
    if (result != 0) {
        close_handle((uv_handle_t *)&process->process);
        for (int i = 0; i < PIPES; i++)
            close_handle((uv_handle_t *)&process->pipes[i]);
        return error_set(error, STATUS_IO, "cannot start a worker (%s): %s", executable, uv_strerror(result));
    }
    uv_read_start((uv_stream_t *)&process->pipes[PIPE_OUTPUT], give_read_buffer, pipe_read);
    uv_read_start((uv_stream_t *)&process->pipes[PIPE_ERRORS], give_read_buffer, pipe_read);
    *out = process;
    return STATUS_OK;
}

struct pending_write {
    uv_write_t request; /* first */
    char *bytes;
};

/* A write to a worker that has died fails; its end is told on its own. */
static void write_done(uv_write_t *request, int status) {
    struct pending_write *pending = (struct pending_write *)request;
    (void)status;
    free(pending->bytes);
    free(pending);
}

void worker_process_send(struct worker_process *process, const char *bytes, size_t length) {
    struct pending_write *pending = memory_allocate(sizeof *pending);
    assert(length > 0 && bytes[length - 1] == '\n');
    assert(!process->ended[PIPE_INPUT]);
    pending->bytes = memory_copy_bytes(bytes, length);
    buffer_clear(&process->errors);
    uv_buf_t buffer = uv_buf_init(pending->bytes, (unsigned)length);
    if (uv_write(&pending->request, (uv_stream_t *)&process->pipes[PIPE_INPUT], &buffer, 1, write_done) != 0)
        write_done(&pending->request, 0);
}

void worker_process_finish(struct worker_process *process) {
    process->ended[PIPE_INPUT] = true;
    close_handle((uv_handle_t *)&process->pipes[PIPE_INPUT]);
}

void worker_process_kill(struct worker_process *process) {
    if (!process->exited)
        uv_process_kill(&process->process, SIGKILL);
}

uint64_t worker_process_memory(const struct worker_process *process) {
    char path[64];
    unsigned long long size = 0, resident = 0;
    if (process->exited)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)process->process.pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}
