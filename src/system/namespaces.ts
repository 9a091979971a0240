import { readlinkSync } from "node:fs";
import { join } from "node:path";

/**
 * The number of this process's network namespace, such as `4026531840`. Each network namespace has
 * its own IPVS table.
 *
 * @returns `net` if the number cannot be read
 * @see namespaces(7), /proc/pid/ns in proc(5)
 */
export function networkNamespace(procFolder: string): string {
  try {
    const link = readlinkSync(join(procFolder, "self/ns/net"));
    return /^net:\[([0-9]+)\]$/.exec(link)?.[1] ?? "net";
  } catch {
    return "net";
  }
}
