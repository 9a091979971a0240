import { readFileSync } from "node:fs";
import type { TestCluster } from "../store/etcd-cluster.js";

const TICKS_PER_SECOND = 100;

export interface Usage {
  /** Seconds since the start */
  readonly cpu: number;
  readonly megabytes: number;
}

/** CPU seconds and resident megabytes of a process. @see proc(5) */
function usageOfProcess(pid: number | undefined): Usage {
  const stat = readFileSync(`/proc/${pid ?? 0}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(fields[21]);
  return { cpu: ticks / TICKS_PER_SECOND, megabytes: (pages * 4096) / 1e6 };
}

/** CPU seconds and resident megabytes of all members. */
export function usageOf(cluster: TestCluster): Usage {
  const usages = cluster.members.map(({ pid }) => usageOfProcess(pid));
  return {
    cpu: usages.reduce((sum, one) => sum + one.cpu, 0),
    megabytes: usages.reduce((sum, one) => sum + one.megabytes, 0),
  };
}
