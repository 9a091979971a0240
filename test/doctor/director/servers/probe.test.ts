import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { directorAddress } from "../../../../src/doctor/director/nat/director-address.js";
import { examineThere } from "../../../../src/doctor/director/nat/examine-there.js";
import {
  probeServers,
  skippedTexts,
} from "../../../../src/doctor/director/servers/probe.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { formatAddress, INET } from "../../../../src/ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  TCP,
  TUNNELING,
  UDP,
  type Protocol,
  type ServiceKey,
} from "../../../../src/ipvs/model.js";
import {
  address,
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { network, ownAddress, route } from "../../made-up-network.js";
import { sysctls } from "../../made-up.js";

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

/** A service with direct routing, on a director whose kernel chooses a virtual address as the source. */
function fromVirtual(forwarding: number, addresses: readonly string[]) {
  const server = serverEntry("2001:db8::11", 9, { forwarding });
  const key = addressKey(TCP, "2001:db8::100", 80);
  const allServices = [serviceEntry(key, {}, [server])];
  const source = address("2001:db8::100");
  const around = network(
    [route("2001:db8::11", "unicast", 1, undefined, { source })],
    { addresses: addresses.map((text) => ownAddress(1, text)) },
  );
  return { table: allServices, facts: { allServices, network: around } };
}

test("probeServers() tries no server that has the only source of its probe as well", async () => {
  const { table, facts } = fromVirtual(DIRECT_ROUTING, ["2001:db8::100/128"]);
  const { probes, skipped } = await probeServers(table, undefined, facts);
  assert.deepEqual(probes, []);
  assert.deepEqual(skippedTexts(skipped), [
    "whether [2001:db8::11]:9 accepts connections (this machine's interface to it has only virtual addresses; the server has 2001:db8::100 as well, so it does not answer packets from there)",
  ]);
});

test("directorAddress() is an address of the interface that no service has", () => {
  const own = (...texts: string[]) => {
    const { facts } = fromVirtual(DIRECT_ROUTING, texts);
    const found = directorAddress(address("2001:db8::11"), facts);
    return found && formatAddress(found);
  };
  assert.equal(own("2001:db8::100/128", "2001:db8::1/64"), "2001:db8::1");
  // One in the server's network is better than others.
  assert.equal(
    own("2001:db8:9::1/64", "2001:db8::100/128", "2001:db8::1/64"),
    "2001:db8::1",
  );
  assert.equal(own("2001:db8:9::1/64"), "2001:db8:9::1");
  assert.equal(own("2001:db8::100/128", "192.0.2.1/24"), undefined);
});

test("directorAddress() is the address that the kernel chooses, unless that is virtual", () => {
  const found = (key: ServiceKey, rules = "") => {
    const source = address("192.0.2.100");
    const server = serverEntry("192.0.2.11", 80);
    const facts = {
      allServices: [serviceEntry(key, {}, [server])],
      network: network(
        [route("192.0.2.11", "unicast", 1, undefined, { source })],
        {
          addresses: ["192.0.2.100/24", "192.0.2.1/24"].map((text) =>
            ownAddress(1, text),
          ),
        },
      ),
      firewall: {
        tables: parseIptablesSave(rules, INET, "iptables"),
        unread: [],
      },
    };
    const own = directorAddress(server.key.address, facts);
    return own && formatAddress(own);
  };
  assert.equal(found(addressKey(TCP, "192.0.2.101", 80)), "192.0.2.100");
  assert.equal(found(addressKey(TCP, "192.0.2.100", 80)), "192.0.2.1");
  const mark = { family: INET, firewallMark: 7 } as const;
  assert.equal(found(mark), "192.0.2.100");
  const marking = `*mangle
:PREROUTING ACCEPT [0:0]
[4:0] -A PREROUTING -d 192.0.2.100/32 -j MARK --set-xmark 0x7/0xffffffff
COMMIT
`;
  assert.equal(found(mark, marking), "192.0.2.1");
});

test("examineThere() names the director by its own address, and quotes IPv6", () => {
  const command = (forwarding: number, ...texts: string[]) => {
    const { table, facts } = fromVirtual(forwarding, texts);
    const [service] = table;
    const [server] = service?.servers ?? [];
    assert.ok(service && server);
    return examineThere(service, server, facts).command;
  };
  const start =
    "ipvsadm doctor --real-server 'tcp/[2001:db8::100]:80' --method";
  for (const [forwarding, method] of [
    [DIRECT_ROUTING, "direct"],
    [TUNNELING, "tunnel"],
  ] as const) {
    assert.equal(
      command(forwarding, "2001:db8::100/128", "2001:db8::1/64"),
      `${start} ${method} --director 2001:db8::1`,
    );
    assert.equal(
      command(forwarding, "2001:db8::100/128"),
      `${start} ${method}`,
    );
  }
  // A masqueraded server does not have the virtual address.
  assert.equal(
    command(MASQUERADING, "2001:db8::100/128"),
    `${start} masq --server '[2001:db8::11]:9' --director 2001:db8::100`,
  );
});
