// Plain HTTP requests against `syncline serve`: the export API with the deploy key, and what must not stop it.
// Usage: serve_raw.mjs URL KEY
import assert from "node:assert/strict";
const [url, key] = process.argv.slice(2);

async function ask(path, options = {}) {
  const response = await fetch(url + path, options);
  const text = await response.text();
  return { status: response.status, text, body: text.startsWith("{") ? JSON.parse(text) : null };
}
const withKey = { headers: { authorization: "Convex " + key } };
const call = (path, args) => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ path, args, format: "json" }),
});

const before = (await ask("/api/list_snapshot?tableName=todos", withKey)).body;
assert.equal(typeof before.snapshot, "number");
const cursor = /"snapshot":(\d+)/.exec((await ask("/api/list_snapshot?tableName=todos", withKey)).text)[1];
assert.equal(cursor.length, 19);

const todos = Array.from({ length: 300 }, (_, i) => ({ uuid: "raw-" + i, rank: i + 0.5 }));
const added = await ask("/api/mutation", call("todo:addList", { list: { uuid: "raw" }, todos }));
assert.deepEqual(added.body, { status: "success", value: null });

// One transaction is never split over pages: all 301 rows come at once.
const deltas = await ask(`/api/document_deltas?cursor=${cursor}&format=json`, withKey);
assert.equal(deltas.status, 200);
assert.equal(deltas.body.values.length, 301);
assert.equal(new Set(deltas.text.match(/"_ts":\d+/g)).size, 1);
assert.equal(deltas.body.hasMore, false);

assert.equal((await ask("/api/document_deltas?cursor=0")).status, 403);
assert.equal((await ask("/api/list_snapshot", { headers: { authorization: "Convex prod:x|00000000" } })).status, 401);
assert.equal((await ask("/api/document_deltas", withKey)).body.code, "DocumentDeltasCursorRequired");

// Bad input: any answer of 4xx or an error in 200, and the server goes on.
const bodies = ['{"path":', "", "\u0000", "[".repeat(100000), '{"path":1,"args":{}}', "null", "\ud800",
  '{"path":"todo:addList","args":' + '{"a":'.repeat(200) + "1" + "}".repeat(201), new Uint8Array([0x22, 0xff, 0xfe, 0x22])];
for (const path of ["/api/mutation", "/api/query", "/api/list_snapshot", "/api/document_deltas"])
  for (const body of bodies) {
    const answer = await ask(path, { method: "POST", body, headers: { ...withKey.headers, "content-type": "application/json" } });
    assert.ok(answer.status >= 200 && answer.status < 500, `${path} answered ${answer.status}`);
  }
assert.equal((await ask("/api/mutation", { method: "POST", body: new Uint8Array(16 * 1024 * 1024 + 65537) })).status, 413);
assert.equal((await ask("/version")).status, 200);
