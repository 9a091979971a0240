import assert from "node:assert/strict";
import { test } from "node:test";
import {
  probeServers,
  skippedTexts,
} from "../../../../src/doctor/director/servers/probe.js";
import { examineUnseen } from "../../../../src/doctor/director/servers/unseen.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import {
  MASQUERADING,
  UDP,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import { network } from "../../made-up-network.js";
import { serviceAt } from "../../made-up.js";

function named(texts: readonly string[], given = {}): ServiceWithServers {
  const servers = texts.map((text) => serverEntry(text, 53, given));
  return serviceAt("203.0.113.100", servers);
}

function udp(service: ServiceWithServers): ServiceWithServers {
  return {
    ...service,
    key: { ...service.key, protocol: UDP },
  };
}

function unseen(service: ServiceWithServers, given: Partial<Facts> = {}) {
  const table = [service];
  const around = { table, allServices: table, network: network(), ...given };
  return examineUnseen(around, []).map(
    ({ on, command }) => `${on ?? ""}: ${command}`,
  );
}

test("examineUnseen() prints the complete command for each server of UDP with direct routing, at most three", () => {
  const all = ["203.0.113.11", "203.0.113.12", "203.0.113.13", "203.0.113.14"];
  assert.deepEqual(
    unseen(udp(named(all))),
    all
      .slice(0, 3)
      .map(
        (one) =>
          `real server ${one}: ipvsadm doctor --real-server udp/203.0.113.100:80 --method direct`,
      ),
  );
  // Two services of one machine
  const twice = ["203.0.113.11", "203.0.113.11"];
  assert.equal(unseen(udp(named(twice))).length, 1);
});

test("examineUnseen() prints nothing for TCP, for masquerading, for drained servers, and if there is an error", () => {
  const [one] = ["203.0.113.11"];
  assert.deepEqual(unseen(named([one])), []);
  assert.deepEqual(unseen(udp(named([one], { forwarding: MASQUERADING }))), []);
  assert.deepEqual(unseen(udp(named([one], { weight: 0 }))), []);
  const table = [udp(named([one]))];
  const error = { id: "vip-not-local", seen: "", fix: [] } as const;
  assert.deepEqual(
    examineUnseen({ table, allServices: table, network: network() }, [error]),
    [],
  );
});

test("examineUnseen() prints the command for a server of TCP that refuses its own address", () => {
  const service = named(["203.0.113.11"]);
  const [server] = service.servers;
  assert.ok(server);
  const probes = [{ service, server, result: "refused" }] as const;
  assert.deepEqual(unseen(service, { probes }), [
    "real server 203.0.113.11: ipvsadm doctor --real-server tcp/203.0.113.100:80 --method direct",
  ]);
});

test("probeServers() says what the refusal of a server with direct routing does not tell", async () => {
  const port = 1; // Nobody listens there.
  const of = (given = {}) =>
    serviceAt("203.0.113.100", [serverEntry("127.0.0.1", port, given)]);
  const direct = await probeServers([of()], undefined);
  assert.deepEqual(skippedTexts(direct.skipped), [
    `whether 127.0.0.1:${port} accepts connections (it refuses its own address; requests go to the virtual address there, which a probe does not try)`,
  ]);
  assert.equal(direct.probes[0]?.result, "refused");
  const nat = await probeServers([of({ forwarding: MASQUERADING })], undefined);
  assert.deepEqual(nat.skipped, []);
});
