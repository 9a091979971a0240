/**
 * The real servers of a service as they are to be written down. The kernel has the newest first; added the oldest
 * first, they come to stand as they do now, and schedulers such as sh go by that.
 *
 * @param servers as the kernel told them
 * @see net/netfilter/ipvs/ip_vs_sh.c, ip_vs_sh_reassign
 */
export function oldestFirst<T>(servers: readonly T[]): T[] {
  return servers.toReversed();
}
