/* Operators and functions of editions 1 and 2 where they differ from edition 3's, and the parameters that
 * only those editions know. Pure. */
#ifndef MOCK_POWERSYNC_LEGACY_OPERATION_H
#define MOCK_POWERSYNC_LEGACY_OPERATION_H

#include "mock-powersync/config/sync_expression.h"

/* An operator or function by the name that the SQL has; NULL: editions 1 and 2 do not know it. Without
 * `fixed_json`, 'a.b' is a path of two keys and a JSON null that is found is the text "null". */
const struct sync_operation *legacy_operation_operator(const char *name, bool fixed_json);
const struct sync_operation *legacy_operation_function(const char *name, bool fixed_json);
/* token_parameters.x and user_parameters.x: of the JSON text of the token or of the connection's parameters,
 * and the name. */
const struct sync_operation *legacy_operation_token_parameter(void);
const struct sync_operation *legacy_operation_user_parameter(void);
/* connection.parameter('x') and request.parameter('x'): a name or a path, which does not go into arrays and
 * objects since they are texts there. */
const struct sync_operation *legacy_operation_connection_parameter(void);

#endif
