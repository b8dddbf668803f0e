/* The app's own server in a simulated world: the node "backend", where a scenario has one. It keeps nothing,
 * so a process that starts again begins anew; requests that it was working on are gone. */
#ifndef SYNCLINE_SCENARIO_STAGE_BACKEND_H
#define SYNCLINE_SCENARIO_STAGE_BACKEND_H

#include "scenario/stage_private.h"

void stage_backend_open(struct stage *stage); /* does nothing where there is none */
void stage_backend_close(struct stage *stage);
void stage_backend_crash(struct stage *stage); /* counted: it starts again when all its crashes are over */
void stage_backend_restart(struct stage *stage);
void stage_backend_heal(struct stage *stage);

#endif
