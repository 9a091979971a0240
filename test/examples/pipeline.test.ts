import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { bash, installPrograms } from "../lab/installed.js";
import {
  githubCommands,
  gitlabCommands,
  pipelineRepository,
} from "./pipeline.js";

const INSTALL = "npm install --global ipvsadm";

suite("the pipeline among the examples", () => {
  let programs: string;
  let folder: string;
  before(() => {
    programs = installPrograms();
    folder = pipelineRepository();
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });
  const run = (command: string) => bash(programs, `cd ${folder} && ${command}`);

  for (const [forge, commands] of Object.entries({
    GitHub: githubCommands(),
    GitLab: gitlabCommands(),
  }))
    test(`${forge}'s commands pass for tables that are right`, () => {
      assert.equal(commands[0], INSTALL);
      assert.ok(commands.length > 1);
      for (const command of commands.slice(1)) {
        const { stdout, stderr, status } = run(command);
        assert.equal(stderr, "");
        assert.equal(status, 0, stdout);
        assert.match(stdout, /tables\/web-nat\.yaml: no problems/);
      }
    });

  test("verify-tables fails for an error and for a warning, and names the place", () => {
    writeFileSync(join(folder, "wrong.rules"), "-A -t 192.0.2.1:80 -w 1\n");
    const wrong = run("ci/verify-tables wrong.rules");
    assert.equal(wrong.status, 1);
    assert.match(wrong.stdout, /^wrong\.rules:1:.*error/m);
    writeFileSync(join(folder, "odd.rules"), "-A -t 192.0.2.1:80 -s rr\n");
    const odd = run("ci/verify-tables odd.rules");
    assert.equal(odd.status, 1);
    assert.match(odd.stdout, /^odd\.rules:1:.*warning/m);
  });

  test("verify-tables without files says how it is used", () => {
    const { stderr, status } = run("ci/verify-tables");
    assert.equal(stderr, "usage: verify-tables FILE...\n");
    assert.equal(status, 2);
  });
});
