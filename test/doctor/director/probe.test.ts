import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  probeServers,
  skippedTexts,
} from "../../../src/doctor/director/probe.js";
import {
  MASQUERADING,
  TCP,
  UDP,
  type Protocol,
} from "../../../src/ipvs/model.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { sysctls } from "../made-up.js";

const REASON =
  "net.ipv4.vs.nat_icmp_send is 1, so this machine refuses the server's answers to it";
const REFUSES = sysctls({ "net.ipv4.vs.nat_icmp_send": 1 });

/** A service with masqueraded servers 10.0.0.1, 10.0.0.2 … */
function serviceWith(count: number, protocol: Protocol, port: number) {
  const servers = Array.from({ length: count }, (_, index) =>
    serverEntry(`10.0.0.${index + 1}`, 80, { forwarding: MASQUERADING }),
  );
  return serviceEntry(addressKey(protocol, "192.0.2.1", port), {}, servers);
}

suite("probeServers()", () => {
  const texts = async (...table: ReturnType<typeof serviceWith>[]) => {
    const { probes, skipped } = await probeServers(table, REFUSES);
    assert.deepEqual(probes, []);
    return skippedTexts(skipped);
  };

  test("probeServers() names the servers that it skips", async () => {
    assert.deepEqual(await texts(serviceWith(1, TCP, 80)), [
      `whether 10.0.0.1:80 accepts connections (${REASON})`,
    ]);
    assert.deepEqual(await texts(serviceWith(3, UDP, 80)), [
      `whether 10.0.0.1:80, 10.0.0.2:80 and 10.0.0.3:80 accept datagrams (${REASON})`,
    ]);
  });

  test("probeServers() has one line for a reason, and names a server of several services once", async () => {
    assert.deepEqual(
      await texts(
        serviceWith(200, TCP, 80),
        serviceWith(200, TCP, 81),
        serviceWith(200, UDP, 80),
      ),
      [
        `whether 10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80 and 197 more accept connections or datagrams (${REASON})`,
      ],
    );
  });
});

test("skippedTexts() has a line for each reason", () => {
  const service = serviceWith(1, UDP, 80);
  const [server] = service.servers;
  assert.ok(server);
  const texts = ["one", "another"].map((reason) => ({
    ...{ service, server, reason },
  }));
  assert.deepEqual(skippedTexts(texts), [
    "whether 10.0.0.1:80 accepts datagrams (one)",
    "whether 10.0.0.1:80 accepts datagrams (another)",
  ]);
});
