/**
 * Reverses the kernel's order of servers (newest first). Adding servers in this order restores the
 * kernel's order. Schedulers such as sh depend on it.
 *
 * @param servers in the kernel's order
 * @see ip_vs_sh_reassign() in net/netfilter/ipvs/ip_vs_sh.c
 */
export function oldestFirst<T>(servers: readonly T[]): T[] {
  return servers.toReversed();
}
