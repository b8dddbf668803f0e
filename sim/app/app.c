#include <assert.h>
#include <string.h>

#include "app/app.h"

#define APP_ADDRESS(name_) &app_##name_,
static const struct app *const all_apps[] = {APPS(APP_ADDRESS) NULL};

const struct app *const *app_all(void) {
    return all_apps;
}

const struct app *app_find(const char *name) {
    assert(name);
    for (size_t i = 0; all_apps[i]; i++)
        if (!strcmp(all_apps[i]->name, name))
            return all_apps[i];
    return NULL;
}

const struct app_action_kind *app_action_find(const struct app *app, const char *name) {
    for (const struct app_action_kind *kind = app->actions; kind->name; kind++)
        if (!strcmp(kind->name, name))
            return kind;
    return NULL;
}
