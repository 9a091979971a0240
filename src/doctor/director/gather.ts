import { IpvsAccess, isUnavailable } from "../../runtime/ipvs-access.js";
import type { Io } from "../../runtime/io.js";
import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { IpvsUnavailable, KernelRefusal } from "../../ipvs/errors.js";
import {
  MASQUERADING,
  type Daemon,
  type Info,
  type ServiceWithServers,
  type Timeouts,
} from "../../ipvs/model.js";
import { SCHEDULERS } from "../../ipvs/schedulers.js";
import { EACCES, EPERM, errnoText } from "../../netlink/errno.js";
import { NetworkClient } from "../../rtnl/client.js";
import {
  moduleStates,
  readModule,
  type Module,
} from "../../system/kernel-module.js";
import { textOf } from "../../system/files.js";
import { runProgram } from "../../system/program-output.js";
import type { Connections } from "../connections.js";
import { readConnectionLimits } from "../connection-limits.js";
import type { Facts, Gathered } from "../facts.js";
import { sortTable } from "../finding-order.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { readFirewall, type Firewall } from "../firewall/read-firewall.js";
import { ANYWHERE, isLocal, nextHopTo, type Network } from "../network.js";
import { persistenceGroups } from "../persistence-groups.js";
import { readConnections } from "../read-connections.js";
import { readCounters } from "../read-counters.js";
import { readGroupClients } from "../read-group-clients.js";
import { askStations, readNetwork } from "../read-network.js";
import { readSentErrors } from "../read-sent-errors.js";
import { readListeners } from "../real-server/listeners.js";
import { listenToMasters } from "../read-sync.js";
import {
  readFixedSysctls,
  readSysctls,
  sysctlsUnseen,
} from "../read-sysctls.js";
import { withFailedAnswers } from "./ways/answer-routes.js";
import { blockagesOf, describeBlockage } from "./firewall/blockages.js";
import type { Sysctls } from "../sysctls.js";
import { SAVED_RULES } from "./table/empty.js";
import { isDrainedInUse } from "./servers/drained-in-use.js";
import { unseenLargeAnswers } from "./firewall/large-answers.js";
import { markedAddresses } from "./marks/marks.js";
import { withMarkedWays } from "./marks/marked-ways.js";
import { probeServers, skippedTexts } from "./servers/probe.js";
import { isServing } from "./reach/reach.js";
import { sourcesOfRules } from "./nat/snat-address.js";
import { withStrayRoutes } from "./ways/stray-routes.js";
import { syncBlockages, type SyncBlockage } from "./sync/firewall.js";
import { largePackets } from "./firewall/too-big-messages.js";
import { unheardSync } from "./sync/unheard.js";

/** Facts that only IPVS knows */
interface Answers {
  readonly table: ServiceWithServers[];
  readonly info: Info;
  readonly timeouts: Timeouts;
  readonly daemons: readonly Daemon[];
}

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
] as const satisfies readonly (keyof Facts)[];

/** How long doctor listens for sync messages. A busy master sends several times a second. */
const LISTENING_SECONDS = { usual: 1.5, probe: 15 } as const;

export const NO_MODULE = "IPVS is not in the kernel";
const BARRED = "you may not ask the kernel for the table (run it as root)";

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

const NEVER_CHECKED = [
  "the real servers' own settings and firewalls (run ipvsadm doctor --real-server there)",
  "the network between the machines, and firewalls there",
  "tc filters and eBPF programs on this machine",
];

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
      ["ip_vs", ...[...SCHEDULERS.keys()].map((name) => `ip_vs_${name}`)],
      io.procFolder,
      io.sysFolder,
      io.modulesFolder,
    ),
    sysctls,
    fixedSysctls: readFixedSysctls(io.procFolder),
    sentErrors: readSentErrors(io.procFolder),
    counters: readCounters(io.procFolder),
  };
  const unseen = sysctls ? undefined : sysctlsUnseen(io.procFolder);
  const reasons = new Map<keyof Facts, string>();
  if (unseen !== undefined) reasons.set("sysctls", unseen);
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
  const firewall = needs.has("firewall")
    ? await readFirewall({ ...foldersOf(io), run: runProgram })
    : undefined;
  const keys = table.map(({ key }) => key);
  const around = needs.has("network")
    ? await lookAround(
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
      )
    : {};
  const [{ probes, skipped }, heard] = await Promise.all([
    probe
      ? probeServers(
          table,
          sysctls,
          around.network && {
            allServices: answers.table,
            network: around.network,
            firewall,
          },
        )
      : { probes: [], skipped: [] },
    needs.has("heard") && around.network
      ? listenToMasters(
          answers.daemons,
          around.network,
          seconds ?? LISTENING_SECONDS[probe ? "probe" : "usual"],
        )
      : undefined,
  ]);
  const facts: Facts = {
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
    connections: typeof connections === "string" ? undefined : connections,
    groupClients: typeof groupClients === "string" ? undefined : groupClients,
  };
  if (!facts.listeners)
    reasons.set("listeners", `${io.procFolder}/net/tcp and udp cannot be read`);
  if (typeof connections === "string") reasons.set("connections", connections);
  if (typeof groupClients === "string")
    reasons.set("groupClients", groupClients);
  const notChecked = [
    ...(firewall?.unread ?? []),
    ...(firewall ? unjudgedRules(facts) : []),
    ...(heard ? unheardSync(answers.daemons, heard, facts.connections) : []),
    ...(heard && firewall && around.network
      ? perhapsBlocked(
          syncBlockages(answers.daemons, heard, around.network, firewall),
        )
      : []),
    ...(firewall ? largePackets(facts) : []),
    ...(firewall ? unseenLargeAnswers(facts) : []),
    ...(probe
      ? [...skippedTexts(skipped), ...unprobed(table)]
      : [
          "whether real servers accept connections and datagrams (--probe tries them)",
        ]),
    ...(client
      ? []
      : ["whether requests reach this machine (--client follows a client)"]),
    ...NEVER_CHECKED,
  ];
  return { facts, reasons, notChecked };
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

/** Rules that perhaps stop sync messages. */
function perhapsBlocked(blockages: readonly SyncBlockage[]): string[] {
  const found = blockages
    .filter(({ stop }) => !stop.certain)
    .map(
      ({ flow, stop }) =>
        `${describePlace(stop)}, perhaps ${describeAction(stop, flow.text)}`,
    );
  return [...new Set(found)].slice(0, MOST_UNJUDGED);
}

/** What a probe of a server's own address does not try. */
function unprobed(table: readonly ServiceWithServers[]): string[] {
  const indirect = table.some(({ servers }) =>
    servers.some(
      (server) =>
        isServing(server) && server.settings.forwarding !== MASQUERADING,
    ),
  );
  return indirect
    ? [
        "requests to the virtual address on servers with direct routing or tunneling (a probe connects to the server's own address)",
      ]
    : [];
}

function foldersOf({ procFolder, sysFolder, modulesFolder }: Io) {
  return { procFolder, sysFolder, modulesFolder };
}

/** More of them would hide the rest. */
const MOST_UNJUDGED = 5;

/** Rules that perhaps stop traffic, and have matched packets. */
function unjudgedRules({
  table,
  allServices,
  network,
  connections,
  sysctls,
  firewall,
}: Facts): string[] {
  if (!table || !allServices || !network || !connections) return [];
  if (!sysctls || !firewall) return [];
  const facts = { network, connections, sysctls, allServices };
  const found = new Set(
    table
      .flatMap((service) => blockagesOf(service, facts, firewall))
      .filter(({ stop }) => !stop.certain)
      .map(
        ({ flow, stop }) =>
          `${describePlace(stop)}, perhaps ${describeBlockage([{ flow, stop }])}`,
      ),
  );
  const all = [...found];
  return all.length <= MOST_UNJUDGED
    ? all
    : [
        ...all.slice(0, MOST_UNJUDGED),
        `${all.length - MOST_UNJUDGED} more rules that perhaps stop traffic`,
      ];
}

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

/** The part of the network that matters for a table, and for other addresses. */
async function lookAround(
  io: Io,
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
  others: readonly Address[],
  ask: boolean,
  firewall: Firewall | undefined,
): Promise<Pick<Facts, "network" | "stations">> {
  const virtual = distinct(
    table.flatMap(({ key }) => ("firewallMark" in key ? [] : [key.address])),
  );
  const servers = table.flatMap((service) => service.servers);
  const addresses = [
    ...virtual,
    ...servers.map(({ key }) => key.address),
    ...Object.values(ANYWHERE),
    ...someClients(table, connections),
    ...others,
  ];
  using client = await NetworkClient.open(io);
  const general = await readNetwork(client, distinct(addresses));
  const marked = firewall
    ? await withMarkedWays(client, general, firewall, table)
    : general;
  const answered = connections
    ? await withFailedAnswers(client, marked, table, connections)
    : marked;
  const network = await withStrayRoutes(
    client,
    answered,
    servers.map(({ key }) => key.address),
    someClients(table, connections),
  );
  if (!ask) return { network };
  const serving = table
    .flatMap((service) =>
      service.servers.filter(
        (server) => isServing(server) || isDrainedInUse(service, server),
      ),
    )
    .map(({ key }) => key.address);
  const waitingClients = openingClientsOf(table, connections);
  const stations = await askStations(
    client,
    network,
    virtual,
    distinct([...serving, ...routedClients(network, waitingClients)]),
  );
  return { network, stations };
}

/** The clients that wait for masqueraded servers, whose answers this machine sends on. */
function openingClientsOf(
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
): Address[] {
  if (!connections) return [];
  const servers = table
    .flatMap((service) => service.servers)
    .filter(({ settings }) => settings.forwarding === MASQUERADING);
  return distinct(
    servers.flatMap(({ key }) =>
      (connections.byServer.get(formatAddress(key.address)) ?? []).flatMap(
        ({ openingClients }) => openingClients,
      ),
    ),
  ).slice(0, MOST_CLIENTS);
}

/** Those that are behind a router. A client itself need not be there any more. */
function routedClients(
  network: Network,
  clients: readonly Address[],
): Address[] {
  return clients.filter((client) => {
    const hop = nextHopTo(network, client);
    return hop !== undefined && !sameAddress(hop.address, client);
  });
}

/** The routes to more clients are not asked for. */
const MOST_CLIENTS = 500;

/** Some clients of each real server. */
function someClients(
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
): Address[] {
  if (!connections) return [];
  const servers = table.flatMap((service) => service.servers);
  const clients = servers.flatMap(({ key }) =>
    (connections.byServer.get(formatAddress(key.address)) ?? []).flatMap(
      (group) => [...group.openingClients, ...group.clients],
    ),
  );
  return distinct(clients).slice(0, MOST_CLIENTS);
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((one) => [one.join(), one])).values()];
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
