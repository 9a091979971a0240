import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExaminationResult } from "../../src/fleet/examination.js";
import { recordBytes } from "../../src/fleet/record.js";
import {
  gateFault,
  parseGate,
  type Gate,
} from "../../src/fleet/rollout/gates.js";
import { changeRollout } from "../../src/fleet/rollout/run-rollout.js";
import { KEYS } from "./rig.js";
import { staged, stopped, type Fleet } from "./rollout-rig.js";

test("parseGate() knows doctor and a share of failing connections", () => {
  const known: readonly (readonly [string, Gate])[] = [
    ["doctor", { kind: "doctor", severity: "error" }],
    ["doctor=error", { kind: "doctor", severity: "error" }],
    ["doctor=warning", { kind: "doctor", severity: "warning" }],
    ["failing=5%", { kind: "failing", share: 0.05 }],
    ["failing=0%", { kind: "failing", share: 0 }],
    ["failing=100%", { kind: "failing", share: 1 }],
    ["failing=0.5%", { kind: "failing", share: 0.005 }],
  ];
  for (const [text, gate] of known) assert.deepEqual(parseGate(text), gate);
  for (const text of [
    ...["", "Doctor", "doctor=", "doctor=note", "failing", "failing="],
    ...["failing=5", "failing=-1%", "failing=101%", "failing=5%%", "x"],
  ])
    assert.equal(parseGate(text), undefined, text);
});

const CLEAN: ExaminationResult = {
  doctor: { errors: 0, warnings: 0, notes: 0, findings: [] },
  connections: { seconds: 10 },
};

function faultOf(texts: readonly string[], result: ExaminationResult) {
  const gates = texts.map((text) => {
    const gate = parseGate(text);
    assert.ok(gate);
    return gate;
  });
  return gateFault(gates, { id: "x", revision: 2, at: "now", ...result });
}

test("gateFault() names the findings that stop a rollout", () => {
  const doctor = {
    errors: 1,
    warnings: 2,
    notes: 1,
    findings: [
      { id: "server-no-arp", severity: "error", subject: "10.0.0.14" },
      { id: "no-servers", severity: "warning" },
      { id: "other", severity: "note" },
    ],
  } as const;
  assert.equal(
    faultOf(["doctor"], { doctor }),
    "fails the gate doctor: 1 error (server-no-arp 10.0.0.14)",
  );
  assert.equal(
    faultOf(["doctor=warning"], { doctor }),
    "fails the gate doctor: 1 error, 2 warnings (server-no-arp 10.0.0.14, no-servers)",
  );
  const warned = { doctor: { ...doctor, errors: 0 } };
  assert.equal(faultOf(["doctor"], warned), undefined);
  assert.equal(faultOf(["doctor", "failing=5%"], CLEAN), undefined);
  assert.equal(
    faultOf(["doctor"], { fault: "IPVS is not in the kernel" }),
    "was not examined by doctor: IPVS is not in the kernel",
  );
});

test("gateFault() compares the share of failing connections with the limit", () => {
  const failing = (count: number): ExaminationResult => ({
    connections: {
      seconds: 10,
      worst: { service: "tcp/192.0.2.1:80", opened: 100, failing: count },
    },
  });
  assert.equal(faultOf(["failing=5%"], failing(5)), undefined);
  assert.equal(
    faultOf(["failing=5%"], failing(6)),
    "fails the gate failing=5%: 6 of 100 new connections of tcp/192.0.2.1:80 (6%) got no answer within 10 s",
  );
  assert.equal(faultOf(["failing=0%"], failing(0)), undefined);
  assert.equal(
    faultOf(["failing=5%"], { fault: "not done within 20 s" }),
    "did not count failing connections: not done within 20 s",
  );
});

/** From now on, the agents answer requests of rollouts. */
function answerWith(
  fleet: Fleet,
  answer: (name: string) => ExaminationResult | undefined,
): void {
  fleet.tick = () => {
    for (const { agent } of fleet.directors) {
      const asked = agent.examination;
      const result = asked && answer(agent.name);
      if (!result) continue;
      const { id, revision } = asked;
      const value = recordBytes({ ...result, id, revision, at: "now" });
      fleet.cluster.commit([], [{ put: KEYS.examination(agent.name), value }]);
    }
    return Promise.resolve();
  };
}

const GATES = ["doctor", "failing=5%"];

test("runRollout() without gates asks no director for an examination", async () => {
  const fleet = await staged(2);
  let asked = 0;
  answerWith(fleet, () => {
    asked++;
    return CLEAN;
  });
  await fleet.run();
  assert.equal(asked, 0);
  assert.equal(fleet.having(2), 2);
});

test("runRollout() with gates goes on when every director passes, and asks for nothing afterwards", async () => {
  const fleet = await staged(4);
  const answered = new Set<string>();
  answerWith(fleet, (name) => {
    answered.add(name);
    return CLEAN;
  });
  await fleet.run(fleet.rollout({ gates: GATES }));
  assert.equal(fleet.having(2), 4);
  assert.equal(answered.size, 4);
  await fleet.work();
  for (const { agent } of fleet.directors)
    assert.equal(agent.examination, undefined);
});

test("runRollout() stops at the first director that fails a gate, and changes no other", async () => {
  const fleet = await staged(4);
  answerWith(fleet, (name) =>
    name === "lb2"
      ? {
          ...CLEAN,
          doctor: {
            errors: 1,
            warnings: 0,
            notes: 0,
            findings: [{ id: "server-no-arp", severity: "error" }],
          },
        }
      : CLEAN,
  );
  await assert.rejects(
    fleet.run(fleet.rollout({ gates: GATES, mostUnavailable: 1 })),
    stopped(/^stopped: lb2 fails the gate doctor: 1 error \(server-no-arp\)$/),
  );
  assert.equal(fleet.having(2), 2);
});

test("runRollout() examines directors during the soak, too", async () => {
  const fleet = await staged(2);
  let count = 0;
  const bad: ExaminationResult = {
    ...CLEAN,
    connections: {
      seconds: 20,
      worst: { service: "tcp/192.0.2.1:80", opened: 50, failing: 25 },
    },
  };
  // The first answer passes: the server dies later.
  answerWith(fleet, () => (++count > 2 ? bad : CLEAN));
  await assert.rejects(
    fleet.run(fleet.rollout({ gates: GATES, soakSeconds: 10 })),
    stopped(/lb1 fails the gate failing=5%: 25 of 50 .* \(50%\)/),
  );
  assert.equal(fleet.having(2), 1);
});

test("runRollout() needs a report from the soak before it goes on", async () => {
  const fleet = await staged(2);
  let answers = 0;
  // One answer, and then the director is busy.
  answerWith(fleet, () => (answers++ === 0 ? CLEAN : undefined));
  await assert.rejects(
    fleet.run(fleet.rollout({ gates: GATES })),
    stopped(/lb1 has not reported what the gate asks for within 30 s/),
  );
  assert.equal(fleet.having(2), 1);
  assert.ok(fleet.seconds >= 33, String(fleet.seconds));
});

test("runRollout() stops if an agent does not answer, and goes on after resume", async () => {
  const fleet = await staged(2);
  const rollout = fleet.rollout({ gates: GATES });
  await assert.rejects(
    fleet.run(rollout),
    stopped(/lb1 has not reported what the gate asks for within 30 s/),
  );
  assert.equal(fleet.having(2), 1);
  answerWith(fleet, () => CLEAN);
  await changeRollout(fleet.store, KEYS, "web", ["failed"], "running");
  await fleet.run(rollout);
  assert.equal(fleet.having(2), 2);
});

const BAD: ExaminationResult = { ...CLEAN, connections: undefined, fault: "x" };

test("runRollout() that is continued judges no report from before", async () => {
  const fleet = await staged(2);
  answerWith(fleet, () => BAD);
  const rollout = fleet.rollout({ gates: GATES });
  await assert.rejects(fleet.run(rollout), stopped(/lb1 did not count/));
  answerWith(fleet, () => CLEAN);
  await fleet.run(
    await changeRollout(fleet.store, KEYS, "web", ["failed"], "running"),
  );
  assert.equal(fleet.having(2), 2);
});

test("runRollout() judges no report from a pause", async () => {
  const fleet = await staged(1);
  let ticks = 0;
  answerWith(fleet, () => (ticks < 20 ? BAD : CLEAN));
  const { tick } = fleet;
  fleet.tick = async () => {
    ticks++;
    if (ticks === 1)
      await changeRollout(fleet.store, KEYS, "web", ["running"], "paused");
    // The last report from the pause is bad.
    if (ticks === 20)
      await changeRollout(fleet.store, KEYS, "web", ["paused"], "running");
    else await tick();
  };
  await fleet.run(fleet.rollout({ gates: GATES }));
  assert.equal(fleet.having(2), 1);
});

test("runRollout() ignores what a director reported for another rollout", async () => {
  const fleet = await staged(1);
  const value = recordBytes({
    ...{ id: "another", revision: 2, at: "now" },
    doctor: { errors: 9, warnings: 0, notes: 0, findings: [] },
  });
  fleet.cluster.commit([], [{ put: KEYS.examination("lb1"), value }]);
  await assert.rejects(
    fleet.run(fleet.rollout({ gates: GATES })),
    stopped(/lb1 has not reported/),
  );
});

test("runRollout() refuses a gate that it does not know", async () => {
  const fleet = await staged(1);
  await assert.rejects(
    fleet.run(fleet.rollout({ gates: ["doctor", "newer"] })),
    stopped(/unknown gate: newer/),
  );
  assert.equal(fleet.having(2), 0);
});
