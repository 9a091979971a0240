import {
  daemonMembers,
  serverSettingsMembers,
  settingsMembers,
  timeoutMembers,
  type Members,
} from "../../document/write-table.js";
import { aboutServer, aboutService } from "../../document/key-members.js";
import type { Differences } from "../../plan/compare.js";
import {
  differenceItems,
  kindOf,
  type DifferenceItem,
} from "./difference-items.js";
import { countDifferences } from "./difference-counts.js";

/** The differences and their counts, as the members that the JSON of diff, apply and restore has in common. */
export function differencesJson(differences: Differences): Members {
  const { add, change, remove } = countDifferences(differences);
  return {
    changes: differenceItems(differences).map(itemJson),
    tally: { add: { ...add }, change: { ...change }, remove: { ...remove } },
  };
}

/** One difference. */
export function itemJson(item: DifferenceItem): Members {
  const { of } = item;
  const change = kindOf(item);
  switch (item.of) {
    case "timeouts":
      return { change, of, ...fromTo(item, timeoutMembers) };
    case "daemon":
      return { change, of, ...fromTo(item, daemonMembers) };
    case "service":
      return {
        change,
        of,
        ...aboutService(item.service),
        ...fromTo(item, settingsMembers),
      };
    case "server":
      return {
        change,
        of,
        ...aboutServer(item.service, item.server),
        ...fromTo(item, serverSettingsMembers),
      };
  }
}

function fromTo<Settings>(
  {
    from,
    to,
  }: {
    readonly from?: Settings | undefined;
    readonly to?: Settings | undefined;
  },
  members: (settings: Settings) => Members,
): Members {
  return { from: from && members(from), to: to && members(to) };
}
