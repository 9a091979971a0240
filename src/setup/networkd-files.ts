import { familyOf, formatAddress, INET6 } from "../ipvs/address.js";
import { hostPrefix } from "./host-prefix.js";
import { tunnelName } from "./real-server.js";
import { doLines, undoLines } from "./shell.js";
import {
  fileOf,
  stepsOf,
  type FileFormat,
  type SetupFile,
  type StepOf,
} from "./setup-file.js";
import type { Machine } from "./step.js";

/** Addresses, tunnels and routes. @see systemd.network(5), systemd.netdev(5) */
export const NETWORKD_FILES: FileFormat = {
  filesOf: (machine) => [
    ...tunnelFiles(machine),
    ...serviceFile(machine),
    ...addressFiles(machine),
    ...routeFiles(machine),
  ],
  undoLines(machine) {
    const files = this.filesOf(machine);
    if (files.length === 0) return [];
    const service = files.some(({ path }) => path === SERVICE);
    return [
      ...(service ? [`systemctl disable --now ${baseName(SERVICE)}`] : []),
      ...files.map(({ path }) => `rm ${path}`),
      "networkctl reload",
      // systemd-networkd keeps what it has made.
      ...stepsOf(machine, "tunnel", "address")
        .toReversed()
        .filter((step) => step.kind === "address" || !needsService(step))
        .flatMap(undoLines),
    ];
  },
};

const FOLDER = "/etc/systemd/network";
const SERVICE = "/etc/systemd/system/ipvs-tunnels.service";

/**
 * What a command must make. systemd-networkd makes GUE ports for IPv4 only, with the protocol 0, which newer kernels
 * refuse. It has no setting for the checksums of GRE.
 */
function needsService(step: StepOf<"gue-port" | "tunnel">): boolean {
  return step.kind === "gue-port" || step.checksum;
}

function tunnelFiles(machine: Machine): SetupFile[] {
  return stepsOf(machine, "tunnel")
    .filter((step) => !needsService(step))
    .map(({ device, local }) => ({
      path: `${FOLDER}/50-${tunnelName(device)}.netdev`,
      lines: [
        "[NetDev]",
        `Name=${tunnelName(device)}`,
        `Kind=${device}`,
        "",
        "[Tunnel]",
        `Local=${formatAddress(local)}`,
        "Remote=any",
        "Independent=yes",
        ...(device === "ip6tnl" ? ["Mode=any"] : []),
      ],
    }));
}

/** A service that runs the commands for the rest. @see systemd.service(5) */
function serviceFile(machine: Machine): SetupFile[] {
  const steps = stepsOf(machine, "gue-port", "tunnel").filter(needsService);
  if (steps.length === 0) return [];
  return fileOf(
    SERVICE,
    [
      "[Unit]",
      "Description=Tunnels for IPVS",
      "DefaultDependencies=no",
      "After=systemd-modules-load.service",
      "Before=network-pre.target shutdown.target",
      "Wants=network-pre.target",
      "Conflicts=shutdown.target",
      "",
      "[Service]",
      "Type=oneshot",
      "RemainAfterExit=yes",
      ...steps.flatMap(doLines).map((line) => `ExecStart=${line}`),
      ...steps
        .toReversed()
        .flatMap(undoLines)
        .map((line) => `ExecStop=${line}`),
      "",
      "[Install]",
      "WantedBy=multi-user.target",
    ],
    [
      "systemd-networkd cannot make GUE ports on all kernels, and GRE with checksums on none, so a service makes them.",
      `Enable it: systemctl enable --now ${baseName(SERVICE)}`,
    ],
  );
}

/** systemd-networkd applies only the first file that matches an interface, so there is one for each. */
function addressFiles(machine: Machine): SetupFile[] {
  const devices = new Map<string, string[]>();
  for (const { device } of stepsOf(machine, "tunnel"))
    devices.set(tunnelName(device), [
      ...headOf(tunnelName(device)),
      "",
      "[Network]",
      "LinkLocalAddressing=no",
    ]);
  for (const { address, device } of stepsOf(machine, "address")) {
    const lines = devices.get(device) ?? headOf(device);
    devices.set(device, [
      ...lines,
      ...(lines.length === 0 ? [] : [""]),
      "[Address]",
      `Address=${hostPrefix(address)}`,
      ...(familyOf(address) === INET6
        ? ["DuplicateAddressDetection=none", "PreferredLifetime=0"]
        : []),
    ]);
  }
  return [...devices].map(([device, lines]) => ({
    path: networkFile(device),
    notes: notesOf(device),
    lines,
  }));
}

function routeFiles(machine: Machine): SetupFile[] {
  const gateways = stepsOf(machine, "default-route").map(
    ({ gateway }) => `Gateway=${formatAddress(gateway)}`,
  );
  return fileOf(
    networkFile("INTERFACE"),
    gateways.length === 0 ? [] : ["[Network]", ...gateways],
    [
      "INTERFACE is the server's interface to the director.",
      ...notesOf("INTERFACE"),
      "Remove any other Gateway= of the same family from the .network files: two default routes exclude each other.",
    ],
  );
}

/** lo and the tunnels have no other file. Other interfaces have one already, so this is a drop-in of it. */
function isOwnFile(device: string): boolean {
  return device === "lo" || device.startsWith("ipvs-");
}

function networkFile(device: string): string {
  return isOwnFile(device)
    ? `${FOLDER}/50-ipvs-${device.replace(/^ipvs-/, "")}.network`
    : `${FOLDER}/${device}.network.d/ipvs.conf`;
}

function headOf(device: string): string[] {
  return isOwnFile(device) ? ["[Match]", `Name=${device}`] : [];
}

function notesOf(device: string): string[] {
  return isOwnFile(device)
    ? []
    : [`Name the folder after the .network file that configures ${device}.`];
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
