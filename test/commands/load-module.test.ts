import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { scriptedKernel } from "../classic/scripted-kernel.js";
import { subcommand } from "./run-subcommand.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-module-"));
after(() => {
  rmSync(folder, { recursive: true });
});
const RULES = join(folder, "rules");
writeFileSync(RULES, "-A -t 192.0.2.1:80 -s rr\n");

const SERVER = "tcp/192.0.2.1:80 10.0.0.11:80";
const MACHINE = "--all-services 10.0.0.11";

/** Runs a subcommand on a kernel without IPVS. @returns whether it tried to load the module */
async function loadsModule(line: string) {
  const { log, status, stderr } = await subcommand(line, {
    link: scriptedKernel(undefined, () => false),
    io: { runFolder: folder },
  });
  assert.equal(status, 3, stderr);
  assert.match(stderr, /cannot reach IPVS in the kernel: .*modprobe ip_vs/);
  return log.includes("load");
}

for (const line of [
  "list",
  "list -o json",
  "save",
  `diff ${RULES}`,
  "watch -n 1 -o ndjson",
  "watch --events",
  "monitor",
  "status",
  "metrics",
  `wait ${SERVER} --for drained`,
  `apply --dry-run ${RULES}`,
  `restore --dry-run ${RULES}`,
  `drain --dry-run ${SERVER}`,
  `drain --dry-run ${MACHINE}`,
  `undrain --dry-run ${SERVER}`,
  `undrain --dry-run ${MACHINE}`,
])
  test(`${line.replace(RULES, "FILE")} only reads, so it does not load the module`, async () => {
    assert.equal(await loadsModule(line), false);
  });

for (const line of [
  `apply ${RULES}`,
  `restore ${RULES}`,
  `drain ${SERVER}`,
  `drain ${MACHINE}`,
  `undrain ${SERVER}`,
  `undrain ${MACHINE}`,
])
  test(`${line.replace(RULES, "FILE")} changes the table, so it loads the module`, async () => {
    assert.equal(await loadsModule(line), true);
  });
