import { assess } from "../../ipvs/state.js";
import { formatSelector } from "../../grammar/selector.js";
import { compare } from "../../plan/compare.js";
import {
  readCurrentState,
  type CurrentState,
  type StateClient,
} from "../../plan/current-state.js";
import { serverId } from "../../plan/server-id.js";
import {
  differenceItems,
  kindOf,
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

/** How often the table is read at most until two readings in a row have the same entries. */
const MOST_READINGS = 4;

/** A reading, and what changed since the reading before. */
export interface NextReading<Reading> {
  readonly reading: Reading;
  readonly changes: readonly DifferenceItem[];
}

/**
 * Reads the table again, and finds what changed.
 *
 * The kernel's dumps continue by index. If entries come or go during a dump, others can be missing or appear twice. Therefore, if
 * a reading has new or missing entries, the table is read until two readings in a row have the same entries. If it never is
 * steady, the last reading counts. New settings of an entry are certain after one reading.
 *
 * @param stateOf returns the state of a reading
 */
export async function readNext<Reading>(
  read: () => Promise<Reading>,
  stateOf: (reading: Reading) => CurrentState,
  before: Reading,
): Promise<NextReading<Reading>> {
  let reading = await read();
  let changes = differencesBetween(stateOf(before), stateOf(reading));
  let steady = !changes.some(comesOrGoes);
  for (let count = 1; !steady && count < MOST_READINGS; count++) {
    const again = await read();
    const meanwhile = differencesBetween(stateOf(reading), stateOf(again));
    steady = !meanwhile.some(comesOrGoes);
    reading = again;
    changes = differencesBetween(stateOf(before), stateOf(reading));
  }
  return { reading, changes };
}

function comesOrGoes(item: DifferenceItem): boolean {
  return (
    (item.of === "service" || item.of === "server") && kindOf(item) !== "change"
  );
}

function differencesBetween(
  before: CurrentState,
  now: CurrentState,
): DifferenceItem[] {
  return differenceItems(
    compare(now, before, { prune: true, keepWeights: false }),
  );
}

/** Reads the state again. @returns it, and the changes that the filters select */
export async function readNextState(
  client: StateClient,
  filters: Filters,
  before: CurrentState,
): Promise<NextReading<CurrentState>> {
  const { reading, changes } = await readNext(
    () => readCurrentState(client, partsFor(filters), "once"),
    (state) => state,
    before,
  );
  if (!isFiltered(filters) || changes.length === 0) return { reading, changes };
  const listed = new Set([
    ...listedIds(before, filters),
    ...listedIds(reading, filters),
  ]);
  return {
    reading,
    changes: changes.filter((item) => listed.has(idOf(item))),
  };
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
