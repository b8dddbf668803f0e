#include "scenario/server_faults.h"

#include <stdlib.h>

#include "base/json.h"
#include "scenario/language.h"

enum status scenario_read_server_faults(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    enum status status = fault_file_read(reader, value, &scenario->server_faults);
    if (status != STATUS_OK)
        return status;
    struct buffer text = {0};
    json_append(&text, value.value);
    scenario->server_faults_text = arena_copy_text(reader->arena, buffer_text(&text));
    buffer_free(&text);
    return STATUS_OK;
}

struct host *server_door_open(struct host *node, const struct fault_settings *settings, struct host **door) {
    *door = NULL;
    if (settings->rules.count == 0 && settings->n_knobs == 0 && settings->n_clock_steps == 0)
        return node;
    *door = fault_host_create(node, settings);
    return *door;
}

void server_doors_stop(const struct server_doors *doors) {
    struct host *const all[] = {doors->convex, doors->backend, doors->issuer};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i])
            fault_host_stop(all[i]);
}

void server_doors_close(struct server_doors *doors) {
    fault_host_destroy(doors->convex);
    fault_host_destroy(doors->backend);
    fault_host_destroy(doors->issuer);
    *doors = (struct server_doors){0};
}
