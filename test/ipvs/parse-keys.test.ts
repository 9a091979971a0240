import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { familyOf, INET, INET6, type Address } from "../../src/ipvs/address.js";
import {
  formatEndpoint,
  formatService,
  SCTP,
  TCP,
  UDP,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import {
  MalformedText,
  parseServer,
  parseService,
} from "../../src/ipvs/parse-keys.js";

const anAddress: fc.Arbitrary<Address> = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
);
const aPort = fc.nat(0xffff);
const aService: fc.Arbitrary<ServiceKey> = fc.oneof(
  fc
    .tuple(
      fc.constantFrom(INET, INET6),
      fc.integer({ min: 1, max: 0xffffffff }),
    )
    .map(([family, firewallMark]) => ({ family, firewallMark })),
  fc
    .tuple(fc.constantFrom(TCP, UDP, SCTP), anAddress, aPort)
    .map(([protocol, address, port]) => ({
      family: familyOf(address),
      protocol,
      address,
      port,
    })),
);

test("parseService() reads what formatService() writes", () => {
  fc.assert(
    fc.property(aService, (key) => {
      assert.deepEqual(parseService(formatService(key)), key);
    }),
  );
});

test("parseServer() reads what formatEndpoint() writes", () => {
  fc.assert(
    fc.property(anAddress, aPort, (address, port) => {
      assert.deepEqual(parseServer(formatEndpoint(address, port)), {
        address,
        port,
      });
    }),
  );
});

for (const text of [
  "",
  "TCP",
  "192.0.2.1:80",
  "tcp 192.0.2.1:80",
  "TCP  192.0.2.1:80",
  "TCP 192.0.2.1",
  "TCP 192.0.2.1:",
  "TCP 192.0.2.1:65536",
  "TCP 192.0.2.1:080",
  "TCP 192.0.2.1:80\n",
  "TCP [192.0.2.1]:80",
  "TCP 2001:db8::1:80",
  "TCP localhost:80",
  "FWM",
  "FWM 0",
  "FWM 4294967296",
  "FWM 7 IPv4",
  "ICMP 192.0.2.1:80",
  "constructor 192.0.2.1:80",
])
  test(`parseService() rejects ${JSON.stringify(text)} and lists the accepted forms`, () => {
    assert.throws(
      () => parseService(text),
      (error) => {
        assert.ok(error instanceof MalformedText);
        assert.equal(error.text, text);
        assert.equal(
          error.message,
          `${JSON.stringify(text)} is not a virtual service`,
        );
        assert.match(error.advice, /write TCP 192\.0\.2\.1:80/);
        return true;
      },
    );
  });

test("parseServer() rejects other texts", () => {
  for (const text of ["", "192.0.2.1", "TCP 192.0.2.1:80", "::1:80", "[::1]"])
    assert.throws(() => parseServer(text), MalformedText, text);
});

test("MalformedText escapes control characters", () => {
  assert.throws(() => parseServer("\u001b[2J\u009b"), {
    message: '"\\u001b[2J\\u009b" is not a real server',
  });
});
