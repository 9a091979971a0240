import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndingSignal } from "../../src/system/signals.js";
import { ours } from "../lab/program.js";
import { TestCluster, type ClusterOptions } from "../store/etcd-cluster.js";

/** A guest is slow. */
const PATIENCE_MINUTES = 5;

/** Waits for a condition that commands bring about. A test may change the time of day meanwhile. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + PATIENCE_MINUTES * 60_000;
  while (!(await condition())) {
    assert.ok(
      performance.now() < end,
      `not in ${PATIENCE_MINUTES} minutes: ${what}`,
    );
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
}

/** A real etcd with one member, and agents of this process: they change the kernel's own table. */
export class LabFleet implements AsyncDisposable {
  readonly cluster: TestCluster;
  readonly folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-"));

  private constructor(cluster: TestCluster) {
    this.cluster = cluster;
  }

  static async start(options: ClusterOptions = {}): Promise<LabFleet> {
    return new LabFleet(await TestCluster.start({ slow: true, ...options }));
  }

  /** Runs an action of fleet. */
  run(words: readonly string[], stdin = "") {
    const endpoints = this.cluster.endpoints.join(",");
    return ours(["fleet", ...words, "--endpoints", endpoints], stdin);
  }

  /** Starts an agent for the table `web` that soon notices if etcd does not answer. */
  agent(...options: readonly string[]): RunningAgent {
    return this.patientAgent("--deadline", "3s", ...options);
  }

  /** Starts an agent for the table `web`, for tests in which etcd answers sooner or later. */
  patientAgent(...options: readonly string[]): RunningAgent {
    return new RunningAgent(
      ...["--copy", join(this.folder, "copy.json")],
      ...["--endpoints", this.cluster.endpoints.join(","), ...options],
    );
  }

  /** Waits until all directors are as wanted. */
  allOk(): Promise<void> {
    return until(
      "the status is ok",
      async () => (await this.run(["status"])).status === 0,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true });
    await ours(["-C"]);
  }
}

/** An agent in this process. It ends as by a signal. */
export class RunningAgent implements AsyncDisposable {
  log = "";
  readonly #running: Promise<unknown>;
  #end: (signal: EndingSignal) => void = () => undefined;

  constructor(...options: readonly string[]) {
    this.#running = ours(
      [
        ...["fleet", "agent", "--table", "web", "--director", "lb1"],
        ...["--interval", "1s", "--splay", "0", "--report", "1s", ...options],
      ],
      "",
      {
        stdout: (text) => {
          this.log += text;
        },
        catchSignals: (listen) => {
          this.#end = listen;
          return () => undefined;
        },
      },
    );
  }

  logs(pattern: RegExp): Promise<void> {
    return until(`the agent logs ${pattern.source}`, () =>
      Promise.resolve(pattern.test(this.log)),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end("SIGTERM");
    await this.#running;
  }
}
