import { check } from "../../check.js";
import type { Finding } from "../../finding.js";

/** The schedulers that every kernel with IPVS has had since Linux 2.6. */
const USUAL = ["rr", "wrr", "lc", "wlc", "sh", "dh", "sed", "nq"];

/** A kernel without IPVS, or without its schedulers. */
export const modules = check(
  ["module-absent", "schedulers-missing"],
  ["module", "available", "sysctls"],
  ({ module, available, sysctls }) => {
    const found: Finding<"module-absent" | "schedulers-missing">[] = [];
    const speaks = [...sysctls.keys()].some((path) =>
      path.startsWith("net/ipv4/vs/"),
    );
    if (module.state === "absent" && !speaks)
      found.push({
        id: "module-absent",
        seen:
          available.get("ip_vs") === "absent"
            ? "ip_vs is not loaded, and the modules of this kernel do not include it"
            : "ip_vs is not loaded",
        fix: [{ command: "modprobe ip_vs" }],
      });
    const missing = USUAL.filter(
      (name) => available.get(`ip_vs_${name}`) === "absent",
    );
    if (missing.length > 0)
      found.push({
        id: "schedulers-missing",
        seen: `the modules of this kernel do not include ${missing.map((name) => `ip_vs_${name}`).join(", ")}`,
        fix: [{ command: "depmod -a" }],
      });
    return found;
  },
);
