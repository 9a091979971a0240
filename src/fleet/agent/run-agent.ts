import { StoreError } from "../../store/store-error.js";
import { EitherSignal } from "../../store/either-signal.js";
import { Backoff, type Pauses } from "../../store/backoff.js";
import { totalsOf } from "../../ipvs/totals.js";
import { allowManyListeners } from "../../system/many-listeners.js";
import type { DirectorLoad } from "../director-state.js";
import { ContendedKey } from "../fleet-error.js";
import { recordBytes } from "../record.js";
import { untilCommitted } from "../repeat-write.js";
import { Agent } from "./agent.js";
import type { AgentEnvironment, AgentSettings } from "./agent-environment.js";
import { Examinations, type Examiner } from "./examinations.js";

/** The times of an agent, in milliseconds. */
export interface AgentTimes {
  /** A new revision is fetched after a random time up to this one */
  readonly splay: number;
  /** How often the kernel's table is read again */
  readonly interval: number;
  /** How often it is read while connections of drained servers remain */
  readonly drain: number;
  /** How often the load is reported */
  readonly report: number;
  /** After this time without a report, the director counts as silent */
  readonly silence: number;
}

export interface RunOptions {
  readonly times: AgentTimes;
  readonly pauses: Pauses;
  /** Examines the machine if a rollout asks for it. Without it, the rollout gets no answer */
  readonly examiner?: Examiner | undefined;
  /** Ends the agent. The table stays as it is */
  readonly signal: AbortSignal;
  /** Called after the disk copy was applied, and regularly while the agent works */
  readonly alive: (status: string) => Promise<void> | void;
}

/** Runs an agent until the signal is triggered. The loss of the store changes nothing in the table. */
export async function runAgent(
  settings: AgentSettings,
  environment: AgentEnvironment,
  options: RunOptions,
): Promise<void> {
  const run = new Run(settings, environment, options);
  await run.run();
}

class Run {
  readonly #settings: AgentSettings;
  readonly #environment: AgentEnvironment;
  readonly #options: RunOptions;
  readonly #agent: Agent;
  readonly #examinations: Examinations | undefined;
  /** Ends all tasks: by the signal of the caller, or because one of them failed */
  readonly #ended = new AbortController();
  #wake = new AbortController();
  #lease: bigint | undefined;
  /** Whether the key that ends with the lease was written */
  #saidAlive = false;
  #reported = "";
  /** Whether the store may have lost the last report: an operator removed it, or the store was restored */
  #mayBeLost = false;
  /** The store's revision of the last report; undefined if it is not known */
  #written: bigint | undefined;
  #reporting: Promise<void> = Promise.resolve();
  #storeFault: string | undefined;
  #connected = false;

  constructor(
    settings: AgentSettings,
    environment: AgentEnvironment,
    options: RunOptions,
  ) {
    this.#settings = settings;
    this.#environment = environment;
    this.#options = options;
    this.#agent = new Agent(settings, environment);
    const { examiner, pauses } = options;
    this.#examinations =
      examiner &&
      new Examinations({
        ...environment,
        director: settings.director,
        examiner,
        pauses,
        asked: () => this.#agent.examination,
        storeFailed: (error) => {
          this.#storeFailed(error);
        },
      });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const end = () => {
      this.#ended.abort();
    };
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    allowManyListeners(this.#ended.signal);
    try {
      await this.#agent.start(this.#ended.signal);
      const tasks = [
        this.#follow(),
        this.#work(),
        this.#report(),
        this.#examine(),
      ];
      for (const task of tasks) task.catch(end);
      const results = await Promise.allSettled(tasks);
      for (const result of results)
        if (result.status === "rejected") throw result.reason;
    } finally {
      signal.removeEventListener("abort", end);
      await this.#leave();
    }
  }

  /** Reads the store and watches it. */
  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    const { store } = this.#environment;
    const backoff = new Backoff(this.#options.pauses);
    while (!this.#isEnded())
      try {
        const revision = await this.#agent.read(signal);
        this.#mayBeLost = true;
        this.#storeWorks();
        backoff.reset();
        this.#wakeUp();
        const batches = store.watch(this.#agent.targets, revision + 1n, signal);
        for await (const { events } of batches) {
          this.#agent.take(events);
          this.#wakeUp();
        }
      } catch (error) {
        if (this.#isEnded()) return;
        this.#storeFailed(error);
        // Reading again is all that compaction needs, but agents must not do it at the same time.
        await backoff.wait(signal);
      }
  }

  /** Applies what the store wants, and looks for drift. */
  async #work(): Promise<void> {
    const { signal } = this.#ended;
    const { times, pauses } = this.#options;
    const backoff = new Backoff(pauses);
    await this.#reportAlive();
    let compareAt = 0;
    let retryAt = 0;
    while (!this.#isEnded()) {
      // Events that come from here on start another round.
      this.#wake = new AbortController();
      using woken = new EitherSignal([signal, this.#wake.signal]);
      let pause = times.interval;
      try {
        if (this.#connected && this.#agent.mustFetch)
          await pauses.sleep(times.splay * pauses.random(), signal);
        if (this.#isEnded()) return;
        if (performance.now() >= retryAt) {
          this.#agent.retry();
          retryAt = performance.now() + times.interval;
        }
        if (this.#connected) await this.#agent.settle(signal);
        backoff.reset();
      } catch (error) {
        if (this.#isEnded()) return;
        this.#storeFailed(error);
        pause = Math.min(backoff.next(), times.interval);
      }
      if (this.#agent.isDraining)
        compareAt = Math.min(compareAt, performance.now() + times.drain);
      if (performance.now() >= compareAt) {
        await this.#agent.lookForDrift(signal);
        const { isDraining } = this.#agent;
        compareAt =
          performance.now() + (isDraining ? times.drain : times.interval);
      }
      this.#examinations?.wake();
      await this.#reportAlive();
      await this.#reportState();
      await pauses.sleep(
        Math.min(pause, Math.max(compareAt - performance.now(), 0)),
        woken.signal,
      );
    }
  }

  async #examine(): Promise<void> {
    await this.#examinations?.run(this.#ended.signal);
  }

  async #reportAlive(): Promise<void> {
    const { condition, applied } = this.#agent.state;
    await this.#options.alive(
      applied === undefined ? condition : `${condition}, revision ${applied}`,
    );
  }

  /** Keeps the lease alive, and reports the load under it. */
  async #report(): Promise<void> {
    const { signal } = this.#ended;
    const { times, pauses } = this.#options;
    // Many agents start at the same time; they must not all report at the same time.
    await pauses.sleep((times.report / 4) * pauses.random(), signal);
    while (!this.#isEnded()) {
      try {
        await this.#reportLoad();
      } catch (error) {
        if (this.#isEnded()) return;
        this.#storeFailed(error);
      }
      await pauses.sleep(times.report, signal);
    }
  }

  async #reportLoad(): Promise<void> {
    const { store, keys } = this.#environment;
    const { signal } = this.#ended;
    const { silence } = this.#options.times;
    const { director } = this.#settings;
    const kept =
      this.#lease !== undefined &&
      (await store.keepLeaseAlive(this.#lease, { signal }));
    if (!kept) {
      this.#saidAlive = false;
      this.#lease = await store.grantLease(Math.ceil(silence / 1000), {
        signal,
      });
    }
    // The lease keeps this key alive, so it is written once.
    if (!this.#saidAlive && this.#lease !== undefined) {
      await store.commit(
        [],
        [
          {
            put: keys.alive(director),
            value: recordBytes({}),
            lease: this.#lease,
          },
        ],
        { signal },
      );
      // Without that key, an operator could remove the report.
      this.#mayBeLost = true;
    }
    this.#saidAlive = true;
    await store.commit(
      [],
      [{ put: keys.load(director), value: recordBytes(this.#load()) }],
      { signal },
    );
    await this.#reportState();
    this.#storeWorks();
  }

  /** Writes the state, if it is another one than the last that was written. One write follows the other. */
  async #reportState(): Promise<void> {
    const before = this.#reporting;
    const now = (async () => {
      await before.catch(() => undefined); // its caller knows
      await this.#writeState();
    })();
    this.#reporting = now;
    await now;
  }

  async #writeState(): Promise<void> {
    if (!this.#connected) return;
    const { store, keys } = this.#environment;
    const { signal } = this.#ended;
    const key = keys.state(this.#settings.director);
    const value = recordBytes(this.#agent.state);
    const text = Buffer.from(value).toString("latin1");
    if (this.#mayBeLost) {
      this.#mayBeLost = false;
      this.#reported = "";
      this.#written = undefined;
    }
    if (text === this.#reported) return;
    try {
      // The condition keeps an older write, which a frozen member may carry out late, from replacing a newer one.
      this.#written = await untilCommitted(key, async () => {
        if (this.#written === undefined) {
          const { found } = await store.get(key, { signal });
          if (found && Buffer.from(found.value).equals(value))
            return found.revision;
          this.#written = found?.revision ?? 0n;
        }
        const { succeeded, revision } = await store.commit(
          [{ key, revision: this.#written }],
          [{ put: key, value }],
          { signal },
        );
        if (succeeded) return revision;
        this.#written = undefined;
        return undefined;
      });
      this.#reported = text;
    } catch (error) {
      this.#written = undefined;
      if (!this.#isEnded()) this.#storeFailed(error);
    }
  }

  #load(): DirectorLoad {
    const totals = totalsOf(this.#agent.traffic?.services ?? []);
    return {
      at: this.#environment.now(),
      activeConnections: totals.activeConnections,
      inactiveConnections: totals.inactiveConnections,
      connectionsPerSecond: Number(totals.connectionsPerSecond),
      inBytesPerSecond: Number(totals.inBytesPerSecond),
      outBytesPerSecond: Number(totals.outBytesPerSecond),
    };
  }

  /** The director goes away deliberately: it is silent at once. */
  async #leave(): Promise<void> {
    if (this.#lease === undefined) return;
    try {
      await this.#environment.store.revokeLease(this.#lease);
    } catch {
      // The lease ends by itself.
    }
  }

  #isEnded(): boolean {
    return this.#ended.signal.aborted;
  }

  #wakeUp(): void {
    this.#wake.abort();
  }

  #storeWorks(): void {
    this.#connected = true;
    if (this.#storeFault === undefined) return;
    this.#storeFault = undefined;
    this.#environment.log("the store answers again");
  }

  /** Logs a failure of the store once. @throws the error, if it is none of the store */
  #storeFailed(error: unknown): void {
    if (!(error instanceof StoreError || error instanceof ContendedKey))
      throw error;
    const reason = this.#environment.explain(error) ?? error.message;
    if (reason === this.#storeFault) return;
    this.#storeFault = reason;
    this.#environment.log(`${reason}; the table stays as it is`);
  }
}
