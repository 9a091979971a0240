import * as addresses from "../ipvs/address.js";
import type { Address, Family } from "../ipvs/address.js";
import * as defaults from "../ipvs/defaults.js";
import * as model from "../ipvs/model.js";
import type {
  ServerKey,
  ServerSettings,
  ServiceKey,
  ServiceSettings,
} from "../ipvs/model.js";
import * as keys from "../ipvs/parse-keys.js";
import * as flags from "../ipvs/scheduler-flags.js";
import type { SchedulerFlag } from "../ipvs/scheduler-flags.js";
import { checkCall, optional, text } from "./shape.js";
import {
  ADDRESS,
  PORT,
  SERVICE_KEY,
  SOME_SERVER_SETTINGS,
  SOME_SERVICE_SETTINGS,
  U32,
} from "./shapes.js";

/* Addresses, keys and settings. All functions throw InvalidArgument if an argument has a wrong type. */

/**
 * The family of an address: {@link INET} for 4 bytes, {@link INET6} for 16 bytes.
 *
 * @since 0.1.0
 */
export function familyOf(address: Address): Family {
  checkCall("familyOf", ["address", address, ADDRESS]);
  return addresses.familyOf(address);
}

/**
 * Parses an IP address: dotted IPv4, or IPv6 without zone and brackets. Does not resolve names.
 *
 * @returns undefined if the text is not an address
 * @see inet_pton(3); RFC 4291, section 2.2
 * @since 0.1.0
 */
export function parseAddress(address: string): Address | undefined {
  checkCall("parseAddress", ["address", address, text]);
  return addresses.parseAddress(address);
}

/**
 * Formats an address in its shortest form, like inet_ntop(3): `192.0.2.1`, `2001:db8::1`,
 * `::ffff:192.0.2.1`.
 *
 * @param address 4 or 16 bytes
 * @since 0.1.0
 */
export function formatAddress(address: Address): string {
  checkCall("formatAddress", ["address", address, ADDRESS]);
  return addresses.formatAddress(address);
}

/**
 * Whether two addresses have the same family and the same bytes.
 *
 * @since 0.1.0
 */
export function sameAddress(a: Address, b: Address): boolean {
  checkCall("sameAddress", ["a", a, ADDRESS], ["b", b, ADDRESS]);
  return addresses.sameAddress(a, b);
}

/**
 * Formats an address and a port: `192.0.2.1:80` or `[2001:db8::1]:80`.
 *
 * @param address 4 or 16 bytes
 * @param port 0 to 65535
 * @since 0.1.0
 */
export function formatEndpoint(address: Address, port: number): string {
  checkCall(
    "formatEndpoint",
    ["address", address, ADDRESS],
    ["port", port, PORT],
  );
  return model.formatEndpoint(address, port);
}

/**
 * Formats a virtual service: `TCP 192.0.2.1:80`, `FWM 7` or `FWM 7 IPv6`. Different keys give
 * different texts. {@link parseService} reads it back.
 *
 * @since 0.1.0
 */
export function formatService(key: ServiceKey): string {
  checkCall("formatService", ["key", key, SERVICE_KEY]);
  return model.formatService(key);
}

/**
 * Parses a virtual service in the form of {@link formatService}. Accepts no names of hosts or
 * ports.
 *
 * @param service `TCP 192.0.2.1:80`, `UDP [2001:db8::1]:53`, `FWM 7` or `FWM 7 IPv6`. Ports are 0 to
 *   65535, marks 1 to 4294967295
 * @throws {MalformedText} if the text has another form
 * @since 0.1.0
 */
export function parseService(service: string): ServiceKey {
  checkCall("parseService", ["service", service, text]);
  return keys.parseService(service);
}

/**
 * Parses a real server in the form of {@link formatEndpoint}. Accepts no names of hosts or ports.
 *
 * @param server `192.0.2.10:8080` or `[2001:db8::10]:8080`. Ports are 0 to 65535
 * @throws {MalformedText} if the text has another form
 * @since 0.1.0
 */
export function parseServer(server: string): ServerKey {
  checkCall("parseServer", ["server", server, text]);
  return keys.parseServer(server);
}

/**
 * Fills in the settings of a new virtual service with ipvsadm's defaults: scheduler `wlc`, no
 * persistence, no flags.
 *
 * To edit an existing service, start with its own settings, from {@link IpvsClient.service}.
 * Otherwise the edit resets everything that is not in `given`.
 *
 * @param service the key of the service; its family determines the default netmask
 * @param given the settings that differ from the defaults
 * @since 0.1.0
 */
export function serviceSettings(
  service: ServiceKey,
  given?: Partial<ServiceSettings>,
): ServiceSettings {
  checkCall(
    "serviceSettings",
    ["service", service, SERVICE_KEY],
    ["given", given, optional(SOME_SERVICE_SETTINGS)],
  );
  return defaults.serviceSettings(service, given);
}

/**
 * Fills in the settings of a new real server with ipvsadm's defaults: direct routing, weight 1, no
 * thresholds.
 *
 * To edit an existing server, start with its own settings, from {@link IpvsClient.servers}.
 * Otherwise the edit resets everything that is not in `given`.
 *
 * @param given the settings that differ from the defaults
 * @since 0.1.0
 */
export function serverSettings(
  given?: Partial<ServerSettings>,
): ServerSettings {
  checkCall("serverSettings", ["given", given, optional(SOME_SERVER_SETTINGS)]);
  return defaults.serverSettings(given);
}

/**
 * Finds a scheduler flag by its name: `sh-fallback`, `sh-port`, `mh-fallback`, `mh-port`, or
 * `flag-1` to `flag-3`.
 *
 * @returns undefined if there is no such flag
 * @see IP_VS_SVC_F_SCHED_SH_FALLBACK and others in linux/ip_vs.h
 * @since 0.1.0
 */
export function schedulerFlag(name: string): SchedulerFlag | undefined {
  checkCall("schedulerFlag", ["name", name, text]);
  return flags.schedulerFlag(name);
}

/**
 * The names of the scheduler flags that are set. Leaves out bits for which the scheduler has no
 * name, as `ipvsadm -L` does.
 *
 * @param scheduler the scheduler's name, such as `sh`
 * @param bits the flags of a service; other bits are ignored
 * @since 0.1.0
 */
export function schedulerFlagNames(scheduler: string, bits: number): string[] {
  checkCall(
    "schedulerFlagNames",
    ["scheduler", scheduler, text],
    ["bits", bits, U32],
  );
  return flags.schedulerFlagNames(scheduler, bits);
}
