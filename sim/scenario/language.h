/* The keys of the scenario language, as tables for reader.h. */
#ifndef SYNCLINE_SCENARIO_LANGUAGE_H
#define SYNCLINE_SCENARIO_LANGUAGE_H

#include "reader/reader.h"
#include "scenario/scenario.h"

extern const struct field scenario_language[]; /* of a struct scenario; ends with key NULL */

/* `steps:`; users, devices and the app must have been read. */
enum status scenario_read_steps(struct reader *reader, struct reader_value value, void *scenario);
/* `reactive:`; users must have been read. */
enum status scenario_read_reactive(struct reader *reader, struct reader_value value, void *scenario);
enum status scenario_read_browse(struct reader *reader, struct reader_value value, void *scenario);
/* `requests:`; users and devices must have been read. */
enum status scenario_read_requests(struct reader *reader, struct reader_value value, void *scenario);
/* What the user's client asks for; NULL: nothing. */
const struct scenario_request *scenario_request_of(const struct scenario *scenario, const char *user,
                                                   const char *client);
/* A lower-case letter, then letters, digits or _, at most 30. */
bool scenario_good_name(const char *name);
/* `faults:` */
enum status scenario_read_faults(struct reader *reader, struct reader_value value, void *scenario);

/* `drive:` */
enum status scenario_read_drives(struct reader *reader, struct reader_value value, void *scenario);

/* `server-faults:` */
enum status scenario_read_server_faults(struct reader *reader, struct reader_value value, void *scenario);

/* "<user>-<1..devices>", a client of PowerSync */
bool scenario_has_device(const struct scenario *scenario, const char *name);
/* "<group>-<1..clients>", a plain Convex client; its group, or NULL. */
const struct scenario_reactive *scenario_group_of(const struct scenario *scenario, const char *name);
bool scenario_has_client(const struct scenario *scenario, const char *name); /* either */
/* `tabs:` and all that goes or does not go with it. */
enum status scenario_check_tabs(struct reader *reader, struct reader_value root,
                                const struct scenario *scenario);
/* Refuses a text that is no client of the scenario, naming those that are. */
enum status scenario_check_client(struct reader *reader, struct reader_value value, void *scenario);

extern const char *const scenario_token_keys[TOKEN_KEYS_COUNT];
/* Somebody's tokens are signed with the issuer's key pairs. */
static inline bool scenario_has_key_pairs(const struct scenario *scenario) {
    return scenario->reactive_users || (scenario->n_users > 0 && scenario->token_keys != TOKEN_KEYS_SHARED);
}
#define SCENARIO_NO_TOKENS                                                                                   \
    "`%s` needs tokens of key pairs: a group of `reactive` with a `user`, or `tokens: {keys: published}`"

enum { SCENARIO_TABS_MOST = 8, SCENARIO_CLIENTS_MOST = 10000, SCENARIO_ROWS_MOST = 20 };

#endif
