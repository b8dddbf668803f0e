/* A client of a scenario, whichever kind it is: what the stage does to both. */
#ifndef SYNCLINE_SCENARIO_STAGE_PARTY_H
#define SYNCLINE_SCENARIO_STAGE_PARTY_H

#include "scenario/stage_private.h"

void party_connect(struct stage_client *party);    /* the app calls connect */
void party_disconnect(struct stage_client *party); /* and disconnect */
void party_crash(struct stage_client *party);      /* the node is down already */
enum status party_restart(struct stage_client *party, struct error *error);
bool party_is_settled(const struct stage_client *party); /* nothing left to do, as far as it knows */
void party_finish(struct stage_client *party);           /* last words at the end of the run */
void party_destroy(struct stage_client *party);          /* also one that was not completed */

#endif
