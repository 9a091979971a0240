import type { ServerKey, ServiceKey } from "../../ipvs/model.js";
import type { Table } from "../../ipvs/table.js";
import type { Differences } from "../../plan/compare.js";
import type { CurrentState } from "../../plan/current-state.js";
import { StoreError } from "../../store/store-error.js";
import type { Store, WatchEvent, WatchTarget } from "../../store/store.js";
import {
  type Condition,
  type DirectorState,
  type DrainReport,
  type DriftCounts,
} from "../director-state.js";
import { drains, readDrain, withDrains, type Drain } from "../drain.js";
import { RevisionError } from "../fleet-error.js";
import type { FleetKeys } from "../keys.js";
import { NO_ORDER, readOrder, wantedRevision, type Order } from "../order.js";
import { fetchRevision, readHead, type Head } from "../revision.js";
import { checkedTable } from "../table-text.js";
import {
  applyTable,
  compareWithKernel,
  countDrift,
  type Kernel,
} from "./apply-table.js";
import {
  readCopy,
  textOfCopy,
  type DiskCopy,
  type KeptRevision,
} from "./disk-copy.js";
import { drainReports } from "./drain-reports.js";
import type { AskedExamination } from "./examinations.js";

/** The settings of an agent. */
export interface AgentSettings {
  /** Its name: the CN of its certificate */
  readonly director: string;
  /** The table that it applies */
  readonly table: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Whether it takes back what others change in the kernel's table */
  readonly heals: boolean;
  /** Whether it only reports what it would change */
  readonly dryRun: boolean;
  /** The largest share of the real servers that a revision may remove */
  readonly mostRemovals: number;
  /** Of the program */
  readonly version: string;
}

/** What an agent works with. */
export interface AgentEnvironment {
  readonly store: Store;
  readonly keys: FleetKeys;
  readonly kernel: Kernel;
  /** The file of the disk copy. Text has one character per byte */
  readonly disk: {
    /** Undefined if there is no file */
    read(): string | undefined;
    /** Writes it atomically. @throws if that fails */
    write(text: string): void;
  };
  /** Identifies the boot of this machine */
  readonly bootId: string;
  /** The time as ISO 8601 */
  readonly now: () => string;
  /** Whether somebody drains a real server on this machine with 'ipvsadm drain' */
  readonly isDrainedHere: (service: ServiceKey, server: ServerKey) => boolean;
  /** An expected error in words; undefined for a bug */
  readonly explain: (error: unknown) => string | undefined;
  /** Writes a line for the operator. It may contain text from the store */
  readonly log: (line: string) => void;
}

const NO_DRIFT: DriftCounts = { add: 0, change: 0, remove: 0 };

/** A revision that could not be applied. */
interface FailedRevision {
  readonly revision: number | undefined;
  readonly reason: string;
}

/**
 * Keeps the kernel's table of one director as the store wants it. It has no timers of its own: the caller reads or watches the
 * store, and calls `settle` after each change.
 *
 * It never removes anything because a key is missing: without a pointer, the table stays.
 */
export class Agent {
  readonly #settings: AgentSettings;
  readonly #environment: AgentEnvironment;
  #copy: DiskCopy;
  #head: Head | undefined;
  /** The pointer was deleted, perhaps with all other keys: nothing is changed until it is there again */
  #headMissing = false;
  #order: Order;
  #drains: ReadonlyMap<string, Drain>;
  #failed: FailedRevision | undefined;
  #retries = false;
  #compared = false;
  #drift: DriftCounts = NO_DRIFT;
  #current: CurrentState | undefined;
  /** How often in a row each drain had no connections left */
  #emptyReadings: ReadonlyMap<string, number> = new Map();
  #since: { readonly key: string; readonly at: string };

  constructor(settings: AgentSettings, environment: AgentEnvironment) {
    this.#settings = settings;
    this.#environment = environment;
    this.#copy = this.#load();
    this.#order = { ...NO_ORDER, paused: this.#copy.paused };
    this.#drains = new Map(this.#copy.drains.map((one) => [one.id, one]));
    this.#since = { key: "", at: environment.now() };
  }

  /** The name of the director. */
  get name(): string {
    return this.#settings.director;
  }

  /** What the store must report to this agent. */
  get targets(): WatchTarget[] {
    const { keys } = this.#environment;
    const { table, director } = this.#settings;
    return [
      { key: keys.head(table) },
      { key: keys.order(director) },
      { prefix: keys.drains },
    ];
  }

  /**
   * Applies the disk copy if the kernel's table is not what was applied last: after a reboot, and if the agent ended in the
   * middle of a change. Needs no store.
   */
  async start(signal: AbortSignal): Promise<void> {
    const { bootId, current, candidate } = this.#copy;
    const rebooted = bootId !== this.#environment.bootId;
    const wasInterrupted = candidate !== undefined;
    if (this.#settings.dryRun || !(rebooted || wasInterrupted)) return;
    if (candidate && (await this.#apply(candidate, signal))) return;
    if (current) await this.#apply(current, signal);
  }

  /** Reads what the store wants. @returns the revision of the store @throws {StoreError} */
  async read(signal: AbortSignal): Promise<bigint> {
    const { store, keys } = this.#environment;
    const { table, director } = this.#settings;
    // The earliest revision: a watch from there misses nothing.
    const head = await store.get(keys.head(table), { signal });
    const order = await store.get(keys.order(director), { signal });
    const found = await store.range(keys.drains, { signal });
    this.take([{ key: keys.head(table), value: head.found }]);
    if (head.found) {
      this.take([{ key: keys.order(director), value: order.found }]);
      this.#drains = new Map();
      this.take(found.found.map((value) => ({ key: value.key, value })));
    }
    return head.revision;
  }

  /** Takes over changes of the store. A malformed record is logged, and changes nothing. */
  take(events: readonly WatchEvent[]): void {
    const { keys } = this.#environment;
    const { table, director } = this.#settings;
    for (const { key, value } of events)
      try {
        if (key === keys.head(table)) {
          this.#headMissing = value === undefined;
          if (value) this.#head = readHead(value);
        }
        if (key === keys.order(director))
          this.#order = value ? readOrder(value) : NO_ORDER;
        if (key.startsWith(keys.drains)) this.#takeDrain(key, value);
      } catch (error) {
        this.#logExpected(error);
      }
  }

  #takeDrain(key: string, value: WatchEvent["value"]): void {
    const id = key.slice(this.#environment.keys.drains.length);
    const drains = new Map(this.#drains);
    if (value) drains.set(id, readDrain(value));
    else drains.delete(id);
    this.#drains = drains;
  }

  /** Tries a failed revision once more at the next call of settle(). */
  retry(): void {
    this.#retries = this.#failed !== undefined;
  }

  /** Whether the next call of settle() fetches a revision from the store. */
  get mustFetch(): boolean {
    if (this.#headMissing) return false;
    const wanted = this.#wanted;
    if (wanted === undefined || this.#isCurrent(wanted)) return false;
    return this.#failed?.revision !== wanted || this.#retries;
  }

  /** Does what the store wants. @throws {StoreError} a revision could not be fetched; the table stays */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#headMissing) return;
    const wanted = this.#wanted;
    if (wanted !== undefined && this.mustFetch) {
      this.#retries = false;
      const kept = await this.#fetch(wanted, signal);
      if (kept && (await this.#apply(kept, signal))) return;
    } else if (wanted === undefined || this.#isCurrent(wanted)) {
      if (this.#failed?.revision !== undefined) this.#failed = undefined;
    }
    const changed =
      this.#drainsChanged() || this.#order.paused !== this.#copy.paused;
    if (!changed || (await this.#pointerIsGone(signal))) return;
    await this.#applyDrains(signal);
  }

  /** If all keys are deleted at once, the watch may report drains and the order before the pointer. @throws {StoreError} */
  async #pointerIsGone(signal: AbortSignal): Promise<boolean> {
    const { store, keys } = this.#environment;
    if (!this.#head) return false;
    const head = await store.get(keys.head(this.#settings.table), { signal });
    this.#headMissing = head.found === undefined;
    return this.#headMissing;
  }

  /** Reads the kernel's table again, and reports or takes back what others changed. */
  async lookForDrift(signal: AbortSignal): Promise<void> {
    const { current } = this.#copy;
    const { heals, dryRun } = this.#settings;
    await this.#guarded(undefined, async () => {
      const desired = current && (await this.#desired(current, this.#drains));
      await this.#compare(desired);
      const { add, change, remove } = this.#drift;
      const heal =
        heals && !dryRun && !this.#order.paused && !this.#headMissing;
      if (!current || !desired || !heal || add + change + remove === 0) return;
      this.#environment.log(
        `healing: ${add} to add, ${change} to change, ${remove} to remove`,
      );
      const { permits, mostRemovals } = this.#limits(current);
      const { kernel } = this.#environment;
      await applyTable(kernel, desired, {
        permits,
        mostRemovals,
        dryRun,
        signal,
      });
      await this.#compare(desired);
    });
  }

  /** What the kernel's table had at the last reading. */
  get traffic(): CurrentState | undefined {
    return this.#current;
  }

  /** What the director reports. */
  get state(): DirectorState {
    const { table, labels, dryRun, heals, version } = this.#settings;
    const { current } = this.#copy;
    const condition = this.#condition;
    const wanted = this.#wanted ?? current?.revision;
    const applied = current?.table === table ? current.revision : undefined;
    const key = `${condition} ${wanted ?? ""} ${applied ?? ""}`;
    if (key !== this.#since.key)
      this.#since = { key, at: this.#environment.now() };
    return {
      table,
      labels,
      condition,
      reason: this.#reason(condition),
      wanted,
      applied,
      sha256: applied === undefined ? undefined : current?.sha256,
      paused: this.#order.paused,
      dryRun,
      heals,
      drift: this.#drift,
      drains: this.#drainReports(),
      since: this.#since.at,
      version,
    };
  }

  /** What a rollout wants to know of the applied revision. */
  get examination(): AskedExamination | undefined {
    const { wanted } = this.#order;
    if (!wanted?.examine || wanted.table !== this.#settings.table)
      return undefined;
    if (this.#settings.dryRun || !this.#isCurrent(wanted.revision))
      return undefined;
    return { ...wanted.examine, revision: wanted.revision };
  }

  /** Whether a drained server still has connections. */
  get isDraining(): boolean {
    return this.#drainReports().some(({ state }) => state === "busy");
  }

  /** A server counts as empty after two readings: a connection that is being opened is not seen. */
  #drainReports(): DrainReport[] {
    return drainReports([...this.#drains.values()], this.#current).map((one) =>
      one.state === "empty" && (this.#emptyReadings.get(one.id) ?? 0) < 2
        ? { ...one, state: "busy" }
        : one,
    );
  }

  #countEmptyReadings(): void {
    const reports = drainReports([...this.#drains.values()], this.#current);
    this.#emptyReadings = new Map(
      reports.map(({ id, state }) => [
        id,
        state === "empty" ? (this.#emptyReadings.get(id) ?? 0) + 1 : 0,
      ]),
    );
  }

  get #condition(): Condition {
    if (this.#failed) return "failed";
    if (!this.#copy.current) return this.#head ? "starting" : "waiting";
    if (!this.#compared) return "starting";
    const { add, change, remove } = this.#drift;
    return add + change + remove > 0 ? "drifting" : "ok";
  }

  #reason(condition: Condition): string | undefined {
    if (condition === "failed") return this.#failed?.reason;
    if (condition === "waiting")
      return `table ${this.#settings.table} has no released revision`;
    return undefined;
  }

  get #wanted(): number | undefined {
    return wantedRevision(this.#settings.table, this.#head, this.#order);
  }

  #isCurrent(wanted: number): boolean {
    const { current } = this.#copy;
    return (
      current?.table === this.#settings.table && current.revision === wanted
    );
  }

  /** @returns undefined if the revision is damaged or malformed: then it counts as failed @throws {StoreError} */
  async #fetch(
    wanted: number,
    signal: AbortSignal,
  ): Promise<KeptRevision | undefined> {
    const { store, keys } = this.#environment;
    const { table } = this.#settings;
    let kept: KeptRevision | undefined;
    await this.#guarded(wanted, async () => {
      const { revision, text } = await fetchRevision(
        store,
        keys,
        table,
        wanted,
        {
          signal,
        },
      );
      const { sha256, force, allowEmpty } = revision;
      kept = { table, revision: wanted, sha256, force, allowEmpty, text };
    });
    return kept;
  }

  /** Applies a revision. The disk copy tells at each moment what was begun. @returns whether it succeeded */
  async #apply(kept: KeptRevision, signal: AbortSignal): Promise<boolean> {
    const { kernel, log } = this.#environment;
    const { dryRun } = this.#settings;
    const before = this.#copy;
    const drains = this.#drains;
    const succeeded = await this.#guarded(kept.revision, async () => {
      const desired = await this.#desired(kept, drains);
      if (!dryRun) this.#save({ ...before, candidate: kept });
      const { changed, remaining } = await applyTable(kernel, desired, {
        ...this.#limits(kept),
        dryRun,
        signal,
      });
      this.#drift = countDrift(remaining);
      if (!dryRun) {
        log(
          `revision ${kept.revision} of table ${kept.table}: ${changed ? "applied" : "already up to date"}`,
        );
        this.#save({
          ...this.#copyNow(drains),
          current: kept,
          candidate: undefined,
        });
      }
      await this.#compare(desired);
    });
    if (succeeded) this.#failed = undefined;
    else if (!dryRun) this.#dropCandidate(before);
    // In a dry run nothing was applied, so that drift is compared with what a run would apply.
    if (succeeded && dryRun)
      this.#copy = { ...this.#copyNow(drains), current: kept };
    return succeeded;
  }

  /** The table is as before the attempt. If the file cannot be written, the next start tries the revision again. */
  #dropCandidate(before: DiskCopy): void {
    try {
      if (this.#copy.candidate) this.#save({ ...before, candidate: undefined });
    } catch (error) {
      this.#logExpected(error);
    }
  }

  /** Changes only the weights of real servers whose drain began or ended. Other drift stays as it is. */
  async #applyDrains(signal: AbortSignal): Promise<void> {
    const { kernel } = this.#environment;
    const { dryRun } = this.#settings;
    const { current } = this.#copy;
    const drains = this.#drains;
    const both = [...this.#copy.drains, ...drains.values()];
    await this.#guarded(undefined, async () => {
      if (current) {
        const desired = await this.#desired(current, drains);
        await applyTable(kernel, desired, {
          ...this.#limits(current),
          select: (differences) => onlyWeights(differences, both),
          dryRun,
          signal,
        });
        await this.#compare(desired);
      }
      const copy = this.#copyNow(drains);
      if (dryRun) this.#copy = copy;
      else this.#save(copy);
    });
  }

  #drainsChanged(): boolean {
    const kept = this.#copy.drains;
    return (
      kept.length !== this.#drains.size ||
      kept.some(({ id }) => !this.#drains.has(id))
    );
  }

  /** The table of a revision, with weight 0 for what is drained. @throws {RevisionError} it has errors */
  async #desired(
    { table, revision, text }: KeptRevision,
    all: ReadonlyMap<string, Drain>,
  ): Promise<Table> {
    const file = await checkedTable(table, text);
    const [first] = file.errors;
    if (first)
      throw new RevisionError(
        "damaged",
        `revision ${revision} of table ${table} has errors: ${first.message}`,
      );
    const { isDrainedHere } = this.#environment;
    return withDrains(
      file.table,
      (service, server) =>
        [...all.values()].some((one) => drains(one, service, server)) ||
        isDrainedHere(service, server),
    );
  }

  /** @param desired undefined: there is nothing to compare with */
  async #compare(desired: Table | undefined): Promise<void> {
    const client = await this.#environment.kernel.open();
    if (!desired) {
      this.#current = { services: await client.table() };
      this.#drift = NO_DRIFT;
      this.#countEmptyReadings();
      return;
    }
    const { current, differences } = await compareWithKernel(client, desired);
    this.#current = current;
    this.#drift = countDrift(differences);
    this.#compared = true;
    this.#countEmptyReadings();
  }

  #limits({ force, allowEmpty }: KeptRevision) {
    const { mostRemovals } = this.#settings;
    return { permits: { force, allowEmpty }, mostRemovals };
  }

  /** Does something that may fail. @returns whether it succeeded @throws {StoreError} and errors that are bugs */
  async #guarded(
    revision: number | undefined,
    act: () => Promise<void>,
  ): Promise<boolean> {
    try {
      await act();
      // A failure without a revision was one of the kernel or of the disk.
      if (this.#failed?.revision === undefined) this.#failed = undefined;
      return true;
    } catch (error) {
      if (error instanceof StoreError) throw error;
      const reason = this.#environment.explain(error);
      if (reason === undefined) throw error;
      this.#environment.kernel.reset();
      const known = this.#failed?.reason === reason;
      this.#failed = { revision, reason };
      if (!known) this.#environment.log(reason);
      return false;
    }
  }

  #logExpected(error: unknown): void {
    const reason = this.#environment.explain(error);
    if (reason === undefined) throw error;
    this.#environment.log(reason);
  }

  /** What the disk copy must contain now. */
  #copyNow(drains: ReadonlyMap<string, Drain>): DiskCopy {
    return {
      ...this.#copy,
      bootId: this.#environment.bootId,
      drains: [...drains.values()],
      paused: this.#order.paused,
    };
  }

  #save(copy: DiskCopy): void {
    this.#environment.disk.write(textOfCopy(copy));
    this.#copy = copy;
  }

  /** A damaged file is logged and ignored: the store has all that it contained. */
  #load(): DiskCopy {
    const empty = {
      bootId: this.#environment.bootId,
      drains: [],
      paused: false,
    };
    try {
      const text = this.#environment.disk.read();
      return text === undefined ? empty : readCopy("the disk copy", text);
    } catch (error) {
      this.#logExpected(error);
      return empty;
    }
  }
}

/** Reduces differences to the weights of the real servers of some drains. */
function onlyWeights(
  { services }: Differences,
  all: readonly Drain[],
): Differences {
  return {
    timeouts: undefined,
    daemons: [],
    services: services.flatMap((one) => {
      if (one.kind !== "change") return [];
      const servers = one.servers.flatMap((server) => {
        if (server.kind !== "change") return [];
        const { key, settings } = server.server;
        const concerned = all.some((drain) =>
          drains(drain, one.service.key, key),
        );
        if (!concerned || server.to.weight === settings.weight) return [];
        return [{ ...server, to: { ...settings, weight: server.to.weight } }];
      });
      return servers.length > 0 ? [{ ...one, to: undefined, servers }] : [];
    }),
  };
}
