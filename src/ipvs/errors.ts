import { errnoName } from "../netlink/errno.js";

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

/** The kernel understood the request and said no. */
export class KernelRefusal extends Error {
  override readonly name = "KernelRefusal";

  /**
   * @param errno positive, as in errno.h
   * @param command what was asked
   * @param subject of whom: `192.0.2.10:80 of TCP 192.0.2.1:80`; empty where it is the whole table
   * @param explanation the kernel's own sentence (NLMSGERR_ATTR_MSG), when it sent one
   */
  constructor(
    readonly errno: number,
    readonly command: Command,
    readonly subject: string,
    readonly explanation?: string,
  ) {
    super(
      `Cannot ${spoken(command, subject)}: ${errnoName(errno)}${explanation ? ` (${explanation})` : ""}`,
    );
  }
}

/** The kernel carried a request out, or refused it, but its answer was lost: look at the table. */
export class AnswerLost extends Error {
  override readonly name = "AnswerLost";

  constructor(
    readonly command: Command,
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

  constructor(readonly attempts: number) {
    super(`The table changed during each of ${attempts} attempts to read it`);
  }
}

/** No kernel module has registered IPVS, or it may not be asked. */
export class IpvsUnavailable extends Error {
  override readonly name = "IpvsUnavailable";

  /** @param errno ENOENT when the module is not there, EPERM without CAP_NET_ADMIN */
  constructor(readonly errno: number) {
    super(`IPVS is not available: ${errnoName(errno)}`);
  }
}
