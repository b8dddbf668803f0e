/* `syncline bench kernel`: how many events a second the queue of pending events takes in and gives out. */
#ifndef SYNCLINE_RUNNER_BENCH_KERNEL_H
#define SYNCLINE_RUNNER_BENCH_KERNEL_H

#include <stdint.h>
#include <stdio.h>

/* CPU time of this process, ns. */
int64_t bench_cpu_now(void);

/* One line for each number of pending events; the median of `rounds` rounds (1..100). */
void bench_kernel_run(unsigned rounds, FILE *out);

#endif
