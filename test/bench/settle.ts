import { readFileSync } from "node:fs";

const PAUSE_MS = 50;
/** As many readings alike are rest */
const ALIKE = 4;
/** A kernel that does not come to rest is measured as it is. */
const READINGS = 200;

/**
 * Waits until the kernel has given back what a table that was cleared had: it frees counters and entries
 * long after the command, and whoever came next would pay for it.
 */
export function settle(): void {
  let last = "";
  let alike = 0;
  for (let i = 0; i < READINGS && alike < ALIKE; i++) {
    const now = kernelMemory(readFileSync("/proc/meminfo", "latin1"));
    alike = now === last ? alike + 1 : 0;
    last = now;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}

/** What the kernel keeps for itself, of proc_meminfo(5); sizes in MiB, for something always moves. */
export function kernelMemory(meminfo: string): string {
  const found = meminfo.matchAll(/^(SUnreclaim|Percpu): *([0-9]+) kB$/gm);
  return Array.from(
    found,
    ([, name, kib]) => `${name} ${Math.round(Number(kib) / 1024)}`,
  ).join(", ");
}
