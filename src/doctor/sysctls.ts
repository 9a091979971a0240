import type { Fix } from "./finding.js";
import { shellWord } from "./shell.js";

/**
 * Settings of the kernel by their paths in /proc/sys: `net/ipv4/conf/eth0.100/rp_filter`. Paths are unambiguous;
 * names with dots are not, because interface names can contain dots.
 */
export type Sysctls = ReadonlyMap<string, string>;

/** Whether connection tracking sees the packets of IPVS, and with it rules by state and the table nat */
export const CONNTRACK = "net/ipv4/vs/conntrack";

/** The value of a numeric setting; undefined if it is missing or not a number. */
export function sysctlNumber(
  sysctls: Sysctls,
  path: string,
): number | undefined {
  const text = sysctls.get(path)?.trim();
  return text === undefined || !/^-?[0-9]+$/.test(text)
    ? undefined
    : Number(text);
}

/** The name of a setting as sysctl(8) writes it: `net.ipv4.conf.eth0/100.rp_filter`. */
export function sysctlName(path: string): string {
  return path.replace(/[./]/g, (mark) => (mark === "/" ? "." : "/"));
}

/** The command that changes settings. */
export function sysctlCommand(
  values: Readonly<Record<string, number>>,
): string {
  const words = Object.entries(values).map(
    ([path, value]) => `${shellWord(sysctlName(path))}=${value}`,
  );
  return `sysctl -w ${words.join(" ")}`;
}

/** The settings that a command of {@link sysctlCommand} changes, by their paths. */
export function settingsIn(command: string): string[] {
  const [program, option, ...words] = command.split(" ");
  if (program !== "sysctl" || option !== "-w") return [];
  // The name of a path and the path of a name are made in the same way.
  return words.map((word) =>
    sysctlName(word.replace(/^'/, "").replace(/=.*$/, "")),
  );
}

/** Changes settings. @param effect what else that changes */
export function sysctlFix(
  values: Readonly<Record<string, number>>,
  effect: string,
  on?: string,
): Fix {
  return { command: sysctlCommand(values), on, effect };
}
