import { COMMANDS, OPTIONS, type ClassicOption } from "../grammar/options.js";
import type { UsageFault } from "../grammar/usage-errors.js";
import type { ParseNotes } from "../grammar/parse.js";
import { nearest } from "../text/nearest.js";
import type { Hosts } from "./host-lookup.js";
import type { Remark } from "./place-findings.js";

/** What is to be said of a command line that cannot be read: the original's sentence, and more. */
export function explainFault(
  fault: UsageFault,
  words: readonly string[],
  notes: ParseNotes,
  hosts: Hosts,
): Remark {
  if (fault.kind === "not-a-command")
    return {
      id: "form",
      fault: "this does not begin with a command",
      advice:
        "a rule begins with -A, -a, -E, -e, -D, -d, -C, -Z, --set, --start-daemon or --stop-daemon; a comment with #",
    };
  const [sentence = "", more] = fault.sentence.trimEnd().split("\n");
  const word = words[fault.word ?? -1] ?? "";
  const advice =
    more ??
    unknownHost(word, hosts) ??
    meantOption(fault, word) ??
    wantedValue(fault, notes);
  return {
    id: "form",
    fault: sentence,
    ...(advice !== undefined && { advice }),
  };
}

/** What to do about a host without an address. */
function unknownHost(word: string, hosts: Hosts): string | undefined {
  const value = /^--[a-z-]+=(.*)$/.exec(word)?.[1] ?? word;
  const host = value.replace(/:[^:]*$/, "");
  if (!hosts.isUnknown(host) || !/[A-Za-z]/.test(host)) return undefined;
  return `no IPv4 address is known here for host ${host}: check its name, or give an address`;
}

/** The option that somebody may have meant. */
function meantOption(fault: UsageFault, word: string): string | undefined {
  if (fault.kind !== "scanner" || !fault.sentence.endsWith(": unknown option"))
    return undefined;
  const name = /^--([^=]*)/.exec(word)?.[1];
  if (name === undefined) return undefined;
  const found = nearest(
    name,
    [...COMMANDS, ...OPTIONS].map(({ long }) => long),
  );
  return found === undefined ? undefined : `did you mean --${found}?`;
}

/** What an option takes, when it was given something else. */
function wantedValue(
  fault: UsageFault,
  { row }: ParseNotes,
): string | undefined {
  if (fault.kind !== "value" || !row || row.option !== fault.option)
    return undefined;
  return row.option === undefined ? undefined : `${spelled(row)}: ${row.help}`;
}

function spelled({ short, long, argument }: ClassicOption): string {
  const option = short === undefined ? `--${long}` : `-${short}`;
  return argument === undefined ? option : `${option} ${argument}`;
}
