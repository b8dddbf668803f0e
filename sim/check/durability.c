/* durability: what a device's disk holds after a restart is what SQLite in WAL mode promises. The end of a
 * process takes no local transaction. Power loss takes none that a sync of the log has covered: the newest
 * ones may go (unless each commit is synced), as a whole and from the end. Nothing leaves a database that
 * cannot be read, or a queue with an open gate. Devices whose databases are in memory are not judged. */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/memory.h"
#include "check/properties.h"

struct device {
    int64_t newest;         /* local transaction */
    uint64_t newest_record; /* the record of its write; 0: none */
};

struct state {
    struct checker *checker;
    struct map devices; /* node name -> struct device */
};

static void *create(struct checker *checker) {
    struct state *state = memory_allocate(sizeof *state);
    state->checker = checker;
    return state;
}

static void destroy(void *self) {
    struct state *state = self;
    map_free(&state->devices, free);
    free(state);
}

static struct device *device_of(struct state *state, const char *node) {
    struct device *device = map_get(&state->devices, node);
    if (device == NULL) {
        device = memory_allocate(sizeof *device);
        map_set(&state->devices, node, device);
    }
    return device;
}

static void report(struct state *state, const struct device *device, const struct history_record *record,
                   char *expected, char *seen) {
    const struct violation violation = {
        .property = property_durability.name,
        .client = record->node,
        .expected = expected,
        .seen = seen,
        .first_record = device->newest_record,
        .second_record = record->number,
        .time = record->time,
        .explanation = memory_format("%s has started again (%s): %s, and it must be %s.", record->node,
                                     record->note.text == NULL ? "its process had ended" : record->note.text,
                                     seen, expected)};
    checker_report(state->checker, &violation);
}

/* The least that must be there. */
static int64_t owed(const struct device *device, const struct note *note) {
    bool power = note->text != NULL && strcmp(note->text, "power loss") == 0;
    return power ? note->timestamp : device->newest;
}

static void judge_restart(struct state *state, struct device *device, const struct history_record *record) {
    const struct note *note = &record->note;
    if (note->text != NULL && strncmp(note->text, "damaged", 7) == 0)
        report(state, device, record, memory_copy_text("in order"), memory_copy_text(note->text));
    else if (note->transaction < owed(device, note))
        report(state, device, record,
               memory_format("at least at transaction %lld", (long long)owed(device, note)),
               memory_format("its newest transaction is %lld", (long long)note->transaction));
    device->newest = note->transaction;
}

static void on_record(void *self, const struct history_record *record) {
    struct state *state = self;
    const struct note *note = &record->note;
    if (note->kind == NOTE_LOCAL_WRITE && note->transaction > 0) {
        struct device *device = device_of(state, record->node);
        device->newest = note->transaction;
        device->newest_record = record->number;
    } else if (note->kind == NOTE_RESTART && checker_settings(state->checker)->disks) {
        judge_restart(state, device_of(state, record->node), record);
    }
}

const struct property property_durability = {
    .name = "durability",
    .promise = "a restart finds every local write that the device's disk has promised to keep",
    .create = create,
    .record = on_record,
    .destroy = destroy,
};
