import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { mergedPorts } from "../../../../src/doctor/director/table/merged-ports.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  PERSISTENT,
  TCP,
  type ServerSettings,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, route } from "../../made-up-network.js";
import { sysctls, told } from "../../made-up.js";

const RULES = `*mangle
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff
COMMIT
`;
const ONE_PORT = RULES.replace("80,443", "80");
const NO_PORT = RULES.replace(" -m multiport --dports 80,443", "");

function server(
  text: string,
  port: number,
  given: Partial<ServerSettings> = {},
) {
  const entry = serverEntry(text, port, { forwarding: MASQUERADING, ...given });
  return { ...entry, inactiveConnections: 2 };
}

function service(
  servers: ServiceWithServers["servers"],
  flags = 0,
): ServiceWithServers {
  return serviceEntry({ family: INET, firewallMark: 1 }, { flags }, servers);
}

const MIXED = service([server("10.0.0.11", 0), server("10.0.0.12", 80)]);

function facts(
  table: readonly ServiceWithServers[],
  rules = "",
  groups: readonly ConnectionGroup[] = [],
): Facts {
  return {
    table,
    allServices: table,
    daemons: [],
    network: network([
      route("192.0.2.1", "local", 1),
      route("192.0.2.7", "unicast", 1),
    ]),
    connections: connectionTable(groups),
    sysctls: sysctls({}),
    firewall: {
      tables: parseIptablesSave(rules, INET, "iptables"),
      unread: [],
    },
  };
}

function group(port: number, to: string, serverPort: number) {
  return connectionGroup(
    { TIME_WAIT: [100] },
    { virtualPort: port, server: address(to), serverPort },
  );
}

const PROVEN = [
  "ports-merged 10.0.0.12:80 of fwm/1",
  "ipvsadm -a -f 1 -r 10.0.0.12:0 -m -w 1",
  "ipvsadm -d -f 1 -r 10.0.0.12:80",
];

suite("mergedPorts", () => {
  const find = (...given: Parameters<typeof facts>) =>
    mergedPorts.examine(facts(...given));

  test("a rule that marks two ports proves that one goes to the other at a server with a port", () => {
    const [finding, ...others] = find([MIXED], RULES);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), PROVEN);
    assert.equal(
      finding.seen,
      "port 443 of clients goes to port 80 of 10.0.0.12; 10.0.0.11:0 gets each request at the port that it is for",
    );
    assert.equal(finding.certainty, undefined);
    assert.match(
      finding.evidence?.join() ?? "",
      /^rule 1 of chain PREROUTING .*, sets the mark for ports 80, 443$/,
    );
  });

  test("connections prove it without rules", () => {
    const found = find([MIXED], "", [
      group(80, "10.0.0.11", 80),
      group(443, "10.0.0.12", 80),
    ]);
    assert.deepEqual(found.map(told), [PROVEN]);
    assert.deepEqual(found[0]?.evidence, [
      "there are connections of TCP 192.0.2.1:80 with 10.0.0.11:80",
      "there are connections of TCP 192.0.2.1:443 with 10.0.0.12:80",
    ]);
  });

  test("more connections than the kernel counts for the server prove nothing", () => {
    const [, second] = MIXED.servers;
    assert.ok(second);
    const few = { ...second, inactiveConnections: 1 };
    const table = [service([server("10.0.0.11", 0), few])];
    const groups = [group(80, "10.0.0.12", 80), group(443, "10.0.0.12", 80)];
    assert.equal(find(table, "", groups)[0]?.id, "port-fixed");
    assert.equal(find([MIXED], "", groups)[0]?.id, "ports-merged");
    // A server with port 0 does not have such connections.
    const old = [group(443, "10.0.0.11", 8080), group(80, "10.0.0.11", 80)];
    assert.equal(find([MIXED], "", old)[0]?.id, "port-fixed");
  });

  test("connections of a server that is in a service with another mark prove nothing", () => {
    const other = serviceEntry({ family: INET, firewallMark: 2 }, {}, [
      server("10.0.0.12", 80),
    ]);
    const [finding, ...others] = find([MIXED, other], "", [
      group(80, "10.0.0.12", 80),
      group(443, "10.0.0.12", 80),
    ]);
    assert.deepEqual(others, []);
    assert.equal(finding?.id, "port-fixed");
  });

  test("servers that only differ are a warning, without a command", () => {
    for (const rules of ["", ONE_PORT, NO_PORT]) {
      const [finding, ...others] = find([MIXED], rules);
      assert.deepEqual(others, []);
      assert.ok(finding);
      assert.deepEqual(told(finding), ["port-fixed 10.0.0.12:80 of fwm/1"]);
      assert.equal(finding.certainty, "likely");
      assert.equal(
        finding.cure,
        "If the service is for one port only, all is well. If not: 'ipvsadm -a -f 1 -r 10.0.0.12:0 -m -w 1', then 'ipvsadm -d -f 1 -r 10.0.0.12:80'. New connections then keep their port, and those of the old entry end.",
      );
    }
  });

  test("a port that no client asks for is not replaced by a command", () => {
    const table = [
      service([server("10.0.0.11", 0), server("10.0.0.12", 8080)]),
    ];
    const [finding] = find(table, RULES);
    assert.ok(finding);
    assert.deepEqual(told(finding), ["ports-merged 10.0.0.12:8080 of fwm/1"]);
    assert.match(finding.cure ?? "", /^Let a program listen on 10\.0\.0\.12 /);
  });

  test("the server with port 0 is not added a second time", () => {
    const table = [service([server("10.0.0.12", 0), server("10.0.0.12", 80)])];
    const [finding] = find(table, RULES);
    assert.deepEqual(
      finding?.fix.map(({ command }) => command),
      ["ipvsadm -d -f 1 -r 10.0.0.12:80"],
    );
  });

  test("servers that all have a port are silent: a program handles every request there", () => {
    const table = [service([server("10.0.0.11", 80), server("10.0.0.12", 80)])];
    for (const rules of [RULES, ONE_PORT, NO_PORT])
      assert.deepEqual(find(table, rules), []);
  });

  test("direct routing, persistence and services with a port are silent", () => {
    const direct = { forwarding: DIRECT_ROUTING };
    const mixed = MIXED.servers;
    const key = {
      family: INET,
      protocol: TCP,
      address: address("192.0.2.1"),
      port: 80,
    } as const;
    for (const one of [
      service([server("10.0.0.11", 0), server("10.0.0.12", 80, direct)]),
      service(mixed, PERSISTENT),
      service([server("10.0.0.11", 0), server("10.0.0.12", 80, { weight: 0 })]),
      service([server("10.0.0.11", 0), server("10.0.0.12", 0)]),
      serviceEntry(key, {}, mixed),
    ])
      assert.deepEqual(find([one], RULES), []);
  });

  test("traceClient() stops at a connection whose port was changed, and only there", () => {
    const trace = (virtualPort: number, table = [MIXED]) =>
      traceClient(facts(table, RULES) as TraceFacts, {
        client: address("192.0.2.7"),
        seconds: 5,
        connections: [
          {
            use: "new",
            stateSeconds: 2,
            connection: {
              protocol: "TCP",
              client: address("192.0.2.7"),
              clientPort: 4000,
              virtual: address("192.0.2.1"),
              virtualPort,
              server: address("10.0.0.12"),
              serverPort: 80,
              state: "TIME_WAIT",
              expiresSeconds: 100,
            },
          },
        ],
        after: table,
        heard: [],
      }).stopsAt?.text;
    assert.equal(
      trace(443),
      "TCP 192.0.2.1:443 to 10.0.0.12:80: 1 TIME_WAIT; port 443 of clients goes to port 80 of 10.0.0.12, while 10.0.0.12:80 is in the service beside servers with port 0; 'ipvsadm doctor' prints the fix",
    );
    assert.equal(trace(80), undefined);
    assert.equal(trace(443, [service(MIXED.servers, PERSISTENT)]), undefined);
  });
});
