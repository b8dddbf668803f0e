#include <assert.h>
#include <string.h>

#include "app/app.h"
#include "app/notes.h"
#include "app/teams.h"
#include "app/todo.h"

static const struct app *const all_apps[] = {&app_todo, &app_teams, &app_notes, NULL};

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
