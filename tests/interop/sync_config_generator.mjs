// Seeded cases for the sync configs: queries from the grammar that the mock service takes, rows and requests that meet them.

import { joinedConfig, joinedRequest, joinedRows } from './sync_config_joins.mjs';

// Counter-based, so that a case depends on its seed and number only.
export function randomOf(seed, number) {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(number + 1, 0x85ebca6b)) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (limit) => next() % limit;
  return { below, pick: (list) => list[below(list.length)], chance: (percent) => below(100) < percent };
}

const columns = ['a', 'b', 'n', 'r', 't', 'z', 'list', 'obj', '"camelCase"', '_id', '_creationTime', 'missing'];
const literals = ['0', '1', '2', '-3', '1.5', '2.0', "'x'", "'y'", "''", "'12'", "'1.5x'", "'it''s'", 'NULL', 'TRUE', 'FALSE',
  "'[1,2,\"x\"]'", "'{\"k\":1}'", "'Äß€'"];
const requests = ['auth.user_id()', "auth.parameter('n')", "auth.parameter('role')", "connection.parameter('p')",
  "connection.parameter('q')", "subscription.parameter('s')", "auth.parameter('nested') ->> 'x'", "connection.parameters() ->> 'p'",
  "auth.parameter('$.nested.x')", "subscription.parameter('none')"];
const lists = ["connection.parameter('l')", "auth.parameter('roles')", "subscription.parameter('ids')", "connection.parameter('none')",
  "connection.parameters() -> 'l'"];
const comparisons = ['=', '!=', '<>', '<', '<=', '>', '>='];

// An expression over leaves of one side.
function scalar(random, leaf, depth) {
  const inner = () => scalar(random, leaf, depth - 1);
  if (depth <= 0 || random.chance(25)) {
    return random.chance(65) ? leaf() : random.pick(literals);
  }
  switch (random.below(20)) {
    case 0: return `upper(${inner()})`;
    case 1: return `lower(${inner()})`;
    case 2: return `length(${inner()})`;
    case 3: return `typeof(${inner()})`;
    case 4: return `substring(hex(${inner()}), 1, 5)`;
    case 5: return `base64(${inner()})`;
    case 6: return `ifnull(${inner()}, ${inner()})`;
    case 7: return `iif(${inner()}, ${inner()}, ${inner()})`;
    case 8: return `instr(${inner()}, ${inner()})`;
    case 9: return `substring(${inner()}, ${random.pick(['1', '0', '-2', '2', '3', '1.5'])}${random.pick(['', ', 2', ', 0', ', -1', ', 1'])})`;
    case 10: return `CAST(${inner()} AS ${random.pick(['TEXT', 'INTEGER', 'REAL', 'NUMERIC', 'BLOB', 'text'])})`;
    case 11: return `(${inner()} ${random.pick(['+', '-', '*', '/'])} ${inner()})`;
    case 12: return `${inner()} || ${inner()}`;
    case 13: return `(${inner()} ${random.pick(comparisons)} ${inner()})`;
    case 14: return `CASE WHEN ${inner()} THEN ${inner()} ELSE ${inner()} END`;
    case 15: return `CASE ${inner()} WHEN ${inner()} THEN ${inner()} WHEN ${inner()} THEN ${inner()} END`;
    case 16: return `(${inner()} ${random.pick(['->', '->>'])} ${random.pick(["'k'", "'$.k'", '0', '1', "'$'", "'$.o.p'", "'none'"])})`;
    case 17: return random.pick([`json_array_length(${inner()})`, `json_keys(${inner()})`, `json_extract(${inner()}, '$.k')`]);
    case 18: return `(${inner()} ${random.pick(['AND', 'OR'])} ${inner()})`;
    default: return `(NOT ${inner()})`;
  }
}

const plainRow = (random) => random.pick(columns);
const plainRequest = (random) => random.pick(requests);

// What can stand in a WHERE clause.
function condition(random, depth) {
  const row = () => scalar(random, () => plainRow(random), random.below(3));
  const request = () => scalarOfRequest(random);
  if (depth > 0 && random.chance(40)) {
    const parts = [condition(random, depth - 1), condition(random, depth - 1)];
    return `(${parts.join(random.chance(60) ? ' AND ' : ' OR ')})`;
  }
  switch (random.below(14)) {
    case 0: return `${plainRow(random)} = ${plainRequest(random)}`;
    case 1: return `${plainRequest(random)} = ${plainRow(random)}`;
    case 2: return `${row()} = ${request()}`;
    case 3: return `${row()} ${random.pick(comparisons)} ${row()}`;
    case 4: return `${row()} IS ${random.pick(['', 'NOT '])}${random.pick(['NULL', 'TRUE', 'FALSE'])}`;
    case 5: return `${row()} ${random.pick(['', 'NOT '])}BETWEEN ${row()} AND ${row()}`;
    case 6: return `${request()} ${random.pick(comparisons)} ${random.pick(literals)}`;
    case 7: return `${plainRow(random)} IN ${random.pick(lists)}`;
    case 8: return `${plainRequest(random)} IN ${random.pick(['list', 'obj', "(obj ->> 'k')"])}`;
    case 9: return `list && ${random.pick(lists)}`;
    case 10: return `${plainRow(random)} ${random.pick(['', 'NOT '])}IN ${random.pick(['ARRAY', 'ROW'])}`
      .replace(/ARRAY$/, "ARRAY[1, 'x', 2.0]").replace(/ROW$/, "ROW('x', 1)");
    case 11: return `${plainRow(random)} ${random.pick(['', 'NOT '])}IN ${random.pick(['list', "'[1,\"x\",1]'"])}`;
    case 12: return `NOT (${row()})`;
    default: return row();
  }
}

function scalarOfRequest(random) {
  return random.chance(60) ? plainRequest(random) : scalar({ ...random }, () => plainRequest(random), 1).replaceAll(/\b(obj|list)\b(?! *\()/g,
    "auth.parameter('nested')");
}

function query(random, stream) {
  const items = [random.pick(['*', '_id', '*', 't.*'])];
  if (stream > 0 && random.chance(50)) items.push(`'s${stream}' AS stream`);
  const extra = random.below(4);
  for (let i = 0; i < extra; i++) {
    const expression = scalar(random, () => plainRow(random), random.below(4));
    items.push(random.chance(70) ? `${expression} AS c${random.below(3)}` : expression);
  }
  if (random.chance(80)) {
    items.push(random.pick(['_id AS id', 'b AS id', 'n AS id', 'r AS id', 'a AS id']));
  }
  const where = random.chance(80) ? ` WHERE ${condition(random, 2)}` : '';
  return `SELECT ${items.join(', ')} FROM t${where}`;
}

const values = ['null', '0', '1', '2', '2.0', '1.5', '-3', 'true', 'false', '"x"', '"y"', '""', '"12"', '"u1"', '"Äß€"', '1700000000000.25',
  '[1,"x",2.0]', '[]', '{"k":1,"o":{"p":[1]}}', '"[1,2]"', '"{\\"k\\":\\"x\\"}"', '"not json"', '[null,true,"a"]', '-0.0', '123456789'];

function row(random, number) {
  const fields = [`"_id":"d${number}"`, '"_creationTime":1700000000000.5'];
  for (const name of ['a', 'b', 'n', 'r', 't', 'z', 'camelCase']) {
    if (random.chance(85)) {
      fields.push(`"${name}":${random.pick(values)}`);
    }
  }
  fields.push(`"list":${random.pick(['["x",1,2]', '[]', '[1,1]', 'null', '["admin","u1"]'])}`);
  fields.push(`"obj":${random.pick(['{"k":["x",1]}', '{"k":"v"}', '{}', '{"o":{"p":true}}', 'null'])}`);
  return { table: 't', document: `{${fields.join(',')}}` };
}

function request(random) {
  const own = () => `{"s":${random.pick(values)},"ids":${random.pick(['[1,"x"]', '[]', '"x"', 'null', '["u1","u1"]'])}}`;
  return {
    claims: `{"sub":${random.pick(['"u1"', '"x"', '1'])},"n":${random.pick(['1', '2.5', 'null', '"x"'])},"role":"admin","roles":["admin","x",1],"nested":{"x":${random.pick(values)}}}`,
    parameters: `{"p":${random.pick(values)},"q":${random.pick(values)},"l":${random.pick(['[1,2.5,"x",null,true]', '["a"]', '[]', '3', '{"m":"x"}'])}}`,
    include_defaults: random.chance(80),
    subscriptions: Array.from({ length: random.below(3) }, () => ({ stream: random.pick(['s0', 's1', 'nobody']), parameters: own(),
      override_priority: random.chance(70) ? null : random.below(4) })),
  };
}

function stream(random, i) {
  const queries = Array.from({ length: random.chance(75) ? 1 : 2 }, () => query(random, i));
  const head = `  s${i}:\n    auto_subscribe: ${random.chance(60)}\n${random.chance(40) ? `    priority: ${random.below(4)}\n` : ''}`;
  return queries.length === 1 ? `${head}    query: ${JSON.stringify(queries[0])}\n`
    : `${head}    queries:\n${queries.map((sql) => `      - ${JSON.stringify(sql)}\n`).join('')}`;
}

// Three cases share a config: reading one takes the judge most of its time. Every other config is of several tables.
export function generate(seed, number) {
  const config = Math.floor(number / 3);
  const ofConfig = randomOf(seed, 1_000_000 + config), random = randomOf(seed, number);
  const name = `seed ${seed}, case ${number}`;
  if (config % 2 === 1) {
    return { name, config: joinedConfig(ofConfig), rows: joinedRows(random), requests: [joinedRequest(random), joinedRequest(random)] };
  }
  const streams = Array.from({ length: ofConfig.chance(80) ? 1 : 2 }, (_, i) => stream(ofConfig, i));
  return {
    name,
    config: `config:\n  edition: 3\nstreams:\n${streams.join('')}`,
    rows: Array.from({ length: 1 + random.below(3) }, (_, i) => row(random, i)),
    requests: Array.from({ length: 1 + random.below(2) }, () => request(random)),
  };
}
