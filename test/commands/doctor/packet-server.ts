/**
 * `node packet-server.js`: three TCP servers. Port 8080 answers a line with 6000 bytes, 8081 reads and is silent, 8082 resets
 * when it has got a line. Ends with its standard input.
 */
import { once } from "node:events";
import { createServer, type Socket } from "node:net";

const ANSWER = "y".repeat(6000);

function serve(port: number, act: (socket: Socket) => void): Promise<unknown> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined); // the client or a fault has ended it
    socket.on("data", (bytes) => {
      if (bytes.at(-1) === 10) act(socket);
    });
  });
  return once(server.listen(port), "listening");
}

process.stdin.resume().on("end", () => process.exit());
await serve(8080, (socket) => socket.end(ANSWER));
await serve(8081, () => undefined);
await serve(8082, (socket) => socket.resetAndDestroy());
console.log("listening");
