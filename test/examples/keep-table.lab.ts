import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ours } from "../lab/program.js";

const SCRIPT = fileURLToPath(
  new URL("../../examples/library/keep-table.js", import.meta.url),
);

function keepTable(...words: string[]) {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [SCRIPT, ...words],
    { encoding: "utf8" },
  );
  const lines = stdout.split("\n").filter((line) => line !== "");
  const events = lines.map((line) => JSON.parse(line) as unknown);
  return { events, stderr, status };
}

suite("keep-table, the example of the library", () => {
  const folder = mkdtempSync(join(tmpdir(), "keep-table-"));
  const file = join(folder, "table.rules");
  before(() => ours(["-C"]));
  after(async () => {
    await ours(["-C"]);
    rmSync(folder, { recursive: true });
  });

  test("shows the drift, applies the file, and then finds nothing to do", async () => {
    const rules =
      "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 3\n";
    writeFileSync(file, rules);
    const drift = keepTable(file);
    assert.deepEqual([drift.stderr, drift.status], ["", 4]);
    assert.deepEqual(drift.events, [
      { event: "differs", change: "-A -t 192.0.2.1:80 -s wrr" },
      {
        event: "differs",
        change: "-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 3",
      },
    ]);
    const applied = keepTable(file, "--apply");
    assert.deepEqual([applied.stderr, applied.status], ["", 0]);
    assert.deepEqual(applied.events.at(-1), {
      event: "applied",
      changes: 2,
      keptServers: 0,
    });
    assert.equal((await ours(["-Sn"])).stdout, rules);
    assert.deepEqual(keepTable(file), { events: [], stderr: "", status: 0 });
  });

  test("says what is wrong with a file, and changes nothing", () => {
    writeFileSync(file, "-A -t 192.0.2.1:80 -s\n");
    const wrong = keepTable(file, "--apply");
    assert.equal(wrong.status, 1);
    assert.equal((wrong.events[0] as { event: string }).event, "error");
    const missing = keepTable(join(folder, "none"));
    assert.equal(missing.status, 1);
    assert.match(JSON.stringify(missing.events), /ENOENT/);
    assert.equal(keepTable().status, 2);
  });
});
