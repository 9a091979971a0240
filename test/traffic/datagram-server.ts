/**
 * `node datagram-server.js NAME ADDRESS:PORT…`: replies to datagrams with its name. Has one socket
 * per address, because a socket does not report the local address of a datagram. Ends with its
 * standard input.
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
