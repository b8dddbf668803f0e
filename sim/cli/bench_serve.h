/* `syncline bench serve`: its options as they were written, NULL where they were not. */
#ifndef SYNCLINE_CLI_BENCH_SERVE_H
#define SYNCLINE_CLI_BENCH_SERVE_H

struct command;

struct bench_serve_options {
    const char *part, *connections, *ahead, *sockets, *subscriptions, *rows, *streams, *rounds, *round_time,
        *json;
};

/* Returns the exit status. */
int bench_serve_command(const struct bench_serve_options *options, const struct command *command);

#endif
