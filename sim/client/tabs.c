#include "client/tabs.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "client/client_parts.h"
#include "kernel/time.h"

#define NEWS_SOONEST (TIME_MILLISECOND / 5)
#define NEWS_LATEST (20 * TIME_MILLISECOND)

struct turn {
    enum { TURN_NONE, TURN_WAITS, TURN_HAS } state;
    uint64_t ticket; /* who asked first is first */
    uint64_t timer;  /* the tab does not know yet that it has it */
    void (*begin)(void *context);
    void *context;
};

struct tab {
    struct client *client;
    struct tab *next;
    bool running;
    struct turn turns[TABS_LOCKS];
    uint64_t news_timer; /* 0: nothing is on its way to it */
    bool news_of_queue;
};

struct tabs {
    struct tab *first;
    uint64_t tickets;
    bool stuck[TABS_LOCKS]; /* mutant lock-after-close: nobody gets it any more */
};

struct tabs *tabs_create(void) {
    return memory_allocate(sizeof(struct tabs));
}

void tabs_destroy(struct tabs *tabs) {
    assert(tabs == NULL || tabs->first == NULL);
    free(tabs);
}

static struct tab *tab_of(const struct client *client) {
    struct tab *tab = client->tabs->first;

    while (tab->client != client)
        tab = tab->next;
    return tab;
}

void tabs_add(struct tabs *tabs, struct client *client) {
    struct tab **end = &tabs->first;

    while (*end != NULL)
        end = &(*end)->next;
    *end = memory_allocate(sizeof **end);
    (*end)->client = client;
    (*end)->running = true;
}

struct client *tabs_first(const struct tabs *tabs) {
    return tabs->first == NULL ? NULL : tabs->first->client;
}

static size_t count_running(const struct tabs *tabs) {
    size_t count = 0;

    for (const struct tab *tab = tabs->first; tab != NULL; tab = tab->next)
        count += tab->running;
    return count;
}

/* --- locks --- */

static void begin_turn(void *context) {
    struct turn *turn = context;

    turn->timer = 0;
    turn->begin(turn->context);
}

static void grant(struct tabs *tabs, enum tabs_lock lock) {
    struct tab *next = NULL;

    for (struct tab *tab = tabs->first; tab != NULL; tab = tab->next) {
        const struct turn *turn = &tab->turns[lock];

        /* Mutant no-tab-locks: nobody waits for anybody. */
        if (turn->state == TURN_HAS && !host_mutant(tab->client->host, "no-tab-locks"))
            return;
        if (turn->state == TURN_WAITS && (next == NULL || turn->ticket < next->turns[lock].ticket))
            next = tab;
    }
    if (next == NULL || tabs->stuck[lock])
        return;
    next->turns[lock].state = TURN_HAS;
    next->turns[lock].timer = host_timer_set(next->client->host, 0, begin_turn, &next->turns[lock]);
}

void tabs_take(struct client *client, enum tabs_lock lock, void (*begin)(void *context), void *context) {
    struct turn *turn;

    if (client->tabs == NULL) {
        begin(context);
        return;
    }
    turn = &tab_of(client)->turns[lock];
    assert(turn->state == TURN_NONE);
    *turn = (struct turn){TURN_WAITS, ++client->tabs->tickets, 0, begin, context};
    grant(client->tabs, lock);
}

void tabs_release(struct client *client, enum tabs_lock lock) {
    struct turn *turn;

    if (client->tabs == NULL)
        return;
    turn = &tab_of(client)->turns[lock];
    host_timer_cancel(client->host, turn->timer);
    *turn = (struct turn){.state = TURN_NONE};
    grant(client->tabs, lock);
}

/* --- changes --- */

static void hear_news(void *context) {
    struct tab *tab = context;
    const bool queue = tab->news_of_queue;

    tab->news_timer = 0;
    tab->news_of_queue = false;
    client_hear(tab->client, queue);
}

void tabs_announce(struct client *client, bool queue) {
    if (client->tabs == NULL)
        return;
    for (struct tab *tab = client->tabs->first; tab != NULL; tab = tab->next) {
        if (tab->client == client || !tab->running)
            continue;
        tab->news_of_queue |= queue;
        if (tab->news_timer == 0) /* else it comes with what is on its way */
            tab->news_timer =
                host_timer_set(tab->client->host,
                               host_random_between(tab->client->host, "tabs.news", NEWS_SOONEST, NEWS_LATEST),
                               hear_news, tab);
    }
}

/* --- life --- */

size_t tabs_close(struct client *client) {
    struct tabs *tabs = client->tabs;
    struct tab *tab = tab_of(client);

    assert(tab->running);
    tab->running = false;
    host_timer_cancel(client->host, tab->news_timer);
    tab->news_timer = 0;
    tab->news_of_queue = false;
    for (enum tabs_lock lock = 0; lock < TABS_LOCKS; lock++) {
        if (tab->turns[lock].state == TURN_HAS && host_mutant(client->host, "lock-after-close"))
            tabs->stuck[lock] = true;
        if (tab->turns[lock].state != TURN_NONE)
            tabs_release(client, lock);
    }
    return count_running(tabs);
}

size_t tabs_open(struct client *client) {
    struct tab *tab = tab_of(client);

    assert(!tab->running);
    tab->running = true;
    return count_running(client->tabs);
}

void tabs_remove(struct tabs *tabs, struct client *client) {
    struct tab **at = &tabs->first;
    struct tab *tab = tab_of(client);

    if (tab->running)
        (void)tabs_close(client);
    while (*at != tab)
        at = &(*at)->next;
    *at = tab->next;
    free(tab);
}
