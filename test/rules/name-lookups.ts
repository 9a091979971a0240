import type { NameLookups } from "../../src/rules/name-lookups.js";

/** Lookups that know these hosts and ports. */
export function fakeLookups(
  hosts: Readonly<Record<string, string>> = {},
  ports: Readonly<Record<string, number>> = {},
): NameLookups {
  return {
    hostAddress: (name) => Promise.resolve(hosts[name]),
    servicePort: (name, transport) => ports[`${name}/${transport}`],
  };
}
