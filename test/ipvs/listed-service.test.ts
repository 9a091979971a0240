import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, type Address } from "../../src/ipvs/address.js";
import { withListedServers } from "../../src/ipvs/listed-service.js";
import { TCP, type ServiceKey } from "../../src/ipvs/model.js";
import { TableFile } from "../../src/ipvs/table-file.js";
import { serverEntry, serviceEntry } from "../fixtures/entries.js";

const SERVICES = 600;

function addressOf(i: number): Address {
  return Uint8Array.of(192, 0, i >> 8, i & 0xff);
}

function keyOf(i: number): ServiceKey {
  return { family: INET, protocol: TCP, address: addressOf(i), port: 80 };
}

/** A service in /proc/net/ip_vs with one server, whose port is the service's number. */
function printed(i: number): string {
  const digits = Buffer.from(addressOf(i)).toString("hex").toUpperCase();
  const port = i.toString(16).padStart(4, "0").toUpperCase();
  return `TCP  ${digits}:0050 wlc  \n  -> 0A000001:${port}      Masq    1      0          0         \n`;
}

/**
 * A client that records which services it is asked for. It reports one server each, whose port is
 * the service's number.
 */
function asked() {
  const numbers: number[] = [];
  return {
    numbers,
    serverSummariesOf(keys: readonly ServiceKey[]) {
      const some = keys.map((key) => {
        assert.ok("address" in key);
        return (key.address[2] ?? 0) * 256 + (key.address[3] ?? 0);
      });
      numbers.push(...some);
      return Promise.resolve(some.map((i) => [serverEntry("10.0.0.1", i)]));
    },
  };
}

async function portsOf(
  client: ReturnType<typeof asked>,
  file: TableFile | undefined,
): Promise<(number | undefined)[]> {
  const services = Array.from({ length: SERVICES }, (_, i) =>
    serviceEntry(keyOf(i)),
  );
  const ports: (number | undefined)[] = [];
  for await (const some of withListedServers(client, services, file))
    for (const { servers } of some) ports.push(servers[0]?.key.port);
  return ports;
}

const ALL = Array.from({ length: SERVICES }, (_, i) => i);

test("withListedServers() asks the client for services that the file does not have", async () => {
  const known = ALL.filter((i) => i % 3 !== 1 && i < 590);
  const file = new TableFile(Buffer.from(known.map(printed).join("")));
  const client = asked();
  assert.deepEqual(await portsOf(client, file), ALL);
  assert.deepEqual(
    client.numbers,
    ALL.filter((i) => !known.includes(i)),
  );
});

test("withListedServers() asks the client for all services if there is no file", async () => {
  const client = asked();
  assert.deepEqual(await portsOf(client, undefined), ALL);
  assert.deepEqual(client.numbers, ALL);
});
