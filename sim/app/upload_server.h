/* The app's own server between its clients and the deployment: upload endpoints that know who asks. It trusts
 * the issuer's tokens, maps rows to documents (map_row.h), and writes each local transaction by one mutation
 * with the deploy key. It keeps nothing: a request that it was working on is lost with it.
 *
 * PUT /api/powersync/upload {"client_id","transactions":[{"op_id","ops":[{"op","table","id","data"}]}]}
 *   200 {"results":[{"op_id","missed"?}, {"op_id","error"}]}: one for each, in order; refused ones change
 *   nothing. "missed": ["notes/<id>"], rows that were not there any more to be changed; the rest was done.
 * POST /api/sync {"client_id","batch":[{"op_id","tx_id","op","type","id","data"}]}
 *   200 {"rejected":[{"tx_id","error"}],"missed"?:[{"tx_id","rows"}]}. Neighbours with one tx_id are a
 *   transaction.
 * GET /api/powersync/config?user=U
 *   200 {"powersyncUrl":"http://<authority>","userId":U}: where the service is, and whose session this is.
 * Both uploads: 400 for what cannot be read, 401 without a valid token, 413 above 10,000 operations, 503 when
 * the deployment cannot be asked (send everything again). */
#ifndef SYNCLINE_APP_UPLOAD_SERVER_H
#define SYNCLINE_APP_UPLOAD_SERVER_H

#include "app/app.h"
#include "app/issuer.h"

struct upload_server;

struct upload_server_settings { /* texts are copied */
    const char *deployment;     /* authority */
    const char *deploy_key;
    struct app_issuer *issuer;             /* whose tokens it takes; borrowed */
    const char *(*service)(void *context); /* the authority where the PowerSync service is now; NULL: no
                                              configuration is given out */
    void *context;
};

struct upload_server *upload_server_create(struct host *host, const struct upload_server_settings *settings);
void upload_server_destroy(struct upload_server *server);

#endif
