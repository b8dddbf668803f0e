/* Backends in YAML: expressions and statements one by one, what loading refuses, and the bounds of a call. */
#include "fixture.h"

#include "mock-convex/backend.h"

/* --- helpers --- */

static struct convex_backend *parse(const char *text) {
    struct convex_backend *backend = NULL;
    struct error error = {0};
    if (convex_backend_parse(text, strlen(text), "folder/app.yaml", &backend, &error) != STATUS_OK) {
        fail_msg("%d:%d: %s in\n%s", error.line, error.column, error.message, text);
    }
    return backend;
}

static struct fixture *deploy(const struct convex_backend *backend) {
    struct fixture *fixture = fixture_world();
    struct convex_deployment_options options = fixture_options();
    options.tables = backend->tables;
    options.n_tables = backend->n_tables;
    options.functions = backend->functions;
    options.n_functions = backend->n_functions;
    options.schemaless = backend->schemaless;
    fixture_deploy(fixture, &options);
    return fixture;
}

/* What a function gives, as encoded JSON, or its error's message. The caller frees the text. */
static char *outcome(struct fixture *fixture, const char *path, const char *args_text) {
    struct buffer text = {0};
    struct error error = {0};
    struct convex_value *args = NULL, *result = NULL;
    json_t *json = json_parse(args_text, strlen(args_text), &error);
    assert_int_equal(convex_from_json(json, &args, &error), STATUS_OK);
    json_decref(json);
    if (convex_deployment_run(fixture->deployment, path, args, &result, &error) == STATUS_OK) {
        convex_append_json(&text, result, CONVEX_FORMAT_ENCODED);
    } else {
        buffer_append_text(&text, error.message);
    }
    convex_free(args);
    convex_free(result);
    return buffer_take(&text);
}

static void expect_begin(struct fixture *fixture, const char *path, const char *args, const char *expected) {
    char *text = outcome(fixture, path, args);
    if (strncmp(text, expected, strlen(expected)) != 0) {
        fail_msg("%s: '%s' does not begin with '%s'", path, text, expected);
    }
    free(text);
}

static void expect(struct fixture *fixture, const char *path, const char *args, const char *expected) {
    char *text = outcome(fixture, path, args);
    if (strcmp(text, expected) != 0) {
        fail_msg("%s %s: '%s', expected '%s'", path, args, text, expected);
    }
    free(text);
}

/* How often a mutation had to run again. */
static uint64_t retries_of(struct fixture *fixture) {
    const struct world_counter *counters;
    size_t count = world_marks(fixture->world, &counters);
    uint64_t retries = 0;
    for (size_t i = 0; i < count; i++) {
        retries += strcmp(counters[i].name, "convex.occ-retry") == 0 ? counters[i].reached : 0;
    }
    return retries;
}

/* --- expressions: what JavaScript gives --- */

struct evaluation {
    const char *expression;
    const char *expected; /* encoded JSON, or how the error begins */
};

/* args: {a: 2, s: "text", big: 5n, list: [1, 2, 3], none: null, deep: {x: {y: 1}}} */
static const struct evaluation evaluations[] = {
    {"1 + 2 * 3", "7.0"},
    {"(1 + 2) * 3", "9.0"},
    {"7 - 2 - 1", "4.0"},
    {"10 - 2 * 3", "4.0"},
    {"8 / 2 / 2", "2.0"},
    {"1 + 2 < 4 == true && 1 < 2", "true"},
    {"7 / 2", "3.5"},
    {"1 / 0", "{\"$float\":\"AAAAAAAA8H8=\"}"},
    {"-args.a", "-2.0"},
    {"7n / 2n", "{\"$integer\":\"AwAAAAAAAAA=\"}"},
    {"-7n / 2n", "{\"$integer\":\"/f////////8=\"}"},
    {"args.big + 2n", "{\"$integer\":\"BwAAAAAAAAA=\"}"},
    {"1n / 0n", "RangeError: Division by zero"},
    {"9223372036854775807n + 1n", "RangeError: "},
    {"-9223372036854775807n - 2n", "RangeError: "},
    {"9223372036854775807n * 2n", "RangeError: "},
    {"1n + 1", "TypeError: Cannot mix BigInt"},
    {"1n < 1.5", "true"},
    {"9007199254740993n > 9007199254740992", "true"},
    {"9223372036854775807n < 9223372036854775808", "true"},
    {"'a' + 'b' + 1.5", "\"ab1.5\""},
    {"'n' + 1", "\"n1\""},
    {"1e21 + ''", "\"1e+21\""},
    {"'a' < 'b' && 'B' < 'a'", "true"},
    {"'1' < 2", "TypeError: "},
    {"1 === 1n", "false"},
    {"0 === -0", "true"},
    {"0/0 === 0/0", "false"},
    {"null == undefined", "true"},
    {"null === undefined", "false"},
    {"args.missing == null", "true"},
    {"args.missing === undefined", "true"},
    {"0 == null", "false"},
    {"1 != 2 && 1 !== 1n", "true"},
    {"0 || 'x'", "\"x\""},
    {"0 ?? 'x'", "0.0"},
    {"null ?? 'x'", "\"x\""},
    {"'' && 1", "\"\""},
    {"!0 && !'' && !null && !0n && !(0/0)", "true"},
    {"![]", "false"},
    {"args.a > 1 ? 'big' : 'small'", "\"big\""},
    {"false ? 1 : true ? 2 : 3", "2.0"},
    {"args.deep.x.y", "1.0"},
    {"args['deep']['x'].y", "1.0"},
    {"args.list[1]", "2.0"},
    {"args.list[3] === undefined", "true"},
    {"args.list.length + args.s.length", "7.0"},
    {"'\xC3\xA4\xF0\x9F\x98\x80'.length", "3.0"}, /* UTF-16 units */
    {"args.none.x", "TypeError: Cannot read properties of null (reading 'x')"},
    {"args.missing.x", "TypeError: Cannot read properties of undefined (reading 'x')"},
    {"args.none?.x", "null"},
    {"[1, 'x', [2]]", "[1.0,\"x\",[2.0]]"},
    {"[1, 2][0]", "1.0"},
    {"[1, 2] === [1, 2]", "true"}, /* by contents: not JavaScript's, see docs/backends.md */
    {"floor(2.7) + floor(-0.5)", "1.0"},
    {"lower('ABC-Z[')", "\"abc-z[\""},
    {"Number('12.5') + Number(3n)", "15.5"},
    {"BigInt(3) + BigInt('-4')", "{\"$integer\":\"//////////8=\"}"},
    {"BigInt(1.5)", "RangeError: "},
    {"parseJson('{\\\"a\\\": [1, true]}').a[0]", "1.0"},
    {"parseJson('{')", "SyntaxError: "},
    {"toJson(args.list)", "\"[1,2,3]\""},
    {"toJson(5n)", "TypeError: "},
    {"random() >= 0 && random() < 1", "true"},
    {"user", "null"},
    {"'a\\\\n\\\\'b\\\\''", "\"a\\n'b'\""}};

static void test_expressions(void **state) {
    (void)state;
    struct buffer text = {0};
    buffer_append_text(&text, "functions:\n");
    for (size_t i = 0; i < LENGTH_OF(evaluations); i++) {
        buffer_printf(&text, "  e:f%zu:\n    query:\n      - return: \"=%s\"\n", i,
                      evaluations[i].expression);
    }
    struct convex_backend *backend = parse(buffer_text(&text));
    struct fixture *fixture = deploy(backend);
    assert_int_equal(backend->n_functions, LENGTH_OF(evaluations));
    for (size_t i = 0; i < LENGTH_OF(evaluations); i++) {
        const char *expected = evaluations[i].expected;
        bool is_error = strstr(expected, "Error: ") != NULL;
        (is_error ? expect_begin : expect)(fixture, backend->functions[i].path,
                                           "{\"a\":2,\"s\":\"text\",\"big\":{\"$integer\":\"BQAAAAAAAAA=\"},"
                                           "\"list\":[1,2,3],\"none\":null,\"deep\":{\"x\":{\"y\":1}}}",
                                           expected);
    }
    fixture_free(fixture);
    convex_backend_free(backend);
    buffer_free(&text);
}

/* --- statements --- */

static const char statements[] =
    "tables:\n"
    "  pets:\n"
    "    document: {name: string, age: number, \"tag?\": string}\n"
    "    indexes: {by_name: [name, age], by_age: [age]}\n"
    "functions:\n"
    "  pets:add:\n"
    "    args: {name: string, age: number, \"tag?\": string}\n"
    "    mutation:\n"
    "      - {insert: pets, value: =args, as: id}\n"
    "      - {get: pets, id: =id, as: pet}\n"
    "      - return: =pet.age\n"
    "  pets:ages:\n" /* every kind of range */
    "    args: {from: number, to: number}\n"
    "    query:\n"
    "      - let: {found: []}\n"
    "      - {collect: pets, index: by_age, gte: {age: =args.from}, lt: {age: =args.to}, as: a}\n"
    "      - {collect: pets, index: by_age, gt: {age: =args.from}, lte: {age: =args.to}, order: desc, as: "
    "b}\n"
    "      - {take: pets, count: 2, index: by_age, order: desc, as: c}\n"
    "      - {first: pets, index: by_name, eq: {name: cat}, gt: {age: 1}, as: d}\n"
    "      - {collect: pets, where: '=doc.age > args.from && doc.tag == undefined', as: e}\n"
    "      - {first: pets, where: =doc.age === 99, as: f}\n"
    "      - each: list\n"
    "        in: '=[a, b, c, [d], e]'\n"
    "        do:\n"
    "          - let: {ages: []}\n"
    "          - each: pet\n"
    "            in: =list\n"
    "            do:\n"
    "              - {append: ages, value: =pet.age}\n"
    "          - {append: found, value: =ages}\n"
    "      - {append: found, value: =f}\n"
    "      - return: =found\n"
    "  pets:change:\n"
    "    args: {how: string}\n"
    "    mutation:\n"
    "      - {first: pets, index: by_age, as: pet}\n"
    "      - if: =args.how === 'untag'\n"
    "        then:\n"
    "          - {patch: pets, id: =pet._id, value: {tag: =undefined}}\n"
    "        else:\n"
    "          - if: =args.how === 'replace'\n"
    "            then:\n"
    "              - {replace: pets, id: =pet._id, value: {name: other, age: =pet.age}}\n"
    "            else:\n"
    "              - {delete: pets, id: =pet._id}\n"
    "      - {get: pets, id: =pet._id, as: after}\n"
    "      - if: =after == null\n"
    "        then:\n"
    "          - return: gone\n"
    "      - return: '=[after.name, after.age, after.tag ?? null]'\n"
    "  pets:only:\n"
    "    query:\n"
    "      - {unique: pets, index: by_name, eq: {name: cat}, as: pet}\n"
    "      - return: =pet.age\n"
    "  pets:ageOf:\n"
    "    internal: true\n"
    "    args: {name: string}\n"
    "    query:\n"
    "      - {first: pets, index: by_name, eq: {name: =args.name}, as: pet}\n"
    "      - if: =pet == null\n"
    "        then:\n"
    "          - throw: {code: NO_PET, name: =args.name}\n"
    "      - return: =pet.age\n"
    "  pets:older:\n"
    "    args: {name: string}\n"
    "    query:\n"
    "      - {call: pets:ageOf, args: {name: =args.name}, as: age}\n"
    "      - return: =age + 1\n"
    "  pets:spread:\n"
    "    query:\n"
    "      - let: {a: {x: 1, y: 2, nothing: =undefined}}\n"
    "      - return: {before: 0, ...: =a, y: 3}\n"
    "  pets:fail:\n"
    "    query:\n"
    "      - fail: no pets today\n";

/* A `first` with `where` has read up to the document that it found, and nothing behind it. */
static void test_where_reads(void **state) {
    (void)state;
    struct convex_backend *backend =
        parse("tables: {pets: {indexes: {by_age: [age]}}, log: {}}\n"
              "functions:\n"
              "  pets:add:\n"
              "    mutation: [{insert: pets, value: =args, as: id}]\n"
              "  pets:find:\n"
              "    mutation:\n"
              "      - {first: pets, index: by_age, where: '=doc.tag == 1', as: pet}\n"
              "      - {insert: log, value: {age: =pet?.age}}\n"
              "  pets:since:\n"
              "    query:\n"
              "      - {collect: pets, index: by_age, eq: {age: 1}, gt: {_creationTime: 0}, as: new}\n"
              "      - {collect: pets, index: by_age, eq: {age: 1}, lte: {_creationTime: 0}, as: old}\n"
              "      - return: '=[new.length, old.length]'\n");
    struct fixture *fixture = deploy(backend);
    struct answer answer;
    static const char *const meanwhile[] = {"{\"age\":9,\"tag\":1}", "{\"age\":2,\"tag\":0}"};
    mutate(fixture, "pets:add", "{\"age\":1,\"tag\":0}");
    mutate(fixture, "pets:add", "{\"age\":3,\"tag\":1}");
    mutate(fixture, "pets:add", "{\"age\":5,\"tag\":1}");
    for (uint64_t retries = 0; retries < 2; retries++) { /* behind it: no conflict; before it: one */
        size_t commits = fixture->commits;
        send_mutation(fixture, &answer, "pets:find", "{}");
        fixture_run(fixture, 3 * TIME_MILLISECOND); /* it has arrived after 1 ms and takes 5 ms */
        assert_int_equal(fixture->commits, commits);
        free(outcome(fixture, "pets:add", meanwhile[retries]));
        wait_for(fixture, &answer);
        assert_int_equal(answer.status, 200);
        assert_non_null(strstr(buffer_text(&fixture->notes), "pets:find log={"));
        assert_int_equal(fixture->commits, commits + 2);
        buffer_free(&answer.body);
        assert_int_equal(retries_of(fixture), retries);
    }
    expect(fixture, "pets:since", "{}", "[1.0,0.0]");
    fixture_free(fixture);
    convex_backend_free(backend);
}

static void test_statements(void **state) {
    (void)state;
    struct convex_backend *backend = parse(statements);
    struct fixture *fixture = deploy(backend);
    expect(fixture, "pets:only", "{}",
           "TypeError: Cannot read properties of null (reading 'age')\n"
           "    at pets:only (app.yaml:54:9)");
    expect(fixture, "pets:add", "{\"name\":\"cat\",\"age\":1,\"tag\":\"t\"}", "1.0");
    expect(fixture, "pets:only", "{}", "1.0");
    expect(fixture, "pets:add", "{\"name\":\"cat\",\"age\":3}", "3.0");
    expect(fixture, "pets:add", "{\"name\":\"dog\",\"age\":5}", "5.0");
    expect(fixture, "pets:ages", "{\"from\":1,\"to\":5}",
           "[[1.0,3.0],[5.0,3.0],[5.0,3.0],[3.0],[3.0,5.0],null]");
    expect_begin(fixture, "pets:only", "{}", "unique: more than one document");
    expect(fixture, "pets:change", "{\"how\":\"untag\"}", "[\"cat\",1.0,null]");
    expect(fixture, "pets:change", "{\"how\":\"replace\"}", "[\"other\",1.0,null]");
    expect(fixture, "pets:change", "{\"how\":\"delete\"}", "\"gone\"");
    expect(fixture, "pets:older", "{\"name\":\"dog\"}", "6.0");
    expect(fixture, "pets:older", "{\"name\":\"cow\"}",
           "{\"code\":\"NO_PET\",\"name\":\"cow\"}\n    at pets:ageOf (app.yaml:62:13)\n"
           "    at pets:older (app.yaml:67:9)");
    expect(fixture, "pets:spread", "{}", "{\"before\":0.0,\"x\":1.0,\"y\":3.0}");
    expect(fixture, "pets:fail", "{}", "no pets today\n    at pets:fail (app.yaml:75:9)");
    fixture_free(fixture);
    convex_backend_free(backend);
}

/* A call that fails is caught, with what it threw; the variable of its result is empty then. Undefined
 * arguments are left out. */
static void test_catch(void **state) {
    (void)state;
    struct convex_backend *backend = parse("functions:\n"
                                           "  f:odd:\n"
                                           "    args: {n: number, \"x?\": number}\n"
                                           "    mutation:\n"
                                           "      - if: =args.n == 2\n"
                                           "        then:\n"
                                           "          - {insert: seen, value: {n: 2}}\n"
                                           "          - throw: {code: EVEN, n: =args.n}\n"
                                           "      - {insert: seen, value: {n: =args.n}}\n"
                                           "      - return: =args.n\n"
                                           "  f:all:\n"
                                           "    action:\n"
                                           "      - let: {found: []}\n"
                                           "      - each: n\n"
                                           "        in: [1, 2, 3]\n"
                                           "        do:\n"
                                           "          - call: f:odd\n"
                                           "            args: {n: =n, x: =undefined}\n"
                                           "            as: result\n"
                                           "            catch:\n"
                                           "              - {append: found, value: '=error.data.code'}\n"
                                           "          - {append: found, value: =result ?? 'none'}\n"
                                           "      - return: =found\n"
                                           "  f:uncaught:\n"
                                           "    action:\n"
                                           "      - {call: f:odd, args: {n: 2}}\n");
    struct fixture *fixture = deploy(backend);
    expect(fixture, "f:all", "{}", "[1.0,\"EVEN\",\"none\",3.0]");
    assert_int_equal(fixture->commits, 2);
    assert_null(strstr(buffer_text(&fixture->notes), "\"n\":2.0"));
    expect_begin(fixture, "f:uncaught", "{}", "{\"code\":\"EVEN\",\"n\":2.0}\n    at f:odd (app.yaml:8:13)");
    fixture_free(fixture);
    convex_backend_free(backend);
}

/* Undefined where Convex takes no such value. */
static void test_undefined(void **state) {
    (void)state;
    struct convex_backend *backend =
        parse("tables: {pets: {indexes: {by_tag: [tag]}}}\n"
              "functions:\n"
              "  f:array: {query: [{return: [1, =undefined]}]}\n"
              "  f:insert: {mutation: [{insert: pets, value: {list: [=undefined]}}]}\n"
              "  f:throw: {query: [{throw: {list: [=undefined]}}]}\n"
              "  f:call: {query: [{call: f:array, args: {list: [=undefined]}}]}\n"
              "  f:log: {query: [{log: [=undefined, [1], {x: =undefined}, 7, =7n]}, {return: 1}]}\n"
              "  f:badLog: {query: [{log: [[=undefined]]}]}\n"
              "  f:object: {query: [{return: {x: =undefined, y: [{z: =undefined}]}}]}\n"
              "  f:json: {query: [{let: {a: {b: 1, x: =undefined, y: 2}}}, {return: =toJson(a)}]}\n"
              "  f:add: {mutation: [{insert: pets, value: =args}]}\n"
              "  f:untagged:\n"
              "    query:\n"
              "      - {collect: pets, index: by_tag, eq: {tag: =undefined}, as: pets}\n"
              "      - return: =pets.length\n"
              "  f:badKey: {query: [{collect: pets, index: by_tag, eq: {tag: [=undefined]}, as: pets}]}\n");
    struct fixture *fixture = deploy(backend);
    static const char *const bad[] = {"f:array", "f:insert", "f:throw", "f:call", "f:badLog", "f:badKey"};
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        expect_begin(fixture, bad[i], "{}", "TypeError: undefined is not a Convex value");
    }
    expect(fixture, "f:log", "{}", "1.0");
    expect(fixture, "f:object", "{}", "{\"y\":[{}]}");
    expect(fixture, "f:json", "{}", "\"{\\\"b\\\":1,\\\"y\\\":2}\"");
    expect(fixture, "f:add", "{\"tag\":null}", "null");
    expect(fixture, "f:add", "{\"name\":\"x\"}", "null");
    expect(fixture, "f:untagged", "{}", "1.0");
    fixture_free(fixture);
    convex_backend_free(backend);
}

/* --- bounds --- */

static void test_bounds(void **state) {
    (void)state;
    struct convex_backend *backend =
        parse("functions:\n"
              "  f:steps:\n"
              "    query:\n"
              "      - let: {hundred: [], n: 0}\n"
              "      - each: i\n"
              "        in: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
              "        do:\n"
              "          - each: j\n"
              "            in: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n"
              "            do:\n"
              "              - {append: hundred, value: 1}\n"
              "      - each: i\n"
              "        in: =hundred\n"
              "        do:\n"
              "          - each: j\n"
              "            in: =hundred\n"
              "            do:\n"
              "              - each: k\n"
              "                in: =hundred\n"
              "                do:\n"
              "                  - set: {n: =n + 1}\n"
              "      - return: =n\n"
              "  f:memory:\n"
              "    query:\n"
              "      - let: {text: xxxxxxxxxxxxxxxx}\n"
              "      - each: i\n"
              "        in: [1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10,1,2,3,4,5,6,7,8,9,10]\n"
              "        do:\n"
              "          - set: {text: =text + text}\n"
              "  f:depth:\n"
              "    query:\n"
              "      - let: {list: [1], ones: [1,1,1,1,1,1,1,1,1,1]}\n"
              "      - each: i\n"
              "        in: =ones\n"
              "        do:\n"
              "          - each: j\n"
              "            in: =ones\n"
              "            do:\n"
              "              - set: {list: '=[list]'}\n"
              "  f:recursion:\n"
              "    query:\n"
              "      - {call: f:recursion}\n");
    struct fixture *fixture = deploy(backend);
    expect_begin(fixture, "f:steps", "{}",
                 "the function timed out: more than 100000 statements\n    at f:steps");
    expect_begin(fixture, "f:memory", "{}", "the function ran out of memory");
    expect_begin(fixture, "f:depth", "{}", "TooNestedError: more than 64 levels");
    char *text = outcome(fixture, "f:recursion", "{}");
    assert_non_null(strstr(text, "deep"));
    free(text);
    fixture_free(fixture);
    convex_backend_free(backend);
}

/* --- what loading refuses --- */

struct refusal {
    const char *text;
    int line, column;
    const char *message;
};

#define HEAD "tables:\n  pets:\n    indexes: {by_name: [name, age]}\nfunctions:\n"
#define QUERY HEAD "  a:q:\n    query:\n      - "       /* the statement is at 7:9 */
#define MUTATION HEAD "  a:m:\n    mutation:\n      - " /* the statement is at 7:9 */

static const struct refusal refusals[] = {
    {"tabels: {}\n", 1, 1, "unknown key `tabels`"},
    {"tables: {pets: {indices: {}}}\n", 1, 17, "unknown key `indices`"},
    {"tables: {_pets: {}}\n", 1, 10, "`_pets` cannot be the name of a table"},
    {"tables: {pets: {document: {name: strnig}}}\n", 1, 28, "strnig"},
    {"tables:\n  pets: {document: {owner: id users}}\n", 2, 20, "there is no such table"},
    {"tables: {pets: {indexes: {by_id: [x]}}}\n", 1, 27, "`by_id` cannot be the name of an index"},
    {"tables: {pets: {indexes: {by_x: [x, x]}}}\n", 1, 37, "in the index already"},
    {"functions:\n  a:b: {}\n", 2, 8, "one of query, mutation, action and http"},
    {"functions:\n  a:b: {query: [{return: 1}], action: [{return: 1}]}\n", 2, 8, "one of query"},
    {"functions:\n  a b: {}\n", 2, 3, "not a function path"},
    {"functions: {a:b: {query: []}}\n", 1, 26, "a list of statements"},
    {"functions: {a:b: {query: [{return: 1}], args: string}}\n", 1, 47, "a mapping of validators"},
    {QUERY "{returns: 1}\n", 7, 9, "a statement is expected"},
    {QUERY "{return: 1, as: x}\n", 7, 21, "unknown key `as`"},
    {QUERY "{return: =nobody}\n", 7, 18, "there is no variable `nobody`"},
    {QUERY "{return: =doc.x}\n", 7, 18, "there is no variable `doc`"},
    {QUERY "{return: =error.message}\n", 7, 18, "there is no variable `error`"},
    {QUERY "{return: =1 +}\n", 7, 18, "a value is missing at the end of `=1 +`"},
    {QUERY "{return: =1 2}\n", 7, 18, "unexpected text at `2`"},
    {QUERY "{return: =missing()}\n", 7, 18, "there is no function `missing`"},
    {QUERY "{return: ='x}\n", 7, 18, "a text without its end"},
    {QUERY "{return: =99999999999999999999n}\n", 7, 18, "does not fit in 64 bits"},
    {QUERY "{return: 9007199254740993}\n", 7, 18, "a Float64 cannot hold this number exactly"},
    {QUERY "{insert: pets, value: {}}\n", 7, 9, "a query cannot `insert`"},
    {QUERY "{schedule: a:q}\n", 7, 9, "a query cannot `schedule`"},
    {QUERY "{collect: cats, as: x}\n", 7, 19, "there is no table `cats`"},
    {QUERY "{collect: pets}\n", 7, 9, "`collect` needs `as`"},
    {QUERY "{collect: pets, index: by_age, as: x}\n", 7, 32, "no such index"},
    {QUERY "{collect: pets, index: by_name, eq: {age: 1}, as: x}\n", 7, 45, "only the first fields"},
    {QUERY "{collect: pets, index: by_name, gt: {age: 1}, as: x}\n", 7, 45, "that follows `eq`: name"},
    {QUERY "{collect: pets, index: by_name, gt: {name: 1}, gte: {name: 2}, as: x}\n", 7, 61, "a lower bound"},
    {QUERY "{collect: pets, order: up, as: x}\n", 7, 32, "asc or desc"},
    {QUERY "{collect: pets, where: doc.age, as: x}\n", 7, 32, "an expression begins with ="},
    {QUERY "{take: pets, as: x}\n", 7, 9, "`take` needs `count`"},
    {QUERY "{get: pets, id: args.id, as: x}\n", 7, 25, "an expression begins with ="},
    {QUERY "{let: {user: 1}}\n", 7, 16, "a meaning of its own"},
    {QUERY "{let: {a: 1}}\n      - {let: {a: 2}}\n", 8, 16, "there is a variable `a` already"},
    {QUERY "{set: {a: 1}}\n", 7, 16, "there is no variable `a` to set"},
    {QUERY "if: true\n        then:\n          - {let: {a: 1}}\n      - return: =a\n", 10, 17,
     "there is no variable `a`"},
    {QUERY "{call: a:m}\n  a:m: {mutation: [{return: 1}]}\n", 7, 16, "a query cannot call it"},
    {QUERY "{call: a:x}\n", 7, 16, "there is no function `a:x`"},
    {QUERY "{call: a:q, catch: [{return: 1}]}\n", 7, 28, "only actions can `catch`"},
    {MUTATION "{sleep: 5}\n", 7, 9, "a mutation cannot `sleep`"},
    {MUTATION "{call: a:a}\n  a:a: {action: [{sleep: 1}]}\n", 7, 16, "a mutation cannot call it"},
    {MUTATION "{schedule: a:q}\n  a:q: {query: [{return: 1}]}\n", 7, 20, "cannot schedule it"},
    {HEAD "  a:a:\n    action:\n      - {collect: pets, as: x}\n", 7, 9, "an action cannot `collect`"},
    {"functions: {a:h: {http: [{return: {}}], args: {}}}\n", 1, 47, "an HTTP action has no `args`"},
    {"http: [{method: POST, path: /x, function: a:b}]\n", 1, 43, "there is no HTTP action `a:b`"},
    {"functions: {a:h: {http: [{return: {}}]}}\nhttp: [{method: POST, path: x, function: a:h}]\n", 2, 29,
     "a path begins with /"},
    {"auth: [{issuer: x}]\n", 1, 8, "`application` is missing"},
    {"auth: [{issuer: x, jwks: y, algorithm: HS256}]\n", 1, 40, "RS256 or ES256"},
    {"[1\n", 2, 1, "invalid YAML"}};

static void test_refusals(void **state) {
    (void)state;
    for (size_t i = 0; i < LENGTH_OF(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct convex_backend *backend = NULL;
        struct error error = {0};
        enum status status =
            convex_backend_parse(refusal->text, strlen(refusal->text), "app.yaml", &backend, &error);
        if (status != STATUS_INVALID || backend != NULL || strcmp(error.file, "app.yaml") != 0 ||
            error.line != refusal->line || error.column != refusal->column ||
            strstr(error.message, refusal->message) == NULL) {
            fail_msg("%d:%d: %s; expected %d:%d: %s, of\n%s", error.line, error.column, error.message,
                     refusal->line, refusal->column, refusal->message, refusal->text);
        }
    }
}

/* Every beginning of a good file is read or refused, never more than that. */
static void test_cut_files(void **state) {
    (void)state;
    for (size_t length = 0; length < strlen(statements); length++) {
        struct convex_backend *backend = NULL;
        struct error error = {0};
        enum status status = convex_backend_parse(statements, length, "app.yaml", &backend, &error);
        assert_true(status == STATUS_OK ? backend != NULL : error.message[0] != 0);
        convex_backend_free(backend);
    }
}

/* Deep nesting, in every way there is. */
static void test_nesting(void **state) {
    (void)state;
    static const char *const pieces[] = {"(", "[", "!", "-", "1 ? ", "x.", "1 + ("};
    for (size_t i = 0; i < LENGTH_OF(pieces); i++) {
        struct buffer text = {0};
        struct convex_backend *backend = NULL;
        struct error error = {0};
        buffer_append_text(&text, "functions: {a:b: {query: [{return: \"=");
        for (size_t n = 0; n < 100000; n++) {
            buffer_append_text(&text, pieces[i]);
        }
        buffer_append_text(&text, "1\"}]}}\n");
        assert_int_equal(convex_backend_parse(text.data, text.length, "app.yaml", &backend, &error),
                         STATUS_INVALID);
        assert_int_equal(error.line, 1);
        buffer_free(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_expressions), cmocka_unit_test(test_statements),
                                       cmocka_unit_test(test_where_reads), cmocka_unit_test(test_catch),
                                       cmocka_unit_test(test_undefined),   cmocka_unit_test(test_bounds),
                                       cmocka_unit_test(test_refusals),    cmocka_unit_test(test_cut_files),
                                       cmocka_unit_test(test_nesting)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
