import { familyOf, formatAddress, INET6, INET } from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import { knownMacs } from "./peer-marks.js";
import {
  fileOf,
  stepsOf,
  type FileFormat,
  type SetupFile,
} from "./setup-file.js";
import type { Machine, VirtualEndpoint } from "./step.js";

type Family = "ip" | "ip6";
const FAMILIES: readonly Family[] = ["ip", "ip6"];

const PATH = "/etc/nftables.d/ipvs.nft";

/** Marks and SNAT for nftables. It matches connections by their original address, as IPVS enters them in conntrack. */
export const NFT_FILES: FileFormat = {
  filesOf,
  undoLines: (machine) => {
    const tables = FAMILIES.filter((family) => tableOf(family, machine, false));
    return tables.length === 0
      ? []
      : [
          ...tables.map((family) => `nft delete table ${family} ipvs`),
          `rm ${PATH}`,
        ];
  },
};

function filesOf(machine: Machine): SetupFile[] {
  const lines = FAMILIES.flatMap(
    (family) => tableOf(family, machine, true) ?? [],
  );
  return fileOf(PATH, lines, [
    'nftables.service reads it if /etc/nftables.conf has the line: include "/etc/nftables.d/*.nft"',
    `To load it now: nft -f ${PATH}`,
  ]);
}

/**
 * A table of one family; undefined if it would be empty.
 *
 * @param complete false: only whether there is a table matters
 * @throws {SiteIncomplete} only if it must be complete
 */
function tableOf(
  family: Family,
  machine: Machine,
  complete: boolean,
): string[] | undefined {
  const isOurs = ({ service }: { readonly service: VirtualEndpoint }) =>
    nftFamily(service) === family;
  const marks = stepsOf(machine, "mark", "peer-marks").flatMap((step) => {
    if (step.kind === "mark")
      return isOurs(step) ? [`${packetMatch(step.service)} ${set(step)}`] : [];
    const own = step.marks.filter(isOurs);
    if (own.length === 0) return [];
    const macs = complete
      ? knownMacs(step, family === "ip" ? INET : INET6)
      : [];
    const others = macs.map((mac) => `ether saddr != ${mac} `).join("");
    return own.map(
      (one) =>
        `iifname "${step.device}" ${others}${packetMatch(one.service)} ${set(one)}`,
    );
  });
  const nat = stepsOf(machine, "snat")
    .filter(isOurs)
    .map(({ service, source }) => {
      const { address, port, protocol } = service;
      const ports = port === 0 ? "" : ` ct original proto-dst ${port}`;
      return `meta l4proto ${TRANSPORTS[protocol]} ct original ${family} daddr ${formatAddress(address)}${ports} snat to ${formatAddress(source)}`;
    });
  const chains = [
    ...chain("marks", "type filter hook prerouting priority mangle", marks),
    ...chain("full_nat", "type nat hook postrouting priority srcnat", nat),
  ];
  if (chains.length === 0) return undefined;
  return [
    // So that the file can be loaded again.
    `table ${family} ipvs`,
    `delete table ${family} ipvs`,
    `table ${family} ipvs {`,
    ...chains,
    "}",
  ];
}

function chain(name: string, hook: string, rules: readonly string[]): string[] {
  return rules.length === 0
    ? []
    : [
        `  chain ${name} {`,
        `    ${hook}; policy accept;`,
        ...rules.map((rule) => `    ${rule}`),
        "  }",
      ];
}

function packetMatch(service: VirtualEndpoint): string {
  const { address, port, protocol } = service;
  const transport = TRANSPORTS[protocol];
  const match =
    port === 0 ? `meta l4proto ${transport}` : `${transport} dport ${port}`;
  return `${nftFamily(service)} daddr ${formatAddress(address)} ${match}`;
}

function set({ mark }: { readonly mark: number }): string {
  return `meta mark set ${mark}`;
}

function nftFamily({ address }: VirtualEndpoint): Family {
  return familyOf(address) === INET6 ? "ip6" : "ip";
}
