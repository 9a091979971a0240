import { namesIn, readFolder } from "../system/kernel-module.js";
import { isWritable, textOf } from "../system/files.js";
import type { Sysctls } from "./sysctls.js";

const FOLDERS = ["net/ipv4/vs"];
/** One folder for each interface, and `all` and `default` */
const FOLDERS_OF_INTERFACES = ["net/ipv4/conf", "net/ipv6/conf"];
/** Files that every kernel has */
const FILES = ["net/ipv4/ip_forward"];
/** Single settings of folders with many, which not every kernel has */
const OTHERS: readonly (readonly [string, ReadonlySet<string>])[] = [
  ["net/ipv4", new Set(["ipfrag_high_thresh"])],
  ["net/ipv6", new Set(["ip6frag_high_thresh"])],
  ["net/netfilter", new Set(["nf_conntrack_frag6_high_thresh"])],
];
/** The settings of an interface that checks need, out of about a hundred */
const OF_INTERFACES: ReadonlySet<string> = new Set([
  "accept_local",
  "accept_ra",
  "accept_ra_defrtr",
  "arp_announce",
  "arp_ignore",
  "disable_ipv6",
  "forwarding",
  "proxy_arp",
  "proxy_ndp",
  "rp_filter",
  "send_redirects",
]);

/**
 * Reads the settings that checks need, as far as they exist.
 *
 * @param procFolder where procfs is
 * @returns undefined if they cannot be read: a file that every kernel has is missing
 */
export function readSysctls(procFolder: string): Sysctls | undefined {
  const base = `${procFolder}/sys`;
  const sysctls = new Map<string, string>();
  for (const path of FILES) {
    const text = textOf(`${base}/${path}`);
    if (text === undefined) return undefined;
    sysctls.set(path, text.trimEnd());
  }
  const read = (folder: string, wanted?: ReadonlySet<string>) => {
    for (const [name, value] of Object.entries(
      readFolder(`${base}/${folder}`, wanted),
    ))
      sysctls.set(`${folder}/${name}`, value);
  };
  for (const folder of FOLDERS) read(folder);
  for (const [folder, names] of OTHERS) read(folder, names);
  for (const folder of FOLDERS_OF_INTERFACES)
    for (const name of namesIn(`${base}/${folder}`))
      read(`${folder}/${name}`, OF_INTERFACES);
  return sysctls;
}

/** In a network namespace, some settings of these folders are read-only. */
const FOLDERS_WITH_READ_ONLY = ["net/ipv4/vs", "net/netfilter"];

/**
 * The settings that nobody can change in this network namespace, by their paths. In one of an unprivileged user, those that
 * take memory or processor time of the whole machine are read-only: conn_lfactor, svc_lfactor, est_cpulist, est_nice,
 * run_estimation, sync_qlen_max and sync_sock_size of newer kernels, and nf_conntrack_max.
 */
export function readFixedSysctls(procFolder: string): ReadonlySet<string> {
  const base = `${procFolder}/sys`;
  return new Set(
    FOLDERS_WITH_READ_ONLY.flatMap((folder) =>
      namesIn(`${base}/${folder}`).map((name) => `${folder}/${name}`),
    ).filter((path) => !isWritable(`${base}/${path}`)),
  );
}

/** Why settings are missing. */
export function sysctlsUnseen(procFolder: string): string {
  return `${procFolder}/sys cannot be read`;
}
