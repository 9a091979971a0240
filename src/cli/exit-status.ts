/** The exit statuses of the subcommands. */
export const EXIT = {
  ok: 0,
  /** Something that was examined is wrong, or the kernel refused */
  failed: 1,
  /** The command line is wrong */
  usage: 2,
  /** The kernel has no IPVS, or the caller may not ask for it */
  unavailable: 3,
} as const;
