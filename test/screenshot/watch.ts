/**
 * Takes the picture of `ipvsadm watch`: ten services with traffic, watched in a real terminal for a
 * minute, with a change to the table. Runs in the lab. The content of the terminal goes to
 * /lab/watch.txt.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../lab/http.js";
import { buildNetwork } from "../lab/network.js";
import { Pane } from "../lab/pane.js";
import { ours } from "../lab/program.js";
import { startServerProgram } from "../lab/server.js";
import { BEHIND_DIRECTOR } from "../traffic/places.js";

const ADDRESS = "192.0.2.100";
const SERVERS = ["198.51.100.11", "198.51.100.12", "198.51.100.13"];
const SCHEDULERS = ["wlc", "wrr", "rr", "lc", "sh"];
/** Connections per second, by service. The last but one is the slowest, the last has none */
const RATES = [9, 4, 24, 6, 14, 2, 11, 3, 0.4, 0];
const COLUMNS = Number(process.argv[2] ?? 120);
const ROWS = Number(process.argv[3] ?? 36);
const MINUTE_MILLISECONDS = 62_000;

const port = (i: number) => 8001 + i;

async function ipvsadm(line: string): Promise<void> {
  const { status, stderr } = await ours(line.split(" "));
  if (status !== 0) throw new Error(`${line}: ${stderr}`);
}

await ipvsadm("-C");
using network = buildNetwork(BEHIND_DIRECTOR);
network.sh("client", `ip route get ${ADDRESS}`);
const ports = RATES.map((_, i) => port(i));
for (const host of ["real1", "real2", "real3"]) await startServer(host, ports);
for (const [i] of RATES.entries()) {
  const service = `-t ${ADDRESS}:${port(i)}`;
  await ipvsadm(`-A ${service} -s ${SCHEDULERS[i % SCHEDULERS.length] ?? ""}`);
  for (const server of SERVERS.slice(0, 1 + (i % 3)))
    await ipvsadm(`-a ${service} -r ${server} -m -w ${1 + (i % 4)}`);
}
await startServerProgram("client", "traffic", [
  process.execPath,
  fileURLToPath(new URL("traffic.js", import.meta.url)),
  ADDRESS,
  ...RATES.map((rate, i) => `${port(i)}:${rate}`),
]);

using pane = new Pane(COLUMNS, ROWS);
await pane.shows(/^ready>/);
pane.type("clear; node dist/bin/ipvsadm.cjs watch\n");
await pane.shows(/q quit/);
// The screen shows a minute of history, so a fixed time is right here.
await sleep(MINUTE_MILLISECONDS / 2);
await ipvsadm(`-e -t ${ADDRESS}:${port(2)} -r ${SERVERS[0] ?? ""} -m -w 0`);
await ipvsadm(`-e -t ${ADDRESS}:${port(4)} -r ${SERVERS[1] ?? ""} -m -w 5`);
await ipvsadm(`-d -t ${ADDRESS}:${port(6)} -r ${SERVERS[0] ?? ""}`);
await ipvsadm(`-A -u ${ADDRESS}:53 -s rr`);
await sleep(MINUTE_MILLISECONDS / 2);
writeFileSync("/lab/watch.txt", pane.text(true));
pane.press("?");
await pane.shows(/Keys of ipvsadm watch/);
writeFileSync("/lab/watch-help.txt", pane.text(true));
process.exit();
