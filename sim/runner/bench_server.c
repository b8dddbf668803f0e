#include "runner/bench_server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "kernel/time.h"

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer) {
    struct bench_server *server = handle->data;
    (void)suggested;
    *buffer = uv_buf_init(server->read_buffer, sizeof server->read_buffer);
}

/* Only the first lines matter; the rest is read so that the process never waits for us. */
static void take_output(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer) {
    struct bench_server *server = stream->data;
    if (length < 0) {
        uv_read_stop(stream);
        return;
    }
    if (server->printed.length < 65536)
        buffer_append(&server->printed, buffer->base, (size_t)length);
    const char *line = strstr(buffer_text(&server->printed), "http://127.0.0.1:");
    if (line && strchr(line, '\n'))
        server->port = atoi(line + strlen("http://127.0.0.1:"));
}

static void note_exit(uv_process_t *process, int64_t status, int signal_number) {
    struct bench_server *server = process->data;
    (void)status;
    (void)signal_number;
    server->exited = true;
}

enum { WORDS_MOST = 12 };

enum status bench_server_start(struct bench_server *server, uv_loop_t *loop, const char *executable,
                               const char *const *words, struct error *error) {
    *server = (struct bench_server){0};
    uv_pipe_init(loop, &server->output, 0);
    server->output.data = server;
    server->process.data = server;
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&server->output},
        {.flags = UV_INHERIT_FD, .data.fd = 2}};
    const char *arguments[WORDS_MOST + 3] = {"syncline", "serve"};
    for (size_t i = 0; i < WORDS_MOST && words[i]; i++)
        arguments[2 + i] = words[i];
    const uv_process_options_t options = {.file = executable,
                                          .args = (char **)(uintptr_t)arguments,
                                          .exit_cb = note_exit,
                                          .stdio = stdio,
                                          .stdio_count = 3};
    int failed = uv_spawn(loop, &server->process, &options);
    if (failed != 0) {
        server->exited = true;
        return error_set(error, STATUS_IO, "cannot start %s: %s", executable, uv_strerror(failed));
    }
    uv_read_start((uv_stream_t *)&server->output, give_buffer, take_output);
    while (server->port == 0 && !server->exited)
        uv_run(loop, UV_RUN_ONCE);
    return server->port != 0 ? STATUS_OK : error_set(error, STATUS_IO, "the server ended at once");
}

static void note_closed(uv_handle_t *handle) {
    struct bench_server *server = handle->data;
    if (handle == (uv_handle_t *)&server->process)
        server->closed = true;
}

void bench_server_stop(struct bench_server *server, uv_loop_t *loop) {
    if (!server->exited)
        uv_process_kill(&server->process, SIGTERM);
    while (!server->exited)
        uv_run(loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&server->output, note_closed);
    uv_close((uv_handle_t *)&server->process, note_closed);
    while (!server->closed)
        uv_run(loop, UV_RUN_ONCE);
    buffer_free(&server->printed);
}

static bool read_proc(const struct bench_server *server, const char *name, char *out, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", uv_process_get_pid(&server->process), name);
    FILE *file = fopen(path, "r");
    size_t length = file ? fread(out, 1, size - 1, file) : 0;
    out[length] = '\0';
    if (file)
        fclose(file);
    return length > 0;
}

int64_t bench_server_cpu(const struct bench_server *server) {
    char text[1024];
    unsigned long long user = 0, system = 0;
    const char *rest = read_proc(server, "stat", text, sizeof text) ? strrchr(text, ')') : NULL;
    if (!rest ||
        sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) != 2)
        return -1;
    return (int64_t)(user + system) * (TIME_SECOND / sysconf(_SC_CLK_TCK));
}

int64_t bench_server_memory(const struct bench_server *server) {
    char text[256];
    long long size = 0, resident = 0;
    if (!read_proc(server, "statm", text, sizeof text) || sscanf(text, "%lld %lld", &size, &resident) != 2)
        return -1;
    return resident * sysconf(_SC_PAGESIZE);
}

int64_t bench_server_peak(const struct bench_server *server) {
    char text[4096];
    const char *line = read_proc(server, "status", text, sizeof text) ? strstr(text, "VmHWM:") : NULL;
    return line ? (int64_t)atoll(line + strlen("VmHWM:")) * 1024 : -1;
}
