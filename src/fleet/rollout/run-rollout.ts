import type { Pauses } from "../../store/backoff.js";
import type {
  Condition,
  Store,
  StoreChange,
  StoredValue,
} from "../../store/store.js";
import { StoreRecordFault } from "../fleet-error.js";
import { readFleet, type DirectorReport } from "../fleet-report.js";
import type { FleetKeys } from "../keys.js";
import { NO_ORDER, readOrder } from "../order.js";
import { recordBytes } from "../record.js";
import { repeatWrite, untilCommitted } from "../repeat-write.js";
import { readHead } from "../revision.js";
import { updateOrder } from "../update-order.js";
import { GateKeeper } from "./gate-keeper.js";
import { readRollout, RolloutError, type Rollout } from "./rollout.js";
import { divideIntoWaves } from "./waves.js";

const POLL_MILLISECONDS = 1000;
/** The rollout's places end so long after its process. */
const LEASE_SECONDS = 30;
/** A director can report a text of any length. */
const LONGEST_REASON = 1000;

export interface RolloutEnvironment {
  readonly store: Store;
  readonly keys: FleetKeys;
  readonly pauses: Pauses;
  /** Milliseconds since an arbitrary moment */
  readonly clock: () => number;
  /** Ends the rollout. The directors keep what they have */
  readonly signal: AbortSignal;
  /** Called for each thing that happens. The line may contain text from the store */
  readonly report: (line: string) => void;
}

/**
 * Carries out a rollout, wave by wave, until it is done. It can be repeated after its process ended: directors that have the
 * revision are not changed again.
 *
 * @throws {RolloutError} it stopped: a director failed, drifts or is silent, an operator aborted it, or another process
 *   carries it out
 * @throws {StoreError} {ContendedKey}
 */
export async function runRollout(
  rollout: Rollout,
  environment: RolloutEnvironment,
): Promise<void> {
  const run = new Run(rollout, environment);
  try {
    await run.begin();
    await run.waves();
    await run.finish();
  } finally {
    await run.leave();
  }
}

/** A director whose change is going on. */
interface Updating {
  readonly slot: number;
  /** On the clock that stops during a pause */
  readonly since: number;
}

class Run {
  #rollout: Rollout;
  readonly #environment: RolloutEnvironment;
  #lease = 0n;
  /** The revision of the key that says that this process carries out the rollout */
  #held = 0n;
  #renewedAt = 0;
  /** How long an operator has paused the rollout */
  #pausedMilliseconds = 0;
  readonly #updating = new Map<string, Updating>();
  /** Directors that this rollout has changed */
  readonly #changed = new Set<string>();
  readonly #gates: GateKeeper;

  constructor(rollout: Rollout, environment: RolloutEnvironment) {
    this.#rollout = rollout;
    this.#environment = environment;
    this.#gates = new GateKeeper(rollout);
  }

  /** Becomes the process that carries out the rollout. */
  async begin(): Promise<void> {
    const { store, keys } = this.#environment;
    const { table, author } = this.#rollout;
    this.#lease = await store.grantLease(LEASE_SECONDS);
    this.#renewedAt = this.#environment.clock();
    const key = keys.rolloutHolder(table);
    const value = recordBytes({ author });
    await this.#noteReleased();
    this.#held = await untilCommitted(keys.rollout(table), async () => {
      const { found } = await store.get(keys.rollout(table));
      this.#checkStillWanted(found);
      await repeatWrite(() =>
        store.commit(
          [
            { key, revision: 0n },
            { key: keys.rollout(table), revision: found?.revision ?? 0n },
          ],
          [
            { put: key, value, lease: this.#lease },
            { put: keys.rollout(table), value: recordBytes(this.#rollout) },
          ],
        ),
      );
      // Not the answer: an earlier one may have been lost.
      const holder = await store.get(key);
      if (holder.found?.lease === this.#lease) return holder.found.revision;
      if (holder.found)
        throw new RolloutError(
          `another process carries out a rollout of table ${table}`,
          "'pause' or 'abort' stops it",
        );
      return undefined;
    });
    this.#gates.judgeFrom(this.#held);
  }

  /** A rollout that is continued knows what was released when it began. */
  async #noteReleased(): Promise<void> {
    const { store, keys } = this.#environment;
    if (this.#rollout.releasedBefore !== undefined) return;
    const { found } = await store.get(keys.head(this.#rollout.table));
    const releasedBefore = found ? readHead(found).released : 0;
    this.#rollout = { ...this.#rollout, releasedBefore };
  }

  /** A rollout that is continued may have been paused or aborted just now. */
  #checkStillWanted(found: StoredValue | undefined): void {
    if (!found) return;
    const { at, state } = readRollout(found);
    if (at === this.#rollout.at && state !== "running")
      throw new RolloutError(`the rollout was ${state}`);
  }

  /** Makes changes if this process still carries out the rollout. @returns whether the conditions were met */
  async #commit(
    conditions: readonly Condition[],
    changes: readonly StoreChange[],
  ): Promise<boolean> {
    const { store, keys } = this.#environment;
    const key = keys.rolloutHolder(this.#rollout.table);
    // After a lost answer, the conditions are not met, and the caller reads again.
    const { succeeded } = await repeatWrite(() =>
      store.commit([{ key, revision: this.#held }, ...conditions], changes),
    );
    if (succeeded) return true;
    const { found } = await store.get(key);
    if (found?.revision !== this.#held) throw leaseEnded();
    return false;
  }

  async waves(): Promise<void> {
    const { waves, table, revision } = this.#rollout;
    const members = (await this.#directors()).map(({ name, state }) => ({
      name,
      labels: state?.labels ?? {},
    }));
    for (const [i, wave] of divideIntoWaves(waves, members).entries()) {
      await this.#save({ wave: i + 1 });
      this.#environment.report(
        `wave ${i + 1} of ${waves.length} (${waves[i] ?? ""}): revision ${revision} of table ${table}; directors: ${wave.length}`,
      );
      await this.#carryOut(wave.map(({ name }) => name));
      if (wave.length > 0) await this.#soak();
    }
  }

  /** Releases the revision: the directors need no orders any more. */
  async finish(): Promise<void> {
    const { store, keys, report } = this.#environment;
    const { table, revision, releasedBefore } = this.#rollout;
    const key = keys.head(table);
    await untilCommitted(key, async () => {
      const { found } = await store.get(key);
      if (!found) throw new RolloutError(`there is no table ${table}`);
      const before = readHead(found);
      if (before.released !== releasedBefore && before.released !== revision)
        await this.#fail(
          `revision ${before.released} was released meanwhile`,
          `'abort' gives all directors revision ${before.released}`,
        );
      const head = { ...before, released: revision };
      // An operator who aborts the rollout at this moment wins.
      const running = await this.#obey();
      const released = await this.#commit(
        [
          { key, revision: found.revision },
          { key: keys.rollout(table), revision: running },
        ],
        [{ put: key, value: recordBytes(head) }],
      );
      return released || undefined;
    });
    const malformed = await clearOrders(store, keys, table);
    for (const name of malformed) report(`${name}: ${MALFORMED_ORDER}`);
    await this.#save({ state: "done" });
    report(`done: revision ${revision} of table ${table} is released`);
  }

  /** Gives the places back. */
  async leave(): Promise<void> {
    if (this.#lease === 0n) return;
    try {
      await this.#environment.store.revokeLease(this.#lease);
    } catch {
      // The lease ends by itself.
    }
  }

  /** Gives the directors of a wave the revision, at most so many at a time. */
  async #carryOut(names: readonly string[]): Promise<void> {
    const waiting = [...names];
    for (;;) {
      const directors = await this.#check();
      for (const director of directors)
        if (this.#updating.has(director.name) && this.#has(director))
          await this.#completed(director.name);
      while (
        waiting.length > 0 &&
        this.#updating.size < this.#rollout.mostUnavailable
      ) {
        const name = waiting.shift() ?? "";
        const director = directors.find((one) => one.name === name);
        if (director && this.#has(director)) this.#changed.add(name);
        else await this.#update(name);
      }
      if (waiting.length === 0 && this.#updating.size === 0) return;
      await this.#pause();
    }
  }

  /** Watches the changed directors for a while. */
  async #soak(): Promise<void> {
    const { soakSeconds, timeoutSeconds } = this.#rollout;
    const end = this.#now + soakSeconds * 1000;
    const first = await this.#check();
    while (this.#now < end) {
      await this.#pause();
      await this.#check();
    }
    if (soakSeconds === 0) return;
    for (;;) {
      const directors = await this.#check();
      const late = this.#gates.withoutNewReport(
        this.#changed,
        first,
        directors,
      );
      if (late === undefined) return;
      if (this.#now - end > timeoutSeconds * 1000)
        await this.#fail(`${late} ${this.#gates.missingText(timeoutSeconds)}`);
      await this.#pause();
    }
  }

  /** Whether a director has the revision, and was examined if that is asked for. */
  #has(director: DirectorReport): boolean {
    return this.#applied(director) && this.#gates.hasReport(director);
  }

  #applied({ state, verdict, wanted }: DirectorReport): boolean {
    const { revision } = this.#rollout;
    return (
      verdict === "ok" && state?.applied === revision && wanted === revision
    );
  }

  /** Takes a place, and orders a director to apply the revision. */
  async #update(name: string): Promise<void> {
    const { store, keys, report } = this.#environment;
    const { table, revision } = this.#rollout;
    const key = keys.order(name);
    const used = new Set([...this.#updating.values()].map(({ slot }) => slot));
    let slot = 0;
    while (used.has(slot)) slot++;
    await untilCommitted(key, async () => {
      const { found } = await store.get(key);
      const order = found ? readOrder(found) : NO_ORDER;
      // An operator who pauses or aborts the rollout at this moment wins.
      const running = await this.#obey();
      const succeeded = await this.#commit(
        [
          { key, revision: found?.revision ?? 0n },
          { key: keys.rollout(table), revision: running },
        ],
        [
          {
            put: keys.slot(table, slot),
            value: recordBytes({ director: name }),
            lease: this.#lease,
          },
          {
            put: key,
            value: recordBytes({
              ...order,
              wanted: { table, revision, examine: this.#gates.request },
            }),
          },
        ],
      );
      return succeeded || undefined;
    });
    this.#updating.set(name, { slot, since: this.#now });
    this.#changed.add(name);
    report(`${name}: changing`);
  }

  async #completed(name: string): Promise<void> {
    const { keys, report } = this.#environment;
    const updating = this.#updating.get(name);
    if (!updating) return;
    await this.#commit(
      [],
      [{ remove: keys.slot(this.#rollout.table, updating.slot) }],
    );
    this.#updating.delete(name);
    report(`${name}: ok`);
  }

  /** Reads all directors, and stops at the first one that is not as it should be. */
  async #check(): Promise<DirectorReport[]> {
    await this.#renew();
    await this.#obey();
    const directors = await this.#directors();
    for (const name of this.#changed) {
      const director = directors.find((one) => one.name === name);
      const reason = this.#faultOf(name, director);
      if (reason !== undefined) await this.#fail(`${name} ${reason}`);
    }
    return directors;
  }

  /** What is wrong with a changed director; undefined if nothing is. */
  #faultOf(
    name: string,
    director: DirectorReport | undefined,
  ): string | undefined {
    const { revision, timeoutSeconds } = this.#rollout;
    if (!director) return "is gone";
    const { verdict, state, reason } = director;
    if (verdict === "silent") return "is silent";
    if (verdict === "paused") return "was paused";
    const since = this.#updating.get(name)?.since;
    // Until the director has seen the order, its state is that of the revision before.
    const isCurrent = state?.wanted === revision;
    if (verdict === "failed" && isCurrent)
      return `failed: ${reason ?? "no reason given"}`;
    const fault = this.#gates.faultOf(director);
    if (fault !== undefined) return fault;
    if (since === undefined) {
      if (verdict === "drifting") return "is drifting";
      return verdict === "ok" ? undefined : `is ${verdict}`;
    }
    const seconds = (this.#now - since) / 1000;
    if (seconds <= timeoutSeconds || this.#has(director)) return undefined;
    return this.#applied(director)
      ? this.#gates.missingText(timeoutSeconds)
      : `has not applied the revision within ${timeoutSeconds} s`;
  }

  /** The directors of the table that report and are not paused, and those that were changed. */
  async #directors(): Promise<DirectorReport[]> {
    const { store, keys } = this.#environment;
    const { directors } = await readFleet(store, keys);
    return directors.filter(
      ({ name, state, verdict }) =>
        this.#changed.has(name) ||
        (state?.table === this.#rollout.table &&
          verdict !== "silent" &&
          verdict !== "paused"),
    );
  }

  /** Waits while the rollout is paused; stops if it was aborted. @returns the revision of its key */
  async #obey(): Promise<bigint> {
    const { store, keys, clock, report, signal } = this.#environment;
    let pausedAt: number | undefined;
    for (;;) {
      if (signal.aborted)
        throw new RolloutError(
          "interrupted: the directors keep what they have",
          "'resume' continues, 'abort' gives all the released revision",
        );
      const { found } = await store.get(keys.rollout(this.#rollout.table));
      const state = found && readRollout(found).state;
      if (found && state === "running") {
        if (pausedAt === undefined) return found.revision;
        this.#pausedMilliseconds += clock() - pausedAt;
        this.#gates.judgeFrom(found.revision);
        return found.revision;
      }
      if (state !== "paused")
        throw new RolloutError(`the rollout was ${state ?? "deleted"}`);
      if (pausedAt === undefined) report("paused");
      pausedAt ??= clock();
      await this.#pause();
      await this.#renew();
    }
  }

  async #fail(
    text: string,
    advice = "'resume' tries again, 'abort' gives all directors the released revision",
  ): Promise<never> {
    const reason =
      text.length > LONGEST_REASON ? `${text.slice(0, LONGEST_REASON)}…` : text;
    await this.#save({ state: "failed", reason });
    throw new RolloutError(`stopped: ${reason}`, advice);
  }

  /** Milliseconds on a clock that stops while the rollout is paused. */
  get #now(): number {
    return this.#environment.clock() - this.#pausedMilliseconds;
  }

  /** The places are only ours as long as the lease is. */
  async #renew(): Promise<void> {
    const { store, clock } = this.#environment;
    if (clock() - this.#renewedAt < (LEASE_SECONDS * 1000) / 3) return;
    if (!(await store.keepLeaseAlive(this.#lease))) throw leaseEnded();
    this.#renewedAt = clock();
  }

  async #save(change: Partial<Rollout>): Promise<void> {
    const { store, keys } = this.#environment;
    const key = keys.rollout(this.#rollout.table);
    // Somebody may pause or abort it at the same time: that wins.
    this.#rollout = await untilCommitted(key, async () => {
      const { found } = await store.get(key);
      const stored = found ? readRollout(found).state : "aborted";
      const state = stored === "running" ? (change.state ?? "running") : stored;
      const rollout = { ...this.#rollout, ...change, state };
      const succeeded = await this.#commit(
        [{ key, revision: found?.revision ?? 0n }],
        [{ put: key, value: recordBytes(rollout) }],
      );
      return succeeded ? rollout : undefined;
    });
  }

  async #pause(): Promise<void> {
    const { pauses, signal } = this.#environment;
    await pauses.sleep(POLL_MILLISECONDS, signal);
  }
}

function leaseEnded(): RolloutError {
  return new RolloutError(
    "the lease of the rollout has ended: the directors keep what they have",
    "'resume' continues",
  );
}

/** What is said of a director that clearOrders() leaves out. */
export const MALFORMED_ORDER = "its order is malformed, and stays as it is";

/**
 * Lets all directors of a table apply the released revision.
 *
 * @returns the directors whose orders are malformed. They are left as they are
 * @throws {StoreError} {ContendedKey}
 */
export async function clearOrders(
  store: Store,
  keys: FleetKeys,
  table: string,
): Promise<string[]> {
  const { found } = await store.range(keys.orders);
  const malformed: string[] = [];
  for (const value of found) {
    const director = value.key.slice(keys.orders.length);
    try {
      if (readOrder(value).wanted?.table !== table) continue;
      await updateOrder(store, keys, director, ({ wanted, ...rest }) =>
        wanted?.table === table ? rest : { ...rest, wanted },
      );
    } catch (error) {
      if (!(error instanceof StoreRecordFault)) throw error;
      malformed.push(director);
    }
  }
  return malformed;
}

/**
 * Changes the state of a stored rollout.
 *
 * @returns the rollout as stored
 * @throws {RolloutError} there is none, or it is not in one of these states
 * @throws {StoreError} {ContendedKey}
 */
export async function changeRollout(
  store: Store,
  keys: FleetKeys,
  table: string,
  from: readonly Rollout["state"][],
  state: Rollout["state"],
): Promise<Rollout> {
  const key = keys.rollout(table);
  let written: Rollout | undefined;
  return untilCommitted(key, async () => {
    const { found } = await store.get(key);
    if (!found) throw new RolloutError(`there is no rollout of table ${table}`);
    const rollout = readRollout(found);
    // The answer to an earlier attempt was lost.
    if (written?.at === rollout.at && rollout.state === state) return rollout;
    if (!from.includes(rollout.state))
      throw new RolloutError(
        `the rollout of table ${table} is ${rollout.state}`,
      );
    const changed = { ...rollout, state, reason: undefined };
    written = changed;
    const { succeeded } = await repeatWrite(() =>
      store.commit(
        [{ key, revision: found.revision }],
        [{ put: key, value: recordBytes(changed) }],
      ),
    );
    return succeeded ? changed : undefined;
  });
}
