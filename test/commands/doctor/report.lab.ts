import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";

const RULES = `
  -A -t 127.0.0.1:80 -s rr
  -A -t 127.0.0.1:81 -s none`;

suite("doctor reports what it checked", () => {
  before(() => balance(RULES));
  after(() => ipvsadm("-C"));

  test("doctor checks one service by its name", async () => {
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

  test("doctor refuses a service that is not in the table", async () => {
    const { stdout, stderr, status } = await ours(["doctor", "127.0.0.1:82"]);
    assert.equal(stdout, "");
    assert.match(stderr, /^ipvsadm: there is no service 127\.0\.0\.1:82: /);
    assert.equal(status, 1);
  });

  test("doctor --only and --skip select findings", async () => {
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

  test("doctor without rights lists what it did not check and exits with status 3", () => {
    const said = sh(
      "setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups node dist/bin/ipvsadm.cjs doctor 2>&1 || echo status $?",
    );
    assert.match(
      said,
      /^Not checked:\n {2}- forwarding-off.*and\s+\d+\s+more\s+kinds;.*\(you\s+may\s+not\s+ask/s,
    );
    assert.match(said, /^No fault found, 2 kinds of fault checked\.$/m);
    assert.match(said, /^status 3$/m);
  });
});
