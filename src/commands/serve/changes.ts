import { isDeepStrictEqual } from "node:util";
import {
  serverSettingsMembers,
  settingsMembers,
  type Members,
} from "../../document/write-table.js";
import { jsonText } from "../../document/json-text.js";
import type { ServerSettings, ServiceSettings } from "../../ipvs/model.js";
import type { ChangeRow } from "../../page/events.js";

/** The fields of the settings that differ, before and after. Undefined if none does. */
export function differenceOf(
  before: ServiceSettings | ServerSettings,
  after: ServiceSettings | ServerSettings,
): Pick<ChangeRow, "from" | "to"> | undefined {
  // Almost always. The rest takes much longer.
  if (isDeepStrictEqual(before, after)) return undefined;
  const [old, current] = [settingsOf(before), settingsOf(after)];
  const from: Record<string, unknown> = {};
  const to: Record<string, unknown> = {};
  for (const name of new Set([...Object.keys(old), ...Object.keys(current)])) {
    if (jsonText(old[name]) === jsonText(current[name])) continue;
    from[name] = old[name] ?? null;
    to[name] = current[name] ?? null;
  }
  return Object.keys(to).length === 0 ? undefined : { from, to };
}

/** The settings in the words of the documents. */
export function settingsOf(
  settings: ServiceSettings | ServerSettings,
): Members {
  return "weight" in settings
    ? serverSettingsMembers(settings)
    : settingsMembers(settings);
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
