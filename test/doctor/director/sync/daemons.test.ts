import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { examine } from "../../../../src/doctor/check.js";
import { syncSteps } from "../../../../src/doctor/director/client/sync.js";
import {
  syncIds,
  syncLengths,
  syncPlaces,
} from "../../../../src/doctor/director/sync/daemons.js";
import { syncFirewall } from "../../../../src/doctor/director/sync/firewall.js";
import { unheardSync } from "../../../../src/doctor/director/sync/unheard.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import type {
  HeardSync,
  SyncMessages,
} from "../../../../src/doctor/sync-messages.js";
import { INET, INET6 } from "../../../../src/ipvs/address.js";
import { BACKUP, MASTER, type Daemon } from "../../../../src/ipvs/model.js";
import { address } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress } from "../../made-up-network.js";
import { told } from "../../made-up.js";

function daemon(state: 1 | 2, syncId: number, given: Partial<Daemon> = {}) {
  return { state, multicastInterface: "eth1", syncId, ...given } as const;
}

function messages(
  syncIds: readonly number[],
  given: Partial<SyncMessages> = {},
): SyncMessages {
  return {
    from: "10.0.0.1",
    device: "eth1",
    group: "224.0.0.81",
    port: 8848,
    longestBytes: 60,
    ...given,
    syncIds,
  };
}

function heard(
  backup: Daemon,
  here: readonly SyncMessages[] = [],
  elsewhere: readonly SyncMessages[] = [],
): HeardSync {
  return { daemon: backup, seconds: 1.5, here, elsewhere };
}

const NETWORK = network([], {
  devices: [device(1), device(2)],
  addresses: [ownAddress(1, "10.0.0.2/24")],
});

/** Facts of a director with these daemons. @param entries how many there are in its connection table */
function facts(
  daemons: readonly Daemon[],
  some: readonly HeardSync[],
  entries = 0,
  given: Facts = {},
): Facts {
  return {
    daemons,
    heard: some,
    network: NETWORK,
    connections: { ...connectionTable([]), entries },
    ...given,
  };
}

const CHECKS = [syncIds, syncPlaces, syncLengths, syncFirewall];

/** What is found of a backup that hears these messages. */
function found(
  backup: Daemon,
  here: readonly SyncMessages[] = [],
  elsewhere: readonly SyncMessages[] = [],
  entries = 0,
) {
  const all = facts([backup], [heard(backup, here, elsewhere)], entries);
  return examine(CHECKS, all).findings;
}

suite("syncIds", () => {
  test("syncIds: a backup accepts its own sync id, or all with 0", () => {
    assert.deepEqual(found(daemon(BACKUP, 1), [messages([1])]), []);
    assert.deepEqual(found(daemon(BACKUP, 1), [messages([1, 2])]), []);
    assert.deepEqual(found(daemon(BACKUP, 0), [messages([2])]), []);
    assert.deepEqual(found(daemon(BACKUP, 1)), []);
  });

  test("syncIds names both sync ids, the master and the command that restarts the backup", () => {
    const backup = daemon(BACKUP, 15, { multicastPort: 8848 });
    const [finding] = found(backup, [messages([51])]);
    assert.ok(finding);
    // A restart is described, and not offered as a command.
    assert.deepEqual(told(finding), ["sync-ids-differ eth1"]);
    assert.equal(
      finding.seen,
      "the backup here accepts messages with sync id 15, and the messages that arrive have 51",
    );
    // The only sender can be the master of another pair.
    assert.equal(finding.certainty, "likely");
    const evidence = finding.evidence?.join("\n") ?? "";
    assert.match(evidence, /^they come from 10\.0\.0\.1\n/);
    assert.match(
      evidence,
      /if the sender is the other director of this pair, .*: "ipvsadm --stop-daemon backup && ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 51 --mcast-port 8848"/,
    );
    assert.deepEqual(finding.next, [
      { command: "ipvsadm -L --daemon", on: "the director with the master" },
    ]);
  });

  test("syncIds says more if the backup knows connections, or several masters send", () => {
    const backup = daemon(BACKUP, 15);
    const [one] = found(backup, [messages([51])], [], 3);
    assert.equal(one?.certainty, "likely");
    assert.match(one.evidence?.join() ?? "", /3 entries are in the connection/);
    const [two] = found(backup, [
      messages([51]),
      messages([52], { from: "10.0.0.3" }),
    ]);
    assert.equal(two?.certainty, "likely");
    assert.match(two.seen, /have 51, 52$/);
    assert.match(two.evidence?.join() ?? "", /several masters send/);
    // A director that is also a master has connections of its own.
    const both = [daemon(MASTER, 1), backup];
    const all = facts(both, [heard(backup, [messages([51])])], 3);
    const [alone] = examine([syncIds], all).findings;
    assert.doesNotMatch(alone?.evidence?.join() ?? "", /3 entries are/);
  });

  test("syncIds does not count as examined if nothing was heard, or a master runs here", () => {
    const backup = daemon(BACKUP, 15);
    const examined = (daemons: readonly Daemon[], some: readonly HeardSync[]) =>
      examine([syncIds, syncPlaces], facts(daemons, some)).examined;
    assert.deepEqual(examined([backup], [heard(backup)]), []);
    assert.deepEqual(examined([backup], [heard(backup, [messages([15])])]), [
      "sync-ids-differ",
      "sync-elsewhere",
    ]);
    assert.deepEqual(examined([backup], [heard(backup, [messages([51])])]), [
      "sync-ids-differ",
      "sync-elsewhere",
    ]);
    assert.deepEqual(examined([daemon(MASTER, 51)], []), ["sync-elsewhere"]);
    const any = daemon(BACKUP, 0);
    assert.deepEqual(examined([any], [heard(any)]), ["sync-ids-differ"]);
    assert.deepEqual(examined([], []), ["sync-ids-differ", "sync-elsewhere"]);
  });
});

suite("syncPlaces", () => {
  const backup = daemon(BACKUP, 15, { multicastPort: 8849 });

  test("syncPlaces finds messages to another port, group or interface", () => {
    const [finding] = found(backup, [], [messages([15])]);
    assert.equal(finding?.id, "sync-elsewhere");
    assert.equal(
      finding.seen,
      "the backup here listens on eth1, group 224.0.0.81, port 8849, where no message arrives; messages arrive by eth1, for group 224.0.0.81, port 8848, with sync id 15, from 10.0.0.1",
    );
    assert.equal(finding.certainty, "likely");
    assert.match(
      finding.evidence?.join() ?? "",
      /--start-daemon backup --mcast-interface eth1 --syncid 15 --mcast-port 8848"/,
    );
    const six = daemon(BACKUP, 15, {
      multicastGroup: address("ff02::81"),
      multicastPort: 8848,
    });
    const [other] = found(six, [], [messages([15], { device: "eth2" })]);
    assert.match(
      other?.evidence?.join() ?? "",
      /--mcast-interface eth2 --syncid 15 --mcast-group 224\.0\.0\.81 --mcast-port 8848"/,
    );
  });

  test("syncPlaces ignores messages of other directors, and hears first where the backup listens", () => {
    assert.deepEqual(found(backup, [], [messages([51])]), []);
    assert.deepEqual(found(backup, [messages([15])], [messages([15])]), []);
    const any = daemon(BACKUP, 0);
    assert.equal(found(any, [], [messages([7])]).length, 1);
  });

  test("syncPlaces describes no restart if the messages are perhaps those of other directors", () => {
    const [known] = found(backup, [], [messages([15])], 3);
    assert.equal(known?.certainty, "likely");
    assert.match(known.evidence?.join() ?? "", /^3 entries are in the /);
    const [several] = found(
      backup,
      [],
      [messages([15]), messages([15], { from: "10.0.0.3" })],
    );
    assert.deepEqual(several?.evidence, [
      "several masters send, perhaps none of them the one of this backup",
    ]);
  });

  test("syncPlaces is silent if a firewall certainly drops the messages where the backup listens", () => {
    const ids = (rules: string) => {
      const tables = parseIptablesSave(
        `*filter\n${rules}\nCOMMIT\n`,
        INET,
        "iptables",
      );
      const some = [heard(backup, [], [messages([15])])];
      const firewall = { tables, unread: [] };
      const all = facts([backup], some, 0, { firewall });
      return examine(CHECKS, all).findings.map(({ id }) => id);
    };
    assert.deepEqual(ids(":INPUT DROP [3:180]"), ["sync-blocked"]);
    assert.deepEqual(ids(":INPUT ACCEPT [3:180]"), ["sync-elsewhere"]);
  });
});

test("syncLengths finds messages that are longer than the backup reads", () => {
  const backup = daemon(BACKUP, 15, { maximumLength: 100 });
  const of = (longestBytes: number, id = 15) =>
    found(backup, [messages([id], { longestBytes })]);
  assert.deepEqual(of(100), []);
  const [finding] = of(101);
  assert.equal(finding?.id, "sync-too-long");
  assert.equal(
    finding.seen,
    "a message of 101 bytes arrived, and the backup here reads at most 100 (maxlen)",
  );
  assert.match(
    finding.evidence?.join() ?? "",
    /--start-daemon backup --mcast-interface eth1 --syncid 15"/,
  );
  // Short messages do not rule out long ones.
  const short = facts([backup], [heard(backup, [messages([15])])]);
  assert.deepEqual(examine([syncLengths], short).examined, []);
  const master = facts([daemon(MASTER, 15)], []);
  assert.deepEqual(examine([syncLengths], master).examined, ["sync-too-long"]);
  // Those of others are not for it.
  assert.deepEqual(
    of(101, 51).map(({ id }) => id),
    ["sync-ids-differ"],
  );
});

suite("syncFirewall", () => {
  const blocked = (
    one: Daemon,
    rules: string,
    here: readonly SyncMessages[] = [],
    family: typeof INET | typeof INET6 = INET,
  ) => {
    const tables = parseIptablesSave(
      `*filter\n${rules}\nCOMMIT\n`,
      family,
      family === INET ? "iptables" : "ip6tables",
    );
    const some = one.state === BACKUP ? [heard(one, here)] : [];
    const firewall = { tables, unread: [] };
    return examine([syncFirewall], facts([one], some, 0, { firewall }))
      .findings;
  };
  const INPUT = ":INPUT DROP [3:180]";

  test("syncFirewall finds what drops the messages to a backup, and accepts exactly them", () => {
    const [finding] = blocked(daemon(BACKUP, 15), INPUT);
    assert.ok(finding);
    assert.equal(
      finding.seen,
      "the policy of chain INPUT (iptables, table filter), 3 packets, drops sync messages (eth1, group 224.0.0.81, port 8848)",
    );
    assert.deepEqual(told(finding), [
      "sync-blocked eth1",
      "iptables -t filter -I INPUT -i eth1 -d 224.0.0.81/32 -p udp --dport 8848 -j ACCEPT",
    ]);
  });

  test("syncFirewall finds what drops the messages of a master", () => {
    const rule = "-A OUTPUT -o eth1 -p udp -m udp --dport 8849 -j DROP";
    const rules = `:OUTPUT ACCEPT [0:0]\n${rule}`;
    const at = (multicastPort: number) =>
      blocked(daemon(MASTER, 15, { multicastPort }), rules).map(told);
    assert.deepEqual(at(8848), []);
    assert.deepEqual(at(8849), [
      [
        "sync-blocked eth1",
        "iptables -t filter -I OUTPUT -o eth1 -d 224.0.0.81/32 -p udp --dport 8849 -j ACCEPT",
      ],
    ]);
  });

  test("syncFirewall trusts messages that arrive, rules that accept them, and rules that it cannot judge", () => {
    const backup = daemon(BACKUP, 15);
    assert.deepEqual(blocked(backup, INPUT, [messages([15])]), []);
    for (const rule of [
      "-A INPUT -d 224.0.0.0/4 -j ACCEPT",
      "-A INPUT -i eth1 -p udp -m udp --dport 8848 -j ACCEPT",
      // Perhaps the master's address
      "-A INPUT -s 10.0.0.1/32 -j ACCEPT",
      "-A INPUT -m pkttype --pkt-type multicast -j ACCEPT",
    ])
      assert.deepEqual(blocked(backup, `${INPUT}\n${rule}`), [], rule);
    for (const rule of [
      "-A INPUT -i eth2 -j ACCEPT",
      "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
    ])
      assert.equal(blocked(backup, `${INPUT}\n${rule}`).length, 1, rule);
  });

  test("syncFirewall knows groups of IPv6", () => {
    const backup = daemon(BACKUP, 15, { multicastGroup: address("ff02::81") });
    assert.deepEqual(blocked(backup, INPUT), []);
    assert.deepEqual(blocked(backup, INPUT, [], INET6).map(told), [
      [
        "sync-blocked eth1",
        "ip6tables -t filter -I INPUT -i eth1 -d ff02::81/128 -p udp --dport 8848 -j ACCEPT",
      ],
    ]);
  });
});

suite("unheardSync()", () => {
  const backup = daemon(BACKUP, 15);
  const empty = connectionTable([], { entries: 0 });

  test("unheardSync() names the backup that heard nothing, and the commands that tell more", () => {
    assert.deepEqual(unheardSync([backup], [heard(backup)], empty), [
      "whether messages of the master reach the backup here, which accepts sync id 15 (eth1, group 224.0.0.81, port 8848): none arrived in 1.5 s; no connection is known here. 'ipvsadm -L --daemon' on both directors must show the same values; 'ipvsadm doctor --for 1m' listens longer, while clients make connections",
    ]);
    const known = { ...empty, entries: 1 };
    const [text = ""] = unheardSync([backup], [heard(backup)], known);
    assert.doesNotMatch(text, /no connection is known/);
    const some = [heard(backup, [], [messages([51], { device: "eth2" })])];
    assert.match(
      unheardSync([backup], some).join(),
      /none arrived in 1\.5 s, and elsewhere some with sync id 51 \(from 10\.0\.0\.1\)\./,
    );
    assert.deepEqual(
      unheardSync([backup], [heard(backup, [messages([51])])]),
      [],
    );
    const any = daemon(BACKUP, 0);
    assert.match(
      unheardSync([any], [heard(any)]).join(),
      /accepts any sync id \(/,
    );
  });

  test("unheardSync() says what the backup of a master must have", () => {
    const master = daemon(MASTER, 51);
    assert.deepEqual(unheardSync([master], []), [
      "whether a backup accepts the messages of the master here, which have sync id 51 (eth1, group 224.0.0.81, port 8848): 'ipvsadm -L --daemon' on the backup must show the same values, or sync id 0. Run 'ipvsadm doctor' on the backup, too",
    ]);
    assert.equal(unheardSync([master, backup], [heard(backup)]).length, 2);
    assert.deepEqual(unheardSync([], []), []);
  });
});

suite("syncSteps()", () => {
  const backup = daemon(BACKUP, 15);
  const connection = {
    protocol: "TCP",
    client: address("192.0.2.7"),
    clientPort: 40000,
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address("10.0.0.11"),
    serverPort: 80,
    state: "ESTABLISHED",
    expiresSeconds: 50,
  };
  const steps = (
    here: readonly SyncMessages[],
    known = false,
    elsewhere: readonly SyncMessages[] = [],
  ) =>
    syncSteps(
      { daemons: [backup] },
      {
        connections: known ? [{ connection, use: "new", stateSeconds: 5 }] : [],
        heard: [heard(backup, here, elsewhere)],
      },
    ).map(({ state, text }) => `${state}: ${text}`);

  test("syncSteps() doubts messages with another sync id, which can be those of other directors", () => {
    assert.deepEqual(steps([messages([51])]), [
      "unknown: the backup here accepts sync id 15 (eth1, group 224.0.0.81, port 8848), and the messages that arrived have sync id 51 (from 10.0.0.1): it ignores them. If they are those of its master, and not of other directors, no connection reaches it. Compare 'ipvsadm -L --daemon' on both directors; 'ipvsadm doctor --explain sync-ids-differ' says how to fix it",
    ]);
    assert.deepEqual(steps([messages([51])], true), [
      "unknown: the backup here accepts sync id 15 (eth1, group 224.0.0.81, port 8848), and connections of the client are known here, but the messages that arrived have sync id 51 (from 10.0.0.1): they are perhaps those of other directors",
    ]);
  });

  test("syncSteps() says what arrived if the client has no connection here", () => {
    assert.match(
      steps([messages([15])]).join(),
      /^unknown: .*; messages that it accepts arrived, and none brought a connection of this client: /,
    );
    assert.match(
      steps([]).join(),
      /^unknown: .*; no sync message arrived in 1\.5 s\. The master's values in 'ipvsadm -L --daemon' must be the same$/,
    );
    assert.match(
      steps([], false, [messages([51])]).join(),
      /arrived in 1\.5 s there, but elsewhere with sync id 51 \(from 10\.0\.0\.1\)/,
    );
  });

  test("syncSteps() is content if the backup knows connections of the client", () => {
    for (const here of [[], [messages([15])]])
      assert.match(
        steps(here, true).join(),
        /^ok: .*, and connections of the client are known here$/,
      );
  });

  test("syncSteps() says nothing on an active director", () => {
    for (const daemons of [
      [],
      [daemon(MASTER, 1)],
      [daemon(MASTER, 1), backup],
    ])
      assert.deepEqual(
        syncSteps({ daemons }, { connections: [], heard: [heard(backup)] }),
        [],
      );
  });
});
