import { IpvsAccess, isUnavailable } from "../../access.js";
import type { Io } from "../../io.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import { EACCES, EPERM } from "../../netlink/errno.js";
import { readModule } from "../../system/module.js";
import type { Facts, Gathered } from "../facts.js";
import { readSysctls } from "../read-sysctls.js";

/** Facts that only IPVS tells */
type Answers = Required<Pick<Facts, "table" | "info" | "daemons">>;

const NO_MODULE = "IPVS is not in the kernel";
const BARRED = "you may not ask IPVS for them: run it as root";

/**
 * Finds out all that the checks of a director want to know. Loads no module and changes no setting.
 *
 * @param choose picks the services that are to be examined
 */
export async function gatherDirector(
  io: Io,
  choose: (table: ServiceWithServers[]) => ServiceWithServers[],
): Promise<Gathered> {
  const module = readModule("ip_vs", io.procFolder, io.sysFolder);
  const sysctls = readSysctls(io.procFolder);
  const reasons = new Map<keyof Facts, string>();
  const there =
    module.state !== "absent" ||
    [...sysctls.keys()].some((path) => path.startsWith("net/ipv4/vs/"));
  // To be asked, the kernel loads the module: whoever only looks asks where it is.
  const answers = there ? await askIpvs(io) : NO_MODULE;
  if (typeof answers === "string") {
    for (const name of ["table", "info", "daemons"] as const)
      reasons.set(name, answers);
    return { facts: { module, sysctls }, reasons };
  }
  const table = choose([...(answers.table ?? [])]);
  return { facts: { module, sysctls, ...answers, table }, reasons };
}

/** What IPVS says, or why it says nothing. */
async function askIpvs(io: Io): Promise<Answers | string> {
  using access = new IpvsAccess(io);
  try {
    const client = await access.openAsItIs();
    return {
      table: await client.table(),
      info: client.info,
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
