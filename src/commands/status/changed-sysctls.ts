/**
 * The defaults of the sysctls in net.ipv4.vs, of those whose default does not depend on the machine (as
 * sync_qlen_max and est_cpulist do).
 *
 * @see Documentation/networking/ipvs-sysctl.rst, ip_vs_control_net_init_sysctl() in net/netfilter/ipvs/ip_vs_ctl.c
 */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["am_droprate", "10"],
  ["amemthresh", "1024"],
  ["backup_only", "0"],
  ["cache_bypass", "0"],
  ["conn_reuse_mode", "1"],
  ["conntrack", "0"],
  ["debug_level", "0"],
  ["drop_entry", "0"],
  ["drop_packet", "0"],
  ["est_nice", "0"],
  ["expire_nodest_conn", "0"],
  ["expire_quiescent_template", "0"],
  ["ignore_tunneled", "0"],
  ["nat_icmp_send", "0"],
  ["pmtu_disc", "1"],
  ["run_estimation", "1"],
  ["schedule_icmp", "0"],
  ["secure_tcp", "0"],
  ["sloppy_sctp", "0"],
  ["sloppy_tcp", "0"],
  ["snat_reroute", "1"],
  ["sync_persist_mode", "0"],
  ["sync_ports", "1"],
  ["sync_refresh_period", "0"],
  ["sync_retries", "0"],
  ["sync_sock_size", "0"],
  ["sync_threshold", "3 50"],
  ["sync_version", "1"],
]);

/** A setting of the kernel that somebody has changed. */
export interface ChangedSysctl {
  readonly name: string;
  readonly value: string;
  readonly default: string;
}

/** Those of the settings that are not as the kernel makes them. @param values by their names within net.ipv4.vs */
export function changedSysctls(
  values: Readonly<Record<string, string>>,
): ChangedSysctl[] {
  return Object.entries(values).flatMap(([name, text]) => {
    const usual = DEFAULTS.get(name);
    const value = text.split(/\s+/).join(" ");
    return usual === undefined || usual === value
      ? []
      : [{ name: `net.ipv4.vs.${name}`, value, default: usual }];
  });
}
