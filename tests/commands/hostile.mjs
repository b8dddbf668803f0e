// Bad input on real sockets: every route of the deployment's router, with everything that can be wrong in a request
// or on a WebSocket. What must come back stands in the tables below; after each group a good request is answered,
// and memory does not grow. Usage: hostile.mjs URL KEY SERVER-PID
import assert from "node:assert/strict";
import fs from "node:fs";
import net from "node:net";

const [url, key, pid] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const MiB = 1 << 20;

// --- the tables ---

// [status, code]; no code: an empty body.
const notJson = [400, "BadJsonBody"];
// Method, path, whom it asks for a key (null: nobody), and bodies of the right syntax with the wrong contents.
const jsonRoutes = [
  ["POST", "/api/list_snapshot", "export", { '{"snapshot":"x"}': notJson, '{"snapshot":-1}': [500, "InternalServerError"],
    '{"cursor":"{"}': [400, "InvalidListSnapshotCursor"], '{"snapshot":9000000000000000000}': [400, "SnapshotTooNew"],
    '{"format":"xml"}': [400, "BadFormat"] }],
  ["POST", "/api/document_deltas", "export", { '{"cursor":"x"}': notJson, "{}": [400, "DocumentDeltasCursorRequired"],
    '{"cursor":-1}': [500, "InternalServerError"], '{"cursor":0,"format":"xml"}': [400, "BadFormat"] }],
  ["POST", "/api/v1/data/sync", "export", { '{"cursor":1}': notJson, '{"cursor":"zz"}': [400, "InvalidDataSyncCursor"],
    '{"selection":{"_other":"included","":{"_other":"included","a b":"excluded"}}}': [400, "InvalidDataSyncSelection"] }],
  ["POST", "/api/data_sync_cursor_from_deltas", "export", { '{"cursor":"x"}': notJson, "{}": notJson }],
  ["POST", "/api/delete_tables", "admin", { '{"tableNames":1}': notJson, '{"tableNames":[1],"componentId":null}': notJson }],
  ["PUT", "/api/streaming_import/clear_tables", "admin", { '{"tableNames":1}': notJson }],
  ["POST", "/api/streaming_import/replace_tables", "admin", {}], ["PUT", "/api/streaming_import/replace_tables", "admin", {}],
  ["POST", "/api/query", null, { '{"path":1,"args":{}}': notJson, '{"path":"lists:ofOwner","args":1}': notJson,
    '{"path":"a b:c","args":{}}': [400, "BadConvexFunctionIdentifier"] }],
  ["POST", "/api/mutation", null, { '{"path":1,"args":{}}': notJson, '{"path":null,"args":{}}': notJson,
    '{"path":"a b:c","args":{}}': [400, "BadConvexFunctionIdentifier"], '{"path":"no:such","args":{}}': "error",
    '{"path":"lists:create","args":{"uuid":1}}': "error" }],
  ["POST", "/api/action", null, { '{"path":1,"args":{}}': notJson, '{"path":"no:such","args":{}}': "error" }],
  ["POST", "/api/function", "admin", { '{"path":1,"args":{}}': notJson, '{"componentPath":1,"path":"a:b","args":{}}': notJson }],
  ["POST", "/api/run/lists/create", null, { '{"args":1}': notJson, '{"args":{}}': "error" }],
  ["POST", "/api/query_batch", null, { '{"queries":1}': notJson, '{"queries":[1]}': notJson, "{}": notJson }],
  ["POST", "/api/query_at_ts", null, { '{"path":"lists:ofOwner","args":{},"ts":1}': notJson,
    '{"path":"lists:ofOwner","args":{},"ts":"x"}': [500, "InternalServerError"] }],
];
const deep = '{"args":' + "[".repeat(1000) + "]".repeat(1000) + "}";
const badBodies = { "cut off": '{"path":', empty: "", "not UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  "1000 deep": deep, "a list": "[]", "a number": "1", "two values": "{}{}", "a zero byte": '{"path":"\u0000"',
  "a key twice": '{"path":"a:b","path":"a:c","args":{}}', "half a pair": '{"path":"\\ud800","args":{}}' };
// Targets of GET routes; all but the text routes with the deploy key.
const targets = {
  "/api/document_deltas": [400, "DocumentDeltasCursorRequired"],
  "/api/document_deltas?cursor=%zz": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=%": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=%ff%fe": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=99999999999999999999": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=1&cursor=2": [400, "BadQueryArgs"],
  "/api/document_deltas?cursor=-1": [500, "InternalServerError"],
  "/api/document_deltas?cursor=0&format=%00": [400, "BadFormat"],
  "/api/document_deltas?cursor=0&tableName=a%20b": [500, "InternalServerError"],
  "/api/list_snapshot?snapshot=1.5": [400, "BadQueryArgs"],
  "/api/list_snapshot?snapshot=1&snapshot=1": [400, "BadQueryArgs"],
  "/api/list_snapshot?cursor=%7b": [400, "InvalidListSnapshotCursor"],
  "/api/list_snapshot?cursor=%ff": [400, "InvalidListSnapshotCursor"],
  "/api/list_snapshot?format=xml": [400, "BadFormat"],
  "/api/json_schemas?deltaSchema=1": [400, "BadQueryArgs"],
  "/api/json_schemas?format=xml": [400, "BadFormat"],
  "/api/v1/data/list_active_syncs?limit=0": [400, "LimitOutOfRange"],
  "/api/v1/data/list_active_syncs?limit=101": [400, "LimitOutOfRange"],
  "/api/v1/data/list_active_syncs?limit=x": [400, "BadQueryArgs"],
  "/api/query?path=a%20b:c&args=%7b%7d": [400, "BadConvexFunctionIdentifier"],
  "/api/query?args=%7b%7d": [400, "BadQueryArgs"],
  "/none": [404], "/api/": [404], "/api/query/": [404], "/api/none": [404], "//api/query": [404], "/api/list_snapshot%00": [404],
  "/%": [404],
};
// Routes that read no body and no query.
const plainRoutes = { "/": 200, "/version": 200, "/instance_version": 200, "/instance_name": 200, "/api/check_admin_key": 200,
  "/api/get_table_column_names": 200, "/api/test_streaming_export_connection": 200, "/api/shapes2": 200 };
// Authorization headers against routes that want the deploy key.
const keys = { "": [403, "BadDeployKey"], "Convex junk": [401, "BadAdminKey"], "Convex prod:other|00": [401, "BadAdminKey"],
  "Basic eDp5": [400, "InvalidAdminKey"], abc: [400, "InvalidHeaderFailure"], "Convex \xe9\xff": [400, "HeaderParseFailure"],
  [`Convex ${key}:!!`]: [400, "HeaderParseFailure"] };
// What is no request at all.
const header = (name, size) => `GET /version HTTP/1.1\r\nhost: a\r\n${name}: ${"x".repeat(size)}\r\n\r\n`;
const noRequests = {
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03": 400, "GET\r\n\r\n": 400, "GET /version HTTP/2.0\r\n\r\n": 505,
  "get /version HTTP/1.1\r\n\r\n": 400, [header("a", 66000)]: 431, [header("a".repeat(66000), 1)]: 431,
  ["GET /version HTTP/1.1\r\n" + "a: b\r\n".repeat(129) + "\r\n"]: 431, ["GET /" + "a".repeat(66000) + " HTTP/1.1\r\n\r\n"]: 431,
  "POST /echo HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab": 400, "POST /echo HTTP/1.1\r\ncontent-length: -1\r\n\r\n": 400,
  "POST /echo HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n": 400,
  "POST /echo HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n": 400,
  [`POST /echo HTTP/1.1\r\ncontent-length: ${16 * MiB + 64 * 1024 + 1}\r\n\r\n`]: 413,
};
// Handshakes: what is left out or changed.
const handshakes = [
  [{ connection: "close" }, [400, "InvalidConnectionHeader"]], [{ upgrade: "h2c" }, [400, "InvalidUpgradeHeader"]],
  [{ "sec-websocket-version": "12" }, [400, "InvalidWebSocketVersionHeader"]],
  [{ "sec-websocket-key": null }, [400, "WebSocketKeyHeaderMissing"]],
];
// What is said on a WebSocket, and the end: the type of the last message before it, and the closing code (0: none).
const modify = (base, version, modifications) => JSON.stringify({ type: "ModifyQuerySet", baseVersion: base, newVersion: version, modifications });
const talks = [
  ["{", "FatalError", 0], ["[]", "FatalError", 0], ["null", "FatalError", 0], ['{"type":"Nothing"}', "FatalError", 0], [deep, "FatalError", 0],
  ['{"type":"Connect","sessionId":"x","connectionCount":0,"lastCloseReason":null}', "FatalError", 0],
  [modify(3, 4, []), "FatalError", 0], [modify(0, 2, []), "FatalError", 0], [modify(0, 1, 7), "FatalError", 0],
  [modify(0, 1, [{ type: "Add", queryId: 0, udfPath: "a b:c", args: [{}] }]), "FatalError", 0],
  [modify(0, 1, [{ type: "Remove", queryId: 9 }]), null, 1011],
  ['{"type":"Authenticate","baseVersion":0,"tokenType":"User","value":"junk"}', "AuthError", 0],
  ['{"type":"Authenticate","baseVersion":7,"tokenType":"None"}', null, 1011],
  ['{"type":"Connect","sessionId":"3f0c6c3e-7d52-4f3c-9d6b-0e8f8f3b5a11","connectionCount":0,"lastCloseReason":null,' +
    '"maxObservedTimestamp":"//////////8="}', null, 1011],
  [{ opcode: 2, bytes: "{}" }, null, 1011], [{ opcode: 1, bytes: Buffer.from([0xff]) }, null, 1007], [{ opcode: 3, bytes: "" }, null, 1002],
  [{ opcode: 0, bytes: "a" }, null, 1002], [{ opcode: 1, bytes: "a", reserved: 0x40 }, null, 1002], [{ opcode: 1, bytes: "a", unmasked: true }, null, 1002],
  [{ opcode: 8, bytes: Buffer.from([0x03, 0xed]) }, null, 1002], [{ opcode: 8, bytes: Buffer.from([0x03]) }, null, 1002],
  [{ opcode: 9, bytes: "a".repeat(126) }, null, 1002], [{ opcode: 1, bytes: "x", length: 16 * MiB + 64 * 1024 + 1 }, null, 1009],
];

// --- the wire ---

let checks = 0;
/** Sends bytes on a connection of its own. Gives back all that came, when `enough` says so or the server closed. */
function exchange(bytes, enough = () => false, seconds = 5) {
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname), pieces = [];
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error("no answer to " + JSON.stringify(String(bytes).slice(0, 200)) + ", only " + Buffer.concat(pieces)));
    }, seconds * 1000);
    const end = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(pieces));
    };
    socket.on("data", (piece) => {
      pieces.push(piece);
      if (enough(Buffer.concat(pieces))) end();
    });
    socket.on("end", end).on("error", end);
    socket.write(bytes);
  });
}

/** Responses with content-length, as many as are whole. */
function responses(bytes) {
  const found = [];
  for (let text = bytes.toString("latin1"); ; ) {
    const split = text.indexOf("\r\n\r\n"), head = text.slice(0, split);
    const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
    if (split < 0 || text.length < split + 4 + length) return found;
    found.push({ status: Number(head.slice(9, 12)), head, body: text.slice(split + 4, split + 4 + length) });
    text = text.slice(split + 4 + length);
  }
}

function write(method, target, headers, body) {
  const lines = Object.entries({ host: "a", ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }), ...headers });
  const head = `${method} ${target} HTTP/1.1\r\n` + lines.map(([name, value]) => `${name}: ${value}\r\n`).join("") + "\r\n";
  return Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(body ?? "")]);
}
const ask = async (...request) => responses(await exchange(write(...request), (all) => responses(all).length > 0))[0];

function check(answer, expected, what) {
  checks++;
  assert.ok(answer, `${what}: no answer`);
  if (expected === "error") {
    assert.equal(answer.status, 200, `${what}: ${answer.body}`);
    assert.equal(JSON.parse(answer.body).status, "error", what);
    return;
  }
  const [status, code] = expected;
  assert.equal(answer.status, status, `${what}: ${answer.body.slice(0, 200)}`);
  if (code === undefined) return assert.equal(answer.body, "", what);
  const envelope = JSON.parse(answer.body);
  assert.deepEqual([Object.keys(envelope), envelope.code], [["code", "message"], code], `${what}: ${answer.body}`);
}

const json = { "content-type": "application/json" };
const withKey = { authorization: "Convex " + key };
async function good(what) {
  const body = '{"path":"powersync_checkpoints:createCheckpoint","args":{}}';
  const answer = await ask("POST", "/api/mutation", json, body);
  assert.ok(answer?.status === 200 && JSON.parse(answer.body).status === "success", `after ${what}: no good answer`);
}

const memory = () => Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

// --- what is done ---

/** Every route of the router is in a table here. */
function allRoutesAreMeant() {
  const source = fs.readFileSync("mock-convex/http/router.c", "utf8");
  const table = /static const struct route routes\[\] = \{([\s\S]*?)\n?\s*\};|static const struct route routes\[\] = \{([\s\S]*?)\}\};/.exec(source)[0];
  const known = new Set([...jsonRoutes.map(([method, path]) => `${method} ${path}`), "POST /echo", "POST /api/query_ts",
    ...Object.keys(plainRoutes).map((path) => "GET " + path), ...Object.keys(targets).map((target) => "GET " + target.split("?")[0])]);
  let count = 0;
  for (const [, path, prefix, methods] of table.matchAll(/\{(?:"([^"]+)"|(CONVEX_RUN_PREFIX)), "([A-Z ]+)"/g)) {
    for (const method of methods.split(" "))
      assert.ok(known.has(`${method} ${prefix ? "/api/run/lists/create" : path}`), `no bad input for ${method} ${path ?? prefix}`);
    count++;
  }
  assert.ok(count >= 24, "the router's table was not found");
}

async function bodies() {
  for (const [method, path, , wrong] of jsonRoutes) {
    for (const [what, body] of Object.entries(badBodies)) check(await ask(method, path, { ...withKey, ...json }, body), notJson, `${path}: ${what}`);
    for (const type of ["text/plain", "application/jsonx", "", "json", "multipart/form-data; boundary=x"])
      check(await ask(method, path, { ...withKey, "content-type": type }, "{}"), notJson, `${path}: type ${type}`);
    check(await ask(method, path, withKey, "{}"), notJson, `${path}: no type`);
    for (const [body, expected] of Object.entries(wrong)) check(await ask(method, path, { ...withKey, ...json }, body), expected, `${path}: ${body}`);
    await good(path);
  }
}

async function sizes() {
  const filled = (size) => '{"path":"' + "x".repeat(size - 11) + '"}';
  for (const path of ["/api/mutation", "/api/query", "/api/action", "/api/run/lists/create"]) {
    check(await ask("POST", path, json, filled(16 * MiB + 2001)), notJson, `${path}: above the backend's limit`);
  }
  for (const path of ["/api/mutation", "/api/list_snapshot", "/echo", "/none"]) {
    const answer = await ask("POST", path, { ...withKey, ...json }, Buffer.alloc(16 * MiB + 64 * 1024 + 1, 32));
    assert.equal(answer?.status, 413, `${path}: above the host's limit`);
    const chunk = "10000\r\n" + " ".repeat(65536) + "\r\n"; // 258 of them are too many
    const chunked = await exchange(write("POST", path, { ...json, "transfer-encoding": "chunked" }) + chunk.repeat(258), (all) => responses(all).length > 0);
    assert.equal(responses(chunked)[0]?.status, 413, `${path}: above the host's limit in chunks`);
  }
  await good("large bodies");
}

async function getters() {
  for (const [target, expected] of Object.entries(targets)) check(await ask("GET", target, withKey), expected, target);
  for (const [path, status] of Object.entries(plainRoutes)) {
    assert.equal((await ask("GET", path + "?%zz=%&&&=&a=1&a=2", withKey)).status, status, path);
    check(await ask("POST", path, withKey, "{}"), [405], `POST ${path}`);
    check(await ask("BREW", path, withKey).catch(() => ({ status: 400, body: "" })), [400], `BREW ${path}`);
  }
  for (const [, path] of jsonRoutes)
    check(await ask("PATCH", path, withKey, "{}"), [405], `wrong method for ${path}`);
  check(await ask("POST", "/api/run/create", json, '{"args":{}}'), [400, "MissingIdentifier"], "/api/run with one segment");
  assert.equal((await ask("POST", "/api/query_ts", {}, "\xff\xfe")).status, 200);
  assert.equal((await ask("GET", "/http/none")).status, 404, "an HTTP action that is not routed"); // with a text
  await good("odd targets");
}

async function authorization() {
  const closed = jsonRoutes.filter(([, , who]) => who === "export").map(([method, path]) => [method, path, /delta/.test(path) ? '{"cursor":0}' : "{}"]);
  for (const path of ["/api/json_schemas", "/api/get_table_column_names", "/api/test_streaming_export_connection", "/api/list_snapshot",
    "/api/document_deltas?cursor=0", "/api/v1/data/list_active_syncs"])
    closed.push(["GET", path]);
  for (const [method, path, body] of closed)
    for (const [value, expected] of Object.entries(keys))
      check(await ask(method, path, { ...json, ...(value ? { authorization: value } : {}) }, body), expected, `${path} with "${value}"`);
  check(await ask("GET", "/api/document_deltas?cursor=x"), [400, "BadQueryArgs"], "the query goes before the key");
  check(await ask("POST", "/api/document_deltas", { ...json, authorization: "Convex junk" }, "{"), [401, "BadAdminKey"], "the key goes before the body");
  for (const token of ["x", "a.b.c", "e30.e30.", "e30.e30.AAAA"]) {
    const answer = await ask("POST", "/api/mutation", { ...json, authorization: "Bearer " + token }, '{"path":"a:b","args":{}}');
    assert.equal(answer.status, 401, `token ${token}: ${answer.body}`);
    checks++;
  }
  check(await ask("POST", "/api/query", { ...json, "convex-client": "npm" }, "{}"), [400, "InvalidClientVersion"], "a client without version");
  check(await ask("POST", "/api/query", { ...json, "convex-client": "npm-0.19.1" }, "{}"), [400, "ClientVersionUnsupported"], "an old client");
  await good("bad keys");
}

async function noHttp() {
  for (const [bytes, status] of Object.entries(noRequests)) {
    const answer = responses(await exchange(Buffer.from(bytes, "latin1")))[0]; // and the connection closes
    assert.equal(answer?.status, status, JSON.stringify(bytes.slice(0, 80)));
    checks++;
  }
  const version = "GET /version HTTP/1.1\r\nhost: a\r\n\r\n";
  const both = responses(await exchange(version + version + "\x00\x01garbage\r\n\r\n" + version));
  assert.deepEqual(both.map(({ status }) => status), [200, 200, 400], "garbage behind good requests");
  await good("no HTTP");
}

/** Peers that send slowly, stop, or go away in the middle. */
async function peers() {
  const whole = write("POST", "/api/mutation", json, '{"path":"powersync_checkpoints:createCheckpoint","args":{}}');
  const slow = Array.from({ length: 60 }, () => net.connect(Number(port), hostname).on("error", () => {}));
  for (let i = 0; i < 40; i++) {
    slow.forEach((socket, n) => socket.write(whole.subarray(i * (1 + (n % 2)), (i + 1) * (1 + (n % 2)))));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await good("slow senders began"); // while they go on
  slow.forEach((socket, n) => (n % 2 ? socket.destroy() : socket.resetAndDestroy()));
  for (let cut = 1; cut <= whole.length; cut += 7) {
    await new Promise((resolve) => {
      const socket = net.connect(Number(port), hostname);
      socket.on("error", resolve).on("close", resolve);
      socket.write(whole.subarray(0, cut), () => (cut % 2 ? socket.resetAndDestroy() : socket.destroy()));
    });
    checks++;
  }
  await good("peers that went away");
}

// --- WebSockets ---

const handshake = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==" };

function frame({ opcode, bytes, reserved = 0, unmasked = false, length }) {
  const payload = Buffer.from(bytes), size = length ?? payload.length, masked = unmasked ? 0 : 0x80;
  const head = Buffer.alloc(size < 126 ? 2 : size < 65536 ? 4 : 10);
  head[0] = 0x80 | reserved | opcode;
  head[1] = masked | (size < 126 ? size : size < 65536 ? 126 : 127);
  if (size >= 65536) head.writeBigUInt64BE(BigInt(size), 2);
  else if (size >= 126) head.writeUInt16BE(size, 2);
  return Buffer.concat([head, unmasked ? Buffer.alloc(0) : Buffer.alloc(4), payload]);
}

/** The frames after the response's head. */
function frames(bytes) {
  const found = [];
  for (let at = bytes.indexOf("\r\n\r\n") + 4; at + 2 <= bytes.length; ) {
    let size = bytes[at + 1], start = at + 2;
    if (size === 126) (size = bytes.readUInt16BE(at + 2)), (start += 2);
    if (size === 127) (size = Number(bytes.readBigUInt64BE(at + 2))), (start += 8);
    found.push({ opcode: bytes[at] & 15, payload: bytes.subarray(start, start + size) });
    at = start + size;
  }
  return found;
}

async function sockets() {
  for (const [change, expected] of handshakes) {
    const headers = Object.fromEntries(Object.entries({ ...handshake, ...change }).filter(([, value]) => value !== null));
    check(await ask("GET", "/api/sync", headers), expected, JSON.stringify(change));
  }
  check(await ask("POST", "/api/sync", handshake, ""), [400, "MethodNotGet"], "POST of a handshake");
  check(await ask("GET", "/api/x.y/sync", handshake), [400, "InvalidClientVersion"], "a version that is none");
  const open = write("GET", "/api/1.48.0/sync", handshake);
  for (const [said, last, code] of talks) {
    const words = typeof said === "string" ? { opcode: 1, bytes: said } : said, what = JSON.stringify(said).slice(0, 120);
    const all = await exchange(Buffer.concat([open, frame(words)]), (bytes) => frames(bytes).some(({ opcode }) => opcode === 8));
    const heard = frames(all), close = heard.find(({ opcode }) => opcode === 8);
    const messages = heard.filter(({ opcode }) => opcode === 1).map(({ payload }) => JSON.parse(payload).type);
    assert.equal(messages.at(-1) ?? null, last, `${what}: last message`);
    assert.ok(close, `${what}: no closing frame`);
    assert.equal(close.payload.length >= 2 ? close.payload.readUInt16BE(0) : 0, code, `${what}: ${close.payload}`);
    checks++;
  }
  await good("WebSockets");
}

/** The same again and again: memory must not follow. */
async function memoryStays() {
  const some = [write("POST", "/api/mutation", json, deep), write("GET", "/api/document_deltas?cursor=x"), write("GET", "/none"),
    write("POST", "/api/query", json, '{"path":"no:such","args":{}}'), write("GET", "/version", { a: "x".repeat(30000) }),
    write("POST", "/api/query_batch", json, '{"queries":[{}]}'), write("GET", "/api/list_snapshot", { authorization: "Convex junk" })];
  const round = async (times) => {
    for (let i = 0; i < times; i++) {
      const answers = responses(await exchange(Buffer.concat(some), (all) => responses(all).length === some.length));
      assert.equal(answers.length, some.length);
      for (const bytes of ["\x00\x01\r\n\r\n", "POST /echo HTTP/1.1\r\ncontent-length: x\r\n\r\n"]) await exchange(bytes);
      await exchange(Buffer.concat([write("GET", "/api/sync", handshake), frame({ opcode: 1, bytes: "{" })]), (bytes) => frames(bytes).some(({ opcode }) => opcode === 8));
    }
  };
  await round(100);
  const before = memory();
  await round(400);
  const grown = memory() - before;
  assert.ok(grown < 2, `4000 bad requests left ${grown.toFixed(1)} MiB behind`);
  return grown;
}

allRoutesAreMeant();
for (const step of [bodies, sizes, getters, authorization, noHttp, peers, sockets]) await step();
const grown = await memoryStays();
console.log(`hostile: ${checks} checks; 4000 bad requests left ${grown.toFixed(2)} MiB`);
process.exit(0);
