import {
  EACCES,
  EAFNOSUPPORT,
  EBADF,
  EPERM,
  EPROTONOSUPPORT,
  errnoName,
} from "./errno.js";

const BECOME_ROOT = "run it as root, or with CAP_NET_ADMIN";

const ADVICE: Readonly<Record<number, string>> = {
  [EPERM]: BECOME_ROOT,
  [EACCES]: BECOME_ROOT,
  [EPROTONOSUPPORT]:
    "this kernel has no generic netlink; a Linux kernel with IPVS is needed",
  [EAFNOSUPPORT]:
    "this kernel has no netlink; a Linux kernel with IPVS is needed",
  [EBADF]: "the socket has been closed: open another",
};

/** What to do about an error that says that the way to the kernel is barred; undefined for all others. */
export function accessAdvice(errno: number): string | undefined {
  return ADVICE[errno];
}

/** A system call on the socket failed; the kernel never saw the request, or its answer was lost. */
export class SocketFault extends Error {
  override readonly name = "SocketFault";
  /** The symbol of the errno, such as `ENOBUFS` */
  readonly code: string;

  /**
   * @param errno positive, as in errno.h
   * @param call the system call, such as `sendmsg`
   */
  constructor(
    /** Positive, as in errno.h */
    readonly errno: number,
    /** The system call, such as `sendmsg` */
    readonly call: string,
  ) {
    super(`${call}: ${errnoName(errno)}`);
    this.code = errnoName(errno);
  }

  /** What to do next, as half a sentence. */
  get advice(): string {
    return accessAdvice(this.errno) ?? "try again";
  }
}

/** What came from the kernel is not what its headers describe. */
export class MalformedReply extends Error {
  override readonly name = "MalformedReply";
  /** What to do next, as half a sentence */
  readonly advice: string =
    "this is a fault of ours or of the kernel: please report it";

  /**
   * @param fault what is wrong, naming the field
   * @param offset where, in bytes from the start of what was being read
   */
  constructor(
    /** What is wrong, naming the field */
    readonly fault: string,
    /** Where, in bytes from the start of what was being read */
    readonly offset: number,
  ) {
    super(`malformed netlink reply: ${fault} (at byte ${offset})`);
  }
}
