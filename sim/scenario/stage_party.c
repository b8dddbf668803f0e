#include "scenario/stage_party.h"

#include <assert.h>

#include "client/reactive_client.h"
#include "scenario/stage_tabs.h"

void party_connect(struct stage_client *party) {
    assert(!party->client != !party->reactive);
    if (party->client)
        stage_tabs_connect(party);
    else
        reactive_client_connect(party->reactive);
}

void party_disconnect(struct stage_client *party) {
    if (party->client)
        stage_tabs_disconnect(party);
    else
        reactive_client_disconnect(party->reactive);
}

void party_crash(struct stage_client *party) {
    if (party->client)
        stage_tabs_crash(party);
    else
        reactive_client_crash(party->reactive);
}

enum status party_restart(struct stage_client *party, struct error *error) {
    if (party->client)
        return stage_tabs_restart(party, error);
    reactive_client_restart(party->reactive);
    return STATUS_OK;
}

bool party_is_settled(const struct stage_client *party) {
    return party->client ? client_settled(party->client) : reactive_client_settled(party->reactive);
}

void party_finish(struct stage_client *party) {
    if (party->client)
        client_note_queue(party->client);
}

void party_destroy(struct stage_client *party) {
    stage_tabs_destroy(party);
    reactive_client_destroy(party->reactive);
    party->client = NULL;
    party->reactive = NULL;
}
