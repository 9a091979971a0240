import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";

const RULES = `
  -A -t 127.0.0.1:80 -s rr
  -A -t 127.0.0.1:81 -s none`;

suite("doctor says what it looked at", () => {
  before(() => balance(RULES));
  after(() => ipvsadm("-C"));

  test("one service, by a word that other subcommands read, too", async () => {
    const { stdout, status } = await ours(["doctor", "127.0.0.1:80"]);
    assert.match(
      stdout,
      /^error no-servers: .*\n {2}Seen {6}tcp\/127\.0\.0\.1:80: /m,
    );
    assert.doesNotMatch(stdout, /127\.0\.0\.1:81/);
    assert.match(
      stdout,
      /^1 error, 0 warnings, 0 notes; \d+ kinds of fault checked\.$/m,
    );
    assert.equal(status, 1);
  });

  test("a service that there is not is a mistake", async () => {
    const { stdout, stderr, status } = await ours(["doctor", "127.0.0.1:82"]);
    assert.equal(stdout, "");
    assert.match(stderr, /^ipvsadm: there is no service 127\.0\.0\.1:82: /);
    assert.equal(status, 1);
  });

  test("some kinds alone, or all but some", async () => {
    const only = await ours("doctor --only all-drained".split(" "));
    assert.match(
      only.stdout,
      /^Not checked:\n(?: {2}.*\n)+No fault found, 1 kind of fault checked\.\n$/,
    );
    assert.equal(only.status, 0);
    const skip = await ours("doctor --skip no-servers,no-scheduler".split(" "));
    assert.match(skip.stdout, /^No fault found, /m);
    assert.equal(skip.status, 0);
  });

  test("who may not ask for the table is told what was not looked for, and ends with status 3", () => {
    const said = sh(
      "setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups node dist/bin/ipvsadm.cjs doctor 2>&1 || echo status $?",
    );
    assert.match(
      said,
      /^Not checked:\n {2}- .*no-servers.*\(you may not\s+ask/s,
    );
    assert.match(said, /^No fault found, 2 kinds of fault checked\.$/m);
    assert.match(said, /^status 3$/m);
  });
});
