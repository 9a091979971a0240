import { sameAddress, type Address } from "../../ipvs/address.js";
import type { Io } from "../../runtime/io.js";
import { NetworkClient } from "../../rtnl/client.js";
import { askerOn, isWithin, probeObstacle } from "../../rtnl/address-owners.js";
import { NetworkRefusal } from "../../rtnl/errors.js";
import type { Device, Rule } from "../../rtnl/model.js";
import type { Facts, Gathered } from "../facts.js";
import {
  measureSizes,
  reasonsOf,
  unknownSizes,
  withRoutes,
  type PathSize,
} from "../path-size.js";
import { readSysctls, sysctlsUnseen } from "../read-sysctls.js";
import { exchangeOver } from "../../netlink/exchange.js";
import { fouPorts, type FouPort } from "../../rtnl/fou.js";
import { moduleStates, readModule } from "../../system/kernel-module.js";
import { runProgram } from "../../system/program-output.js";
import { NO_MODULE, readIpvs } from "../director/read-ipvs.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { isSame, stopsOf } from "../firewall/flow.js";
import {
  readLaterRuleset,
  type LaterRuleset,
} from "../firewall/later-ruleset.js";
import { readFirewall, type Firewall } from "../firewall/read-firewall.js";
import {
  doubtfulRules,
  isReported,
  type DoubtfulRule,
} from "./doubtful-rules.js";
import { realServerFlows } from "./flows.js";
import { readHeldListeners } from "./held-listeners.js";
import { readListeners } from "./listeners.js";
import { readNearClients } from "./read-near-clients.js";
import { readUnaccepted } from "./read-unaccepted.js";
import { isTunnel } from "./methods.js";
import {
  askedOn,
  tunnelsUp,
  type Circumstances,
  type RealServer,
  type Station,
  type VirtualService,
  type Ways,
} from "./real-server.js";
import { hopsBack } from "./way-back.js";
import { backTargets } from "./size-targets.js";
import { portsToCompare } from "./tunnel.js";

const NEVER_CHECKED = [
  "the network between the machines, and firewalls there",
  "tc filters and eBPF programs on this machine",
];

/**
 * Reads all that the checks of a real server need. It changes nothing, and sends only questions of ARP and neighbor
 * discovery.
 *
 * @param probe whether to send datagrams to the director and to routers, to see which sizes get there
 */
export async function gatherRealServer(
  io: Io,
  circumstances: Circumstances,
  probe = false,
): Promise<Gathered> {
  const { procFolder } = io;
  const sysctls = readSysctls(procFolder);
  const began = io.clock.now();
  const readRules = () =>
    readFirewall({
      procFolder,
      sysFolder: io.sysFolder,
      modulesFolder: io.modulesFolder,
      run: runProgram,
    });
  const firewall = await readRules();
  const listeners = readListeners(procFolder);
  const unaccepted = await readUnaccepted(procFolder);
  const heldListeners = readHeldListeners(
    procFolder,
    new Set(unaccepted?.map(({ port }) => port)),
  );
  using network = await NetworkClient.open(io);
  const seen: RealServer = {
    ...circumstances,
    devices: await network.devices(),
    addresses: await network.addresses(),
    routes: await network.routes(),
    ways: [],
    fouPorts: mayUseGue(circumstances) ? await readFouPorts(io) : [],
    outer: [],
    toDirector: circumstances.director
      ? await network.routeTo({ to: circumstances.director })
      : undefined,
  };
  const ways: Ways[] = [];
  for (const service of circumstances.services)
    ways.push(await waysOf(network, seen, service));
  const outer = await outerWays(network, seen);
  // The rules matter only if answers have no way.
  const rules = ways.some(({ back }) => typeof back === "string")
    ? await routingRules(network)
    : undefined;
  const [stations, nearClients] = await Promise.all([
    routersOf(network, { ...seen, ways }),
    readNearClients(
      network,
      { ...seen, ways },
      procFolder,
      STATION_MILLISECONDS,
    ),
  ]);
  const realServer = { ...seen, ways, outer, rules, stations, nearClients };
  const sizes = probe
    ? await withRoutes(
        network,
        await measureSizes(await backTargets(network, realServer), io.clock),
      )
    : undefined;
  const reasons = new Map<keyof Facts, string>();
  if (!sysctls) reasons.set("sysctls", sysctlsUnseen(procFolder));
  if (!listeners)
    reasons.set("listeners", `${procFolder}/net/tcp and udp cannot be read`);
  if (!unaccepted)
    reasons.set("unaccepted", `${procFolder}/net/tcp cannot be read`);
  // Only with a client the counters say something about requests that fail.
  const doubts = circumstances.client
    ? doubtfulRules(realServer, firewall)
    : [];
  const firewallLater = await readLaterRuleset(
    io.clock,
    readRules,
    doubts.map(({ stop }) => stop),
    began,
  );
  const own = await readIpvs(
    io,
    readModule("ip_vs", procFolder, io.sysFolder),
    sysctls,
  );
  const unjudged = unjudgedRules(realServer, firewall, firewallLater);
  const notChecked = [
    ...(typeof own === "string" && own !== NO_MODULE
      ? [`an IPVS table of this machine itself: ${own}`]
      : []),
    ...firewall.unread,
    ...unjudged
      .map(
        ({ flow, stop }) =>
          `${describePlace(stop)}, perhaps ${describeAction(stop, flow.text)}`,
      )
      .slice(0, MOST_UNJUDGED),
    ...missingOptions(circumstances),
    ...portsToCompare(seen),
    ...sizesUnseen(realServer, sizes),
    ...NEVER_CHECKED,
  ];
  return {
    facts: {
      sysctls,
      listeners,
      unaccepted,
      heldListeners,
      realServer,
      sizes,
      firewall,
      firewallLater,
      ...(typeof own === "string"
        ? { table: own === NO_MODULE ? [] : undefined }
        : { table: own.table, daemons: own.daemons }),
    },
    reasons,
    notChecked,
    unjudgedRules: new Set(unjudged.map(({ stop }) => describePlace(stop)))
      .size,
  };
}

const STATION_MILLISECONDS = 2500;

/** Asks who the routers of answers are, or a client that is reached directly, if they are not the director by their address. */
async function routersOf(
  network: NetworkClient,
  server: RealServer,
): Promise<Station[]> {
  const { director, client, method } = server;
  if (method === undefined || director === undefined) return [];
  const others = hopsBack(server).flatMap(({ gateway, device }) => {
    const next = gateway ?? (method === "masq" ? client : undefined);
    return device !== undefined &&
      next?.length === director.length &&
      !sameAddress(next, director)
      ? [{ next, device }]
      : [];
  });
  const questions = others.slice(0, MOST_ROUTERS).flatMap(({ next, device }) =>
    (method === "masq" || isNear(server, director, device)
      ? [next, director]
      : [next]
    )
      .filter((address) => mayAsk(server, address, device))
      .map(async (address) => {
        const hardwareAddress = await network.findAddressOwner(
          address,
          device,
          STATION_MILLISECONDS,
        );
        return { address, device, hardwareAddress };
      }),
  );
  try {
    return await Promise.all(questions);
  } catch (error) {
    // An interface that is down has no neighbors, and asking needs CAP_NET_ADMIN.
    if (error instanceof NetworkRefusal) return [];
    throw error;
  }
}

const MOST_ROUTERS = 4;

/**
 * Whether an address can be asked for without harm. The kernel must not ask from a virtual address: neighbors would take
 * this machine for the director. Without a link-local address it asks for no IPv6 neighbor.
 */
export function mayAsk(
  { addresses, services, devices }: RealServer,
  address: Address,
  device: number,
): boolean {
  const found = devices.find(({ index }) => index === device);
  if (found && probeObstacle(address, found, addresses) === "no address")
    return false;
  const asker =
    address.length === 4 ? askerOn(address, device, addresses) : undefined;
  return !services.some(
    (service) => asker && sameAddress(service.address, asker.address),
  );
}

/** Whether an address is in the network of an interface. */
function isNear(
  { addresses }: RealServer,
  address: Address,
  device: number,
): boolean {
  return addresses.some(
    (own) =>
      own.device === device &&
      own.address.length === address.length &&
      isWithin(address, own.peer ?? own.address, own.prefixBits),
  );
}

function mayUseGue({ method }: Circumstances): boolean {
  return method === undefined || method === "gue";
}

/** What is not known of the sizes of answers that get through. */
function sizesUnseen(
  { devices }: RealServer,
  sizes: readonly PathSize[] | undefined,
): string[] {
  if (sizes?.length === 0)
    return [
      "whether the network carries large answers (name the director with --director, and a client behind a router with --client)",
    ];
  if (sizes) return unknownSizes(reasonsOf(sizes));
  const byMtu = new Map<number, string[]>();
  for (const { up, asksNeighbors, mtu, name } of devices)
    if (up && asksNeighbors && mtu > USUAL_MTU)
      byMtu.set(mtu, [...(byMtu.get(mtu) ?? []), name]);
  return Array.from(byMtu, ([mtu, names]) => {
    const more = names.length - MOST_DEVICES;
    const some = names.slice(0, MOST_DEVICES).join(", ");
    return `whether the network carries packets of ${mtu} bytes, the MTU of ${some}${more > 0 ? ` and ${more} more` : ""} (--probe tries it)`;
  });
}

/** The MTU of Ethernet */
const USUAL_MTU = 1500;
/** More interfaces are only counted. */
const MOST_DEVICES = 4;

/** What more options would let doctor check. */
function missingOptions({ method, client, director, server }: Circumstances) {
  return [
    ...(method === undefined
      ? [
          "what only one forwarding method needs, such as a tunnel's interface that is down (name the method with --method)",
        ]
      : []),
    ...(client ? [] : ["the route to clients (name one with --client)"]),
    ...(director ? [] : ["packets of the director (name it with --director)"]),
    ...(method === "masq" && !server
      ? ["listeners and firewall rules for requests (--server ADDRESS:PORT)"]
      : []),
  ];
}

/** Rules that perhaps stop traffic, and have matched packets. */
function unjudgedRules(
  server: RealServer,
  firewall: Firewall,
  later: LaterRuleset | undefined,
): DoubtfulRule[] {
  const reported = doubtfulRules(server, firewall).filter((one) =>
    isReported(one, server, later),
  );
  return realServerFlows(server).flatMap((flow) =>
    stopsOf(flow, firewall)
      .filter(({ certain, does }) => !certain && does !== "redirect")
      .filter(
        (stop) =>
          !reported.some(
            (one) => one.flow.text === flow.text && isSame(one.stop, stop),
          ),
      )
      .map((stop) => ({ flow, stop })),
  );
}

const MOST_UNJUDGED = 5;

/** The routing rules; undefined if the kernel has none (it is built without policy routing). */
async function routingRules(
  network: NetworkClient,
): Promise<Rule[] | undefined> {
  try {
    return await network.rules();
  } catch (error) {
    if (error instanceof NetworkRefusal) return undefined;
    throw error;
  }
}

async function waysOf(
  network: NetworkClient,
  server: RealServer,
  service: VirtualService,
): Promise<Ways> {
  const to = service.address;
  const there = await network.routeTo({ to });
  const { client } = server;
  if (client?.length !== to.length)
    return { service, there, back: undefined, arrivals: [] };
  // A masqueraded server answers from its own address.
  const source = server.method === "masq" ? server.server?.address : to;
  const local = typeof there === "object" && there.type === "local";
  const back =
    local || server.method === "masq"
      ? await network.routeTo({ to: client, from: source })
      : undefined;
  const arrivals = [];
  if (local)
    for (const device of await entrances(network, server, service)) {
      const incoming = device.index;
      const way = await network.routeTo({ to, from: client, incoming });
      arrivals.push({ device, way });
    }
  return { service, there, back, arrivals };
}

/** The ports of FOU and GUE; none without the module fou, because a request would load it. */
export async function readFouPorts(io: Io): Promise<FouPort[]> {
  const { procFolder, sysFolder, modulesFolder } = io;
  const states = moduleStates(["fou"], procFolder, sysFolder, modulesFolder);
  if (states.get("fou") !== "there") return [];
  const link = await io.openLink();
  try {
    return await fouPorts(exchangeOver(link));
  } finally {
    link.close();
  }
}

/** Asks the kernel what it does with packets of the director to this machine's own addresses. */
async function outerWays(
  network: NetworkClient,
  server: RealServer,
): Promise<RealServer["outer"]> {
  const { director, method, devices, addresses, services } = server;
  const mayTunnel =
    isTunnel(method) ||
    services.some(({ address }) => tunnelsUp(server, address).length > 0);
  if (!director || !mayTunnel) return [];
  const outer = [];
  for (const device of devices) {
    const own = addresses.find(
      (one) =>
        one.device === device.index &&
        one.scope === "global" &&
        one.address.length === director.length,
    );
    if (!own || !device.up || !device.asksNeighbors) continue;
    const incoming = device.index;
    const to = own.address;
    const way = await network.routeTo({ to, from: director, incoming });
    outer.push({ device, way });
  }
  return outer;
}

/** The interfaces where requests can come in: the tunnels; without a tunnel the one to the director, or those in the network of the virtual address. */
async function entrances(
  network: NetworkClient,
  server: RealServer,
  { address }: VirtualService,
): Promise<readonly Device[]> {
  if (server.method === "masq") return [];
  const tunnels = tunnelsUp(server, address);
  if (isTunnel(server.method)) return tunnels;
  const { director, devices } = server;
  if (director === undefined) return [...tunnels, ...askedOn(server, address)];
  const way = await network.routeTo({ to: director });
  const hops = typeof way === "object" ? way.hops : [];
  const direct = devices.filter(({ index }) =>
    hops.some((hop) => hop.device === index),
  );
  return [...tunnels, ...direct];
}
