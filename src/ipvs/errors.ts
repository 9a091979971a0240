import {
  EEXIST,
  EINVAL,
  ENODEV,
  ENOENT,
  ERANGE,
  ESRCH,
  errnoName,
} from "../netlink/errno.js";
import { accessAdvice } from "../netlink/errors.js";

/**
 * The operations of IPVS, named as in the classic options. For error messages.
 *
 * @since 0.1.0
 */
export type Command =
  | "add-service"
  | "edit-service"
  | "delete-service"
  | "add-server"
  | "edit-server"
  | "delete-server"
  | "flush"
  | "zero"
  | "set"
  | "start-daemon"
  | "stop-daemon"
  | "get-info"
  | "get-timeouts"
  | "get-daemons"
  | "get-service"
  | "list-services"
  | "list-servers";

/** A command with its object, if it has one. */
function spoken(command: Command, subject: string): string {
  return subject ? `${command} ${subject}` : command;
}

const NO_SERVICE = "there is no such virtual service; list the services";
const NO_MODULE =
  "check the spelling of scheduler and persistence engine, and whether modprobe can load them";
const ALREADY = "edit it, or delete it first";
const OUT_OF_RANGE =
  "the weight must be 0 or more, and the lower threshold at most the upper one";

/** What to do about a refusal, if the errno alone does not say it. */
const ADVICE: Partial<Record<Command, Readonly<Record<number, string>>>> = {
  "add-service": {
    [EEXIST]: ALREADY,
    [ENOENT]: NO_MODULE,
    [EINVAL]: "port 0 needs persistence; check the netmask, too",
  },
  "edit-service": { [ESRCH]: NO_SERVICE, [ENOENT]: NO_MODULE },
  "delete-service": { [ESRCH]: NO_SERVICE },
  "add-server": {
    [ESRCH]: "add its service first",
    [EEXIST]: ALREADY,
    [ERANGE]: OUT_OF_RANGE,
    [EINVAL]: "use the address of a single host for the real server",
  },
  "edit-server": {
    [ESRCH]: NO_SERVICE,
    [ENOENT]: "add the server first",
    [ERANGE]: OUT_OF_RANGE,
  },
  "delete-server": {
    [ESRCH]: NO_SERVICE,
    [ENOENT]: "the service has no such real server; list its servers",
  },
  zero: { [ESRCH]: NO_SERVICE },
  "get-service": { [ESRCH]: NO_SERVICE },
  "start-daemon": {
    [EEXIST]: "a sync daemon with this role is running; stop it first",
    [ENODEV]: "list the interfaces with 'ip link'",
  },
};

/**
 * The kernel refused a request. `errno` and `command` say why; the methods of {@link IpvsClient}
 * list the causes.
 *
 * @since 0.1.0
 */
export class KernelRefusal extends Error {
  override readonly name = "KernelRefusal";
  /** The symbol of `errno`, such as `EEXIST` */
  readonly code: string;

  /**
   * @param errno a positive number of errno.h
   * @param command the operation
   * @param subject its object, such as `192.0.2.10:80 of TCP 192.0.2.1:80`; empty for the whole
   *   table
   * @param explanation the kernel's own explanation (NLMSGERR_ATTR_MSG), if it sent one
   */
  constructor(
    /** A positive number of errno.h */
    readonly errno: number,
    /** The operation */
    readonly command: Command,
    /** Its object, such as `192.0.2.10:80 of TCP 192.0.2.1:80`; empty for the whole table */
    readonly subject: string,
    /** The kernel's own explanation, if it sent one. Links of {@link openNodeLink} never get one */
    readonly explanation?: string,
  ) {
    super(
      `Cannot ${spoken(command, subject)}: ${errnoName(errno)}${explanation ? ` (${explanation})` : ""}`,
    );
    this.code = errnoName(errno);
  }

  /** What to do next, as a phrase without a period; undefined if the errno says it all. */
  get advice(): string | undefined {
    return accessAdvice(this.errno) ?? ADVICE[this.command]?.[this.errno];
  }
}

/**
 * The kernel's reply to a change was lost: the receive buffer overflowed (ENOBUFS). The change may
 * or may not have been carried out. Read the table to find out.
 *
 * @since 0.2.0
 */
export class ReplyLost extends Error {
  override readonly name = "ReplyLost";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "look at the table";

  /**
   * @param command the operation
   * @param subject its object; empty for the whole table
   */
  constructor(
    /** The operation */
    readonly command: Command,
    /** Its object; empty for the whole table */
    readonly subject: string,
  ) {
    super(
      `The kernel's reply to ${spoken(command, subject)} was lost: it may or may not have been carried out`,
    );
  }
}

/**
 * The table changed during every attempt to read it.
 *
 * @since 0.1.0
 */
export class TableUnsteady extends Error {
  override readonly name = "TableUnsteady";
  /** What to do next, as a phrase without a period */
  readonly advice: string = "try again";

  /** @param attempts how often the table was read */
  constructor(
    /** How often the table was read */
    readonly attempts: number,
  ) {
    super(`The table changed during each of ${attempts} attempts to read it`);
  }
}

/**
 * IPVS cannot be used: ENOENT, the kernel module ip_vs is not loaded; EPERM, no CAP_NET_ADMIN.
 *
 * @since 0.1.0
 */
export class IpvsUnavailable extends Error {
  override readonly name = "IpvsUnavailable";
  /** The symbol of `errno`, such as `ENOENT` */
  readonly code: string;

  /** @param errno ENOENT if the module is not loaded, EPERM without CAP_NET_ADMIN */
  constructor(
    /** ENOENT if the module is not loaded, EPERM without CAP_NET_ADMIN */
    readonly errno: number,
  ) {
    super(`IPVS is not available: ${errnoName(errno)}`);
    this.code = errnoName(errno);
  }

  /** What to do next, as a phrase without a period. */
  get advice(): string {
    return this.errno === ENOENT
      ? "load its module as root with 'modprobe ip_vs'"
      : (accessAdvice(this.errno) ?? "try again");
  }
}
