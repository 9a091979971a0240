import assert from "node:assert/strict";
import { test } from "node:test";
import { changeRows } from "../../../src/commands/serve/changes.js";
import { readNext } from "../../../src/commands/monitor/table-changes.js";
import { TCP, type ServiceWithServers } from "../../../src/ipvs/model.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";

const KEY = addressKey(TCP, "192.0.2.1", 80);
const NAME = "tcp/192.0.2.1:80";
const DATE = new Date(1_000_000_000_000);

type Table = readonly ServiceWithServers[];

function web(weight = 1, ...more: readonly string[]): ServiceWithServers {
  const servers = [
    serverEntry("10.0.0.11", 80, { weight }),
    ...more.map((address) => serverEntry(address, 80)),
  ];
  return serviceEntry(KEY, {}, servers);
}

async function rowsBetween(before: Table, now: Table) {
  const { changes } = await readNext(
    () => Promise.resolve(now),
    (services) => ({ services }),
    before,
  );
  return changeRows(changes, DATE);
}

test("changeRows() has both weights of a server", async () => {
  assert.deepEqual(await rowsBetween([web(3)], [web(0)]), [
    {
      time: DATE.toISOString(),
      change: "change",
      of: "server",
      service: NAME,
      server: "10.0.0.11:80",
      from: { weight: 3 },
      to: { weight: 0 },
    },
  ]);
});

test("changeRows() has servers and services that come and go, but not the servers of such services", async () => {
  const words = async (before: Table, now: Table) =>
    (await rowsBetween(before, now)).map(
      ({ change, of, server = "" }) => `${change} ${of} ${server}`,
    );
  const more = web(1, "10.0.0.12");
  assert.deepEqual(await words([web()], [more]), ["add server 10.0.0.12:80"]);
  assert.deepEqual(await words([more], [web()]), [
    "remove server 10.0.0.12:80",
  ]);
  const other = serviceEntry({ ...KEY, port: 443 }, {}, [
    serverEntry("10.0.0.11", 443),
  ]);
  assert.deepEqual(await words([web()], [web(), other]), ["add service "]);
  assert.deepEqual(await words([web(), other], [other]), ["remove service "]);
});

test("changeRows() has a new scheduler and new thresholds", async () => {
  const after = serviceEntry(KEY, { scheduler: "rr" }, [
    serverEntry("10.0.0.11", 80, { upperThreshold: 9, lowerThreshold: 5 }),
  ]);
  const rows = await rowsBetween([web()], [after]);
  assert.deepEqual(
    rows.map(({ from, to }) => [from, to]),
    [
      [{ scheduler: "wlc" }, { scheduler: "rr" }],
      [
        { upperThreshold: null, lowerThreshold: null },
        { upperThreshold: 9, lowerThreshold: 5 },
      ],
    ],
  );
});
