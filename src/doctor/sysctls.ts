import type { Fix } from "./finding.js";
import { shellWord } from "./shell.js";

/**
 * Settings of the kernel by their paths within /proc/sys: `net/ipv4/conf/eth0.100/rp_filter`. Only paths tell
 * settings apart, for names of interfaces may have dots.
 */
export type Sysctls = ReadonlyMap<string, string>;

/** A setting that is a number; undefined if there is none. */
export function sysctlNumber(
  sysctls: Sysctls,
  path: string,
): number | undefined {
  const text = sysctls.get(path)?.trim();
  return text === undefined || !/^-?[0-9]+$/.test(text)
    ? undefined
    : Number(text);
}

/** The name of a setting as people and sysctl(8) have it: `net.ipv4.conf.eth0/100.rp_filter`. */
export function sysctlName(path: string): string {
  return path.replace(/[./]/g, (mark) => (mark === "/" ? "." : "/"));
}

/** The command that changes settings. */
export function sysctlFix(
  values: Readonly<Record<string, number>>,
  on?: string,
): Fix {
  const words = Object.entries(values).map(
    ([path, value]) => `${shellWord(sysctlName(path))}=${value}`,
  );
  return { command: `sysctl -w ${words.join(" ")}`, on };
}
