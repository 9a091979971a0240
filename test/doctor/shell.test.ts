import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import {
  addAddress,
  removeAddress,
} from "../../src/doctor/real-server/commands.js";
import { shellWord } from "../../src/doctor/shell.js";
import { sysctlCommand } from "../../src/doctor/sysctls.js";
import { device, owned } from "./real-server/made-up.js";
import { address } from "../fixtures/entries.js";

/** Names that the kernel lets interfaces have: anything without a blank, a slash and a colon. */
const NAMES = [
  "a;b$(x)",
  "it's",
  "a\\b`c`",
  'q"q',
  "*",
  "~",
  "a&b|c>d",
  "\xfc",
];

test("shellWord() leaves harmless names alone", () => {
  for (const name of ["eth0", "eth0.100", "veth1@if2", "br-lan", "INTERFACE"])
    assert.equal(shellWord(name), name);
  assert.equal(shellWord(""), "''");
});

/** The words that a shell makes of a command. */
function wordsOf(command: string): string[] {
  const script = `printf '%s\\n' ${command}`;
  const text = execFileSync("sh", ["-c", script]);
  return text.toString().split("\n").slice(0, -1);
}

test("shellWord() quotes the brackets of IPv6 addresses, and leaves lists of IPv4 services alone", () => {
  const name = "tcp/[2001:db8::1]:80";
  assert.equal(shellWord(name), `'${name}'`);
  assert.deepEqual(wordsOf(shellWord(name)), [name]);
  const list = "tcp/192.0.2.1:80,udp/192.0.2.1:53";
  assert.equal(shellWord(list), list);
});

test("shellWord() quotes interface names so that a shell reads them back", () => {
  for (const name of NAMES) {
    const own = device(2, name);
    const add = wordsOf(addAddress(address("192.0.2.1"), name).command);
    assert.deepEqual(add.slice(-2), ["dev", name]);
    const { command } = removeAddress(owned(own, "192.0.2.1/24"), own);
    assert.deepEqual(wordsOf(command).slice(-2), ["dev", name]);
    const path = `net/ipv4/conf/${name}/rp_filter`;
    assert.deepEqual(wordsOf(sysctlCommand({ [path]: 2 })), [
      "sysctl",
      "-w",
      `net.ipv4.conf.${name}.rp_filter=2`,
    ]);
  }
});
