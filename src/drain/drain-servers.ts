import type { ServiceWithServers } from "../ipvs/model.js";
import type { PlanClient } from "../plan/change-sender.js";
import { PlanFailed } from "../plan/plan-failed.js";
import { serverId } from "../plan/server-id.js";
import { OutputFailed } from "../system/atomic-file.js";
import {
  changeWeights,
  type ChangeWeightsOptions,
  type WeightChange,
} from "./change-weights.js";
import { idOf, type ServerInTable } from "./server-in-table.js";
import { SavedWeight, type SavedWeightPlace } from "./saved-weight.js";

/** A drained real server, as read afterwards. */
export interface DrainedServer extends ServerInTable {
  /** The weight before the server was drained; undefined if it is unknown */
  readonly weightBefore: number | undefined;
  /** Whether its weight was 0 already */
  readonly already: boolean;
}

/** A weight that could not be saved, so that undrain will not know it. */
export interface UnsavedWeight extends WeightChange {
  readonly failure: OutputFailed;
}

/** Real servers that were drained. */
export interface DrainedServers {
  readonly servers: readonly DrainedServer[];
  /** Servers that another program removed before their weight was set */
  readonly gone: readonly ServerInTable[];
  readonly unsaved: readonly UnsavedWeight[];
}

/** Picks real servers from the table. */
export type ChooseServers = (
  table: readonly ServiceWithServers[],
) => readonly ServerInTable[];

/** The saved weight of a server. */
export function savedWeightOf(
  place: SavedWeightPlace,
  { service, server }: ServerInTable,
): SavedWeight {
  return new SavedWeight(place, { service: service.key, server: server.key });
}

/**
 * Sets the weights of real servers to 0, and saves the old ones for {@link undrainServers}. If one cannot be set, all
 * get their old weights back. The caller holds the lock of the table.
 *
 * @param choose is called for each reading. What it throws at the first one is thrown unchanged
 * @throws {PlanFailed} if a weight cannot be set
 */
export async function drainServers(
  client: PlanClient,
  choose: ChooseServers,
  place: SavedWeightPlace,
  options: Pick<ChangeWeightsOptions, "reopen" | "signal"> = {},
): Promise<DrainedServers> {
  const saved = new Map<string, SavedWeight>();
  const unsaved: UnsavedWeight[] = [];
  const save = (changes: readonly WeightChange[]) => {
    for (const change of changes) {
      const id = idOf(change);
      if (saved.has(id)) continue;
      const weight = savedWeightOf(place, change);
      saved.set(id, weight);
      try {
        weight.save(change.server.settings.weight);
      } catch (error) {
        if (!(error instanceof OutputFailed)) throw error;
        unsaved.push({ ...change, failure: error });
      }
    }
  };
  try {
    const { changed, gone, after } = await changeWeights(
      client,
      (table) => choose(table).map((one) => ({ ...one, weight: 0 })),
      { ...options, before: save },
    );
    for (const one of gone) saved.get(idOf(one))?.remove();
    const before = new Map(
      changed.map((one) => [idOf(one), one.server.settings.weight]),
    );
    return {
      servers: after.map(({ service, server }) => {
        const one = { service, server };
        const weight = before.get(idOf(one));
        const already = weight === undefined;
        return {
          ...one,
          already,
          weightBefore: already ? readSaved(place, one) : weight,
        };
      }),
      gone,
      unsaved,
    };
  } catch (error) {
    if (error instanceof PlanFailed) {
      const still = stillChanged(error);
      for (const [id, weight] of saved) if (!still.has(id)) weight.remove();
    }
    throw error;
  }
}

function readSaved(
  place: SavedWeightPlace,
  server: ServerInTable,
): number | undefined {
  const found = savedWeightOf(place, server).read();
  return found.kind === "weight" ? found.weight : undefined;
}

/** The ids of the servers whose weight was or may have been changed, and was not set back. */
export function stillChanged({
  notRolledBack,
  unknown,
}: PlanFailed): ReadonlySet<string> {
  return new Set(
    [...notRolledBack.map(({ step }) => step), ...unknown].flatMap(
      ({ change }) =>
        "server" in change ? [serverId(change.service, change.server)] : [],
    ),
  );
}
