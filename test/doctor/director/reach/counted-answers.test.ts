import assert from "node:assert/strict";
import { test } from "node:test";
import {
  countedAnswers,
  countedText,
  needsSecondReading,
} from "../../../../src/doctor/director/reach/counted-answers.js";
import type { Silence } from "../../../../src/doctor/director/reach/silence.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  type Stats,
} from "../../../../src/ipvs/model.js";
import { serverEntry, stats } from "../../../fixtures/entries.js";
import { serviceAt } from "../../made-up.js";

const NAME = "10.0.0.11:80 of tcp/192.0.2.1:80";

/** A server of which three connections wait. */
function silence(
  counted: Partial<Stats>,
  given: Partial<Silence> = {},
  forwarding = MASQUERADING as number,
): Silence {
  const server = {
    ...serverEntry("10.0.0.11", 80, { forwarding }),
    stats: stats(counted),
    inactiveConnections: 3,
  };
  const service = serviceAt("192.0.2.1", [server]);
  return { service, server, count: 3, clients: [], sinceSeconds: 2, ...given };
}

const tell = (one: Silence, later?: Partial<Stats>) => {
  const counted = countedAnswers(one, {
    later: later && {
      servers: new Map([[NAME, stats({ ...one.server.stats, ...later })]]),
      seconds: 4.6,
    },
  });
  return counted && countedText(one, counted);
};

const REQUESTS = { connections: 3n, inPackets: 6n, inBytes: 360n };

test("countedAnswers() tells answers from ICMP messages by their size", () => {
  const sent = (outPackets: bigint, outBytes: bigint) =>
    tell(silence({ ...REQUESTS, outPackets, outBytes }));
  assert.equal(
    sent(15n, 900n),
    "15 packets of 10.0.0.11:80 came back since it was added, 60 bytes each on average: answers",
  );
  assert.equal(
    sent(6n, 528n),
    "6 packets of 10.0.0.11:80 came back since it was added, 88 bytes each on average: as large as ICMP messages that refuse requests",
  );
  assert.equal(
    sent(0n, 0n),
    "no packet of 10.0.0.11:80 came back since it was added",
  );
});

test("countedAnswers() counts between two readings if the server has had other connections", () => {
  const before = {
    connections: 90n,
    inPackets: 900n,
    inBytes: 90_000n,
    outPackets: 800n,
    outBytes: 900_000n,
  };
  const one = silence(before);
  assert.equal(tell(one), undefined);
  assert.equal(tell(one, {}), undefined, "nobody tried");
  assert.equal(
    tell(one, {
      inPackets: 902n,
      inBytes: 90_120n,
      outPackets: 801n,
      outBytes: 900_060n,
    }),
    "1 packet of 10.0.0.11:80 came back in 5 s while doctor looked, 60 bytes each on average: answers",
  );
  const recent = { ...one, othersSeconds: 2 };
  const more = { inPackets: 902n, inBytes: 90_120n, outPackets: 801n };
  assert.equal(tell(recent, more), undefined, "those of other connections");
  assert.match(tell({ ...one, othersSeconds: 3 }, more) ?? "", /: answers$/);
  assert.equal(
    tell(one, { inPackets: 902n, inBytes: 90_120n }),
    "no packet of 10.0.0.11:80 came back in 5 s while doctor looked",
  );
  assert.equal(tell(one, { outPackets: 1n }), undefined, "set to zero");
  assert.equal(needsSecondReading(one), true);
  assert.equal(needsSecondReading({ ...one, sinceSeconds: 20 }), false);
});

test("countedAnswers() does not trust counters that lag behind the connections", () => {
  const some = { ...REQUESTS, outPackets: 9n, outBytes: 900n };
  const one = silence(some);
  const more = {
    ...one,
    server: { ...one.server, inactiveConnections: 7 },
  };
  assert.equal(tell(more), undefined);
  assert.equal(needsSecondReading(more), true);
  assert.equal(needsSecondReading(one), false);
});

test("countedAnswers() says nothing of servers whose answers do not come back", () => {
  const direct = silence(REQUESTS, {}, DIRECT_ROUTING);
  assert.equal(tell(direct), undefined);
  assert.equal(needsSecondReading(direct), false);
});
