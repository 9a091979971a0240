import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import { MASQUERADING } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { ignoredRouters } from "../reach/ignored-routers.js";
import {
  diversionOf,
  diversionText,
  mainText,
  type Diversion,
} from "../ways/answer-rules.js";
import { isConfirmed, usedConnections } from "./entries.js";
import { routeCommand } from "./lost-answers.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";

/** The interface in whose network a client is, if the route to it leaves by another one. */
function otherInterface(
  network: TraceFacts["network"],
  client: Address,
  device: number,
): string | undefined {
  const near = network.addresses.filter(
    (own) =>
      own.prefixBits < client.length * 8 &&
      isWithin(client, own.peer ?? own.address, own.prefixBits) &&
      deviceOf(network, own.device)?.up === true,
  );
  if (near.some((own) => own.device === device)) return undefined;
  return deviceOf(network, near[0]?.device)?.name;
}

/** Whether the kernel drops packets whose answer would leave by another interface. */
function isStrict({ sysctls }: TraceFacts, device: string): boolean {
  const levels = ["all", device].map(
    (name) => sysctlNumber(sysctls, `net/ipv4/conf/${name}/rp_filter`) ?? 0,
  );
  return Math.max(...levels) === 1;
}

/** The routing rule that leads answers of any service to a client by another interface than the main table. */
function diversionFor(
  facts: TraceFacts,
  client: Address,
): { readonly diversion: Diversion; readonly virtual: Address } | undefined {
  for (const { key, servers } of facts.table) {
    if ("firewallMark" in key || key.address.length !== client.length) continue;
    for (const server of servers) {
      const { address } = server.key;
      const found = diversionOf(client, address, key.address, facts);
      if (found) return { diversion: found, virtual: key.address };
    }
  }
  return undefined;
}

export function routeStep(
  facts: TraceFacts,
  sightings: ClientSightings,
): TraceStep {
  const { network } = facts;
  const { client } = sightings;
  const diverted = diversionFor(facts, client);
  if (diverted) {
    const { diversion, virtual } = diverted;
    const isUsed = usedConnections(sightings).some(isConfirmed);
    return {
      step: "route",
      state: isUsed ? "ok" : "unknown",
      text: `${diversionText(diversion, network)}; ${mainText(diversion, network)}`,
      next: isUsed ? undefined : routeCommand(virtual, client),
    };
  }
  const hop = nextHopTo(network, client);
  const name = deviceOf(network, hop?.device)?.name;
  if (!hop || name === undefined) {
    const ignored = ignoredRouters(client, facts);
    return {
      step: "route",
      state: "stops",
      text: `there is no route to ${formatAddress(client)}${ignored ? `: ${ignored.text} ("${ignored.fix.command}" changes that)` : ""}`,
    };
  }
  const via = sameAddress(hop.address, client)
    ? "directly"
    : `through ${formatAddress(hop.address)}`;
  const other = otherInterface(network, client, hop.device);
  if (other !== undefined) {
    const drops = client.length === 4 && isStrict(facts, other);
    return {
      step: "route",
      state: drops ? "stops" : "unknown",
      text: `${formatAddress(client)} is in the network of ${other}, and the route to it leaves by ${name}, ${via}${drops ? `; rp_filter is 1 for ${other}, so the kernel drops the client's packets that come in there: remove the route ('ip route show match ${formatAddress(client)}' shows it)` : ""}`,
    };
  }
  const text = `${formatAddress(client)} is reached by ${name}, ${via}`;
  // Answers of masqueraded servers go there; requests perhaps come in by another interface.
  const isSilent =
    facts.table.some(({ servers }) =>
      servers.some(({ settings }) => settings.forwarding === MASQUERADING),
    ) &&
    network.neighbors.some(
      ({ address, device, state }) =>
        state === "failed" &&
        device === hop.device &&
        sameAddress(address, hop.address),
    );
  return isSilent
    ? {
        step: "route",
        state: "unknown",
        text: `${text}, where ${formatAddress(hop.address)} did not answer ${client.length === 4 ? "ARP" : "neighbor discovery"}: answers of masqueraded servers do not get there`,
      }
    : { step: "route", state: "ok", text };
}
