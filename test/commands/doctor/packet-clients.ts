/**
 * `node packet-clients.js FROM ADDRESS PORT BYTES…`: clients, each with an address of its own, that send a line of so many
 * bytes on a new connection again and again. Ends with its standard input.
 */
import { connect } from "node:net";

/** A connection without an answer is closed after this, so that the next one begins while the packets of this one are repeated. */
const PATIENCE_MILLISECONDS = 2500;
const PAUSE_MILLISECONDS = 150;

process.stdin.resume().on("end", () => process.exit());
const words = process.argv.slice(2);
for (let i = 0; i < words.length; i += 4) {
  const [from = "", host = "", port = "", bytes = ""] = words.slice(i, i + 4);
  void askAlways(from, host, Number(port), Number(bytes));
}
console.log("started");

async function askAlways(
  localAddress: string,
  host: string,
  port: number,
  bytes: number,
): Promise<void> {
  for (;;) {
    const socket = connect({ host, port, localAddress });
    socket.on("error", () => undefined); // that is what is tried
    socket.setTimeout(PATIENCE_MILLISECONDS, () => socket.destroy());
    socket.write(`${"x".repeat(bytes - 1)}\n`);
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
  }
}
