import { spawnSync } from "node:child_process";

/** Asks for the module ip_vs, as the kernel itself would. What modprobe has to say goes to stderr. */
export function loadIpvsModule(): void {
  spawnSync("/sbin/modprobe", ["--", "ip_vs"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
}
