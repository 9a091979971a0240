import { execFileSync } from "node:child_process";

/** Runs a command of the machine and gives what it printed. @throws with its stderr if it fails */
export function sh(command: string): string {
  return execFileSync("sh", ["-ec", command], {
    encoding: "latin1",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Makes a network namespace with lo up; made anew if there is one of this name. */
export function makeNamespace(name: string): void {
  removeNamespace(name);
  sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
}

/** Removes a network namespace, if there is one of this name. */
export function removeNamespace(name: string): void {
  sh(`[ ! -e /run/netns/${name} ] || ip netns del ${name}`);
}
