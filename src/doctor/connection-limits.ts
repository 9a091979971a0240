import { readKernelStatus } from "./kernel-status.js";
import { textOf } from "../system/files.js";

/** How full the tables of connections are. An undefined figure is not known. */
export interface ConnectionLimits {
  /** Entries of IPVS, by /proc/net/ip_vs_status, which newer kernels have */
  readonly entries: number | undefined;
  /** net.ipv4.vs.conn_max */
  readonly most: number | undefined;
  /** net.ipv4.vs.conn_lfactor: entries per bucket as a power of 2 */
  readonly loadFactor: number | undefined;
  /** Entries of connection tracking, and net.netfilter.nf_conntrack_max */
  readonly tracked: number | undefined;
  readonly mostTracked: number | undefined;
}

/** Reads how full the tables of connections are. */
export function readConnectionLimits(procFolder: string): ConnectionLimits {
  const number = (path: string) => {
    const text = textOf(`${procFolder}/${path}`)?.trim();
    return text !== undefined && /^-?[0-9]+$/.test(text)
      ? Number(text)
      : undefined;
  };
  return {
    entries: readKernelStatus(procFolder)?.connections,
    most: number("sys/net/ipv4/vs/conn_max"),
    loadFactor: number("sys/net/ipv4/vs/conn_lfactor"),
    tracked: number("sys/net/netfilter/nf_conntrack_count"),
    mostTracked: number("sys/net/netfilter/nf_conntrack_max"),
  };
}
