/* Several clients of the sync protocol over a bad network: every Transition shows all subscribed queries as
 * they were at its timestamp, by a model that is kept from the commits alone; every mutation takes effect
 * exactly once, however often it is sent. */
#include "sync_script.h"

#define MS TIME_MILLISECOND

enum { CLIENTS = 4, QUERIES = 3, MUTATIONS = 25 };

static const char *const uuids[QUERIES] = {"a", "b", "c"};

/* From this commit on, the pet with this uuid has this count. */
struct fact {
    uint64_t ts;
    size_t pet;
    double count;
};

struct model {
    struct fact facts[2000];
    size_t n_facts;
};

struct device {
    struct script script; /* `context` points back */
    struct host *host;
    struct model *model;
    size_t number;
    unsigned connections;
    bool subscribed;        /* on this socket */
    uint64_t ts;            /* of the last transition on this socket */
    double values[QUERIES]; /* as last heard on this socket */
    bool known[QUERIES];
    size_t pets[MUTATIONS]; /* which pet mutation n increments */
    bool answered[MUTATIONS];
    size_t n_mutations;
    uint64_t awaited; /* timestamp that a later transition must reach */
    size_t transitions;
};

static void learn(void *context, int64_t now, const char *node, const struct note *note) {
    struct model *model = context;
    (void)now;
    (void)node;
    for (size_t i = 0; note->kind == NOTE_COMMIT && i < note->n_rows; i++) {
        json_t *json = json_parse(note->rows[i].values, strlen(note->rows[i].values), NULL);
        struct fact *fact = &model->facts[model->n_facts++];
        assert_true(model->n_facts < LENGTH_OF(model->facts));
        fact->ts = (uint64_t)note->timestamp;
        fact->pet = (size_t)(*json_text(json, "uuid") - 'a');
        fact->count = json_number_value(json_object_get(json, "count"));
        json_decref(json);
    }
}

static double count_at(const struct model *model, size_t pet, uint64_t ts) {
    double count = -1;
    for (size_t i = 0; i < model->n_facts && model->facts[i].ts <= ts; i++) {
        count = model->facts[i].pet == pet ? model->facts[i].count : count;
    }
    return count;
}

static uint64_t stamp(const json_t *json) {
    struct buffer bytes = {0};
    uint64_t ts = 0;
    const char *text = json_text(json, "ts");
    assert_int_equal(base64_decode(&bytes, text, strlen(text), NULL), STATUS_OK);
    assert_int_equal(bytes.length, 8);
    for (size_t i = 8; i-- > 0;) {
        ts = ts << 8 | (unsigned char)bytes.data[i];
    }
    buffer_free(&bytes);
    return ts;
}

static void hear_transition(struct device *device, const json_t *json) {
    const json_t *items = json_object_get(json, "modifications");
    uint64_t end = stamp(json_object_get(json, "endVersion"));
    assert_true(stamp(json_object_get(json, "startVersion")) == device->ts);
    assert_true(end >= device->ts);
    device->ts = end;
    device->transitions++;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);
        size_t query = (size_t)json_integer_or(item, "queryId", -1);
        assert_string_equal(json_text(item, "type"), "QueryUpdated");
        assert_true(query < QUERIES);
        double value = json_number_value(json_array_get(json_object_get(item, "value"), 0));
        assert_true(!device->known[query] || value != device->values[query]); /* else it is left out */
        device->values[query] = value;
        device->known[query] = true;
    }
    for (size_t i = 0; i < QUERIES; i++) {
        assert_true(device->known[i]);
        assert_true(device->values[i] == count_at(device->model, i, end));
    }
    device->awaited = end >= device->awaited ? 0 : device->awaited;
}

static void hear(struct script *script, const char *text, size_t length) {
    struct device *device = script->context;
    json_t *json = json_parse(text, length, NULL);
    const char *type = json_text(json, "type");
    if (strcmp(type, "Transition") == 0) {
        hear_transition(device, json);
    } else if (strcmp(type, "MutationResponse") == 0) {
        uint64_t ts = stamp(json);
        device->answered[json_integer_or(json, "requestId", -1)] = true;
        assert_true(json_is_true(json_object_get(json, "success")));
        device->awaited = ts > device->ts && ts > device->awaited ? ts : device->awaited;
    } else {
        assert_string_equal(type, "Ping");
    }
    json_decref(json);
}

static void send_mutation_of(struct device *device, size_t n) {
    char *text = memory_format("{\"type\":\"Mutation\",\"requestId\":%zu,\"udfPath\":\"pets:increment\","
                               "\"args\":[{\"uuid\":\"%s\"}]}",
                               n, uuids[device->pets[n]]);
    script_say(&device->script, device->host, text);
    free(text);
}

/* What a client says on a new socket: who it is, its queries, its unfinished mutations. */
static void introduce(struct device *device) {
    char *text =
        memory_format("{\"type\":\"Connect\",\"sessionId\":\"3f0c0000-1111-4222-8333-44445555000%zu\","
                      "\"connectionCount\":%u,\"lastCloseReason\":null}",
                      device->number, device->connections++);
    script_say(&device->script, device->host, text);
    free(text);
    script_say(&device->script, device->host,
               "{\"type\":\"ModifyQuerySet\",\"baseVersion\":0,\"newVersion\":1,\"modifications\":["
               "{\"type\":\"Add\",\"queryId\":0,\"udfPath\":\"pets:named\",\"args\":[{\"uuid\":\"a\"}]},"
               "{\"type\":\"Add\",\"queryId\":1,\"udfPath\":\"pets:named\",\"args\":[{\"uuid\":\"b\"}]},"
               "{\"type\":\"Add\",\"queryId\":2,\"udfPath\":\"pets:named\",\"args\":[{\"uuid\":\"c\"}]}]}");
    for (size_t i = 0; i < device->n_mutations; i++) {
        if (!device->answered[i]) {
            send_mutation_of(device, i);
        }
    }
    device->subscribed = true;
}

static void step(struct device *device, struct fixture *fixture, uint64_t draw, bool calm) {
    if (device->script.open && !device->subscribed) {
        introduce(device);
    } else if (!device->script.open && (device->script.closed != 0 || device->script.socket == 0)) {
        device->ts = 0;
        device->awaited = 0;
        device->subscribed = false;
        memset(device->known, 0, sizeof device->known);
        script_connect(&device->script, fixture, device->host, "/api/1.48.0/sync");
    } else if (!calm && device->subscribed && draw % 16 == 0) {
        host_http_abort(device->host, device->script.socket);
        device->script.open = false;
        device->script.closed = 1006;
    } else if (!calm && device->subscribed && device->n_mutations < MUTATIONS) {
        device->pets[device->n_mutations] = (size_t)(draw >> 8) % QUERIES;
        send_mutation_of(device, device->n_mutations++);
    }
}

static void run_seed(uint64_t seed) {
    struct fixture *fixture = script_world();
    struct device devices[CLIENTS];
    struct model *model = memory_allocate(sizeof *model);
    size_t wanted[QUERIES] = {0}, transitions = 0;
    memset(devices, 0, sizeof devices);
    world_observe(fixture->world, &(struct world_observer){.note = learn, .context = model});
    for (size_t i = 0; i < QUERIES; i++) {
        struct convex_value *args = convex_object();
        convex_object_set(args, "uuid", convex_string(uuids[i]));
        struct error error = {0};
        assert_int_equal(convex_deployment_run(fixture->deployment, "pets:add", args, NULL, &error),
                         STATUS_OK);
        convex_free(args);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "device-%zu", i);
        devices[i] = (struct device){.host = net_node(fixture->net, name), .model = model, .number = i};
        devices[i].script.hear = hear;
        devices[i].script.context = &devices[i];
    }
    net_set_faults(fixture->net,
                   &(struct net_faults){
                       .reset = 200000, .lose_response = 100000, .stall = 200000, .stall_time = 500 * MS});
    for (int round = 0; round < 2000; round++) {
        bool calm = round >= 800;
        if (round == 800) {
            net_heal_all(fixture->net);
        }
        for (size_t i = 0; i < CLIENTS; i++) {
            char choice[32];
            snprintf(choice, sizeof choice, "step.%llu", (unsigned long long)seed);
            step(&devices[i], fixture, world_random(fixture->world, "test", choice), calm);
        }
        fixture_run(fixture, 10 * MS);
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(devices[i].n_mutations, MUTATIONS);
        assert_true(devices[i].awaited == 0); /* every answer was covered by a transition */
        transitions += devices[i].transitions;
        for (size_t j = 0; j < MUTATIONS; j++) {
            assert_true(devices[i].answered[j]);
            wanted[devices[i].pets[j]]++;
        }
        script_free(&devices[i].script);
    }
    for (size_t i = 0; i < QUERIES; i++) {
        assert_true(count_at(model, i, UINT64_MAX) == (double)wanted[i]);
    }
    assert_true(transitions > 50);
    free(model);
    fixture_free(fixture);
}

static void test_random(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 20; seed++) {
        run_seed(seed);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
