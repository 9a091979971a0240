import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { spread } from "../../traffic/spread.js";
import {
  bareSite,
  printed,
  runOn,
  stateOf,
  tableFile,
} from "./bare-machines.js";

const VIP = "203.0.113.100";

const TWO_DIRECTORS: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24", "2001:db8:3::10/64"] } },
  [DIRECTOR]: { addresses: { lan: ["203.0.113.1/24", "2001:db8:3::1/64"] } },
  second: { addresses: { lan: ["203.0.113.2/24", "2001:db8:3::2/64"] } },
};

const RULES = `-A -t ${VIP}:80 -s rr
-a -t ${VIP}:80 -r 203.0.113.1 -g
-a -t ${VIP}:80 -r 203.0.113.2 -g`;

const VIP6 = "2001:db8:3::100";
const BOTH_RULES = `${RULES}
-A -t [${VIP6}]:80 -s rr
-a -t [${VIP6}]:80 -r [2001:db8:3::1]:80 -g
-a -t [${VIP6}]:80 -r [2001:db8:3::2]:80 -g`;
const BOTH_OPTIONS = ["--director=2001:db8:3::1", "--backup=2001:db8:3::2"];

const OPTIONS = [
  "--interface=lan",
  "--director=203.0.113.1",
  "--backup=203.0.113.2",
];

const PATIENCE_SECONDS = 30;
/** For requests that both directors balance: some get no answer. */
const IMPATIENCE_SECONDS = 1;

/** Each director is a real server, too. */
const MACHINES = [
  ["director", DIRECTOR],
  ["backup", "second"],
  ["203.0.113.1", DIRECTOR],
  ["203.0.113.2", "second"],
] as const;
const MACHINES6 = [
  ["2001:db8:3::1", DIRECTOR],
  ["2001:db8:3::2", "second"],
] as const;

suite("setup for two directors that are real servers of each other", () => {
  const machines = bareSite(TWO_DIRECTORS, [DIRECTOR, "second"]);
  const { doctor } = machines;
  const skip = without("iptables-legacy", "iptables");

  /** Sends requests to one of them. @returns who answered, and how many connections each director balanced */
  async function requestsTo(
    host: string,
    vip = VIP,
    patienceSeconds = PATIENCE_SECONDS,
  ) {
    const { network, client } = machines.site;
    const mac = network.sh(host, "cat /sys/class/net/lan/address").trim();
    network.sh("client", `ip neigh replace ${vip} lladdr ${mac} dev lan`);
    const before = balanced();
    const at = vip.includes(":") ? `[${vip}]` : vip;
    const replies = await client.get(`http://${at}/`, {
      count: 6,
      patienceSeconds,
    });
    const after = balanced();
    return {
      answers: spread(replies),
      balanced: after.map((n, i) => n - (before[i] ?? 0)),
    };
  }

  /** The connections that the director and the second one have balanced. The counters of processors are never late. */
  function balanced(): number[] {
    return [DIRECTOR, "second"].map((host) =>
      machines.site.network
        .sh(host, "cat /proc/net/ip_vs_stats_percpu")
        // The sum over all processors, and after it the rates.
        .replace(/^\s*~.*/ms, "")
        .split("\n")
        .map((line) => /^\s*[0-9A-F]+\s+([0-9A-F]+)/.exec(line)?.[1] ?? "0")
        .reduce((sum, digits) => sum + parseInt(digits, 16), 0),
    );
  }

  const printedFor = (
    file: string,
    options: readonly string[],
    hosts: readonly (readonly [string, string])[],
  ) =>
    Promise.all(
      hosts.map(async ([name, host]) => ({
        host,
        text: await printed(file, name, options),
      })),
    );

  async function withSetup(
    more: readonly string[],
    run: () => Promise<void>,
    rules = RULES,
    hosts: readonly (readonly [string, string])[] = MACHINES,
  ): Promise<void> {
    const { network } = machines.site;
    const file = tableFile(rules);
    const wanted = [...OPTIONS, ...more];
    const states = () =>
      [DIRECTOR, "second"].map((host) => stateOf(network, host));
    const before = states();
    try {
      for (const { host, text } of await printedFor(file, wanted, hosts))
        runOn(network, host, text);
      await run();
    } finally {
      const undo = await printedFor(file, [...wanted, "--undo"], hosts);
      for (const { host, text } of undo.toReversed())
        runOn(network, host, text);
    }
    assert.deepEqual(states(), before);
  }

  test(
    "--active-active: both balance, and no request is balanced twice",
    { skip },
    () =>
      withSetup(["--active-active"], async () => {
        const { network } = machines.site;
        const answers = { [DIRECTOR]: 3, second: 3 };
        const viaFirst = await requestsTo(DIRECTOR);
        assert.deepEqual(viaFirst, { answers, balanced: [6, 0] });
        const viaSecond = await requestsTo("second");
        assert.deepEqual(viaSecond, { answers, balanced: [0, 6] });
        assert.deepEqual(await doctor(DIRECTOR), []);
        assert.deepEqual(await doctor("second"), []);

        // The same without the exception for the other director.
        runOn(network, "second", "iptables -t mangle -D ipvs-marks 1");
        const { balanced: twice } = await requestsTo(
          DIRECTOR,
          VIP,
          IMPATIENCE_SECONDS,
        );
        assert.ok((twice[1] ?? 0) > 0, twice.join());
      }),
  );

  test(
    "--active-active with IPv4 and IPv6: the MAC address of the other director is found for each",
    { skip },
    () =>
      withSetup(
        ["--active-active", ...BOTH_OPTIONS],
        async () => {
          const { network } = machines.site;
          const answers = { [DIRECTOR]: 3, second: 3 };
          for (const vip of [VIP, VIP6]) {
            const viaFirst = await requestsTo(DIRECTOR, vip);
            assert.deepEqual(viaFirst, { answers, balanced: [6, 0] }, vip);
            const viaSecond = await requestsTo("second", vip);
            assert.deepEqual(viaSecond, { answers, balanced: [0, 6] }, vip);
          }
          assert.deepEqual(await doctor(DIRECTOR), []);
          assert.deepEqual(await doctor("second"), []);

          // The same without the exception for the other director.
          runOn(network, "second", "ip6tables -t mangle -D ipvs-marks 1");
          const { balanced: twice } = await requestsTo(
            DIRECTOR,
            VIP6,
            IMPATIENCE_SECONDS,
          );
          assert.ok((twice[1] ?? 0) > 0, twice.join());
        },
        BOTH_RULES,
        [...MACHINES, ...MACHINES6],
      ),
  );

  test("with a sync daemon: the backup answers, and balances nothing", () =>
    withSetup([], async () => {
      const { network } = machines.site;
      const { answers, balanced } = await requestsTo(DIRECTOR);
      assert.deepEqual(answers, { [DIRECTOR]: 3, second: 3 });
      assert.deepEqual(balanced, [6, 0]);
      assert.deepEqual(await doctor(DIRECTOR), []);
      assert.deepEqual(await doctor("second"), []);

      network.sh("second", "echo 0 >/proc/sys/net/ipv4/vs/backup_only");
      const { balanced: twice } = await requestsTo(
        DIRECTOR,
        VIP,
        IMPATIENCE_SECONDS,
      );
      assert.ok((twice[1] ?? 0) > 0, twice.join());
    }));
});
