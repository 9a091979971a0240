import assert from "node:assert/strict";
import { after, afterEach, before, suite, test } from "node:test";
import { INET, INET6, parseAddress } from "../../src/ipvs/address.js";
import { IpvsClient, type Change } from "../../src/ipvs/client.js";
import { KernelRefusal } from "../../src/ipvs/errors.js";
import {
  DIRECT_ROUTING,
  IPIP,
  MASQUERADING,
  MASTER,
  PERSISTENT,
  TCP,
  formatService,
  type ServerSettings,
  type ServiceKey,
  type ServiceSettings,
} from "../../src/ipvs/model.js";
import { ENOENT, ERANGE, ESRCH, EEXIST } from "../../src/netlink/errno.js";
import { exchangeOver } from "../../src/netlink/exchange.js";
import type { Link } from "../../src/netlink/link.js";
import { openNodeLink } from "../../src/netlink/node-link.js";
import { ours } from "./program.js";

function address(text: string): Uint8Array {
  const bytes = parseAddress(text);
  assert.ok(bytes, text);
  return bytes;
}

function service(host: string, port = 80): ServiceKey {
  return { family: INET, protocol: TCP, address: address(host), port };
}

const ROUND_ROBIN: ServiceSettings = {
  scheduler: "rr",
  flags: 0,
  timeoutSeconds: 0,
  netmask: Uint8Array.of(255, 255, 255, 255),
};

const SERVER: ServerSettings = {
  forwarding: MASQUERADING,
  weight: 1,
  tunnel: IPIP,
  upperThreshold: 0,
  lowerThreshold: 0,
};

suite("IpvsClient on a kernel", () => {
  let link: Link;
  let client: IpvsClient;
  before(async () => {
    await ours(["-C"]); // loads the module
    link = openNodeLink();
    client = await IpvsClient.open(exchangeOver(link));
  });
  afterEach(() => client.flush());
  after(() => {
    link.close();
  });

  test("info has the version and the table size of the module", () => {
    assert.ok(client.info.version >= 0x010201);
    assert.ok(client.info.connectionTableSize >= 256);
  });

  test("services() returns a service as it was added", async () => {
    const key: ServiceKey = {
      family: INET6,
      protocol: TCP,
      address: address("2001:db8::1"),
      port: 443,
    };
    const settings = {
      scheduler: "wrr",
      persistenceEngine: undefined,
      flags: PERSISTENT,
      timeoutSeconds: 77,
      netmask: 64,
    };
    await client.addService(key, settings);
    const entry = await client.service(key);
    assert.equal(formatService(entry.key), "TCP [2001:db8::1]:443");
    assert.equal(entry.settings.scheduler, "wrr");
    assert.equal(entry.settings.timeoutSeconds, 77);
    assert.equal(entry.settings.netmask, 64);
    assert.equal(entry.settings.flags & PERSISTENT, PERSISTENT);
    assert.equal(entry.stats.inBytes, 0n);
  });

  test("addServer(), editServer() and deleteServer() change a server", async () => {
    const key = service("10.0.0.1");
    const server = { address: address("10.1.1.1"), port: 8080 };
    await client.addService(key, ROUND_ROBIN);
    await client.addServer(key, server, SERVER);
    await client.editServer(key, server, {
      ...SERVER,
      forwarding: DIRECT_ROUTING,
      weight: 7,
      upperThreshold: 100,
      lowerThreshold: 50,
    });
    const [entry] = await client.servers(key);
    assert.deepEqual(entry?.key.port, 8080);
    assert.equal(entry.settings.weight, 7);
    assert.equal(entry.settings.upperThreshold, 100);
    assert.equal(entry.settings.lowerThreshold, 50);
    assert.equal(entry.settings.forwarding, DIRECT_ROUTING);
    await client.deleteServer(key, server);
    assert.deepEqual(await client.servers(key), []);
  });

  test("calls of IpvsClient may overlap", async () => {
    const [timeouts, daemons, services, again] = await Promise.all([
      client.timeouts(),
      client.daemons(),
      client.services(),
      client.timeouts(),
    ]);
    assert.deepEqual(again, timeouts);
    assert.deepEqual([daemons, services], [[], []]);
  });

  test("KernelRefusal names command, object and errno", async () => {
    await assert.rejects(client.deleteService(service("10.0.0.9")), (error) => {
      assert.ok(error instanceof KernelRefusal);
      assert.equal(error.errno, ESRCH);
      assert.equal(error.command, "delete-service");
      assert.equal(error.subject, "TCP 10.0.0.9:80");
      return true;
    });
  });

  test("apply() carries out the changes after a refused one", async () => {
    const key = service("10.0.0.1");
    const server = { address: address("10.1.1.1"), port: 80 };
    const changes: Change[] = [
      { command: "add-service", service: key, settings: ROUND_ROBIN },
      { command: "add-service", service: key, settings: ROUND_ROBIN },
      {
        command: "add-service",
        service: service("10.0.0.2"),
        settings: { ...ROUND_ROBIN, scheduler: "nope" },
      },
      {
        command: "add-server",
        service: key,
        server,
        settings: { ...SERVER, lowerThreshold: 5 },
      },
      { command: "add-server", service: key, server, settings: SERVER },
    ];
    const outcomes = await client.apply(changes);
    assert.deepEqual(
      outcomes.map(
        (outcome) => outcome instanceof KernelRefusal && outcome.errno,
      ),
      [false, EEXIST, ENOENT, ERANGE, false],
    );
    assert.equal((await client.servers(key)).length, 1);
  });

  test("apply() returns a result for each of thousands of changes", async () => {
    const changes: Change[] = Array.from({ length: 3000 }, (_, i) => ({
      command: "add-service",
      service: service(`10.0.${i >> 8}.${i & 255}`),
      settings: ROUND_ROBIN,
    }));
    const outcomes = await client.apply([...changes, ...changes]);
    assert.equal(outcomes.filter((outcome) => !outcome).length, 3000);
    assert.ok(
      outcomes
        .slice(3000)
        .every((o) => o instanceof KernelRefusal && o.errno === EEXIST),
    );
    assert.equal((await client.services()).length, 3000);
  });

  test("steadyTable() returns every entry once while another socket changes the table", async () => {
    const keys = Array.from({ length: 400 }, (_, i) =>
      service(`10.2.${i >> 8}.${i & 255}`),
    );
    await client.apply(
      keys.map((key) => ({
        command: "add-service",
        service: key,
        settings: ROUND_ROBIN,
      })),
    );
    const other = openNodeLink();
    const changing = await IpvsClient.open(exchangeOver(other));
    const reading = client.steadyTable();
    for (const key of keys.slice(0, 20)) await changing.deleteService(key);
    other.close();
    const table = await reading;
    const names = table.map(({ key }) =>
      "address" in key ? key.address.join(".") : "",
    );
    assert.equal(new Set(names).size, names.length);
    assert.equal((await client.steadyTable()).length, 380);
  });

  test("servers() is empty and service() throws for an unknown service", async () => {
    assert.deepEqual(await client.servers(service("10.0.0.9")), []);
    await assert.rejects(client.service(service("10.0.0.9")), KernelRefusal);
  });

  test("setTimeouts() sets timeouts, and 0 leaves one unchanged", async () => {
    const before = await client.timeouts();
    await client.setTimeouts({
      tcpSeconds: 11,
      tcpFinSeconds: 0,
      udpSeconds: 13,
    });
    assert.deepEqual(await client.timeouts(), {
      tcpSeconds: 11,
      tcpFinSeconds: before.tcpFinSeconds,
      udpSeconds: 13,
    });
    await client.setTimeouts(before);
  });

  test("startDaemon(), daemons() and stopDaemon() handle a sync daemon", async () => {
    const daemon = {
      state: MASTER,
      multicastInterface: "lo",
      syncId: 9,
      multicastPort: 9000,
    } as const;
    await client.startDaemon(daemon);
    const [running, ...others] = await client.daemons();
    assert.deepEqual(others, []);
    assert.equal(running?.syncId, 9);
    assert.equal(running.multicastPort, 9000);
    await client.stopDaemon(daemon);
    assert.deepEqual(await client.daemons(), []);
  });

  test("stopDaemon() returns even if the daemon's thread has not run yet", async () => {
    const daemon = {
      state: MASTER,
      multicastInterface: "lo",
      syncId: 0,
    } as const;
    // The second stop fails with EINTR, and the kernel does not send such a reply
    // (netlink_rcv_skb()).
    const outcomes = await client.apply([
      { command: "start-daemon", daemon },
      { command: "stop-daemon", daemon },
    ]);
    assert.deepEqual(outcomes, [undefined, undefined]);
    assert.deepEqual(await client.daemons(), []);
  });

  test("zero() accepts all services or one, and throws for an unknown one", async () => {
    const key = service("10.0.0.1");
    await client.addService(key, ROUND_ROBIN);
    await client.zero();
    await client.zero(key);
    await assert.rejects(client.zero(service("10.0.0.9")), KernelRefusal);
  });
});
