#include <assert.h>
#include <string.h>

#include "reader/units.h"
#include "scenario/fault_kinds.h"
#include "scenario/language.h"

#define PLACE(member) offsetof(struct scenario_fault, member)

#define RAREST (30 * TIME_DAY)

static enum status read_rate(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_fault *fault = target;
    const char *text = json_string_value(value.value);
    if (text && units_read_rate(text, &fault->rate))
        return STATUS_OK;
    return reader_refuse(reader, value,
                         "`%s` must be a rate such as 1%%, 0.25%% or 2500 per million, at most 100%%",
                         value.key ? value.key : "rate");
}

static enum status require(struct reader *reader, struct reader_value fault, const char *key,
                           const char *example) {
    if (json_object_get(fault.value, key))
        return STATUS_OK;
    return reader_refuse(reader, fault, "`%s` needs `%s`: %s", fault.key, key, example);
}

static enum status read_timed(struct reader *reader, struct reader_value value, bool lasts,
                              struct scenario_fault *fault) {
    assert(fault->name && fault->rate == 0);
    const struct field fields[] = {
        {.key = "every",
         .kind = FIELD_DURATION,
         .offset = PLACE(rate),
         .low = TIME_MILLISECOND,
         .high = RAREST},
        {.key = "lasts", .kind = FIELD_DURATION_RANGE, .offset = PLACE(lasts), .high = TIME_DAY},
        {.key = NULL}};
    static const struct field moments[] = {{.key = "every",
                                            .kind = FIELD_DURATION,
                                            .offset = PLACE(rate),
                                            .low = TIME_MILLISECOND,
                                            .high = RAREST},
                                           {.key = NULL}};
    enum status status = reader_mapping(reader, value, fault->name, lasts ? fields : moments, fault);
    if (status == STATUS_OK)
        status = require(reader, value, "every", lasts ? "{every: 40s, lasts: [1s, 15s]}" : "{every: 40s}");
    if (status == STATUS_OK && lasts)
        status = require(reader, value, "lasts", "{every: 40s, lasts: [1s, 15s]}");
    return status;
}

static enum status read_wire(struct reader *reader, struct reader_value value, const struct fault_kind *kind,
                             struct scenario_fault *fault) {
    static const struct field plain[] = {{.key = "rate", .kind = FIELD_SPECIAL, .read = read_rate},
                                         {.key = NULL}};
    static const struct field lasting[] = {
        {.key = "rate", .kind = FIELD_SPECIAL, .read = read_rate},
        {.key = "lasts", .kind = FIELD_DURATION_RANGE, .offset = PLACE(lasts), .high = TIME_DAY},
        {.key = NULL}};
    assert(kind->counter);
    if (!json_is_object(value.value) && !kind->lasts)
        return read_rate(reader, value, fault);
    enum status status = reader_mapping(reader, value, fault->name, kind->lasts ? lasting : plain, fault);
    const char *example = kind->lasts ? "{rate: 1%, lasts: [1s, 10s]}" : "{rate: 1%}";
    if (status == STATUS_OK)
        status = require(reader, value, "rate", example);
    if (status == STATUS_OK && kind->lasts)
        status = require(reader, value, "lasts", example);
    return status;
}

/* Reads one fault; `*off` tells that it is written down but switched off. */
static enum status read_fault(struct reader *reader, struct reader_value value, const struct fault_kind *kind,
                              struct scenario_fault *fault, bool *off) {
    *fault = (struct scenario_fault){.name = kind->name};
    *off = json_is_false(value.value);
    if (*off)
        return STATUS_OK;
    if (kind->class == FAULT_CLASS_TIMED)
        return read_timed(reader, value, kind->lasts, fault);
    if (kind->class == FAULT_CLASS_WIRE)
        return read_wire(reader, value, kind, fault);
    fault->rate = 1;
    return json_is_true(value.value) ? STATUS_OK
                                     : reader_refuse(reader, value, "`%s` must be true or false, this is %s",
                                                     kind->name, reader_type(value.value));
}

static const char *kind_name(size_t index, const void *unused) {
    (void)unused;
    return fault_kinds[index].name;
}

enum status scenario_read_faults(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (!json_is_object(value.value))
        return reader_refuse(reader, value, "`faults` must be a mapping of faults, this is %s",
                             reader_type(value.value));
    struct scenario_fault *faults =
        arena_allocate(reader->arena, (json_object_size(value.value) + 1) * sizeof *faults);
    const char *name;
    json_t *unused;
    json_object_foreach((json_t *)(uintptr_t)value.value, name, unused) {
        if (!fault_kind_find(name)) {
            struct reader_value key = {value.value, name, json_null()}; /* null: the place is the key's */
            return reader_refuse_name(reader, key, "fault", name, kind_name, NULL);
        }
    }
    size_t count = 0; /* in the order of fault_kinds, whatever the order in the file */
    for (const struct fault_kind *kind = fault_kinds; kind->name; kind++) {
        struct reader_value member = reader_member(value.value, kind->name);
        bool off = false;
        enum status status =
            member.value ? read_fault(reader, member, kind, &faults[count], &off) : STATUS_OK;
        if (status != STATUS_OK)
            return status;
        if (member.value && !off)
            count++;
    }
    assert(count <= json_object_size(value.value));
    scenario->faults = faults;
    scenario->n_faults = count;
    return STATUS_OK;
}
