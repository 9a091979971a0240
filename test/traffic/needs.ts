import { execFileSync } from "node:child_process";

/**
 * For a test's option `skip`: why it cannot run without a command that this machine lacks. Where CI is
 * set it is run all the same, and fails.
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
