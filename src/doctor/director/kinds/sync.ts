import type { Kind } from "../../finding.js";

/** What can be found of sync daemons. */
export const SYNC_KINDS = [
  {
    id: "sync-ids-differ",
    severity: "warning",
    title: "a backup ignores the messages of its master",
    why: "A backup accepts only messages with its own sync id. With another id it never learns of the connections, and all of them break when it takes over.",
    looked:
      "The multicast group of each backup daemon: messages arrived, and none has its sync id. Doctor listens for 1.5 seconds, with --probe for up to 15, and with --for as long as it says. A message that the backup accepts ends it. A master sends little: a connection at its third packet, and then every 50 packets or when its state changes. Silence is not a fault: then Not checked says so. On the master there is nothing to hear: Not checked says what the backup must have. It is only likely: the sender can be the master of another pair of directors in the same network.",
    cure: "Compare the sync ids of both directors with `ipvsadm -L --daemon`, and decide which one is right. Then restart the daemon with the wrong one: `ipvsadm --stop-daemon backup`, then `ipvsadm --start-daemon backup --mcast-interface INTERFACE --syncid ID`; on the master, `master` instead of `backup`. While it is stopped, the backup learns of no connection. A backup with sync id 0 accepts all messages.",
    sysctls: [],
  },
  {
    id: "sync-blocked",
    severity: "warning",
    title: "a firewall rule drops the messages of sync daemons",
    why: "A master sends its connections by UDP to a multicast group. If a firewall drops the messages, the backup never learns of the connections, and all of them break when it takes over.",
    looked:
      "The rules of nft and of both variants of iptables, for the messages that a backup here receives and a master here sends: the interface, group and port of the daemon. A backup that hears messages has no finding.",
    cure: "Accept UDP to the daemons' group and port, by default 224.0.0.81 and 8848, on the interface of the sync daemon. Keep the rule in the firewall's configuration, on both directors, because they change roles.",
    sysctls: [],
  },
  {
    id: "sync-elsewhere",
    severity: "warning",
    title: "sync messages arrive where the backup does not listen",
    why: "A backup listens on one interface to one multicast group and one port. It hears nothing of a master that sends by another network, to another group or to another port, and all connections break when it takes over.",
    looked:
      "Messages that the backup would accept by their sync id, and that came in by another interface, or to the usual group 224.0.0.81 or port 8848 instead of its own. No message came where it listens. It is only likely: the messages can belong to other directors. If a firewall certainly drops the messages there, only sync-blocked is reported. Doctor cannot hear a group and port that it does not know.",
    cure: "Compare `mcast`, `group` and `port` in `ipvsadm -L --daemon` on both directors, and restart the daemon that has the wrong ones, with the right `--mcast-interface`, `--mcast-group` and `--mcast-port`.",
    sysctls: [],
  },
  {
    id: "sync-too-long",
    severity: "warning",
    title: "a backup drops sync messages that are longer than its limit",
    why: "A master puts as many connections into a message as its own limit allows. A backup reads no more than its limit, and drops the whole message if it is longer: with many connections, it learns of few or none.",
    looked:
      "The length of the messages that arrive for each backup daemon, and its `maxlen`. Short messages do not rule it out, because the master sends long ones only when it has many connections to tell of.",
    cure: "Compare `maxlen` in `ipvsadm -L --daemon` on both directors, and restart the daemon with the smaller one: the same `--sync-maxlen` on both, or none if their interfaces have the same MTU.",
    sysctls: [],
  },
] as const satisfies readonly Kind[];
