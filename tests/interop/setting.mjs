// What the interop tests share: the server's process, the npm package, waiting, and a TCP proxy that can cut.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "./waiting.mjs";

export { run, sleep, startProxy, until } from "./waiting.mjs";

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
