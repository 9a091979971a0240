import {
  COMMANDS,
  MESSAGE,
  type DAEMON,
  type DESTINATION,
  type SERVICE,
} from "../../src/ipvs/layouts.js";
import { INET, type Family } from "../../src/ipvs/address.js";
import { readServiceSummary, writeServiceKey } from "../../src/ipvs/codec.js";
import type { Change } from "../../src/ipvs/change.js";
import {
  formatService,
  type Daemon,
  type Protocol,
  type ServerKey,
  type ServerSettings,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { decode, encode, type Fields } from "../../src/netlink/attributes.js";
import { ESRCH } from "../../src/netlink/errno.js";
import { spanOf } from "../../src/netlink/link.js";
import { Writer } from "../../src/netlink/writer.js";
import type { Answer, Handler } from "../classic/scripted-kernel.js";
import { hex } from "../fixtures/hex.js";
import { answersFrom } from "../fixtures/table-kernel.js";
import type { ModelKernel } from "../plan/model-kernel.js";

/** A change that the kernel refuses: its number, from 0, and the errno. */
export interface ChangeRefusal {
  readonly at: number;
  readonly errno: number;
}

/** The encoded table of a kernel, until it changes. */
const encoded = new WeakMap<ModelKernel, Handler>();

function tableOf(kernel: ModelKernel): Handler {
  const found = encoded.get(kernel);
  if (found) return found;
  const made = answersFrom(kernel.current.services);
  encoded.set(kernel, made);
  return made;
}

/** Makes a change in a model kernel. @returns the errno of a refusal */
export function changeKernel(
  kernel: ModelKernel,
  change: Change,
): number | undefined {
  encoded.delete(kernel);
  return kernel.apply(change);
}

/** The netlink side of a model kernel: it decodes requests, changes the model, and encodes replies from it. */
export function answersOf(
  kernel: ModelKernel,
  refusal?: ChangeRefusal,
): Handler {
  let changes = 0;
  return (command, attributes) => {
    switch (command) {
      case COMMANDS.getService:
        return attributes === ""
          ? tableOf(kernel)(command, attributes)
          : oneService(kernel, attributes);
      case COMMANDS.getDestination:
        return tableOf(kernel)(command, attributes);
      case COMMANDS.getConfig:
        return {
          messages: [reply(COMMANDS.setConfig, kernel.current.timeouts)],
        };
      case COMMANDS.getDaemon:
        return {
          messages: kernel.current.daemons.map((daemon) =>
            reply(COMMANDS.newDaemon, { daemon: daemonFields(daemon) }),
          ),
        };
    }
    const change = changeOf(command, attributes);
    if (changes++ === refusal?.at) return { errno: refusal.errno };
    const errno = changeKernel(kernel, change);
    return errno === undefined ? {} : { errno };
  };
}

function oneService(kernel: ModelKernel, attributes: string): Answer {
  const found = kernel.current.services.filter(
    ({ key }) => hexKey(key) === attributes,
  );
  return found.length === 0
    ? { errno: ESRCH }
    : answersFrom(found)(COMMANDS.getService, "");
}

function hexKey(key: ServiceKey): string {
  const out = new Writer();
  writeServiceKey(out, key);
  return Buffer.from(out.written).toString("hex");
}

function reply(command: number, fields: Fields<typeof MESSAGE>): Uint8Array {
  const out = new Writer();
  encode(MESSAGE, out, fields);
  return Uint8Array.of(command, 1, 0, 0, ...out.written);
}

function daemonFields({
  multicastGroup,
  ...rest
}: Daemon): Fields<typeof DAEMON> {
  return {
    ...rest,
    ...(multicastGroup && {
      [multicastGroup.length === 4 ? "multicastGroup" : "multicastGroup6"]:
        multicastGroup,
    }),
  };
}

/** Decodes a request that changes the table. */
function changeOf(command: number, attributes: string): Change {
  const span = spanOf(hex(attributes));
  const { service, destination, daemon, ...timeouts } = decode(MESSAGE, span);
  switch (command) {
    case COMMANDS.newService:
    case COMMANDS.setService: {
      const { key, settings } = readServiceSummary(span);
      return {
        command:
          command === COMMANDS.newService ? "add-service" : "edit-service",
        service: key,
        settings: structuredClone(settings),
      };
    }
    case COMMANDS.deleteService:
      return { command: "delete-service", service: serviceKey(service) };
    case COMMANDS.newDestination:
    case COMMANDS.setDestination:
      return {
        command:
          command === COMMANDS.newDestination ? "add-server" : "edit-server",
        service: serviceKey(service),
        server: serverKey(destination),
        settings: serverSettings(destination),
      };
    case COMMANDS.deleteDestination:
      return {
        command: "delete-server",
        service: serviceKey(service),
        server: serverKey(destination),
      };
    case COMMANDS.flush:
      return { command: "flush" };
    case COMMANDS.zero:
      return { command: "zero" };
    case COMMANDS.setConfig: {
      const { tcpSeconds = 0, tcpFinSeconds = 0, udpSeconds = 0 } = timeouts;
      return {
        command: "set",
        timeouts: { tcpSeconds, tcpFinSeconds, udpSeconds },
      };
    }
    case COMMANDS.newDaemon:
    case COMMANDS.deleteDaemon:
      return {
        command:
          command === COMMANDS.newDaemon ? "start-daemon" : "stop-daemon",
        daemon: daemonOf(daemon),
      };
  }
  throw new Error(`the model has no command ${command}`);
}

function serviceKey(fields: Fields<typeof SERVICE> = {}): ServiceKey {
  const family = (fields.family ?? INET) as Family;
  const { firewallMark, protocol, address = hex(""), port = 0 } = fields;
  if (firewallMark !== undefined) return { family, firewallMark };
  return {
    family,
    protocol: protocol as Protocol,
    address: sized(address, family),
    port,
  };
}

function serverKey(fields: Fields<typeof DESTINATION> = {}): ServerKey {
  const { family = INET, address = hex(""), port = 0 } = fields;
  return { address: sized(address, family), port };
}

/** A copy of an address: the next message overwrites it. */
function sized(address: Uint8Array, family: number): Uint8Array {
  return address.slice(0, family === INET ? 4 : 16);
}

function serverSettings(
  fields: Fields<typeof DESTINATION> = {},
): ServerSettings {
  return {
    forwarding: fields.forwarding ?? 0,
    weight: fields.weight ?? 0,
    tunnel: {
      type: fields.tunnelType ?? 0,
      port: fields.tunnelPort ?? 0,
      flags: fields.tunnelFlags ?? 0,
    },
    upperThreshold: fields.upperThreshold ?? 0,
    lowerThreshold: fields.lowerThreshold ?? 0,
  };
}

function daemonOf(fields: Fields<typeof DAEMON> = {}): Daemon {
  const group = fields.multicastGroup ?? fields.multicastGroup6;
  return {
    state: fields.state as Daemon["state"],
    multicastInterface: fields.multicastInterface ?? "",
    syncId: fields.syncId ?? 0,
    ...(fields.maximumLength !== undefined && {
      maximumLength: fields.maximumLength,
    }),
    ...(group && { multicastGroup: group.slice() }),
    ...(fields.multicastPort !== undefined && {
      multicastPort: fields.multicastPort,
    }),
    ...(fields.multicastTtl !== undefined && {
      multicastTtl: fields.multicastTtl,
    }),
  };
}

/** Each row of a table: a service, a real server, the timeouts, a daemon. The names of its object, and its settings. */
export function rowsOf({ current }: ModelKernel): ReadonlyMap<string, string> {
  const rows = new Map<string, string>();
  for (const { key, settings, servers } of current.services) {
    const name = formatService(key);
    rows.set(name, JSON.stringify(settings));
    for (const server of servers)
      rows.set(
        `${name} ${Buffer.from(server.key.address).toString("hex")} ${server.key.port}`,
        JSON.stringify(server.settings),
      );
  }
  rows.set("timeouts", JSON.stringify(current.timeouts));
  for (const daemon of current.daemons)
    rows.set(`daemon ${daemon.state}`, JSON.stringify(daemon));
  return rows;
}
