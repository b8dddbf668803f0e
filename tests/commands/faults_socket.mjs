// The npm package's ConvexClient against sockets that keep closing in the middle of mutations: each mutation takes
// effect exactly once. Usage: faults_socket.mjs URL PATH_OF_NODE_MODULES
import assert from "node:assert/strict";
import { createRequire } from "node:module";
const [url, modules] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { ConvexClient, ConvexHttpClient } = require("convex/browser");
const { anyApi } = require("convex/server");

const options = { logger: false, unsavedChangesWarning: false };
if (typeof WebSocket === "undefined") options.webSocketConstructor = require("ws");
setTimeout(() => { console.error("it takes too long"); process.exit(1); }, 60_000).unref();
const client = new ConvexClient(url, options);
const uuids = Array.from({ length: 6 }, (_, i) => `exactly-${i}`);
const seen = new Set();
for (const uuid of uuids) client.onUpdate(anyApi.todo.getList, { uuid }, (list) => list && seen.add(list.uuid));

// addList merges nothing: one call too many would leave a second document.
// One after the other: the client waits longer before each new connection until all is in sync again.
for (const uuid of uuids) {
  await client.mutation(anyApi.todo.addList, { list: { uuid, name: uuid, owner_id: "alice", shared_with: null }, todos: [] });
}
for (let i = 0; i < 200 && seen.size < uuids.length; i++) await new Promise((resolve) => setTimeout(resolve, 50));
assert.equal(seen.size, uuids.length);
await client.close();
const http = new ConvexHttpClient(url, { logger: false });
for (const uuid of uuids) assert.equal((await http.query(anyApi.todo.getList, { uuid })).uuid, uuid);
