import assert from "node:assert/strict";
import { after, before, beforeEach, suite, test } from "node:test";
import { sh } from "../../lab/namespaces.js";
import { ours, PROGRAM } from "../../lab/program.js";

const MACHINE = "10.0.0.11";
const RULES = `-A -t 192.0.2.1:80 -s wrr
-a -t 192.0.2.1:80 -r ${MACHINE}:8080 -m -w 3 -x 500 -y 100
-a -t 192.0.2.1:80 -r 10.0.0.12:8080 -m -w 1
-A -u 192.0.2.1:53 -s rr
-a -u 192.0.2.1:53 -r ${MACHINE}:53 -g -w 2
-a -u 192.0.2.1:53 -r 10.0.0.12:53 -g -w 1
-A -f 7 -s rr
-a -f 7 -r ${MACHINE}:0 -g -w 4
-a -f 7 -r 10.0.0.12:0 -g -w 1
`;

const words = (line: string) => ours(line.split(" "));
const DRAIN = `drain --all-services ${MACHINE}`;
const UNDRAIN = `undrain --all-services ${MACHINE}`;

/** The weights of the machine, in the order of the rules. */
async function weights(): Promise<number[]> {
  const { stdout } = await ours(["-Sn"]);
  return Array.from(
    stdout.matchAll(/ -r 10\.0\.0\.11:\d+ -\w -w (\d+)/g),
    ([, weight]) => Number(weight),
  ).sort();
}

suite("drain --all-services and wait on a kernel", () => {
  before(() => ours(["-C"]));
  beforeEach(async () => {
    await ours(["-C"]);
    sh("rm -rf /run/ipvsadm");
    assert.equal((await ours(["-R"], RULES)).stderr, "");
  });
  after(() => ours(["-C"]));

  test("drain --all-services drains a machine in every service, and undrain restores the table", async () => {
    const table = (await ours(["-Sn"])).stdout;
    const { stdout, stderr, status } = await words(DRAIN);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /\n10\.0\.0\.11: drained in 3 services; 0 active/);
    assert.deepEqual(await weights(), [0, 0, 0]);
    assert.equal((await words(UNDRAIN)).status, 0);
    assert.equal((await ours(["-Sn"])).stdout, table);
  });

  test("drain and undrain at the same time end in one of the two states, never in a mixture", async () => {
    for (let round = 0; round < 5; round++) {
      await words(DRAIN);
      const [one, other] = await Promise.all([words(DRAIN), words(UNDRAIN)]);
      assert.deepEqual([one.stderr, one.status], ["", 0]);
      assert.deepEqual([other.stderr, other.status], ["", 0]);
      const now = (await weights()).join(" ");
      assert.ok(now === "0 0 0" || now === "2 3 4", now);
      if (now === "0 0 0") await words(UNDRAIN);
      assert.deepEqual(await weights(), [2, 3, 4]);
    }
  });

  test("drain --all-services and apply at the same time do not interfere", async () => {
    const [drained, applied] = await Promise.all([
      words(DRAIN),
      ours(["apply", "--keep-weights", "--wait", "300", "-"], RULES),
    ]);
    assert.deepEqual([drained.stderr, drained.status], ["", 0]);
    assert.deepEqual([applied.stderr, applied.status], ["", 0]);
    assert.deepEqual(await weights(), [0, 0, 0]);
  });

  test("drain --all-services goes on if services come and go meanwhile", async () => {
    const churning = new AbortController();
    const churn = (async () => {
      for (let port = 1000; !churning.signal.aborted; port++) {
        const service = `-t 192.0.2.9:${port}`;
        await ours(
          ["-R"],
          `-A ${service} -s rr\n-a ${service} -r ${MACHINE}:80 -g -w 1\n-D ${service}\n`,
        );
      }
    })();
    try {
      for (let round = 0; round < 10; round++) {
        const { stderr, status } = await words(DRAIN);
        assert.ok(
          status === 0 || stderr.includes("it changed during each of"),
          stderr,
        );
        assert.deepEqual(await weights(), status === 0 ? [0, 0, 0] : [2, 3, 4]);
        await words(UNDRAIN);
      }
    } finally {
      churning.abort();
      await churn;
    }
  });

  test("drain --all-services --remove removes the machine from every service", async () => {
    const { stdout, stderr, status } = await words(`${DRAIN} --remove`);
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /removed from 3 services after \d+s\n$/);
    assert.deepEqual(await weights(), []);
  });

  test("drain --all-services without CAP_NET_ADMIN changes nothing and ends with 3", () => {
    const shown = sh(
      `setpriv --bounding-set=-net_admin --inh-caps=-net_admin ${PROGRAM ?? "node dist/bin/ipvsadm.cjs"} ${DRAIN} 2>&1 || echo "status $?"`,
    );
    assert.match(shown, /Operation not permitted: run it as root/);
    assert.match(shown, /status 3\n$/);
  });

  test("wait --for drained ends when another process drains the machine", async () => {
    const waiting = words(
      `wait --all-services ${MACHINE} --for drained --timeout 600 --interval 0.2`,
    );
    await words(DRAIN);
    const { stdout, stderr, status } = await waiting;
    assert.deepEqual([stderr, status], ["", 0]);
    assert.match(stdout, /^10\.0\.0\.11: drained after \d+s\n$/);
  });

  test("wait ends with 124 after --timeout, with 5 for a missing server, and with 0 at once if it is met", async () => {
    const timedOut = await words(
      `wait tcp/192.0.2.1:80 ${MACHINE} --for drained --timeout 1`,
    );
    assert.equal(timedOut.status, 124);
    assert.match(timedOut.stderr, /has weight 3; to drain, run 'ipvsadm drain/);
    const missing = await words(
      "wait tcp/192.0.2.1:80 10.0.0.99 --for drained",
    );
    assert.equal(missing.status, 5);
    const met = await words("wait fwm/7 --for state=ok --timeout 60");
    assert.deepEqual([met.stderr, met.status], ["", 0]);
    assert.match(met.stdout, /^fwm\/7: state=ok after \d+s\n$/);
  });

  test("wait ends with 5 when the service is deleted", async () => {
    const waiting = words(
      `wait udp/192.0.2.1:53 ${MACHINE} --for drained --interval 0.2 --timeout 600`,
    );
    await ours(["-D", "-u", "192.0.2.1:53"]);
    const { stderr, status } = await waiting;
    assert.equal(status, 5, stderr);
  });
});
