// Connections that break in the middle of mutations: every call has its effect exactly once.
import assert from "node:assert/strict";
import { api, ConvexHttpClient, faults, newClient, run, sleep, startProxy, startServer, until } from "./setting.mjs";

// After a cut the client waits about a second, so five clients are cut ten times each, side by side.
const clients = 5, cuts = 10;
const server = await startServer({ words: ["--faults", faults] });
const direct = new ConvexHttpClient(server.url, { logger: false });
const pairs = await Promise.all(Array.from({ length: clients }, async (_, i) => {
  const proxy = await startProxy(server.url);
  return { proxy, client: newClient(proxy.url), name: `r${i}`, values: [] };
}));
const { proxy, client, values } = pairs[0];
const rising = (list) => assert.deepEqual(list, [...list].sort((one, other) => one - other));

async function cutInTheMiddle({ proxy, client, name }, turn, call) {
  const sent = proxy.bytesUp;
  const answer = client.mutation(api.counter.add, { name });
  await until(() => proxy.bytesUp > sent, "the mutation to leave");
  // Before the commit, about then, or when the answer is on its way: the server takes 5 to 15 ms.
  await sleep((turn * 7 + call * 3) % 25);
  proxy.cut();
  assert.equal(await answer, turn + 1);
}

await run("reconnect", {
  async "first results"() {
    for (const { client, name, values } of pairs)
      client.onUpdate(api.counter.get, { name }, (value) => values.push(value));
    await until(() => pairs.every(({ values }) => values.length === 1), "the first results");
    assert.ok(pairs.every(({ proxy }) => proxy.connections === 1));
  },
  async "50 cuts, each in the middle of a mutation"() {
    await Promise.all(pairs.map(async (pair, call) => {
      for (let turn = 0; turn < cuts; turn++) await cutInTheMiddle(pair, turn, call);
    }));
    for (const { proxy } of pairs) assert.ok(proxy.connections > cuts / 2, `only ${proxy.connections} connections`);
  },
  async "the effect of each is there once"() {
    for (const { name, values } of pairs) {
      assert.equal(await direct.query(api.counter.get, { name }), cuts);
      await until(() => values.at(-1) === cuts, "the last value");
      rising(values);
    }
  },
  async "several mutations in flight keep their order"() {
    const calls = Array.from({ length: 20 }, () => client.mutation(api.counter.add, { name: "s" }));
    await sleep(40);
    proxy.cut();
    assert.deepEqual(await Promise.all(calls), Array.from({ length: 20 }, (_, i) => i + 1));
    assert.equal(await direct.query(api.counter.get, { name: "s" }), 20);
  },
  async "an action in flight is lost and said to be"() {
    await until(() => client.connectionState().isWebSocketConnected, "the connection");
    proxy.onUp = () => {
      proxy.onUp = null;
      proxy.cut();
    };
    await assert.rejects(client.action(api.actions.addTwice, { name: "t" }), /[Cc]onnection lost/);
  },
  async "subscriptions go on after a cut"() {
    await until(() => client.connectionState().isWebSocketConnected, "the connection");
    proxy.cut();
    await direct.mutation(api.counter.add, { name: pairs[0].name });
    await until(() => values.at(-1) === cuts + 1, "the value after the cut", 20);
  },
  async "closing, and the server ends well"() {
    for (const { client, proxy } of pairs) {
      await client.close();
      proxy.stop();
    }
    await server.stop();
  },
});
