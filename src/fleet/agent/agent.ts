import type { ServerKey, ServiceKey } from "../../ipvs/model.js";
import type { Table } from "../../ipvs/table.js";
import type { CurrentState } from "../../plan/current-state.js";
import { StoreError } from "../../store/store-error.js";
import type { WatchEvent, WatchTarget } from "../../store/store.js";
import type { Condition, DirectorState } from "../director-state.js";
import { drains, withDrains, type Drain } from "../drain.js";
import { RevisionError } from "../fleet-error.js";
import type { RemovalLimits } from "../removals.js";
import { fetchRevision } from "../revision.js";
import { checkedTable } from "../table-text.js";
import type { AgentEnvironment, AgentSettings } from "./agent-environment.js";
import { applyTable } from "./apply-table.js";
import { CopyKeeper, type DiskCopy, type KeptRevision } from "./disk-copy.js";
import { onlyWeights } from "./drain-weights.js";
import type { AskedExamination } from "./examinations.js";
import { KernelReadings } from "./kernel-readings.js";
import { Wishes } from "./wishes.js";

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
  readonly #keeper: CopyKeeper;
  readonly #wishes: Wishes;
  readonly #readings = new KernelReadings();
  #failed: FailedRevision | undefined;
  #retries = false;
  /** The last revision that was parsed: parsing a large table takes three times as long as comparing it */
  #parsed: { readonly kept: KeptRevision; readonly table: Table } | undefined;
  #since: { readonly key: string; readonly at: string };

  constructor(settings: AgentSettings, environment: AgentEnvironment) {
    this.#settings = settings;
    this.#environment = environment;
    const logFault = (error: unknown) => {
      this.#logExpected(error);
    };
    this.#keeper = new CopyKeeper(environment, logFault);
    this.#wishes = new Wishes(
      settings,
      environment,
      this.#keeper.copy,
      logFault,
    );
    this.#since = { key: "", at: environment.now() };
  }

  /** The name of the director. */
  get name(): string {
    return this.#settings.director;
  }

  /** What the store must report to this agent. */
  get targets(): WatchTarget[] {
    return this.#wishes.targets;
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
  read(signal: AbortSignal): Promise<bigint> {
    return this.#wishes.read(signal);
  }

  /** Takes over changes of the store. A malformed record is logged, and changes nothing. */
  take(events: readonly WatchEvent[]): void {
    this.#wishes.take(events);
  }

  /** Tries a failed revision once more at the next call of settle(). */
  retry(): void {
    this.#retries = this.#failed !== undefined;
  }

  /** Whether the next call of settle() fetches a revision from the store. */
  get mustFetch(): boolean {
    if (this.#wishes.headMissing) return false;
    const wanted = this.#wishes.revision;
    if (wanted === undefined || this.#isCurrent(wanted)) return false;
    return this.#failed?.revision !== wanted || this.#retries;
  }

  /** Does what the store wants. @throws {StoreError} a revision could not be fetched; the table stays */
  async settle(signal: AbortSignal): Promise<void> {
    if (this.#wishes.headMissing) return;
    const wanted = this.#wishes.revision;
    if (wanted !== undefined && this.mustFetch) {
      this.#retries = false;
      const kept = await this.#fetch(wanted, signal);
      if (kept && (await this.#apply(kept, signal))) return;
    } else if (wanted === undefined || this.#isCurrent(wanted)) {
      if (this.#failed?.revision !== undefined) this.#failed = undefined;
    }
    const changed =
      this.#drainsChanged() || this.#wishes.order.paused !== this.#copy.paused;
    if (!changed || (await this.#wishes.pointerIsGone(signal))) return;
    await this.#applyDrains(signal);
  }

  /** Reads the kernel's table again, and reports or takes back what others changed. */
  async lookForDrift(signal: AbortSignal): Promise<void> {
    const { current } = this.#copy;
    const { heals, dryRun } = this.#settings;
    await this.#guarded(undefined, async () => {
      const { drains } = this.#wishes;
      const desired = current && (await this.#desired(current, drains));
      await this.#compare(desired);
      const { add, change, remove } = this.#readings.drift;
      const heal =
        heals &&
        !dryRun &&
        !this.#wishes.order.paused &&
        !this.#wishes.headMissing;
      if (!current || !desired || !heal || !this.#readings.drifts) return;
      this.#environment.log(
        `healing: ${add} to add, ${change} to change, ${remove} to remove`,
      );
      const { kernel } = this.#environment;
      await applyTable(kernel, desired, {
        limits: this.#limits(current, drains),
        dryRun,
        signal,
      });
      await this.#compare(desired);
    });
  }

  /** What the kernel's table had at the last reading. */
  get traffic(): CurrentState | undefined {
    return this.#readings.current;
  }

  /** What the director reports. */
  get state(): DirectorState {
    const { table, labels, dryRun, heals, version } = this.#settings;
    const { current } = this.#copy;
    const condition = this.#condition;
    const wanted = this.#wishes.revision ?? current?.revision;
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
      paused: this.#wishes.order.paused,
      dryRun,
      heals,
      drift: this.#readings.drift,
      drains: this.#readings.reports(this.#drains),
      since: this.#since.at,
      version,
    };
  }

  /** What a rollout wants to know of the applied revision. */
  get examination(): AskedExamination | undefined {
    const { wanted } = this.#wishes.order;
    if (!wanted?.examine || wanted.table !== this.#settings.table)
      return undefined;
    if (this.#settings.dryRun || !this.#isCurrent(wanted.revision))
      return undefined;
    return { ...wanted.examine, revision: wanted.revision };
  }

  /** Whether a drained server still has connections. */
  get isDraining(): boolean {
    return this.#readings
      .reports(this.#drains)
      .some(({ state }) => state === "busy");
  }

  get #drains(): Drain[] {
    return [...this.#wishes.drains.values()];
  }

  get #condition(): Condition {
    if (this.#failed) return "failed";
    if (!this.#copy.current)
      return this.#wishes.hasHead ? "starting" : "waiting";
    if (!this.#readings.compared) return "starting";
    return this.#readings.drifts ? "drifting" : "ok";
  }

  #reason(condition: Condition): string | undefined {
    if (condition === "failed") return this.#failed?.reason;
    if (condition === "waiting")
      return `table ${this.#settings.table} has no released revision`;
    return undefined;
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
    const { drains } = this.#wishes;
    const succeeded = await this.#guarded(kept.revision, async () => {
      const desired = await this.#desired(kept, drains);
      if (!dryRun) this.#keeper.save({ ...before, candidate: kept });
      const { changed, remaining } = await applyTable(kernel, desired, {
        limits: this.#limits(kept, drains),
        dryRun,
        signal,
      });
      this.#readings.noteRemaining(remaining);
      if (!dryRun) {
        log(
          `revision ${kept.revision} of table ${kept.table}: ${changed ? "applied" : "already up to date"}`,
        );
        this.#keeper.save({
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
      this.#keeper.remember({ ...this.#copyNow(drains), current: kept });
    return succeeded;
  }

  /** The table is as before the attempt. If the file cannot be written, the next start tries the revision again. */
  #dropCandidate(before: DiskCopy): void {
    try {
      if (this.#copy.candidate)
        this.#keeper.save({ ...before, candidate: undefined });
    } catch (error) {
      this.#logExpected(error);
    }
  }

  /** Changes only the weights of real servers whose drain began or ended. Other drift stays as it is. */
  async #applyDrains(signal: AbortSignal): Promise<void> {
    const { kernel } = this.#environment;
    const { dryRun } = this.#settings;
    const { current } = this.#copy;
    const { drains } = this.#wishes;
    const both = [...this.#copy.drains, ...drains.values()];
    await this.#guarded(undefined, async () => {
      if (current) {
        const desired = await this.#desired(current, drains);
        await applyTable(kernel, desired, {
          limits: this.#limits(current, drains),
          select: (differences) => onlyWeights(differences, both),
          dryRun,
          signal,
        });
        await this.#compare(desired);
      }
      const copy = this.#copyNow(drains);
      if (dryRun) this.#keeper.remember(copy);
      else this.#keeper.save(copy);
    });
  }

  #drainsChanged(): boolean {
    const kept = this.#copy.drains;
    return (
      kept.length !== this.#wishes.drains.size ||
      kept.some(({ id }) => !this.#wishes.drains.has(id))
    );
  }

  /** The table of a revision, with weight 0 for what is drained. @throws {RevisionError} it has errors */
  async #desired(
    kept: KeptRevision,
    all: ReadonlyMap<string, Drain>,
  ): Promise<Table> {
    if (this.#parsed?.kept !== kept)
      this.#parsed = { kept, table: await tableOf(kept) };
    return withDrains(this.#parsed.table, this.#isDrained(all));
  }

  /** Whether a real server is drained, by the fleet or on this machine. */
  #isDrained(all: ReadonlyMap<string, Drain>) {
    const { isDrainedHere } = this.#environment;
    return (service: ServiceKey, server: ServerKey): boolean =>
      [...all.values()].some((one) => drains(one, service, server)) ||
      isDrainedHere(service, server);
  }

  async #compare(desired: Table | undefined): Promise<void> {
    const client = await this.#environment.kernel.open();
    await this.#readings.compare(client, desired, this.#drains);
  }

  #limits(
    { force, allowEmpty }: KeptRevision,
    all: ReadonlyMap<string, Drain>,
  ): RemovalLimits {
    return {
      permits: { force, allowEmpty },
      most: this.#settings.mostRemovals,
      isDrained: this.#isDrained(all),
    };
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
      paused: this.#wishes.order.paused,
    };
  }

  get #copy(): DiskCopy {
    return this.#keeper.copy;
  }
}

/** Parses and checks the table of a revision. @throws {RevisionError} it has errors */
async function tableOf({ table, revision, text }: KeptRevision) {
  const file = await checkedTable(table, text);
  const [first] = file.errors;
  if (first)
    throw new RevisionError(
      "damaged",
      `revision ${revision} of table ${table} has errors: ${first.message}`,
    );
  return file.table;
}
