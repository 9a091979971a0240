import assert from "node:assert/strict";
import { test } from "node:test";
import { reassembly } from "../../../../src/doctor/director/machine/reassembly.js";
import { examine } from "../../../../src/doctor/check.js";
import { INET, INET6, type Family } from "../../../../src/ipvs/address.js";
import { UDP } from "../../../../src/ipvs/model.js";
import { address, serviceEntry } from "../../../fixtures/entries.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const THRESHOLD = "net.ipv4.ipfrag_high_thresh";
const NETFILTER = "net.netfilter.nf_conntrack_frag6_high_thresh";

function datagrams(family: Family = INET) {
  const virtual = address(family === INET ? "192.0.2.1" : "2001:db8::1");
  return serviceEntry(
    { family, protocol: UDP, address: virtual, port: 1812 },
    {},
    [],
  );
}

function find(
  counts: Readonly<Record<string, number>>,
  settings: Readonly<Record<string, number>>,
  table = [datagrams()],
) {
  const counters = new Map(
    Object.entries(counts).map(([name, count]) => [name, BigInt(count)]),
  );
  return reassembly.examine({ table, sysctls: sysctls(settings), counters });
}

const FAILED = { "Ip.ReasmReqds": 24, "Ip.ReasmOKs": 0, "Ip.ReasmFails": 24 };

test("reassembly: a threshold that lets no datagram through", () => {
  const [finding, ...others] = find(FAILED, { [THRESHOLD]: 256 });
  assert.ok(finding);
  assert.deepEqual(others, []);
  assert.deepEqual(told(finding), [
    "fragments-not-reassembled IPv4",
    "sysctl -w net.ipv4.ipfrag_high_thresh=4194304",
  ]);
  assert.equal(finding.certainty, "proven");
  assert.equal(
    finding.seen,
    "24 of 24 fragments could not be put together, and no datagram ever was; net.ipv4.ipfrag_high_thresh is 256 bytes, too little for one datagram of 64 KB, which takes up to 262144",
  );
});

test("reassembly: datagrams that were reassembled make a low threshold only likely", () => {
  const [finding] = find({ ...FAILED, "Ip.ReasmOKs": 3 }, { [THRESHOLD]: 256 });
  assert.equal(finding?.certainty, "likely");
  assert.match(finding.seen, /3 datagrams were, perhaps before/);
  assert.equal(finding.fix.length, 1);
});

test("reassembly: with memory enough, fragments get lost elsewhere", () => {
  for (const settings of [{ [THRESHOLD]: 4194304 }, {}]) {
    const [finding] = find(FAILED, settings);
    assert.equal(finding?.certainty, "likely");
    assert.deepEqual(finding.fix, []);
    assert.match(finding.cure ?? "", /ipfrag_max_dist/);
  }
});

test("reassembly of IPv6 looks at the threshold of netfilter, too", () => {
  const six = [datagrams(INET6)];
  const failed = { "Ip6.ReasmFails": 6 };
  const [finding, ...others] = find(failed, { [NETFILTER]: 256 }, six);
  assert.ok(finding);
  assert.deepEqual(others, []);
  assert.deepEqual(told(finding), [
    "fragments-not-reassembled IPv6",
    `sysctl -w ${NETFILTER}=4194304`,
  ]);
  assert.equal(finding.certainty, "likely");
  assert.deepEqual(find(failed, { [NETFILTER]: 4194304 }, six), []);
});

test("reassembly is silent if fragments arrive, if few are lost, without failures, and for TCP and the other family", () => {
  const low = { [THRESHOLD]: 256 };
  const enough = { [THRESHOLD]: 4194304 };
  assert.deepEqual(find({ ...FAILED, "Ip.ReasmOKs": 1 }, enough), []);
  assert.deepEqual(find({ ...FAILED, "Ip.ReasmFails": 4 }, low), []);
  assert.deepEqual(find({}, low), []);
  assert.deepEqual(find(FAILED, low, [serviceAt("192.0.2.1")]), []);
  assert.deepEqual(find(FAILED, low, [datagrams(INET6)]), []);
});

test("reassembly rules nothing out without counters", () => {
  const facts = { table: [datagrams()], sysctls: sysctls({}) };
  assert.deepEqual(examine([reassembly], facts).examined, []);
  assert.deepEqual(
    examine([reassembly], { ...facts, counters: new Map() }).examined,
    ["fragments-not-reassembled"],
  );
});
