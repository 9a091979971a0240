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
import type { OptionSyntax } from "./scanner.js";
import * as values from "./values.js";
import { whole, type ApplyValue } from "./values.js";

/** What completion offers for a value: services of one kind, servers of the service, and others. */
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

/** The spec of a classic command. */
export interface ClassicCommandSpec extends OptionSyntax {
  readonly commandName: CommandName;
  /** Name of the argument in the help; for a fixed choice, the choices: `a|b` */
  readonly argument?: string;
  /** The number of words that must follow, besides options */
  readonly words?: number;
  readonly apply?: ApplyValue;
  readonly help: string;
}

/** The spec of a classic option. */
export interface ClassicOption extends OptionSyntax {
  /**
   * The option's name in the original's messages. Specs with the same name exclude each other. An
   * option without a name may be used with every command and may be repeated.
   */
  readonly option?: string;
  /** Name of the argument in the help; for a fixed choice, the choices: `a|b` */
  readonly argument?: string;
  readonly completes?: Completes;
  /** The value if an optional argument is missing */
  readonly fallback?: string;
  readonly apply?: ApplyValue;
  /** Like `apply`, but is called after all options of the line have been read */
  readonly applyLast?: ApplyValue;
  /**
   * The commands that accept the option. `must`: it is required. `one of`: at most one such option
   * is allowed. `may`: it is optional. Other commands reject it.
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
    apply: values.daemonState("illegal start-daemon parameter specified"),
    help: "start a connection sync daemon",
  },
  {
    long: "stop-daemon",
    commandName: "stop-daemon",
    value: "required",
    argument: "master|backup",
    apply: values.daemonState("illegal start_daemon specified"),
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

/** In the order of the original's checks. */
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
    apply: values.serviceAddress(TCP),
    completes: "tcp",
    help: "virtual service over TCP; an IPv6 address with a port stands in brackets",
  },
  {
    short: "u",
    long: "udp-service",
    ...SERVICE_ADDRESS,
    argument: "HOST[:PORT]",
    apply: values.serviceAddress(UDP),
    completes: "udp",
    help: "virtual service over UDP",
  },
  {
    long: "sctp-service",
    ...SERVICE_ADDRESS,
    argument: "HOST[:PORT]",
    apply: values.serviceAddress(SCTP),
    completes: "sctp",
    help: "virtual service over SCTP",
  },
  {
    short: "f",
    long: "fwmark-service",
    ...SERVICE_ADDRESS,
    argument: "MARK",
    apply: values.firewallMark,
    completes: "fwm",
    help: "virtual service of the packets with a firewall mark, 1 to 4294967295",
  },
  {
    short: "s",
    long: "scheduler",
    option: "scheduler",
    value: "required",
    argument: "NAME",
    apply: values.scheduler,
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
    apply: values.persistence,
    with: WITH_SERVICE,
    help: "keep a client on its real server for 1 to 2678400 seconds; the default is 360",
  },
  {
    short: "M",
    long: "netmask",
    option: "netmask",
    value: "required",
    argument: "MASK",
    apply: values.netmask,
    with: WITH_SERVICE,
    help: "clients that persistence takes for one: an IPv4 mask, or an IPv6 prefix length of 1 to 128",
  },
  {
    short: "r",
    long: "real-server",
    option: "real-server",
    value: "required",
    argument: "HOST[:PORT]",
    apply: values.realServer,
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
    apply: (parsed) => {
      parsed.forwarding = DIRECT_ROUTING;
    },
    help: "forward by direct routing, the default",
  },
  {
    short: "i",
    long: "ipip",
    ...FORWARDING_METHOD,
    apply: (parsed) => {
      parsed.forwarding = TUNNELING;
    },
    help: "forward by tunneling",
  },
  {
    short: "m",
    long: "masquerading",
    ...FORWARDING_METHOD,
    apply: (parsed) => {
      parsed.forwarding = MASQUERADING;
    },
    help: "forward by network address translation",
  },
  {
    short: "w",
    long: "weight",
    option: "weight",
    value: "required",
    argument: "WEIGHT",
    apply: whole(0, 0x7fffffff, "illegal weight specified", (parsed, value) => {
      parsed.weight = value;
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
    apply: whole(
      0,
      0x7fffffff,
      "illegal u_threshold specified",
      (parsed, value) => {
        parsed.upperThreshold = value;
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
    apply: whole(
      0,
      0x7fffffff,
      "illegal l_threshold specified",
      (parsed, value) => {
        parsed.lowerThreshold = value;
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
    apply: values.multicastInterface,
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
    apply: whole(0, 255, "illegal syncid specified", (parsed, value) => {
      parsed.syncId = value;
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
    apply: values.ipv6,
    with: {},
    help: "the firewall mark before it is for IPv6",
  },
  {
    short: "o",
    long: "ops",
    option: "ops",
    apply: (parsed) => {
      parsed.flags |= ONE_PACKET;
    },
    with: WITH_SERVICE,
    help: "schedule each datagram by itself, for UDP",
  },
  {
    long: "pe",
    option: "pe",
    value: "required",
    argument: "NAME",
    apply: values.persistenceEngine,
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
    applyLast: values.schedulerFlags,
    completes: "scheduler-flags",
    with: WITH_SERVICE,
    help: "sh-fallback sh-port (with -s sh), mh-fallback mh-port (with -s mh), flag-1 flag-2 flag-3",
  },
  {
    long: "mcast-group",
    option: "mcast-group",
    value: "required",
    argument: "ADDRESS",
    apply: values.multicastGroup,
    with: WITH_DAEMON,
    help: "multicast group for connection sync; the default is 224.0.0.81",
  },
  {
    long: "mcast-port",
    option: "mcast-port",
    value: "required",
    argument: "PORT",
    apply: whole(1, 65535, "illegal mcast-port specified", (parsed, value) => {
      parsed.multicastPort = value;
    }),
    with: WITH_DAEMON,
    help: "UDP port for connection sync, 1 to 65535; the default is 8848",
  },
  {
    long: "mcast-ttl",
    option: "mcast-ttl",
    value: "required",
    argument: "HOPS",
    apply: whole(1, 255, "illegal mcast-ttl specified", (parsed, value) => {
      parsed.multicastTtl = value;
    }),
    with: WITH_DAEMON,
    help: "how far sync messages travel, 1 to 255; the default is 1",
  },
  {
    long: "sync-maxlen",
    option: "sync-maxlen",
    value: "required",
    argument: "BYTES",
    apply: whole(1, 65507, "illegal sync-maxlen specified", (parsed, value) => {
      parsed.maximumLength = value;
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
    apply: values.tunnelType,
    with: WITH_SERVER,
    help: "kind of tunnel; the default is ipip",
  },
  {
    long: "tun-port",
    option: "tun-port",
    value: "required",
    argument: "PORT",
    apply: whole(1, 65535, "illegal tunnel port specified", (parsed, value) => {
      parsed.tunnel = { ...parsed.tunnel, port: value };
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
    apply: values.tunnelFlag(TUNNEL_CHECKSUM),
    with: WITH_SERVER,
    help: "checksum in the tunnel (gue, gre)",
  },
  {
    long: "tun-remcsum",
    option: "tun-remcsum",
    apply: values.tunnelFlag(TUNNEL_REMOTE_CHECKSUM),
    with: WITH_SERVER,
    help: "remote checksum in the tunnel (gue)",
  },
  {
    long: "sort",
    with: {},
    help: "does nothing: listings are sorted anyway",
  },
];

/** Long options of other programs, with a hint about what to use instead. */
export const FOREIGN_OPTIONS: ReadonlyMap<string, string> = new Map([
  [
    "fullnat",
    "full NAT is not in the mainline kernel; -m with SNAT of its connections does the same: see Full NAT in ipvsadm(8)",
  ],
]);
