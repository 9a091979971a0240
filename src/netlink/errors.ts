import {
  EACCES,
  EAFNOSUPPORT,
  EBADF,
  EPERM,
  EPROTONOSUPPORT,
  ETIMEDOUT,
  errnoName,
} from "./errno.js";

const BECOME_ROOT = "run it as root, or with CAP_NET_ADMIN";

const ADVICE: Readonly<Record<number, string>> = {
  [EPERM]: BECOME_ROOT,
  [EACCES]: BECOME_ROOT,
  [EPROTONOSUPPORT]:
    "this kernel has no generic netlink; use a Linux kernel with IPVS",
  [EAFNOSUPPORT]: "this kernel has no netlink; use a Linux kernel with IPVS",
  [EBADF]: "the socket is closed; open a new one",
  [ETIMEDOUT]: "the kernel did not answer; look at its log with 'dmesg'",
};

/** What to do if the kernel cannot be reached; undefined for all other errors. */
export function accessAdvice(errno: number): string | undefined {
  return ADVICE[errno];
}

/**
 * A system call on the socket failed. The kernel did not get the request, or its reply was lost.
 *
 * `errno` and the common causes: ENOBUFS, the kernel dropped replies because the receive buffer was
 * full; EMSGSIZE, a datagram did not fit its buffer; EBADF, the socket is closed; EINTR, a read was
 * lost or interrupted 8 times; EPERM or EACCES, a missing privilege; ETIMEDOUT, the kernel did not
 * take the request (`call` is sendmsg) or did not answer (recvmsg) for 30 seconds.
 *
 * @since 0.1.0
 */
export class SocketFault extends Error {
  override readonly name = "SocketFault";
  /** The symbol of `errno`, such as `ENOBUFS` */
  readonly code: string;

  /**
   * *
   *
   * @param errno a positive number of errno.h
   * @param call the system call, such as `sendmsg`
   */
  constructor(
    /** A positive number of errno.h */
    readonly errno: number,
    /** The system call that failed, such as `sendmsg` */
    readonly call: string,
  ) {
    super(`${call}: ${errnoName(errno)}`);
    this.code = errnoName(errno);
  }

  /** What to do next, as a phrase without a period */
  get advice(): string {
    return accessAdvice(this.errno) ?? "try again";
  }
}

/**
 * A message from the kernel does not match its headers or lacks a required field. A bug of this
 * program or of the kernel.
 *
 * @since 0.1.0
 */
export class MalformedReply extends Error {
  override readonly name = "MalformedReply";
  /** What to do next, as a phrase without a period */
  readonly advice: string =
    "this is a bug of this program or of the kernel: please report it";

  /**
   * *
   *
   * @param fault what is wrong, with the name of the field *
   * @param offset where it is: bytes from the start of the message or attribute that was being
   *   decoded
   */
  constructor(
    /** What is wrong, with the name of the field */
    readonly fault: string,
    /** Where it is: bytes from the start of the message or attribute that was being decoded */
    readonly offset: number,
  ) {
    super(`malformed netlink reply: ${fault} (at byte ${offset})`);
  }
}
