import assert from "node:assert/strict";
import { runAgent, type AgentTimes } from "../../src/fleet/agent/run-agent.js";
import type { FleetKeys } from "../../src/fleet/keys.js";
import { fleetLine } from "../../src/commands/fleet/explain.js";
import { EINVAL } from "../../src/netlink/errno.js";
import type { Store } from "../../src/store/store.js";
import { clientOf } from "../plan/model-client.js";
import type { ModelKernel } from "../plan/model-kernel.js";
import { PAUSES } from "../store/etcd-cluster.js";
import { serversIn } from "./rig.js";

/** Short times, so that a test takes seconds. */
const TIMES: AgentTimes = {
  splay: 100,
  interval: 500,
  drain: 200,
  report: 500,
  silence: 2000,
};

/** A director whose agent runs in this process, with the real client of etcd and a model of the kernel. */
export class SimulatedDirector implements AsyncDisposable {
  readonly log: string[] = [];
  readonly kernel: ModelKernel;
  /** How often its process said that it works */
  rounds = 0;
  readonly #store: Store;
  readonly #keys: FleetKeys;
  readonly #name: string;
  readonly #times: AgentTimes;
  readonly #ended = new AbortController();
  #file: string | undefined;
  #dead = false;
  #refused: string | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(
    store: Store,
    keys: FleetKeys,
    name: string,
    kernel: ModelKernel,
    times: Partial<AgentTimes> = {},
  ) {
    this.#store = store;
    this.#keys = keys;
    this.#name = name;
    this.kernel = kernel;
    this.#times = { ...TIMES, ...times };
  }

  start(): void {
    const client = clientOf(this.kernel, (change) =>
      change.command === "add-server" &&
      String(change.server.address[3]) === this.#refused
        ? EINVAL
        : undefined,
    );
    this.#running = runAgent(
      {
        director: this.#name,
        table: "web",
        labels: { site: "test" },
        heals: false,
        dryRun: false,
        mostRemovals: 0.5,
        version: "test",
      },
      {
        store: this.#store,
        keys: this.#keys,
        kernel: {
          open: () => Promise.resolve(client),
          reset: () => undefined,
          lock: () => ({
            release: () => undefined,
            [Symbol.dispose]: () => undefined,
          }),
        },
        disk: {
          read: () => this.#file,
          write: (text) => {
            this.#file = text;
          },
        },
        bootId: "boot",
        now: () => new Date().toISOString(),
        isDrainedHere: () => false,
        explain: (error) => fleetLine(error, ["etcd"]),
        log: (line) => this.log.push(line),
      },
      {
        times: this.#times,
        pauses: PAUSES,
        signal: this.#ended.signal,
        alive: () => {
          this.rounds++;
        },
      },
    );
    this.#running.catch((error: unknown) => {
      if (!this.#dead) this.log.push(String(error));
    });
  }

  /** The kernel refuses a server from now on. @param host the last byte of its address */
  refuse(host: string): void {
    this.#refused = host;
  }

  /** The process is killed: it says goodbye to nobody. */
  die(): void {
    this.#dead = true;
    this.#store.close();
    this.#ended.abort();
  }

  /** Waits until the kernel has these servers, in the form of webTable(). */
  async has(servers: string): Promise<void> {
    const end = performance.now() + 60_000;
    while (serversIn(this.kernel).join(" ") !== servers) {
      assert.ok(
        performance.now() < end,
        `${this.#name} has ${serversIn(this.kernel).join(" ")}, not ${servers}: ${this.log.join("; ")}`,
      );
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }

  /** The servers in the kernel, in the form of webTable(). */
  get servers(): string {
    return serversIn(this.kernel).join(" ");
  }

  /** Waits until the last line that the agent has written fits. */
  async logs(pattern: RegExp): Promise<void> {
    const end = performance.now() + 60_000;
    while (!pattern.test(this.log.at(-1) ?? "")) {
      assert.ok(performance.now() < end, this.log.join("; "));
      await new Promise((resolve) => {
        setTimeout(resolve, 50);
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await this.#running.catch(() => undefined);
  }
}
