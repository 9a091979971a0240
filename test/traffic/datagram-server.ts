/**
 * `node datagram-server.js NAME ADDRESS:PORT…`: answers datagrams by who it is. A socket does not tell
 * to which of the host's addresses a datagram came, hence one for each. Ends with its standard input.
 */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import type { DatagramPage } from "./datagrams.js";

const [server = "", ...endpoints] = process.argv.slice(2);
process.stdin.resume().on("end", () => process.exit());
for (const addressedAs of endpoints) {
  const [address, port] = addressedAs.split(":");
  const socket = createSocket("udp4", (_, from) => {
    const page: DatagramPage = { server, addressedAs, client: from.address };
    socket.send(JSON.stringify(page), from.port, from.address);
  });
  await once(socket.bind(Number(port), address), "listening");
}
console.log("listening");
