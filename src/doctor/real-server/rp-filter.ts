import { formatAddress, INET, type Address } from "../../ipvs/address.js";
import type { Device } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { shellWord } from "../shell.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../sysctls.js";
import { addAddress } from "./commands.js";
import { tunnelsUp, virtualAddresses, type RealServer } from "./real-server.js";

/**
 * The kernel's loose level accepts a packet if there is any route back to its source. The larger setting counts, so on
 * one interface it also overrides the strict level 1 for all.
 */
const LOOSE = 2;

/** Requests that the kernel drops because the answers would leave by another interface. */
export const rpFilter = check(
  ["reverse-path"],
  ["realServer", "sysctls"],
  ({ realServer, sysctls }) => {
    const found = new Map<string, Finding<"reverse-path">>();
    for (const suspect of [...tunnels(realServer), ...asked(realServer)]) {
      const { device, seen } = suspect;
      const level = levelOf(sysctls, device);
      const bare = isBare(realServer, device);
      if (found.has(device.name) || !drops(level, bare)) continue;
      found.set(device.name, {
        id: "reverse-path",
        subject: device.name,
        seen: `rp_filter is ${level} there (the larger of all and ${device.name})${bare ? ", it has no address of its own" : ""}, and ${seen}`,
        certainty: isSure(realServer) ? "proven" : "likely",
        next: [ask(suspect, realServer.client)],
        cure: suspect.isTunnel
          ? tunnelCure(suspect, bare)
          : otherCure(suspect, bare),
        // Only a tunnel has no other way.
        fix:
          suspect.isTunnel && realServer.method !== undefined
            ? loosening(suspect, level, bare)
            : [],
      });
    }
    return [...found.values()];
  },
);

/** An interface where requests come in and no answer leaves. */
interface Suspect {
  readonly device: Device;
  /** A virtual address of the requests there */
  readonly address: Address;
  readonly seen: string;
  readonly isTunnel: boolean;
}

/** Without the method, requests may come in by a tunnel or not. */
function isSure(server: RealServer): boolean {
  return (
    server.method !== undefined ||
    virtualAddresses(server).every(
      (address) => tunnelsUp(server, address).length === 0,
    )
  );
}

/** Answers never leave by the tunnel of the request. */
function tunnels(server: RealServer): Suspect[] {
  return virtualAddresses(server)
    .filter((address) => address.length === 4)
    .flatMap((address) =>
      tunnelsUp(server, address).map((device) => ({
        device,
        address,
        seen: "answers to packets from a tunnel leave by another interface",
        isTunnel: true,
      })),
    );
}

/** Interfaces on which the kernel says that it drops the client's packets. */
function asked({ ways, client }: RealServer): Suspect[] {
  return ways.flatMap(({ service: { address }, arrivals }) =>
    arrivals.flatMap(({ device, way }) =>
      way === "wrong interface" && client
        ? [
            {
              device,
              address,
              seen: `the kernel drops the packets of ${formatAddress(client)}, because answers would leave by another interface`,
              isTunnel: false,
            },
          ]
        : [],
    ),
  );
}

/** On an interface without an address the loose level drops as well. @see __fib_validate_source() in net/ipv4/fib_frontend.c */
function drops(level: number, bare: boolean): boolean {
  return level === 1 || (level === LOOSE && bare);
}

function isBare({ addresses }: RealServer, { index }: Device): boolean {
  return !addresses.some(
    ({ family, device }) => family === INET && device === index,
  );
}

/** Lets the kernel show what it does with a packet of a client. */
function ask({ device, address }: Suspect, client: Address | undefined): Fix {
  const from = client ? formatAddress(client) : "CLIENT";
  const who = client ? "this client" : "CLIENT, the address of a client,";
  return {
    command: `ip route get ${formatAddress(address)} from ${from} iif ${shellWord(device.name)}`,
    effect: `shows "Invalid cross-device link" if the kernel drops a packet of ${who} there; changes nothing`,
  };
}

/** What lets the packets of a tunnel pass, on this interface only, even if the setting for all is the larger one. */
function loosening(
  { device, address }: Suspect,
  level: number,
  bare: boolean,
): Fix[] {
  return [
    ...(bare ? [addAddress(address, device.name)] : []),
    ...(level === LOOSE
      ? []
      : [
          sysctlFix(
            { [pathOf(device.name)]: LOOSE },
            `forged sources are no longer dropped on ${device.name}; look first with the command under Next`,
          ),
        ]),
  ];
}

function tunnelCure({ device }: Suspect, bare: boolean): string {
  return `If requests come in by ${device.name}, its filter must be looser, because packets from a tunnel have no way back by it: ${looseText(device, bare)}. With --method doctor prints the commands.`;
}

function otherCure({ device }: Suspect, bare: boolean): string {
  return `Prefer a way back by ${device.name}: a route to the clients there, or policy routing by the virtual address. Only if there is none, loosen the filter on ${device.name} alone: ${looseText(device, bare)}. Forged sources are then no longer dropped there. Keep it in /etc/sysctl.d.`;
}

function looseText({ name }: Device, bare: boolean): string {
  return `${bare ? "give it the virtual address, and " : ""}set net.ipv4.conf.${name}.rp_filter to ${LOOSE}`;
}

function levelOf(sysctls: Sysctls, { name }: Device): number {
  return Math.max(
    sysctlNumber(sysctls, pathOf("all")) ?? 0,
    sysctlNumber(sysctls, pathOf(name)) ?? 0,
  );
}

function pathOf(name: string): string {
  return `net/ipv4/conf/${name}/rp_filter`;
}
