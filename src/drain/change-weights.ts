import { TableUnsteady } from "../ipvs/errors.js";
import type { ServiceWithServers } from "../ipvs/model.js";
import { ChangeSender, type PlanClient } from "../plan/change-sender.js";
import { deleteServer, editServer, type Step } from "../plan/steps.js";
import { Transaction } from "../plan/transaction.js";
import { idOf, type ServerInTable } from "./server-in-table.js";

/** A real server, and the weight that it gets. */
export interface WeightChange extends ServerInTable {
  /** 0 to 2147483647 */
  readonly weight: number;
}

export interface ChangeWeightsOptions {
  /** Called before each batch of changes is sent, with those whose weight differs */
  readonly before?: (changes: readonly WeightChange[]) => void;
  /** Opens a new client after the socket of the first one failed */
  readonly reopen?: () => Promise<PlanClient>;
  /** Stops before the next changes, and rolls back */
  readonly signal?: AbortSignal | undefined;
}

/** Weights that were set. */
export interface ChangedWeights {
  /** Each server whose weight was changed, as it was before, in the order of the changes */
  readonly changed: readonly WeightChange[];
  /** Servers that another program removed before their weight was set */
  readonly gone: readonly WeightChange[];
  /** All chosen servers in the table afterwards */
  readonly after: readonly WeightChange[];
}

/** How often to look for servers that another program added or changed meanwhile. */
const MOST_ROUNDS = 5;

/**
 * Sets the weights of real servers. If one cannot be set, all get their old weights back.
 *
 * Afterwards it reads the table again, and sets the weights of servers that were added meanwhile. A server that was removed
 * meanwhile is not an error.
 *
 * @param choose picks the servers from the table, and the weight of each. It is called for each reading. What it throws at
 *   the first reading is thrown unchanged
 * @throws {PlanFailed} if a weight cannot be set. Its cause is a TableUnsteady if another program changes the weights
 *   again and again
 */
export async function changeWeights(
  client: PlanClient,
  choose: (table: readonly ServiceWithServers[]) => readonly WeightChange[],
  { before, reopen, signal }: ChangeWeightsOptions = {},
): Promise<ChangedWeights> {
  const sender = new ChangeSender(
    client,
    { timeouts: false, daemons: false },
    reopen,
  );
  const transaction = new Transaction(sender, {
    editsMayMiss: true,
    ...(signal && { signal }),
  });
  const asked = new Map<Step, WeightChange>();
  const pick = async () => choose(await client.steadyTable());
  let chosen = await pick();
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const todo = chosen.filter(
      ({ server, weight }) => server.settings.weight !== weight,
    );
    if (todo.length === 0) {
      await transaction.checkSignal();
      const there = new Set(chosen.map(idOf));
      return {
        changed: firstOfEach(transaction.done, asked),
        // A server may have been added again, and changed then.
        gone: firstOfEach(transaction.gone, asked).filter(
          (one) => !there.has(idOf(one)),
        ),
        after: chosen,
      };
    }
    const steps = todo.map((change) => {
      const { service, server, weight } = change;
      const settings = { ...server.settings, weight };
      const step = editServer(service.key, server, settings);
      asked.set(step, change);
      return step;
    });
    await transaction.attempt(() => {
      before?.(todo);
      return Promise.resolve();
    });
    await transaction.stage(steps);
    chosen = await transaction.attempt(pick);
  }
  return transaction.attempt(() =>
    Promise.reject(new TableUnsteady(MOST_ROUNDS)),
  );
}

/** The changes of some steps. A server whose weight was set twice counts as it was before the first time. */
function firstOfEach(
  steps: readonly Step[],
  asked: ReadonlyMap<Step, WeightChange>,
): readonly WeightChange[] {
  const found = new Map<string, WeightChange>();
  for (const step of steps) {
    const change = asked.get(step);
    if (!change) continue;
    const id = idOf(change);
    if (!found.has(id)) found.set(id, change);
  }
  return [...found.values()];
}

/**
 * Removes real servers. If one cannot be removed, those already removed are added again. Their counters then start at zero.
 *
 * @returns the servers that were removed; the others were removed by another program
 * @throws {PlanFailed} if the kernel refuses
 */
export async function removeServers(
  client: PlanClient,
  servers: readonly ServerInTable[],
  { reopen }: Pick<ChangeWeightsOptions, "reopen"> = {},
): Promise<readonly ServerInTable[]> {
  const sender = new ChangeSender(
    client,
    { timeouts: false, daemons: false },
    reopen,
  );
  const transaction = new Transaction(sender, {});
  const steps = servers.map(({ service, server }) =>
    deleteServer(service.key, server),
  );
  await transaction.stage(steps);
  const done = new Set(transaction.done);
  return servers.filter((_, i) => {
    const step = steps[i];
    return step && done.has(step);
  });
}
