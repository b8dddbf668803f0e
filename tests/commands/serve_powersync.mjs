// What a plain client sees of `syncline serve --powersync`. Usage: serve_powersync.mjs CASE POWERSYNC CONVEX ISSUER
import assert from "node:assert/strict";
const [name, powersync, convex, issuer] = process.argv.slice(2);

const audience = name === "keys" ? "&audience=app" : ""; // with it the issuer signs with its key pair
const token = async (user) => (await (await fetch(`${issuer}/token?user=${user}${audience}`)).json()).token;
const ask = async (path, body, user = "ann") =>
  fetch(powersync + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: "Token " + (await token(user)), "content-type": "application/json" },
    ...(body && { body: JSON.stringify(body) }),
  });
const mutate = async (path, args) => {
  const body = JSON.stringify({ path, args, format: "json" });
  const headers = { "content-type": "application/json" };
  const answer = await (await fetch(convex + "/api/mutation", { method: "POST", headers, body })).json();
  assert.equal(answer.status, "success", JSON.stringify(answer));
};

/** The stream's lines until `enough(lines)`; no sync config yet (500) is asked again. */
async function linesUntil(enough, user) {
  for (let tries = 0; ; tries++) {
    const answer = await ask("/sync/stream", { raw_data: true }, user);
    if (answer.status === 500 && tries < 100) {
      assert.match(await answer.text(), /PSYNC_S2302/);
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    assert.equal(answer.status, 200);
    let text = "";
    for await (const piece of answer.body) {
      text += Buffer.from(piece).toString();
      const lines = text.split("\n").slice(0, -1).map(JSON.parse);
      if (enough(lines)) return lines;
    }
  }
}
const rowsOf = (lines) => lines.flatMap((line) => line.data?.data ?? []).map((each) => JSON.parse(each.data));

const cases = {
  async todo() {
    await mutate("todo:addList", { list: { uuid: "l1", name: "one", owner_id: "ann" }, todos: [{ uuid: "t1", owner_id: "bob" }] });
    const rows = rowsOf(await linesUntil((lines) => rowsOf(lines).length > 0));
    assert.deepEqual(rows.map((row) => [row.id, row.name]), [["l1", "one"]]);
    assert.equal((await fetch(powersync + "/sync/stream", { method: "POST", body: "{}", headers: { "content-type": "application/json" } })).status, 401);
    assert.equal((await ask("/write-checkpoint2.json?client_id=c")).status, 503); // the faults' rule
    assert.deepEqual(await (await ask("/write-checkpoint2.json?client_id=c")).json(), { data: { write_checkpoint: "1" } });
  },
  async tables() {
    const lines = await linesUntil((all) => all.some((line) => line.checkpoint_complete));
    const names = lines[0].checkpoint.streams.map((each) => each.name);
    assert.ok(names.includes("notes"), names.join());
  },
  async lists() {
    await mutate("todo:addList", { list: { uuid: "l2", name: "one", owner_id: "ann" }, todos: [] });
    const rows = rowsOf(await linesUntil((lines) => rowsOf(lines).length > 0));
    assert.deepEqual(rows.map((row) => row.name), ["one"]);
  },
  async keys() {
    await this.lists();
  },
  async metrics() {
    const answer = await fetch(convex); // here: where the metrics are
    assert.equal(answer.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    assert.match(await answer.text(), /^powersync_rows_replicated_total(\{[^}]*\})? [1-9]\d*$/m);
    assert.equal((await fetch(new URL("/", convex))).status, 404);
  },
  async refused() {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const answer = await ask("/sync/stream", {});
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), /PSYNC_S2302/);
  },
};
await cases[name]();
process.exit(0);
