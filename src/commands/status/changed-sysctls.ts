/**
 * The defaults of the sysctls in net.ipv4.vs. Those whose default depends on the machine are missing (sync_qlen_max,
 * est_cpulist, conn_max). Older kernels lack some of them.
 *
 * @see Documentation/networking/ipvs-sysctl.rst, ip_vs_control_net_init_sysctl() in net/netfilter/ipvs/ip_vs_ctl.c
 */
const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ["am_droprate", "10"],
  ["amemthresh", "1024"],
  ["backup_only", "0"],
  ["cache_bypass", "0"],
  ["conn_lfactor", "-4"],
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
  ["svc_lfactor", "-3"],
  ["sync_persist_mode", "0"],
  ["sync_ports", "1"],
  ["sync_refresh_period", "0"],
  ["sync_retries", "0"],
  ["sync_sock_size", "0"],
  ["sync_threshold", "3 50"],
  ["sync_version", "1"],
]);

/** A sysctl that differs from its default. */
export interface ChangedSysctl {
  readonly name: string;
  readonly value: string;
  readonly default: string;
}

/** Returns the sysctls that differ from their defaults. @param values by name within net.ipv4.vs */
export function changedSysctls(
  values: Readonly<Record<string, string>>,
): ChangedSysctl[] {
  return Object.entries(values).flatMap(([name, text]) => {
    const preset = DEFAULTS.get(name);
    const value = text.split(/\s+/).join(" ");
    return preset === undefined || preset === value
      ? []
      : [{ name: `net.ipv4.vs.${name}`, value, default: preset }];
  });
}
