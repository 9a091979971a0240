import { formatAddress, type Address } from "../../../ipvs/address.js";
import type { Device } from "../../../rtnl/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { shellWord } from "../../shell.js";
import { sysctlFix, sysctlName, sysctlNumber } from "../../sysctls.js";
import { isVirtual } from "../nat/director-address.js";

type MissingFacts = Facts & Known<"network">;

/** A virtual address that is not local. @param service its name */
export function missing(
  address: Address,
  service: string,
  facts: MissingFacts,
): Finding<"vip-not-local"> {
  const subject = formatAddress(address);
  const hop = nextHopTo(facts.network, address);
  const way = deviceOf(facts.network, hop?.device);
  const keeper = keeperFor(address, facts);
  const device = keeper ?? way;
  const where =
    way === undefined
      ? "there is no route to it"
      : `packets to it would leave by ${way.name}`;
  const barred = device && ipv6Barrier(address, device, facts);
  const place = `${subject}/${address.length * 8} dev ${shellWord(device?.name ?? "INTERFACE")}`;
  return {
    id: "vip-not-local",
    subject,
    seen: `the address of ${service} is not local: ${where}${barred ? `; ${barred.text}` : ""}`,
    evidence: [
      ...(keeper
        ? [
            `${keeper.name} is the interface for virtual addresses of this machine`,
          ]
        : []),
      ...(barred?.later ?? []),
    ],
    fix: [
      ...(barred ? [barred.fix] : []),
      { command: `ip address add ${place}` },
    ],
  };
}

/** The interface on which kube-proxy keeps the addresses of Kubernetes Services */
const KUBE_PROXYS = "kube-ipvs0";

/**
 * The interface that has the other virtual addresses: that of kube-proxy, or a dummy. Undefined if the address is in the
 * network of another interface, where neighbors ask for it, unless the dummy has addresses of that network.
 */
function keeperFor(address: Address, facts: MissingFacts): Device | undefined {
  const { network } = facts;
  const keeper = network.devices.find((device) => isKeeper(device, facts));
  if (!keeper) return undefined;
  const near = network.addresses.find(
    (own) =>
      own.device !== keeper.index &&
      own.prefixBits < address.length * 8 &&
      isWithin(address, own.address, own.prefixBits),
  );
  const isUsual =
    near === undefined ||
    network.addresses.some(
      (own) =>
        own.device === keeper.index &&
        isWithin(own.address, near.address, near.prefixBits),
    );
  return isUsual ? keeper : undefined;
}

function isKeeper({ index, name, kind }: Device, facts: MissingFacts): boolean {
  if (kind !== "dummy") return false;
  if (name === KUBE_PROXYS) return true;
  const own = facts.network.addresses.filter(
    ({ device, scope }) => device === index && scope === "global",
  );
  return own.length > 0 && own.every((one) => isVirtual(one.address, facts));
}

/** Why an interface gets no IPv6 address, and how to change that. */
function ipv6Barrier(
  address: Address,
  { name }: Device,
  { sysctls }: MissingFacts,
): { text: string; later: string[]; fix: Fix } | undefined {
  const path = `net/ipv6/conf/${name}/disable_ipv6`;
  if (address.length === 4 || !sysctls || sysctlNumber(sysctls, path) !== 1)
    return undefined;
  const preset = "net/ipv6/conf/default/disable_ipv6";
  return {
    text: `${name} accepts no IPv6 address, because ${sysctlName(path)} is 1`,
    later:
      sysctlNumber(sysctls, preset) === 1
        ? [
            `${sysctlName(preset)} is 1, so each interface that is made later accepts no IPv6 address either; ${name} needs its own setting in /etc/sysctl.d, or in what makes the interface`,
          ]
        : [],
    fix: sysctlFix(
      { [path]: 0 },
      `${name} gets IPv6 addresses; a program that keeps addresses there can add them again`,
    ),
  };
}
