import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Random } from "../compat/random.js";
import {
  connectionLine,
  numberedConnection,
  TITLE,
} from "../fixtures/connections.js";
import type { World } from "./world.js";

/** Writes /proc/net/ip_vs_conn with some connections. */
export function writeConnections(random: Random, world: World): void {
  const count = random.below(20);
  const first = random.below(100_000);
  const lines = Array.from({ length: count }, (_, i) =>
    connectionLine(numberedConnection(first + i)),
  );
  world.write("proc/net/ip_vs_conn", `${[TITLE, ...lines].join("\n")}\n`);
}

const FILES: Readonly<Record<string, string>> = {
  "proc/net/ip_vs":
    "IP Virtual Server version 1.2.1 (size=4096)\n" +
    "Prot LocalAddress:Port Scheduler Flags\n" +
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n" +
    "TCP  C0000201:0050 wlc persistent 300 FFFFFFFF\n" +
    "  -> 0A00000B:1F90      Masq    1      0          0         \n",
  "proc/net/ip_vs_stats":
    "   Total Incoming Outgoing         Incoming         Outgoing\n" +
    "   Conns  Packets  Packets            Bytes            Bytes\n" +
    "      1F      2A0      1B0             C3F0             8A21\n\n" +
    " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n" +
    "       1        3        2              120               80\n",
  "proc/net/ip_vs_status":
    "Conns:                          \t17\n" +
    "Conns buckets:                  \t4096 (12 bits, lfactor 4)\n" +
    "Services:                       \t3\n" +
    "Service buckets:                \t256 (8 bits, lfactor -3)\n",
  "proc/modules":
    "ip_vs_wrr 12288 2 - Live 0x0000000000000000\n" +
    "ip_vs 221184 4 ip_vs_wrr,ip_vs_sh, Live 0x0000000000000000\n",
  "proc/sys/kernel/osrelease": "6.1.0-44-amd64\n",
  "proc/sys/net/ipv4/ip_forward": "1\n",
  "proc/sys/net/ipv4/vs/expire_nodest_conn": "0\n",
  "proc/sys/net/ipv4/vs/conn_lfactor": "4\n",
  "proc/sys/net/ipv4/vs/sync_threshold": "3\t50\n",
};

/** The files of procfs that the program reads, with ip_vs_conn. */
export const PROC_FILES: readonly string[] = [
  "proc/net/ip_vs_conn",
  "proc/net/ip_vs_conn",
  "proc/net/ip_vs_conn",
  ...Object.keys(FILES),
];

export function writeProcFiles(world: World): void {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(world.path(name)), { recursive: true });
    world.write(name, text);
  }
}
