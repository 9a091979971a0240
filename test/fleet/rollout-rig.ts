import assert from "node:assert/strict";
import { recordBytes } from "../../src/fleet/record.js";
import { RolloutError, type Rollout } from "../../src/fleet/rollout/rollout.js";
import { runRollout } from "../../src/fleet/rollout/run-rollout.js";
import type { Store } from "../../src/store/store.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { Director, KEYS, NEVER, release, webTable } from "./rig.js";

/** A fleet whose directors work while the rollout waits. */
export class Fleet {
  readonly cluster = new MemoryCluster();
  readonly store = this.cluster.client();
  readonly directors: readonly Director[];
  readonly dead = new Set<string>();
  readonly lines: string[] = [];
  /** The most directors that had a place at the same time */
  mostSlots = 0;
  seconds = 0;
  /** The failures of the store for the rollout */
  trouble: (call: keyof Store) => StoreTrouble | undefined = () => undefined;
  /** Called after the rollout has read a key */
  afterGet: (key: string) => Promise<void> = () => Promise.resolve();
  /** Called after the directors have reported */
  afterWork: () => void = () => undefined;
  /** Called each second */
  tick: () => Promise<void> = () => Promise.resolve();

  constructor(count: number) {
    this.directors = Array.from(
      { length: count },
      (_, i) => new Director(this.cluster, { director: `lb${i + 1}` }),
    );
  }

  /** All directors do what the store wants, and report. */
  async work(): Promise<void> {
    for (const director of this.directors) {
      const { name } = director.agent;
      if (this.dead.has(name)) continue;
      await director.follow();
      const value = recordBytes(director.agent.state);
      this.cluster.commit([], [{ put: KEYS.state(name), value }]);
      this.cluster.commit(
        [],
        [{ put: KEYS.alive(name), value: recordBytes({}) }],
      );
    }
    this.afterWork();
  }

  /** The process of a director ends, and its lease, too. */
  kill(name: string): void {
    this.dead.add(name);
    this.cluster.commit([], [{ remove: KEYS.alive(name) }]);
  }

  rollout(change: Partial<Rollout> = {}): Rollout {
    return {
      table: "web",
      revision: 2,
      waves: ["1", "all"],
      soakSeconds: 3,
      mostUnavailable: 2,
      timeoutSeconds: 30,
      state: "running",
      wave: 0,
      author: "alice",
      at: "2026-01-02T03:04:05.000Z",
      ...change,
    };
  }

  run(rollout = this.rollout(), signal: AbortSignal = NEVER) {
    const store = this.cluster.client((call) => this.trouble(call));
    const get = store.get.bind(store);
    store.get = async (key, options) => {
      const answer = await get(key, options);
      await this.afterGet(key);
      return answer;
    };
    return runRollout(rollout, {
      store,
      keys: KEYS,
      pauses: {
        random: () => 0,
        sleep: async () => {
          this.seconds++;
          this.cluster.pass(1);
          const slots = this.cluster
            .values()
            .filter(({ key }) => key.startsWith(KEYS.slots("web")));
          this.mostSlots = Math.max(this.mostSlots, slots.length - 1);
          await this.tick();
          await this.work();
        },
      },
      clock: () => this.seconds * 1000,
      signal,
      report: (line) => this.lines.push(line),
    });
  }

  /** The number of directors that have a revision. */
  having(revision: number): number {
    return this.directors.filter(
      ({ agent }) => agent.state.applied === revision,
    ).length;
  }
}

/** A fleet that has revision 1, and revision 2 staged. */
export async function staged(count: number): Promise<Fleet> {
  const fleet = new Fleet(count);
  await release(fleet.store, webTable("11", "12"));
  await fleet.work();
  await release(fleet.store, webTable("11", "12", "13"), { release: false });
  await fleet.work();
  assert.equal(fleet.having(1), count);
  return fleet;
}

/** Whether an error says that the rollout stopped. */
export const stopped = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof RolloutError, String(error));
  assert.match(error.detail, pattern);
  return true;
};
