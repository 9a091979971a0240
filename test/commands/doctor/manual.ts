import type { Kind } from "../../../src/doctor/finding.js";
import { KINDS } from "../../../src/doctor/findings.js";
import { mdocProse } from "../manual.js";

/*
 * The manual page of the findings, as their table has it to be: man/ipvsadm-doctor.8 is held to this, so a new kind is
 * in the page, or the tests fail.
 */

function section(kind: Kind): string[] {
  const { id, severity, title, why, looked, cure, sysctls } = kind;
  return [
    `.Ss ${id.replace(/-/g, "\\-")} (${severity})`,
    mdocProse(sentence(title)),
    ".Pp",
    mdocProse(why),
    ".Pp",
    ".Em Looked at :",
    mdocProse(looked),
    ".Pp",
    ".Em Fixed by :",
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
    `.\\" Made of the table of the findings: UPDATE_GOLDEN=1 node --test dist/test/commands/doctor/manual.test.js`,
    ".Dd November 21, 2026",
    ".Dt IPVSADM-DOCTOR 8",
    ".Os Linux",
    ".Sh NAME",
    ".Nm ipvsadm-doctor",
    ".Nd what is wrong with a machine of a load balancer",
    ".Sh SYNOPSIS",
    ".Nm ipvsadm",
    ".Cm doctor Oo Ar option ... Oc Oo Ar SERVICE ... Oc",
    ".Sh DESCRIPTION",
    "When IPVS does not forward, the cause is mostly outside its table: an address, a",
    "route, a neighbor, a sysctl.",
    ".Cm ipvsadm doctor",
    "holds the machine against its table.",
    "The options are in",
    ".Xr ipvsadm-subcommands 8 .",
    ".Pp",
    "Each finding has an id, what was seen, why it matters, and the commands that fix",
    "it, to be run as root; one that begins with",
    ".Dq on",
    "is for another machine.",
    "A word in capitals stands for what only the reader knows.",
    "An",
    ".Em error",
    "is traffic that fails now.",
    "A",
    ".Em warning",
    "is traffic that may fail, or will.",
    "A",
    ".Em note",
    "is worth to be known.",
    ".Pp",
    "No setting is changed and no module is loaded.",
    "To find out who is there, the network is asked as the kernel itself asks it, by ARP",
    "and neighbor discovery.",
    "What could not be looked at is said.",
    ".Sh FINDINGS",
    ...KINDS.flatMap(section),
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ".It 0",
    "There is no error.",
    ".It 1",
    "There is an error.",
    ".It 2",
    "The command line is at fault.",
    ".It 3",
    "No error was found, and not all could be looked at.",
    ".El",
    ".Sh SEE ALSO",
    ".Xr ipvsadm 8 ,",
    ".Xr ipvsadm-subcommands 8",
  ];
  return `${lines.join("\n")}\n`;
}
