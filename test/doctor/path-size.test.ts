import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  CLOSED_PORT,
  measureSizes,
  namesOf,
  reasonsOf,
  unknownSizes,
  withRoutes,
  type PathSize,
} from "../../src/doctor/path-size.js";
import { formatAddress } from "../../src/ipvs/address.js";
import type { RouteQuery } from "../../src/rtnl/client.js";
import type { SizedDatagrams } from "../../src/system/sized-datagrams.js";
import { address } from "../fixtures/entries.js";
import { route } from "./made-up-network.js";

const target = (text: string, full = 1500) => ({
  to: address(text),
  device: 1,
  full,
});

/** A clock on which sleep takes no time. */
function clock() {
  let now = 0;
  return {
    now: () => now,
    sleep(milliseconds: number) {
      now += milliseconds;
      return Promise.resolve();
    },
  };
}

/** Sockets whose packets are answered up to a size. */
function sockets(most: (machine: string) => number) {
  const opened: string[] = [];
  let open = 0;
  return {
    opened,
    stillOpen: () => open,
    open: (to: string, port: number, from?: string) => {
      opened.push(`${to} ${port} ${from ?? "-"}`);
      open++;
      const datagrams: SizedDatagrams = {
        lateAnswers: 0,
        send: (bytes) =>
          Promise.resolve(bytes <= most(to) ? "answered" : "no answer"),
        close() {
          open--;
        },
      };
      return Promise.resolve(datagrams);
    },
  };
}

suite("measureSizes()", () => {
  test("measureSizes() tries each machine from its source, and closes the sockets", async () => {
    const { opened, open, stillOpen } = sockets((to) =>
      to === "10.0.0.12" ? 1500 : 9000,
    );
    const sizes = await measureSizes(
      [
        { ...target("10.0.0.11", 9000), from: address("10.0.0.1") },
        target("10.0.0.12", 9000),
        target("2001:db8::13", 9000),
      ],
      clock(),
      open,
    );
    assert.deepEqual(opened, [
      `10.0.0.11 ${CLOSED_PORT} 10.0.0.1`,
      `10.0.0.12 ${CLOSED_PORT} -`,
      `2001:db8::13 ${CLOSED_PORT} -`,
    ]);
    assert.equal(stillOpen(), 0);
    assert.deepEqual(
      sizes.map(({ to, measure }) => [formatAddress(to), measure]),
      [
        ["10.0.0.11", { outcome: "carried" }],
        ["10.0.0.12", { outcome: "dropped", largest: 1500 }],
        ["2001:db8::13", { outcome: "carried" }],
      ],
    );
  });

  test("measureSizes() tries a limited number of machines for a limited time", async () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      target(`10.0.${Math.floor(i / 100)}.${(i % 100) + 1}`),
    );
    const quick = sockets(() => 1500);
    const sizes = await measureSizes(many, clock(), quick.open);
    assert.equal(sizes.length, 300);
    assert.equal(quick.opened.length, 256);
    assert.deepEqual(unknownSizes(reasonsOf(sizes)), [
      "whether the network carries packets of 1500 bytes to 10.0.2.57, 10.0.2.58, 10.0.2.59, 10.0.2.60 and 40 more (only 256 machines are tried)",
    ]);
    // Each machine without an answer takes some seconds.
    const slow = sockets(() => 0);
    const late = await measureSizes(many, clock(), slow.open);
    assert.ok(slow.opened.length < 256, String(slow.opened.length));
    assert.ok(
      unknownSizes(reasonsOf(late)).some((text) =>
        text.endsWith("(there was no time for it)"),
      ),
    );
  });

  test("measureSizes() says so if there is no socket", async () => {
    const [size] = await measureSizes([target("10.0.0.11")], clock(), () =>
      Promise.resolve(undefined),
    );
    assert.equal(size?.measure.outcome, "unknown");
  });
});

test("withRoutes() asks for the configured routes of ways that drop packets", async () => {
  const asked: RouteQuery[] = [];
  const sizes: PathSize[] = [
    { ...target("10.0.0.11"), measure: { outcome: "carried" } },
    {
      ...target("10.0.0.12"),
      measure: { outcome: "dropped", largest: 1400 },
    },
  ];
  const configured = route("10.0.0.0", "unicast", 1);
  const [first, second] = await withRoutes(
    {
      routeTo(query) {
        asked.push(query);
        return Promise.resolve(configured);
      },
    },
    sizes,
  );
  assert.deepEqual(
    asked.map(({ to, asConfigured }) => [formatAddress(to), asConfigured]),
    [["10.0.0.12", true]],
  );
  assert.equal(first?.route, undefined);
  assert.equal(second?.route, configured);
});

test("namesOf() names some machines, each once, and counts the rest", () => {
  const names = (...texts: string[]) => namesOf(texts.map(address));
  assert.equal(names("10.0.0.1"), "10.0.0.1");
  assert.equal(names("10.0.0.1", "10.0.0.2"), "10.0.0.1 and 10.0.0.2");
  assert.equal(names("10.0.0.1", "10.0.0.1"), "10.0.0.1");
  assert.equal(
    names("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"),
    "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4 and 1 more",
  );
});
