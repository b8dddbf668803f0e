// The npm package `convex` against `syncline serve`. Usage: serve.mjs URL PATH_OF_NODE_MODULES
import assert from "node:assert/strict";
import { createRequire } from "node:module";
const [url, modules] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { ConvexClient, ConvexHttpClient } = require("convex/browser");
const { anyApi } = require("convex/server");

const client = new ConvexHttpClient(url, { logger: false });
const list = { uuid: "list-1", name: "Groceries \u00e9\u{1f600}", owner_id: "alice", shared_with: null };
const todos = [
  { uuid: "todo-1", list_uuid: "list-1", description: "milk", completed: false, rank: 1.5 },
  { uuid: "todo-2", list_uuid: "list-1", description: "count", completed: true, rank: -0, big: 9007199254740993n },
];

assert.equal(await client.query(anyApi.todo.getList, { uuid: "list-1" }), null);
assert.equal(await client.mutation(anyApi.todo.addList, { list, todos }), null);
const found = await client.query(anyApi.todo.getList, { uuid: "list-1" });
const { _id, _creationTime, ...fields } = found;
assert.deepEqual(fields, list);
assert.match(_id, /^[0-9a-z]{31,32}$/);
assert.ok(Math.abs(_creationTime - Date.now()) < 60_000);

// Twice the same write: nothing is merged, the index finds the first.
await client.mutation(anyApi.todo.addList, { list: { ...list, name: "again" }, todos: [] });
assert.equal((await client.query(anyApi.todo.getList, { uuid: "list-1" }))._id, _id);

// Functions that throw, are not there, or are of the other kind.
await assert.rejects(client.query(anyApi.todo.getList, {}), /Server Error|needs the uuid/);
await assert.rejects(client.mutation(anyApi.todo.missing, {}), /Server Error|Could not find/);
await assert.rejects(client.query(anyApi.todo.addList, { list, todos }), Error);
// A subscription over a WebSocket sees what another client writes.
const reactive = new ConvexClient(url, { webSocketConstructor: require("ws"), logger: false, unsavedChangesWarning: false });
const names = [];
const changed = new Promise((resolve) =>
  reactive.onUpdate(anyApi.todo.getList, { uuid: "list-2" }, (value) => {
    names.push(value?.name ?? null);
    if (names.length === 1) client.mutation(anyApi.todo.addList, { list: { ...list, uuid: "list-2" }, todos: [] });
    else resolve();
  }));
await changed;
assert.deepEqual(names, [null, list.name]);
await reactive.close();

// Still there afterwards.
assert.equal((await client.query(anyApi.todo.getList, { uuid: "list-1" })).name, list.name);
