import { formatAddress, type Address } from "../../../ipvs/address.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { deviceOf, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";

/** Where the service saves the rules */
export const SAVED_RULES = "/etc/ipvsadm.rules";

/** A table without services. A real server has none either, and must not get one. */
export function emptyTable({
  network,
  hasSavedRules,
}: Pick<Facts, "network" | "hasSavedRules">): Finding<"empty-table"> {
  const seen = "there is no virtual service";
  const { evidence, virtual } = network
    ? likeRealServer(network)
    : { evidence: [], virtual: [] };
  const [address] = virtual;
  const name = address ? shellWord(formatAddress(address)) : "ADDRESS";
  const base = {
    id: "empty-table",
    seen,
    next: [
      {
        command: `ipvsadm doctor --real-server ${name}`,
        effect: `if this machine is a real server: it needs no table, and this examines it${address ? "" : "; ADDRESS is the virtual address"}`,
      },
    ],
  } as const;
  if (evidence.length === 0 && hasSavedRules !== false)
    return {
      ...base,
      fix: [
        {
          command: `ipvsadm-restore <${SAVED_RULES}`,
          effect:
            "only on a director: a real server with the director's rules would balance the requests again",
        },
      ],
    };
  return {
    ...base,
    evidence: [
      ...evidence,
      ...(hasSavedRules === false ? [`there is no ${SAVED_RULES}`] : []),
    ],
    cure: "If this machine is a director, restore its saved rules: 'ipvsadm-restore <FILE'. A real server must not get the director's rules: it would balance the requests again.",
    fix: [],
  };
}

/** The kinds of interfaces that unpack the packets of a director */
const TUNNELS: ReadonlySet<unknown> = new Set([
  "ipip",
  "sit",
  "gre",
  "ip6tnl",
  "ip6gre",
]);

/** What a machine has that real servers have: virtual addresses on lo, and tunnels that are up. */
function likeRealServer(network: Network): {
  evidence: string[];
  virtual: Address[];
} {
  const virtual = network.addresses.filter(
    ({ device, address, prefixBits, scope }) =>
      prefixBits === address.length * 8 &&
      scope === "global" &&
      deviceOf(network, device)?.loopback === true &&
      formatAddress(address) !== "::1",
  );
  const tunnels = network.devices.filter(
    ({ kind, up }) => up && TUNNELS.has(kind),
  );
  return {
    evidence: [
      ...virtual.map(
        ({ address, prefixBits, device }) =>
          `${formatAddress(address)}/${prefixBits} is on ${deviceOf(network, device)?.name ?? "lo"}, as on a real server`,
      ),
      ...tunnels.map(
        ({ name, kind }) =>
          `${name} (${String(kind)}) is up, as on a real server with tunneling`,
      ),
    ].slice(0, MOST_EVIDENCE),
    virtual: virtual.map(({ address }) => address),
  };
}

const MOST_EVIDENCE = 4;
