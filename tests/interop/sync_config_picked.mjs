// Cases picked by hand: a row of the config language each. `expect`: "same" (both take it, with equal results), "refused" (both
// refuse; `place` where it is comparable), "narrower" (only the real service takes it).
const documents = [
  '{"_id":"d1","_creationTime":1700000000000.25,"owner":"u1","team":"t1","n":1,"r":1.0,"done":true,"name":"Ä😀b","tags":["a","b"],"info":{"k":[1,2.0,"x"],"a.b":1},"empty":null,"nulls":[null,"a"],"big":"9007199254740993","huge":9007199254740993}',
  '{"_id":"d2","_creationTime":1700000000001.0,"owner":"u2","team":"t2","n":2,"r":2.5,"done":false,"name":"","tags":[],"info":{"k":null},"not":"json","zero":-0.0}',
];
const requests = [
  { claims: '{"sub":"u1","team":"t1","roles":["a","b"],"n":1,"org":{"id":"t2"}}', parameters: '{"team":"t2","tags":["a","c"],"n":2}',
    subscriptions: [{ stream: 's', parameters: '{"team":"t1","ids":["d1","d2","d1"]}', override_priority: null }] },
  { claims: '{"sub":"u2"}', parameters: '{}', include_defaults: true, subscriptions: [{ stream: 's', parameters: '{"ids":"no"}', override_priority: 0 }] },
  { claims: '{"sub":7,"n":2}', include_defaults: false, subscriptions: [] },
];

const rows = documents.map((document) => ({ table: 't', document }));
const of = (sql, expect, more = {}) => ({ name: sql, expect, rows, requests, ...more,
  config: `config:\n  edition: 3\nstreams:\n  s:\n    auto_subscribe: true\n    query: ${JSON.stringify(sql)}\n` });
const whole = (name, config, expect, place) => ({ name, expect, place, rows, requests, config });
const where = (condition, expect = 'same') => of(`SELECT *, _id AS id FROM t WHERE ${condition}`, expect);
const value = (expression, expect = 'same') => of(`SELECT _id AS id, ${expression} AS x FROM t`, expect);

const same = [
  'owner = auth.user_id()', 'auth.user_id() = owner', "team = auth.parameter('team')", "team = connection.parameter('team')",
  "team = subscription.parameter('team')", "team = auth.parameter('org') ->> 'id'", "team = auth.parameter('$.org.id')",
  "n = auth.parameter('n') AND team = connection.parameter('team')", 'owner = auth.user_id() AND done = 1', "team IN auth.parameter('roles')",
  "_id IN subscription.parameter('ids')", 'auth.user_id() IN tags', "tags && connection.parameter('tags')", "owner = auth.user_id() OR team = auth.parameter('team')",
  "auth.parameter('n') = 1", "n = 1 OR done", 'empty IS NULL', 'missing IS NOT NULL', "n IN ARRAY[1, 2]", "n NOT IN ROW(1)", 'missing != 1', "NOT (n = 1 OR done)",
  'n BETWEEN 1 AND 2', "tags && connection.parameters() -> 'tags'", 'true', '1 = 2', "'a' IN tags", "_id NOT IN tags", 'substring(auth.user_id(), 1, 2) = owner',
  'empty IN nulls', "missing IN nulls", "tags && connection.parameter('tags') OR tags && subscription.parameter('ids')",
  "(team = auth.parameter('team') OR owner = auth.user_id()) AND (connection.parameter('n') = n OR auth.parameter('n') = n)",
  '(n = 1 OR n = 2) AND owner = auth.user_id()', "n % 2 = 1", "connection.parameter('tags') ->> 0 = 'a'",
].map((condition) => where(condition));

const values = [
  'CAST(big AS INTEGER)', 'CAST(r AS TEXT)', 'CAST(-1.5 AS INTEGER) + n', 'upper(owner)', 'length(name)', 'substring(name, 2, 3)', "info ->> 'k'", "info -> 'k'",
  "info ->> 'a.b'", "info ->> '$.k'", "tags ->> 0", 'json_array_length(tags)', 'json_keys(info)', "json_extract(info, '$.k')", 'ifnull(missing, 3)', 'missing',
  "iif(done, 'y', 'n')", "CASE n WHEN 1.0 THEN 'one' ELSE 'other' END", 'typeof(r)', "hex(CAST('ab' AS BLOB))", "CAST(owner AS BLOB)", 'base64(name)', 'n / 2', 'n / 0',
  'n / 2.0', "owner || n || r", 'NOT empty', 'empty AND 1', 'n IS TRUE', 'r = n', "name < 'b'", "instr(name, 'b')", 'owner || n + 1', 'n + 1 || owner', '2 * n || 3', 'zero', 'huge', 'huge + 1', 'huge = r', '\'"text"\' ->> 1', 'n::text', 'n & 1', '(n + 1) * 2',
].map((expression) => value(expression));

const refused = ['n > auth.parameter(\'n\')', 'NOT (n = auth.parameter(\'n\'))', 'request.user_id() = owner', 'auth.jwt() = owner', 'n IN (1, 2)', "name LIKE 'a%'",
  'coalesce(n, 1) = 1', 'random() = 1', 'x.n = 1', '-n = 1', 'n = $1', 'end = 1', 'auth.user_id() IN auth.parameter(\'roles\')', 'info -> n = 1', 'CAST(n AS int) = 1',
  'n IS auth.user_id()'].map((condition) => where(condition, 'refused'));

const narrower = ['n IN (SELECT x FROM u WHERE u.m = auth.user_id())', "unixepoch(name) = 1", 'uuid_blob(name) = 1', "info ->> '$.k[0]' = 1"]
  .map((condition) => where(condition, 'narrower'));

export const picked = [
  ...same, ...values, ...refused, ...narrower,
  of('SELECT _id AS id, * FROM t', 'same'), of('SELECT *, n AS _id, 1 AS name FROM t', 'same'), of('SELECT * FROM t', 'same'), of('SELECT owner AS id FROM convex.t AS "Out"', 'same'),
  of('SELECT upper( owner ), (n + 1), t.n FROM t', 'same'), of('SELECT n AS id FROM T', 'same'), of('SELECT n AS id FROM "T"', 'same'), of('SELECT 1 AS x FROM t', 'refused'),
  of('SELECT auth.user_id() AS x, n FROM t', 'refused'), of('SELECT n FROM t GROUP BY n', 'refused'), of('SELECT n FROM t ORDER BY n', 'refused'),
  of('SELECT n FROM t LIMIT 1', 'refused'), of('SELECT count(*) FROM t', 'refused'), of('DELETE FROM t', 'refused'), of('SELEC n FROM t', 'refused'),
  of('SELECT t.* FROM t, u WHERE t.n = u.n AND u.m = auth.user_id()', 'narrower'), of('SELECT t.* FROM t INNER JOIN u ON t.n = u.n WHERE u.m = auth.user_id()', 'narrower'),
  of('SELECT * FROM "t%"', 'narrower'), of('SELECT DISTINCT n FROM t', 'narrower'),
  whole('queries share a bucket', 'config: {edition: 3}\nstreams:\n  s:\n    priority: 1\n    queries:\n      - SELECT *, _id AS id FROM t WHERE owner = auth.user_id()\n      - SELECT name, _id AS id FROM t AS "T" WHERE team = auth.user_id()\n', 'same'),
  whole('two queries store the same', 'config: {edition: 3}\nstreams:\n  s:\n    queries:\n      - SELECT n FROM t WHERE owner = auth.user_id()\n      - SELECT n FROM t WHERE owner = auth.parameter(\'x\')\n', 'narrower'),
  whole('no edition', 'streams: {s: {query: SELECT * FROM t}}\n', 'refused'),
  whole('unknown key', 'config: {edition: 3}\nstreams: {s: {query: SELECT * FROM t}}\nmagic: 1\n', 'refused', { line: 3, column: 1 }),
  whole('query and queries', 'config: {edition: 3}\nstreams:\n  s: {query: SELECT * FROM t, queries: [SELECT * FROM t]}\n', 'refused'),
  whole('priority 4', 'config: {edition: 3}\nstreams:\n  s: {query: SELECT * FROM t, priority: 4}\n', 'refused'),
  whole('common table expression', 'config: {edition: 3}\nwith:\n  mine: SELECT n FROM u WHERE m = auth.user_id()\nstreams:\n  s: {query: SELECT * FROM t WHERE n IN mine}\n', 'narrower'),
];
