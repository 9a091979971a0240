import { COMMANDS, OPTIONS, type ClassicOption } from "../grammar/options.js";
import type { ParseNotes } from "../grammar/parse.js";
import { pastedTextAdvice } from "../grammar/pasted-text.js";
import type { UsageFault } from "../grammar/usage-errors.js";
import { parseIpv6 } from "../ipvs/address.js";
import { nearest } from "../text/nearest.js";
import type { Finding } from "./finding-positions.js";
import type { HostLookups } from "./host-lookup.js";

/**
 * Explains why a command line cannot be parsed: the message of the original, and advice.
 *
 * @param at the index of the word in error; undefined if no word is
 */
export function explainUsageFault(
  fault: UsageFault,
  words: readonly string[],
  at: number | undefined,
  notes: ParseNotes,
  hosts: HostLookups,
): Finding {
  const isCommand = fault.kind !== "not-a-command";
  const pasted = pastedTextAdvice(words, isCommand ? at : undefined);
  if (!isCommand)
    return {
      id: "form",
      message: "the line does not begin with a command",
      advice:
        pasted ??
        "commands are -A, -a, -E, -e, -D, -d, -C, -Z, --set, --start-daemon and --stop-daemon; a comment begins with #",
    };
  const [sentence = "", more] = fault.sentence.trimEnd().split("\n");
  const word = valueOf(words[at ?? -1] ?? "");
  const advice =
    more ??
    pasted ??
    endpointAdvice(sentence, word) ??
    unknownHost(word, hosts) ??
    similarOption(fault, words[at ?? -1] ?? "") ??
    expectedValue(fault, notes);
  return {
    id: "form",
    message: sentence,
    ...(advice !== undefined && { advice }),
  };
}

/** The value of a long option that is written with `=`; otherwise the word itself. */
function valueOf(word: string): string {
  return /^--[a-z-]+=(.*)$/.exec(word)?.[1] ?? word;
}

/** What is wrong with the port of an address. */
function endpointAdvice(sentence: string, word: string): string | undefined {
  const withBrackets = ipv6WithPort(word);
  if (sentence.endsWith("address[:port] specified")) {
    if (withBrackets !== undefined) return `write ${withBrackets}`;
    return /^\[.*\]$/.test(word)
      ? `the port is missing: write ${word}:PORT`
      : undefined;
  }
  if (!sentence.startsWith("Zero port")) return undefined;
  return withBrackets === undefined
    ? "give the port of the service, or add -p for a service on all ports"
    : `write ${withBrackets}`;
}

/** `[2001:db8::1]:80` for `2001:db8::1:80`; undefined if the text is not an IPv6 address with a port behind it. */
export function ipv6WithPort(text: string): string | undefined {
  const [, host, port] = /^([0-9a-fA-F:.]+):([0-9]{1,5})$/.exec(text) ?? [];
  if (host === undefined || port === undefined) return undefined;
  return Number(port) <= 65535 && parseIpv6(host)
    ? `[${host}]:${port}`
    : undefined;
}

/** What to do about a host name that could not be resolved. */
function unknownHost(word: string, hosts: HostLookups): string | undefined {
  const host = word.replace(/:[^:]*$/, "");
  if (!hosts.isUnknown(host) || !/[A-Za-z]/.test(host)) return undefined;
  return `host ${host} has no IPv4 address here: check the name, or use an address`;
}

/** The most similar option. */
function similarOption(fault: UsageFault, word: string): string | undefined {
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

/** The help of an option that got a wrong value. */
function expectedValue(
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
