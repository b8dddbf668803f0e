/* The SQL functions that translated queries call (check/oracle_sql.h). */
#ifndef SYNCLINE_CHECK_ORACLE_FUNCTIONS_H
#define SYNCLINE_CHECK_ORACLE_FUNCTIONS_H

#include <sqlite3.h>

/* A result code of SQLite. */
int oracle_functions_register(sqlite3 *connection);

#endif
