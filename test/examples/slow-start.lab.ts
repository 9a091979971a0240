import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { after, before, suite, test } from "node:test";
import { ours } from "../lab/program.js";

const SCRIPT = fileURLToPath(
  new URL("../../examples/library/slow-start.js", import.meta.url),
);

function slowStart(...words: string[]) {
  return spawnSync(process.execPath, [SCRIPT, ...words], { encoding: "utf8" });
}

suite("slow-start, the example of the library", () => {
  before(async () => {
    await ours(["-C"]);
    const rules =
      "-A -t 192.0.2.1:80 -s wrr\n-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m -w 0 -x 100\n";
    const { stderr } = await ours(["-R"], rules);
    assert.equal(stderr, "");
  });
  after(() => ours(["-C"]));

  test("raises the weight to the goal in steps, and leaves the other settings", async () => {
    const done = slowStart("TCP 192.0.2.1:80", "10.0.0.11:8080", "100", "3");
    assert.equal(done.stderr, "");
    assert.equal(done.stdout, "weight 34\nweight 67\nweight 100\n");
    const { stdout } = await ours(["-Sn"]);
    assert.match(stdout, /-r 10\.0\.0\.11:8080 -m -w 100 -x 100$/m);
  });

  test("refuses a server that is not there, and a goal that is no weight", () => {
    const missing = slowStart("TCP 192.0.2.1:80", "10.0.0.12:8080", "1", "1");
    assert.match(missing.stderr, /has no real server 10\.0\.0\.12:8080/);
    assert.equal(missing.status, 1);
    const heavy = slowStart("TCP 192.0.2.1:80", "10.0.0.11:8080", "heavy", "1");
    assert.equal(
      heavy.stderr,
      "usage: slow-start SERVICE SERVER WEIGHT SECONDS\n",
    );
    assert.equal(heavy.status, 2);
  });
});
