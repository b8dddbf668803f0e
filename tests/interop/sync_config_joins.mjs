// Seeded cases of queries over several tables: joins, subqueries, common table expressions, json_each, wildcards. Values come from few, so
// that rows, lookups and requests meet.

const tables = { t: ['a', 'b', 'n', 'list'], u: ['m', 'n', 'x', 'list'], v: ['a', 'm', 'k', 'list'] };
const values = ['1', '2', '2.0', '"x"', '"u1"', '"u1"', '"admin"', 'null', 'true', '"1"'];
const requests = ['auth.user_id()', 'auth.user_id()', "auth.parameter('role')", "connection.parameter('p')", "subscription.parameter('s')", "auth.parameter('n')", "auth.parameter('role')",
  "(auth.parameter('roles') ->> 0)", "(connection.parameter('p') ->> 'k')"];
const lists = ["auth.parameter('roles')", "connection.parameter('l')", "subscription.parameter('ids')"];
const constants = ['1', '2', "'x'", "'u1'", '2.0', 'TRUE', "'[1,\"x\"]'"];

// What names stand for in one SELECT: [{ name, columns }]. Outer names are usable behind the own ones.
function column(random, scope, outer, qualified = false) {
  const all = outer.length > 0 && random.chance(20) ? outer : scope;
  const { name, columns } = random.pick(all);
  const plain = columns.filter((other) => other !== 'list');
  const picked = random.pick(plain.length > 0 ? plain : columns);
  return !qualified && scope.length === 1 && all === scope && random.chance(60) ? picked : `${name}.${picked}`;
}

function listOf(random, scope) {
  const withList = scope.filter(({ columns }) => columns.includes('list'));
  if (withList.length === 0) return "'[1,\"x\"]'";
  return scope.length === 1 && random.chance(50) ? 'list' : `${random.pick(withList).name}.list`;
}

function small(random, leaf) {
  switch (random.below(12)) {
    case 0: return `lower(${leaf})`;
    case 1: return `${leaf} || ''`;
    case 2: return `ifnull(${leaf}, ${random.pick(constants)})`;
    case 3: return `CAST(${leaf} AS ${random.pick(['TEXT', 'INTEGER'])})`;
    default: return leaf;
  }
}

function select(random, context, outer, depth) {
  const from = sources(random, context, depth, random.chance(75) ? 1 : 2);
  const where = random.chance(90) ? ` WHERE ${condition(random, { ...context, scope: from.scope }, outer, depth)}` : '';
  const shown = from.scope.length > 0 ? small(random, column(random, from.scope, [])) : '1';
  return `(SELECT ${shown} FROM ${from.text}${where})`;
}

function atom(random, context, outer, depth) {
  const { scope, ctes } = context;
  const col = () => small(random, column(random, scope, outer));
  switch (random.below(depth > 0 ? 17 : 10)) {
    case 0: case 1: case 2: return random.chance(50) ? `${col()} = ${random.pick(requests)}` : `${random.pick(requests)} = ${col()}`;
    case 3: return `${col()} = ${col()}`;
    case 4: return `${col()} ${random.pick(['=', '!=', '<', '>='])} ${random.pick(constants)}`;
    case 5: return random.chance(85) ? `${col()} IN ${random.pick(lists)}` : `${col()} NOT IN ${listOf(random, scope)}`;
    case 6: return `${random.pick(requests)} IN ${listOf(random, scope)}`;
    case 7: return `${listOf(random, scope)} && ${random.pick(lists)}`;
    case 8: return `${random.pick(requests)} ${random.pick(['=', '!='])} ${random.pick(constants)}`;
    case 9: return random.chance(50) ? `${col()} IN ARRAY[1, 'x', 'u1']` : `${random.pick(constants)} IN ${listOf(random, scope)}`;
    case 10: case 11: case 12: return `${col()} IN ${select(random, context, scope, depth - 1)}`;
    case 13: return `${random.pick(requests)} IN ${select(random, context, scope, depth - 1)}`;
    case 14: return `${listOf(random, scope)} && ${select(random, context, scope, depth - 1)}`;
    case 15: return ctes.length > 0 ? `${col()} IN ${random.pick(ctes)}` : `${col()} IN ${select(random, context, [], depth - 1)}`;
    default: return `${random.pick(constants)} IN ${select(random, context, scope, depth - 1)}`;
  }
}

function condition(random, context, outer, depth) {
  const parts = Array.from({ length: 1 + random.below(3) }, () => atom(random, context, outer, depth));
  if (random.chance(3)) parts[0] = `NOT (${parts[0]})`;
  return parts.reduce((left, right) => (random.chance(80) ? `${left} AND ${right}` : `(${left} OR ${right})`));
}

// FROM, with `count` sources.
function sources(random, context, depth, count) {
  const scope = [], texts = [], on = [];
  for (let i = 0; i < count; i++) {
    const name = `${random.pick(['p', 'q', 'r'])}${depth}${i}`;
    const kind = random.below(i > 0 ? 10 : 7);
    if (kind === 6 && context.ctes.length > 0) {
      const cte = random.pick(context.ctes);
      texts.push(`${cte} AS ${name}`);
      scope.push({ name, columns: ['c0'] });
    } else if (kind === 5 && depth > 0) {
      const inner = sources(random, { ...context, scope: [] }, depth - 1, 1);
      const where = random.chance(70) ? ` WHERE ${condition(random, { ...context, scope: inner.scope }, [], 0)}` : '';
      texts.push(`(SELECT ${column(random, inner.scope, [])} AS c0, ${column(random, inner.scope, [])} AS c1 FROM ${inner.text}${where}) AS ${name}`);
      scope.push({ name, columns: ['c0', 'c1'] });
    } else if (kind >= 8) {
      const tablesOnly = scope.filter(({ columns }) => columns.includes('list'));
      texts.push(`json_each(${tablesOnly.length > 0 && random.chance(65) ? `${random.pick(tablesOnly).name}.list` : random.pick([...lists, "'[1,\"x\",\"u1\"]'"])}) AS ${name}`);
      scope.push({ name, columns: ['value', 'value', 'key'] });
    } else {
      const table = random.pick(['t', 'u', 'v', 'u']);
      texts.push(random.chance(70) ? `${table} AS ${name}` : `convex.${table} ${name}`);
      scope.push({ name, columns: tables[table] });
    }
    on.push(i > 0 && random.chance(35) ? ` ON ${small(random, column(random, scope.slice(0, i), [], true))} = ${small(random, column(random, scope.slice(i), [], true))}` : null);
  }
  return { scope, text: texts.map((text, i) => (i === 0 ? text : on[i] ? ` JOIN ${text}${on[i]}` : `, ${text}`)).join('') };
}

function linked(random, scope) {
  const links = [];
  for (let i = 1; i < scope.length; i++) {
    if (random.chance(85)) links.push(`${column(random, [scope[random.below(i)]], [], true)} = ${column(random, [scope[i]], [], true)}`);
  }
  return links;
}

function query(random, ctes) {
  if (random.chance(35)) { // one table with subqueries
    const wildcard = random.chance(15);
    const scope = [{ name: wildcard ? 'w' : 't', columns: tables.t }];
    return `SELECT *, _id AS id FROM ${wildcard ? '"t%" AS w' : 't'} WHERE ${condition(random, { scope, ctes }, [], 2)}`;
  }
  const first = random.pick(['t', 't', 'u']);
  const rest = sources(random, { ctes, scope: [] }, 2, 1 + random.below(3));
  const scope = [{ name: first, columns: tables[first] }, ...rest.scope];
  const links = linked(random, scope);
  const more = random.chance(85) ? [condition(random, { scope, ctes }, [], 1)] : [];
  const conditions = [...links, ...more];
  const items = random.pick([`${first}.*`, `${first}.*, ${first}._id AS id`, `${first}._id AS id, ${first}.a AS a`]);
  return `SELECT ${items} FROM ${first}, ${rest.text}${conditions.length > 0 ? ` WHERE ${conditions.join(' AND ')}` : ''}`;
}

function withOf(random, names) {
  return Object.fromEntries(names.map((name) => {
    const from = sources(random, { ctes: [], scope: [] }, 1, random.chance(80) ? 1 : 2);
    const where = random.chance(85) ? ` WHERE ${condition(random, { scope: from.scope, ctes: [] }, [], 1)}` : '';
    return [name, `SELECT ${column(random, from.scope, [])} AS c0 FROM ${from.text}${where}`];
  }));
}

const indented = (object, spaces) => Object.entries(object).map(([key, sql]) => `${' '.repeat(spaces)}${key}: ${JSON.stringify(sql)}\n`).join('');

export function joinedConfig(random) {
  const ctes = random.chance(45) ? ['mine', 'ours'].slice(0, 1 + random.below(2)) : [];
  const head = ctes.length > 0 ? `with:\n${indented(withOf(random, ctes), 2)}` : '';
  const streams = Array.from({ length: random.chance(80) ? 1 : 2 }, (_, i) => {
    const local = ctes.length > 0 && random.chance(25) ? `    with:\n${indented(withOf(random, ['mine']), 6)}` : '';
    const queries = Array.from({ length: random.chance(75) ? 1 : 2 }, () => query(random, ctes));
    return `  s${i}:\n    auto_subscribe: ${random.chance(70)}\n    priority: ${random.below(4)}\n${local}    queries:\n${queries.map((sql) => `      - ${JSON.stringify(sql)}\n`).join('')}`;
  });
  return `config:\n  edition: 3\n${head}streams:\n${streams.join('')}`;
}

export function joinedRows(random) {
  return Array.from({ length: 6 + random.below(10) }, (_, i) => {
    const table = random.pick(['t', 't', 'u', 'u', 'v', 'tx']);
    const columns = tables[table] ?? tables.t;
    const fields = columns.filter((name) => name !== 'list' && random.chance(92)).map((name) => `"${name}":${random.pick(values)}`);
    fields.push(`"list":${random.pick(['["x",1,2]', '["u1","admin"]', '["u1","u1"]', '[]', 'null', '{"k":"x"}', '"[2]"', '"no"'])}`);
    return { table, document: `{"_id":"d${i}",${fields.join(',')}}` };
  });
}

export function joinedRequest(random) {
  const own = () => `{"s":${random.pick(values)},"ids":${random.pick(['[1,"x"]', '["u1","x",2]', '[]', 'null', '"x"'])}}`;
  return {
    claims: `{"sub":${random.pick(['"u1"', '"x"', '1'])},"n":${random.pick(['1', '2', '"x"', 'null'])},"role":"admin","roles":["admin","x",1,2]}`,
    parameters: `{"p":${random.pick(values)},"l":${random.pick(['[1,2,"x",null]', '["u1"]', '[]', '3'])}}`,
    include_defaults: random.chance(85),
    subscriptions: Array.from({ length: random.below(3) }, () => ({ stream: random.pick(['s0', 's1']), parameters: own(), override_priority: random.chance(80) ? null : random.below(4) })),
  };
}
