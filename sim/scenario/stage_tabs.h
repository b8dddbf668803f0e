/* The processes of an app on a device: its tabs, and with a shared worker the one that syncs for them all. A
 * device without `tabs` has one. */
#ifndef SYNCLINE_SCENARIO_STAGE_TABS_H
#define SYNCLINE_SCENARIO_STAGE_TABS_H

#include "scenario/stage_private.h"

/* Makes room for them; the client's host and disk are there. The clients are made by who calls. */
void stage_tabs_create(struct stage *stage, struct stage_client *client);
/* Where a write of this choice goes: to the tab that it names, or the next that is there; NULL: none is. */
struct client *stage_tab_of(const struct stage_client *client, uint64_t choice);

enum status stage_tab_begin(struct stage *stage, struct stage_client *client,
                            const struct scenario_step *step, struct error *error);
enum status stage_tab_end(struct stage *stage, struct stage_client *client, const struct scenario_step *step,
                          struct error *error);
/* Those that should be there are, where the device is awake and the app was not taken down. */
enum status stage_tabs_revive(struct stage_client *client, struct error *error);
/* All are open and thawed, as soon as the device lets them. */
void stage_tabs_heal(struct stage *stage, struct stage_client *client);

/* For party.h: all of them. */
void stage_tabs_connect(struct stage_client *client);
void stage_tabs_disconnect(struct stage_client *client);
void stage_tabs_crash(struct stage_client *client);
enum status stage_tabs_restart(struct stage_client *client, struct error *error);
void stage_tabs_destroy(struct stage_client *client);

#endif
