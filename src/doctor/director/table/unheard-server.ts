import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  TCP,
  TRANSPORTS,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import {
  changeCommand,
  editServer,
  ofServer,
  serviceName,
} from "../../commands.js";
import type { Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import type { Finding, Passage } from "../../finding.js";
import { deviceOf, isLocal } from "../../network.js";
import { isMain, ownAt } from "../../own-addresses.js";
import { hears, isLoopback } from "../../real-server/listening.js";
import type { Listener } from "../../real-server/listeners.js";
import { shellWord } from "../../shell.js";
import { refusesClients } from "../reach/take-out.js";

type ListenerFacts = Known<"table" | "network" | "listeners"> & Facts;

/** Where the requests of a local server arrive, and which programs listen at that port elsewhere. */
interface Unheard {
  readonly protocol: typeof TCP | typeof UDP;
  readonly address: Address;
  readonly port: number;
  readonly near: readonly Listener[];
}

/** Undefined if the server is another machine, or if a program gets its requests. */
function unheardAt(
  service: ServiceWithServers,
  { key, settings }: ServerEntry,
  { network, listeners }: Known<"network" | "listeners">,
): Unheard | undefined {
  const masqueraded = settings.forwarding === MASQUERADING;
  if ("firewallMark" in service.key || isLocal(network, key.address) !== true)
    return undefined;
  const { protocol } = service.key;
  if (protocol !== TCP && protocol !== UDP) return undefined;
  const { address, port } = masqueraded ? key : service.key;
  if (port === 0) return undefined;
  // Without the virtual address, no requests come: another director has it.
  if (!masqueraded && isLocal(network, address) !== true) return undefined;
  const near = listeners.filter(
    (one) => one.protocol === protocol && one.port === port,
  );
  return near.some((one) => hears(one, { address }))
    ? undefined
    : { protocol, address, port, near };
}

/** The TCP ports at which programs listen, but not where the requests of a local server arrive. */
export function unheardPorts(facts: ListenerFacts): Set<number> {
  return new Set(
    facts.table.flatMap((service) =>
      service.servers
        .filter(({ settings }) => settings.weight > 0)
        .flatMap((server) => {
          const unheard = unheardAt(service, server, facts);
          return unheard?.protocol === TCP && unheard.near.length > 0
            ? [unheard.port]
            : [];
        }),
    ),
  );
}

/** A server that is this machine itself, and no program gets its requests. */
export function unheard(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: ListenerFacts,
): Finding<"local-server-unheard">[] {
  const found = unheardAt(service, server, facts);
  if (!found) return [];
  const { protocol, address, port, near } = found;
  const at = [...new Set(near.map((one) => formatAddress(one.address)))];
  return [
    {
      id: "local-server-unheard",
      ...ofServer(service, server),
      seen: `it is this machine itself, and no program listens at ${TRANSPORTS[protocol]}/${formatEndpoint(address, port)}${at.length > 0 ? `; programs listen at this port only at ${at.join(", ")}` : ""}`,
      evidence: [],
      procedure: [
        ...listen(server, found, facts),
        ...untilThen(service, server),
        ...otherMachine(server, found, facts),
      ],
      fix: [],
    },
  ];
}

/** How a program gets the requests. */
function listen(
  { settings }: ServerEntry,
  { address, port, near }: Unheard,
  { programs = [] }: Facts,
): Passage[] {
  const text = formatAddress(address);
  const any = address.length === 4 ? "0.0.0.0" : "::";
  if (near.length === 0)
    return [
      `Start the program on this machine, and let it listen at ${any} or at ${text}, port ${port}.`,
    ];
  const names = programs
    .filter((one) => one.port === port)
    .map(({ name, pid }) => `${name} (PID ${pid})`);
  const who = names.length === 0 ? "the program" : names.join(" or ");
  const why =
    settings.forwarding === MASQUERADING
      ? "requests arrive there"
      : "a local packet keeps the virtual address as its destination";
  return [
    `Let ${who} listen at ${any}, or also at ${text}, because ${why}. Change that in the program's configuration and start it again.`,
  ];
}

/** Keeps clients away from the server, if others serve them. */
function untilThen(
  service: ServiceWithServers,
  server: ServerEntry,
): Passage[] {
  const others = service.servers.some(
    (one) => one !== server && one.settings.weight > 0,
  );
  return others && !refusesClients(service)
    ? [
        "Until then give the server weight 0:",
        { commands: [editServer(service, server, { weight: 0 }).command] },
      ]
    : [];
}

/** If the server is meant to be another machine, this one must not have its address. */
function otherMachine(
  { key }: ServerEntry,
  { near }: Unheard,
  { network, allServices, table }: ListenerFacts,
): Passage[] {
  const own = ownAt(network, key.address);
  const device = deviceOf(network, own?.device);
  if (!own || !device || isLoopback(key.address) || isMain(network, own))
    return [];
  // The program there is the server.
  if (near.some(({ address }) => sameAddress(address, key.address))) return [];
  const virtual = (allServices ?? table).filter(
    (one) =>
      !("firewallMark" in one.key) && sameAddress(one.key.address, key.address),
  );
  const remove = `ip address del ${formatAddress(key.address)}/${own.prefixBits} dev ${shellWord(device.name)}`;
  const takeOff = virtual.map((one) =>
    changeCommand({ command: "delete-service", service: one.key }),
  );
  return [
    virtual.length === 0
      ? `If the server is meant to be another machine, remove its address from ${device.name} here:`
      : `If the server is meant to be another machine, its address cannot be the virtual address of ${virtual.map(serviceName).join(" and ")}. Move that to another address, or take it off, and remove the address here:`,
    { commands: [...takeOff, remove] },
  ];
}
