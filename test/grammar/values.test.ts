import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import { BACKUP, MASTER, PERSISTENT, TCP } from "../../src/ipvs/model.js";
import { ParsedOptions } from "../../src/grammar/parsed-options.js";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import * as values from "../../src/grammar/values.js";
import type { ApplyValue } from "../../src/grammar/values.js";
import { LOOKUPS } from "./lookups.js";

/** The options after an option has set its value. */
function applied(
  apply: ApplyValue,
  text: string,
  parsed = new ParsedOptions(LOOKUPS),
): ParsedOptions {
  apply(parsed, text);
  return parsed;
}

function refuses(
  apply: ApplyValue,
  texts: readonly string[],
  sentence: string | ((text: string) => string),
  parsed = () => new ParsedOptions(LOOKUPS),
): void {
  for (const text of texts)
    assert.throws(
      () => applied(apply, text, parsed()),
      new UsageFault(
        "value",
        typeof sentence === "string" ? sentence : sentence(text),
      ),
      text,
    );
}

function overIpv6(): ParsedOptions {
  const parsed = new ParsedOptions(LOOKUPS);
  values.serviceAddress(TCP)(parsed, "2001:db8::1");
  return parsed;
}

test("whole() accepts numbers within its limits", () => {
  const weight = values.whole(0, 9, "too bad", (parsed, value) => {
    parsed.weight = value;
  });
  assert.equal(applied(weight, "9").weight, 9);
  refuses(weight, ["10", "-1", "x", ""], "too bad");
});

test("serviceAddress() sets address and port, by default port 0", () => {
  const parsed = applied(values.serviceAddress(TCP), "192.0.2.1:80");
  assert.deepEqual(parsed.service, {
    family: INET,
    protocol: TCP,
    address: Uint8Array.of(192, 0, 2, 1),
    port: 80,
  });
  assert.equal(applied(values.serviceAddress(TCP), "192.0.2.1").port, 0);
});

test("serviceAddress() looks up a port's name for its protocol", () => {
  assert.equal(applied(values.serviceAddress(TCP), "192.0.2.1:http").port, 80);
});

test("serviceAddress() sets the netmask 128 for IPv6", () => {
  const parsed = overIpv6();
  assert.equal(parsed.family, INET6);
  assert.equal(parsed.netmask, 128);
});

test("serviceAddress() rejects other texts", () => {
  refuses(
    values.serviceAddress(TCP),
    ["", "80", "nowhere.example", "192.0.2.1:", "192.0.2.1:nope", "[::1]"],
    "illegal virtual server address[:port] specified",
  );
});

test("firewallMark() accepts 1 to 4294967295", () => {
  assert.equal(applied(values.firewallMark, "1").firewallMark, 1);
  assert.equal(
    applied(values.firewallMark, "4294967295").firewallMark,
    2 ** 32 - 1,
  );
  refuses(
    values.firewallMark,
    ["0", "-1", "4294967296", "0x10", "5x", ""],
    (text) => `invalid fwmark value \`${text}' specified`,
  );
});

test("firewallMark() makes its servers' ports use the names of TCP", () => {
  const parsed = applied(values.firewallMark, "7");
  assert.equal(
    applied(values.realServer, "10.0.0.1:http", parsed).serverPort,
    80,
  );
});

test("ipv6() changes the family of the firewall mark before it", () => {
  const parsed = applied(values.firewallMark, "7");
  values.ipv6(parsed, "");
  assert.deepEqual(parsed.service, { family: INET6, firewallMark: 7 });
  assert.equal(parsed.netmask, 128);
});

test("ipv6() is rejected without a firewall mark before it; the message ends with an empty line", () => {
  refuses(values.ipv6, [""], "-6 used before -f\n");
});

test("scheduler(), persistenceEngine() and multicastInterface() truncate names to the kernel's limit", () => {
  const long = "abcdefghijklmnopqrstuvwxyz";
  assert.equal(applied(values.scheduler, long).scheduler, long.slice(0, 15));
  assert.equal(
    applied(values.multicastInterface, long).multicastInterface,
    long.slice(0, 15),
  );
  assert.equal(
    applied(values.persistenceEngine, long).persistenceEngine,
    long.slice(0, 16),
  );
});

test("persistence() accepts 1 to 2678400 seconds", () => {
  const parsed = applied(values.persistence, "2678400");
  assert.equal(parsed.flags, PERSISTENT);
  assert.equal(parsed.timeoutSeconds, 2678400);
  refuses(
    values.persistence,
    ["0", "2678401", "-5", "t", ""],
    (text) => `invalid timeout value \`${text}' specified`,
  );
});

test("seconds() accepts 0 if the minimum is 0", () => {
  assert.equal(values.seconds("0", 0), 0);
  assert.throws(() => values.seconds("0", 1), UsageFault);
  assert.throws(() => values.seconds("-1", 0), UsageFault);
});

test("netmask() accepts IPv4 in every form, and host names", () => {
  const masks = {
    "255.255.0.0": "255.255.0.0",
    "0xffff0000": "255.255.0.0",
    "255.0.255.0": "255.0.255.0",
    "24": "0.0.0.24",
    "web.example": "192.0.2.80",
  };
  for (const [text, mask] of Object.entries(masks)) {
    const { netmask } = applied(values.netmask, text);
    assert.equal(typeof netmask === "object" && formatAddress(netmask), mask);
  }
  refuses(
    values.netmask,
    ["", "foo", "255.255.0.256"],
    "illegal virtual server persistent mask specified",
  );
});

test("netmask() accepts a prefix length for IPv6, and ignores text after it", () => {
  for (const [text, length] of [
    ["1", 1],
    ["128", 128],
    [" 64x", 64],
  ] as const)
    assert.equal(applied(values.netmask, text, overIpv6()).netmask, length);
  refuses(
    values.netmask,
    ["0", "129", "255.255.0.0", "-1", "x"],
    "illegal ipv6 netmask specified",
    overIpv6,
  );
});

test("realServer() uses the port of the service before it", () => {
  const parsed = applied(values.serviceAddress(TCP), "192.0.2.1:80");
  assert.equal(applied(values.realServer, "10.0.0.1", parsed).serverPort, 80);
  assert.equal(applied(values.realServer, "10.0.0.1:0", parsed).serverPort, 0);
  assert.equal(applied(values.realServer, "10.0.0.1").serverPort, 0);
});

test("realServer() looks up a port's name if the protocol is already known", () => {
  const parsed = applied(values.serviceAddress(TCP), "192.0.2.1:81");
  assert.equal(
    applied(values.realServer, "10.0.0.1:http", parsed).serverPort,
    80,
  );
  refuses(
    values.realServer,
    ["10.0.0.1:http", "", "80", "10.0.0.1:", "[2001:db8::1]"],
    "illegal real server address[:port] specified",
  );
});

test("schedulerFlags() splits at commas and ignores extra ones", () => {
  const parsed = () => applied(values.scheduler, "sh");
  const flags = (text: string) =>
    applied(values.schedulerFlags, text, parsed()).flags;
  assert.equal(flags("sh-port"), 0x10);
  assert.equal(flags("sh-port,,sh-fallback,"), 0x18);
  assert.equal(flags("flag-3,flag-1"), 0x28);
  assert.equal(flags(""), 0);
});

test("schedulerFlags() rejects unknown flags", () => {
  refuses(
    values.schedulerFlags,
    ["foo", " flag-1", "FLAG-1", "flag-4"],
    (text) => `invalid scheduler flag \`${text}'`,
  );
  refuses(
    values.schedulerFlags,
    ["flag-1,foo,bar"],
    "invalid scheduler flag `foo'",
  );
});

test("schedulerFlags() rejects a value of only commas", () => {
  refuses(
    values.schedulerFlags,
    [",", ",,"],
    (text) => `invalid scheduler flag \`${text}'`,
  );
});

test("schedulerFlags() rejects a flag of a scheduler other than the one before it", () => {
  const sentence = "incompatible scheduler flag `mh-port'";
  refuses(values.schedulerFlags, ["mh-port", "flag-1,mh-port"], sentence);
  refuses(values.schedulerFlags, ["mh-port"], sentence, () =>
    applied(values.scheduler, "sh"),
  );
});

test("tunnelType() and tunnelFlag() set type and flags", () => {
  const parsed = new ParsedOptions(LOOKUPS);
  const types = ["ipip", "gue", "gre"].map(
    (text) => applied(values.tunnelType, text, parsed).tunnel.type,
  );
  assert.deepEqual(types, [0, 1, 2]);
  values.tunnelFlag(2)(parsed, "");
  assert.deepEqual(parsed.tunnel, { type: 2, port: 0, flags: 2 });
  refuses(
    values.tunnelType,
    ["", "GUE", "foo", "toString"],
    "illegal tunnel type specified",
  );
});

test("ParsedOptions objects do not share their tunnel", () => {
  values.tunnelFlag(1)(new ParsedOptions(LOOKUPS), "");
  assert.equal(new ParsedOptions(LOOKUPS).tunnel.flags, 0);
});

test("daemonState() accepts master and backup", () => {
  const state = values.daemonState("too bad");
  assert.equal(applied(state, "master").daemonState, MASTER);
  assert.equal(applied(state, "backup").daemonState, BACKUP);
  refuses(state, ["", "Master", "mas", "masterx"], "too bad");
});

test("multicastGroup() parses IPv6 if the text contains a colon", () => {
  const group = (text: string) => {
    const { multicastGroup } = applied(values.multicastGroup, text);
    return multicastGroup && formatAddress(multicastGroup);
  };
  assert.equal(group("224.0.0.81"), "224.0.0.81");
  assert.equal(group("ff02::9"), "ff02::9");
  refuses(
    values.multicastGroup,
    ["10.0.0.1", "224.1", "foo", ""],
    (text) => `invalid IPv4 mcast-group \`${text}'`,
  );
  refuses(
    values.multicastGroup,
    ["2001:db8::1", "ff02::zz", "ff02::1%lo"],
    (text) => `invalid IPv6 mcast-group \`${text}'`,
  );
});

test("ParsedOptions.service throws without a service", () => {
  assert.throws(() => new ParsedOptions(LOOKUPS).service, /was not refused/);
});
