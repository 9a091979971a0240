import { formatAddress, INET, type Address } from "../../ipvs/address.js";
import type { Device } from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../sysctls.js";
import { addAddress } from "./commands.js";
import { tunnelsUp, virtualAddresses, type RealServer } from "./real-server.js";

/**
 * What there is any way back to comes in: the kernel's loose level. The larger of two settings counts, so on one
 * interface it also overrules the strict level 1 of all.
 */
const LOOSE = 2;

/** Requests that the kernel drops since answers to them would leave by another interface than they come in. */
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
        fix: fixOf(suspect, bare),
      });
    }
    return [...found.values()];
  },
);

/** An interface by which requests come and no answer leaves. */
interface Suspect {
  readonly device: Device;
  /** A virtual address to which requests come there */
  readonly address: Address;
  readonly seen: string;
}

/** No answer leaves by the tunnel by which its request came. */
function tunnels(server: RealServer): Suspect[] {
  return virtualAddresses(server)
    .filter((address) => address.length === 4)
    .flatMap((address) =>
      tunnelsUp(server, address).map((device) => ({
        device,
        address,
        seen: "answers to what comes out of a tunnel leave by another interface",
      })),
    );
}

/** Where the kernel was asked what it does with a client's packets. */
function asked({ ways, client }: RealServer): Suspect[] {
  return ways.flatMap(({ service: { address }, arrivals }) =>
    arrivals.flatMap(({ device, way }) =>
      way === "wrong interface" && client
        ? [
            {
              device,
              address,
              seen: `the kernel drops what ${formatAddress(client)} sends, for answers to it would leave by another interface`,
            },
          ]
        : [],
    ),
  );
}

/** On an interface without an address the loose level is as strict. @see __fib_validate_source() in net/ipv4/fib_frontend.c */
function drops(level: number, bare: boolean): boolean {
  return level === 1 || (level === LOOSE && bare);
}

function isBare({ addresses }: RealServer, { index }: Device): boolean {
  return !addresses.some(
    ({ family, device }) => family === INET && device === index,
  );
}

/** Changes nothing but on this interface, though it may be the setting of all that counts. */
function fixOf({ device, address }: Suspect, bare: boolean): Fix[] {
  return [
    ...(bare ? [addAddress(address, device.name)] : []),
    sysctlFix({ [pathOf(device.name)]: LOOSE }),
  ];
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
