import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NameLookups } from "../../src/rules/name-lookups.js";
import { readConfiguration } from "./configurations.js";

/** Knows no names, not even those of the members of an object. */
const NO_NAMES: NameLookups = {
  hostAddress: () => Promise.resolve(undefined),
  servicePort: () => undefined,
};

const KEEPALIVED = [
  "virtual_server",
  "virtual_server_group",
  "real_server",
  "sorry_server",
  "group",
  "fwmark",
  "192.0.2.1",
  "192.0.2.1-9",
  "2001:db8::/126",
  "80",
  "{",
  "}",
  "\n",
  "\n",
  "lvs_method TUN type gue port",
  "persistence_granularity",
  "protocol TCP",
  "weight",
  "TCP_CHECK",
  "@main",
  "$A=$B 1",
  "$B=\\\n$A\\\n",
  "$A",
  "${B}",
  "~SEQ(A, 1, 3)",
  "~LST({A,B},{1,2})",
  "include x",
  "global_defs",
  "lvs_sync_daemon eth0 id",
  "global_defs {\n lvs_sync_daemon eth0 toString 1\n}\n",
  "vrrp_instance",
  '"',
  "#",
  "é\u202e",
];

const LDIRECTORD = [
  "virtual=",
  "virtual6 = [2001:db8::1]:80",
  "192.0.2.1:80",
  "7",
  "\n",
  "\n\t",
  "\n    ",
  "real=10.0.0.1->10.0.0.3:80",
  "real6=",
  "masq",
  "gate 5",
  "l:1 u:",
  '"a", "b"',
  "fallback=",
  "quiescent=no",
  "persistent=",
  "netmask=",
  "protocol=fwm",
  "scheduler=rr",
  "#",
  "host:http",
];

for (const [name, first, words] of [
  ["keepalived", "global_defs {\n}\n", KEEPALIVED],
  ["ldirectord", "checkinterval=1\n", LDIRECTORD],
] as const)
  test(`readRules() reads any configuration of ${name}, with positions within it`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), {
          maxLength: 60,
        }),
        async (parts) => {
          const text = first + parts.join(" ");
          const { file } = await readConfiguration(text, NO_NAMES);
          assert.equal(file.format, name);
          const lines = text.split("\n");
          for (const { position } of [...file.errors, ...file.textWarnings]) {
            const line = lines[position.line - 1];
            assert.ok(line !== undefined, JSON.stringify(position));
            assert.ok(position.column >= 1);
            assert.ok(position.column <= line.length + 1);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

test("readRules() reads large configurations in linear time", async () => {
  const one = (i: number) =>
    `virtual_server 10.${i >> 8}.${i & 255}.1 80 {\n  protocol TCP\n  real_server 10.0.0.1 80 {\n    weight 1\n  }\n}\n`;
  const seconds = async (count: number) => {
    const text = Array.from({ length: count }, (_, i) => one(i)).join("");
    const start = process.cpuUsage();
    const { file } = await readConfiguration(text);
    assert.equal(file.table.services.length, count);
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1e6;
  };
  await seconds(1000);
  const small = await seconds(2_000);
  const large = await seconds(20_000);
  assert.ok(large < 30 * small + 1, `${small} s, then ${large} s`);
});

test("readRules() stops at definitions that produce too many lines", async () => {
  for (const text of [
    "$A=x $A\n$A\n",
    "~SEQ(A, 1, 60000) ~SEQ(B, 1, 60000) $C=1\n",
    `${"~SEQ(A, 1, 9) ".repeat(20)} $C=1\n`,
  ]) {
    const { findings } = await readConfiguration(`global_defs {\n}\n${text}`);
    assert.match(findings.join("\n"), /error too-many-lines/, text);
  }
});
