/**
 * `node http-server.js NAME [ADDRESS:]PORT…`: an HTTP server that replies with its name. Ends with
 * its standard input.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Page } from "./http.js";

const FILLING = "x".repeat(4000);
/** A client may keep a connection open and silent for any time. */
const FOR_EVER = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 };

const [name = "", ...ports] = process.argv.slice(2);
process.stdin.resume().on("end", () => process.exit());
for (const endpoint of ports) {
  const [port, address] = endpoint.split(":").reverse();
  const server = createServer(FOR_EVER, (request, response) => {
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(pageFor(request)));
  });
  await once(server.listen(Number(port), address), "listening");
}
console.log("listening");

function pageFor({ socket }: IncomingMessage): Page {
  return {
    server: name,
    addressedAs: endpoint(bare(socket.localAddress), socket.localPort ?? 0),
    client: bare(socket.remoteAddress),
    filling: FILLING,
  };
}

/** Removes the IPv6 form of an IPv4 address, which a dual-stack socket reports. */
function bare(address = ""): string {
  return address.replace(/^::ffff:(?=.*\.)/, "");
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
