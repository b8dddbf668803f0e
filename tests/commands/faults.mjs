// Real clients against `syncline serve --faults faults.yaml`: what they make of each fault, and what the deployment did.
// Usage: faults.mjs URL DEPLOY_KEY PATH_OF_NODE_MODULES
import assert from "node:assert/strict";
import { createRequire } from "node:module";
const [url, key, modules] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { ConvexHttpClient } = require("convex/browser");
const { anyApi } = require("convex/server");

const client = new ConvexHttpClient(url, { logger: false });
const add = (uuid) =>
  client.mutation(anyApi.todo.addList, { list: { uuid, name: uuid, owner_id: "alice", shared_with: null }, todos: [] });
const stored = async (uuid) => (await client.query(anyApi.todo.getList, { uuid })) !== null;
const deltas = (cursor) =>
  fetch(`${url}/api/document_deltas?format=json&cursor=${cursor}`, { headers: { Authorization: `Convex ${key}` } });
const ids = (uuid, rows) => rows.filter((row) => row.uuid === uuid).map((row) => row._id);

async function everything() { // pages of three rows: the page size is a switch of the deployment
  const rows = [];
  for (let cursor = 0, more = true; more;) {
    const text = await (await deltas(cursor)).text();
    const page = JSON.parse(text.replace(/"cursor":(\d+)/, '"cursor":"$1"'));
    rows.push(...page.values);
    cursor = page.cursor;
    more = page.hasMore;
  }
  return rows;
}

// 1, 2: the answer is lost, the mutation is not. Called again it runs again: nothing ties the calls together.
await assert.rejects(add("lost"), TypeError);
assert.ok(await stored("lost"));
await add("lost");
// 3: the body is the message.
await assert.rejects(add("conflict"), /"code":"OptimisticConcurrencyControlFailure"/);
assert.ok(!(await stored("conflict")));
// 4, 5: whatever is no success and no envelope is an error with the body as its text.
await assert.rejects(add("proxy"), (error) => error.message === "<html>Bad gateway</html>");
await assert.rejects(add("empty"), (error) => error.message === "");
// 6: a reply as of old servers is read like any other; 7: a redacted one says nothing.
await assert.rejects(add("old"), /of an old server/);
await assert.rejects(add("redacted"), /\[Request ID: [0-9a-f]{16}\] Server Error/);
// 8
const start = Date.now();
await add("late");
assert.ok(Date.now() - start >= 290);
// 9: one call, two runs.
await add("twice");
// 10
await assert.rejects(add("broken"), TypeError);
assert.ok(!(await stored("broken")));

// Deltas: 1 whole, 2 cut in the middle of the body, 3 in pieces.
const first = await (await deltas(0)).text();
assert.ok(JSON.parse(first).values.length >= 3);
const cut = await deltas(0);
assert.equal(cut.status, 200);
await assert.rejects(cut.text());
const started = Date.now();
assert.equal(await (await deltas(0)).text(), first);
assert.ok(Date.now() - started >= 20);
const rows = await everything();
assert.ok(rows.length >= 3);
assert.deepEqual(ids("conflict", rows), []);
assert.deepEqual(ids("broken", rows), []);
assert.equal(new Set(ids("late", rows)).size, 1);
for (const uuid of ["lost", "twice"]) assert.equal(new Set(ids(uuid, rows)).size, 2); // addList merges nothing
console.log(JSON.stringify(rows.map((row) => [row.uuid, row._ts])));
