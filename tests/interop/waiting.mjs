// Waiting, a TCP proxy that can cut, and named steps: for tests on real sockets.
import assert from "node:assert/strict";
import { once } from "node:events";
import net from "node:net";

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until `holds()`; fails with `what` after some seconds. */
export async function until(holds, what, seconds = 10) {
  const end = Date.now() + seconds * 1000;
  while (!holds()) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await sleep(2);
  }
}

/** A TCP proxy before `url`: counts connections, cuts them all, goes offline, leads elsewhere. */
export async function startProxy(url) {
  const pairs = new Set();
  const proxy = {
    to: new URL(url),
    offline: false, // new connections are dropped
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
    if (proxy.offline) return client.destroy();
    const upstream = net.connect(Number(proxy.to.port), proxy.to.hostname);
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
