import type { RuleNames } from "../../rules/rule-names.js";

/** Names of hosts without a resolver: each gets an address of its own, of those that nobody has (240.0.0.0/4). */
export function standInNames(names: RuleNames): RuleNames {
  const known = new Map<string, number>();
  return {
    hostAddress(name) {
      const number = known.get(name) ?? known.size + 1;
      known.set(name, number);
      const bytes = [number >> 16, number >> 8, number].map((n) => n & 255);
      return Promise.resolve(`240.${bytes.join(".")}`);
    },
    servicePort: (name, transport) => names.servicePort(name, transport),
  };
}
