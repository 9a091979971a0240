import { join } from "node:path";
import { IpvsAccess, isUnavailable } from "../../runtime/ipvs-access.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type { Daemon, Info, Timeouts } from "../../ipvs/model.js";
import { totalsOf, type Totals } from "../../ipvs/totals.js";
import type { Io } from "../../runtime/io.js";
import { ENOENT } from "../../netlink/errno.js";
import { linesOf, textOf } from "../../system/files.js";
import {
  isReadable,
  readFolder,
  readModule,
  type Module,
} from "../../system/kernel-module.js";
import { readConnectionLimits } from "../../doctor/connection-limits.js";
import {
  readKernelStatus,
  type KernelStatus,
} from "../../doctor/kernel-status.js";
import { changedSysctls, type ChangedSysctl } from "./changed-sysctls.js";

/** What IPVS itself reports. */
export interface IpvsStatus {
  readonly info: Info;
  readonly timeouts: Timeouts;
  readonly daemons: readonly Daemon[];
  readonly totals: Totals;
}

/** What `status` shows. Undefined: unknown. */
export interface Report {
  readonly kernel: string | undefined;
  readonly module: Module;
  /** What IPVS reports, or why it does not */
  readonly ipvs: IpvsStatus | Error;
  /** Entries in the connection table, including templates */
  readonly connectionEntries: number | undefined;
  /** net.ipv4.vs.conn_max, which newer kernels have */
  readonly mostConnectionEntries: number | undefined;
  /** /proc/net/ip_vs_status, which newer kernels have */
  readonly kernelStatus: KernelStatus | undefined;
  /** Undefined if net.ipv4.vs does not exist */
  readonly sysctls: readonly ChangedSysctl[] | undefined;
  readonly may: {
    readonly administerNetworks: boolean;
    readonly readConnections: boolean;
    readonly openRawSockets: boolean;
  };
}

/** Collects what `status` shows. Changes nothing. */
export async function readReport(io: Io): Promise<Report> {
  const module = readModule("ip_vs", io.procFolder, io.sysFolder);
  const sysctls = readFolder(join(io.procFolder, "sys/net/ipv4/vs"));
  const hasSysctls = Object.keys(sysctls).length > 0;
  // A request to IPVS makes the kernel load the module. status must not load it, so it asks only if it is loaded.
  const loaded = module.state !== "absent" || hasSysctls;
  const kernelStatus = readKernelStatus(io.procFolder);
  return {
    kernel: textOf(join(io.procFolder, "sys/kernel/osrelease"))?.trim(),
    module,
    ipvs: loaded ? await readIpvs(io) : new IpvsUnavailable(ENOENT),
    connectionEntries:
      kernelStatus?.connections ?? (await countConnections(io.connectionsFile)),
    mostConnectionEntries: readConnectionLimits(io.procFolder).most,
    kernelStatus,
    sysctls: hasSysctls ? changedSysctls(sysctls) : undefined,
    may: {
      administerNetworks: io.mayAdministerNetworks(),
      readConnections: isReadable(io.connectionsFile),
      openRawSockets: io.mayOpenRawSockets(),
    },
  };
}

async function readIpvs(io: Io): Promise<IpvsStatus | Error> {
  const access = new IpvsAccess(io);
  try {
    return await statusOf(await access.openWithoutLoading());
  } catch (error) {
    if (isUnavailable(error) || error instanceof KernelRefusal) return error;
    throw error;
  } finally {
    access.close();
  }
}

async function statusOf(client: IpvsClient): Promise<IpvsStatus> {
  return {
    info: client.info,
    timeouts: await client.timeouts(),
    daemons: await client.daemons(),
    totals: totalsOf(await client.table()),
  };
}

/** Counts the lines of the file. Undefined if it cannot be read. */
async function countConnections(file: string): Promise<number | undefined> {
  if (!isReadable(file)) return undefined;
  let count = -1; // The first line is the title.
  for await (const lines of linesOf(file)) count += lines.length;
  return Math.max(count, 0);
}
