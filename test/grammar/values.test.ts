import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import { BACKUP, MASTER, PERSISTENT, TCP } from "../../src/ipvs/model.js";
import { Draft } from "../../src/grammar/draft.js";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import * as values from "../../src/grammar/values.js";
import type { Take } from "../../src/grammar/values.js";
import { LOOKUPS } from "./lookups.js";

/** What becomes of a draft that takes a value. */
function taken(take: Take, text: string, draft = new Draft(LOOKUPS)): Draft {
  take(draft, text);
  return draft;
}

function refuses(
  take: Take,
  texts: readonly string[],
  sentence: string | ((text: string) => string),
  draft = () => new Draft(LOOKUPS),
): void {
  for (const text of texts)
    assert.throws(
      () => taken(take, text, draft()),
      new UsageFault(
        "value",
        typeof sentence === "string" ? sentence : sentence(text),
      ),
      text,
    );
}

function overIpv6(): Draft {
  const draft = new Draft(LOOKUPS);
  values.serviceAddress(TCP)(draft, "2001:db8::1");
  return draft;
}

test("a number within limits is taken", () => {
  const weight = values.whole(0, 9, "too bad", (draft, value) => {
    draft.weight = value;
  });
  assert.equal(taken(weight, "9").weight, 9);
  refuses(weight, ["10", "-1", "x", ""], "too bad");
});

test("a service has an address and a port, or port 0", () => {
  const draft = taken(values.serviceAddress(TCP), "192.0.2.1:80");
  assert.deepEqual(draft.service, {
    family: INET,
    protocol: TCP,
    address: Uint8Array.of(192, 0, 2, 1),
    port: 80,
  });
  assert.equal(taken(values.serviceAddress(TCP), "192.0.2.1").port, 0);
});

test("a service's port may be a name of its protocol", () => {
  assert.equal(taken(values.serviceAddress(TCP), "192.0.2.1:http").port, 80);
});

test("a service over IPv6 has clients of their own: a netmask of 128", () => {
  const draft = overIpv6();
  assert.equal(draft.family, INET6);
  assert.equal(draft.netmask, 128);
});

test("what is no address is refused as a service", () => {
  refuses(
    values.serviceAddress(TCP),
    ["", "80", "nowhere.example", "192.0.2.1:", "192.0.2.1:nope", "[::1]"],
    "illegal virtual server address[:port] specified",
  );
});

test("a firewall mark is 1 to 4294967295", () => {
  assert.equal(taken(values.firewallMark, "1").firewallMark, 1);
  assert.equal(
    taken(values.firewallMark, "4294967295").firewallMark,
    2 ** 32 - 1,
  );
  refuses(
    values.firewallMark,
    ["0", "-1", "4294967296", "0x10", "5x", ""],
    (text) => `invalid fwmark value \`${text}' specified`,
  );
});

test("a firewall mark's servers have ports as TCP names them", () => {
  const draft = taken(values.firewallMark, "7");
  assert.equal(taken(values.realServer, "10.0.0.1:http", draft).serverPort, 80);
});

test("-6 makes the firewall mark before it one of IPv6", () => {
  const draft = taken(values.firewallMark, "7");
  values.ipv6(draft, "");
  assert.deepEqual(draft.service, { family: INET6, firewallMark: 7 });
  assert.equal(draft.netmask, 128);
});

test("-6 without a firewall mark before it is refused, with an empty line", () => {
  refuses(values.ipv6, [""], "-6 used before -f\n");
});

test("names are cut to what the kernel can keep", () => {
  const long = "abcdefghijklmnopqrstuvwxyz";
  assert.equal(taken(values.scheduler, long).scheduler, long.slice(0, 15));
  assert.equal(
    taken(values.multicastInterface, long).multicastInterface,
    long.slice(0, 15),
  );
  assert.equal(
    taken(values.persistenceEngine, long).persistenceEngine,
    long.slice(0, 16),
  );
});

test("persistence lasts 1 to 2678400 seconds", () => {
  const draft = taken(values.persistence, "2678400");
  assert.equal(draft.flags, PERSISTENT);
  assert.equal(draft.timeoutSeconds, 2678400);
  refuses(
    values.persistence,
    ["0", "2678401", "-5", "t", ""],
    (text) => `invalid timeout value \`${text}' specified`,
  );
});

test("a timeout of 0 is one where it means that nothing changes", () => {
  assert.equal(values.seconds("0", 0), 0);
  assert.throws(() => values.seconds("0", 1), UsageFault);
  assert.throws(() => values.seconds("-1", 0), UsageFault);
});

test("a netmask of IPv4 is an address in any form, or a host", () => {
  const masks = {
    "255.255.0.0": "255.255.0.0",
    "0xffff0000": "255.255.0.0",
    "255.0.255.0": "255.0.255.0",
    "24": "0.0.0.24",
    "web.example": "192.0.2.80",
  };
  for (const [text, mask] of Object.entries(masks)) {
    const { netmask } = taken(values.netmask, text);
    assert.equal(typeof netmask === "object" && formatAddress(netmask), mask);
  }
  refuses(
    values.netmask,
    ["", "foo", "255.255.0.256"],
    "illegal virtual server persistent mask specified",
  );
});

test("a netmask of IPv6 is a prefix length, whatever follows it", () => {
  for (const [text, length] of [
    ["1", 1],
    ["128", 128],
    [" 64x", 64],
  ] as const)
    assert.equal(taken(values.netmask, text, overIpv6()).netmask, length);
  refuses(
    values.netmask,
    ["0", "129", "255.255.0.0", "-1", "x"],
    "illegal ipv6 netmask specified",
    overIpv6,
  );
});

test("a real server without a port has that of the service named before it", () => {
  const draft = taken(values.serviceAddress(TCP), "192.0.2.1:80");
  assert.equal(taken(values.realServer, "10.0.0.1", draft).serverPort, 80);
  assert.equal(taken(values.realServer, "10.0.0.1:0", draft).serverPort, 0);
  assert.equal(taken(values.realServer, "10.0.0.1").serverPort, 0);
});

test("a real server's port has a name if the service's protocol is known before", () => {
  const draft = taken(values.serviceAddress(TCP), "192.0.2.1:81");
  assert.equal(taken(values.realServer, "10.0.0.1:http", draft).serverPort, 80);
  refuses(
    values.realServer,
    ["10.0.0.1:http", "", "80", "10.0.0.1:", "[2001:db8::1]"],
    "illegal real server address[:port] specified",
  );
});

test("scheduler flags are told apart by commas, of which there may be too many", () => {
  const draft = () => taken(values.scheduler, "sh");
  const flags = (text: string) =>
    taken(values.schedulerFlags, text, draft()).flags;
  assert.equal(flags("sh-port"), 0x10);
  assert.equal(flags("sh-port,,sh-fallback,"), 0x18);
  assert.equal(flags("flag-3,flag-1"), 0x28);
  assert.equal(flags(""), 0);
});

test("a scheduler flag that does not exist is refused", () => {
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

test("commas and nothing else are an invalid flag", () => {
  refuses(
    values.schedulerFlags,
    [",", ",,"],
    (text) => `invalid scheduler flag \`${text}'`,
  );
});

test("a scheduler flag belongs to the scheduler named before it", () => {
  const sentence = "incompatible scheduler flag `mh-port'";
  refuses(values.schedulerFlags, ["mh-port", "flag-1,mh-port"], sentence);
  refuses(values.schedulerFlags, ["mh-port"], sentence, () =>
    taken(values.scheduler, "sh"),
  );
});

test("a tunnel has a type and flags", () => {
  const draft = new Draft(LOOKUPS);
  const types = ["ipip", "gue", "gre"].map(
    (text) => taken(values.tunnelType, text, draft).tunnel.type,
  );
  assert.deepEqual(types, [0, 1, 2]);
  values.tunnelFlag(2)(draft, "");
  assert.deepEqual(draft.tunnel, { type: 2, port: 0, flags: 2 });
  refuses(
    values.tunnelType,
    ["", "GUE", "foo", "toString"],
    "illegal tunnel type specified",
  );
});

test("drafts do not share their tunnel", () => {
  values.tunnelFlag(1)(new Draft(LOOKUPS), "");
  assert.equal(new Draft(LOOKUPS).tunnel.flags, 0);
});

test("a sync daemon is master or backup", () => {
  const state = values.daemonState("too bad");
  assert.equal(taken(state, "master").daemonState, MASTER);
  assert.equal(taken(state, "backup").daemonState, BACKUP);
  refuses(state, ["", "Master", "mas", "masterx"], "too bad");
});

test("a multicast group is of IPv6 if it holds a colon", () => {
  const group = (text: string) => {
    const { multicastGroup } = taken(values.multicastGroup, text);
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

test("a draft without a service says so: the check of the options has failed", () => {
  assert.throws(() => new Draft(LOOKUPS).service, /was not refused/);
});
