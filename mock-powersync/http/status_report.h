/* What operators are told of sync configs and of the source, as JSON. The caller owns what is returned. */
#ifndef MOCK_POWERSYNC_STATUS_REPORT_H
#define MOCK_POWERSYNC_STATUS_REPORT_H

#include <jansson.h>

#include "mock-powersync/http/source_inquiry.h"
#include "mock-powersync/storage/storage.h"

/* The connection to the source: id, uri, connected, errors. */
json_t *status_report_connection(const struct powersync_service *service,
                                 const struct source_findings *findings);
/* One replication stream: its connection, tables and errors. `content`: with the config's text. */
json_t *status_report_stream(const struct powersync_service *service, const struct replication_stream *stream,
                             const struct source_findings *findings, bool content);
/* The same of a text that is not deployed. */
json_t *status_report_text(const struct powersync_service *service, const char *text,
                           const struct source_findings *findings);
/* The tables that a config selects: which there are, which are missing. */
json_t *status_report_tables(const struct sync_config *config, const struct source_findings *findings);
/* Tables and columns of the source. */
json_t *status_report_schema(const struct source_findings *findings);

/* The name of a stream's place in the source, for people. */
json_t *status_report_slot(const struct replication_stream *stream);

#endif
