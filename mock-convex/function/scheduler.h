/* Scheduled functions: jobs are rows of the system table _scheduled_functions, written by the transaction
 * that schedules them, and run when their time has come. What the rows hold (functions may read them): name,
 * args (an array of one object), scheduledTime and completedTime (ms), state {kind: "pending", "inProgress",
 * "success", "failed" (with error) or "canceled"}.
 *
 * A mutation's job ends in the transaction of its effects, so it runs exactly once whatever happens in
 * between; after a system error it is tried again. An action's job is marked before it begins: a crash then
 * leaves it failed, and it never begins twice. */
#ifndef MOCK_CONVEX_SCHEDULER_H
#define MOCK_CONVEX_SCHEDULER_H

#include "mock-convex/state.h"

#define CONVEX_JOBS_PER_TRANSACTION_MAX 1000
#define CONVEX_JOBS_SIZE_MAX ((size_t)16 << 20) /* bytes of arguments of one transaction's jobs */
#define CONVEX_JOBS_RUNNING_MAX 64              /* at once; others wait. The backend's number is not known */
#define CONVEX_JOB_DELAY_MAX (5 * 365 * TIME_DAY)

/* Wait for the jobs that are stored; what ran when the process ended has failed. */
void convex_scheduler_start(struct convex_deployment *deployment);
void convex_scheduler_stop(struct convex_deployment *deployment);
/* Commits from this position of the log on may hold jobs. */
void convex_scheduler_look(struct convex_deployment *deployment, size_t from);

/* convex_schedule and convex_cancel at once, in a transaction of its own. */
enum status convex_scheduler_add(struct convex_deployment *deployment, int64_t delay, const char *path,
                                 const struct convex_value *args, char *id, struct error *error);
enum status convex_scheduler_cancel(struct convex_deployment *deployment, const char *id,
                                    struct error *error);

#endif
