import type { Examination } from "../doctor/check.js";
import type { Gathered } from "../doctor/facts.js";
import type { Address } from "../ipvs/address.js";
import type {
  Protocol,
  ServerKey,
  ServiceKey,
  ServiceWithServers,
} from "../ipvs/model.js";
import {
  checkCall,
  flag,
  integer,
  listOf,
  object,
  oneOf,
  optional,
  such,
  text,
} from "./shape.js";
import { ADDRESS, SERVICE_KEYS } from "./shapes.js";

/**
 * A command for a shell that fixes something, or that finds its cause.
 *
 * @since 0.2.0
 */
export interface DoctorCommand {
  /** A line for a shell. A word in capitals stands for what only the reader knows */
  readonly command: string;
  /** On which machine, if not on this one: `real server 192.0.2.10` */
  readonly on?: string | undefined;
  /** What else the command changes */
  readonly effect?: string | undefined;
}

/**
 * A fault that doctor found. Its texts may contain control characters of names.
 *
 * @since 0.2.0
 */
export interface DoctorFinding {
  /** The kind, such as `forwarding-off`: `ipvsadm doctor --explain ID` describes it */
  readonly id: string;
  /** `error`: traffic fails now. `warning`: it may fail. `note`: worth knowing */
  readonly severity: "error" | "warning" | "note";
  /** What is wrong, in a few words */
  readonly title: string;
  /** Where: a service, a real server, an interface; undefined: the machine itself */
  readonly subject?: string | undefined;
  /** The service, if the subject is one or a real server of one */
  readonly service?: ServiceKey | undefined;
  /** The real server, if the subject is one */
  readonly server?: ServerKey | undefined;
  /** What was seen there */
  readonly seen: string;
  /** How sure it is that this is a cause */
  readonly certainty: "proven" | "likely";
  /** What supports it */
  readonly evidence: readonly string[];
  /** Commands that find the cause on another machine */
  readonly next: readonly DoctorCommand[];
  /** Commands that remove the cause: all of them, in this order; empty if no command does */
  readonly fix: readonly DoctorCommand[];
}

/**
 * A kind of finding that could not be checked.
 *
 * @since 0.2.0
 */
export interface UncheckedKind {
  /** The kind, such as `forwarding-off` */
  readonly id: string;
  /** Why it could not be checked */
  readonly reason: string;
}

/**
 * What doctor found, and what it could not check.
 *
 * @since 0.2.0
 */
export interface DoctorReport {
  /** The findings: most severe first, then most certain */
  readonly findings: readonly DoctorFinding[];
  /** The kinds of findings that could not be checked, with the reason */
  readonly unchecked: readonly UncheckedKind[];
  /** What doctor never looks at, or could not read */
  readonly notChecked: readonly string[];
}

/**
 * Which findings doctor looks for.
 *
 * @since 0.2.0
 */
export interface DoctorOptions {
  /** Only these kinds, by their ids; by default all */
  readonly only?: readonly string[] | undefined;
  /** Not these kinds */
  readonly skip?: readonly string[] | undefined;
}

/**
 * How to examine a director.
 *
 * @since 0.2.0
 */
export interface DirectorOptions extends DoctorOptions {
  /** Examines these services; by default all. Services that are not in the table are ignored */
  readonly services?: readonly ServiceKey[] | undefined;
  /** Whether to connect to each real server, and to try sizes of packets; by default false */
  readonly probe?: boolean | undefined;
}

/**
 * A service of which a machine is a real server.
 *
 * @since 0.2.0
 */
export interface ServedService {
  /** The virtual address */
  readonly address: Address;
  /** The transport protocol; by default any */
  readonly protocol?: Protocol | undefined;
  /** The port, 0 to 65535; by default any */
  readonly port?: number | undefined;
}

/**
 * What is known about a real server and its director.
 *
 * @since 0.2.0
 */
export interface RealServerOptions extends DoctorOptions {
  /** The services of which this machine is a real server. Without protocol or port: any */
  readonly services: readonly ServedService[];
  /**
   * How the director forwards: direct routing, IP in IP, GRE, GUE or masquerading; by default direct
   * routing, or a tunnel that is up
   */
  readonly method?: "direct" | "tunnel" | "gre" | "gue" | "masq" | undefined;
  /** With GUE: the UDP port to which the director sends, the port of its tunnel */
  readonly tunnelPort?: number | undefined;
  /** With GRE: whether the director sends checksums; by default not */
  readonly tunnelChecksum?: boolean | undefined;
  /** The director's address as this machine sees it */
  readonly director?: Address | undefined;
  /** The address of a client */
  readonly client?: Address | undefined;
  /** The address and port at which a masqueraded server gets requests */
  readonly server?: ServerKey | undefined;
  /**
   * With `server`: the hardware address at which the director reaches it, 6 to 20 bytes. If no interface of this
   * machine has it, another machine has the address of the server too
   */
  readonly hardwareAddress?: Uint8Array | undefined;
}

const KIND_FIELDS = {
  only: optional(listOf("an array of ids", text)),
  skip: optional(listOf("an array of ids", text)),
};

const DIRECTOR_OPTIONS = object("options", {
  ...KIND_FIELDS,
  services: optional(SERVICE_KEYS),
  probe: optional(flag),
});

const PORT_NUMBER = integer(0, 0xffff);

const SERVER = object("a real server", { address: ADDRESS, port: PORT_NUMBER });

/** 6 bytes, and 20 of InfiniBand */
const HARDWARE_ADDRESS = such(
  "a hardware address: a Uint8Array of 6 to 20 bytes",
  (value) =>
    value instanceof Uint8Array && value.length >= 6 && value.length <= 20,
);

const REAL_SERVER_OPTIONS = object("options", {
  ...KIND_FIELDS,
  services: listOf(
    "an array of services",
    object("a service", {
      address: ADDRESS,
      protocol: optional(oneOf(6, 17, 132)),
      port: optional(PORT_NUMBER),
    }),
  ),
  method: optional(oneOf("direct", "tunnel", "gre", "gue", "masq")),
  tunnelPort: optional(PORT_NUMBER),
  tunnelChecksum: optional(flag),
  director: optional(ADDRESS),
  client: optional(ADDRESS),
  server: optional(SERVER),
  hardwareAddress: optional(HARDWARE_ADDRESS),
});

/**
 * Examines this machine as a director, as `ipvsadm doctor` does: its table, connections, sysctls,
 * network and firewall. Loads no module and changes nothing. With `probe` it connects to the real
 * servers, and tries which sizes of packets get there. On a backup director it listens for sync messages: for 1.5 seconds, with `probe` for up to 15.
 *
 * What cannot be read is no error: it is in `unchecked`.
 *
 * @throws {InvalidArgument} if an option is wrong, or if there is no such kind of finding
 * @since 0.2.0
 */
export async function examineDirector(
  options: DirectorOptions = {},
): Promise<DoctorReport> {
  checkCall("examineDirector", ["options", options, DIRECTOR_OPTIONS]);
  const { services, probe = false } = options;
  const [director, { nodeIo }, { formatService }] = await Promise.all([
    import("../commands/doctor/examine-director.js"),
    import("../runtime/node-io.js"),
    import("../ipvs/model.js"),
  ]);
  const wanted = await wantedIds("examineDirector", options);
  const chosen = services && new Set(services.map((key) => formatService(key)));
  const choose = (table: ServiceWithServers[]) =>
    chosen ? table.filter(({ key }) => chosen.has(formatService(key))) : table;
  return reportOf(
    await director.examineDirector(nodeIo(), choose, wanted, probe),
  );
}

/**
 * Examines this machine as a real server, as `ipvsadm doctor --real-server` does. Changes nothing and
 * sends nothing.
 *
 * @throws {SocketFault} if its network cannot be read
 * @throws {InvalidArgument} if an option is wrong, or if there is no such kind of finding
 * @since 0.2.0
 */
export async function examineRealServer(
  options: RealServerOptions,
): Promise<DoctorReport> {
  checkCall("examineRealServer", ["options", options, REAL_SERVER_OPTIONS]);
  const { services, method, tunnelPort, tunnelChecksum } = options;
  const { director, client, server, hardwareAddress } = options;
  // It is the hardware address of that server.
  if (hardwareAddress)
    checkCall("examineRealServer", ["options.server", server, SERVER]);
  const [
    { examine },
    { REAL_SERVER_CHECKS },
    { gatherRealServer },
    { needsProbe },
    { nodeIo },
  ] = await Promise.all([
    import("../doctor/check.js"),
    import("../doctor/real-server/checks.js"),
    import("../doctor/real-server/gather.js"),
    import("../doctor/needs-probe.js"),
    import("../runtime/node-io.js"),
  ]);
  const chosen = await wantedIds("examineRealServer", options);
  const wanted = (id: string) => chosen(id) && !needsProbe(id);
  const { facts, ...rest } = await gatherRealServer(nodeIo(), {
    services: services.map(({ address, protocol, port }) => ({
      address,
      protocol,
      port,
    })),
    method,
    tunnelPort,
    tunnelChecksum,
    director,
    client,
    server,
    hardwareAddress,
  });
  return reportOf({ ...examine(REAL_SERVER_CHECKS, facts, wanted), ...rest });
}

/** Whether a kind is wanted, by its id. @throws {InvalidArgument} for an unknown id */
async function wantedIds(
  call: string,
  { only = [], skip = [] }: DoctorOptions,
): Promise<(id: string) => boolean> {
  const { KINDS } = await import("../doctor/findings.js");
  const id = oneOf(...KINDS.map((kind) => kind.id));
  const ids = listOf("an array of ids", id);
  checkCall(call, ["options.only", only, ids], ["options.skip", skip, ids]);
  return (id) => (only.length === 0 || only.includes(id)) && !skip.includes(id);
}

async function reportOf({
  findings,
  unexamined,
  reasons,
  notChecked,
}: Examination & Omit<Gathered, "facts">): Promise<DoctorReport> {
  const { diagnosesOf } = await import("../doctor/findings.js");
  return {
    findings: diagnosesOf(findings).flatMap(({ kind, findings }) =>
      findings.map(
        ({
          id,
          subject,
          service,
          server,
          seen,
          certainty = "proven",
          evidence = [],
          next = [],
          fix,
        }) => ({
          id,
          severity: kind.severity,
          title: kind.title,
          subject,
          service,
          server,
          seen,
          certainty,
          evidence,
          next,
          fix,
        }),
      ),
    ),
    unchecked: unexamined.map(({ id, wanting }) => ({
      id,
      reason: reasons.get(wanting) ?? `${wanting} could not be read`,
    })),
    notChecked,
  };
}
