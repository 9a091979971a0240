import { assess } from "../../ipvs/state.js";
import { TableUnsteady } from "../../ipvs/errors.js";
import { formatSelector } from "../../grammar/selector.js";
import { compare } from "../../plan/compare.js";
import {
  readCurrentState,
  sameState,
  type CurrentState,
  type StateClient,
} from "../../plan/current-state.js";
import { serverId } from "../../plan/server-id.js";
import {
  differenceItems,
  type DifferenceItem,
} from "../../cli/changes/difference-items.js";
import { isFiltered, selectListed, type Filters } from "../list/filter.js";

/** Which parts of the state are compared: with filters, only services and real servers. */
function partsFor(filters: Filters) {
  const all = !isFiltered(filters);
  return { timeouts: all, daemons: all };
}

/** Reads the first state. */
export function readFirstState(
  client: StateClient,
  filters: Filters,
): Promise<CurrentState> {
  return readCurrentState(client, partsFor(filters), "steady");
}

/**
 * Reads the state again. A dump is only trustworthy if the table does not change meanwhile. Therefore a state that differs is
 * read until it is steady.
 *
 * @returns the new state, or the old one if nothing changed or the table is not steady yet
 */
export async function readNextState(
  client: StateClient,
  filters: Filters,
  before: CurrentState,
): Promise<CurrentState> {
  const parts = partsFor(filters);
  const now = await readCurrentState(client, parts, "once");
  if (sameState(before, now)) return before;
  try {
    return await readCurrentState(client, parts, "steady");
  } catch (error) {
    if (error instanceof TableUnsteady) return before; // The next reading will see the changes.
    throw error;
  }
}

/** What has changed between two states, as far as the filters select it. */
export function changesBetween(
  before: CurrentState,
  now: CurrentState,
  filters: Filters,
): DifferenceItem[] {
  if (before === now) return [];
  const items = differenceItems(
    compare(now, before, { prune: true, keepWeights: false }),
  );
  if (!isFiltered(filters) || items.length === 0) return items;
  const listed = new Set([
    ...listedIds(before, filters),
    ...listedIds(now, filters),
  ]);
  return items.filter((item) => listed.has(idOf(item)));
}

/** The services and servers that a listing with these filters shows. */
function* listedIds(
  { services }: CurrentState,
  filters: Filters,
): Generator<string> {
  for (const { service, servers } of selectListed(
    services.map(assess),
    filters,
  )) {
    yield formatSelector(service.key);
    for (const { key } of servers) yield serverId(service.key, key);
  }
}

function idOf(item: DifferenceItem): string {
  switch (item.of) {
    case "service":
      return formatSelector(item.service);
    case "server":
      return serverId(item.service, item.server);
    default:
      return item.of;
  }
}
