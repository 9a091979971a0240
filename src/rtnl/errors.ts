import { ENODEV, errnoName } from "../netlink/errno.js";
import { accessAdvice } from "../netlink/errors.js";

/** The kernel refused a request about interfaces, routes or neighbors. */
export class NetworkRefusal extends Error {
  override readonly name = "NetworkRefusal";
  /** The symbol of `errno`, such as `EPERM` */
  readonly code: string;

  constructor(
    /** A positive number of errno.h */
    readonly errno: number,
    /** The operation, such as `read the routes` */
    readonly operation: string,
    /** The kernel's own explanation, if it sent one */
    readonly explanation?: string,
  ) {
    super(
      `Cannot ${operation}: ${errnoName(errno)}${explanation ? ` (${explanation})` : ""}`,
    );
    this.code = errnoName(errno);
  }

  /** What to do next, as a phrase without a period; undefined if the errno says it all. */
  get advice(): string | undefined {
    return this.errno === ENODEV
      ? "list the interfaces with 'ip link'"
      : accessAdvice(this.errno);
  }
}
