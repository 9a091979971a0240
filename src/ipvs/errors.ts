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

/** What can be asked of IPVS, in the words of the classic interface. */
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

const NO_SERVICE = "look at the services: there is none of this name";
const NO_MODULE =
  "see whether scheduler and persistence engine are spelt right, and whether modprobe can load them";
const ALREADY = "edit it, or delete it first";
const OUT_OF_RANGE =
  "no weight is negative, and no lower threshold above the upper one";

/** What to do about a refusal, where the errno alone does not say it. */
const ADVICE: Partial<Record<Command, Readonly<Record<number, string>>>> = {
  "add-service": {
    [EEXIST]: ALREADY,
    [ENOENT]: NO_MODULE,
    [EINVAL]: "port 0 is for persistent services; look at the netmask, too",
  },
  "edit-service": { [ESRCH]: NO_SERVICE, [ENOENT]: NO_MODULE },
  "delete-service": { [ESRCH]: NO_SERVICE },
  "add-server": {
    [ESRCH]: "add its service first",
    [EEXIST]: ALREADY,
    [ERANGE]: OUT_OF_RANGE,
    [EINVAL]: "the address of a real server is that of one host",
  },
  "edit-server": {
    [ESRCH]: NO_SERVICE,
    [ENOENT]: "add the server first",
    [ERANGE]: OUT_OF_RANGE,
  },
  "delete-server": {
    [ESRCH]: NO_SERVICE,
    [ENOENT]: "look at the service's servers: this is none of them",
  },
  zero: { [ESRCH]: NO_SERVICE },
  "get-service": { [ESRCH]: NO_SERVICE },
  "start-daemon": {
    [EEXIST]: "stop the one that runs first",
    [ENODEV]: "see with 'ip link' which interfaces there are",
  },
};

/** The kernel understood the request and said no. */
export class KernelRefusal extends Error {
  override readonly name = "KernelRefusal";
  /** The symbol of the errno, such as `EEXIST` */
  readonly code: string;

  /**
   * @param errno positive, as in errno.h
   * @param command what was asked
   * @param subject of whom: `192.0.2.10:80 of TCP 192.0.2.1:80`; empty where it is the whole table
   * @param explanation the kernel's own sentence (NLMSGERR_ATTR_MSG), when it sent one
   */
  constructor(
    /** Positive, as in errno.h */
    readonly errno: number,
    /** What was asked */
    readonly command: Command,
    /** Of whom: `192.0.2.10:80 of TCP 192.0.2.1:80`; empty where it is the whole table */
    readonly subject: string,
    /** The kernel's own sentence, when it sent one */
    readonly explanation?: string,
  ) {
    super(
      `Cannot ${spoken(command, subject)}: ${errnoName(errno)}${explanation ? ` (${explanation})` : ""}`,
    );
    this.code = errnoName(errno);
  }

  /** What to do next, as half a sentence; undefined where there is nothing to add to the errno. */
  get advice(): string | undefined {
    return accessAdvice(this.errno) ?? ADVICE[this.command]?.[this.errno];
  }
}

/** The kernel carried a request out, or refused it, but its answer was lost: look at the table. */
export class ReplyLost extends Error {
  override readonly name = "ReplyLost";
  /** What to do next, as half a sentence */
  readonly advice: string = "look at the table";

  /**
   * @param command what was asked
   * @param subject of whom; empty where it is the whole table
   */
  constructor(
    /** What was asked */
    readonly command: Command,
    /** Of whom; empty where it is the whole table */
    readonly subject: string,
  ) {
    super(
      `The kernel's answer to ${spoken(command, subject)} was lost: it may or may not have been carried out`,
    );
  }
}

/** The table changed under every attempt to read it in one piece. */
export class TableUnsteady extends Error {
  override readonly name = "TableUnsteady";
  /** What to do next, as half a sentence */
  readonly advice: string = "try again";

  /** @param attempts how often it was read */
  constructor(
    /** How often it was read */
    readonly attempts: number,
  ) {
    super(`The table changed during each of ${attempts} attempts to read it`);
  }
}

/** No kernel module has registered IPVS, or it may not be asked. */
export class IpvsUnavailable extends Error {
  override readonly name = "IpvsUnavailable";
  /** The symbol of the errno: `ENOENT` or `EPERM` */
  readonly code: string;

  /** @param errno ENOENT when the module is not there, EPERM without CAP_NET_ADMIN */
  constructor(
    /** ENOENT when the module is not there, EPERM without CAP_NET_ADMIN */
    readonly errno: number,
  ) {
    super(`IPVS is not available: ${errnoName(errno)}`);
    this.code = errnoName(errno);
  }

  /** What to do next, as half a sentence. */
  get advice(): string {
    return this.errno === ENOENT
      ? "load its module as root with 'modprobe ip_vs'"
      : (accessAdvice(this.errno) ?? "try again");
  }
}
