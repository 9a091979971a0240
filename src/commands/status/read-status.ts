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
import { changedSysctls, type ChangedSysctl } from "./changed-sysctls.js";

/** What IPVS itself tells. */
export interface Answers {
  readonly info: Info;
  readonly timeouts: Timeouts;
  readonly daemons: readonly Daemon[];
  readonly totals: Totals;
}

/** What `status` shows. What could not be found out is undefined. */
export interface Report {
  readonly kernel: string | undefined;
  readonly module: Module;
  /** The answers of IPVS, or why there are none */
  readonly ipvs: Answers | Error;
  /** Entries in the connection table, templates included */
  readonly connectionEntries: number | undefined;
  /** Undefined where there are no such sysctls */
  readonly sysctls: readonly ChangedSysctl[] | undefined;
  readonly may: {
    readonly administerNetworks: boolean;
    readonly readConnections: boolean;
    readonly openRawSockets: boolean;
  };
}

/** Finds out what `status` shows. Changes nothing. */
export async function readReport(io: Io): Promise<Report> {
  const module = readModule("ip_vs", io.procFolder, io.sysFolder);
  const sysctls = readFolder(join(io.procFolder, "sys/net/ipv4/vs"));
  const tuned = Object.keys(sysctls).length > 0;
  // To be asked, the kernel loads the module: whoever only looks asks where it is.
  const there = module.state !== "absent" || tuned;
  return {
    kernel: textOf(join(io.procFolder, "sys/kernel/osrelease"))?.trim(),
    module,
    ipvs: there ? await askIpvs(io) : new IpvsUnavailable(ENOENT),
    connectionEntries: await countConnections(io.connectionsFile),
    sysctls: tuned ? changedSysctls(sysctls) : undefined,
    may: {
      administerNetworks: io.mayAdministerNetworks(),
      readConnections: isReadable(io.connectionsFile),
      openRawSockets: io.mayOpenRawSockets(),
    },
  };
}

async function askIpvs(io: Io): Promise<Answers | Error> {
  const access = new IpvsAccess(io);
  try {
    return await answersOf(await access.openWithoutLoading());
  } catch (error) {
    if (isUnavailable(error) || error instanceof KernelRefusal) return error;
    throw error;
  } finally {
    access.close();
  }
}

async function answersOf(client: IpvsClient): Promise<Answers> {
  return {
    info: client.info,
    timeouts: await client.timeouts(),
    daemons: await client.daemons(),
    totals: totalsOf(await client.table()),
  };
}

/** Reads the file through, however long it is; undefined if it cannot be read. */
async function countConnections(file: string): Promise<number | undefined> {
  if (!isReadable(file)) return undefined;
  let count = -1; // the title
  for await (const lines of linesOf(file)) count += lines.length;
  return Math.max(count, 0);
}
