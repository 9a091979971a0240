import { formatAddress } from "../../../ipvs/address.js";
import { formatHardwareAddress } from "../../../rtnl/model.js";
import { check } from "../../check.js";
import { changeCommand, serviceName } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import { isPassive } from "./reach.js";
import { collisionAt, type Collision } from "./server-collisions.js";

/** The interface on which kube-proxy keeps the addresses of Kubernetes Services */
const KUBE_PROXYS = "kube-ipvs0";

/** Virtual addresses that are at the same time the address of a real server. */
export const collidingAddresses = check(
  ["vip-of-server"],
  ["table", "allServices", "daemons", "network", "stations", "listeners"],
  (facts) => {
    if (isPassive(facts.daemons)) return [];
    const found = new Map<string, Finding<"vip-of-server">>();
    for (const { key } of facts.table) {
      if ("firewallMark" in key) continue;
      const collision = collisionAt(key.address, facts);
      if (collision)
        found.set(
          formatAddress(key.address),
          findingOf(collision, facts.network),
        );
    }
    return [...found.values()];
  },
);

function findingOf(
  collision: Collision,
  network: Network,
): Finding<"vip-of-server"> {
  const { address, virtual, real, hardwareAddress, device, own } = collision;
  const text = formatAddress(address);
  const place = deviceOf(network, own?.device)?.name;
  const on = deviceOf(network, device)?.name ?? "INTERFACE";
  const requests = serviceNames(real.map(({ service }) => service));
  const consequence =
    place === undefined
      ? `packets to it leave by ${on} and reach that machine, past ${serviceNames(virtual)}`
      : `this machine has it on ${place}, so requests of ${requests} to that server end here`;
  return {
    id: "vip-of-server",
    subject: text,
    seen: `it is the virtual address of ${serviceNames(virtual)} and a real server of ${requests}; on ${on}, ${formatHardwareAddress(hardwareAddress)} has it, and ${consequence}`,
    evidence:
      place === KUBE_PROXYS
        ? [
            `kube-proxy adds the service and the address again as long as a Kubernetes Service has ${text} in externalIPs or as its load balancer's address: remove it there`,
          ]
        : [],
    fix: [
      ...virtual.map((service): Fix => takeOff(service, text)),
      ...(own && place !== undefined
        ? [
            {
              command: `ip address del ${text}/${own.prefixBits} dev ${shellWord(place)}`,
              effect: `packets to ${text} leave by ${on} and reach that machine`,
            },
          ]
        : []),
    ],
  };
}

function takeOff(service: Collision["virtual"][number], text: string): Fix {
  return {
    command: changeCommand({ command: "delete-service", service: service.key }),
    effect: `the director no longer balances ${serviceName(service)}, and its connections end; clients of ${text} reach the machine that has the address; if the service is needed, add it at another address first; take it out of keepalived.conf or the saved rules, too`,
  };
}

function serviceNames(
  services: readonly Collision["virtual"][number][],
): string {
  return [...new Set(services.map(serviceName))].join(" and ");
}
