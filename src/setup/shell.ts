import {
  familyOf,
  formatAddress,
  INET6,
  type Address,
} from "../ipvs/address.js";
import { hostPrefix } from "./host-prefix.js";
import { ruleLines, undoRuleLines } from "./iptables.js";
import { tunnelName } from "./real-server.js";
import type { Machine, Step } from "./step.js";

/** The commands of a machine for a POSIX shell, as root. */
export function shellLines(machine: Machine): string[] {
  return machine.steps.flatMap(doLines);
}

/** The commands that take everything back, in the opposite order. */
export function shellUndoLines(machine: Machine): string[] {
  return machine.steps.toReversed().flatMap(undoLines);
}

/** The commands that make a step. */
export function doLines(step: Step): string[] {
  switch (step.kind) {
    case "module":
      return [["modprobe", step.name, step.options ?? ""].join(" ").trim()];
    case "sysctl":
      return [`sysctl -w ${step.name}=${step.value}`];
    case "address":
      return [addressLine("add", step.address, step.device)];
    case "tunnel":
      return [
        `ip link add name ${tunnelName(step.device)} type ${step.device}${tunnelMode(step)} local ${formatAddress(step.local)}${step.checksum ? " icsum" : ""}`,
        `ip link set dev ${tunnelName(step.device)} up`,
      ];
    case "gue-port":
      return [`ip fou add port ${step.port} gue${step.ipv6 ? " -6" : ""}`];
    case "default-route":
      return defaultRouteLines(step.gateway);
    case "snat":
    case "mark":
    case "peer-marks":
      return ruleLines(step);
    case "rules":
      return ["ipvsadm -R <<'END'", ...step.lines, "END"];
  }
}

/** The commands that take a step back. */
export function undoLines(step: Step): string[] {
  switch (step.kind) {
    case "module":
      return []; // it may be used by others
    case "sysctl":
      // Settings of a tunnel's device go away with it.
      return step.name.includes(".ipvs-")
        ? []
        : [`sysctl -w ${step.name}=${step.usual}`];
    case "address":
      // An address of a tunnel's device goes away with it.
      return step.device.startsWith("ipvs-")
        ? []
        : [addressLine("del", step.address, step.device)];
    case "tunnel":
      return [`ip link del dev ${tunnelName(step.device)}`];
    case "gue-port":
      return [`ip fou del port ${step.port}${step.ipv6 ? " -6" : ""}`];
    case "default-route":
      return [undoDefaultRouteLine(step.gateway)];
    case "snat":
    case "mark":
    case "peer-marks":
      return undoRuleLines(step);
    case "rules":
      return ["ipvsadm -R <<'END'", ...step.undo, "END"];
  }
}

function addressLine(
  what: "add" | "del",
  address: Address,
  device: string,
): string {
  // Duplicate address detection would find the virtual address on the other machines. A deprecated address is not the source
  // of the machine's own packets: a real server drops tunnel packets that come from the virtual address, its own address.
  const options =
    what === "add" && familyOf(address) === INET6
      ? " nodad preferred_lft 0"
      : "";
  return `ip address ${what} ${hostPrefix(address)} dev ${device}${options}`;
}

function tunnelMode(step: Extract<Step, { kind: "tunnel" }>): string {
  return step.device === "ip6tnl" ? " mode any" : "";
}

/** Keeps the present default route until reboot, and replaces it. */
function defaultRouteLines(gateway: Address): string[] {
  const file = savedRouteFile(gateway);
  return [
    // A second run must not save the route of the first one.
    `[ -e ${file} ] || ip ${familyOption(gateway)} route save default >${file}`,
    `ip route replace default via ${formatAddress(gateway)}`,
  ];
}

/** One line, because a pasted line may be the last one to arrive while there is no route. */
function undoDefaultRouteLine(gateway: Address): string {
  const file = savedRouteFile(gateway);
  return `ip route del default via ${formatAddress(gateway)}; [ ! -e ${file} ] || { ip ${familyOption(gateway)} route restore <${file}; rm ${file}; }`;
}

function savedRouteFile(gateway: Address): string {
  return `/run/ipvsadm-setup-default-route${familyOption(gateway)}`;
}

function familyOption(address: Address): "-4" | "-6" {
  return familyOf(address) === INET6 ? "-6" : "-4";
}
