#include "mock-powersync/metrics.h"

#include <assert.h>
#include <inttypes.h>

static void append(struct buffer *out, const char *name, const char *type, const char *help) {
    buffer_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void append_number(struct buffer *out, const char *name, const char *type, const char *help,
                          uint64_t value) {
    append(out, name, type, help);
    buffer_printf(out, "%s %" PRIu64 "\n", name, value);
}

static void append_replication(const struct powersync_metrics *metrics, struct buffer *out) {
    append_number(out, "powersync_rows_replicated_total", "counter", "Rows taken from the source",
                  metrics->rows_replicated);
    append_number(out, "powersync_transactions_replicated_total", "counter",
                  "Transactions taken from the source", metrics->transactions_replicated);
    append(out, "powersync_replication_lag_seconds", "gauge", "How far replication is behind the source");
    buffer_printf(out, "powersync_replication_lag_seconds %" PRId64 ".%03" PRId64 "\n",
                  metrics->replication_lag / 1000000000, metrics->replication_lag / 1000000 % 1000);
    append_number(out, "powersync_replication_storage_size_bytes", "gauge", "Size of the source rows' state",
                  metrics->replication_storage_bytes);
    append_number(out, "powersync_operation_storage_size_bytes", "gauge", "Size of the operations",
                  metrics->operation_storage_bytes);
    append_number(out, "powersync_parameter_storage_size_bytes", "gauge", "Size of the parameter index",
                  metrics->parameter_storage_bytes);
}

static void append_api(const struct powersync_metrics *metrics, struct buffer *out) {
    append_number(out, "powersync_data_synced_bytes_total", "counter",
                  "Bytes of sync data before compression", metrics->data_synced_bytes);
    append_number(out, "powersync_data_sent_bytes_total", "counter", "Bytes of sync data as sent",
                  metrics->data_sent_bytes);
    append_number(out, "powersync_operations_synced_total", "counter", "Operations sent to clients",
                  metrics->operations_synced);
    append_number(out, "powersync_concurrent_connections", "gauge", "Open sync streams",
                  metrics->concurrent_connections);
}

void powersync_metrics_append(const struct powersync_metrics *metrics, bool replicates, bool serves,
                              struct buffer *out) {
    assert(metrics && out && metrics->replication_lag >= 0);
    if (replicates)
        append_replication(metrics, out);
    if (serves)
        append_api(metrics, out);
}
