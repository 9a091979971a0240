import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EndingSignal } from "../../src/system/signals.js";
import { ours, type Outcome } from "../lab/program.js";
import type { TestCluster } from "../store/etcd-cluster.js";

const WEB = "192.0.2.1:80";

/** A director with the kernel's own ip_vs and a real etcd. */
export class LabFleet {
  readonly #cluster: TestCluster;
  readonly #folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-"));

  constructor(cluster: TestCluster) {
    this.#cluster = cluster;
  }

  /** Removes the files of the agent. */
  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Runs 'ipvsadm fleet'. */
  run(words: readonly string[], stdin = ""): Promise<Outcome> {
    return ours(
      ["fleet", ...words, "--endpoints", this.#cluster.endpoints.join(",")],
      stdin,
    );
  }

  /** Publishes the servers of a service, such as `11` for 10.0.0.11. */
  tryToPublish(
    hosts: readonly string[],
    { scheduler = "wlc", more = [] as readonly string[] } = {},
  ): Promise<Outcome> {
    const servers = hosts.map((host) => `-a -t ${WEB} -r 10.0.0.${host} -m`);
    return this.run(
      ["publish", "web", "-", "-m", `servers ${hosts.join()}`, ...more],
      `-A -t ${WEB} -s ${scheduler}\n${servers.join("\n")}\n`,
    );
  }

  async publish(...given: Parameters<LabFleet["tryToPublish"]>): Promise<void> {
    const { status, stderr } = await this.tryToPublish(...given);
    assert.equal(status, 0, stderr);
  }

  /** The servers in the kernel with their weights, such as `11*1`. */
  async kernelHas(): Promise<string> {
    const { stdout } = await ours(["-Sn"]);
    return Array.from(
      stdout.matchAll(/-r 10\.0\.0\.([0-9]+):80 -m -w ([0-9]+)/g),
      ([, host, weight]) => `${host ?? ""}*${weight ?? ""}`,
    )
      .sort()
      .join(" ");
  }

  kernelGets(servers: string): Promise<void> {
    return until(
      `the kernel has ${servers}`,
      async () => (await this.kernelHas()) === servers,
    );
  }

  /** Waits until all directors are ok. */
  isOk(): Promise<void> {
    return until(
      "the status is ok",
      async () => (await this.run(["status"])).status === 0,
    );
  }

  agent(...options: readonly string[]): RunningAgent {
    return new RunningAgent([
      ...["--interval", "1s", "--splay", "0", "--report", "1s"],
      ...["--deadline", "3s", "--copy", this.#copy],
      ...["--endpoints", this.#cluster.endpoints.join(","), ...options],
    ]);
  }

  /** Makes the disk copy one of another boot. The caller empties the table. */
  reboot(): void {
    const text = readFileSync(this.#copy, "latin1");
    writeFileSync(
      this.#copy,
      text.replace(/"bootId":"[^"]*"/, '"bootId":"another"'),
    );
  }

  get #copy(): string {
    return join(this.#folder, "copy.json");
  }
}

/** Waits until a condition holds. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
): Promise<void> {
  const end = performance.now() + 120_000;
  while (!(await condition())) {
    assert.ok(performance.now() < end, `not in two minutes: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
  }
}

/** An agent in this process. It ends as by a signal. */
export class RunningAgent implements AsyncDisposable {
  log = "";
  readonly #running: Promise<unknown>;
  #end: (signal: EndingSignal) => void = () => undefined;

  constructor(options: readonly string[]) {
    this.#running = ours(
      ["fleet", "agent", "--table", "web", "--director", "lb1", ...options],
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

  /** Waits until it has written a text. */
  async logs(pattern: RegExp): Promise<void> {
    try {
      await until(`the agent logs ${pattern.source}`, () =>
        Promise.resolve(pattern.test(this.log)),
      );
    } catch (error) {
      throw new Error(this.log, { cause: error });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#end("SIGTERM");
    await this.#running;
  }
}
