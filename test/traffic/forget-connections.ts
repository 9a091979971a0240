import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { eventually } from "../lab/eventually.js";
import { ipvsadm } from "./ipvsadm.js";

const EXPIRE = "/proc/sys/net/ipv4/vs/expire_nodest_conn";
const CONNECTIONS = "/proc/net/ip_vs_conn";

/**
 * Clears the table and the connections. Without this the kernel keeps connections of deleted services until they
 * expire. If expire_nodest_conn is 1 when a real server is deleted, Linux 5.9 and later ends those of all deleted servers.
 */
export async function forgetConnections(): Promise<void> {
  if (hasConnections()) {
    const before = readFileSync(EXPIRE, "utf8");
    writeFileSync(EXPIRE, "1");
    await ipvsadm("-A -t 192.0.2.1:1");
    await ipvsadm("-a -t 192.0.2.1:1 -r 192.0.2.1");
    await ipvsadm("-C");
    await eventually(
      () => Promise.resolve(hasConnections()),
      (some) => !some,
      5,
    );
    writeFileSync(EXPIRE, before);
  } else await ipvsadm("-C");
}

function hasConnections(): boolean {
  if (!existsSync(CONNECTIONS)) return false; // without the module
  const lines = readFileSync(CONNECTIONS, "latin1").trim().split("\n");
  return lines.length > 1;
}
