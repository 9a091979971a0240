import assert from "node:assert/strict";
import { after, suite, test } from "node:test";
import { eventually } from "../lab/eventually.js";
import { PROGRAMS } from "../lab/installed.js";
import { DIRECTOR } from "../lab/network.js";
import { balance, ipvsadm } from "./ipvsadm.js";
import { ONE_NETWORK } from "./places.js";
import { siteOf } from "./site.js";
import { answeredBy } from "./spread.js";

const RULES = `
  -A -t 203.0.113.100:80 -s rr
  -a -t 203.0.113.100:80 -r 203.0.113.11:80 -g -w 1
  -a -t 203.0.113.100:80 -r 203.0.113.12:80 -g -w 1`;

suite("connection synchronization", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  after(() => ipvsadm("--stop-daemon master"));

  /** Runs our program on the backup director. */
  function onBackup(command: string, stdin = ""): string {
    const run = `${PROGRAMS}${command.replace(/^\S+/, "$&.cjs")}`;
    return site.network.sh("backup", `printf '%s' '${stdin}' | ${run}`);
  }

  /** Moves the virtual address to the backup. */
  function takeOver(): void {
    const { network } = site;
    network.sh(DIRECTOR, "ip address del 203.0.113.100/32 dev lan");
    network.sh("backup", "ip address add 203.0.113.100/32 dev lan");
    // A gratuitous ARP request would do the same.
    network.sh("client", "ip neigh flush dev lan");
  }

  test("the backup knows the master's connections and takes them over", async () => {
    await balance(RULES);
    onBackup("ipvsadm-restore", RULES);
    onBackup("ipvsadm --start-daemon backup --mcast-interface lan --syncid 7");
    await ipvsadm("--start-daemon master --mcast-interface lan --syncid 7");
    const held = await site.client.hold("http://203.0.113.100/");
    // The master sends a connection to the backup after its third packet.
    for (let i = 0; i < 3; i++)
      assert.deepEqual(answeredBy([await held.ask()]), [held.server]);
    const server = held.server === "real1" ? "203.0.113.11" : "203.0.113.12";
    const entry = new RegExp(
      `^TCP .* ESTABLISHED 203\\.0\\.113\\.10:${held.localPort} +203\\.0\\.113\\.100:80 +${server}:80$`,
      "m",
    );
    const listing = await eventually(
      () => Promise.resolve(onBackup("ipvsadm -Lnc")),
      (text) => entry.test(text),
    );
    assert.match(listing, entry);
    takeOver();
    assert.deepEqual(answeredBy([await held.ask()]), [held.server]);
    await held.close();
  });
});
