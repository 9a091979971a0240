import { errnoName } from "./errno.js";

/** A system call on the socket failed; the kernel never saw the request, or its answer was lost. */
export class SocketFault extends Error {
  override readonly name = "SocketFault";

  /**
   * @param errno positive, as in errno.h
   * @param call the system call, such as `sendmsg`
   */
  constructor(
    readonly errno: number,
    readonly call: string,
  ) {
    super(`${call}: ${errnoName(errno)}`);
  }
}

/** What came from the kernel is not what its headers describe. */
export class MalformedReply extends Error {
  override readonly name = "MalformedReply";

  /**
   * @param fault what is wrong, naming the field
   * @param offset where, in bytes from the start of what was being read
   */
  constructor(
    readonly fault: string,
    readonly offset: number,
  ) {
    super(`malformed netlink reply: ${fault} (at byte ${offset})`);
  }
}
