import assert from "node:assert/strict";
import { test } from "node:test";
import { reach } from "../../../../src/doctor/director/reach/reach.js";
import {
  MASQUERADING,
  TUNNELING,
  type ServerSettings,
} from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import {
  device,
  mac,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const OWN = ownAddress(1, "192.0.2.2/24", { secondary: true });
const WIDE = ownAddress(1, "192.0.2.1/24");

function found(
  addresses: readonly ReturnType<typeof ownAddress>[],
  settings: Partial<ServerSettings> = {},
  answer?: Uint8Array | readonly (Uint8Array | undefined)[],
  name = "eth1",
) {
  const hosts = ["192.0.2.10", "192.0.2.11"];
  const table = [
    serviceAt(
      "192.0.2.1",
      hosts.map((host) => serverEntry(host, 80, settings)),
    ),
  ];
  return reach.examine({
    table,
    network: network(
      hosts.map((host) => route(host, "unicast", 1)),
      { devices: [{ ...device(1), name }], addresses },
    ),
    stations: {
      nextHops: new Map(
        hosts.map((host, at) => [
          host,
          Array.isArray(answer) ? answer[at] : answer,
        ]),
      ),
      strangers: [],
    },
    sysctls: sysctls({}),
  });
}

test("reach: questions from the virtual address are one finding for all servers that do not answer", () => {
  const [finding, ...others] = found([WIDE, OWN]);
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "asked-from-vip");
  assert.equal(finding.subject, "192.0.2.1 on eth1");
  assert.deepEqual(finding.evidence, [
    "192.0.2.10 does not answer",
    "192.0.2.11 does not answer",
  ]);
  assert.deepEqual(
    finding.fix.map(({ command }) => command),
    [
      "sysctl -w net.ipv4.conf.eth1.promote_secondaries=1 && ip address add 192.0.2.1/32 dev eth1 && ip address del 192.0.2.1/24 dev eth1",
    ],
  );
  assert.equal(found([WIDE, OWN], { forwarding: TUNNELING }).length, 1);
});

test("reach: without an address of its own in the network there is no command", () => {
  const [finding] = found([WIDE]);
  assert.deepEqual(finding?.fix, []);
  assert.match(finding.cure ?? "", /'ip address add ADDRESS\/24 dev eth1'/);
});

test("reach: a server that does not answer questions from another address is silent, and masqueraded ones have no virtual address", () => {
  const ids = (...words: Parameters<typeof found>) =>
    found(...words).map(({ id }) => id);
  const silent = ["interface-silent"];
  const first = ownAddress(1, "192.0.2.2/24");
  assert.deepEqual(ids([first, ownAddress(1, "192.0.2.1/32")]), silent);
  assert.deepEqual(ids([first, { ...WIDE, secondary: true }]), silent);
  assert.deepEqual(ids([WIDE, OWN], { forwarding: MASQUERADING }), silent);
  assert.deepEqual(ids([WIDE, OWN], {}, mac(1)), []);
});

test("reach: a server is silent for another reason if another one answers the same question", () => {
  const [finding, ...others] = found([WIDE, OWN], {}, [undefined, mac(1)]);
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "server-silent");
});

test("reach: the fix of questions from the virtual address names an interface with a dot as sysctl(8) does", () => {
  const [finding] = found([WIDE, OWN], {}, undefined, "eth0.100");
  assert.equal(finding?.subject, "192.0.2.1 on eth0.100");
  assert.match(
    finding.fix[0]?.command ?? "",
    /^sysctl -w net\.ipv4\.conf\.eth0\/100\.promote_secondaries=1 && .* dev eth0\.100 && /,
  );
});
