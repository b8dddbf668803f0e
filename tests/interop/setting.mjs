// What the interop tests share: the server's process, the npm package, waiting, and a TCP proxy that can cut.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(process.argv[2] + "/");
export const { ConvexHttpClient, ConvexClient, BaseConvexClient } = require("convex/browser");
export const { anyApi: api } = require("convex/server");
export const { ConvexError } = require("convex/values");
export const webSocketConstructor = require("ws");

const here = new URL("./", import.meta.url).pathname;

/** `syncline serve` with backend.yaml; `added` is more YAML at its end, `words` more arguments. */
export async function startServer({ added, words = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), "interop-")), backend = join(folder, "backend.yaml");
  writeFileSync(backend, readFileSync(here + "backend.yaml", "utf8") + (added ?? ""));
  const all = ["serve", "--convex", "127.0.0.1:0", "--backend", backend, ...words];
  const server = spawn(process.env.SYNCLINE, all, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  server.stdout.on("data", (bytes) => (printed += bytes));
  await until(() => / reach it/.test(printed) || server.exitCode !== null, "the server");
  rmSync(folder, { recursive: true });
  const url = /^convex +(http:\/\/127\.0\.0\.1:\d+)$/m.exec(printed)?.[1];
  assert.ok(url, `no address: ${printed}`);
  return {
    url,
    async stop() {
      if (server.exitCode === null && server.signalCode === null) {
        server.kill("SIGTERM");
        await once(server, "exit");
      }
      assert.equal(server.exitCode, 0, "the server's exit status");
    },
  };
}
export const faults = here + "faults.yaml";

export const newClient = (url, options = {}) =>
  new ConvexClient(url, { webSocketConstructor, logger: false, unsavedChangesWarning: false, ...options });
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `holds()`; fails with `what` after some seconds. */
export async function until(holds, what, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  while (!holds()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await sleep(2);
  }
}

/** A TCP proxy before `url`: counts connections and cuts them all. */
export async function startProxy(url) {
  const to = new URL(url), pairs = new Set();
  const proxy = {
    connections: 0,
    bytesUp: 0,
    onUp: null, // called with every piece from the client, before it is passed on
    cut() {
      for (const pair of pairs) pair.forEach((socket) => socket.destroy());
      pairs.clear();
    },
    stop() {
      proxy.cut();
      server.close();
    },
  };
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(to.port), to.hostname);
    const pair = [client, upstream];
    proxy.connections++;
    pairs.add(pair);
    const drop = () => {
      pairs.delete(pair);
      pair.forEach((socket) => socket.destroy());
    };
    for (const socket of pair) socket.on("error", drop).on("close", drop);
    client.on("data", (bytes) => {
      proxy.bytesUp += bytes.length;
      upstream.write(bytes);
      proxy.onUp?.(bytes);
    });
    upstream.on("data", (bytes) => client.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  proxy.url = `http://127.0.0.1:${server.address().port}`;
  return proxy;
}

/** Runs the steps one after the other, each named; ends the process. */
export async function run(name, steps) {
  for (const [what, step] of Object.entries(steps)) {
    try {
      await step();
    } catch (error) {
      console.error(`${name}: ${what}: ${error.stack}`);
      process.exit(1);
    }
  }
  console.log(`${name}: ${Object.keys(steps).length} steps passed`);
  process.exit(0);
}
