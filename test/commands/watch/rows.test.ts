import assert from "node:assert/strict";
import { test } from "node:test";
import {
  arrange,
  SORT_KEYS,
  type Arrangement,
} from "../../../src/commands/watch/rows.js";
import { watchSpec } from "../../../src/commands/watch/spec.js";
import { Sampler } from "../../../src/commands/watch/sampler.js";
import { MARK, NAMES, reading, server, service, WEB } from "./sample-table.js";

const sampler = new Sampler();
sampler.take(
  reading(0, [
    service(WEB, [server("192.0.2.10", 0), server("192.0.2.11", 0)]),
    service(NAMES, [server("192.0.2.20", 0)], { scheduler: "sh" }),
    service(MARK, []),
  ]),
);
const SAMPLE = sampler.take(
  reading(2, [
    service(WEB, [
      server("192.0.2.10", 2, {}, 1),
      server("192.0.2.11", 4, { weight: 3 }),
    ]),
    service(NAMES, [server("192.0.2.20", 40)], { scheduler: "sh" }),
    service(MARK, []),
  ]),
);

const [WEB_NAME, DNS_NAME, MARK_NAME] = [
  "tcp/192.0.2.1:80",
  "udp/192.0.2.1:53",
  "fwm/7",
];

const USUAL: Arrangement = {
  sort: "connections",
  reversed: false,
  filter: "",
  servers: true,
};

/** The names in the table from the top. */
function names(change: Partial<Arrangement>): string[] {
  return arrange(SAMPLE, { ...USUAL, ...change }).map(({ service, server }) =>
    server ? server.name.replace(":8080", "") : service.name,
  );
}

test("arrange() puts the busiest service and its busiest server first", () => {
  assert.deepEqual(names({}), [
    DNS_NAME,
    "192.0.2.20",
    WEB_NAME,
    "192.0.2.11",
    "192.0.2.10",
    MARK_NAME,
  ]);
});

test("arrange() reversed puts the least busy ones first", () => {
  assert.deepEqual(names({ reversed: true }), [
    MARK_NAME,
    WEB_NAME,
    "192.0.2.10",
    "192.0.2.11",
    DNS_NAME,
    "192.0.2.20",
  ]);
});

test("arrange() puts unknown rates last in both directions", () => {
  const other = new Sampler();
  other.take(reading(0, [service(WEB, []), service(MARK, [])]));
  const sample = other.take(reading(2, [service(MARK, [])]));
  for (const reversed of [false, true]) {
    const [row] = arrange(sample, { ...USUAL, reversed });
    assert.equal(row?.service.name, MARK_NAME);
  }
});

test("arrange() sorts by active connections, changes and names", () => {
  const top = (change: Partial<Arrangement>) =>
    names({ ...change, servers: false });
  assert.deepEqual(top({ sort: "bytes" })[0], DNS_NAME);
  assert.deepEqual(top({ sort: "active" })[0], WEB_NAME);
  assert.deepEqual(top({ sort: "name" }), [WEB_NAME, DNS_NAME, MARK_NAME]);
  assert.deepEqual(names({ sort: "changed" }).slice(0, 4), [
    WEB_NAME,
    "192.0.2.11",
    "192.0.2.10",
    DNS_NAME,
  ]);
});

test("arrange() filters services with all their servers, or single servers", () => {
  assert.deepEqual(names({ filter: "UDP" }), [DNS_NAME, "192.0.2.20"]);
  assert.deepEqual(names({ filter: " sh " }), [DNS_NAME, "192.0.2.20"]);
  assert.deepEqual(names({ filter: ".11" }), [WEB_NAME, "192.0.2.11"]);
  assert.deepEqual(names({ filter: "tcp .10" }), [WEB_NAME, "192.0.2.10"]);
  assert.deepEqual(names({ filter: "nothing" }), []);
});

test("the spec lists all sort keys", () => {
  const { choices } =
    watchSpec.options.find(({ name }) => name === "sort") ?? assert.fail();
  assert.deepEqual(choices, SORT_KEYS);
});
