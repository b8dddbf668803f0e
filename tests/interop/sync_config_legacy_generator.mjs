// Seeded cases of editions 1 and 2: bucket definitions and early streams, with rows and requests that meet them.
import { randomOf } from './sync_config_generator.mjs';

const columns = ['a', 'b', 'n', 'r', 'list', 'obj', '"camelCase"', '_id', 'missing', 't.a', 't.n'];
const literals = ['0', '1', '2', '-3', '1.5', '2.0', "'x'", "'y'", "''", "'12'", "'1.5x'", "'it''s'", 'NULL', 'TRUE', 'FALSE', "'[1,2,\"x\",true,null]'", "'{\"k\":1,\"o\":{\"p\":null}}'", "'Äß€'"];
const keys = ['k', 'o.p', '$.k', '$.o.p', 'p.q', 'length', '0', '$', 'none', '$.l.1', 'x'];
const comparisons = ['=', '!=', '<>', '<', '<=', '>', '>='];

// An expression over leaves of one side.
function scalar(random, leaf, depth) {
  const inner = () => scalar(random, leaf, depth - 1);
  if (depth <= 0 || random.chance(30)) return random.chance(75) ? leaf() : random.pick(literals);
  switch (random.below(21)) {
    case 0: return `upper(${inner()})`;
    case 1: return `lower(${inner()}${random.chance(5) ? ', 1' : ''})`;
    case 2: return `length(${inner()})`;
    case 3: return `typeof(${inner()})`;
    case 4: return `substring(hex(${inner()}), ${random.pick(['1', '0', '-2', '3'])}, ${random.pick(['2', '0', '-1', '5'])})`;
    case 5: return `base64(${inner()})`;
    case 6: return `ifnull(${inner()}, ${inner()})`;
    case 7: return `iif(${inner()}, ${inner()}${random.chance(10) ? '' : `, ${inner()}`})`;
    case 8: return `instr(${inner()}, ${inner()})`;
    case 9: return `json_valid(${inner()})`;
    case 10: return `json_array_length(${inner()}${random.chance(50) ? '' : `, '${random.pick(['$', '$.k', '$.o', 'k'])}'`})`;
    case 11: return `json_extract(${inner()}, '${random.pick(keys)}')`;
    case 12: return `json_keys(${inner()})`;
    case 13: case 14: return `((${inner()}) ${random.pick(['->', '->>'])} '${random.pick(keys)}')`;
    case 15: return `CAST(${inner()} AS ${random.pick(['text', 'integer', 'real', 'numeric'])})`;
    case 16: return `(${inner()} ${random.pick(['+', '-', '*', '/', '||'])} ${inner()})`;
    case 17: return `(${inner()} ${random.pick(comparisons)} ${inner()})`;
    case 18: return `(${inner()} ${random.pick(['IS NULL', 'IS NOT NULL', 'ISNULL', 'NOTNULL'])})`;
    case 19: return `(${inner()} ${random.pick(['AND', 'OR'])} ${random.chance(30) ? 'NOT ' : ''}${inner()})`;
    default: return `(${inner()} IN ${leaf()})`;
  }
}

// What no side can do, now and then.
const oddities = ['CASE WHEN 1 THEN 2 END', 'n BETWEEN 1 AND 2', 'n IN (1, 2)', 'n IN ARRAY[1]', 'n IS TRUE', 'coalesce(n, 1)', 'n % 2', 'obj -> 0', "name LIKE 'x'", 'nobody.n', 'list NOT IN list', 'upper(n', 'auth.jwt()', '-n', 'n = $1'];
const odd = (random, expression) => (random.chance(1) ? random.pick(oddities) : expression);

const ofRow = (random, depth) => odd(random, scalar(random, () => random.pick(columns), depth));
const oldRequests = ['request.user_id()', "request.jwt() ->> 'role'", "request.jwt() ->> 'n'", "request.parameters() ->> 'p'", "request.parameters() ->> 'o.p'", "request.parameter('p')", "request.parameter('$.o.p')", 'token_parameters.user_id', 'token_parameters.q', 'token_parameters.l', 'user_parameters.p', 'user_parameters.l', 'user_parameters.none', 'request.parameters()'];
const streamRequests = ['auth.user_id()', "auth.parameter('role')", "auth.parameter('n')", "auth.parameter('parameters.q')", "auth.parameter('$.parameters.q')", "auth.parameters() ->> 'role'", "connection.parameter('p')", "connection.parameter('$.o.p')", "connection.parameters() ->> 'p'", "subscription.parameter('s')", "subscription.parameter('none')", "subscription.parameters() ->> 's'"];
const oldLists = ["(request.parameters() -> 'l')", 'user_parameters.l', 'token_parameters.l', "(request.jwt() -> 'roles')"];
const streamLists = ["auth.parameter('roles')", "connection.parameter('l')", "subscription.parameter('ids')", "(connection.parameters() -> 'l')", "subscription.parameter('none')"];
const ofRequest = (random, depth, leaves) => odd(random, scalar(random, () => (random.chance(85) ? random.pick(leaves) : random.pick(leaves.slice(0, 2))), depth));

const names = ['u', 'v', '"W"'];

function output(random, i) {
  const expression = ofRow(random, 2);
  return `${expression} AS ${random.pick(['x', 'y', 'n', 'a', '"camelCase"', `c${i}`])}`;
}

function columnList(random) {
  const items = Array.from({ length: random.below(3) }, (_, i) => output(random, i));
  if (random.chance(60)) items.splice(random.below(items.length + 1), 0, random.chance(20) ? 't.*' : '*');
  if (random.chance(95)) items.splice(random.below(items.length + 1), 0, `${random.pick(['_id', '_id', '_id', 'n', 'r', 'missing', 'list'])} AS id`);
  return items.join(', ') || '*';
}

const from = (random) => (random.chance(2) ? '"t%"' : random.pick(['t', 't', 't', 't', 'convex.t', 't AS t', '"t%" AS t']));

// Conditions of a data query that use every parameter of the bucket.
function cover(random, parameters) {
  const part = (name) => (random.chance(75) ? random.chance(80) ? `${ofRow(random, 1)} = bucket.${name}` : `bucket.${name} = ${ofRow(random, 1)}` : `bucket.${name} IN ${random.pick(['list', 'obj', 'a', "'[1,\"x\",true]'", ofRow(random, 2)])}`);
  const all = () => [...parameters.map(part), ...Array.from({ length: random.below(20) < 7 ? 1 : 0 }, () => `(${ofRow(random, 1)})`), ...(random.chance(8) && parameters.length > 0 ? [part(random.pick(parameters))] : []), ...(random.chance(3) ? [`bucket.${random.pick(parameters.length > 0 ? parameters : names)}`] : [])];
  const shuffled = () => all().sort(() => random.below(3) - 1).join(' AND ');
  const one = shuffled();
  return parameters.length > 0 && random.chance(20) ? `(${one}) OR (${shuffled()})` : one;
}

function dataQuery(random, parameters) {
  const condition = cover(random, random.chance(4) ? parameters.slice(1) : parameters);
  return `SELECT ${columnList(random)} FROM ${from(random)}${condition ? ` WHERE ${condition}` : ''}`;
}

const memberColumns = ['a', 'b', 'n', 'list', 'members.a', 'missing'];
const ofMember = (random, depth) => scalar(random, () => random.pick(memberColumns), depth);

function tableCondition(random, requests, lists, inLists) {
  let unbounded = 0;
  const parts = Array.from({ length: random.pick([0, 1, 1, 1, 2, 2, 3]) }, (_, i) => {
    if (i === 0 && !inLists) return `${random.pick(memberColumns)} = ${random.pick(requests)}`;
    switch (random.below(8)) {
      case 0: return `(${ofMember(random, 2)})`;
      case 1: return unbounded++ > 0 && random.chance(90) ? 'n IS NULL' : `${ofRequest(random, 1, requests)} IN ${random.pick(['list', ofMember(random, 1)])}`;
      case 2: return inLists ? `${ofMember(random, 1)} IN ${random.pick(lists)}` : `${ofMember(random, 1)} = ${ofRequest(random, 1, requests)}`;
      case 3: return `(${ofRequest(random, 2, requests)})`;
      default: return random.chance(80) ? `${random.pick(memberColumns)} = ${random.pick(requests)}` : `${ofRequest(random, 1, requests)} = ${ofMember(random, 1)}`;
    }
  });
  if (parts.length > 1 && random.chance(10)) return `(${parts[0]}) OR (${parts[0]} AND ${parts[1]})`;
  return parts.join(' AND ');
}

function parameterQuery(random, parameters) {
  const kind = random.below(10);
  const priority = random.chance(5) ? [`${random.pick([0, 1, 2, 3, 3, 2, 1, 4])} AS _priority`] : [];
  const list = (leaf) => [...parameters.map((name) => `${leaf(name)} AS ${name}`), ...priority].join(', ');
  const where = (condition) => (condition ? ` WHERE ${condition}` : '');
  if (kind < 4) return `SELECT ${list(() => ofRequest(random, 1, oldRequests))}${where(random.chance(40) ? ofRequest(random, 2, oldRequests) : '')}`;
  if (kind < 6) {
    const leaves = ['value', 'key', 'json_each.value', ...oldRequests];
    return `SELECT ${parameters.map((name) => `${random.chance(70) ? random.pick(['value', 'value', 'key']) : ofRequest(random, 1, leaves)} AS ${name}`).join(', ')} FROM json_each(${random.chance(80) ? random.pick(oldLists) : ofRequest(random, 1, oldRequests)})${where(random.chance(30) ? ofRequest(random, 2, leaves) : '')}`;
  }
  return `SELECT ${list(() => (random.chance(75) ? random.pick(memberColumns) : ofRequest(random, 1, oldRequests)))} FROM members${where(tableCondition(random, oldRequests, oldLists, true))}`;
}

function bucket(random, i) {
  const parameters = names.slice(0, random.pick([0, 1, 1, 1, 2, 2, 3]));
  const queries = Array.from({ length: random.chance(80) ? 1 : 2 }, () => parameterQuery(random, parameters));
  const data = Array.from({ length: 1 + random.below(2) }, () => dataQuery(random, parameters));
  const list = (sqls) => sqls.map((sql) => `      - ${JSON.stringify(sql)}\n`).join('');
  const head = `  s${i}:\n${random.chance(15) ? `    priority: ${random.below(4)}\n` : ''}`;
  return `${head}${parameters.length === 0 && random.chance(50) ? '' : `    parameters:\n${list(queries)}`}    data:\n${list(data)}`;
}

function subquery(random) {
  const column = random.chance(85) ? random.pick(memberColumns) : random.chance(90) ? ofMember(random, 1) : random.pick(['*', 'x.y', 'auth.user_id()', 'a, b']);
  const condition = tableCondition(random, streamRequests, streamLists, random.chance(3));
  return `(SELECT ${column} FROM members${condition ? ` WHERE ${condition}` : ''})`;
}

function condition(random, depth) {
  if (depth > 0 && random.chance(55)) {
    const inner = `(${condition(random, depth - 1)}) ${random.pick(['AND', 'AND', 'OR'])} (${condition(random, depth - 1)})`;
    return random.chance(3) ? `NOT (${inner})` : inner;
  }
  switch (random.below(13)) {
    case 0: case 1: return ofRow(random, 2);
    case 2: return ofRequest(random, 2, streamRequests);
    case 3: return `${ofRow(random, 1)} IN ${random.pick(streamLists)}`;
    case 4: return `${random.pick(streamRequests)} IN ${random.pick(['list', 'obj'])}`;
    case 5: return `${random.pick(['list', 'obj', 'a'])} && ${random.pick([...streamLists, 'list', "'[1]'"])}`;
    case 6: case 7: return `${random.chance(80) ? random.pick(columns) : ofRow(random, 1)} IN ${subquery(random)}`;
    case 8: return `${random.pick(streamRequests)} IN ${subquery(random)}`;
    case 9: return `${random.pick(['list', 'obj'])} && ${subquery(random)}`;
    case 10: return `${random.chance(20) ? 'NOT ' : ''}${ofRow(random, 2)}`;
    default: return random.chance(50) ? `${random.pick(columns)} = ${ofRequest(random, 1, streamRequests)}` : `${random.pick(streamRequests)} = ${ofRow(random, 1)}`;
  }
}

function stream(random, i) {
  const sql = `SELECT ${columnList(random)} FROM ${from(random)}${random.chance(92) ? ` WHERE ${condition(random, 3)}` : ''}`;
  return `  s${i}:\n    auto_subscribe: ${random.chance(60)}\n${random.chance(20) ? `    priority: ${random.below(4)}\n` : ''}    query: ${JSON.stringify(sql)}\n`;
}

const values = ['null', '0', '1', '2', '2.0', '1.5', '-3', 'true', 'false', '"x"', '"y"', '""', '"12"', '"u1"', '"Äß€"', '[1,"x",2.0]', '[]', '{"k":1,"o":{"p":[1]}}', '{"k":null}', '"[1,2]"', '"not json"', '"null"', '[null,true,"a",{"x":1.0}]', '-0.0', '123456789'];

function row(random, number) {
  const table = random.pick(['t', 't', 't', 'members', 'members', 't_one']);
  const fields = [`"_id":"d${number}"`, '"_creationTime":1700000000000.5'];
  for (const name of ['a', 'b', 'n', 'r', 'camelCase']) if (random.chance(85)) fields.push(`"${name}":${random.pick(values)}`);
  if (random.chance(15)) fields.push(`"id":${random.pick(values)}`);
  fields.push(`"list":${random.pick(['["x",1,2]', '[]', '[1,1]', 'null', '["admin","u1"]', '[true,null,1.5]'])}`);
  fields.push(`"obj":${random.pick(['{"k":["x",1]}', '{"k":"v","o":{"p":null}}', '{}', '{"o":{"p":true},"o.p":1.0}', 'null', '["u1"]'])}`);
  return { table, document: `{${fields.join(',')}}` };
}

function request(random) {
  const list = () => random.pick(['[1,2.5,"x",null,true]', '["u1"]', '[]', '3', '{"m":"x","q":null}', '[{"k":1},"x","x"]', '"[1]"', 'null']);
  return {
    claims: `{"sub":${random.pick(['"u1"', '"x"', '1'])},"n":${random.pick(['1', '2.5', 'null', '"x"'])},"role":"admin","roles":${list()},"parameters.q":"dot"${random.chance(70) ? `,"parameters":{"q":${random.pick(values)},"l":${list()}}` : ''}}`,
    parameters: `{"p":${random.pick(values)},"l":${list()},"o":{"p":${random.pick(values)}},"o.p":1}`,
    include_defaults: random.chance(80),
    subscriptions: Array.from({ length: random.below(3) }, () => ({ stream: random.pick(['s0', 's1', 'nobody']), parameters: `{"s":${random.pick(values)},"ids":${list()}}`, override_priority: random.chance(70) ? null : random.below(4) })),
  };
}

// Two cases share a config.
export function generate(seed, number) {
  const ofConfig = randomOf(seed, 2_000_000 + Math.floor(number / 2)), random = randomOf(seed, 3_000_000 + number);
  const edition = ofConfig.pick([1, 2, 2]);
  const settings = [`edition: ${edition}`, ...(ofConfig.chance(15) ? [`fixed_json_extract: ${ofConfig.chance(50)}`] : [])].join(', ');
  const kinds = edition === 1 ? ['bucket'] : [ofConfig.pick(['bucket', 'stream', 'stream'])];
  if (ofConfig.chance(10)) kinds.push(edition === 1 ? 'bucket' : ofConfig.pick(['bucket', 'stream']));
  const of = (kind, make, head) => (kinds.includes(kind) ? `${head}:\n${kinds.map((other, i) => (other === kind ? make(ofConfig, i) : '')).join('')}` : '');
  return {
    name: `seed ${seed}, case ${number}`,
    config: `config: {${settings}}\n${of('bucket', bucket, 'bucket_definitions')}${of('stream', stream, 'streams')}`,
    rows: Array.from({ length: 2 + random.below(4) }, (_, i) => row(random, i)),
    requests: Array.from({ length: 1 + random.below(2) }, () => request(random)),
  };
}
