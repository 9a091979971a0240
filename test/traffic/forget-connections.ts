import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { eventually } from "../lab/eventually.js";
import { ipvsadm } from "./ipvsadm.js";

const EXPIRE = "/proc/sys/net/ipv4/vs/expire_nodest_conn";
const CONNECTIONS = "/proc/net/ip_vs_conn";
const KEPT_MILLISECONDS = 5000;

/**
 * Clears the table and the connections. Without this the kernel keeps connections of deleted services until they
 * expire. If expire_nodest_conn is 1 when a real server is deleted, Linux 5.9 and later ends those of all deleted servers.
 */
export async function forgetConnections(): Promise<void> {
  if (countConnections() > 0) {
    const before = readFileSync(EXPIRE, "utf8");
    writeFileSync(EXPIRE, "1");
    await ipvsadm("-A -t 192.0.2.1:1");
    await ipvsadm("-a -t 192.0.2.1:1 -r 192.0.2.1");
    await ipvsadm("-C");
    await connectionsGo();
    writeFileSync(EXPIRE, before);
  } else await ipvsadm("-C");
}

/** Waits until there are no connections, or only those that the kernel keeps: their number stays the same. */
async function connectionsGo(): Promise<void> {
  let count = countConnections();
  let since = performance.now();
  await eventually(
    () => {
      const now = countConnections();
      if (now !== count) since = performance.now();
      count = now;
      return Promise.resolve();
    },
    () => count === 0 || performance.now() - since > KEPT_MILLISECONDS,
  );
}

function countConnections(): number {
  if (!existsSync(CONNECTIONS)) return 0; // without the module
  const lines = readFileSync(CONNECTIONS, "latin1").trim().split("\n");
  return lines.length - 1;
}
