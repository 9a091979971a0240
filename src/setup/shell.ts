import {
  familyOf,
  formatAddress,
  INET6,
  type Address,
} from "../ipvs/address.js";
import { TRANSPORTS } from "../ipvs/model.js";
import { tunnelName } from "./real-server.js";
import type { Machine, Step, VirtualEndpoint } from "./step.js";

/** The commands of a machine for a POSIX shell, as root. */
export function shellLines(machine: Machine): string[] {
  return machine.steps.flatMap(doLines);
}

/** The commands that take everything back, in the opposite order. */
export function shellUndoLines(machine: Machine): string[] {
  return machine.steps.toReversed().flatMap(undoLines);
}

/** `192.0.2.1/32`, `2001:db8::1/128` */
export function hostPrefix(address: Address): string {
  return `${formatAddress(address)}/${address.length * 8}`;
}

function doLines(step: Step): string[] {
  switch (step.kind) {
    case "module":
      return [`modprobe ${step.name}`];
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
      return [`ip route replace default via ${formatAddress(step.gateway)}`];
    case "snat":
      return [iptablesLine("-A", step)];
    case "mark":
      return [iptablesLine("-A", step)];
    case "rules":
      return ["ipvsadm -R <<'END'", ...step.lines, "END"];
  }
}

function undoLines(step: Step): string[] {
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
      return [`ip route del default via ${formatAddress(step.gateway)}`];
    case "snat":
      return [iptablesLine("-D", step)];
    case "mark":
      return [iptablesLine("-D", step)];
    case "rules":
      return ["ipvsadm -R <<'END'", ...step.undo, "END"];
  }
}

function addressLine(
  what: "add" | "del",
  address: Address,
  device: string,
): string {
  // Duplicate address detection would find the virtual address on the other machines.
  const nodad = what === "add" && familyOf(address) === INET6 ? " nodad" : "";
  return `ip address ${what} ${hostPrefix(address)} dev ${device}${nodad}`;
}

function tunnelMode(step: Extract<Step, { kind: "tunnel" }>): string {
  return step.device === "ip6tnl" ? " mode any" : "";
}

/** An iptables command for a rule. @param what `-A` adds it, `-D` deletes it */
export function iptablesLine(
  what: "-A" | "-D",
  step: Extract<Step, { kind: "snat" | "mark" }>,
): string {
  const program =
    familyOf(step.service.address) === INET6 ? "ip6tables" : "iptables";
  const words =
    step.kind === "snat"
      ? `-t nat ${what} POSTROUTING -m ipvs ${ipvsMatch(step.service)} -j SNAT --to-source ${formatAddress(step.source)}`
      : `-t mangle ${what} PREROUTING ${packetMatch(step.service)} -j MARK --set-mark ${step.mark}`;
  return `${program} ${words}`;
}

function ipvsMatch({ protocol, address, port }: VirtualEndpoint): string {
  const vport = port === 0 ? "" : ` --vport ${port}`;
  return `--vproto ${TRANSPORTS[protocol]} --vaddr ${hostPrefix(address)}${vport}`;
}

function packetMatch({ protocol, address, port }: VirtualEndpoint): string {
  const dport = port === 0 ? "" : ` --dport ${port}`;
  return `-d ${hostPrefix(address)} -p ${TRANSPORTS[protocol]}${dport}`;
}
