import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ours, type Outcome } from "../lab/program.js";
import { until, type LabFleet } from "./lab-fleet.js";

const WEB = "192.0.2.1:80";

/** The table `web` of a fleet in the lab: one service, published and in the kernel. */
export class WebTable {
  readonly #lab: LabFleet;

  constructor(lab: LabFleet) {
    this.#lab = lab;
  }

  /** Publishes the servers of the service, such as `11` for 10.0.0.11. */
  tryToPublish(
    hosts: readonly string[],
    { scheduler = "wlc", more = [] as readonly string[] } = {},
  ): Promise<Outcome> {
    const servers = hosts.map((host) => `-a -t ${WEB} -r 10.0.0.${host} -m`);
    return this.#lab.run(
      ["publish", "web", "-", "-m", `servers ${hosts.join()}`, ...more],
      `-A -t ${WEB} -s ${scheduler}\n${servers.join("\n")}\n`,
    );
  }

  async publish(...given: Parameters<WebTable["tryToPublish"]>): Promise<void> {
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

  /** Makes the agent's disk copy one of another boot. The caller empties the table. */
  reboot(): void {
    const copy = join(this.#lab.folder, "copy.json");
    const text = readFileSync(copy, "latin1");
    writeFileSync(copy, text.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
  }
}
