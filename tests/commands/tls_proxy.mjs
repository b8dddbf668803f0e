// TLS before a plain address, as a load balancer would have it. Usage: tls_proxy.mjs URL KEY CERTIFICATE
import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
const [url, key, certificate] = process.argv.slice(2);
const to = new URL(url);
const server = tls.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (client) => {
  const upstream = net.connect(Number(to.port), to.hostname);
  client.pipe(upstream).pipe(client);
  for (const socket of [client, upstream]) socket.on("error", () => [client, upstream].forEach((each) => each.destroy()));
});
server.on("tlsClientError", () => {});
server.listen(0, "127.0.0.1", () => console.log(`https://127.0.0.1:${server.address().port}`));
