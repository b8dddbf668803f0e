/* `drive:`, what fault points do at certain times. */
#include <assert.h>
#include <string.h>

#include "scenario/language.h"

#define PLACE(member) offsetof(struct scenario_drive, member)

/* A point that is driven without end would be a long list in the kernel. */
enum { NTH_MOST = 10000 };

static enum status read_delay(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_drive *drive = target;
    drive->action.action = FAULT_DELAY;
    return reader_duration(reader, value, TIME_NANOSECOND, TIME_DAY, &drive->action.delay);
}

static enum status read_error(struct reader *reader, struct reader_value value, void *target) {
    struct scenario_drive *drive = target;
    if (!json_is_true(value.value))
        return reader_refuse(reader, value, "`error` must be true: the operation at the point fails");
    if (drive->action.action != FAULT_NONE)
        return reader_refuse(reader, value, "a fault point is driven by `delay` or by `error`, not by both");
    drive->action.action = FAULT_ERROR;
    return STATUS_OK;
}

static enum status read_drive(struct reader *reader, struct reader_value value,
                              struct scenario_drive *drive) {
    static const struct field fields[] = {
        {.key = "point", .kind = FIELD_TEXT, .offset = PLACE(point)},
        {.key = "nth", .kind = FIELD_COUNT_RANGE, .offset = PLACE(nth), .low = 1, .high = NTH_MOST},
        {.key = "delay", .kind = FIELD_SPECIAL, .read = read_delay},
        {.key = "error", .kind = FIELD_SPECIAL, .read = read_error},
        {.key = NULL}};
    *drive = (struct scenario_drive){.nth = {1, 1}};
    enum status status = reader_mapping(reader, value, "", fields, drive);
    if (status == STATUS_OK && (!drive->point || drive->action.action == FAULT_NONE))
        return reader_refuse(reader, value,
                             "an entry of `drive` needs `point`, and `delay` or `error`: "
                             "{point: service.before-mapping, nth: 3, delay: 500ms}");
    return status;
}

enum status scenario_read_drives(struct reader *reader, struct reader_value value, void *target) {
    struct scenario *scenario = target;
    if (!json_is_array(value.value))
        return reader_refuse(reader, value, "`drive` must be a list, this is %s", reader_type(value.value));
    size_t count = json_array_size(value.value);
    struct scenario_drive *drives = arena_allocate(reader->arena, (count + 1) * sizeof *drives);
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        status = read_drive(reader, reader_item(value.value, i), &drives[i]);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        assert(drives[i].point && drives[i].nth.low >= 1 && drives[i].action.action != FAULT_NONE);
    scenario->drives = drives;
    scenario->n_drives = count;
    return status;
}
