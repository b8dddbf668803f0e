// What the real evaluator of sync configs says about a case: the buckets and the stored data of every row, and the buckets of every
// request. Documents, claims and parameters are JSON texts, because 1 and 1.0 are different rows.
//
// case:   { config, rows: [{ table, document }], requests: [{ claims, parameters, include_defaults, subscriptions }] }
// answer: { error } when the config is refused, else { rows: [{ outputs, keys }], requests: [{ buckets, failed }] }
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const exported = new Set(['_table', '_ts', '_deleted', '_component']);

// The evaluator wants a newer node than Debian's: what it misses here.
function group(into, items, keyOf) {
  let i = 0;
  for (const item of items) {
    const key = keyOf(item, i++);
    into(key, item);
  }
}
Object.groupBy ??= (items, keyOf) => {
  const groups = Object.create(null);
  group((key, item) => (groups[key] ??= []).push(item), items, keyOf);
  return groups;
};
Map.groupBy ??= (items, keyOf) => {
  const groups = new Map();
  group((key, item) => (groups.get(key) ?? groups.set(key, []).get(key)).push(item), items, keyOf);
  return groups;
};

async function load(modules, name) {
  const from = (file) => import(pathToFileURL(path.join(modules, '@powersync', file)).href);
  return { rules: await from('service-sync-rules/dist/index.js'), json: await from('service-jsonbig/dist/index.js') };
}

function placeOf(text, offset) {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: before.at(-1).length + 1 };
}

export async function createJudge(modules) {
  const { rules, json } = await load(modules);

  function parse(config) {
    const parsed = rules.SqlSyncRules.fromYaml(config, { defaultSchema: 'convex', throwOnError: false });
    const fatal = parsed.errors.filter((error) => error.type !== 'warning');
    return { parsed: parsed.config, fatal };
  }

  function rowOf(config, text) {
    const document = json.JSONBig.parse(text);
    // As the service's Convex source does it: arrays and objects are JSON text before the evaluator sees them.
    const valueOf = (value) => (value !== null && typeof value === 'object' ? json.JSONBig.stringify(value) : value);
    const kept = Object.fromEntries(Object.entries(document).filter(([key]) => !exported.has(key))
      .map(([key, value]) => [key, valueOf(value)]));
    return config.applyRowContext(rules.toSyncRulesRow(kept));
  }

  function judgeRow(config, { table, document }, index) {
    const sourceTable = { connectionTag: 'default', schema: 'convex', name: table };
    const record = rowOf(config, document);
    const { results, errors } = config.evaluateRowWithErrors({ sourceTable, record });
    let found, thrown = false;
    try {
      found = config.evaluateParameterRowWithErrors(sourceTable, record);
    } catch (error) { // only subqueries of edition 2's streams
      found = { results: [], errors: [error] };
      thrown = true;
    }
    const keys = new Set();
    for (const { lookup, bucketParameters } of found.results) {
      const key = lookup.serializedRepresentation;
      keys.add(key.replace(/^\["lookup","(\d+)",?/, '$1[')); // as the mock writes it
      index.set(key, [...(index.get(key) ?? []), ...bucketParameters]);
    }
    const outputs = results.map((result) =>
      ({ bucket: result.bucket, table: result.table, id: result.id, data: json.JSONBig.stringify(result.data) }));
    return { outputs, keys: [...keys], failed: errors.length + found.errors.length > 0, thrown };
  }

  async function judgeRequest(config, request, index) {
    const streams = {};
    (request.subscriptions ?? []).forEach((subscription, i) => {
      (streams[subscription.stream] ??= []).push({ opaque_id: i, priorityOverride: subscription.override_priority ?? null,
        parameters: JSON.parse(subscription.parameters ?? '{}') ?? {} });
    });
    const globalParameters = new rules.RequestParameters(new rules.BaseJwtPayload(JSON.parse(request.claims)),
      JSON.parse(request.parameters ?? '{}'));
    const { querier, errors } = config.getBucketParameterQuerier(
      { globalParameters, hasDefaultStreams: request.include_defaults ?? true, streams });
    let buckets = querier.staticBuckets;
    if (querier.hasDynamicBuckets) {
      const source = { getParameterSets: async (lookups) =>
        lookups.map((lookup) => ({ lookup, rows: index.get(lookup.serializedRepresentation) ?? [] })) };
      buckets = [...buckets, ...await querier.queryDynamicBucketDescriptions(source)];
    }
    const merged = rules.mergeBuckets(buckets);
    return { buckets: merged.map(({ bucket, priority, inclusion_reasons }) => ({ bucket, priority, reasons: inclusion_reasons })),
      failed: errors.map((error) => error.descriptor), messages: errors.map((error) => error.message) };
  }

  let last = {};
  function parseOnce(config) {
    if (last.config !== config) last = { config, accepted: parse(config) };
    return last.accepted;
  }

  return async function judge({ config, rows, requests }) {
    let accepted;
    try {
      accepted = parseOnce(config);
    } catch (error) {
      return { error: String(error.message) };
    }
    if (accepted.fatal.length > 0) {
      const [first] = accepted.fatal;
      return { error: first.message, place: first.location && placeOf(config, first.location.start) };
    }
    const hydrated = accepted.parsed.hydrate({ hydrationState: rules.versionedHydrationState(1), sqlite: null });
    const index = new Map();
    const judgedRows = rows.map((row) => judgeRow(hydrated, row, index));
    const judgedRequests = [];
    for (const request of requests) {
      try {
        judgedRequests.push(await judgeRequest(hydrated, request, index));
      } catch (error) {
        judgedRequests.push({ thrown: String(error.message) });
      }
    }
    return { rows: judgedRows, requests: judgedRequests };
  };
}
