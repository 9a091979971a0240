import { check } from "../../check.js";
import type { Finding } from "../../finding.js";
import { isUnwatched, portsOf, watchPorts } from "./interface-below.js";
import { reach } from "./reach.js";

/** Bonds that would not notice a dead cable. */
export const unwatchedBonds = check(
  ["bond-unwatched"],
  ["network"],
  (facts) => {
    const { network } = facts;
    // A bond whose dead port stops traffic now is reported with that.
    const isKnown = reach.needs.every((name) => facts[name] !== undefined);
    const silent = isKnown ? reach.examine(facts) : [];
    const fixes = new Set(
      silent.flatMap(({ fix }) => fix.map(({ command }) => command)),
    );
    return network.devices.flatMap((device): Finding<"bond-unwatched">[] => {
      const ports = portsOf(network, device);
      const fix = watchPorts(device);
      if (!device.up || !isUnwatched(device.bond) || ports.length < 2)
        return [];
      if (fixes.has(fix.command)) return [];
      const names = ports.map(({ name }) => name).join(", ");
      return [
        {
          id: "bond-unwatched",
          subject: device.name,
          seen: `miimon and arp_interval are 0, so it does not notice if one of its ports (${names}) is dead`,
          fix: [fix],
        },
      ];
    });
  },
);
