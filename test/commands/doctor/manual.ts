import type { Kind } from "../../../src/doctor/finding.js";
import { KINDS } from "../../../src/doctor/findings.js";
import { mdocProse } from "../manual.js";

/*
 * Generates man/ipvsadm-doctor.8 from the table of findings. A test compares the page with it, so a new kind is in the
 * page, or the test fails.
 */

function section(kind: Kind): string[] {
  const { id, severity, title, why, looked, cure, sysctls } = kind;
  return [
    `.Ss ${id.replace(/-/g, "\\-")} (${severity})`,
    mdocProse(sentence(title)),
    ".Pp",
    mdocProse(why),
    ".Pp",
    ".Em Checked :",
    mdocProse(looked),
    ".Pp",
    ".Em Fix :",
    mdocProse(cure),
    ...(sysctls.length > 0
      ? [".Pp", ".Em Sysctls :", mdocProse(`${sysctls.join(", ")}.`)]
      : []),
  ];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** The page, whole. */
export function manual(): string {
  const lines = [
    `.\\" Generated from the table of findings: UPDATE_GOLDEN=1 node --test dist/test/commands/doctor/manual.test.js`,
    ".Dd November 27, 2026",
    ".Dt IPVSADM-DOCTOR 8",
    ".Os Linux",
    ".Sh NAME",
    ".Nm ipvsadm-doctor",
    ".Nd find out why a machine of a load balancer fails",
    ".Sh SYNOPSIS",
    ".Nm ipvsadm",
    ".Cm doctor Oo Ar option ... Oc Oo Ar SERVICE ... Oc",
    ".Sh DESCRIPTION",
    "When IPVS does not forward, the cause is mostly outside its table: an address, a",
    "route, a neighbor, a sysctl, a firewall rule.",
    ".Cm ipvsadm doctor",
    "compares the machine's settings with the IPVS table.",
    "The options are in",
    ".Xr ipvsadm-subcommands 8 .",
    ".Pp",
    "Each finding has an id and says",
    ".Bl -tag -width Evidence",
    ".It Seen",
    "what was seen, and where.",
    ".It Evidence",
    "what supports it.",
    ".It Why",
    "why it matters.",
    ".It Next",
    "a command that finds the cause on another machine, ready to paste there.",
    ".It Fix",
    "a command that removes exactly this cause, to be run as root, with its effect:",
    "what else it changes.",
    "If no command does, the fix is described.",
    ".El",
    ".Pp",
    "A command that begins with",
    ".Dq on",
    "is for another machine.",
    "A word in capitals stands for what only the reader knows.",
    ".Pp",
    "An",
    ".Em error",
    "is traffic that fails now.",
    "A",
    ".Em warning",
    "is traffic that may fail.",
    "A",
    ".Em note",
    "is worth knowing.",
    "The most severe findings come first, and proven ones before those marked",
    ".Dq likely .",
    ".Pp",
    "Doctor changes no setting and loads no module.",
    "It asks the network for addresses as the kernel does, by ARP and neighbor discovery.",
    "It reads firewall rules with",
    ".Xr nft 8",
    "and",
    ".Xr iptables\\-save 8 .",
    "With",
    ".Fl -probe",
    "it connects to real servers.",
    "The list",
    ".Dq Not checked",
    "says what it did not or could not check.",
    ".Sh FOLLOWING A CLIENT",
    "On a director",
    ".Cm ipvsadm doctor",
    ".Fl -client Ar ADDRESS",
    "follows one client for 10 seconds, or for the duration of",
    ".Fl -for .",
    "It prints these steps, each with its state: ok, stops or unknown.",
    ".Bl -tag -width counters",
    ".It route",
    "the route to the client.",
    ".It firewall",
    "rules of the director that stop its requests, or the answers to them.",
    ".It entries",
    "its connections, by service and server, with their states.",
    ".It counters",
    "the packets of its servers in that time, of all clients.",
    ".El",
    ".Pp",
    "The last line names the first step that stops its packets.",
    ".Sh FINDINGS",
    ...KINDS.flatMap(section),
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ".It 0",
    "There is no error, or no step stops the client.",
    ".It 1",
    "There is an error, or a step stops the client.",
    ".It 2",
    "The command line is wrong.",
    ".It 3",
    "No error was found, but some facts could not be read.",
    ".El",
    ".Sh SEE ALSO",
    ".Xr ipvsadm 8 ,",
    ".Xr ipvsadm-subcommands 8",
  ];
  return `${lines.join("\n")}\n`;
}
