/* What the files of the network share. Private to sim/net.
 *
 * An exchange has a lane for each direction: a queue of messages on their way, in order of arrival. One event
 * of the world stands for the first message of a lane. Both ends of an exchange live in one struct, but what
 * one end does reaches the other only as a message. */
#ifndef SYNCLINE_NET_NET_PRIVATE_H
#define SYNCLINE_NET_NET_PRIVATE_H

#include "base/random.h"
#include "net/id_table.h"
#include "net/net.h"

/* Bodies above this never reach a server: kernel/host.h. */
#define NET_BODY_LIMIT (((size_t)16 << 20) + ((size_t)64 << 10))

enum net_counter_kind {
    NET_REFUSE,
    NET_RESET,
    NET_LOSE_RESPONSE,
    NET_STALL,
    NET_SPLIT_CHUNKS,
    NET_HELD,
    NET_GIVE_UP,
    NET_COUNTERS
};

struct link {
    char *from;
    char *to;
    int64_t latency;
    int64_t jitter;
    uint64_t cuts; /* 0: open */
    struct random_stream delay;
    uint64_t exchanges; /* started by `from` towards `to` */
};

/* Something said about all links from `from` (NULL: any) to `to`. */
struct link_rule {
    char *from;
    char *to;
    uint64_t cuts;
    int64_t latency;
    int64_t jitter;
};

struct link_rules {
    struct link_rule *rules;
    size_t count;
    size_t capacity;
};

struct node;

struct timer {
    uint64_t id;    /* as the node knows it: that of its first event */
    uint64_t event; /* of the world; 0: it was due while the node slept */
    struct node *node;
    void (*fire)(void *context);
    void *context;
    struct timer *next;
    struct timer *previous;
};

struct node {
    struct world_host base; /* first: a struct host */
    struct net *net;
    char *name;
    bool listening;
    struct http_server_events listener;
    void *listener_context;
    struct timer *timers; /* those that have not fired */
    unsigned sleeps;      /* net_sleep_node less net_wake_node */
    struct node *sibling; /* the node's next process; NULL: none */
    char *diverted;       /* the node that takes its requests; NULL: those whom they are for */
};

enum message_kind {
    MESSAGE_REQUEST, /* to the server */
    MESSAGE_CLOSE,   /* to the server: the client has gone */
    MESSAGE_HEAD,    /* to the client, as the rest */
    MESSAGE_BODY,
    MESSAGE_END,
    MESSAGE_FAILURE,
    MESSAGE_ACCEPT, /* to the client: the WebSocket is open */
    MESSAGE_DATA,   /* both ways: a WebSocket's message */
    MESSAGE_GOODBYE /* both ways: its closing frame */
};

struct message {
    enum message_kind kind;
    bool held;    /* waits for a link to heal */
    bool stalled; /* on its way for longer than the link takes */
    int64_t arrival;
    struct message *next;
    struct message *previous;
    union {
        struct http_request request;
        struct http_response response;
        enum http_failure failure;
        struct {
            const char *bytes;
            size_t length;
        } body;
        struct {
            enum websocket_kind kind;
            const char *bytes;
            size_t length;
        } data;
        struct {
            int code; /* 0: none */
            const char *reason;
        } goodbye;
    } as; /* what it points to lies in the same allocation */
};

struct exchange;

struct lane {
    struct exchange *exchange;
    struct link *link;
    struct message *first;
    struct message *last;
    int64_t last_arrival;
    uint64_t event; /* arrival of the first message; 0: none is scheduled */
};

/* What the seed has in store for an exchange. */
struct exchange_faults {
    bool refuse;
    bool lose_response;
    bool split_chunks;
    int64_t stall;        /* ns; 0: none */
    uint64_t stall_at;    /* which message of the exchange, from 1 */
    uint64_t reset_at;    /* the same; 0: none */
    uint64_t reset_after; /* ns after that message, drawn when reset_at is */
};

/* What an exchange has more when its client asked for a WebSocket. */
struct socket {
    bool asked;    /* the request is a handshake; the rest has no meaning otherwise */
    bool accepted; /* by the server, which then has no more HTTP business with it */
    bool opened;   /* the client saw that */
    bool refused;  /* the client saw an HTTP answer; it only waits for its end */
    struct websocket_client_events client_events; /* with the exchange's client_context */
    struct websocket_server_events server_events;
    void *server_context;
};

struct exchange {
    uint64_t id;
    struct net *net;
    struct node *client;
    struct node *server; /* NULL until a server took the request */
    char *server_name;
    char *target; /* "METHOD target" */
    struct http_client_events client_events;
    void *client_context;
    struct http_server_events server_events;
    void *server_context;
    bool client_open; /* the client still expects something */
    bool server_open; /* the server has taken the request and not finished */
    bool arrived;     /* the request has reached its fate: taken, refused or lost */
    bool responded;
    struct socket socket;
    struct lane to_server;
    struct lane to_client;
    uint64_t messages; /* sent so far, both directions */
    uint64_t give_up;  /* event; 0: nothing is held */
    uint64_t reset;    /* event; 0: none is scheduled */
    struct exchange_faults faults;
    struct random_stream stream; /* "net.<client>><server>.<n>" */
    unsigned busy;               /* callbacks running: do not free */
    struct exchange *next;
    struct exchange *previous;
};

struct net {
    struct world *world;
    struct net_settings settings;
    struct net_faults faults;
    struct host_operations operations;
    struct map nodes; /* name -> struct node */
    struct map links; /* "from>to" -> struct link */
    struct link_rules cuts;
    struct link_rules latencies;
    struct exchange *first; /* all exchanges, oldest first */
    struct exchange *last;
    struct id_table exchanges;
    struct id_table timers;
    uint64_t n_exchanges;
    uint64_t delays; /* drawn so far */
    uint64_t flip;   /* which of them to change */
    struct net_counter counters[NET_COUNTERS];
};

/* link.c */
struct link *link_find(struct net *net, const char *from, const char *to); /* made when it is new */
int64_t link_delay(struct net *net, struct link *link);
void links_free(struct net *net);
void links_release(struct net *net, bool stalled_too);

/* message.c: each is one allocation, freed with free(). */
struct message *message_request(const struct http_request *request);
struct message *message_response(const struct http_response *response);
struct message *message_body(const void *first, size_t first_length, const void *second,
                             size_t second_length);
struct message *message_plain(enum message_kind kind);
struct message *message_failure(enum http_failure failure);

struct message *message_data(enum websocket_kind kind, const void *bytes, size_t length);
struct message *message_goodbye(int code, const char *reason);

/* lane.c */
void lane_send(struct lane *lane, struct message *message); /* takes the message */
/* Give held messages (and stalled ones, if `all`) new arrival times, and those behind them. */
void lane_release(struct lane *lane, bool all);
bool lane_holds(const struct lane *lane);
size_t lane_waiting(const struct lane *lane);       /* messages held or stalled, with those behind them */
size_t lane_waiting_bytes(const struct lane *lane); /* of the body, in messages that do not move */
void lane_clear(struct lane *lane);
/* Like lane_send, but joined to the last message when that is body bytes still on their way. */
void lane_merge(struct lane *lane, const void *bytes, size_t length);

/* exchange.c */
struct exchange *exchange_create(struct node *client, const struct http_request *request);
void exchange_deliver(struct lane *lane, struct message *message);         /* takes the message */
void exchange_break(struct exchange *exchange, enum http_failure failure); /* both ends learn it now */
void exchange_drop_give_up(struct exchange *exchange);                     /* when nothing is held any more */
void exchange_leave_client(struct exchange *exchange);                     /* the client's end is gone */
void exchange_settle(struct exchange *exchange); /* free what nobody needs any more, maybe all of it */
void exchange_free(struct exchange *exchange);
void exchange_emit(struct exchange *exchange, struct wire_event event);
void exchange_emit_response(struct exchange *exchange, enum wire_kind kind,
                            const struct http_response *response);

/* http.c: the host operations of both ends */
void http_operations(struct host_operations *operations);

/* socket.c: the WebSocket operations of both ends, and what arrives there */
void socket_operations(struct host_operations *operations);
void socket_deliver_to_client(struct exchange *exchange, const struct message *message);
void socket_deliver_to_server(struct exchange *exchange, const struct message *message);
void socket_tell_client_failed(struct exchange *exchange);
void socket_tell_server_closed(struct exchange *exchange);

/* fault.c */
void fault_draw(struct exchange *exchange);
void fault_message_sent(struct exchange *exchange); /* may plan the reset */
int64_t fault_stall(struct exchange *exchange);     /* ns to add to the message just sent */
void fault_write(struct exchange *exchange, const void *bytes, size_t length); /* cut and merged at random */
void fault_clear(struct exchange *exchange);                                   /* nothing more is in store */

/* timer.c */
void timer_operations(struct host_operations *operations);
void timers_clear(struct node *node);
void timers_wake(struct node *node); /* what was due meanwhile is due now */

#endif
