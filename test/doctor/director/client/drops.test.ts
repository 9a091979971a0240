import assert from "node:assert/strict";
import { test } from "node:test";
import { dropSteps } from "../../../../src/doctor/director/client/drops.js";

function grown(
  after: Readonly<Record<string, number>>,
  passes = false,
  before: Readonly<Record<string, number>> = {},
) {
  const all = (values: Readonly<Record<string, number>>) =>
    new Map(Object.entries(values).map(([key, one]) => [key, BigInt(one)]));
  const zeros = Object.fromEntries(Object.keys(after).map((key) => [key, 0]));
  return dropSteps(
    { before: all({ ...zeros, ...before }), after: all(after) },
    passes,
  );
}

test("dropSteps() names each counter of lost packets that grew, the most telling first", () => {
  const steps = grown({
    "eth0.100.rx_dropped": 7,
    "TcpExt.IPReversePathFilter": 3,
    "Ip.ReasmFails": 24,
    "Ip.InReceives": 900,
  });
  assert.deepEqual(
    steps.map(({ step, state }) => `${step} ${state}`),
    ["drops unknown", "drops unknown", "drops unknown"],
  );
  const [fragments, filter, ring] = steps.map(({ text }) => text);
  assert.match(fragments ?? "", /^Ip ReasmFails grew by 24: fragments could/);
  assert.match(
    filter ?? "",
    /^TcpExt IPReversePathFilter grew by 3: rp_filter/,
  );
  assert.match(ring ?? "", /^eth0\.100 rx_dropped grew by 7: the interface/);
});

test("dropSteps() says that the neighbor table's counters are of the whole machine", () => {
  const [step] = grown({ "arp_cache.res_failed": 2 });
  assert.match(step?.text ?? "", /over all network namespaces/);
});

test("dropSteps() is silent about counters that stood still, that are new, and of other packets", () => {
  assert.deepEqual(
    grown({ "Ip.ReasmFails": 5 }, false, { "Ip.ReasmFails": 5 }),
    [],
  );
  assert.deepEqual(grown({ "Ip.InReceives": 900, "Tcp.InSegs": 7 }), []);
  assert.deepEqual(
    dropSteps(
      { before: new Map(), after: new Map([["Ip.ReasmFails", 5n]]) },
      false,
    ),
    [],
  );
  assert.deepEqual(dropSteps(undefined, false), []);
});

test("dropSteps() lists only lost fragments of a client that is answered", () => {
  const steps = grown({ "eth0.rx_dropped": 7, "Ip.ReasmFails": 5 }, true);
  assert.deepEqual(
    steps.map(({ text }) => text.split(":")[0]),
    ["Ip ReasmFails grew by 5"],
  );
  assert.deepEqual(grown({ "Ip.ReasmFails": 4 }, true), []);
});

test("dropSteps() counts what it leaves out", () => {
  const many = Object.fromEntries(
    Array.from({ length: 12 }, (_, i) => [`eth${i}.tx_dropped`, 1]),
  );
  const steps = grown(many);
  assert.equal(steps.length, 9);
  assert.equal(steps.at(-1)?.text, "4 more counters of lost packets grew");
});
