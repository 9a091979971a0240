/** `node http-server.js NAME [ADDRESS:]PORT…`: an HTTP server that tells who it is. Ends with its standard input. */
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { Page } from "./http.js";

const FILLING = "x".repeat(4000);

const [name = "", ...ports] = process.argv.slice(2);
process.stdin.resume().on("end", () => process.exit());
for (const endpoint of ports) {
  const [port, address] = endpoint.split(":").reverse();
  // A connection that a client holds stays, however long the client is silent.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
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

/** A socket for both families shows an IPv4 address as an IPv6 one. */
function bare(address = ""): string {
  return address.replace(/^::ffff:(?=.*\.)/, "");
}

function endpoint(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
