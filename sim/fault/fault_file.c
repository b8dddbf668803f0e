#include "fault/fault_file.h"

#include <inttypes.h>
#include <stddef.h>

#include "base/buffer.h"

/* --- switches of the deployment --- */

static enum status read_knobs(struct reader *reader, struct reader_value value, void *target) {
    struct fault_file *file = target;
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`knobs` must be a mapping of names to numbers, this is %s",
                             reader_type(value.value));
    struct fault_knob *knobs =
        arena_allocate(reader->arena, (json_object_size(value.value) + 1) * sizeof *knobs);
    const char *name;
    json_t *unused;
    json_object_foreach((json_t *)(uintptr_t)value.value, name, unused) {
        struct fault_knob *knob = &knobs[file->convex.n_knobs];
        enum status status =
            reader_count(reader, reader_member(value.value, name), INT64_MIN, INT64_MAX, &knob->value);
        if (status != STATUS_OK)
            return status;
        knob->name = arena_copy_text(reader->arena, name);
        file->convex.n_knobs++;
    }
    file->convex.knobs = knobs;
    return STATUS_OK;
}

static enum status read_step(struct reader *reader, struct reader_value value,
                             struct fault_clock_step *step) {
    struct {
        int64_t at, back, forward;
    } read = {0, 0, 0};
    static const struct field fields[] = {
        {.key = "at", .kind = FIELD_DURATION, .offset = 0, .high = 3650 * TIME_DAY},
        {.key = "back", .kind = FIELD_DURATION, .offset = sizeof(int64_t), .low = 1, .high = 365 * TIME_DAY},
        {.key = "forward",
         .kind = FIELD_DURATION,
         .offset = 2 * sizeof(int64_t),
         .low = 1,
         .high = 365 * TIME_DAY},
        {.key = NULL}};
    enum status status = reader_mapping(reader, value, "clock", fields, &read);
    if (status == STATUS_OK && (read.back > 0) == (read.forward > 0))
        return reader_refuse(reader, value,
                             "a step of the clock goes `back` or `forward`: {at: 10s, back: 1h}");
    *step = (struct fault_clock_step){read.at, read.forward - read.back};
    return status;
}

static enum status read_clock(struct reader *reader, struct reader_value value, void *target) {
    struct fault_file *file = target;
    if (!json_is_array(value.value) || json_array_size(value.value) > FAULT_RULES_MOST)
        return reader_refuse(reader, value, "`clock` must be a list of steps: [{at: 10s, back: 1h}]");
    size_t count = json_array_size(value.value);
    struct fault_clock_step *steps = arena_allocate(reader->arena, (count + 1) * sizeof *steps);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = read_step(reader, reader_item(value.value, i), &steps[i]);
    file->convex.clock_steps = steps;
    file->convex.n_clock_steps = count;
    return status;
}

#define OF_DEPLOYMENT(member) offsetof(struct fault_file, deployment.member)
#define LONGEST (3650 * TIME_DAY)

static enum status read_limits(struct reader *reader, struct reader_value value, void *target) {
    static const struct field fields[] = {
        {.key = "function-slots",
         .kind = FIELD_COUNT,
         .offset = OF_DEPLOYMENT(function_slots),
         .high = 100000},
        {.key = "action-slots", .kind = FIELD_COUNT, .offset = OF_DEPLOYMENT(action_slots), .high = 100000},
        {.key = "write-rate",
         .kind = FIELD_COUNT,
         .offset = OF_DEPLOYMENT(write_rate),
         .high = INT64_C(1) << 40},
        {.key = "requests", .kind = FIELD_COUNT, .offset = OF_DEPLOYMENT(requests), .high = 100000},
        {.key = "request-timeout",
         .kind = FIELD_DURATION,
         .offset = OF_DEPLOYMENT(request_timeout),
         .high = LONGEST},
        {.key = NULL}};
    return reader_mapping(reader, value, "limits", fields, target);
}

static enum status read_deployment(struct reader *reader, struct reader_value value, void *target) {
    static const struct field fields[] = {
        {.key = "knobs", .kind = FIELD_SPECIAL, .read = read_knobs},
        {.key = "clock", .kind = FIELD_SPECIAL, .read = read_clock},
        {.key = "bumps-when-idle",
         .kind = FIELD_BOOLEAN,
         .offset = offsetof(struct fault_file, bumps_when_idle)},
        {.key = "conflicts",
         .kind = FIELD_COUNT,
         .offset = offsetof(struct fault_file, conflicts),
         .high = 10},
        {.key = "limits", .kind = FIELD_SPECIAL, .read = read_limits},
        {.key = "retention",
         .kind = FIELD_DURATION,
         .offset = OF_DEPLOYMENT(retention),
         .low = 1,
         .high = LONGEST},
        {.key = "snapshot-max-age",
         .kind = FIELD_DURATION,
         .offset = OF_DEPLOYMENT(snapshot_max_age),
         .low = 1,
         .high = LONGEST},
        {.key = "summaries-delay",
         .kind = FIELD_DURATION,
         .offset = OF_DEPLOYMENT(summaries_delay),
         .high = LONGEST},
        {.key = "restart-loses",
         .kind = FIELD_DURATION,
         .offset = OF_DEPLOYMENT(restart_loses),
         .high = LONGEST},
        {.key = "system-noise", .kind = FIELD_COUNT, .offset = OF_DEPLOYMENT(system_noise), .high = 1000},
        {.key = "no-streaming-export", .kind = FIELD_BOOLEAN, .offset = OF_DEPLOYMENT(no_streaming_export)},
        {.key = "ignores-tableName",
         .kind = FIELD_BOOLEAN,
         .offset = OF_DEPLOYMENT(ignores_table_name_alias)},
        {.key = NULL}};
    return reader_mapping(reader, value, "deployment", fields, target);
}

/* --- the whole --- */

struct fault_file fault_file_empty(void) {
    return (struct fault_file){.deployment = {.function_slots = FAULT_NOT_GIVEN,
                                              .action_slots = FAULT_NOT_GIVEN,
                                              .write_rate = FAULT_NOT_GIVEN,
                                              .requests = FAULT_NOT_GIVEN,
                                              .request_timeout = FAULT_NOT_GIVEN}};
}

static enum status read_convex(struct reader *reader, struct reader_value value, void *target) {
    return fault_rules_read(reader, value, &((struct fault_file *)target)->convex.rules);
}

static enum status read_powersync(struct reader *reader, struct reader_value value, void *target) {
    return fault_rules_read(reader, value, &((struct fault_file *)target)->powersync.rules);
}

static enum status read_backend(struct reader *reader, struct reader_value value, void *target) {
    return fault_rules_read(reader, value, &((struct fault_file *)target)->backend.rules);
}

static enum status read_issuer(struct reader *reader, struct reader_value value, void *target) {
    return fault_rules_read(reader, value, &((struct fault_file *)target)->issuer.rules);
}

enum status fault_file_read(struct reader *reader, struct reader_value value, struct fault_file *file) {
    static const struct field fields[] = {
        {.key = "convex", .kind = FIELD_SPECIAL, .read = read_convex},
        {.key = "powersync", .kind = FIELD_SPECIAL, .read = read_powersync},
        {.key = "backend", .kind = FIELD_SPECIAL, .read = read_backend},
        {.key = "issuer", .kind = FIELD_SPECIAL, .read = read_issuer},
        {.key = "deployment", .kind = FIELD_SPECIAL, .read = read_deployment},
        {.key = NULL}};
    *file = fault_file_empty();
    if (json_is_array(value.value))
        return read_convex(reader, value, file);
    if (!json_is_object(value.value))
        return reader_refuse(reader, value,
                             "faults must be a list of rules, or a mapping with `convex`, `powersync`, "
                             "`backend`, `issuer` and `deployment`; this is %s",
                             reader_type(value.value));
    return reader_mapping(reader, value, value.key ? value.key : "faults", fields, file);
}

enum status fault_file_load(const char *path, struct arena *arena, struct fault_file *file,
                            struct error *error) {
    struct yaml_document document;
    enum status status = yaml_parse_file(&document, path, error);
    if (status != STATUS_OK)
        return status;
    struct reader reader = {&document, arena, error};
    status = fault_file_read(&reader, (struct reader_value){NULL, NULL, document.root}, file);
    if (status == STATUS_OK && (file->backend.rules.count > 0 || file->issuer.rules.count > 0))
        status =
            error_set(error, STATUS_INVALID, "%s: `backend` and `issuer` have doors in scenarios only", path);
    yaml_release(&document);
    return status;
}

void fault_settings_report(const struct fault_settings *settings, const struct host *host,
                           struct buffer *out) {
    const struct fault_count *counts = fault_host_counts(host);
    for (size_t i = 0; i < settings->rules.count; i++)
        buffer_printf(out, "%s: %s: %" PRIu64 " of %" PRIu64 "\n", host->name, settings->rules.rules[i].name,
                      counts[i].struck, counts[i].matched);
}
