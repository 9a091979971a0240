import { formatSelector } from "../../grammar/selector.js";
import type { Differences } from "../../plan/compare.js";
import { formatEndpoint } from "../../ipvs/model.js";
import { sortServices } from "../../view/order.js";
import type { Paint } from "../color.js";
import { named } from "../rule-file.js";
import {
  daemonChanges,
  daemonName,
  daemonText,
  serverChanges,
  serverText,
  serviceChanges,
  serviceText,
  timeoutChanges,
} from "./change-text.js";
import { countDifferences, countsText } from "./difference-counts.js";
import {
  kindOf,
  serviceItems,
  serviceKeyOf,
  settingItems,
  type DifferenceItem,
} from "./difference-items.js";

/** What diff, apply and restore print if there are no differences. @param name of the file */
export function upToDateText(name: string): string {
  return `${named(name)}: already up to date`;
}

/** What diff prints: the differences, and how many there are. */
export function* diffLines(
  differences: Differences,
  paint: Paint,
): Generator<string> {
  yield* differenceLines(differences, paint);
  yield countsText(countDifferences(differences), {
    add: "to add",
    change: "to change",
    remove: "to remove",
  });
}

const MARKS = {
  add: ["+", "good"],
  change: ["~", "warning"],
  remove: ["-", "bad"],
} as const;

/** The differences as text: a line for each service, real server and sync daemon, with services sorted as in `list`. */
export function* differenceLines(
  differences: Differences,
  paint: Paint,
): Generator<string> {
  for (const item of settingItems(differences)) yield itemLine(item, paint);
  const keyed = differences.services.map((one) => ({
    key: serviceKeyOf(one),
    items: serviceItems(one),
  }));
  for (const { key, items } of sortServices(keyed)) {
    // A service that is unchanged itself is the heading of its changed servers.
    if (items[0]?.of === "server") yield `  ${formatSelector(key)}`;
    for (const item of items) yield itemLine(item, paint);
  }
}

function itemLine(item: DifferenceItem, paint: Paint): string {
  const [mark, style] = MARKS[kindOf(item)];
  const [name, text] = nameAndText(item);
  return `${paint[style](`${mark} ${name}`)}  ${text}`;
}

function nameAndText(item: DifferenceItem): [name: string, text: string] {
  switch (item.of) {
    case "timeouts":
      return ["timeouts", timeoutChanges(item.from, item.to).join(", ")];
    case "daemon": {
      const daemon = item.to ?? item.from;
      return [
        daemon ? daemonName(daemon) : "",
        changeText(item, daemonChanges, daemonText),
      ];
    }
    case "service":
      return [
        formatSelector(item.service),
        changeText(item, serviceChanges, serviceText),
      ];
    case "server": {
      const { address, port } = item.server;
      return [
        `  ${formatEndpoint(address, port)}`,
        changeText(item, serverChanges, serverText),
      ];
    }
  }
}

/** What was added, changed or removed: the settings, or what changes of them. */
export function itemText(item: DifferenceItem): string {
  return nameAndText(item)[1];
}

/** The settings of something added or removed, or what changes of them. */
function changeText<Settings>(
  {
    from,
    to,
  }: {
    readonly from?: Settings | undefined;
    readonly to?: Settings | undefined;
  },
  changes: (from: Settings, to: Settings) => string[],
  text: (settings: Settings) => string,
): string {
  if (from && to) return changes(from, to).join(", ");
  const settings = to ?? from;
  return settings ? text(settings) : "";
}
