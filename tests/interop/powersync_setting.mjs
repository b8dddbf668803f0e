// What the tests with the real PowerSync SDK share: the servers, a client with its connector, tokens, comparing tables.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sleep, until } from "./waiting.mjs";

const modules = process.argv[2] + "/";
const require = createRequire(modules);
const { ConvexHttpClient } = require("convex/browser");
const { anyApi: api } = require("convex/server");
const sdk = await import(modules + "@powersync/node/lib/index.js");
export const { SyncStreamConnectionMethod } = sdk;

export const work = mkdtempSync(join(tmpdir(), "powersync-"));
process.on("exit", () => rmSync(work, { recursive: true, force: true }));
const deployKey = "dev:syncline-1|0123456789abcdef";

// --- servers ---

/** A `syncline serve` with these words. `address(name)`: what it printed for it. */
export async function startServer(words) {
  const server = spawn(process.env.SYNCLINE, ["serve", ...words], { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  server.stdout.on("data", (bytes) => (printed += bytes));
  await until(() => / reach it/.test(printed) || server.exitCode !== null, "a server");
  const end = async (signal) => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill(signal);
      await once(server, "exit");
    }
  };
  return {
    address: (name) => new RegExp(`^${name} +(http://\\S+)$`, "m").exec(printed)?.[1],
    kill: () => end("SIGKILL"),
    async stop() {
      await end("SIGTERM");
      assert.equal(server.exitCode, 0, "the server's exit status");
    },
  };
}

const streams = `
config: {edition: 3}
streams:
  own_lists: {auto_subscribe: true, query: "SELECT *, uuid AS id FROM lists WHERE owner_id = auth.user_id()"}
  shared_lists: {auto_subscribe: true, query: "SELECT *, uuid AS id FROM lists WHERE shared_with = auth.user_id()"}
  own_todos: {auto_subscribe: true, query: "SELECT *, uuid AS id FROM todos WHERE owner_id = auth.user_id()"}
  shared_todos: {auto_subscribe: true, query: "SELECT *, uuid AS id FROM todos WHERE shared_with = auth.user_id()"}
  todos_of_shared_lists:
    auto_subscribe: true
    query: SELECT *, uuid AS id FROM todos WHERE list_uuid IN (SELECT uuid FROM lists WHERE shared_with = auth.user_id())
  todos_of_one_list: {query: "SELECT *, uuid AS id FROM todos WHERE list_uuid = subscription.parameter('list')"}
`;

/** The same streams, some of them with this priority. */
export const writeStreams = (priority) =>
  writeFileSync(join(work, "streams.yaml"), streams.replaceAll("{auto_subscribe: true,", `{auto_subscribe: true, priority: ${priority},`));

/** A service.yaml for the deployment at `url`; its storage is a file. */
export function writeServiceConfig(url) {
  writeStreams(3);
  writeFileSync(
    join(work, "service.yaml"),
    `replication:
  connections: [{type: convex, deployment_url: "${url}", deploy_key: "${deployKey}", polling_interval_ms: 50}]
storage: ${process.env.POWERSYNC_STORAGE ?? "{type: sqlite, path: storage.db}"}
sync_config: {path: streams.yaml}
client_auth:
  audience: [powersync]
  jwks: {keys: [{kty: oct, alg: HS256, kid: k1, k: ${Buffer.from("secret").toString("base64url")}}]}
`,
  );
  return join(work, "service.yaml");
}

// --- tokens ---

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

export function makeToken(user, seconds) {
  const now = Math.floor(Date.now() / 1000);
  const text =
    encode({ alg: "HS256", kid: "k1" }) + "." + encode({ sub: user, aud: "powersync", iat: now, exp: now + seconds });
  return text + "." + createHmac("sha256", "secret").update(text).digest("base64url");
}

// --- clients ---

const { column, Schema, Table } = sdk;
const schema = new Schema({
  lists: new Table({ name: column.text, owner_id: column.text, shared_with: column.text, created_at: column.text }),
  todos: new Table({
    list_uuid: column.text,
    description: column.text,
    completed: column.integer,
    rank: column.real,
    owner_id: column.text,
    shared_with: column.text,
    created_at: column.text,
  }),
});

/** Uploads each local transaction as one mutation. `tokens` counts how often a token was asked for. */
function makeConnector(user, service, convexUrl, lifetime) {
  const convex = new ConvexHttpClient(convexUrl, { logger: false });
  return {
    tokens: 0,
    uploads: 0,
    lifetime,
    async fetchCredentials() {
      this.tokens++;
      return { endpoint: service.url, token: makeToken(user, this.lifetime) };
    },
    async uploadData(database) {
      for (let transaction; (transaction = await database.getNextCrudTransaction()); ) {
        const operations = transaction.crud.map((entry) => ({
          op: entry.op,
          table: entry.table,
          id: entry.id,
          ...(entry.opData && { data: entry.opData }),
        }));
        const clientId = await database.getClientId(), transactionId = String(transaction.transactionId);
        await convex.mutation(api.sync.applyTransaction, { clientId, transactionId, operations });
        this.uploads++;
        await transaction.complete();
      }
    },
  };
}

const quiet = { log() {} };
const loud = { log: (entry) => console.error(entry.level, entry.message, entry.error ?? "") };

/** A PowerSync database of `user` that is connected by `transport`: "ndjson", "bson" or "websocket". */
export async function openClient({ name, user, service, convexUrl, transport, checkpointMode, lifetime = 3600 }) {
  const client = { connector: makeConnector(user, service, convexUrl, lifetime), types: new Set(), subscribed: new Set() };
  const customFetch = async (resource, init) => {
    const headers = { ...init.headers };
    if (transport === "ndjson" && headers.accept) headers.accept = "application/x-ndjson";
    const answer = await fetch(resource, { ...init, headers });
    if (/\/sync\/stream$/.test(resource) && answer.ok) client.types.add(answer.headers.get("content-type"));
    return answer;
  };
  client.database = new sdk.PowerSyncDatabase({
    schema,
    database: { dbFilename: `${name}.db`, dbLocation: work, implementation: { type: "node:sqlite" }, readWorkerCount: 1 },
    remoteOptions: { customFetch },
    logger: process.env.POWERSYNC_LOG ? loud : quiet,
  });
  client.connect = () =>
    client.database.connect(client.connector, {
      connectionMethod: transport === "websocket" ? SyncStreamConnectionMethod.WEB_SOCKET : SyncStreamConnectionMethod.HTTP,
      retryDelayMs: 100,
      crudUploadThrottleMs: 20,
      ...(checkpointMode && { checkpointMode }),
    });
  await client.database.init();
  return client;
}

// --- what must be there ---

/** All documents of a table, by the export API. */
export async function documentsOf(convexUrl, table) {
  const documents = [];
  for (let cursor = "", more = true; more; ) {
    const answer = await fetch(`${convexUrl}/api/list_snapshot?tableName=${table}&format=json${cursor}`, {
      headers: { authorization: "Convex " + deployKey },
    });
    const text = await answer.text(), page = JSON.parse(text);
    assert.equal(answer.status, 200, text);
    documents.push(...page.values);
    more = page.hasMore;
    cursor = `&snapshot=${/"snapshot":(\d+)/.exec(text)[1]}&cursor=${encodeURIComponent(page.cursor)}`;
  }
  return documents;
}

const plain = (value) => (typeof value === "boolean" ? Number(value) : (value ?? null));

/** What the streams say that `user` has of a table: the definition, not the service. `subscribed`: lists by uuid. */
async function expectedRows(convexUrl, table, user, subscribed) {
  const columns = schema.tables.find((each) => each.name === table).columns.map((each) => each.name);
  const lists = (await documentsOf(convexUrl, "lists")).filter((each) => each.shared_with === user).map((each) => each.uuid);
  const mine = (each) =>
    each.owner_id === user ||
    each.shared_with === user ||
    (table === "todos" && (lists.includes(each.list_uuid) || subscribed.has(each.list_uuid)));
  return (await documentsOf(convexUrl, table))
    .filter(mine)
    .map((each) => ({ id: each.uuid, ...Object.fromEntries(columns.map((name) => [name, plain(each[name])])) }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

const rowsOf = (client, table) => client.database.getAll(`SELECT * FROM ${table} ORDER BY id`);
const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

/** Waits until nothing is left to upload and the client's tables are what the streams define. */
export async function converge(client, convexUrl, user, what) {
  const end = Date.now() + 20000;
  for (;;) {
    const left = (await client.database.getAll("SELECT id FROM ps_crud")).length;
    const tables = await Promise.all(
      ["lists", "todos"].map(async (table) => [
        (await rowsOf(client, table)).map((row) => ({ ...row })),
        await expectedRows(convexUrl, table, user, client.subscribed),
      ]),
    );
    if (left === 0 && tables.every(([seen, expected]) => same(seen, expected))) return tables[1][1].length;
    if (Date.now() > end) {
      assert.equal(left, 0, `${what}: uploads that wait`);
      for (const [seen, expected] of tables) assert.deepEqual(seen, expected, what);
    }
    await sleep(20);
  }
}

export async function addList(convexUrl, list, todos) {
  await new ConvexHttpClient(convexUrl, { logger: false }).mutation(api.todo.addList, { list, todos });
}
