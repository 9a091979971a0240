/*
 * connections.js COUNT: creates a table of UDP services and sends datagrams to them until the
 * kernel has COUNT connections. All addresses belong to this machine. Nothing listens at the
 * servers, which does not matter to IPVS.
 */
import { createSocket } from "node:dgram";
import { readFileSync } from "node:fs";
import { ours } from "../lab/program.js";
import { sh } from "../lab/namespaces.js";
import { serverAddress, serviceAddress } from "./rules.js";

const SERVICES = 100;
const SERVERS_EACH = 4;
const PORT = 5300;
const SOCKETS_AT_ONCE = 50;

const count = Number(process.argv[2]);
sh("ip route replace local 10.0.0.0/8 dev lo");
await makeServices();
let made = connections();
// A closed port may be assigned again, which would not create a new connection.
for (let missing = count; missing > 0; missing = count - made) {
  const clients = Math.min(SOCKETS_AT_ONCE, Math.ceil(missing / SERVICES));
  await Promise.all(Array.from({ length: clients }, sendToEach));
  const now = connections();
  if (now === made) throw new Error(`no more than ${made} connections come`);
  made = now;
}

async function makeServices(): Promise<void> {
  let rules = "";
  for (let i = 0; i < SERVICES; i++) {
    const service = `-u ${serviceAddress(i)}:${PORT}`;
    rules += `-A ${service} -s rr\n`;
    for (let j = 0; j < SERVERS_EACH; j++)
      rules += `-a ${service} -r ${serverAddress(i * SERVERS_EACH + j)}:${PORT} -m\n`;
  }
  for (const [words, stdin] of [
    [["-C"], ""],
    [["--set", "0", "0", "86400"], ""], // connections must outlive the bench
    [["-R"], rules],
  ] as const) {
    const { status, stderr } = await ours(words, stdin);
    if (status !== 0) throw new Error(`ipvsadm ${words.join(" ")}: ${stderr}`);
  }
}

/** A client with its own port sends to every service. */
async function sendToEach(): Promise<void> {
  const socket = createSocket({
    type: "udp4",
    lookup: (address, _options, found) => {
      found(null, address, 4); // no name lookup needed
    },
  });
  for (let i = 0; i < SERVICES; i++)
    await new Promise<void>((resolve, reject) => {
      socket.send("x", PORT, serviceAddress(i), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  socket.close();
}

function connections(): number {
  const lines = readFileSync("/proc/net/ip_vs_conn", "latin1").split("\n");
  return lines.filter((line) => line.startsWith("UDP")).length;
}
