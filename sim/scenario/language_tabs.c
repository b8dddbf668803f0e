/* `tabs:`: several processes of an app on one device, and what does not go with them. */
#include <string.h>

#include "scenario/fault_kinds.h"
#include "scenario/language.h"

/* What would need all tabs to agree (an SDK gives no way for that), or an operation of the disk that fails
 * under one of them. */
static bool is_for_one_process(enum step_kind kind) {
    return kind == STEP_CLEAR || kind == STEP_SWITCH_USER || kind == STEP_UPDATE_APP ||
           kind == STEP_DISK_FULL || kind == STEP_DISK_ERROR || kind == STEP_DISK_READ_ONLY;
}

static enum status refuse_kind(struct reader *reader, struct reader_value place, const char *name,
                               enum step_kind kind, const struct scenario *scenario) {
    if (scenario->tabs > 1 && is_for_one_process(kind))
        return reader_refuse(reader, place,
                             "`%s` is for apps with one process: with `tabs` it is not followed", name);
    if (scenario->tabs == 1 && (kind == STEP_CLOSE_TAB || kind == STEP_FREEZE_TAB))
        return reader_refuse(reader, place, "`%s` needs an app with tabs: tabs: 2", name);
    return STATUS_OK;
}

/* The faults of a mapping, which are also what steps are called. */
static enum status check_names(struct reader *reader, struct reader_value mapping,
                               const struct scenario *scenario) {
    enum status status = STATUS_OK;
    for (const struct fault_kind *kind = fault_kinds; status == STATUS_OK && kind->name; kind++)
        if (kind->class == FAULT_CLASS_TIMED && json_object_get(mapping.value, kind->name) &&
            !json_is_false(json_object_get(mapping.value, kind->name)))
            status = refuse_kind(reader, reader_member(mapping.value, kind->name), kind->name, kind->step,
                                 scenario);
    return status;
}

static enum status check_steps(struct reader *reader, struct reader_value steps,
                               const struct scenario *scenario) {
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < json_array_size(steps.value); i++)
        status = check_names(reader, reader_item(steps.value, i), scenario);
    return status;
}

enum status scenario_check_tabs(struct reader *reader, struct reader_value root,
                                const struct scenario *scenario) {
    struct reader_value tabs = reader_member(root.value, "tabs");
    if (scenario->shared_worker && scenario->tabs == 1)
        return reader_refuse(reader, reader_member(root.value, "shared-worker"),
                             "a shared worker syncs for several tabs: tabs: 2");
    if (scenario->tabs > 1 && strncmp(scenario->engine, "core", 4) != 0)
        return reader_refuse(reader, tabs,
                             "the engine `%s` has no database that several tabs could open: engine: core",
                             scenario->engine);
    if (scenario->tabs > 1 && !scenario->shared_worker &&
        scenario->write_checkpoints == CLIENT_CHECKPOINTS_REQUESTS)
        return reader_refuse(
            reader, reader_member(root.value, "write-checkpoints"),
            "only the tab that streams can number write checkpoints: with `tabs` they must be "
            "legacy, or a shared worker must sync");
    if (scenario->tabs > 1 && scenario->browse.n_pages > 0)
        return reader_refuse(reader, reader_member(root.value, "browse"),
                             "`browse` is for apps with one process: with `tabs` it is not followed");
    if (scenario->tabs > 1 && scenario->n_old_apps > 0)
        return reader_refuse(reader, reader_member(root.value, "old-app"),
                             "`old-app` is for apps with one process: with `tabs` it is not followed");
    enum status status = check_names(reader, reader_member(root.value, "faults"), scenario);
    return status == STATUS_OK ? check_steps(reader, reader_member(root.value, "steps"), scenario) : status;
}
