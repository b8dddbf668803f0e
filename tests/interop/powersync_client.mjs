// The real SDK (npm @powersync/node) against `syncline serve`: a deployment in one process, a PowerSync service in
// another, a TCP proxy before the service that can cut. After each step the client's tables must be what the streams
// define. Usage: powersync_client.mjs MODULES TRANSPORT legacy|requests, TRANSPORT being ndjson, bson or websocket.
import assert from "node:assert/strict";
import {
  addList,
  converge,
  documentsOf,
  openClient,
  startServer,
  writeServiceConfig,
  writeStreams,
} from "./powersync_setting.mjs";
import { run, sleep, startProxy, until } from "./waiting.mjs";

const [, , , transport, mode] = process.argv;
const checkpointMode = mode === "requests" ? { requests: {} } : "legacy";
const contentTypes = { ndjson: ["application/x-ndjson"], bson: ["application/vnd.powersync.bson-stream"], websocket: [] };

const convex = await startServer(["--convex", "127.0.0.1:0"]);
const convexUrl = convex.address("convex");
const todo = (uuid, more) => ({ uuid, list_uuid: "l1", description: "tea ☕ \u0001 \"1\"", owner_id: "ann", ...more });
const todos = Array.from({ length: 300 }, (_, i) => todo("t" + i, { completed: i % 2 === 0, rank: i / 7 }));
await addList(convexUrl, { uuid: "l1", name: "groceries", owner_id: "ann", shared_with: "bob" }, todos);
await addList(convexUrl, { uuid: "l2", name: "other", owner_id: "eve" }, [todo("e1", { owner_id: "eve", list_uuid: "l2" })]);
const config = writeServiceConfig(convexUrl);
const startService = () => startServer(["--powersync", "127.0.0.1:0", "--config", config]);
let service = await startService();
const proxy = await startProxy(service.address("powersync"));
const newClient = (name, user, more) =>
  openClient({ name, user, service: proxy, convexUrl, transport, checkpointMode, ...more });

let ann, phone, bob;
const settled = async (what) => {
  await converge(ann, convexUrl, "ann", what + ", ann");
  await converge(phone, convexUrl, "ann", what + ", ann's phone");
  await converge(bob, convexUrl, "bob", what + ", bob");
};
const write = (client, sql, values) => client.database.execute(sql, values);
const lastOperation = async (client) => (await client.database.get("SELECT max(last_op) AS op FROM ps_buckets")).op;
const insertTodo = (client, id, description, owner = "ann") =>
  write(client, "INSERT INTO todos (id, list_uuid, description, completed, rank, owner_id) VALUES (?, 'l1', ?, 0, 1.5, ?)", [
    id,
    description,
    owner,
  ]);

await run(`powersync ${transport} ${mode}`, {
  "first sync": async () => {
    ann = await newClient("ann", "ann");
    await ann.connect();
    await ann.database.waitForFirstSync(AbortSignal.timeout(10000));
    assert.equal(await converge(ann, convexUrl, "ann", "first sync"), 300);
    phone = await newClient("phone", "ann");
    bob = await newClient("bob", "bob");
    await Promise.all([phone.connect(), bob.connect()]);
    await settled("second device");
    assert.deepEqual([...ann.types], contentTypes[transport]);
    assert.ok(ann.database.currentStatus.connected && ann.database.currentStatus.hasSynced);
  },
  "a change at the server arrives": async () => {
    await addList(convexUrl, { uuid: "l3", name: "from the server", owner_id: "bob", shared_with: "ann" }, []);
    await settled("server's change");
  },
  "uploads come back": async () => {
    await insertTodo(ann, "new-1", "made by ann");
    await write(ann, "UPDATE todos SET completed = 1, description = NULL WHERE id = 't1'");
    await write(phone, "DELETE FROM todos WHERE id = 't2'");
    const shared = async () => (await bob.database.getAll("SELECT id FROM todos WHERE list_uuid = 'l1'")).length;
    await settled("uploads");
    assert.equal(await shared(), 300);
    await write(ann, "UPDATE lists SET shared_with = NULL WHERE id = 'l1'");
    await settled("no longer shared");
    assert.equal(await shared(), 0, "the list is no longer shared: its bucket is gone");
    assert.ok(ann.connector.uploads >= 2 && phone.connector.uploads >= 1);
    const documents = await documentsOf(convexUrl, "todos");
    assert.equal(documents.find((each) => each.uuid === "new-1").description, "made by ann");
    assert.ok(!documents.some((each) => each.uuid === "t2"));
  },
  "a transaction of several rows": async () => {
    await ann.database.writeTransaction(async (transaction) => {
      for (let i = 0; i < 20; i++)
        await transaction.execute("INSERT INTO todos (id, list_uuid, rank, owner_id) VALUES (?, 'l1', ?, 'ann')", ["w" + i, i]);
    });
    await settled("transaction");
  },
  "a subscription with a parameter": async () => {
    const before = (await bob.database.getAll("SELECT id FROM todos")).length;
    const subscription = await bob.database.syncStream("todos_of_one_list", { list: "l2" }).subscribe();
    await subscription.waitForFirstSync(AbortSignal.timeout(10000));
    bob.subscribed.add("l2");
    await settled("subscribed");
    assert.equal((await bob.database.getAll("SELECT id FROM todos")).length, before + 1);
  },
  "offline spells": async () => {
    proxy.offline = true;
    proxy.cut();
    await until(() => !ann.database.currentStatus.connected, "ann is offline");
    for (let i = 0; i < 5; i++) await insertTodo(ann, "offline-" + i, "written without a net");
    await insertTodo(bob, "offline-bob", "bob's", "bob");
    await addList(convexUrl, { uuid: "l4", name: "meanwhile", owner_id: "ann" }, []);
    await sleep(300);
    proxy.offline = false;
    await settled("offline");
    for (let i = 0; i < 3; i++) {
      await insertTodo(phone, "cut-" + i, "in a bad net");
      await sleep(30);
      proxy.cut();
    }
    await settled("cuts");
  },
  "tokens are renewed": async () => {
    // Over HTTP by the line at the token's end. Over WebSocket the SDK drops that line, because the stream's end comes
    // right behind it; there the warning 20 s before is what counts.
    bob.connector.lifetime = transport === "websocket" ? 22 : 2;
    const before = bob.connector.tokens;
    await bob.database.disconnect();
    await bob.connect();
    await until(() => bob.connector.tokens >= before + 2, "new tokens", 15);
    await addList(convexUrl, { uuid: "l5", name: "for bob", owner_id: "bob" }, []);
    await settled("new tokens");
    bob.connector.lifetime = 3600;
  },
  "a killed service goes on": async () => {
    const before = await lastOperation(ann);
    await insertTodo(ann, "before-kill", "on its way");
    await service.kill();
    await insertTodo(ann, "while-killed", "nobody listens");
    await addList(convexUrl, { uuid: "l6", name: "while it was gone", owner_id: "ann" }, []);
    service = await startService();
    proxy.to = new URL(service.address("powersync"));
    await settled("service killed");
    assert.ok((await lastOperation(ann)) > before, "the service counts operations on from what its storage holds");
    await insertTodo(phone, "after-kill", "on the new one");
    await settled("after the restart");
  },
  "a new sync config": async () => {
    await insertTodo(ann, "before-deploy", "under the old one");
    await service.stop();
    writeStreams(1);
    service = await startService();
    proxy.to = new URL(service.address("powersync"));
    await insertTodo(phone, "while-deploying", "under either");
    const isNew = async () => {
      const buckets = await ann.database.getAll("SELECT name FROM ps_buckets");
      return buckets.length > 0 && buckets.every((each) => each.name.startsWith("2#"));
    };
    for (const end = Date.now() + 10000; !(await isNew()); ) {
      assert.ok(Date.now() < end, "no buckets of the new config");
      await sleep(50);
    }
    await settled("new sync config");
  },
  "a client that comes back": async () => {
    await ann.database.disconnect();
    await addList(convexUrl, { uuid: "l7", name: "while ann was away", owner_id: "ann" }, []);
    await ann.connect();
    await settled("back again");
  },
  "the end": async () => {
    for (const client of [ann, phone, bob]) await client.database.close();
    await service.stop();
    await convex.stop();
  },
});
