import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Server } from "../lab/server.js";
import { countersAt } from "./counters.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { without } from "./needs.js";
import { BEHIND_DIRECTOR } from "./places.js";
import { associate, startSctpServer } from "./sctp.js";
import { siteOf } from "./site.js";
import { turns } from "./spread.js";

suite("SCTP", () => {
  siteOf(BEHIND_DIRECTOR, {});
  const servers: Server[] = [];
  const skip = without("perl", "perl-base");
  before(async () => {
    if (skip) return;
    servers.push(
      await startSctpServer("real1", "198.51.100.11", 3868),
      await startSctpServer("real2", "198.51.100.12", 3868),
    );
  });
  after(async () => {
    for (const server of servers) await server.stop();
  });

  test(
    "associations are distributed and arrive at the servers' port",
    { skip },
    async () => {
      const service = "192.0.2.100:2905";
      await balance(`
      -A --sctp-service ${service} -s rr
      -a --sctp-service ${service} -r 198.51.100.11:3868 -m
      -a --sctp-service ${service} -r 198.51.100.12:3868 -m`);
      assert.match(await ipvsadm("-Ln"), /^SCTP 192\.0\.2\.100:2905 rr$/m);
      // A few seconds after the end of an association, its entry is gone.
      const isListed = async () => {
        assert.match(await ipvsadm("-Lnc"), /^SCTP .* 192\.0\.2\.100:2905 /m);
      };
      const replies = [];
      for (let i = 0; i < 6; i++)
        replies.push(
          await associate("client", "192.0.2.10", service, isListed),
        );
      for (const turn of turns(replies, 2))
        assert.deepEqual(turn.sort(), [
          "192.0.2.10 -> 198.51.100.11:3868 real1",
          "192.0.2.10 -> 198.51.100.12:3868 real2",
        ]);
      const counters = await countersAt(service, 6);
      assert.equal(counters(service).connections, 6);
      assert.ok(counters(service).outPackets > 0);
    },
  );
});
