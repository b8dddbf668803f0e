// ConvexClient and BaseConvexClient over one WebSocket each.
import assert from "node:assert/strict";
import { api, BaseConvexClient, ConvexError, newClient, run, sleep, startServer, until, webSocketConstructor } from "./setting.mjs";

const server = await startServer();
const alice = newClient(server.url), bob = newClient(server.url);
const data = { code: "TAKEN", tries: 3n, raw: new Uint8Array([1, 2, 255]).buffer };
const seen = { red: [], blue: [], count: [] };
const watch = (name, query, args) => alice.onUpdate(query, args, (value) => seen[name].push(value));
let stopRed;

await run("reactive", {
  async "subscriptions get their first results"() {
    stopRed = watch("red", api.messages.list, { channel: "red" });
    watch("blue", api.messages.list, { channel: "blue" });
    watch("count", api.counter.get, { name: "c" });
    await until(() => seen.red.length && seen.blue.length && seen.count.length, "three first results");
    assert.deepEqual(seen, { red: [[]], blue: [[]], count: [0] });
  },
  async "another client's mutation updates what it touches and nothing else"() {
    await bob.mutation(api.messages.send, { channel: "red", text: "hello" });
    await until(() => seen.red.length === 2, "the new message");
    await bob.mutation(api.messages.send, { channel: "red", text: "again" });
    await until(() => seen.red.length === 3, "the second message");
    assert.deepEqual(seen, { red: [[], ["hello"], ["hello", "again"]], blue: [[]], count: [0] });
  },
  async "a mutation resolves when its effect can be seen"() {
    for (let i = 1; i <= 30; i++) {
      assert.equal(await alice.mutation(api.counter.add, { name: "c" }), i);
      assert.equal(alice.client.localQueryResult("counter:get", { name: "c" }), i);
    }
    assert.equal(seen.count.at(-1), 30);
    assert.deepEqual(seen.count, [...seen.count].sort((one, other) => one - other));
  },
  async "client.query asks once"() {
    assert.equal(await alice.query(api.counter.get, { name: "c" }), 30);
    assert.deepEqual(await bob.query(api.messages.list, { channel: "red" }), ["hello", "again"]);
  },
  async "actions"() {
    assert.equal(await alice.action(api.actions.addTwice, { name: "c" }), 32);
    await until(() => seen.count.at(-1) === 32, "what the action did");
  },
  async "errors come with their data"() {
    const thrown = (error) => error instanceof ConvexError && (assert.deepEqual(error.data, data), true);
    await assert.rejects(alice.mutation(api.errors.mutation, { data }), thrown);
    await assert.rejects(alice.action(api.errors.action, { data }), thrown);
    await assert.rejects(alice.query(api.errors.query, { data }), thrown);
    await assert.rejects(alice.mutation(api.errors.mutation, {}), (error) => !(error instanceof ConvexError));
    const failures = [];
    const stop = alice.onUpdate(api.errors.query, { data }, assert.fail, (error) => failures.push(error));
    await until(() => failures.length > 0, "the failing subscription");
    assert.ok(thrown(failures[0]));
    stop();
  },
  async "an optimistic update lasts until the transition, without a gap"() {
    let blue = [];
    const stop = alice.onUpdate(api.messages.list, { channel: "blue" }, (value) => blue.push(value));
    await until(() => blue.length === 1, "the present value");
    const optimisticUpdate = (store, { channel, text }) =>
      store.setQuery(api.messages.list, { channel }, [...store.getQuery(api.messages.list, { channel }), `${text}?`]);
    const sends = ["one", "two", "three"].map((text) =>
      alice.mutation(api.messages.send, { channel: "blue", text }, { optimisticUpdate }));
    await until(() => blue.length === 4, "three optimistic values");
    assert.deepEqual(blue.slice(1), [["one?"], ["one?", "two?"], ["one?", "two?", "three?"]]);
    await Promise.all(sends);
    assert.deepEqual(blue.at(-1), ["one", "two", "three"]);
    for (const value of blue.slice(4)) {
      // Always all three, in order; what is known for sure stands in front of what is hoped for.
      assert.deepEqual(value.map((text) => text.replace("?", "")), ["one", "two", "three"]);
      assert.match(value.map((text) => (text.endsWith("?") ? "?" : "!")).join(""), /^!*\?*$/);
    }
    stop();
  },
  async "a failed mutation takes its optimistic update back"() {
    const values = [];
    const stop = alice.onUpdate(api.counter.get, { name: "c" }, (value) => values.push(value));
    await until(() => values.length === 1, "the present value");
    const optimisticUpdate = (store) => store.setQuery(api.counter.get, { name: "c" }, 999);
    await assert.rejects(alice.mutation(api.errors.mutation, { data }, { optimisticUpdate }));
    await until(() => values.at(-1) === 32, "the old value");
    assert.deepEqual(values, [32, 999, 32]);
    stop();
  },
  async "who has unsubscribed hears no more"() {
    stopRed();
    await sleep(50);
    const before = seen.red.length;
    await bob.mutation(api.messages.send, { channel: "red", text: "unheard" });
    await bob.mutation(api.messages.send, { channel: "blue", text: "four" });
    await until(() => seen.blue.at(-1).length === 4, "the other subscription");
    assert.equal(seen.red.length, before);
  },
  async "large results arrive in chunks"() {
    const text = "é".repeat(450_000);
    for (let i = 0; i < 8; i++) await bob.mutation(api.messages.send, { channel: "large", text });
    const large = await alice.query(api.messages.list, { channel: "large" });
    assert.equal(large.length, 8); // 7 MB of UTF-8, above the 5 MB of one Transition
    assert.ok(large.every((one) => one === text));
  },
  async "BaseConvexClient sees transitions"() {
    const changed = [];
    const base = new BaseConvexClient(server.url, (queries) => changed.push(queries),
      { webSocketConstructor, logger: false, unsavedChangesWarning: false });
    const { queryToken, unsubscribe } = base.subscribe("counter:get", { name: "c" });
    await until(() => changed.some((queries) => queries.includes(queryToken)), "the first transition");
    assert.equal(base.localQueryResult("counter:get", { name: "c" }), 32);
    assert.equal(await base.mutation("counter:add", { name: "c" }), 33);
    assert.equal(base.localQueryResult("counter:get", { name: "c" }), 33);
    unsubscribe();
    await base.close();
  },
  async "closing, and the server ends well"() {
    await Promise.all([alice.close(), bob.close()]);
    await server.stop();
  },
});
