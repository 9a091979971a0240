import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { bash, installPrograms } from "../lab/installed.js";
import { ours } from "../lab/program.js";
import { pipelineRepository, writeLocalSsh } from "./pipeline.js";

suite("verify-tables with a director", () => {
  let programs: string;
  let folder: string;
  before(async () => {
    programs = installPrograms();
    writeLocalSsh(programs);
    folder = pipelineRepository();
    await ours(["-C"]);
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await ours(["-C"]);
  });
  const verify = () =>
    bash(
      programs,
      `cd ${folder} && DIRECTOR=root@lb1 ci/verify-tables tables/web-nat.yaml`,
    );

  test("shows what would change, changes nothing, and passes", async () => {
    const { stdout, stderr, status } = verify();
    assert.equal(stderr, "");
    assert.equal(status, 0);
    assert.match(stdout, /^root@lb1, tables\/web-nat\.yaml:$/m);
    assert.match(stdout, /^\+ tcp\/192\.0\.2\.1:80 /m);
    assert.equal((await ours(["-Sn"])).stdout, "");
  });

  test("shows no change where the director has the table", async () => {
    await ours(["apply", "examples/tables/web-nat.rules"]);
    const { stdout, status } = verify();
    assert.equal(status, 0);
    assert.doesNotMatch(stdout, /^[+~-] /m);
  });
});
