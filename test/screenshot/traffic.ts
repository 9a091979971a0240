/**
 * `node traffic.js ADDRESS PORT:RATE…`: makes about RATE HTTP requests per second to each port,
 * each on a new connection, with a varying rate. Ends with its standard input.
 */
import { get } from "node:http";

const STEP_MILLISECONDS = 100;
/** The period of the variation in seconds */
const SWING_SECONDS = 25;

const [address = "", ...ports] = process.argv.slice(2);
process.stdin.resume().on("end", () => process.exit());

for (const [i, word] of ports.entries()) {
  const [port = 0, rate = 0] = word.split(":").map(Number);
  let due = 0;
  setInterval(() => {
    const phase = Date.now() / 1000 / SWING_SECONDS + i / ports.length;
    const swing = 1 + 0.7 * Math.sin(phase * 2 * Math.PI);
    due += (rate * swing * STEP_MILLISECONDS) / 1000;
    for (; due >= 1; due--)
      get({ host: address, port, agent: false }, (response) =>
        response.resume(),
      ).on("error", () => undefined); // a refused connection is traffic, too
  }, STEP_MILLISECONDS);
}
console.log("running");
