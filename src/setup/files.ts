import { familyOf, formatAddress, INET6 } from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import { tunnelName } from "./real-server.js";
import { hostPrefix, iptablesLine } from "./shell.js";
import type { Machine, Step } from "./step.js";

/** A file that makes a part of the set-up last over a reboot. */
export interface SetupFile {
  /** Where it belongs */
  readonly path: string;
  readonly lines: readonly string[];
}

type StepOf<K extends Step["kind"]> = Extract<Step, { kind: K }>;

function stepsOf<K extends Step["kind"]>(
  { steps }: Machine,
  ...kinds: readonly K[]
): StepOf<K>[] {
  return steps.filter((step): step is StepOf<K> =>
    (kinds as readonly string[]).includes(step.kind),
  );
}

function fileOf(path: string, lines: readonly string[]): SetupFile[] {
  return lines.length === 0 ? [] : [{ path, lines }];
}

/** Settings and modules. @see sysctl.d(5), modules-load.d(5) */
export function sysctlFiles(machine: Machine): SetupFile[] {
  return [
    ...fileOf(
      "/etc/modules-load.d/ipvs.conf",
      stepsOf(machine, "module").map(({ name }) => name),
    ),
    ...fileOf(
      "/etc/sysctl.d/90-ipvs.conf",
      stepsOf(machine, "sysctl").map(({ name, value }) => `${name} = ${value}`),
    ),
  ];
}

/** Addresses, tunnels and routes. @see systemd.network(5), systemd.netdev(5) */
export function networkdFiles(machine: Machine): SetupFile[] {
  // systemd-networkd applies only the first file that matches an interface, so there is one for each.
  const devices = new Map<string, string[]>();
  for (const { device } of stepsOf(machine, "tunnel"))
    devices.set(tunnelName(device), [
      "[Match]",
      `Name=${tunnelName(device)}`,
      "",
      "[Network]",
      "LinkLocalAddressing=no",
    ]);
  for (const { address, device } of stepsOf(machine, "address"))
    devices.set(device, [
      ...(devices.get(device) ?? headOf(device)),
      "",
      "[Address]",
      `Address=${hostPrefix(address)}`,
      ...(familyOf(address) === INET6
        ? ["DuplicateAddressDetection=none"]
        : []),
    ]);
  const tunnels = stepsOf(machine, "tunnel").flatMap(
    ({ device, local }): SetupFile[] => {
      const name = tunnelName(device);
      return [
        {
          path: `/etc/systemd/network/50-${name}.netdev`,
          lines: [
            "[NetDev]",
            `Name=${name}`,
            `Kind=${device}`,
            "",
            "[Tunnel]",
            `Local=${formatAddress(local)}`,
            "Remote=any",
            "Independent=yes",
            ...(device === "ip6tnl" ? ["Mode=any"] : []),
          ],
        },
      ];
    },
  );
  const gue = stepsOf(machine, "gue-port").map(({ port }): SetupFile => ({
    path: `/etc/systemd/network/50-ipvs-gue-${port}.netdev`,
    lines: [
      "[NetDev]",
      `Name=ipvs-gue-${port}`,
      "Kind=fou",
      "",
      "[FooOverUDP]",
      "Encapsulation=GenericUDPEncapsulation",
      `Port=${port}`,
    ],
  }));
  const gateways = stepsOf(machine, "default-route").map(
    ({ gateway }) => `Gateway=${formatAddress(gateway)}`,
  );
  return [
    ...gue,
    ...tunnels,
    ...[...devices].map(([device, lines]) => ({
      path: networkFile(device),
      lines,
    })),
    ...fileOf(
      networkFile("INTERFACE"),
      gateways.length === 0
        ? []
        : [...headOf("INTERFACE"), "", "[Network]", ...gateways],
    ),
  ];
}

/** lo and the tunnels have no other file. Other interfaces have one already, so this is a drop-in of it. */
function isOwnFile(device: string): boolean {
  return device === "lo" || device.startsWith("ipvs-");
}

function networkFile(device: string): string {
  return isOwnFile(device)
    ? `/etc/systemd/network/50-ipvs-${device.replace(/^ipvs-/, "")}.network`
    : `/etc/systemd/network/${device}.network.d/ipvs.conf`;
}

function headOf(device: string): string[] {
  return isOwnFile(device)
    ? ["[Match]", `Name=${device}`]
    : [`# Name the folder after the .network file that configures ${device}.`];
}

/** Marks and SNAT for `iptables-restore --noflush`, or for /etc/iptables/rules.v4 of iptables-persistent. */
export function iptablesFiles(machine: Machine): SetupFile[] {
  return (["iptables", "ip6tables"] as const).flatMap((program) => {
    const rules = stepsOf(machine, "snat", "mark")
      .map((step) => iptablesLine("-A", step))
      .filter((line) => line.startsWith(`${program} `));
    const tables = ["mangle", "nat"].flatMap((table) => {
      const begin = `${program} -t ${table} `;
      const own = rules.filter((line) => line.startsWith(begin));
      return own.length === 0
        ? []
        : [
            `*${table}`,
            ...own.map((line) => line.slice(begin.length)),
            "COMMIT",
          ];
    });
    const version = program === "iptables" ? "v4" : "v6";
    return fileOf(`/etc/iptables/rules.${version}`, tables);
  });
}

/** The same for nftables. It matches connections by their original address, as IPVS enters them in conntrack. */
export function nftFiles(machine: Machine): SetupFile[] {
  const marks = stepsOf(machine, "mark").map(({ service, mark }) => {
    const { address, port, protocol } = service;
    const family = familyOf(address) === INET6 ? "ip6" : "ip";
    const transport = TRANSPORTS[protocol];
    const match =
      port === 0 ? `meta l4proto ${transport}` : `${transport} dport ${port}`;
    return `    ${family} daddr ${formatAddress(address)} ${match} meta mark set ${mark}`;
  });
  const nat = stepsOf(machine, "snat").map(({ service, source }) => {
    const { address, port, protocol } = service;
    const family = familyOf(address) === INET6 ? "ip6" : "ip";
    const ports = port === 0 ? "" : ` ct original proto-dst ${port}`;
    return `    meta l4proto ${TRANSPORTS[protocol]} ct original ${family} daddr ${formatAddress(address)}${ports} snat ${family} to ${formatAddress(source)}`;
  });
  const chain = (head: string, hook: string, rules: readonly string[]) =>
    rules.length === 0
      ? []
      : [`  chain ${head} {`, `    ${hook}`, ...rules, "  }"];
  const chains = [
    ...chain(
      "marks",
      "type filter hook prerouting priority mangle; policy accept;",
      marks,
    ),
    ...chain(
      "full_nat",
      "type nat hook postrouting priority srcnat; policy accept;",
      nat,
    ),
  ];
  return chains.length === 0
    ? []
    : [
        {
          path: "/etc/nftables.d/ipvs.nft",
          lines: ["table inet ipvs {", ...chains, "}"],
        },
      ];
}
