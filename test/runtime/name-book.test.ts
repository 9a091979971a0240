import assert from "node:assert/strict";
import { test } from "node:test";
import { TRANSPORTS } from "../../src/ipvs/model.js";
import { NameBook, numericName } from "../../src/runtime/name-book.js";
import { TCP, UDP } from "../../src/ipvs/model.js";
import type { Names } from "../../src/system/names.js";
import { address } from "../fixtures/entries.js";

const WEB = address("192.0.2.80");
const DNS = address("2001:db8::53");

/** Names with two hosts and one service. Records the lookups of hosts. */
function names(): Names & { asked: string[] } {
  const asked: string[] = [];
  const hosts: Record<string, string> = {
    "192.0.2.80": "web.example",
    "2001:db8::53": "dns.example",
  };
  return {
    asked,
    hostAddress: () => Promise.resolve(undefined),
    hostName(text) {
      asked.push(text);
      return Promise.resolve(hosts[text]);
    },
    servicePort: () => undefined,
    serviceName: (port, transport) =>
      port === 53 && transport === "udp" ? "domain" : undefined,
  };
}

test("numericName() shows numbers", () => {
  assert.equal(numericName(WEB, 53, UDP), "192.0.2.80:53");
  assert.equal(numericName(DNS, 53, UDP), "[2001:db8::53]:53");
});

test("NameBook shows hosts and services by name", async () => {
  const book = new NameBook(names());
  await book.learn([WEB, DNS]);
  assert.equal(book.name(WEB, 53, UDP), "web.example:domain");
  assert.equal(book.name(DNS, 53, UDP), "[dns.example]:domain");
});

test("NameBook shows numbers for hosts and services without a name", async () => {
  const book = new NameBook(names());
  const other = address("192.0.2.81");
  await book.learn([other]);
  assert.equal(book.name(other, 53, TCP), "192.0.2.81:53");
  assert.equal(book.name(other, 80, UDP), "192.0.2.81:80");
});

test("NameBook shows the ports of firewall marks as numbers", async () => {
  const book = new NameBook(names());
  await book.learn([WEB]);
  assert.equal(book.name(WEB, 53, undefined), "web.example:53");
});

test("NameBook looks up each address once", async () => {
  const asking = names();
  const book = new NameBook(asking);
  await book.learn([WEB, WEB, DNS]);
  await book.learn([DNS, WEB]);
  assert.deepEqual(asking.asked, ["192.0.2.80", "2001:db8::53"]);
});

test("NameBook looks up all addresses at the same time", async () => {
  const answers: (() => void)[] = [];
  const asking = names();
  asking.hostName = () =>
    new Promise((resolve) => {
      answers.push(() => {
        resolve("late.example");
      });
    });
  const book = new NameBook(asking);
  const learnt = book.learn([WEB, DNS]);
  assert.equal(answers.length, 2);
  for (const answer of answers) answer();
  await learnt;
  assert.equal(book.name(WEB, 80, TCP), "late.example:80");
});

test("NameBook uses the protocol names of /etc/services", () => {
  assert.deepEqual(TRANSPORTS, { 6: "tcp", 17: "udp", 132: "sctp" });
});

test("NameBook drops the first of very many names and looks them up again", async () => {
  const asking = names();
  const book = new NameBook(asking);
  await book.learn([WEB]);
  for (let i = 0; i < 2; i++)
    await book.learn(
      Array.from({ length: 40_000 }, (_, host) =>
        Uint8Array.of(10, i, host >> 8, host & 255),
      ),
    );
  await book.learn([WEB]);
  assert.equal(book.name(WEB, 80, TCP), "web.example:80");
  assert.equal(asking.asked.length, 80_002);
});
