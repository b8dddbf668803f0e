#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/net_private.h"

static bool same(const char *a, const char *b) {
    return a == b || (a && b && strcmp(a, b) == 0);
}

static bool covers(const struct link_rule *rule, const struct link *link) {
    return (!rule->from || same(rule->from, link->from)) && (!rule->to || same(rule->to, link->to));
}

/* The rule for exactly these ends; NULL: none. */
static struct link_rule *find_rule(const struct link_rules *rules, const char *from, const char *to) {
    for (size_t i = 0; i < rules->count; i++)
        if (same(rules->rules[i].from, from) && same(rules->rules[i].to, to))
            return &rules->rules[i];
    return NULL;
}

static struct link_rule *add_rule(struct link_rules *rules, const char *from, const char *to) {
    MEMORY_RESERVE(rules->rules, rules->capacity, rules->count + 1);
    struct link_rule *rule = &rules->rules[rules->count++];
    *rule = (struct link_rule){.from = memory_copy_text(from), .to = memory_copy_text(to)};
    return rule;
}

static void remove_rule(struct link_rules *rules, struct link_rule *rule) {
    size_t index = (size_t)(rule - rules->rules);
    assert(index < rules->count);
    free(rule->from);
    free(rule->to);
    memmove(rule, rule + 1, (rules->count - index - 1) * sizeof *rule);
    rules->count--;
}

static struct link *make_link(struct net *net, const char *from, const char *to) {
    struct link *link = memory_allocate(sizeof *link);
    link->from = memory_copy_text(from);
    link->to = memory_copy_text(to);
    link->latency = net->settings.latency;
    link->jitter = net->settings.jitter;
    for (size_t i = 0; i < net->cuts.count; i++)
        if (covers(&net->cuts.rules[i], link))
            link->cuts += net->cuts.rules[i].cuts;
    for (size_t i = 0; i < net->latencies.count; i++)
        if (covers(&net->latencies.rules[i], link)) {
            link->latency = net->latencies.rules[i].latency;
            link->jitter = net->latencies.rules[i].jitter;
        }
    char *name = memory_format("%s>%s.delay", from, to);
    link->delay = random_stream_make(world_seed(net->world), name);
    free(name);
    return link;
}

struct link *link_find(struct net *net, const char *from, const char *to) {
    char small[128];
    int length = snprintf(small, sizeof small, "%s>%s", from, to);
    assert(length > 0);
    char *key = (size_t)length < sizeof small ? small : memory_format("%s>%s", from, to);
    struct link *link = map_get_bytes(&net->links, key, (size_t)length);
    if (!link) {
        link = make_link(net, from, to);
        map_set_bytes(&net->links, key, (size_t)length, link);
    }
    if (key != small)
        free(key);
    return link;
}

int64_t link_delay(struct net *net, struct link *link) {
    int64_t delay = link->latency + (link->jitter ? random_exponential(&link->delay, link->jitter) : 0);
    if (++net->delays == net->flip)
        delay ^= 1;
    assert(delay >= 0);
    return delay;
}

static void free_link(void *value) {
    struct link *link = value;
    free(link->from);
    free(link->to);
    free(link);
}

static void free_rules(struct link_rules *rules) {
    while (rules->count > 0)
        remove_rule(rules, &rules->rules[rules->count - 1]);
    free(rules->rules);
    *rules = (struct link_rules){0};
}

void links_free(struct net *net) {
    map_free(&net->links, free_link);
    free_rules(&net->cuts);
    free_rules(&net->latencies);
}

/* --- latency --- */

static void set_latency(struct link *link, int64_t latency, int64_t jitter) {
    link->latency = latency;
    link->jitter = jitter;
}

/* Of two named nodes the link itself remembers it; a rule is for nodes that may not exist yet. */
void net_set_latency(struct net *net, const char *from, const char *to, int64_t latency, int64_t jitter) {
    assert(latency >= 0 && jitter >= 0);
    if (from && to) {
        set_latency(link_find(net, from, to), latency, jitter);
        return;
    }
    struct link_rule *old = find_rule(&net->latencies, from, to);
    if (old) /* the new rule goes to the end: what is set last counts */
        remove_rule(&net->latencies, old);
    struct link_rule *rule = add_rule(&net->latencies, from, to);
    rule->latency = latency;
    rule->jitter = jitter;
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&net->links, &at));)
        if (covers(rule, entry->value))
            set_latency(entry->value, latency, jitter);
}

/* --- cuts --- */

void net_cut(struct net *net, const char *from, const char *to) {
    struct link_rule *rule = find_rule(&net->cuts, from, to);
    if (!rule)
        rule = add_rule(&net->cuts, from, to);
    rule->cuts++;
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&net->links, &at));)
        if (covers(rule, entry->value))
            ((struct link *)entry->value)->cuts++;
}

/* Let go what waits at links that are open now. */
void links_release(struct net *net, bool stalled_too) {
    for (struct exchange *exchange = net->first; exchange; exchange = exchange->next) {
        lane_release(&exchange->to_server, stalled_too);
        lane_release(&exchange->to_client, stalled_too);
    }
}

void net_heal(struct net *net, const char *from, const char *to) {
    struct link_rule *rule = find_rule(&net->cuts, from, to);
    if (!rule) /* healed already, by net_heal_all */
        return;
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&net->links, &at));) {
        struct link *link = entry->value;
        if (!covers(rule, link))
            continue;
        assert(link->cuts > 0);
        link->cuts--;
    }
    if (--rule->cuts == 0)
        remove_rule(&net->cuts, rule);
    links_release(net, false);
}

void net_heal_all(struct net *net) {
    while (net->cuts.count > 0)
        remove_rule(&net->cuts, &net->cuts.rules[net->cuts.count - 1]);
    size_t at = 0;
    for (struct map_entry *entry; (entry = map_next(&net->links, &at));)
        ((struct link *)entry->value)->cuts = 0;
    net->faults = (struct net_faults){0};
    for (struct exchange *exchange = net->first; exchange; exchange = exchange->next)
        fault_clear(exchange);
    links_release(net, true);
}
