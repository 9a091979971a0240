import type { PlanClient } from "../plan/change-sender.js";
import {
  changeWeights,
  type ChangeWeightsOptions,
  type WeightChange,
} from "./change-weights.js";
import { idOf, type ServerInTable } from "./server-in-table.js";
import { savedWeightOf, type ChooseServers } from "./drain-servers.js";
import { NoSavedWeight } from "./no-saved-weight.js";
import type { SavedWeightPlace } from "./saved-weight.js";

/** A real server whose weight was restored, as read afterwards. */
export interface UndrainedServer extends ServerInTable {
  /** The weight that it had until now */
  readonly weightBefore: number;
}

/** Real servers whose weights were restored. */
export interface UndrainedServers {
  /** All chosen servers. Those that were not drained keep their weight */
  readonly servers: readonly UndrainedServer[];
  /** Servers that another program removed before their weight was set */
  readonly gone: readonly ServerInTable[];
}

export interface UndrainOptions extends Pick<
  ChangeWeightsOptions,
  "reopen" | "signal"
> {
  /** The new weight of all servers. Undefined: each drained server gets its saved weight */
  readonly weight?: number | undefined;
}

/**
 * Plans to restore weights.
 *
 * @returns the servers with their new weights; those that are not drained keep theirs
 * @throws {NoSavedWeight} for drained servers without a saved weight, if no weight is given
 */
export function planUndrain(
  servers: readonly ServerInTable[],
  place: SavedWeightPlace,
  weight: number | undefined,
): readonly WeightChange[] {
  const missing: ServerInTable[] = [];
  const changes = servers.map((one) => {
    const now = one.server.settings.weight;
    if (weight !== undefined) return { ...one, weight };
    if (now !== 0) return { ...one, weight: now };
    const found = savedWeightOf(place, one).read();
    if (found.kind === "weight") return { ...one, weight: found.weight };
    missing.push(one);
    return { ...one, weight: now };
  });
  if (missing.length > 0) throw new NoSavedWeight(missing);
  return changes;
}

/**
 * Sets the weights of drained real servers to what they were before. If one cannot be set, all get weight 0 back. The caller
 * holds the lock of the table.
 *
 * @param choose is called for each reading. What it throws at the first one is thrown unchanged
 * @throws {NoSavedWeight} if the weight of a drained server is not known. Nothing was changed
 * @throws {PlanFailed} if a weight cannot be set
 */
export async function undrainServers(
  client: PlanClient,
  choose: ChooseServers,
  place: SavedWeightPlace,
  { weight, ...options }: UndrainOptions = {},
): Promise<UndrainedServers> {
  const { changed, gone, after } = await changeWeights(
    client,
    (table) => planUndrain(choose(table), place, weight),
    options,
  );
  const before = new Map(
    changed.map((one) => [idOf(one), one.server.settings.weight]),
  );
  for (const one of after) {
    const { settings } = one.server;
    if (settings.weight !== 0) savedWeightOf(place, one).remove();
  }
  return {
    servers: after.map(({ service, server }) => ({
      service,
      server,
      weightBefore:
        before.get(idOf({ service, server })) ?? server.settings.weight,
    })),
    gone,
  };
}
