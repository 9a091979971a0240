import { readFileSync } from "node:fs";

const PAUSE_MS = 50;
/** This number of equal readings counts as stable */
const ALIKE = 4;
/** Measure anyway if the kernel's memory does not become stable. */
const READINGS = 200;

/**
 * Waits until the kernel has freed the memory of a cleared table. It frees counters and entries
 * long after the command, which would slow down the next program.
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

/** The kernel's own memory, from /proc/meminfo. In MiB, because there are always small changes. */
export function kernelMemory(meminfo: string): string {
  const found = meminfo.matchAll(/^(SUnreclaim|Percpu): *([0-9]+) kB$/gm);
  return Array.from(
    found,
    ([, name, kib]) => `${name} ${Math.round(Number(kib) / 1024)}`,
  ).join(", ");
}
