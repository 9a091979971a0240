import type { Io } from "../../runtime/io.js";
import type { Address } from "../../ipvs/address.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import { SCHEDULERS } from "../../ipvs/schedulers.js";
import { NetworkClient } from "../../rtnl/client.js";
import { errnoText } from "../../netlink/errno.js";
import { moduleStates, readModule } from "../../system/kernel-module.js";
import { textOf } from "../../system/files.js";
import { runProgram } from "../../system/program-output.js";
import { readConnectionLimits } from "../connection-limits.js";
import type { Facts, Gathered } from "../facts.js";
import { readFirewall } from "../firewall/read-firewall.js";
import { readLaterRuleset } from "../firewall/later-ruleset.js";
import { isLocal, type Network } from "../network.js";
import { measureSizes, withRoutes, type PathSize } from "../path-size.js";
import { persistenceGroups } from "../persistence-groups.js";
import { readConnections } from "../read-connections.js";
import { readCounters } from "../read-counters.js";
import { readFtpHelper } from "../read-ftp-helper.js";
import { readGroupClients } from "../read-group-clients.js";
import { readSentErrors } from "../read-sent-errors.js";
import { readListeners } from "../real-server/listeners.js";
import { readListeningPrograms } from "../real-server/listening-programs.js";
import { listenToMasters } from "../read-sync.js";
import {
  readFixedSysctls,
  readSysctls,
  sysctlsUnseen,
} from "../read-sysctls.js";
import { readLaterCounters } from "./read-later-counters.js";
import { gatherNetwork } from "./gather-network.js";
import { limitsIn } from "./firewall/source-limits.js";
import { markedAddresses } from "./marks/marks.js";
import type { AddressFacts } from "./nat/director-address.js";
import { sourcesOfRules } from "./nat/snat-address.js";
import { countUnjudged, NEVER_CHECKED, notChecked } from "./not-checked.js";
import { readIpvs } from "./read-ipvs.js";
import { probeServers } from "./servers/probe.js";
import { sizeTargets } from "./servers/size-targets.js";
import { SAVED_RULES } from "./table/empty.js";
import { unheardPorts } from "./table/unheard-server.js";

/** Facts that need a table */
const OF_THE_TABLE = [
  "table",
  "allServices",
  "info",
  "timeouts",
  "daemons",
  "network",
  "stations",
  "connections",
  "groupClients",
  "heard",
  "firewall",
  "limits",
  "listeners",
  "probes",
  "sizes",
] as const satisfies readonly (keyof Facts)[];

/** How long doctor listens for sync messages. A busy master sends several times a second. */
const LISTENING_SECONDS = { usual: 1.5, probe: 15 } as const;

/** How to examine a director. */
export interface DirectorOptions {
  /** Picks the services to examine */
  readonly choose: (table: ServiceWithServers[]) => ServiceWithServers[];
  /** What takes long, such as asking the network, is done only for these */
  readonly needs: ReadonlySet<keyof Facts>;
  /** Whether to connect to the real servers */
  readonly probe: boolean;
  /** How long to listen for sync messages; by default longer with `probe` */
  readonly seconds?: number | undefined;
  /** A client that is followed */
  readonly client?: Address | undefined;
}

/** Reads all that the checks of a director need. It loads no module and changes no setting. */
export async function gatherDirector(
  io: Io,
  { choose, needs, probe, seconds, client }: DirectorOptions,
): Promise<Gathered> {
  const module = readModule("ip_vs", io.procFolder, io.sysFolder);
  const sysctls = readSysctls(io.procFolder);
  const machine: Facts = {
    module,
    matcher: readModule("xt_ipvs", io.procFolder, io.sysFolder),
    available: moduleStates(
      [
        "ip_vs",
        "ip_vs_ftp",
        ...[...SCHEDULERS.keys()].map((name) => `ip_vs_${name}`),
      ],
      io.procFolder,
      io.sysFolder,
      io.modulesFolder,
    ),
    ftpHelper: readFtpHelper(io.procFolder, io.sysFolder),
    sysctls,
    fixedSysctls: readFixedSysctls(io.procFolder),
    sentErrors: readSentErrors(io.procFolder),
    counters: readCounters(io.procFolder),
  };
  const unseen = sysctls ? undefined : sysctlsUnseen(io.procFolder);
  const reasons = new Map<keyof Facts, string>();
  if (unseen !== undefined) reasons.set("sysctls", unseen);
  if (!machine.ftpHelper)
    reasons.set("ftpHelper", `${io.procFolder}/net/ip_vs_app cannot be read`);
  const began = io.clock.now();
  const answers = await readIpvs(io, module, sysctls, unseen);
  if (typeof answers === "string")
    return {
      facts: machine,
      reasons: new Map([
        ...reasons,
        ...OF_THE_TABLE.map((name) => [name, answers] as const),
      ]),
      notChecked: NEVER_CHECKED,
    };
  const table = choose(answers.table);
  const connections = needs.has("connections")
    ? await readTableFile(io.connectionsFile, readConnections)
    : undefined;
  const groupClients = needs.has("groupClients")
    ? await readTableFile(io.connectionsFile, (file) =>
        readGroupClients(file, persistenceGroups(table)),
      )
    : undefined;
  const readRules = () => readFirewall({ ...foldersOf(io), run: runProgram });
  const rulesBegan = io.clock.now();
  const firewall = needs.has("firewall") ? await readRules() : undefined;
  const keys = table.map(({ key }) => key);
  const around = needs.has("network")
    ? await gatherNetwork(
        io,
        table,
        typeof connections === "string" ? undefined : connections,
        [
          ...(firewall ? markedAddresses(firewall, keys) : []),
          ...(firewall ? sourcesOfRules(firewall) : []),
          ...(client ? [client] : []),
        ],
        needs.has("stations"),
        firewall,
        client,
      )
    : {};
  const places = around.network && {
    allServices: answers.table,
    network: around.network,
    firewall,
  };
  const [[{ probes, skipped }, sizes], heard] = await Promise.all([
    // One after the other: servers answer only some datagrams of a machine a second.
    (async () => [
      probe
        ? await probeServers(table, sysctls, places)
        : { probes: [], skipped: [] },
      probe && places && needs.has("sizes")
        ? await gatherSizes(io, table, places)
        : undefined,
    ])(),
    needs.has("heard") && around.network
      ? listenToMasters(
          answers.daemons,
          around.network,
          seconds ?? LISTENING_SECONDS[probe ? "probe" : "usual"],
        )
      : undefined,
  ]);
  const facts = {
    ...machine,
    ...answers,
    hasSavedRules:
      table.length === 0 ? textOf(SAVED_RULES) !== undefined : undefined,
    table,
    allServices: answers.table,
    ...around,
    heard,
    firewall,
    limits: readConnectionLimits(io.procFolder),
    listeners: needs.has("listeners")
      ? listenersFor(table, around.network, io.procFolder)
      : undefined,
    probes,
    sizes,
    connections: typeof connections === "string" ? undefined : connections,
    groupClients: typeof groupClients === "string" ? undefined : groupClients,
  } satisfies Facts;
  const programs =
    facts.network && facts.listeners
      ? readListeningPrograms(
          io.procFolder,
          unheardPorts({
            table,
            network: facts.network,
            listeners: facts.listeners,
          }),
        )
      : undefined;
  const { connections: read } = facts;
  // A client that is followed has counters of its own.
  const later =
    read && !client
      ? await readLaterCounters(io, { ...facts, connections: read }, began)
      : undefined;
  if (!facts.listeners)
    reasons.set("listeners", `${io.procFolder}/net/tcp and udp cannot be read`);
  if (typeof connections === "string") reasons.set("connections", connections);
  if (typeof groupClients === "string")
    reasons.set("groupClients", groupClients);
  const firewallLater = await readLaterRuleset(
    io.clock,
    readRules,
    client ? [] : limitsIn(facts).map(({ stop }) => stop),
    rulesBegan,
  );
  return {
    facts: { ...facts, later, firewallLater, programs },
    reasons,
    unjudgedRules: countUnjudged({ ...facts, firewallLater }),
    notChecked: notChecked(
      { ...facts, firewallLater },
      { probe, skipped, client },
    ),
  };
}

/** Which packets get to the real servers. */
async function gatherSizes(
  io: Io,
  table: readonly ServiceWithServers[],
  around: AddressFacts,
): Promise<PathSize[]> {
  const sizes = await measureSizes(sizeTargets(table, around), io.clock);
  using client = await NetworkClient.open(io);
  return await withRoutes(client, sizes);
}

/** The listening sockets, if a real server is this machine itself: their files are long on a machine with many connections. */
function listenersFor(
  table: readonly ServiceWithServers[],
  network: Network | undefined,
  procFolder: string,
): Facts["listeners"] {
  const isHere = table.some(({ servers }) =>
    servers.some(
      ({ key }) => network !== undefined && isLocal(network, key.address),
    ),
  );
  return isHere ? readListeners(procFolder) : [];
}

function foldersOf({ procFolder, sysFolder, modulesFolder }: Io) {
  return { procFolder, sysFolder, modulesFolder };
}

/** What is read of the connection table, or why it cannot be read. */
async function readTableFile<T>(
  file: string,
  read: (file: string) => Promise<T>,
): Promise<T | string> {
  try {
    return await read(file);
  } catch (error) {
    const { errno, syscall } = error as NodeJS.ErrnoException;
    if (syscall !== "open" || errno === undefined) throw error;
    return `${file} cannot be read (${errnoText(Math.abs(errno))})`;
  }
}
