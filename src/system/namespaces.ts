import { readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * The number of the network namespace of this process, which its table belongs to: `4026531840`.
 *
 * @returns `net` where it is not to be seen
 * @see namespaces(7), /proc/pid/ns
 */
export function networkNamespace(procFolder: string): string {
  try {
    const link = readlinkSync(join(procFolder, "self/ns/net"));
    return /^net:\[([0-9]+)\]$/.exec(link)?.[1] ?? "net";
  } catch {
    return "net";
  }
}
