import { IpvsAccess, isUnavailable } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type {
  Daemon,
  Info,
  ServiceWithServers,
  Timeouts,
} from "../../ipvs/model.js";
import { EACCES, EPERM } from "../../netlink/errno.js";
import type { Module } from "../../system/kernel-module.js";
import { sortTable } from "../finding-order.js";
import type { Sysctls } from "../sysctls.js";

/** Facts that only IPVS knows */
export interface Answers {
  readonly table: ServiceWithServers[];
  readonly info: Info;
  readonly timeouts: Timeouts;
  readonly daemons: readonly Daemon[];
}

export const NO_MODULE = "IPVS is not in the kernel";
const BARRED = "you may not ask the kernel for the table (run it as root)";

/** Reads the table again. @throws {IpvsUnavailable, KernelRefusal} if IPVS is gone */
export async function readTable(io: Io): Promise<ServiceWithServers[]> {
  using access = new IpvsAccess(io);
  const client = await access.openWithoutLoading();
  return await client.table();
}

/** The facts that IPVS of this machine knows, or why they cannot be read. @param unseen why sysctls cannot be read */
export async function readIpvs(
  io: Io,
  module: Module,
  sysctls: Sysctls | undefined,
  unseen?: string,
): Promise<Answers | string> {
  const there =
    module.state !== "absent" ||
    [...(sysctls?.keys() ?? [])].some((path) =>
      path.startsWith("net/ipv4/vs/"),
    );
  // A request would load the module, so ask only if it is there.
  return there ? await askIpvs(io) : (unseen ?? NO_MODULE);
}

async function askIpvs(io: Io): Promise<Answers | string> {
  using access = new IpvsAccess(io);
  try {
    const client = await access.openWithoutLoading();
    return {
      table: sortTable(await client.table()),
      info: client.info,
      timeouts: await client.timeouts(),
      daemons: await client.daemons(),
    };
  } catch (error) {
    if (!isUnavailable(error) && !(error instanceof KernelRefusal)) throw error;
    const barred = error.errno === EPERM || error.errno === EACCES;
    if (barred) return BARRED;
    if (error instanceof IpvsUnavailable) return NO_MODULE;
    throw error;
  }
}
