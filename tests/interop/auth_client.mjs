// Identities over the WebSocket: tokens signed here, keys served on loopback, refreshed before they end.
import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import { api, ConvexHttpClient, newClient, run, startServer, until } from "./setting.mjs";

const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const issuer = "https://issuer.example";
let keysAsked = 0;
const keys = http.createServer((request, response) => {
  keysAsked++;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "RS256" }] }));
});
keys.listen(0, "127.0.0.1");
await once(keys, "listening");

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
function makeToken(subject, { lives = 3600, key = privateKey, ...claims } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: "RS256", typ: "JWT", kid: "k1" })}.${part({ iss: issuer, aud: "interop", sub: subject, iat: now, exp: now + lives, ...claims })}`;
  return `${text}.${createSign("RSA-SHA256").update(text).sign(key, "base64url")}`;
}

const jwks = `http://127.0.0.1:${keys.address().port}/jwks.json`;
const server = await startServer({
  added: `auth: [{issuer: "${issuer}", application: interop, jwks: "${jwks}", algorithm: RS256}]\n`,
});
const direct = new ConvexHttpClient(server.url, { logger: false });

const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;

await run("auth", {
  async "HTTP: who is signed in"() {
    direct.setAuth(makeToken("alice"));
    assert.equal(await direct.query(api.users.me, {}), "alice");
    direct.clearAuth();
    assert.equal(await direct.query(api.users.me, {}), null);
    for (const wrong of [{ aud: "somebody else" }, { key: stranger }, { lives: -60 }, { iss: "https://other.example" }]) {
      direct.setAuth(makeToken("alice", wrong));
      await assert.rejects(direct.query(api.users.me, {}), JSON.stringify(Object.keys(wrong)));
    }
  },
  async "setAuth: subscriptions run again as the user"() {
    const client = newClient(server.url), users = [], states = [];
    client.onUpdate(api.users.me, {}, (value) => users.push(value));
    await until(() => users.length === 1, "the first result");
    client.setAuth(async () => makeToken("alice"), (state) => states.push(state));
    await until(() => users.at(-1) === "alice", "the user's result");
    await until(() => states.at(-1) === true, "the confirmation");
    assert.deepEqual(users, [null, "alice"]);
    client.client.clearAuth();
    await until(() => users.at(-1) === null, "nobody's result");
    await client.close();
  },
  async "a short token is refreshed before it ends"() {
    const client = newClient(server.url), users = [], forced = [];
    client.onUpdate(api.users.me, {}, (value) => users.push(value));
    client.setAuth(async ({ forceRefreshToken }) => {
      forced.push(forceRefreshToken);
      return makeToken("bob", { lives: 13, n: forced.length }); // 10 s of leeway: 3 s are left
    });
    await until(() => users.at(-1) === "bob", "the user's result");
    await until(() => forced.length >= 4, "a refresh", 20);
    assert.equal(forced[0], false);
    assert.ok(forced.slice(1).every((one) => one));
    assert.equal(await client.query(api.users.me, {}), "bob");
    assert.ok(!users.includes("alice") && users.at(-1) === "bob");
    await client.close();
  },
  async "a token of another key ends as nobody"() {
    const client = newClient(server.url), states = [];
    client.setAuth(async () => makeToken("mallory", { key: stranger }), (state) => states.push(state));
    await until(() => states.length > 0, "the refusal", 20);
    assert.deepEqual(states, [false]);
    assert.equal(await client.query(api.users.me, {}), null);
    await client.close();
  },
  async "the keys were asked for once, and the server ends well"() {
    assert.ok(keysAsked >= 1 && keysAsked <= 3, `asked ${keysAsked} times`);
    keys.close();
    await server.stop();
  },
});
