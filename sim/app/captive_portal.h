/* A network that says it is one and is not: whatever is asked, it answers 200 with a page to sign in.
 * Its node is WIRE_CAPTIVE_PORTAL. */
#ifndef SYNCLINE_APP_CAPTIVE_PORTAL_H
#define SYNCLINE_APP_CAPTIVE_PORTAL_H

#include "kernel/world.h"

struct captive_portal;

struct captive_portal *captive_portal_create(struct host *host); /* listens at once */
void captive_portal_destroy(struct captive_portal *portal);      /* NULL is ignored */

#endif
