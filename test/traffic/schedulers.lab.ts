import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { balance, ipvsadm } from "./ipvsadm.js";
import { BEHIND_DIRECTOR, otherClients } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy, spread, turns } from "./spread.js";

const SCHEDULERS = "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh".split(" ");
const CLIENTS = otherClients(40);

suite("schedulers", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80] },
    real2: { http: [80] },
    real3: { http: [80] },
  });

  // For a service of the same address, connections of an earlier test would count.
  let nextPort = 1000;

  /** Creates a service with three servers of these weights. @returns its address and port */
  async function serve(
    settings: string,
    weights: readonly number[] = [1, 1, 1],
  ): Promise<string> {
    const service = `192.0.2.100:${nextPort++}`;
    const servers = weights.map(
      (weight, i) =>
        `-a -t ${service} -r 198.51.100.1${i + 1}:80 -m -w ${weight}`,
    );
    await balance([`-A -t ${service} -s ${settings}`, ...servers].join("\n"));
    return service;
  }

  /** The servers that reply to one connection from each client. */
  async function homes(service: string): Promise<string[]> {
    const names = [];
    for (const from of CLIENTS) names.push(...(await ask(service, { from })));
    return names;
  }

  async function ask(
    service: string,
    manner: { count?: number; from?: string },
  ): Promise<string[]> {
    return answeredBy(await site.client.get(`http://${service}/`, manner));
  }

  async function hold(service: string, count: number) {
    const held = [];
    for (let i = 0; i < count; i++)
      held.push(await site.client.hold(`http://${service}/`));
    return held;
  }

  for (const scheduler of SCHEDULERS)
    test(`${scheduler} forwards`, async () => {
      const service = await serve(scheduler);
      const names = await ask(service, { count: 3 });
      assert.equal(names.length, 3);
      for (const name of names) assert.match(name, /^real[123]$/);
      assert.match(
        await ipvsadm("-Ln"),
        new RegExp(`^TCP {2}${service} ${scheduler}$`, "m"),
      );
    });

  test("rr alternates between servers, regardless of weights", async () => {
    const names = await ask(await serve("rr", [5, 1, 2]), { count: 12 });
    assert.deepEqual(names.slice(0, 3).sort(), ["real1", "real2", "real3"]);
    for (const turn of turns(names, 3))
      assert.deepEqual(turn, names.slice(0, 3));
  });

  test("wrr gives each server its weight in every round", async () => {
    const service = await serve("wrr", [3, 2, 1]);
    const replies = await site.client.get(`http://${service}/`, { count: 24 });
    for (const turn of turns(replies, 6))
      assert.deepEqual(spread(turn), { real1: 3, real2: 2, real3: 1 });
  });

  test("lc chooses the server with the fewest connections", async () => {
    const held = await hold(await serve("lc", [9, 1, 1]), 9);
    for (const turn of turns(held, 3))
      assert.deepEqual(spread(turn), { real1: 1, real2: 1, real3: 1 });
    for (const one of held) await one.close();
  });

  test("wlc chooses the server with the fewest connections for its weight", async () => {
    const held = await hold(await serve("wlc", [3, 2, 1]), 12);
    assert.deepEqual(spread(held), { real1: 6, real2: 4, real3: 2 });
    for (const one of held) await one.close();
  });

  test("fo chooses the server with the highest weight", async () => {
    const service = await serve("fo", [2, 9, 5]);
    assert.deepEqual(await ask(service, { count: 3 }), Array(3).fill("real2"));
    await ipvsadm(`-e -t ${service} -r 198.51.100.12:80 -m -w 0`);
    assert.deepEqual(await ask(service, { count: 3 }), Array(3).fill("real3"));
  });

  test("ovf chooses the server with the highest weight until it has more connections than its weight", async () => {
    const held = await hold(await serve("ovf", [2, 3, 1]), 9);
    assert.deepEqual(answeredBy(held), [
      ...Array<string>(4).fill("real2"),
      ...Array<string>(3).fill("real1"),
      ...Array<string>(2).fill("real3"),
    ]);
    for (const one of held) await one.close();
  });

  for (const scheduler of ["sh", "mh"]) {
    test(`${scheduler} keeps a client on its server, and distributes clients`, async () => {
      const service = await serve(scheduler);
      const first = await homes(service);
      assert.deepEqual([...new Set(first)].sort(), ["real1", "real2", "real3"]);
      assert.deepEqual(await homes(service), first);
    });

    test(`${scheduler} with ${scheduler}-port distributes the connections of a client`, async () => {
      const service = await serve(`${scheduler} -b ${scheduler}-port`);
      const names = await ask(service, { count: 30 });
      assert.deepEqual([...new Set(names)].sort(), ["real1", "real2", "real3"]);
    });

    test(`${scheduler} refuses the clients of a drained server, unless ${scheduler}-fallback is set`, async () => {
      const service = await serve(scheduler);
      const client = { from: CLIENTS[0] ?? "" };
      const [home = ""] = await ask(service, client);
      const server = `198.51.100.1${home.slice("real".length)}:80`;
      await ipvsadm(`-e -t ${service} -r ${server} -m -w 0`);
      const [refused] = await ask(service, client);
      assert.equal(refused, "ECONNREFUSED");
      await ipvsadm(
        `-E -t ${service} -s ${scheduler} -b ${scheduler}-fallback`,
      );
      const [other = ""] = await ask(service, client);
      assert.match(other, /^real[123]$/);
      assert.notEqual(other, home);
    });
  }

  test("mh keeps the clients of the other servers when one is deleted", async () => {
    const service = await serve("mh");
    const before = await homes(service);
    await ipvsadm(`-d -t ${service} -r 198.51.100.12:80`);
    const after = await homes(service);
    const others = before.filter((name) => name !== "real2").length;
    const stayed = before.filter(
      (name, i) => name !== "real2" && after[i] === name,
    ).length;
    assert.ok(others < before.length, "real2 had no client");
    assert.ok(stayed >= others * 0.8, `${stayed} of ${others} stayed`);
    assert.ok(!after.includes("real2"));
  });

  test("persistence keeps a client on its server, and with a netmask its neighbors", async () => {
    const service = await serve("rr -p 900");
    const first = await homes(service);
    assert.deepEqual(await homes(service), first);
    // The addresses alternate between two networks, so neighbors in the list differ.
    assert.equal(new Set(first.slice(0, 3)).size, 3);
    const masked = await serve("rr -p 900 -M 255.255.255.248");
    for (const neighbors of turns(await homes(masked), 8))
      assert.equal(new Set(neighbors).size, 1, neighbors.join(", "));
  });
});
