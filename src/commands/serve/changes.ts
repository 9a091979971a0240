import {
  kindOf,
  type DifferenceItem,
} from "../../cli/changes/difference-items.js";
import { itemJson } from "../../cli/changes/difference-json.js";
import { jsonText, type Members } from "../../document/json-text.js";
import { formatSelector } from "../../grammar/selector.js";
import { formatEndpoint } from "../../ipvs/model.js";
import type { ChangeRow } from "../../page/events.js";

/** Changes for the page. The servers of a new or a deleted service are no changes of their own. */
export function changeRows(
  items: readonly DifferenceItem[],
  date: Date,
): ChangeRow[] {
  const time = date.toISOString();
  const whole = new Set<string>();
  const rows: ChangeRow[] = [];
  for (const item of items) {
    if (item.of !== "service" && item.of !== "server") continue;
    const change = kindOf(item);
    const service = formatSelector(item.service);
    if (item.of === "server" && whole.has(service)) continue;
    if (item.of === "service" && change !== "change") whole.add(service);
    const { from, to } = itemJson(item) as FromTo;
    rows.push({
      time,
      change,
      of: item.of,
      service,
      ...(item.of === "server" && {
        server: formatEndpoint(item.server.address, item.server.port),
      }),
      ...(from && to
        ? differenceOf(from, to)
        : { ...(from && { from }), ...(to && { to }) }),
    });
  }
  return rows;
}

/** The settings in the words of the documents. */
interface FromTo {
  readonly from?: Members;
  readonly to?: Members;
}

/** The fields that differ, before and after. */
function differenceOf(old: Members, current: Members) {
  const from: Record<string, unknown> = {};
  const to: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(current)])) {
    if (jsonText(old[name]) === jsonText(current[name])) continue;
    from[name] = old[name] ?? null;
    to[name] = current[name] ?? null;
  }
  return { from, to };
}

/** How many changes are kept. */
const MOST_CHANGES = 500;

/** The latest changes, oldest first. */
export class ChangeLog {
  #rows: ChangeRow[] = [];

  get rows(): readonly ChangeRow[] {
    return this.#rows;
  }

  add(rows: readonly ChangeRow[]): void {
    if (rows.length > 0)
      this.#rows = [...this.#rows, ...rows].slice(-MOST_CHANGES);
  }
}
