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

// Rows of t, of u and of two tables of one prefix.
const others = [
  ['u', '{"_id":"m1","m":"u1","n":1,"x":1,"team":"t1","list":["t1","t2",1]}'], ['u', '{"_id":"m2","m":"u1","n":2,"x":2.0,"team":"t2","list":[]}'],
  ['u', '{"_id":"m3","m":"u2","n":2,"x":2,"team":"t2","list":["t2"],"bad":"json"}'], ['u', '{"_id":"m4","m":null,"n":"1","team":null}'],
  ['w', '{"_id":"w1","p":1,"q":"1"}'], ['w', '{"_id":"w2","p":"x","q":1}'],
  ['v', '{"_id":"v1","a":"t1","b":"o1","m":"u1"}'], ['v', '{"_id":"v2","a":"t2","b":"o1","m":"u2"}'], ['v', '{"_id":"v3","a":"t1","b":"t1","m":"u1"}'],
  ['tasks_eu', '{"_id":"e1","owner":"u1"}'], ['tasks_us', '{"_id":"e2","owner":"u2"}'],
].map(([table, document]) => ({ table, document }));
const rows = [...documents.map((document) => ({ table: 't', document })), ...others];
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
  '(n = 1 OR n = 2) AND owner = auth.user_id()', "n % 2 = 1", "connection.parameter('tags') ->> 0 = 'a'", "team = auth.parameter('te' || 'am')", "owner = auth.parameter(auth.parameter('n'))",
].map((condition) => where(condition));

const values = [
  'CAST(big AS INTEGER)', 'CAST(r AS TEXT)', 'CAST(-1.5 AS INTEGER) + n', 'upper(owner)', 'length(name)', 'substring(name, 2, 3)', "info ->> 'k'", "info -> 'k'",
  "info ->> 'a.b'", "info ->> '$.k'", "tags ->> 0", 'json_array_length(tags)', 'json_keys(info)', "json_extract(info, '$.k')", 'ifnull(missing, 3)', 'missing',
  "iif(done, 'y', 'n')", "CASE n WHEN 1.0 THEN 'one' ELSE 'other' END", 'typeof(r)', "hex(CAST('ab' AS BLOB))", "CAST(owner AS BLOB)", 'base64(name)', 'n / 2', 'n / 0',
  'n / 2.0', "owner || n || r", 'NOT empty', 'empty AND 1', 'n IS TRUE', 'r = n', "name < 'b'", "instr(name, 'b')", 'owner || n + 1', 'n + 1 || owner', '2 * n || 3', 'zero', 'huge', 'huge + 1', 'huge = r', '\'"text"\' ->> 1', 'n::text', 'n & 1', '(n + 1) * 2',
  "info ->> '$.k[0]'", "info ->> '$.a.b'", "info -> '$'", "info ->> '$'", "info ->> '$.'", "info -> '$.k.x'", "nulls -> '$.0'", "nulls -> '$.0.x'", "nulls ->> '$.1'", "info ->> '$x.k'", "name ->> '$'", "tags ->> '01'", "tags ->> -1", "json_extract(info, 'k')",
  "json_extract('null', 'k')", "json_extract(info, ifnull(missing, '$.k'))", "json_extract(info, '$.k', 1)", "json_array_length(info, '$.k')", "json_array_length(info, '$.none')", "json_array_length(info, missing)", "json_array_length(info, 'k')", "ifnull(missing, 1, 2)", "info ->> '$.k.0'", "info ->> '$..k'",
  'unixepoch(0)', 'datetime(2460000.5)', 'datetime(r)', "datetime(1.7e9, 'unixepoch')".replace('1.7e9', '1700000000.5'), "datetime(1700000000.25, 'unixepoch', 'subsec')", "unixepoch('2024-01-02')", "unixepoch('2024-02-30 10:11:12.75', 'subsec')",
  "datetime('2024-01-02T10:11:12+02:00')", "datetime('2024-01-02 10:11:12.1239-05:30', 'subsecond')", "datetime('2024-13-01')", "datetime('2024-01-02T24:00')", "datetime('2024-01-02T25:00')", "datetime('10:11')", "datetime('')", "datetime('2024')", "datetime('2024-01')",
  "unixepoch('1969-12-31 23:59:59.5')", "unixepoch(-1.5, 'unixepoch')", "datetime(n, 'other')", "datetime(n, 'unixepoch', 'other')", 'datetime(empty)', 'unixepoch(done)', "datetime(253402300800, 'unixepoch')", "datetime(-62198755200, 'unixepoch')",
  "datetime(8640000000001, 'unixepoch')", "datetime('2024-01-02Z')", "datetime('2024-01-02+02:00')", "datetime(CAST('x' AS BLOB))", "unixepoch(1700000000, 'unixepoch', 'subsec')", "datetime('2024-01-02 10:60')", "datetime(_creationTime, 'unixepoch')",
  "hex(uuid_blob('0188b2a4-7d8e-7c4a-9a8b-0123456789AB'))", "uuid_blob('0188b2a4-7d8e-7c4a-9a8b-0123456789ab')", "uuid_blob(name)", "uuid_blob(missing)", "base64(uuid_blob('ffffffff-ffff-ffff-ffff-ffffffffffff'))", "length(uuid_blob('00000000-0000-0000-0000-000000000000'))",
  "uuid_blob('0188b2a4-7d8e-0c4a-9a8b-0123456789ab')", "CAST(uuid_blob('0188b2a4-7d8e-7c4a-9a8b-0123456789ab') AS TEXT)", "typeof(uuid_blob('0188b2a4-7d8e-7c4a-9a8b-0123456789ab'))", "CAST('a' AS BLOB) = CAST('a' AS BLOB)", "CAST('a' AS BLOB) = 'a'",
  "CASE CAST('a' AS BLOB) WHEN CAST('a' AS BLOB) THEN 1 END", "CAST('a' AS BLOB) IN ARRAY[1, 'a']", "CAST('a' AS BLOB) BETWEEN 'a' AND 'b'", 'unixepoch()', 'st_x(name)',
].map((expression) => value(expression, expression === 'unixepoch()' ? 'refused' : expression.startsWith('st_') ? 'narrower' : 'same'));

const refused = ['n > auth.parameter(\'n\')', 'NOT (n = auth.parameter(\'n\'))', 'request.user_id() = owner', 'auth.jwt() = owner', 'n IN (1, 2)', "name LIKE 'a%'",
  'coalesce(n, 1) = 1', 'random() = 1', 'x.n = 1', '-n = 1', 'n = $1', 'end = 1', 'auth.user_id() IN auth.parameter(\'roles\')', 'info -> n = 1', 'CAST(n AS int) = 1',
  'n IS auth.user_id()'].map((condition) => where(condition, 'refused'));

// Lookups, joins, subqueries and functions that give rows.
const joined = [
  'SELECT t.* FROM t, u WHERE t.n = u.n AND u.m = auth.user_id()', 'SELECT t.* FROM t INNER JOIN u ON t.n = u.n WHERE u.m = auth.user_id()',
  'SELECT t.n, t._id AS id FROM t JOIN u ON u.team = t.team JOIN v ON v.a = u.team WHERE v.m = auth.user_id()',
  'SELECT * FROM t WHERE n IN (SELECT x FROM u WHERE u.m = auth.user_id())', 'SELECT * FROM t WHERE team IN (SELECT a FROM v WHERE b IN (SELECT b FROM v WHERE m = auth.user_id()))',
  'SELECT * FROM t WHERE auth.user_id() IN (SELECT m FROM u WHERE n = 1)', "SELECT * FROM t WHERE 'u1' IN (SELECT m FROM u WHERE u.team = auth.parameter('team'))",
  "SELECT * FROM t WHERE auth.user_id() IN (SELECT m FROM u WHERE u.team = t.team)", "SELECT * FROM t WHERE team IN (SELECT team FROM u WHERE m = auth.user_id()) AND n IN (SELECT n FROM u WHERE m = auth.user_id())",
  'SELECT t.* FROM t, u WHERE t.n = u.n AND t.team = u.team AND u.m = auth.user_id()', 'SELECT t.* FROM t, u, v WHERE t.n = u.n AND t.team = v.a AND u.team = v.a AND u.m = auth.user_id()',
  "SELECT * FROM t WHERE team IN (SELECT team FROM u WHERE m = auth.user_id()) AND team IN (SELECT a FROM v WHERE m = auth.user_id())",
  "SELECT * FROM t WHERE team IN (SELECT team FROM u WHERE m = auth.user_id()) AND team = auth.parameter('team')", 'SELECT t.* FROM t, v WHERE v.a = t.team AND v.b = t.team AND v.m = auth.user_id()',
  'SELECT * FROM t WHERE team IN (SELECT s.value FROM u, json_each(u.list) AS s WHERE u.m = auth.user_id())', 'SELECT t.* FROM t, json_each(t.tags) AS s WHERE s.value = auth.user_id()',
  "SELECT t.* FROM t, json_each(t.tags) AS s WHERE s.value IN auth.parameter('roles') AND s.key > 0", "SELECT t.* FROM t, json_each(auth.parameter('roles')) AS s WHERE s.value = t.team OR s.value = t.owner",
  "SELECT t.* FROM t, json_each(connection.parameter('tags')) AS s WHERE s.value = 'c' AND s.key = 1", "SELECT t.* FROM t, json_each(connection.parameters()) WHERE json_each.value = t.team AND json_each.key = 'team'",
  "SELECT t.* FROM t, json_each('[1,2]') AS s WHERE s.value = t.n AND t.owner = auth.user_id()", "SELECT t.* FROM t, (SELECT team AS x FROM u WHERE m = auth.user_id()) AS mine WHERE mine.x = t.team",
  "SELECT t.* FROM t, (SELECT team, n FROM u WHERE m = auth.user_id()) AS mine (a, b) WHERE mine.a = t.team AND mine.b = t.n", 'SELECT mine.* FROM (SELECT _id AS id, owner FROM t WHERE n = 1) AS mine WHERE mine.owner = auth.user_id()',
  'SELECT t.* FROM t, u AS a, u AS b WHERE a.m = auth.user_id() AND a.team = b.team AND b.n = t.n', 'SELECT * FROM t WHERE owner = auth.user_id() OR team IN (SELECT team FROM u WHERE m = auth.user_id())',
  "SELECT * FROM t WHERE tags && (SELECT team FROM u WHERE m = auth.user_id())", "SELECT * FROM t WHERE team IN (SELECT team FROM u WHERE m IN connection.parameter('tags') OR m = auth.user_id())",
  'SELECT t.* FROM t, w WHERE t.n = w.p AND t.n = w.q', 'SELECT * FROM "tasks_%"', 'SELECT * FROM "tasks_%" AS tasks WHERE owner = auth.user_id()', 'SELECT * FROM other.t', 'SELECT * FROM "a.b".t', 'SELECT DISTINCT n FROM t', 'SELECT ALL n FROM t',
  'SELECT * FROM t WHERE 1 IN (SELECT n FROM u WHERE m = auth.user_id())', "SELECT * FROM t WHERE NOT (n IN list)", "SELECT * FROM t WHERE n NOT IN tags", "SELECT iif(n IN ARRAY[1, NULL], 'a', 'b') AS x, n NOT IN ROW(2, NULL) AS y FROM t",
  "SELECT * FROM t WHERE auth.parameter('n') IN ARRAY[1, 2]", "SELECT t.* FROM t, u WHERE u.m = auth.user_id()", "SELECT t.* FROM t, u",
  "SELECT * FROM t WHERE team IN (SELECT bad ->> 'x' FROM u WHERE m = auth.user_id())", 'SELECT * FROM t WHERE NOT NOT (n = 1)', 'SELECT * FROM t WHERE NOT (n = 1 AND NOT (done OR n = 2))',
  "SELECT * FROM t WHERE 'a' IN tags AND 'b' IN tags", "SELECT * FROM t WHERE team = auth.parameter('team') AND team = connection.parameter('team')", 'SELECT U.n FROM t AS U WHERE u.owner = auth.user_id()',
  "SELECT * FROM t WHERE n IN (SELECT n FROM u WHERE m = auth.user_id() AND n = 2)",
].map((sql) => of(sql, 'same'));

const mixed = [
  'SELECT t.*, u.* FROM t, u WHERE t.n = u.n', 'SELECT t.n FROM t LEFT JOIN u ON t.n = u.n', 'SELECT t.n FROM t CROSS JOIN u', 'SELECT t.n FROM t JOIN u USING (n)', 'SELECT n FROM t, u', 'SELECT t.n FROM t, t', 'SELECT t.n FROM t, u AS T',
  'SELECT value FROM json_each(auth.parameter(\'x\'))', 'SELECT t.n + u.n AS x FROM t, u', 'SELECT t.* FROM t, u WHERE t.n < u.n', 'SELECT * FROM t WHERE n NOT IN (SELECT n FROM u)', 'SELECT * FROM t WHERE n IN (SELECT * FROM u)',
  'SELECT * FROM t WHERE n IN (SELECT n, m FROM u)', 'SELECT * FROM t WHERE n = (SELECT n FROM u)', 'SELECT (SELECT n FROM u) AS x, n FROM t', 'SELECT t.* FROM t, u WHERE u.n = 1 AND u.n > v.n', 'SELECT t.* FROM t, (SELECT n FROM u)',
  'SELECT t.* FROM t, (SELECT * FROM u) AS x', 'SELECT t.* FROM t, (SELECT n FROM u) AS x (a, b) WHERE x.a = t.n', 'SELECT t.* FROM t, (SELECT n, n FROM u) AS x WHERE x.n = t.n', 'SELECT t.* FROM t, (SELECT n FROM u) AS x WHERE x.m = t.n',
  'SELECT t.* FROM t, json_each(t.tags) AS a, json_each(a.value) AS b', "SELECT t.* FROM t, u, json_each(t.tags || u.list) AS s", "SELECT t.* FROM t, json_each(auth.parameter('r')) AS s, u WHERE s.value = t.n AND s.value = u.n AND u.m = t.owner",
  'SELECT * FROM a.b.c.t', 'SELECT * FROM "a.b.c".t', 'WITH x AS (SELECT n FROM u) SELECT * FROM t WHERE n IN x', 'SELECT * FROM t WHERE n = tbl.table_name()', 'SELECT s.value FROM t, json_each(t.tags) AS s',
  "SELECT * FROM t WHERE auth.user_id() IN auth.parameter('roles') AND n = 1",
].map((sql) => of(sql, 'refused'));

const expressions = (name, text, expect) => whole(name, `config: {edition: 3}\n${text}`, expect);
const shared = [
  expressions('common table expression', 'with:\n  mine: SELECT team FROM u WHERE m = auth.user_id()\nstreams:\n  s: {auto_subscribe: true, query: SELECT * FROM t WHERE team IN mine}\n', 'same'),
  expressions('in FROM, twice', 'with:\n  mine: SELECT team AS x, n FROM u WHERE m = auth.user_id()\nstreams:\n  s: {auto_subscribe: true, query: "SELECT t.* FROM t, mine AS a, MINE AS b WHERE a.x = t.team AND b.n = t.n"}\n', 'same'),
  expressions('local ones come first', 'with: {mine: SELECT a FROM v}\nstreams:\n  s:\n    auto_subscribe: true\n    with: {mine: SELECT team FROM u WHERE m = auth.user_id()}\n    query: SELECT * FROM t WHERE team IN mine\n', 'same'),
  expressions('one in another is a table', 'with: {a: SELECT team FROM u, b: SELECT team FROM a WHERE m = auth.user_id()}\nstreams: {s: {auto_subscribe: true, query: SELECT * FROM t WHERE team IN b}}\n', 'same'),
  expressions('two columns after IN', 'with: {a: "SELECT team, m FROM u"}\nstreams: {s: {query: SELECT * FROM t WHERE team IN a}}\n', 'refused'),
  expressions('star', 'with: {a: SELECT * FROM u}\nstreams: {s: {query: SELECT * FROM t WHERE team IN a}}\n', 'refused'),
  expressions('all columns of one', 'with: {mine: "SELECT _id AS id, owner, n FROM t WHERE n > 0"}\nstreams: {s: {auto_subscribe: true, query: SELECT * FROM mine WHERE owner = auth.user_id()}}\n', 'same'),
  expressions('with a function', "with: {roles: \"SELECT value FROM json_each(auth.parameter('roles')) AS r\"}\nstreams: {s: {auto_subscribe: true, query: SELECT * FROM t WHERE team IN roles OR owner IN roles}}\n", 'same'),
  expressions('streams share buckets', "streams:\n  s: {auto_subscribe: true, query: SELECT * FROM t WHERE owner = auth.user_id()}\n  r: {auto_subscribe: true, priority: 0, query: \"SELECT * FROM t WHERE owner = auth.parameter('n')\"}\n", 'same'),
  expressions('numbers of families', "streams:\n  s:\n    auto_subscribe: true\n    queries:\n      - SELECT * FROM t WHERE owner = auth.user_id() OR team = auth.parameter('team')\n      - SELECT n FROM t WHERE team = auth.user_id()\n      - SELECT r FROM t WHERE n = auth.parameter('n')\n", 'same'),
  expressions('options', 'streams: {s: {query: SELECT * FROM t}}\n', 'same'), whole('bucket definitions', 'config: {edition: 3}\nbucket_definitions: {b: {data: [SELECT * FROM t]}}\nstreams: {s: {query: SELECT * FROM t}}\n', 'refused'),
  whole('all options', 'config: {edition: 3, storage_version: 2, timestamps_iso8601: true, versioned_bucket_ids: true, fixed_json_extract: true, custom_postgres_types: true, timestamp_max_precision: seconds}\nstreams: {s: {query: SELECT * FROM t}}\n', 'same'),
];

// Where a query is wrong: the line and column are the same as the real service's.
const placed = [
  ['plain', 'query: SELECT n FROM t WHERE x.n = 1', 5, 34], ['quoted', 'query: "SELECT \\"n\\" FROM t WHERE x.n = 1"', 5, 39], ["single quoted", "query: 'SELECT ''a'' AS b, n FROM t WHERE x.n = 1'", 5, 47],
  ['block', 'query: |\n      SELECT n\n      FROM t\n      WHERE x.n = 1', 8, 13], ['folded', 'query: >-\n      SELECT n\n      FROM t WHERE\n      x.n = 1', 8, 7], ['lines of a plain one', 'query: SELECT n\n      FROM t\n      WHERE x.n = 1', 7, 13],
].map(([name, text, line, column]) => whole(`place: ${name}`, `config:\n  edition: 3\nstreams:\n  s:\n    ${text}\n`, 'refused', { line, column }));

export const picked = [
  ...joined, ...mixed, ...shared, ...placed,
  ...same, ...values, ...refused,
  of('SELECT _id AS id, * FROM t', 'same'), of('SELECT *, n AS _id, 1 AS name FROM t', 'same'), of('SELECT * FROM t', 'same'), of('SELECT owner AS id FROM convex.t AS "Out"', 'same'),
  of('SELECT upper( owner ), (n + 1), t.n FROM t', 'same'), of('SELECT n AS id FROM T', 'same'), of('SELECT n AS id FROM "T"', 'same'), of('SELECT 1 AS x FROM t', 'refused'),
  of('SELECT auth.user_id() AS x, n FROM t', 'refused'), of('SELECT n FROM t GROUP BY n', 'refused'), of('SELECT n FROM t ORDER BY n', 'refused'),
  of('SELECT n FROM t LIMIT 1', 'refused'), of('SELECT count(*) FROM t', 'refused'), of('DELETE FROM t', 'refused'), of('SELEC n FROM t', 'refused'),
  whole('queries share a bucket', 'config: {edition: 3}\nstreams:\n  s:\n    priority: 1\n    queries:\n      - SELECT *, _id AS id FROM t WHERE owner = auth.user_id()\n      - SELECT name, _id AS id FROM t AS "T" WHERE team = auth.user_id()\n', 'same'),
  whole('two queries store the same', 'config: {edition: 3}\nstreams:\n  s:\n    queries:\n      - SELECT n FROM t WHERE owner = auth.user_id()\n      - SELECT n FROM t WHERE owner = auth.parameter(\'x\')\n', 'same'),
  whole('no edition', 'streams: {s: {query: SELECT * FROM t}}\n', 'refused'),
  whole('unknown key', 'config: {edition: 3}\nstreams: {s: {query: SELECT * FROM t}}\nmagic: 1\n', 'refused', { line: 3, column: 1 }),
  whole('query and queries', 'config: {edition: 3}\nstreams:\n  s: {query: SELECT * FROM t, queries: [SELECT * FROM t]}\n', 'refused'),
  whole('priority 4', 'config: {edition: 3}\nstreams:\n  s: {query: SELECT * FROM t, priority: 4}\n', 'refused'),
];
