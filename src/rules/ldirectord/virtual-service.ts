import { INET, INET6, parseIpv4, type Family } from "../../ipvs/address.js";
import { serviceSettings } from "../../ipvs/defaults.js";
import {
  ONE_PACKET,
  PERSISTENT,
  TCP,
  UDP,
  type Netmask,
  type Protocol,
  type ServiceKey,
  type ServiceSettings,
} from "../../ipvs/model.js";
import { schedulerFlag } from "../../ipvs/scheduler-flags.js";
import type { ConfigurationBuilder } from "../configuration-builder.js";
import type { Part, Position } from "../rule-file.js";
import type { HostResolver } from "./host-resolver.js";
import type { Option, Section } from "./sections.js";
import { splitHostAndPort } from "./server-line.js";

const U32 = 0xffffffff;
const MAXIMUM_TIMEOUT_SECONDS = 0x7fffffff;
const DEFAULT_SCHEDULER = "wrr";
const SCHEDULER_BYTES = 15;

/** The options of a section whose last value counts, by name. */
export type LastOptions = ReadonlyMap<string, Option>;

const PARTS: Readonly<Record<string, Part>> = {
  scheduler: "scheduler",
  schedflags: "flags",
  persistent: "timeout",
  netmask: "netmask",
  ops: "onePacket",
};

/** The positions of the settings of a service. */
export function settingPositions(
  options: LastOptions,
): Partial<Record<Part, Position>> {
  const parts: Partial<Record<Part, Position>> = {};
  for (const [name, part] of Object.entries(PARTS)) {
    const option = options.get(name);
    if (option) parts[part] = option.valueAt;
  }
  return parts;
}

export function familyOfSection({ virtual }: Section): Family {
  return virtual.name === "virtual6" ? INET6 : INET;
}

/** Reads `virtual = ADDRESS:PORT` or `virtual = MARK`. @returns undefined if it is malformed */
export function readServiceKey(
  section: Section,
  options: LastOptions,
  hosts: HostResolver,
  builder: ConfigurationBuilder,
): ServiceKey | undefined {
  const { value, valueAt } = section.virtual;
  const family = familyOfSection(section);
  const protocolOption = options.get("protocol");
  if (/^[0-9]+$/.test(value)) {
    const firewallMark = Number(value);
    if (protocolOption && protocolOption.value !== "fwm")
      builder.error(
        protocolOption.valueAt,
        "form",
        "the protocol of a firewall mark must be fwm",
      );
    if (firewallMark >= 1 && firewallMark <= U32)
      return { family, firewallMark };
    builder.error(
      valueAt,
      "form",
      `${value}: expected a firewall mark from 1 to ${U32}`,
    );
    return undefined;
  }
  const endpoint = splitHostAndPort(value);
  if (endpoint?.port === undefined) {
    builder.error(
      valueAt,
      "form",
      "malformed virtual service",
      "expected ADDRESS:PORT or the number of a firewall mark",
    );
    return undefined;
  }
  const protocol = readProtocol(endpoint.port, protocolOption, builder);
  const address = hosts.address(endpoint.host, family, valueAt);
  const port = hosts.port(endpoint.port, protocol, valueAt);
  if (!address || port === undefined) return undefined;
  return { family, protocol, address, port };
}

/** DNS uses UDP by default. */
function readProtocol(
  port: string,
  option: Option | undefined,
  builder: ConfigurationBuilder,
): Protocol {
  if (!option) return /^(?:53|domain)$/.test(port) ? UDP : TCP;
  if (option.value === "udp") return UDP;
  if (option.value !== "tcp")
    builder.error(
      option.valueAt,
      "form",
      `unknown protocol "${option.value}"`,
      "use tcp or udp",
    );
  return TCP;
}

/** Reads the settings of a service. */
export function readServiceSettings(
  key: ServiceKey,
  options: LastOptions,
  builder: ConfigurationBuilder,
): ServiceSettings {
  const scheduler = readScheduler(options.get("scheduler"), builder);
  const isOnePacket =
    yesOrNo(options.get("ops"), builder) === true &&
    "protocol" in key &&
    key.protocol === UDP;
  const flags =
    readFlags(options.get("schedflags"), scheduler, builder) |
    (isOnePacket ? ONE_PACKET : 0);
  const persistent = options.get("persistent");
  if (!persistent) return serviceSettings(key, { scheduler, flags });
  const timeoutSeconds = readNumber(
    persistent,
    1,
    MAXIMUM_TIMEOUT_SECONDS,
    builder,
  );
  const netmask = readNetmask(options.get("netmask"), key.family, builder);
  return serviceSettings(key, {
    scheduler,
    flags: flags | PERSISTENT,
    timeoutSeconds: timeoutSeconds ?? 0,
    ...(netmask !== undefined && { netmask }),
  });
}

function readScheduler(
  option: Option | undefined,
  builder: ConfigurationBuilder,
): string {
  if (!option) return DEFAULT_SCHEDULER;
  const { value, valueAt } = option;
  if (/^[a-z]+$/.test(value) && value.length <= SCHEDULER_BYTES) return value;
  builder.error(
    valueAt,
    "form",
    `"${value}": expected a scheduler, such as wlc`,
  );
  return DEFAULT_SCHEDULER;
}

function readFlags(
  option: Option | undefined,
  scheduler: string,
  builder: ConfigurationBuilder,
): number {
  let flags = 0;
  for (const name of option?.value.split(",") ?? []) {
    const flag = schedulerFlag(name);
    if (!option) break;
    if (!flag)
      builder.error(option.valueAt, "form", `unknown scheduler flag "${name}"`);
    else if (flag.scheduler !== undefined && flag.scheduler !== scheduler)
      builder.error(
        option.valueAt,
        "form",
        `${name} belongs to scheduler ${flag.scheduler}`,
      );
    else flags |= flag.bit;
  }
  return flags;
}

function readNetmask(
  option: Option | undefined,
  family: Family,
  builder: ConfigurationBuilder,
): Netmask | undefined {
  if (!option) return undefined;
  if (family === INET6) return readNumber(option, 1, 128, builder);
  const netmask = parseIpv4(option.value);
  if (!netmask)
    builder.error(
      option.valueAt,
      "form",
      `"${option.value}": expected an IPv4 netmask, such as 255.255.255.0`,
    );
  return netmask;
}

function readNumber(
  { value, valueAt }: Option,
  minimum: number,
  maximum: number,
  builder: ConfigurationBuilder,
): number | undefined {
  const number = /^[0-9]+$/.test(value) ? Number(value) : -1;
  if (number >= minimum && number <= maximum) return number;
  builder.error(
    valueAt,
    "form",
    `"${value}": expected a number from ${minimum} to ${maximum}`,
  );
  return undefined;
}

/** Reads yes or no. @returns undefined if the option is missing or malformed */
export function yesOrNo(
  option: Option | undefined,
  builder: ConfigurationBuilder,
): boolean | undefined {
  if (!option) return undefined;
  if (option.value === "yes") return true;
  if (option.value === "no") return false;
  builder.error(
    option.valueAt,
    "form",
    `"${option.value}": expected yes or no`,
  );
  return undefined;
}
