// Bad input to a PowerSync service on real sockets: every route with everything that can be wrong in a request, then
// clients that misbehave in crowds. After each group a good stream is served, and memory does not grow.
// Usage: hostile_powersync.mjs POWERSYNC CONVEX ISSUER PID MODULES
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";

const [url, convex, issuer, pid, modules] = process.argv.slice(2);
const { hostname, port } = new URL(url);
const WebSocket = fs.existsSync(modules + "/ws") ? createRequire(modules + "/")("ws") : null;
const MiB = 1 << 20;
const tokenOf = async (name) => (await (await fetch(`${issuer}/token?user=${name}`)).json()).token;
const token = await tokenOf("ann"), idle = await tokenOf("bob"); // ann has 20 MiB of rows, bob none
const json = { "content-type": "application/json" }, user = { authorization: "Token " + idle };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
let checks = 0;

async function check(what, [status, code], method, path, headers, body) {
  const answer = await fetch(url + path, { method, headers, signal: AbortSignal.timeout(10000), ...(body !== undefined && { body, duplex: "half" }) });
  const text = await answer.text();
  checks++;
  assert.equal(answer.status, status, `${what}: ${method} ${path}: ${text.slice(0, 300)}`);
  if (code) assert.equal(JSON.parse(text).error.code, code, `${what}: ${method} ${path}: ${text}`);
}

/** A stream of a good client, up to its first complete checkpoint. */
async function good(what) {
  for (let tries = 0; tries < 100; tries++) {
    const answer = await fetch(url + "/sync/stream", { method: "POST", headers: { ...json, ...user }, body: "{}" });
    if (answer.status === 200) {
      let text = "";
      for await (const piece of answer.body) if (/checkpoint_complete/.test((text += Buffer.from(piece)))) return;
    }
    await answer.text();
    await sleep(50);
  }
  assert.fail(`after ${what}: no stream`);
}
const memory = () => Number(/VmRSS:\s*(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;

// --- one request ---

const userRoutes = [["POST", "/sync/stream"], ["POST", "/sync/checkpoint-request"], ["GET", "/write-checkpoint2.json"], ["GET", "/write-checkpoint.json"]];
const operatorRoutes = [["POST", "/api/admin/v1/diagnostics"], ["POST", "/api/admin/v1/schema"], ["POST", "/api/admin/v1/execute-sql"],
  ["POST", "/api/admin/v1/validate"], ["POST", "/api/admin/v1/reprocess"], ["POST", "/api/sync-rules/v1/deploy"],
  ["POST", "/api/sync-rules/v1/validate"], ["POST", "/api/sync-rules/v1/reprocess"], ["GET", "/api/sync-rules/v1/current"]];
const openRoutes = [["GET", "/probes/startup"], ["GET", "/probes/liveness"], ["GET", "/probes/readiness"]];
const yaml = { "content-type": "application/yaml" };
const operatorBodies = { "/api/admin/v1/execute-sql": [json, '{"sql":{"query":"SELECT 1","args":[]}}'], "/api/admin/v1/validate": [json, '{"sync_rules":"a"}'],
  "/api/sync-rules/v1/deploy": [yaml, "a"], "/api/sync-rules/v1/validate": [yaml, "a"] };
const goodBodies = { "/sync/stream": "{}", "/sync/checkpoint-request": '{"client_id":"c","checkpoint_request_id":"1"}' };
const badTokens = { nothing: null, empty: "", "no scheme": token, "another scheme": "Basic eDp5", "no token": "Token ", junk: "Token junk",
  "cut off": "Token " + token.slice(0, -3), "two parts": "Token " + token.split(".").slice(0, 2).join("."), long: "Bearer " + "a".repeat(50000),
  "no algorithm": `Token ${Buffer.from('{"alg":"none"}').toString("base64url")}.${token.split(".")[1]}.` };
const deep = '{"parameters":' + "[".repeat(2000) + "]".repeat(2000) + "}";
// Bodies of POST /sync/stream that no schema takes, whoever sends them.
const badStreams = ['{"buckets":1}', '{"buckets":[1]}', '{"buckets":[{"name":1,"after":"0"}]}', '{"buckets":[{"name":"a"}]}',
  '{"streams":1}', '{"streams":{}}', '{"streams":{"subscriptions":[{"stream":"a"}]}}', '{"parameters":1}', '{"app_metadata":{"a":1}}', '{"client_id":1}',
  '{"raw_data":"yes"}', '{"streams":{"subscriptions":[{"stream":1,"parameters":null,"override_priority":null}]}}'];
const badRequests = ["{}", '{"client_id":"c"}', '{"client_id":1,"checkpoint_request_id":"1"}', ...["0", '"0"', '"-1"', "1.5", '"x"', '""', "null", "[]",
  '"9223372036854775808"', "9007199254740993000", '"1 "'].map((id) => `{"client_id":"c","checkpoint_request_id":${id}}`)];

async function requests() {
  for (const [method, path] of userRoutes)
    for (const [what, value] of Object.entries(badTokens))
      await check(what, [401], method, path, { ...(goodBodies[path] && json), ...(value !== null && { authorization: value }) }, goodBodies[path]);
  for (const [method, path] of operatorRoutes)
    for (const authorization of ["", "Token wrong", "Token " + token]) {
      const [type, body] = operatorBodies[path] ?? [];
      await check(authorization, [401, "PSYNC_S2101"], method, path, { ...type, authorization }, body);
    }
  for (const body of badStreams) await check(body, [400], "POST", "/sync/stream", json, body); // before anybody asks for a token
  for (const body of badRequests) await check(body, [400], "POST", "/sync/checkpoint-request", { ...json, ...user }, body);
  for (const body of ['{"a":', "", "{}{}", '{"a":"\u0000"}', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), deep])
    await check("syntax", [400], "POST", "/sync/stream", { ...json, ...user }, body);
  await check("type", [415], "POST", "/sync/stream", { ...user, "content-type": "application/xml" }, "{}");
  for (const size of [MiB + 1, 20 * MiB])
    await check("size", [413], "POST", "/sync/stream", { ...json, ...user }, `{"client_id":"${"x".repeat(size)}"}`).catch((error) => {
      assert.equal(error.cause?.code, "EPIPE", error); // closed while the rest was being sent
    });
  for (const path of ["/", "/sync", "/sync/stream/", "/sync/stream%00", "//sync/stream", "/api/admin/v1/none", "/%", "/sync/events"])
    await check("path", [404, "PSYNC_S2002"], "POST", path, { ...json, ...user }, "{}");
  const fields = Object.fromEntries(Array.from({ length: 130 }, (_, i) => ["x-" + i, "y"]));
  for (const [method, path] of [...userRoutes, ...operatorRoutes, ...openRoutes])
    for (const [target, headers] of [[path + "?a=" + "x".repeat(70000)], [path, fields]])
      await check("header", [431], method, target, { ...headers, ...(method === "POST" && json) }, method === "POST" ? "{}" : undefined);
  for (const [method, path] of openRoutes)
    for (const query of ["?" + "a=1&".repeat(15000), "?%", "?=&=&&", "?%ff=%00"])
      await check("query", [200], method, path + query, { authorization: "Token junk" });
  await check("method", [404, "PSYNC_S2002"], "GET", "/sync/stream", user);
  await check("number", [500, "PSYNC_S2001"], "POST", "/sync/stream", { ...json, ...user }, '{"buckets":[{"name":"a","after":"x"}]}');
}

/** Every route of the service is in a table here. */
function allRoutesAreMeant() {
  const known = new Set([...userRoutes, ...operatorRoutes, ...openRoutes].map((route) => route.join(" "))), found = new Set();
  const folder = "mock-powersync/http/";
  for (const file of fs.readdirSync(folder).filter((name) => name.endsWith(".c"))) {
    const source = fs.readFileSync(folder + file, "utf8");
    const prefix = /\{ (?:"[A-Z]+"|method), "([^"]+)" path,/.exec(source)?.[1];
    for (const [, table] of source.matchAll(/const struct route \w+\[\] = \{([\s\S]*?)\n\};/g)) {
      for (const [, method, path] of table.matchAll(/\{"([A-Z]+)", "([^"]+)"/g)) found.add(`${method} ${path}`);
      for (const [, method, path] of table.matchAll(/OPERATOR\((?:"([A-Z]+)", )?"([^"]+)"/g)) found.add(`${method ?? "POST"} ${prefix}${path}`);
    }
  }
  assert.ok(found.size >= 16, `only ${found.size} routes were found in the source`);
  for (const route of found) assert.ok(known.has(route), `no bad input for ${route}`);
}

/** Many parameters, buckets and subscriptions that are right by themselves. */
async function large() {
  const many = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  const buckets = many(9000, (i) => ({ name: `no#such${i}`, after: "999999999999" }));
  const subscriptions = many(8000, (i) => ({ stream: "none" + i, parameters: { i }, override_priority: i }));
  const text = "x".repeat(1000000);
  const texts = [{ client_id: text }, { parameters: { [text]: 1 } }, { streams: { subscriptions: [{ stream: text, parameters: null, override_priority: 1e308 }] } }];
  for (const body of [...texts, { buckets }, { streams: { subscriptions } }, { parameters: Object.fromEntries(many(20000, (i) => ["p" + i, i])) }]) {
    const abort = new AbortController();
    const answer = await fetch(url + "/sync/stream", { method: "POST", headers: { ...json, ...user }, body: JSON.stringify(body), signal: abort.signal });
    assert.ok([200, 500].includes(answer.status), `${answer.status}`);
    abort.abort();
  }
}

// --- crowds ---

const streamRequest = (of) => `POST /sync/stream HTTP/1.1\r\nhost: a\r\nauthorization: Token ${of}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}`;
function connect(text) {
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {});
  if (text) socket.write(text);
  return socket;
}

/** 200 streams are served, the others are told 429 with an empty body. */
async function tooManyStreams() {
  const counts = {}, sockets = [];
  for (let i = 0; i < 260; i++) {
    const socket = connect(streamRequest(idle));
    let seen = "";
    socket.on("data", (bytes) => {
      if (!/^HTTP\/1.1 (\d+)/.test(seen) && (seen += bytes.toString("latin1")).length > 12) {
        const status = seen.slice(9, 12);
        counts[status] = (counts[status] ?? 0) + 1;
      }
    });
    sockets.push(socket);
  }
  for (const end = Date.now() + 20000; (counts[200] ?? 0) + (counts[429] ?? 0) < 260; await sleep(20)) assert.ok(Date.now() < end, JSON.stringify(counts));
  assert.deepEqual(counts, { 200: 200, 429: 60 });
  sockets.forEach((socket) => socket.destroy());
}

/** Readers that never read, each owed 20 MiB: of each the service keeps a line or two (1 MiB). */
async function slowReaders() {
  const sockets = Array.from({ length: 20 }, () => connect(streamRequest(token)).pause());
  await sleep(1500);
  assert.ok(memory() - before < 150, `slow readers take ${memory() - before} MiB`);
  sockets.forEach((socket) => socket.destroy());
}

/** Requests that never end: a header, a body by length, a body in chunks. */
async function endless() {
  const heads = ["POST /sync/stream HTTP/1.1\r\nhost: a\r\nx: ", "POST /sync/stream HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n{",
    "POST /sync/stream HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n10000\r\n"];
  const sockets = Array.from({ length: 300 }, (_, i) => connect(heads[i % 3]));
  const flood = connect(heads[2]); // one that sends all the time
  const chunk = Buffer.concat([Buffer.alloc(65536, "a"), Buffer.from("\r\n10000\r\n")]);
  let closed = false;
  flood.resume().on("close", () => (closed = true));
  for (let i = 0; i < 600 && !closed; i++) if (!flood.write(chunk)) await Promise.race([new Promise((resolve) => flood.once("drain", resolve)), sleep(500)]);
  for (const end = Date.now() + 20000; !closed; await sleep(20)) assert.ok(Date.now() < end, "an endless body is not refused");
  await good("half requests, while they are open");
  sockets.forEach((socket) => socket.destroy());
}

/** Connections without end, half of them in the middle of a request. Beyond 10,000 they are closed at once. */
async function manyConnections() {
  const count = Number(process.env.HOSTILE_CONNECTIONS ?? 1500);
  const sockets = [];
  for (let i = 0; i < count; i++) {
    sockets.push(connect(i % 2 ? "POST /sync/stream HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\n{" : ""));
    if (i % 100 === 99) await new Promise((resolve) => sockets.at(-1).once("connect", resolve).once("close", resolve));
  }
  await sleep(200);
  if (count < 10000) await good("many connections, while they are open");
  const more = memory() - before;
  if (process.env.HOSTILE_LOG) console.log(count, "connections,", sockets.filter((socket) => socket.readyState === "open").length, "open,", Math.round(more), "MiB more");
  assert.ok(more < 50 + count / 40, `${count} connections take ${more} MiB`);
  sockets.forEach((socket) => socket.destroy());
  await sleep(200);
}

// --- RSocket ---

const frame = (stream, type, flags, ...parts) => {
  const head = Buffer.alloc(6);
  head.writeUInt32BE(stream);
  head.writeUInt16BE((type << 10) | flags, 4);
  return Buffer.concat([head, ...parts]);
};
const number = (value, bytes) => Buffer.from(value.toString(16).padStart(bytes * 2, "0"), "hex");
const withMetadata = (metadata, data) => Buffer.concat([number(metadata.length, 3), Buffer.from(metadata), Buffer.from(data)]);
const setup = frame(0, 1, 0x100, number(0x00010000, 4), number(20000, 4), number(90000, 4), Buffer.from("\x10application/json\x10application/json"),
  withMetadata(JSON.stringify({ token: "Token " + token }), ""));
const request = frame(1, 6, 0x100, number(0x7fffffff, 4), withMetadata('{"path":"/sync/stream"}', "{}"));
const opened = (socket) => new Promise((resolve, reject) => socket.on("open", () => resolve(socket)).on("error", reject));
const open = () => opened(new WebSocket(url.replace("http", "ws") + "/sync/stream"));

async function rsocketNoise() {
  for (let i = 0; i < 200; i++) {
    const socket = await open();
    socket.on("error", () => {});
    if (i % 4) socket.send(setup);
    for (let j = 0; j < 10; j++) {
      const bytes = Buffer.from(j % 2 ? request : setup);
      for (let k = 0; k <= i % 5; k++) bytes[(i * 31 + j * 17 + k * 7) % bytes.length] = (i * 13 + j * 5 + k) & 255;
      socket.send(bytes.subarray(0, 1 + ((i * 7 + j * 11) % bytes.length)), { binary: j !== 3 });
    }
    setTimeout(() => socket.terminate(), 30);
  }
  await sleep(100);
}

/** They give two billion credits, and do not read. */
async function rsocketSlowReaders() {
  const sockets = await Promise.all(Array.from({ length: 20 }, open));
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.pause();
    socket.send(setup);
    socket.send(request);
  }
  await sleep(1500);
  assert.ok(memory() - before < 150, `slow RSocket readers take ${memory() - before} MiB`);
  sockets.forEach((socket) => socket.terminate());
}

/** Resolves to the frames that came until the service closed the connection. */
const untilClosed = (socket) => new Promise((resolve, reject) => {
  const frames = [], timer = setTimeout(() => reject(new Error("the connection is still open")), 10000);
  socket.on("message", (bytes) => frames.push(bytes)).on("close", (code) => (clearTimeout(timer), resolve({ code, frames })));
});
const typeOf = (bytes) => bytes.readUInt16BE(4) >> 10;
const ERROR = 0x0b;

async function rsocketFrames() {
  const zero = frame(1, 6, 0x100, number(0, 4), withMetadata('{"path":"/sync/stream"}', "{}"));
  const keepalive = frame(0, 3, 0x80, number(0, 8));
  const broken = { "credits of 0": zero, "0 more credits": frame(1, 8, 0, number(0, 4)), "half a head": setup.subarray(0, 3), nothing: Buffer.alloc(0),
    "metadata beyond the end": frame(1, 6, 0x100, number(1, 4), number(0xffffff, 3), Buffer.from("{}")), "half a keepalive": keepalive.subarray(0, 9),
    "another SETUP": setup };
  for (const [what, bytes] of Object.entries(broken)) {
    const socket = await open(), closed = untilClosed(socket);
    socket.send(setup);
    socket.send(bytes);
    const { frames } = await closed.catch((error) => assert.fail(`${what}: ${error.message}`));
    assert.ok(frames.some((bytes) => typeOf(bytes) === ERROR), `${what}: no ERROR`);
    checks++;
  }
  const socket = await open(), closed = untilClosed(socket); // larger than any message may be
  socket.on("error", () => {});
  socket.send(setup);
  socket.send(Buffer.concat([keepalive, Buffer.alloc(17 * MiB)]));
  const { code } = await closed;
  assert.ok([1006, 1009].includes(code), `${code}`); // 1006: closed while the rest was being sent
  checks++;
}

/** Two billion credits ten times over, more streams than a connection may have, thousands of subscriptions in many of them. */
async function rsocketCredits() {
  const subscriptions = Array.from({ length: 2000 }, (_, i) => ({ stream: "none" + i, parameters: { i }, override_priority: 3 }));
  const body = JSON.stringify({ streams: { subscriptions } });
  const socket = await open();
  let refused = 0, complete = 0;
  socket.on("message", (bytes) => {
    refused += typeOf(bytes) === ERROR;
    complete += bytes.includes("checkpoint_complete");
  });
  socket.send(setup);
  for (let i = 0; i < 130; i++) socket.send(frame(2 * i + 1, 6, 0x100, number(1, 4), withMetadata('{"path":"/sync/stream"}', i ? body : "{}")));
  for (let i = 0; i < 10; i++) socket.send(frame(1, 8, 0, number(0x7fffffff, 4)));
  for (const end = Date.now() + 20000; refused < 30 || complete < 1; await sleep(20)) assert.ok(Date.now() < end, `${refused} refused, ${complete} complete`);
  assert.equal(refused, 30); // a connection has 100 streams
  socket.terminate();
}

/** They want their KEEPALIVEs back, with all that is in them, and an answer to each wrong request, and never read. */
async function rsocketEchoes() {
  const sockets = await Promise.all(Array.from({ length: 20 }, open));
  const keepalive = Buffer.concat([frame(0, 3, 0x80, number(0, 8)), Buffer.alloc(MiB)]), wrong = frame(1, 4, 0, Buffer.from("{}"));
  for (const socket of sockets) {
    socket.on("error", () => {});
    socket.pause();
    socket.send(setup);
    for (let i = 0; i < 8; i++) socket.send(keepalive);
    for (let i = 0; i < 20000; i++) socket.send(wrong);
  }
  await sleep(1500);
  const more = memory() - before;
  if (process.env.HOSTILE_LOG) console.log("echoes that nobody reads:", Math.round(more), "MiB more");
  assert.ok(more < 100, `echoes that nobody reads take ${more} MiB`);
  sockets.forEach((socket) => socket.terminate());
}

// 20 MiB of rows
for (let i = 0; i < 60; i++) {
  const args = { list: { uuid: "l" + i, owner_id: "ann" }, todos: Array.from({ length: 19 }, (_, j) => ({ uuid: `t${i}-${j}`, owner_id: "ann", description: "x".repeat(17500) })) };
  const body = JSON.stringify({ path: "todo:addList", args, format: "json" });
  while ((await (await fetch(convex + "/api/mutation", { method: "POST", headers: json, body })).json()).status !== "success")
    await sleep(100); // the deployment has a write rate
}
await sleep(1500);
await good("the start");
const before = memory();
const rsocketSteps = WebSocket ? [rsocketNoise, rsocketFrames, rsocketCredits, rsocketEchoes, rsocketSlowReaders] : [];
for (const step of [allRoutesAreMeant, requests, large, tooManyStreams, slowReaders, endless, manyConnections, ...rsocketSteps]) {
  await step();
  await good(step.name);
  if (process.env.HOSTILE_LOG) console.log(step.name, Math.round(memory() - before), "MiB more");
}
const growth = memory() - before;
assert.ok(growth < 150, `memory grew by ${growth} MiB`);
console.log(`hostile_powersync: ${checks} bad requests, memory grew by ${growth.toFixed(0)} MiB`);
process.exit(0);
