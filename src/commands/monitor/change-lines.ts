import { itemJson } from "../../cli/changes/difference-json.js";
import {
  kindOf,
  type DifferenceItem,
} from "../../cli/changes/difference-items.js";
import { itemText } from "../../cli/changes/difference-lines.js";
import { daemonName } from "../../cli/changes/change-text.js";
import type { Paint, Style } from "../../cli/color.js";
import { jsonText } from "../../document/json-text.js";
import type { EndpointNames } from "../list/endpoint-names.js";

const STYLES = {
  add: "good",
  change: "warning",
  remove: "bad",
} as const satisfies Record<string, Style>;

const LONGEST_KIND = "change".length;

/** A change as a line: the time, what happened, to which service or server, and the settings. */
export function changeLine(
  item: DifferenceItem,
  date: Date,
  names: EndpointNames,
  paint: Paint,
): string {
  const kind = kindOf(item);
  const padding = " ".repeat(LONGEST_KIND - kind.length);
  return [
    paint.dim(localTime(date)),
    paint[STYLES[kind]](kind) + padding,
    subjectOf(item, names),
    itemText(item),
  ]
    .join(" ")
    .trimEnd();
}

function subjectOf(item: DifferenceItem, names: EndpointNames): string {
  switch (item.of) {
    case "timeouts":
      return "timeouts";
    case "daemon": {
      const daemon = item.to ?? item.from;
      return daemon ? daemonName(daemon) : item.of;
    }
    case "service":
      return names.service(item.service);
    case "server":
      return `${names.service(item.service)} ${names.server(item.service, item.server)}`;
  }
}

/** A change for programs. */
export function changeRecord(item: DifferenceItem, date: Date): string {
  return jsonText(
    {
      schema: "ipvsadm/monitor/1",
      time: date.toISOString(),
      ...itemJson(item),
    },
    0,
  );
}

/** The local time with its offset: `2026-01-31T15:04:05.250+01:00` @see RFC 3339 */
export function localTime(date: Date): string {
  const minutes = -date.getTimezoneOffset();
  const shifted = new Date(date.getTime() + minutes * 60_000);
  const two = (n: number) => String(Math.floor(n)).padStart(2, "0");
  const offset = Math.abs(minutes);
  const sign = minutes < 0 ? "-" : "+";
  return `${shifted.toISOString().slice(0, -1)}${sign}${two(offset / 60)}:${two(offset % 60)}`;
}
