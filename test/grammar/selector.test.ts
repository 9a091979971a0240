import assert from "node:assert/strict";
import { test } from "node:test";
import { UnresolvedHost } from "../../src/grammar/usage-errors.js";
import {
  AmbiguousSelector,
  formatSelector,
  oneServer,
  oneService,
  parseServerSelector,
  parseServiceSelector,
  selects,
  SelectorFault,
  UnknownSelected,
} from "../../src/grammar/selector.js";
import { INET, INET6 } from "../../src/ipvs/address.js";
import { SCTP, TCP, UDP, type ServiceKey } from "../../src/ipvs/model.js";
import { address } from "../fixtures/entries.js";
import { LOOKUPS, NO_NAMES } from "./lookups.js";

const web: ServiceKey = {
  family: INET,
  protocol: TCP,
  address: address("192.0.2.1"),
  port: 80,
};
const dns: ServiceKey = {
  family: INET6,
  protocol: UDP,
  address: address("2001:db8::1"),
  port: 53,
};
const sctp: ServiceKey = {
  family: INET,
  protocol: SCTP,
  address: address("192.0.2.1"),
  port: 80,
};
const mark: ServiceKey = { family: INET, firewallMark: 7 };
const mark6: ServiceKey = { family: INET6, firewallMark: 7 };
const TABLE = [web, dns, sctp, mark, mark6].map((key) => ({ key }));

/** The services that a selector matches. */
function meant(text: string): string[] {
  const selector = parseServiceSelector(text, LOOKUPS);
  return TABLE.filter(({ key }) => selects(selector, key)).map(({ key }) =>
    formatSelector(key),
  );
}

const BOTH = ["tcp/192.0.2.1:80", "sctp/192.0.2.1:80"];
const WORDS: readonly (readonly [string, readonly string[]])[] = [
  ["192.0.2.1:80", BOTH],
  ["192.0.2.1", BOTH],
  ["tcp/192.0.2.1:80", ["tcp/192.0.2.1:80"]],
  ["SCTP/192.0.2.1", ["sctp/192.0.2.1:80"]],
  ["tcp/192.0.2.1:http", ["tcp/192.0.2.1:80"]],
  ["192.0.2.1:http", BOTH],
  ["192.0.2.1:81", []],
  ["udp/[2001:db8::1]:53", ["udp/[2001:db8::1]:53"]],
  ["udp/2001:db8::1", ["udp/[2001:db8::1]:53"]],
  ["[2001:db8::1]", ["udp/[2001:db8::1]:53"]],
  ["fwm/7", ["fwm/7"]],
  ["fwm6/7", ["fwm6/7"]],
  ["fwm/8", []],
];
for (const [text, keys] of WORDS)
  test(`${text} selects ${keys.length === 0 ? "nothing" : keys.join(" and ")}`, () => {
    assert.deepEqual(meant(text), keys);
  });

test("formatSelector() selects only its own service", () => {
  for (const { key } of TABLE)
    assert.deepEqual(meant(formatSelector(key)), [formatSelector(key)]);
});

for (const text of [
  "",
  "80",
  "http/192.0.2.1:80",
  "tcp/",
  "192.0.2.1:99999",
  "[2001:db8::1:53",
  "fwm/0",
  "fwm/x",
  "fwm/4294967296",
])
  test(`parseServiceSelector() rejects "${text}"`, () => {
    assert.throws(() => parseServiceSelector(text, NO_NAMES), SelectorFault);
  });

test("parseServiceSelector() throws UnresolvedHost for a host that was not looked up yet", () => {
  const lookups = {
    ...NO_NAMES,
    host: (name: string) => {
      throw new UnresolvedHost(name);
    },
  };
  assert.throws(
    () => parseServiceSelector("tcp/web.example:80", lookups),
    UnresolvedHost,
  );
  assert.throws(
    () => parseServerSelector("web.example", TCP, lookups),
    UnresolvedHost,
  );
});

test("oneService() returns the only match, or throws why there is none", () => {
  const find = (text: string) =>
    oneService(text, parseServiceSelector(text, NO_NAMES), TABLE).key;
  assert.equal(find("tcp/192.0.2.1"), web);
  assert.throws(() => find("192.0.2.9"), UnknownSelected);
  assert.throws(
    () => find("192.0.2.1:80"),
    (error) => {
      assert.ok(error instanceof AmbiguousSelector);
      assert.equal(
        error.advice,
        "choose one of tcp/192.0.2.1:80, sctp/192.0.2.1:80",
      );
      return true;
    },
  );
});

test("oneServer() finds a real server with and without a port", () => {
  const servers = [8080, 8081].map((port) => ({
    key: { address: address("192.0.2.10"), port },
  }));
  const find = (text: string) =>
    oneServer(text, parseServerSelector(text, TCP, NO_NAMES), servers, web);
  assert.equal(find("192.0.2.10:8081"), servers[1]);
  assert.throws(() => find("192.0.2.10"), AmbiguousSelector);
  assert.throws(() => find("192.0.2.11"), UnknownSelected);
  assert.throws(() => find("tcp/192.0.2.10"), SelectorFault);
});
