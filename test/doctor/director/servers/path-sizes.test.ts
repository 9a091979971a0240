import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { pathSizes } from "../../../../src/doctor/director/servers/path-sizes.js";
import {
  sizeTargets,
  untriedSizes,
} from "../../../../src/doctor/director/servers/size-targets.js";
import type { PathSize } from "../../../../src/doctor/path-size.js";
import { formatAddress } from "../../../../src/ipvs/address.js";
import {
  LOCAL_NODE,
  MASQUERADING,
  TUNNELING,
  type ServerSettings,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, told } from "../../made-up.js";

/*
 * A director with clients on eth1, and servers behind eth2.
 */
const server = (text: string, given: Partial<ServerSettings> = {}) =>
  serverEntry(text, 80, { forwarding: TUNNELING, ...given });
const SERVICE = serviceAt("192.0.2.100", [server("10.0.0.11")]);

const places = (front: number, back: number) =>
  network(
    [
      route("192.0.2.100", "local", 1),
      route("192.0.2.10", "unicast", 1),
      route("10.0.0.11", "unicast", 2),
      route("10.0.0.12", "unicast", 2),
      route("192.0.2.1", "local", 1),
    ],
    {
      devices: [device(1, { mtu: front }), device(2, { mtu: back })],
      addresses: [
        ownAddress(1, "192.0.2.1/24"),
        ownAddress(1, "192.0.2.100/32"),
        ownAddress(2, "10.0.0.1/24"),
      ],
    },
  );

const NEAR = route("10.0.0.0", "unicast", 2, undefined, { prefixBits: 24 });

function size(text: string, given: Partial<PathSize> = {}): PathSize {
  return {
    to: address(text),
    device: 2,
    full: 1600,
    needed: 1520,
    measure: { outcome: "dropped", largest: 1500 },
    route: NEAR,
    ...given,
  };
}

const find = (
  sizes: readonly PathSize[],
  table = [SERVICE],
  [front, back] = [1500, 1600] as [number, number],
) =>
  pathSizes.examine({
    table,
    allServices: table,
    network: places(front, back),
    sizes,
  });

suite("pathSizes", () => {
  test("pathSizes names the size, the proof, what makes packets so large, and the command that asks the server", () => {
    const [finding, ...others] = find([size("10.0.0.11")]);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "path-too-small 10.0.0.11:80 of tcp/192.0.2.100:80",
      "ip link set dev eth2 mtu 1500",
    ]);
    assert.equal(
      finding.seen,
      "packets of 1600 bytes do not get there, and no ICMP message says so; packets of 1500 bytes get there",
    );
    assert.deepEqual(finding.evidence, [
      "3 times in turn, a datagram of 1600 bytes to UDP port 33434 got no answer and an empty one got one (ICMP port unreachable)",
      "the MTU of eth2 is 1600; clients come in by eth1 with MTU 1500, and the tunnel adds 20 bytes",
    ]);
    assert.match(
      finding.fix[0]?.effect ?? "",
      /^holds for all packets that leave by eth2: none is larger than 1500 bytes; the tunnel then carries 1480 bytes of a client's packet; .*; to put it back: ip link set dev eth2 mtu 1600$/,
    );
    assert.deepEqual(
      finding.next?.map(({ command, on }) => `${on ?? "-"}: ${command}`),
      [
        "real server 10.0.0.11: ipvsadm doctor --real-server tcp/192.0.2.100:80 --method tunnel --probe",
      ],
    );
  });

  test("pathSizes names a client in the command for the server, if one is known", () => {
    const [finding] = pathSizes.examine({
      table: [SERVICE],
      allServices: [SERVICE],
      network: places(1500, 1600),
      sizes: [size("10.0.0.11")],
      connections: connectionTable([
        connectionGroup(
          { ESTABLISHED: [900] },
          {
            virtual: address("192.0.2.100"),
            server: address("10.0.0.11"),
            clients: [address("198.51.100.7")],
          },
        ),
      ]),
    });
    assert.equal(
      finding?.next?.[0]?.command,
      "ipvsadm doctor --real-server tcp/192.0.2.100:80 --method tunnel --client 198.51.100.7 --probe",
    );
  });

  test("pathSizes is a warning if the packets of clients get through", () => {
    const [finding] = find([
      size("10.0.0.11", { measure: { outcome: "dropped", largest: 1520 } }),
    ]);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "path-below-mtu 10.0.0.11:80 of tcp/192.0.2.100:80",
      "ip link set dev eth2 mtu 1520",
    ]);
    assert.equal(
      finding.evidence?.at(-1),
      "the largest packets of clients are smaller on this way, and get there",
    );
  });

  test("pathSizes has one finding for all servers that a command helps", () => {
    const table = [
      serviceAt("192.0.2.100", [server("10.0.0.11"), server("10.0.0.12")]),
      serviceAt("192.0.2.101", [server("10.0.0.11")]),
    ];
    const [finding, ...others] = find(
      [size("10.0.0.11"), size("10.0.0.12")],
      table,
    );
    assert.deepEqual(others, []);
    assert.equal(finding?.subject, "10.0.0.11 and 10.0.0.12");
    assert.equal(
      finding.evidence?.at(-1),
      "real servers of tcp/192.0.2.100:80, tcp/192.0.2.101:80",
    );
    assert.equal(finding.next?.length, 2);
  });

  test("pathSizes has no command if no size gets through", () => {
    const none = { outcome: "dropped", largest: undefined } as const;
    const [finding] = find([size("10.0.0.11", { measure: none })]);
    assert.equal(finding?.id, "path-too-small");
    assert.deepEqual(finding.fix, []);
    assert.match(finding.cure ?? "", /^Find the link on the way /);
  });

  test("pathSizes finds nothing if packets get through or nothing is known", () => {
    const unknown = { outcome: "unknown", reason: "-" } as const;
    assert.deepEqual(
      find([
        size("10.0.0.11", { measure: { outcome: "carried" } }),
        size("10.0.0.12", { measure: unknown }),
      ]),
      [],
    );
  });
});

suite("sizeTargets()", () => {
  const targets = (table = [SERVICE], front = 1500, back = 1600) =>
    sizeTargets(table, {
      network: places(front, back),
      allServices: table,
    }).map(({ to, full, needed }) => `${formatAddress(to)} ${full} ${needed}`);

  test("sizeTargets() has the MTU, and what clients' packets need", () => {
    assert.deepEqual(targets(), ["10.0.0.11 1600 1520"]);
    assert.deepEqual(targets([SERVICE], 1500, 1500), ["10.0.0.11 1500 1500"]);
    assert.deepEqual(targets([SERVICE], 9000, 9000), ["10.0.0.11 9000 9000"]);
  });

  test("sizeTargets() has each server once, with the largest need", () => {
    const masqueraded = serviceAt("192.0.2.101", [
      server("10.0.0.11", { forwarding: MASQUERADING }),
    ]);
    assert.deepEqual(targets([masqueraded, SERVICE]), ["10.0.0.11 1600 1520"]);
    assert.deepEqual(targets([SERVICE, masqueraded]), ["10.0.0.11 1600 1520"]);
  });

  test("sizeTargets() leaves out servers without packets, and this machine", () => {
    assert.deepEqual(
      targets([
        serviceAt("192.0.2.100", [
          server("10.0.0.11", { weight: 0 }),
          server("192.0.2.1", { forwarding: LOCAL_NODE }),
          server("192.0.2.1", { forwarding: MASQUERADING }),
        ]),
      ]),
      [],
    );
  });
});

test("untriedSizes() names servers to which packets of more than 1500 bytes go", () => {
  const texts = (back: number, client?: string) =>
    untriedSizes(
      { table: [SERVICE], network: places(1500, back) },
      client === undefined ? undefined : address(client),
    );
  const text =
    "whether the network carries packets of 1600 bytes to 10.0.0.11 (ipvsadm doctor --probe tries it)";
  assert.deepEqual(texts(1600), [text]);
  assert.deepEqual(texts(1600, "192.0.2.10"), [text]);
  assert.deepEqual(texts(1600, "2001:db8::10"), []);
  assert.deepEqual(texts(1500), []);
});
