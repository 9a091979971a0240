import {
  familyOf,
  INET6,
  parseAddress,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { protocolNumber, TCP_FLAGS, type ConntrackState } from "./packet.js";
import {
  prefixRange,
  type Condition,
  type NumberRange,
  type Rule,
  type Step,
  type Verdict,
} from "./ruleset.js";

/** An option of a rule with its values: `--dport 80`, `! -s 192.0.2.1`. */
interface Option {
  readonly name: string;
  readonly values: readonly string[];
  readonly negated: boolean;
  /** The match or target that was named last: `tcp`, `MARK` */
  readonly module: string;
}

/**
 * Parses a rule as iptables-save prints it, without `-A CHAIN`.
 *
 * @param table the table's name
 * @param isChain tells chains from targets
 */
export function ruleOf(
  text: string,
  family: Family,
  table: string,
  isChain: (name: string) => boolean,
): Omit<Rule, "packets"> {
  const options = optionsOf(wordsOf(text));
  const steps: Step[] = [];
  const target = options.find(({ name }) => name === "-j" || name === "-g");
  for (const option of options) {
    if (option === target) break; // what follows belongs to the target
    const condition = isReversePath(option)
      ? reversePathOf(options, family)
      : conditionOf(option, family);
    if (condition) steps.push({ if: condition });
  }
  if (target) {
    const own = options.slice(options.indexOf(target) + 1);
    const verdict = verdictOf(target, own, table, isChain);
    if (verdict) steps.push({ then: verdict });
  }
  return { text, steps };
}

const REVERSE_PATH = "rpfilter";

function isReversePath({ name, values: [value] }: Option): boolean {
  return name === "-m" && value === REVERSE_PATH;
}

/** The match rpfilter with its options, which have no values. @see libxt_rpfilter.c of iptables */
function reversePathOf(options: readonly Option[], family: Family): Condition {
  const has = (name: string) =>
    options.some(
      (option) => option.module === REVERSE_PATH && option.name === name,
    );
  const condition: Condition = {
    about: "reverse-path",
    loose: has("--loose"),
    acceptLocal: has("--accept-local"),
    withMark: has("--validmark"),
    // rpfilter_lookup_reverse6() in net/ipv6/netfilter/ip6t_rpfilter.c names the interface in its query.
    prefersIncoming: family === INET6,
  };
  return has("--invert") ? { about: "not", condition } : condition;
}

interface Word {
  readonly text: string;
  readonly quoted: boolean;
}

/** Splits a line as the shell does. iptables-save quotes with `"` and escapes with a backslash. */
function wordsOf(text: string): Word[] {
  return Array.from(
    text.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g),
    ([, quoted, plain]) =>
      quoted === undefined
        ? { text: plain ?? "", quoted: false }
        : { text: quoted.replace(/\\(.)/g, "$1"), quoted: true },
  );
}

/** Options whose value is any text. iptables-save does not quote it if it has only letters, digits, `-` and `_`. */
const TEXTS: ReadonlySet<string> = new Set([
  "--comment",
  "--log-prefix",
  "--name",
  "--nflog-prefix",
  "--set-name",
  "--string",
  "--ulog-prefix",
]);

function optionsOf(words: readonly Word[]): Option[] {
  const options: Option[] = [];
  let module = "";
  let negated = false;
  for (let at = 0; at < words.length; at++) {
    const { text: name = "", quoted } = words[at] ?? {};
    if (name === "!" && quoted !== true) {
      negated = true;
      continue;
    }
    const values: string[] = [];
    if (TEXTS.has(name) && at + 1 < words.length)
      values.push(words[++at]?.text ?? "");
    while (isValue(words[at + 1])) values.push(words[++at]?.text ?? "");
    if (name === "-m" || name === "-j") module = values[0] ?? "";
    options.push({ name, values, negated, module });
    negated = false;
  }
  return options;
}

function isValue(word: Word | undefined): boolean {
  if (word === undefined) return false;
  if (word.quoted) return true;
  return word.text !== "!" && !/^--?[a-zA-Z]/.test(word.text);
}

/** The condition of an option; undefined if it is none, such as the name of a match. */
function conditionOf(option: Option, family: Family): Condition | undefined {
  const positive = positiveOf(option, family);
  return positive && option.negated
    ? { about: "not", condition: positive }
    : positive;
}

/** Matches whose `--mark` and `--set` are about something else than the packet */
const OTHER_MARKS: ReadonlySet<string> = new Set(["connmark", "MARK"]);

const REVERSE_PATH_OPTIONS: ReadonlySet<string> = new Set([
  "--loose",
  "--validmark",
  "--accept-local",
  "--invert",
]);

function positiveOf(
  { name, values, module }: Option,
  family: Family,
): Condition | undefined {
  const [value = "", second = ""] = values;
  if (module === REVERSE_PATH && REVERSE_PATH_OPTIONS.has(name))
    return undefined;
  switch (name) {
    case "-m":
      // These have conditions of their own even without an option.
      return value === "socket" ? unknown(`-m ${value}`) : undefined;
    case "--comment":
      return undefined;
    case "-s":
      return addresses("source", value, family);
    case "-d":
      return addresses("destination", value, family);
    case "--src-range":
      return addressSpan("source", value);
    case "--dst-range":
      return addressSpan("destination", value);
    case "-i":
    case "-o":
      return {
        about: "interface",
        end: name === "-i" ? "incoming" : "outgoing",
        names: [value.replace(/\+$/, "*")],
      };
    case "-p": {
      const number = protocolNumber(value);
      if (value === "all") return undefined;
      return number === undefined
        ? unknown(`-p ${value}`)
        : { about: "protocol", numbers: [number] };
    }
    case "--sport":
    case "--sports":
      return ports("source", value);
    case "--dport":
    case "--dports":
      return ports("destination", value);
    case "--ports":
      return {
        about: "any",
        conditions: [ports("source", value), ports("destination", value)],
      };
    case "--icmp-type":
    case "--icmpv6-type":
      return icmpType(name, value);
    case "--state":
    case "--ctstate":
      return stateCondition(value);
    case "--mark":
      return OTHER_MARKS.has(module)
        ? unknown(`-m ${module} --mark ${value}`)
        : markCondition(value);
    case "--tcp-flags":
      return {
        about: "tcp-flags",
        mask: flagsOf(value),
        value: flagsOf(second),
      };
    case "--syn":
      return { about: "tcp-flags", mask: 0x17, value: 0x02 };
    case "--dst-type":
      return value === "LOCAL"
        ? { about: "local-destination" }
        : unknown(`--dst-type ${value}`);
    default:
      return unknown([name, ...values].join(" "));
  }
}

function unknown(text: string): Condition {
  return { about: "unknown", text };
}

function addresses(
  end: "source" | "destination",
  text: string,
  family: Family,
): Condition {
  const ranges = text.split(",").flatMap((one) => {
    const [host = "", mask] = one.split("/");
    const address = parseAddress(host);
    const bits = mask === undefined ? undefined : prefixBits(mask);
    if (!address || familyOf(address) !== family) return [];
    if (mask !== undefined && bits === undefined) return [];
    return [prefixRange(address, bits ?? address.length * 8)];
  });
  return ranges.length === 0
    ? unknown(`${end} ${text}`)
    : { about: "address", end, ranges };
}

/** A prefix length, written as a number or as a mask; undefined for a mask with gaps. */
function prefixBits(mask: string): number | undefined {
  if (/^[0-9]+$/.test(mask)) return Number(mask);
  const address = parseAddress(mask);
  if (!address) return undefined;
  const digits = Array.from(address, (byte) =>
    byte.toString(2).padStart(8, "0"),
  ).join("");
  const parts = /^(1*)0*$/.exec(digits);
  return parts?.[1]?.length;
}

function addressSpan(end: "source" | "destination", text: string): Condition {
  const [first, last = first] = text
    .split("-")
    .map((one): Address | undefined => parseAddress(one));
  return first && last
    ? { about: "address", end, ranges: [{ first, last }] }
    : unknown(`${end} ${text}`);
}

function ports(end: "source" | "destination", text: string): Condition {
  const ranges = text.split(",").map((one): NumberRange => {
    const [first = "", last] = one.split(":");
    return [
      first === "" ? 0 : Number(first),
      last === undefined ? Number(first) : last === "" ? 65535 : Number(last),
    ];
  });
  return ranges.flat().some(Number.isNaN)
    ? unknown(`port ${text}`)
    : { about: "port", end, ranges };
}

/** iptables-save prints a type as a number, with its code if the rule has one: `135`, `1/4`. */
function icmpType(option: string, text: string): Condition {
  if (text === "any") return { about: "icmp-type", ranges: [[0, 255]] };
  const [, type, code] = /^([0-9]+)(\/.+)?$/.exec(text) ?? [];
  if (type === undefined) return unknown(`${option} ${text}`);
  const number = Number(type);
  const known: Condition = { about: "icmp-type", ranges: [[number, number]] };
  if (code === undefined) return known;
  const codes = /^\/([0-9]+)(?:-([0-9]+))?$/.exec(code);
  if (!codes)
    return { about: "all", conditions: [known, unknown(`${option} ${text}`)] };
  const [, first = "", last = first] = codes;
  return {
    about: "all",
    conditions: [
      known,
      { about: "icmp-code", ranges: [[Number(first), Number(last)]] },
    ],
  };
}

const STATES: Readonly<Record<string, ConntrackState>> = {
  NEW: "new",
  ESTABLISHED: "established",
  RELATED: "related",
  INVALID: "invalid",
  UNTRACKED: "untracked",
};

function stateCondition(text: string): Condition {
  const words = text.split(",");
  const states = words.flatMap((word) => STATES[word] ?? []);
  const known: Condition = { about: "state", states };
  // SNAT and DNAT are no states of their own; they come besides one.
  return states.length === words.length
    ? known
    : { about: "any", conditions: [known, unknown(text)] };
}

function markCondition(text: string): Condition {
  const [value, mask] = markWords(text);
  return Number.isNaN(value) || Number.isNaN(mask)
    ? unknown(`--mark ${text}`)
    : { about: "mark", value, mask };
}

function markWords(text: string): [value: number, mask: number] {
  const [value = "", mask = "0xffffffff"] = text.split("/");
  return [Number(value), Number(mask)];
}

function flagsOf(text: string): number {
  if (text === "ALL") return 0x3f;
  return text
    .toLowerCase()
    .split(",")
    .reduce((flags, name) => flags | (TCP_FLAGS[name] ?? 0), 0);
}

/** Targets that let the packet go on to the next rule */
const CONTINUING: ReadonlySet<string> = new Set([
  "AUDIT",
  "CHECKSUM",
  "CLASSIFY",
  "CONNSECMARK",
  "DSCP",
  "ECN",
  "HL",
  "IDLETIMER",
  "LED",
  "LOG",
  "NFLOG",
  "RATEEST",
  "SECMARK",
  "SET",
  "TCPMSS",
  "TCPOPTSTRIP",
  "TEE",
  "TOS",
  "TRACE",
  "TTL",
  "ULOG",
]);

/** What a target does; undefined if the packet goes on to the next rule as it is. */
function verdictOf(
  { name, values: [target = ""] }: Option,
  options: readonly Option[],
  table: string,
  isChain: (name: string) => boolean,
): Verdict | undefined {
  const valueOf = (option: string) =>
    options.find((one) => one.name === option)?.values[0];
  if (name === "-g") return { does: "goto", chain: target };
  if (isChain(target)) return { does: "jump", chain: target };
  if (CONTINUING.has(target)) return undefined;
  switch (target) {
    case "ACCEPT":
      return { does: "accept" };
    case "DROP":
      return { does: "drop" };
    case "REJECT":
      return { does: "reject" };
    case "RETURN":
      return { does: "return" };
    case "DNAT":
      return { does: "redirect", to: valueOf("--to-destination") ?? "" };
    case "REDIRECT":
      return { does: "redirect", to: `port ${valueOf("--to-ports") ?? "?"}` };
    case "TPROXY":
      return { does: "redirect", to: `port ${valueOf("--on-port") ?? "?"}` };
    case "SNAT":
      return { does: "translate", to: valueOf("--to-source") ?? "" };
    case "MASQUERADE":
      return { does: "translate", to: "the interface's address" };
    case "NOTRACK":
      return { does: "notrack" };
    case "CT":
      return options.some((one) => one.name === "--notrack")
        ? { does: "notrack" }
        : undefined;
    case "MARK":
      return markVerdict(options);
    case "CONNMARK":
      return options.some((one) => one.name === "--restore-mark")
        ? { does: "mark-from-elsewhere" }
        : undefined;
    default:
      return { does: "unknown", text: `-j ${target} in table ${table}` };
  }
}

/** @see mark_tg_v2_save() of iptables: every option is printed as one of these */
function markVerdict(options: readonly Option[]): Verdict {
  const [option] = options;
  const [value, mask] = markWords(option?.values[0] ?? "");
  if (Number.isNaN(value)) return { does: "mark-from-elsewhere" };
  switch (option?.name) {
    case "--set-xmark":
      return { does: "mark", value, mask };
    case "--set-mark":
      return { does: "mark", value, mask: (mask | value) >>> 0 };
    case "--or-mark":
      return { does: "mark", value, mask: value };
    case "--and-mark":
      return { does: "mark", value: 0, mask: ~value >>> 0 };
    case "--xor-mark":
      return { does: "mark", value, mask: 0 };
    default:
      return { does: "mark-from-elsewhere" };
  }
}
