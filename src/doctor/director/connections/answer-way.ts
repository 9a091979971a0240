import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import { MASQUERADING } from "../../../ipvs/model.js";
import { type Known } from "../../check.js";
import type { Fix } from "../../finding.js";
import { deviceOf, isLocal, nextHopTo } from "../../network.js";
import { diversionOf, diversionText } from "../ways/answer-rules.js";
import { type Silence } from "../reach/silence.js";

/** The router to which this machine sends the answers: if it is the wrong one, they come back and are lost behind it. */
export function wayEvidence(
  { service, server, clients: [client] }: Silence,
  { network, sysctls }: Known<"network" | "sysctls">,
  id: string,
): string[] {
  if (server.settings.forwarding !== MASQUERADING || !client) return [];
  const { key } = service;
  const diversion =
    "firewallMark" in key
      ? undefined
      : diversionOf(client, server.key.address, key.address, {
          network,
          sysctls,
        });
  if (diversion)
    return [
      `${diversionText(diversion, network)}: if requests come in elsewhere, this rule is perhaps the cause`,
    ];
  const hop = nextHopTo(network, client);
  if (!hop) return [];
  const isNear = sameAddress(hop.address, client);
  if (isNear && id !== "answers-unconfirmed") return [];
  const name = deviceOf(network, hop.device)?.name ?? "INTERFACE";
  return [
    `answers to ${formatAddress(client)} leave by ${name}, ${isNear ? "directly: if requests come in by another interface" : `through ${formatAddress(hop.address)}: if requests come from another router`}, this route is perhaps the cause`,
  ];
}

/** Commands that show by which way answers leave, and whether they arrive. */
export function wayCommands(
  { service: { key }, clients: [client] }: Silence,
  { network }: Known<"network">,
): Fix[] {
  if (!client) return [];
  const to = formatAddress(client);
  const from =
    "firewallMark" in key || isLocal(network, key.address) !== true
      ? ""
      : ` from ${formatAddress(key.address)}`;
  return [
    {
      command: `ip route get ${to}${from}`,
      effect: "changes nothing; shows the way of the answers",
    },
    {
      command: `ipvsadm doctor --client ${to} --for 20s`,
      effect:
        "changes nothing; follows the client while it makes requests, and shows where its packets stop",
    },
  ];
}
