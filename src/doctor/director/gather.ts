import { IpvsAccess, isUnavailable } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import type { Address } from "../../ipvs/address.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import type {
  Daemon,
  Info,
  ServiceWithServers,
  Timeouts,
} from "../../ipvs/model.js";
import { SCHEDULERS } from "../../ipvs/schedulers.js";
import { EACCES, EPERM, errnoText } from "../../netlink/errno.js";
import { NetworkClient } from "../../rtnl/client.js";
import { moduleStates, readModule } from "../../system/kernel-module.js";
import type { Connections } from "../connections.js";
import type { Facts, Gathered } from "../facts.js";
import { readConnections } from "../read-connections.js";
import { askStations, readNetwork } from "../read-network.js";
import { listenToMasters } from "../read-sync.js";
import { readSysctls, sysctlsUnseen } from "../read-sysctls.js";
import { isServing } from "./reach.js";

/** Facts that only IPVS tells */
interface Answers {
  readonly table: ServiceWithServers[];
  readonly info: Info;
  readonly timeouts: Timeouts;
  readonly daemons: readonly Daemon[];
}

/** Facts that are of use with a table only */
const OF_THE_TABLE = [
  "table",
  "info",
  "timeouts",
  "daemons",
  "network",
  "stations",
  "connections",
  "heard",
] as const satisfies readonly (keyof Facts)[];

const NO_MODULE = "IPVS is not in the kernel";
const BARRED = "you may not ask the kernel for the table (run it as root)";

/**
 * Finds out all that the checks of a director want to know. Loads no module and changes no setting.
 *
 * @param choose picks the services that are to be examined
 * @param needs what takes long, such as asking the network, is left out unless it is among these
 */
export async function gatherDirector(
  io: Io,
  choose: (table: ServiceWithServers[]) => ServiceWithServers[],
  needs: ReadonlySet<keyof Facts>,
): Promise<Gathered> {
  const module = readModule("ip_vs", io.procFolder, io.sysFolder);
  const sysctls = readSysctls(io.procFolder);
  const machine: Facts = {
    module,
    matcher: readModule("xt_ipvs", io.procFolder, io.sysFolder),
    available: moduleStates(
      ["ip_vs", ...[...SCHEDULERS.keys()].map((name) => `ip_vs_${name}`)],
      io.procFolder,
      io.sysFolder,
      io.modulesFolder,
    ),
    sysctls,
  };
  const there =
    module.state !== "absent" ||
    [...(sysctls?.keys() ?? [])].some((path) =>
      path.startsWith("net/ipv4/vs/"),
    );
  const unseen = sysctls ? undefined : sysctlsUnseen(io.procFolder);
  const reasons = new Map<keyof Facts, string>();
  if (unseen !== undefined) reasons.set("sysctls", unseen);
  // To be asked, the kernel loads the module: whoever only looks asks where it is.
  const answers = there ? await askIpvs(io) : (unseen ?? NO_MODULE);
  if (typeof answers === "string")
    return {
      facts: machine,
      reasons: new Map([
        ...reasons,
        ...OF_THE_TABLE.map((name) => [name, answers] as const),
      ]),
    };
  const table = choose(answers.table);
  const connections = needs.has("connections")
    ? await connectionsIn(io.connectionsFile)
    : undefined;
  const around = needs.has("network")
    ? await lookAround(io, table, needs.has("stations"))
    : {};
  const heard =
    needs.has("heard") && around.network
      ? await listenToMasters(answers.daemons, around.network)
      : undefined;
  const facts: Facts = {
    ...machine,
    ...answers,
    table,
    ...around,
    heard,
    connections: typeof connections === "string" ? undefined : connections,
  };
  if (typeof connections === "string") reasons.set("connections", connections);
  return { facts, reasons };
}

/** What IPVS says, or why it says nothing. */
async function askIpvs(io: Io): Promise<Answers | string> {
  using access = new IpvsAccess(io);
  try {
    const client = await access.openWithoutLoading();
    return {
      table: await client.table(),
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

/** The network around, as far as it has to do with a table. */
async function lookAround(
  io: Io,
  table: readonly ServiceWithServers[],
  ask: boolean,
): Promise<Pick<Facts, "network" | "stations">> {
  const virtual = distinct(
    table.flatMap(({ key }) => ("firewallMark" in key ? [] : [key.address])),
  );
  const servers = table.flatMap((service) => service.servers);
  const addresses = [...virtual, ...servers.map(({ key }) => key.address)];
  using client = await NetworkClient.open(io);
  const network = await readNetwork(client, distinct(addresses));
  if (!ask) return { network };
  const serving = servers.filter(isServing).map(({ key }) => key.address);
  const stations = await askStations(
    client,
    network,
    virtual,
    distinct(serving),
  );
  return { network, stations };
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((one) => [one.join(), one])).values()];
}

/** The connections, or why they cannot be seen. */
async function connectionsIn(file: string): Promise<Connections | string> {
  try {
    return await readConnections(file);
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== "open" || errno === undefined) throw error;
    return `${file} cannot be read (${errnoText(Math.abs(errno))})`;
  }
}
