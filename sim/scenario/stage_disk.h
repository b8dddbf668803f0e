/* Devices' disks: who has one, and what the plan does to it. */
#ifndef SYNCLINE_SCENARIO_STAGE_DISK_H
#define SYNCLINE_SCENARIO_STAGE_DISK_H

#include "scenario/stage_private.h"

/* Do this scenario's devices have their databases on disks? Where nothing can happen to a disk they are in
 * memory, which is cheaper. */
bool stage_uses_disks(const struct stage *stage);
void stage_disk_create(struct stage *stage, struct stage_client *client);

/* Every kind of step that strikes a disk. A power loss with a moment waits for it. */
void stage_disk_begin(struct stage *stage, struct stage_client *client, const struct scenario_step *step);
enum status stage_disk_end(struct stage_client *client, const struct scenario_step *step,
                           struct error *error);
void stage_disk_heal(struct stage_client *client); /* no fault is left, and nothing is restarted */

/* For stage_options.keep_database: of each client that has one. */
void stage_keep_databases(struct stage *stage);

/* stage_steps.c */
void stage_crash_client(struct stage *stage, struct stage_client *client, bool power);
enum status stage_restart_client(struct stage_client *client, struct error *error);

#endif
