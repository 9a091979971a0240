import { execFileSync } from "node:child_process";

/**
 * For the option `skip` of a test: why it cannot run, because this machine lacks a command. In CI
 * it runs anyway, and fails.
 */
export function without(
  command: string,
  debianPackage: string,
): string | false {
  if (process.env["CI"] || has(command)) return false;
  return `there is no ${command} (on Debian: apt-get install ${debianPackage})`;
}

function has(command: string): boolean {
  try {
    execFileSync("sh", ["-c", 'command -v "$0"', command], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
