#include "mock-powersync/storage/watch.h"

#include <assert.h>
#include <stddef.h>

void watch_add(struct watch_list *list, struct watch *watch, void (*wake)(void *), void *context) {
    assert(list && watch && wake && !watch->list);
    *watch = (struct watch){.list = list, .wake = wake, .context = context, .previous = list->last};
    if (list->last)
        list->last->next = watch;
    else
        list->first = watch;
    list->last = watch;
}

void watch_remove(struct watch *watch) {
    struct watch_list *list = watch->list;
    if (!list)
        return;
    if (watch->previous)
        watch->previous->next = watch->next;
    else
        list->first = watch->next;
    if (watch->next)
        watch->next->previous = watch->previous;
    else
        list->last = watch->previous;
    *watch = (struct watch){0};
}

void watch_wake_all(const struct watch_list *list) {
    for (struct watch *watch = list->first; watch; watch = watch->next)
        watch->wake(watch->context);
}
