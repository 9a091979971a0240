import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleCount, ruleText, serverAddress, serviceAddress } from "./rules.js";

const MANY = 30_000;

for (const [name, addressOf] of [
  ["services", serviceAddress],
  ["servers", serverAddress],
] as const) {
  const addresses = Array.from({ length: MANY }, (_, n) => addressOf(n));

  test(`all ${name} have different addresses`, () => {
    assert.equal(new Set(addresses).size, MANY);
  });

  test(`the last bytes of the ${name} are evenly distributed, and so are the kernel's hash buckets`, () => {
    const counts = new Map<string, number>();
    for (const address of addresses.slice(0, 1000)) {
      const last = address.split(".")[3] ?? "";
      counts.set(last, (counts.get(last) ?? 0) + 1);
    }
    assert.equal(counts.size, 256);
    assert.ok(Math.max(...counts.values()) <= 4);
  });

  test(`the middle bytes of the ${name} are evenly distributed`, () => {
    for (const place of [1, 2]) {
      const values = addresses.slice(0, 1000).map((a) => a.split(".")[place]);
      assert.ok(new Set(values).size >= 60, `byte ${place}`);
    }
  });
}

test("services and servers have no address in common", () => {
  const services = new Set(
    Array.from({ length: MANY }, (_, n) => serviceAddress(n)),
  );
  for (let n = 0; n < MANY; n++)
    assert.ok(!services.has(serverAddress(n)), serverAddress(n));
});

test("ruleText() writes each service followed by its servers", () => {
  const lines = ruleText(3, 2).trimEnd().split("\n");
  assert.equal(lines.length, ruleCount(3, 2));
  assert.equal(lines[0], `-A -t ${serviceAddress(0)}:443 -s wlc`);
  assert.equal(
    lines[1],
    `-a -t ${serviceAddress(0)}:443 -r ${serverAddress(0)}:8080 -m -w 1`,
  );
  assert.equal(lines[3], `-A -t ${serviceAddress(1)}:80 -s rr`);
  assert.ok(lines[5]?.includes(serverAddress(3)));
});
