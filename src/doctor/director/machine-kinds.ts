import type { Kind } from "../finding.js";

/** Findings about the machine that is the director. */
export const MACHINE_KINDS = [
  {
    id: "forwarding-off",
    severity: "error",
    title: "masquerading needs IP forwarding, which is off",
    why: "With masquerading (NAT) the answers of real servers come back through the director, which puts the virtual address into them and sends them on. To the kernel that is forwarding: with it off, requests reach the real servers, and every answer is dropped in silence. Clients see connections time out. Direct routing and tunnelling do not need it, for their answers go past the director.",
    looked:
      "For each service with a masqueraded real server: net.ipv4.ip_forward for IPv4, net.ipv6.conf.all.forwarding for IPv6.",
    cure: "Switch forwarding on, and keep it so in /etc/sysctl.d. The setting of all interfaces at once changes that of each.",
    sysctls: ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"],
  },
] as const satisfies readonly Kind[];
