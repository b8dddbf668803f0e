// The npm package `convex` with tokens of `syncline serve --issuer`. Usage: serve_auth.mjs URL ISSUER PATH_OF_NODE_MODULES
import assert from "node:assert/strict";
import { createPublicKey, verify } from "node:crypto";
import { createRequire } from "node:module";
const [url, issuer, modules] = process.argv.slice(2);
const require = createRequire(modules + "/");
const { ConvexHttpClient } = require("convex/browser");
const { anyApi } = require("convex/server");

const json = async (address) => (await fetch(address)).json();
const { token } = await json(`${issuer}/token?user=alice&audience=convex`);
const [header, claims, signature] = token.split(".");
const read = (part) => JSON.parse(Buffer.from(part, "base64url"));

// What a verifier of OpenID Connect finds: address, keys, a signature that node agrees with.
const configuration = await json(`${issuer}/.well-known/openid-configuration`);
assert.equal(configuration.issuer, issuer);
assert.equal(read(claims).iss, issuer);
const { keys } = await json(configuration.jwks_uri);
const key = createPublicKey({ key: keys.find((each) => each.kid === read(header).kid), format: "jwk" });
assert.equal(read(header).alg, "RS256");
assert.ok(verify("sha256", Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, "base64url")));

// The deployment asks for the keys by itself.
const client = new ConvexHttpClient(url, { logger: false });
const uuid = { uuid: "nothing" };
client.setAuth(token);
assert.equal(await client.query(anyApi.todo.getList, uuid), null);
const other = (await json(`${issuer}/token?user=alice&audience=another`)).token;
for (const [bad, code] of [[token.slice(0, -6) + "AAAAAA", "Unauthenticated"], ["x", "InvalidAuthHeader"], [other, "NoAuthProvider"]]) {
  client.setAuth(bad);
  await assert.rejects(client.query(anyApi.todo.getList, uuid), new RegExp(code));
}
client.clearAuth();
assert.equal(await client.query(anyApi.todo.getList, uuid), null);

// Another origin's page asks beforehand.
const preflight = await fetch(`${url}/api/query`, {
  method: "OPTIONS",
  headers: { origin: "https://app.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
});
assert.equal(preflight.status, 200);
assert.equal(preflight.headers.get("access-control-allow-origin"), "https://app.example");
assert.equal(preflight.headers.get("access-control-allow-credentials"), "true");
assert.equal(preflight.headers.get("access-control-max-age"), "86400");
assert.equal(preflight.headers.get("access-control-allow-headers"), "content-type");
