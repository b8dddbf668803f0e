/* Lists of those who want to be woken, in order of subscribing. A watch is owned by its subscriber; a wake
 * must only set a flag or a timer, never change a list. */
#ifndef MOCK_POWERSYNC_WATCH_H
#define MOCK_POWERSYNC_WATCH_H

struct watch {
    struct watch_list *list; /* NULL: not subscribed */
    void (*wake)(void *context);
    void *context;
    struct watch *previous;
    struct watch *next;
};

/* A zeroed list is empty. */
struct watch_list {
    struct watch *first;
    struct watch *last;
};

void watch_add(struct watch_list *list, struct watch *watch, void (*wake)(void *), void *context);
void watch_remove(struct watch *watch); /* one that is not subscribed is ignored */
void watch_wake_all(const struct watch_list *list);

#endif
