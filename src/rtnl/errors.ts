import { ENODEV, errnoName } from "../netlink/errno.js";
import { accessAdvice } from "../netlink/errors.js";

/** The kernel understood a question about interfaces, routes or neighbors, and said no. */
export class NetworkRefusal extends Error {
  override readonly name = "NetworkRefusal";
  /** The symbol of the errno, such as `EPERM` */
  readonly code: string;

  constructor(
    /** Positive, as in errno.h */
    readonly errno: number,
    /** What was asked, behind "cannot": `read the routes` */
    readonly asked: string,
    /** The kernel's own sentence, when it sent one */
    readonly explanation?: string,
  ) {
    super(
      `Cannot ${asked}: ${errnoName(errno)}${explanation ? ` (${explanation})` : ""}`,
    );
    this.code = errnoName(errno);
  }

  /** What to do next, as half a sentence; undefined where there is nothing to add to the errno. */
  get advice(): string | undefined {
    return this.errno === ENODEV
      ? "see with 'ip link' which interfaces there are"
      : accessAdvice(this.errno);
  }
}
