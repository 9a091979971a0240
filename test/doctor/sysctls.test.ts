import assert from "node:assert/strict";
import { test } from "node:test";
import {
  settingsIn,
  sysctlCommand,
  sysctlFix,
  sysctlName,
  sysctlNumber,
} from "../../src/doctor/sysctls.js";

test("sysctlName() keeps a dot in an interface name apart from separators", () => {
  const path = "net/ipv4/conf/eth0.100/rp_filter";
  assert.equal(sysctlName(path), "net.ipv4.conf.eth0/100.rp_filter");
  assert.deepEqual(
    sysctlFix({ [path]: 0 }, "nothing else", "real server 192.0.2.10"),
    {
      command: "sysctl -w net.ipv4.conf.eth0/100.rp_filter=0",
      on: "real server 192.0.2.10",
      effect: "nothing else",
    },
  );
});

test("settingsIn() returns the settings that a command of sysctl changes", () => {
  const paths = ["net/ipv4/conf/eth0.100/rp_filter", "net/ipv4/vs/conn_max"];
  const command = sysctlCommand(
    Object.fromEntries(paths.map((path) => [path, 1])),
  );
  assert.deepEqual(settingsIn(command), paths);
  assert.deepEqual(settingsIn("modprobe ip_vs a=1"), []);
});

test("sysctlNumber() is undefined for a missing setting and for text", () => {
  const sysctls = new Map([
    ["one", "1\n"],
    ["two", "3\t50"],
  ]);
  assert.equal(sysctlNumber(sysctls, "one"), 1);
  assert.equal(sysctlNumber(sysctls, "two"), undefined);
  assert.equal(sysctlNumber(sysctls, "three"), undefined);
});
