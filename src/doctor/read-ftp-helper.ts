import { readModule, type Module } from "../system/kernel-module.js";
import { textOf } from "../system/files.js";

/** What handles the data connections of masqueraded FTP servers: the module ip_vs_ftp. */
export interface FtpHelper {
  readonly module: Module["state"];
  /** The ports at which it reads the commands of clients, in this network namespace */
  readonly ports: readonly number[];
}

const NAME = "ip_vs_ftp";

/**
 * Reads what /proc/net/ip_vs_app says, and without that file the parameter `ports` of the module.
 *
 * @returns undefined if the ports are not known
 * @see ip_vs_app_seq_show() in net/netfilter/ipvs/ip_vs_app.c
 */
export function readFtpHelper(
  procFolder: string,
  sysFolder: string,
): FtpHelper | undefined {
  const { state, parameters } = readModule(NAME, procFolder, sysFolder);
  const listed = textOf(`${procFolder}/net/ip_vs_app`);
  if (listed !== undefined)
    return { module: state, ports: portsIn(listed, /^TCP +(\d+) .* ftp *$/gm) };
  if (state === "absent") return { module: state, ports: [] };
  const given = parameters["ports"];
  return given === undefined
    ? undefined
    : { module: state, ports: portsIn(given, /(\d+)/g) };
}

/** The ports that a pattern finds, without 0, which stands for none. */
function portsIn(text: string, pattern: RegExp): number[] {
  return Array.from(text.matchAll(pattern), ([, port]) => Number(port)).filter(
    (port) => port > 0,
  );
}
