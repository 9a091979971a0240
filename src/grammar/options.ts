import {
  DIRECT_ROUTING,
  MASQUERADING,
  ONE_PACKET,
  SCTP,
  TCP,
  TUNNELING,
  TUNNEL_CHECKSUM,
  TUNNEL_REMOTE_CHECKSUM,
  UDP,
} from "../ipvs/model.js";
import type { CommandName } from "./command.js";
import type { Spelling } from "./scanner.js";
import * as values from "./values.js";
import { whole, type Take } from "./values.js";

/** What may stand for a value, for those who complete it: an existing service of a kind, a server of the service … */
export type Completes =
  | "tcp"
  | "udp"
  | "sctp"
  | "fwm"
  | "server"
  | "scheduler"
  | "scheduler-flags"
  | "engine"
  | "interface";

/** A command of the classic language. */
export interface ClassicCommandSpec extends Spelling {
  readonly commandName: CommandName;
  /** What the value or the words behind it are called in the help; of a choice, all that there are: `a|b` */
  readonly argument?: string;
  /** How many words of its own follow among the free ones */
  readonly words?: number;
  readonly take?: Take;
  readonly help: string;
}

/** An option of the classic language. */
export interface ClassicOption extends Spelling {
  /**
   * What the original's sentences call it; several rows with one name exclude each other. Without a
   * name an option goes with every command and may be repeated.
   */
  readonly option?: string;
  /** As with commands */
  readonly argument?: string;
  readonly completes?: Completes;
  /** What stands for an optional value that is not there */
  readonly fallback?: string;
  readonly take?: Take;
  /** Instead of `take`: its value is looked at when the whole line has been read. */
  readonly takeLast?: Take;
  /**
   * With which commands it goes: each of `must` is needed, of `one of` there may be one, `may` is free;
   * with commands that are absent it is illegal.
   */
  readonly with: Readonly<
    Partial<Record<CommandName, "must" | "one of" | "may">>
  >;
  readonly help: string;
}

export const COMMANDS: readonly ClassicCommandSpec[] = [
  {
    short: "A",
    long: "add-service",
    commandName: "add-service",
    help: "add a virtual service",
  },
  {
    short: "E",
    long: "edit-service",
    commandName: "edit-service",
    help: "change a virtual service",
  },
  {
    short: "D",
    long: "delete-service",
    commandName: "delete-service",
    help: "remove a virtual service with its real servers",
  },
  {
    short: "C",
    long: "clear",
    commandName: "flush",
    help: "remove all virtual services",
  },
  {
    short: "R",
    long: "restore",
    commandName: "restore",
    help: "carry out the command lines on standard input",
  },
  {
    short: "S",
    long: "save",
    commandName: "save",
    help: "write the table as command lines for -R",
  },
  {
    short: "a",
    long: "add-server",
    commandName: "add-server",
    help: "add a real server to a virtual service",
  },
  {
    short: "e",
    long: "edit-server",
    commandName: "edit-server",
    help: "change a real server",
  },
  {
    short: "d",
    long: "delete-server",
    commandName: "delete-server",
    help: "remove a real server",
  },
  {
    short: "Ll",
    long: "list",
    commandName: "list",
    help: "list the table, or what the options say",
  },
  {
    short: "Z",
    long: "zero",
    commandName: "zero",
    help: "set the counters of a service, or all, to zero",
  },
  {
    long: "set",
    commandName: "set",
    argument: "TCP TCPFIN UDP",
    words: 3,
    help: "set the timeouts of connections, 0 to 2678400 seconds; 0 leaves one as it is",
  },
  {
    long: "start-daemon",
    commandName: "start-daemon",
    value: "required",
    argument: "master|backup",
    take: values.daemonState("illegal start-daemon parameter specified"),
    help: "start a connection sync daemon",
  },
  {
    long: "stop-daemon",
    commandName: "stop-daemon",
    value: "required",
    argument: "master|backup",
    take: values.daemonState("illegal start_daemon specified"),
    help: "stop a connection sync daemon",
  },
  { short: "h", long: "help", commandName: "help", help: "show this text" },
  {
    short: "v",
    long: "version",
    commandName: "version",
    help: "show the version",
  },
];

const SERVICE_ADDRESS = {
  option: "service-address",
  value: "required",
  with: {
    "add-service": "must",
    "edit-service": "must",
    "delete-service": "must",
    "add-server": "must",
    "edit-server": "must",
    "delete-server": "must",
    list: "one of",
    zero: "may",
  },
} as const satisfies Partial<ClassicOption>;

const WITH_SERVICE = { "add-service": "may", "edit-service": "may" } as const;
const WITH_SERVER = { "add-server": "may", "edit-server": "may" } as const;
const WITH_DAEMON = { "start-daemon": "may" } as const;

const FORWARDING_METHOD = {
  option: "forwarding-method",
  with: WITH_SERVER,
} as const satisfies Partial<ClassicOption>;

/** In the order in which the original checks the options of a command. */
export const OPTIONS: readonly ClassicOption[] = [
  {
    short: "n",
    long: "numeric",
    option: "numeric",
    with: { list: "may", save: "may" },
    help: "show addresses and ports as numbers",
  },
  {
    short: "c",
    long: "connection",
    option: "connection",
    with: { list: "one of" },
    help: "list the connections",
  },
  {
    short: "t",
    long: "tcp-service",
    ...SERVICE_ADDRESS,
    argument: "HOST[:PORT]",
    take: values.serviceAddress(TCP),
    completes: "tcp",
    help: "virtual service over TCP; an IPv6 address with a port stands in brackets",
  },
  {
    short: "u",
    long: "udp-service",
    ...SERVICE_ADDRESS,
    argument: "HOST[:PORT]",
    take: values.serviceAddress(UDP),
    completes: "udp",
    help: "virtual service over UDP",
  },
  {
    long: "sctp-service",
    ...SERVICE_ADDRESS,
    argument: "HOST[:PORT]",
    take: values.serviceAddress(SCTP),
    completes: "sctp",
    help: "virtual service over SCTP",
  },
  {
    short: "f",
    long: "fwmark-service",
    ...SERVICE_ADDRESS,
    argument: "MARK",
    take: values.firewallMark,
    completes: "fwm",
    help: "virtual service of the packets with a firewall mark, 1 to 4294967295",
  },
  {
    short: "s",
    long: "scheduler",
    option: "scheduler",
    value: "required",
    argument: "NAME",
    take: values.scheduler,
    completes: "scheduler",
    with: WITH_SERVICE,
    help: "rr wrr lc wlc lblc lblcr dh sh sed nq fo ovf mh; the default is wlc",
  },
  {
    short: "p",
    long: "persistent",
    option: "persistent",
    value: "optional",
    argument: "SECONDS",
    fallback: "360",
    take: values.persistence,
    with: WITH_SERVICE,
    help: "keep a client on its real server for 1 to 2678400 seconds; the default is 360",
  },
  {
    short: "M",
    long: "netmask",
    option: "netmask",
    value: "required",
    argument: "MASK",
    take: values.netmask,
    with: WITH_SERVICE,
    help: "clients that persistence takes for one: an IPv4 mask, or an IPv6 prefix length of 1 to 128",
  },
  {
    short: "r",
    long: "real-server",
    option: "real-server",
    value: "required",
    argument: "HOST[:PORT]",
    take: values.realServer,
    completes: "server",
    with: {
      "add-server": "must",
      "edit-server": "must",
      "delete-server": "must",
    },
    help: "real server; without a port it has the service's",
  },
  {
    short: "g",
    long: "gatewaying",
    ...FORWARDING_METHOD,
    take: (draft) => {
      draft.forwarding = DIRECT_ROUTING;
    },
    help: "forward by direct routing, the default",
  },
  {
    short: "i",
    long: "ipip",
    ...FORWARDING_METHOD,
    take: (draft) => {
      draft.forwarding = TUNNELING;
    },
    help: "forward by tunneling",
  },
  {
    short: "m",
    long: "masquerading",
    ...FORWARDING_METHOD,
    take: (draft) => {
      draft.forwarding = MASQUERADING;
    },
    help: "forward by network address translation",
  },
  {
    short: "w",
    long: "weight",
    option: "weight",
    value: "required",
    argument: "WEIGHT",
    take: whole(0, 0x7fffffff, "illegal weight specified", (draft, value) => {
      draft.weight = value;
    }),
    with: WITH_SERVER,
    help: "capacity of a real server, 0 to 2147483647, by default 1; 0 takes no new connections",
  },
  {
    short: "x",
    long: "u-threshold",
    option: "u-threshold",
    value: "required",
    argument: "COUNT",
    take: whole(
      0,
      0x7fffffff,
      "illegal u_threshold specified",
      (draft, value) => {
        draft.upperThreshold = value;
      },
    ),
    with: WITH_SERVER,
    help: "connections at which a real server gets no new ones; 0, the default, is no limit",
  },
  {
    short: "y",
    long: "l-threshold",
    option: "l-threshold",
    value: "required",
    argument: "COUNT",
    take: whole(
      0,
      0x7fffffff,
      "illegal l_threshold specified",
      (draft, value) => {
        draft.lowerThreshold = value;
      },
    ),
    with: WITH_SERVER,
    help: "connections below which it gets new ones again; 0, the default, is three quarters of -x",
  },
  {
    long: "mcast-interface",
    option: "mcast-interface",
    value: "required",
    argument: "NAME",
    take: values.multicastInterface,
    completes: "interface",
    with: WITH_DAEMON,
    help: "interface for connection sync; the default is eth0",
  },
  {
    long: "timeout",
    option: "timeout",
    with: { list: "one of" },
    help: "list the timeouts of connections",
  },
  {
    long: "daemon",
    option: "daemon",
    with: { list: "one of" },
    help: "list the sync daemons",
  },
  {
    long: "stats",
    option: "stats",
    with: { list: "may" },
    help: "list the counters",
  },
  {
    long: "rate",
    option: "rate",
    with: { list: "may" },
    help: "list the rates per second",
  },
  {
    long: "thresholds",
    option: "thresholds",
    with: { list: "may" },
    help: "list the thresholds",
  },
  {
    long: "persistent-conn",
    option: "persistent-conn",
    with: { list: "may" },
    help: "list the persistent connections; with -c, what the persistence engine knows",
  },
  {
    long: "nosort",
    option: "nosort",
    with: { list: "may" },
    help: "list in the kernel's order",
  },
  {
    long: "syncid",
    option: "syncid",
    value: "required",
    argument: "NUMBER",
    take: whole(0, 255, "illegal syncid specified", (draft, value) => {
      draft.syncId = value;
    }),
    with: { ...WITH_DAEMON, "stop-daemon": "may", list: "may" },
    help: "group of directors that exchange connections, 0 to 255; a backup with 0, the default, takes all (without effect elsewhere)",
  },
  {
    short: "X",
    long: "exact",
    option: "exact",
    with: { list: "may" },
    help: "show all digits of counters",
  },
  {
    short: "6",
    long: "ipv6",
    take: values.ipv6,
    with: {},
    help: "the firewall mark before it is for IPv6",
  },
  {
    short: "o",
    long: "ops",
    option: "ops",
    take: (draft) => {
      draft.flags |= ONE_PACKET;
    },
    with: WITH_SERVICE,
    help: "schedule each datagram by itself, for UDP",
  },
  {
    long: "pe",
    option: "pe",
    value: "required",
    argument: "NAME",
    take: values.persistenceEngine,
    completes: "engine",
    with: WITH_SERVICE,
    help: "persistence engine: sip",
  },
  {
    short: "b",
    long: "sched-flags",
    option: "sched-flags",
    value: "required",
    argument: "FLAGS",
    takeLast: values.schedulerFlags,
    completes: "scheduler-flags",
    with: WITH_SERVICE,
    help: "sh-fallback sh-port (with -s sh), mh-fallback mh-port (with -s mh), flag-1 flag-2 flag-3",
  },
  {
    long: "mcast-group",
    option: "mcast-group",
    value: "required",
    argument: "ADDRESS",
    take: values.multicastGroup,
    with: WITH_DAEMON,
    help: "multicast group for connection sync; the default is 224.0.0.81",
  },
  {
    long: "mcast-port",
    option: "mcast-port",
    value: "required",
    argument: "PORT",
    take: whole(1, 65535, "illegal mcast-port specified", (draft, value) => {
      draft.multicastPort = value;
    }),
    with: WITH_DAEMON,
    help: "UDP port for connection sync, 1 to 65535; the default is 8848",
  },
  {
    long: "mcast-ttl",
    option: "mcast-ttl",
    value: "required",
    argument: "HOPS",
    take: whole(1, 255, "illegal mcast-ttl specified", (draft, value) => {
      draft.multicastTtl = value;
    }),
    with: WITH_DAEMON,
    help: "how far sync messages travel, 1 to 255; the default is 1",
  },
  {
    long: "sync-maxlen",
    option: "sync-maxlen",
    value: "required",
    argument: "BYTES",
    take: whole(1, 65507, "illegal sync-maxlen specified", (draft, value) => {
      draft.maximumLength = value;
    }),
    with: WITH_DAEMON,
    help: "longest sync message, 1 to 65507; a master's default is 1472, a backup's what the interface carries",
  },
  {
    long: "tun-info",
    option: "tun-info",
    with: { list: "may" },
    help: "list the tunnels",
  },
  {
    long: "tun-type",
    option: "tun-type",
    value: "required",
    argument: "ipip|gue|gre",
    take: values.tunnelType,
    with: WITH_SERVER,
    help: "kind of tunnel; the default is ipip",
  },
  {
    long: "tun-port",
    option: "tun-port",
    value: "required",
    argument: "PORT",
    take: whole(1, 65535, "illegal tunnel port specified", (draft, value) => {
      draft.tunnel = { ...draft.tunnel, port: value };
    }),
    with: WITH_SERVER,
    help: "UDP port of a gue tunnel, 1 to 65535",
  },
  {
    long: "tun-nocsum",
    option: "tun-nocsum",
    with: WITH_SERVER,
    help: "no checksum in the tunnel (gue, gre), the default",
  },
  {
    long: "tun-csum",
    option: "tun-csum",
    take: values.tunnelFlag(TUNNEL_CHECKSUM),
    with: WITH_SERVER,
    help: "checksum in the tunnel (gue, gre)",
  },
  {
    long: "tun-remcsum",
    option: "tun-remcsum",
    take: values.tunnelFlag(TUNNEL_REMOTE_CHECKSUM),
    with: WITH_SERVER,
    help: "remote checksum in the tunnel (gue)",
  },
  {
    long: "sort",
    with: {},
    help: "does nothing: listings are sorted anyway",
  },
];

/** Options that people know from elsewhere, by their long names, and what to do instead. */
export const FOREIGN: ReadonlyMap<string, string> = new Map([
  [
    "fullnat",
    "full NAT is not in the mainline kernel; -m with SNAT of its connections does the same: see Full NAT in ipvsadm(8)",
  ],
]);
