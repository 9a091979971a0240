import type { RuleNames } from "../../src/rules/rule-names.js";

/** Some names, of hosts and services. */
export function someNames(
  hosts: Readonly<Record<string, string>> = {},
  ports: Readonly<Record<string, number>> = {},
): RuleNames {
  return {
    hostAddress: (name) => Promise.resolve(hosts[name]),
    servicePort: (name, transport) => ports[`${name}/${transport}`],
  };
}
