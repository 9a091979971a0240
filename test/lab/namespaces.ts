import { execFileSync } from "node:child_process";

// These functions change the network of the machine that they run on, so they are for the lab only: test/lab/run sets this.
if (process.env["LAB_KERNEL"] === undefined)
  throw new Error("only for the lab: run it by test/lab/run");

/** Runs a command and returns its output. @throws an error with its stderr if it fails */
export function sh(command: string): string {
  return execFileSync("sh", ["-ec", command], {
    encoding: "latin1",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Creates a network namespace with lo up. Replaces an existing one of that name. */
export function makeNamespace(name: string): void {
  removeNamespace(name);
  sh(`ip netns add ${name}; ip -n ${name} link set lo up`);
}

/** Deletes a network namespace if it exists. */
export function removeNamespace(name: string): void {
  sh(`[ ! -e /run/netns/${name} ] || ip netns del ${name}`);
}
