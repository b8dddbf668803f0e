// ConvexHttpClient: one request a call.
import assert from "node:assert/strict";
import { api, ConvexError, ConvexHttpClient, run, startServer } from "./setting.mjs";

const server = await startServer();
const client = new ConvexHttpClient(server.url, { logger: false });
const data = { code: "TAKEN", tries: 3n, ratio: 0.5, raw: new Uint8Array([1, 2, 255]).buffer, list: [null, true] };

await run("http", {
  async "queries and mutations"() {
    assert.equal(await client.query(api.counter.get, { name: "h" }), 0);
    assert.equal(await client.mutation(api.counter.add, { name: "h" }), 1);
    assert.equal(await client.mutation(api.counter.add, { name: "h" }), 2);
    assert.equal(await client.query(api.counter.get, { name: "h" }), 2);
  },
  async "values travel both ways unchanged"() {
    const text = "Grüße \u{1f600} \u0000 \u2028 \"\\";
    const values = [text, 9007199254740993n, -0, NaN, Infinity, 1e-7, 5e-324, { a: [] }, data.raw];
    for (const value of values) await client.mutation(api.messages.send, { channel: "values", text: value });
    assert.deepEqual(await client.query(api.messages.list, { channel: "values" }), values);
  },
  async "an action runs its mutations"() {
    assert.equal(await client.action(api.actions.addTwice, { name: "h" }), 4);
    assert.equal(await client.query(api.counter.get, { name: "h" }), 4);
  },
  async "what is thrown arrives with its data"() {
    for (const call of [
      () => client.query(api.errors.query, { data }),
      () => client.mutation(api.errors.mutation, { data }),
      () => client.action(api.errors.action, { data }),
    ])
      await assert.rejects(call, (error) => {
        assert.ok(error instanceof ConvexError);
        assert.deepEqual(error.data, data);
        return true;
      });
  },
  async "other failures have no data"() {
    for (const call of [
      () => client.mutation(api.errors.mutation, {}),
      () => client.query(api.nothing.there, {}),
      () => client.query(api.counter.add, { name: "h" }),
    ])
      await assert.rejects(call, (error) => error instanceof Error && !(error instanceof ConvexError));
    assert.equal(await client.query(api.counter.get, { name: "h" }), 4);
  },
  async "consistentQuery stays at its timestamp"() {
    assert.equal(await client.consistentQuery(api.counter.get, { name: "h" }), 4);
    await client.mutation(api.counter.add, { name: "h" });
    assert.equal(await client.consistentQuery(api.counter.get, { name: "h" }), 4);
    assert.equal(await client.query(api.counter.get, { name: "h" }), 5);
  },
  async "mutations of one client keep their order"() {
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.mutation(api.counter.add, { name: "o" })));
    assert.deepEqual(answers, Array.from({ length: 20 }, (_, i) => i + 1));
  },
  async "the server ends well"() {
    await server.stop();
  },
});
