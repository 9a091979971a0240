/** The exit statuses of the subcommands. */
export const EXIT = {
  ok: 0,
  /** The examined object has a fault, or the operation failed */
  failed: 1,
  /** The command line is wrong */
  usage: 2,
  /** The kernel has no IPVS, or the caller lacks the permission to use it */
  unavailable: 3,
  /** Only `wait`: the object is not in the table */
  absent: 5,
  /** Only `wait`: the time is over. As timeout(1) */
  timedOut: 124,
} as const;
