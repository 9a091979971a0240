import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6, formatAddress } from "../../src/ipvs/address.js";
import { SCTP, TCP, UDP, type ServiceKey } from "../../src/ipvs/model.js";
import { TableFile } from "../../src/ipvs/table-file.js";
import { addressKey } from "../fixtures/entries.js";

/** Output of Linux 6.1. */
const PRINTED = `IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  C0000201:0050 sh${"  "}
  -> 0A000003:0050      Tunnel  0      0          0${" ".repeat(9)}
  -> 7F000001:1F90      Masq    1      0          0${" ".repeat(9)}
  -> 0A000001:1F90      Masq    2147483647 12         345${" ".repeat(7)}
SCTP  C0000201:0063 wlc${"  "}
  -> 0A000001:0063      Masq    1      0          0${" ".repeat(9)}
TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 wlc persistent 36000 40000000
  -> 0A000009:0050      Tunnel  1      0          0${" ".repeat(9)}
  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:0050      Route   1      0          0${" ".repeat(9)}
UDP  C0000201:13C4 wlc ops  persistent 3000 FFFFFF00
FWM  00000007 wlc${" "}
FWM  00000007 wlc${" "}
  -> 0A000001:0000      Route   1      0          0${" ".repeat(9)}
`;

const WEB = addressKey(TCP, "192.0.2.1", 80);

/** The servers of a service in the file, as text. */
function servers(service: ServiceKey, printed = PRINTED) {
  const file = new TableFile(Buffer.from(printed, "latin1"));
  return file
    .serversOf(service)
    ?.map(
      ({ key: { address, port }, columns }) =>
        `${formatAddress(address)} ${port} ${columns}`,
    );
}

test("serversOf() returns the servers in the kernel's order, with the columns of the file", () => {
  assert.deepEqual(servers(WEB), [
    "10.0.0.3 80 Tunnel  0      0          0         ",
    "127.0.0.1 8080 Masq    1      0          0         ",
    "10.0.0.1 8080 Masq    2147483647 12         345       ",
  ]);
});

test("serversOf() distinguishes services by protocol, address and port", () => {
  assert.equal(servers(addressKey(SCTP, "192.0.2.1", 99))?.length, 1);
  assert.equal(servers(addressKey(TCP, "192.0.2.1", 99)), undefined);
  assert.equal(servers(addressKey(TCP, "192.0.2.1", 81)), undefined);
  assert.equal(servers(addressKey(TCP, "192.0.2.2", 80)), undefined);
  assert.equal(servers(addressKey(UDP, "192.0.2.1", 80)), undefined);
});

test("serversOf() reads IPv6 services, and servers of both families", () => {
  assert.deepEqual(servers(addressKey(TCP, "2001:db8::1", 80)), [
    "10.0.0.9 80 Tunnel  1      0          0         ",
    "2001:db8::2 80 Route   1      0          0         ",
  ]);
});

test("serversOf() returns an empty list for a service without servers", () => {
  assert.deepEqual(servers(addressKey(UDP, "192.0.2.1", 5060)), []);
});

test("serversOf() returns undefined for a firewall mark, whose family is not in the file", () => {
  assert.equal(servers({ family: INET, firewallMark: 7 }), undefined);
  assert.equal(servers({ family: INET6, firewallMark: 7 }), undefined);
});

for (const [what, from, to] of [
  ["an address with other digits", "0A000003:0050", "0A0000x3:0050"],
  ["a port with other digits", "0A000003:0050", "0A000003:00x0"],
  ["a forwarding method that listings do not have", "Tunnel", "Bypass"],
  ["columns that end too soon", /Tunnel .*\n/, "Tunnel  0      0\n"],
] as const)
  test(`serversOf() returns undefined if a server's line has ${what}`, () => {
    const printed = PRINTED.replace(from, to);
    assert.notEqual(printed, PRINTED);
    assert.equal(servers(WEB, printed), undefined);
    assert.equal(
      servers(addressKey(SCTP, "192.0.2.1", 99), printed)?.length,
      1,
    );
  });

test("TableFile skips malformed lines", () => {
  for (const printed of [
    "TCP  C0000201",
    "TCP",
    "TCP  [2001:0db8",
    "ICMP C0000201:0050 wlc\n",
    "TCP  x0000201:0050 wlc\n",
    "",
  ])
    assert.equal(servers(WEB, printed), undefined, printed);
});
