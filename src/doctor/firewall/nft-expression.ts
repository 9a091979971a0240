import { parseAddress } from "../../ipvs/address.js";
import { INET, INET6 } from "../../ipvs/address.js";
import { listOf, member, textOf, type Json } from "./json.js";
import { nftText } from "./nft-text.js";
import {
  icmpCodeNumber,
  icmpTypeNumber,
  protocolNumber,
  TCP_FLAGS,
  type ConntrackState,
} from "./packet.js";
import {
  prefixRange,
  type AddressRange,
  type Condition,
  type NumberRange,
  type Step,
  type Verdict,
} from "./ruleset.js";

/** The elements of a named set or map; undefined if there is none of this name. */
export type NamedSets = (name: string) => readonly Json[] | undefined;

/** Statements that do nothing to the packet's way */
const HARMLESS: ReadonlySet<string> = new Set([
  "counter",
  "log",
  "dup",
  "flow",
  "set",
  "quota",
  "last",
  "meter",
  "ct helper",
  "ct timeout",
  "secmark",
]);

/** The steps of one expression of a rule. @see libnftables-json(5) */
export function stepsOf(expression: Json, sets: NamedSets): Step[] {
  const match = member(expression, "match");
  if (match !== undefined) return [{ if: matchCondition(match, sets) }];
  const vmap = member(expression, "vmap");
  if (vmap !== undefined) return [{ cases: casesOf(vmap, sets) }];
  const mangle = member(expression, "mangle");
  if (mangle !== undefined) return mangleSteps(mangle);
  const verdict = verdictOf(expression);
  if (verdict) return [{ then: verdict }];
  const [name = ""] = Object.keys(expression ?? {});
  // A set or meter with a limit for each element decides whether the rule goes on.
  if (member(member(expression, name), "stmt") !== undefined)
    return [{ if: unknown(nftText(expression)) }];
  if (HARMLESS.has(name)) return [];
  // What is left limits the rate, asks a set, or is a match of iptables: it decides whether the rule goes on.
  if (["limit", "xt", "connlimit", "ct count", "synproxy"].includes(name))
    return [{ if: unknown(nftText(expression)) }];
  return [{ then: { does: "unknown", text: nftText(expression) } }];
}

function verdictOf(expression: Json): Verdict | undefined {
  if (typeof expression !== "object" || expression === null) return undefined;
  const [name = ""] = Object.keys(expression);
  const value = member(expression, name);
  switch (name) {
    case "accept":
    case "drop":
    case "reject":
    case "return":
    case "notrack":
      return { does: name };
    case "jump":
    case "goto":
      return { does: name, chain: textOf(member(value, "target")) };
    case "dnat":
    case "redirect":
    case "tproxy": {
      const address = member(value, "addr");
      const port = member(value, "port");
      const to = [address, port].filter((one) => one !== undefined);
      return { does: "redirect", to: to.map(nftText).join(":") };
    }
    case "snat":
      return { does: "translate", to: nftText(member(value, "addr") ?? "") };
    case "masquerade":
      return { does: "translate", to: "the interface's address" };
    case "queue":
      return { does: "unknown", text: nftText(expression) };
    default:
      return undefined;
  }
}

function casesOf(
  vmap: Json,
  sets: NamedSets,
): Extract<Step, { cases: unknown }>["cases"] {
  const key = member(vmap, "key") ?? null;
  const data = member(vmap, "data") ?? null;
  const elements = elementsOf(data, sets);
  if (!elements)
    return [
      {
        if: unknown(nftText(vmap)),
        then: { does: "unknown", text: `vmap ${nftText(data)}` },
      },
    ];
  return elements.flatMap((element) => {
    const [value = null, result = null] = listOf(element);
    const then = verdictOf(result);
    // `continue` goes on to the next expression, as no case does.
    return then ? [{ if: equals(key, elementValue(value), sets), then }] : [];
  });
}

/** What an anonymous or named set contains; undefined if it is not known. */
function elementsOf(data: Json, sets: NamedSets): readonly Json[] | undefined {
  if (typeof data === "string" && data.startsWith("@"))
    return sets(data.slice(1));
  const set = member(data, "set");
  return set === undefined ? undefined : listOf(set);
}

/** An element can come with a timeout, a comment or a counter. */
function elementValue(element: Json): Json {
  return member(member(element, "elem"), "val") ?? element;
}

function matchCondition(match: Json, sets: NamedSets): Condition {
  const operator = textOf(member(match, "op"));
  const left = member(match, "left") ?? null;
  const right = member(match, "right") ?? null;
  const positive =
    operator === "==" || operator === "!=" || operator === "in"
      ? equals(left, right, sets, operator === "in")
      : comparison(left, operator, right);
  if (operator !== "!=") return positive;
  const negated: Condition = { about: "not", condition: positive };
  const implied = impliedBy(left);
  return implied.length === 0
    ? negated
    : { about: "all", conditions: [...implied, negated] };
}

/**
 * The conditions that nft adds to a match and leaves out of what it lists: `ip saddr != …` is about IPv4 packets alone,
 * `tcp dport != …` about TCP.
 */
function impliedBy(left: Json): Condition[] {
  const fields = member(left, "concat");
  if (fields !== undefined) return listOf(fields).flatMap(impliedBy);
  const masked = member(left, "&");
  if (masked !== undefined)
    return listOf(masked).slice(0, 1).flatMap(impliedBy);
  const protocol = textOf(member(member(left, "payload"), "protocol"));
  const family = FAMILY_WORDS[protocol];
  if (family !== undefined) return [{ about: "family", family }];
  const number = protocolNumber(protocol);
  return number === undefined ? [] : [{ about: "protocol", numbers: [number] }];
}

/** `<`, `>`, `<=`, `>=` of numbers. */
function comparison(left: Json, operator: string, right: Json): Condition {
  if (typeof right !== "number") return unknown(`${nftText(left)} ${operator}`);
  const ranges: Readonly<Record<string, NumberRange>> = {
    "<": [0, right - 1],
    "<=": [0, right],
    ">": [right + 1, 65535],
    ">=": [right, 65535],
  };
  const range = ranges[operator];
  return range
    ? equals(left, { range }, () => undefined)
    : unknown(`${nftText(left)} ${operator}`);
}

/** Whether a field is a value, or one of several. @param bits whether bits are tested, as for TCP flags */
function equals(
  left: Json,
  right: Json,
  sets: NamedSets,
  bits = false,
): Condition {
  const isSet = typeof right === "string" && right.startsWith("@");
  if (isSet || member(right, "set") !== undefined) {
    const elements = elementsOf(right, sets);
    if (!elements) return unknown(`${nftText(left)} ${nftText(right)}`);
    return {
      about: "any",
      conditions: elements.map((one) =>
        equals(left, elementValue(one), sets, bits),
      ),
    };
  }
  const fields = member(left, "concat");
  if (fields !== undefined) {
    const values = listOf(member(right, "concat"));
    return {
      about: "all",
      conditions: listOf(fields).map((field, at) =>
        equals(field, values[at] ?? null, sets),
      ),
    };
  }
  return (
    fieldEquals(left, right, bits) ??
    unknown(`${nftText(left)} ${nftText(right)}`)
  );
}

/** Undefined if doctor does not know the field or the value. */
function fieldEquals(
  left: Json,
  right: Json,
  bits: boolean,
): Condition | undefined {
  const meta = member(member(left, "meta"), "key");
  if (meta !== undefined) return metaEquals(textOf(meta), right);
  const ct = member(left, "ct");
  if (ct !== undefined)
    return member(ct, "key") === "state" ? stateIs(right) : undefined;
  const payload = member(left, "payload");
  if (payload !== undefined)
    return payloadEquals(
      textOf(member(payload, "protocol")),
      textOf(member(payload, "field")),
      right,
      bits,
    );
  const masked = member(left, "&");
  if (masked !== undefined) return maskedEquals(listOf(masked), right);
  const fib = member(left, "fib");
  return fib === undefined ? undefined : fibEquals(fib, right);
}

/** @see nft(8), FIB EXPRESSIONS: without a route, and for a route by another interface than that of `iif`, oif is missing */
function fibEquals(fib: Json, right: Json): Condition | undefined {
  const flags = listOf(member(fib, "flags")).map(textOf);
  const result = member(fib, "result");
  if (result === "type")
    return right === "local" && flags.includes("daddr")
      ? { about: "local-destination" }
      : undefined;
  if (!flags.includes("saddr") || flags.includes("oif")) return undefined;
  if (!isOneOf(result, ["oif", "oifname", "check"])) return undefined;
  const isMissing = isOneOf(right, [false, 0, ""]);
  if (!isMissing && right !== true) return undefined;
  const condition: Condition = {
    about: "reverse-path",
    loose: !flags.includes("iif"),
    acceptLocal: false,
    withMark: flags.includes("mark"),
  };
  return isMissing ? { about: "not", condition } : condition;
}

function isOneOf(value: Json | undefined, some: readonly Json[]): boolean {
  return value !== undefined && some.includes(value);
}

function metaEquals(key: string, right: Json): Condition | undefined {
  switch (key) {
    case "iif":
    case "iifname":
    case "oif":
    case "oifname":
      return {
        about: "interface",
        end: key.startsWith("i") ? "incoming" : "outgoing",
        names: [textOf(right)],
      };
    case "mark":
      return typeof right === "number"
        ? { about: "mark", value: right, mask: 0xffffffff }
        : undefined;
    case "l4proto":
      return protocolIs(right);
    case "nfproto":
    case "protocol": {
      const family = FAMILY_WORDS[textOf(right)];
      return family === undefined ? undefined : { about: "family", family };
    }
    default:
      return undefined;
  }
}

const FAMILY_WORDS: Readonly<Record<string, typeof INET | typeof INET6>> = {
  ipv4: INET,
  ipv6: INET6,
  ip: INET,
  ip6: INET6,
};

function protocolIs(right: Json): Condition | undefined {
  const number = protocolNumber(textOf(right));
  return number === undefined
    ? undefined
    : { about: "protocol", numbers: [number] };
}

function stateIs(right: Json): Condition {
  return { about: "state", states: listOf(right).map(textOf).filter(isState) };
}

function isState(text: string): text is ConntrackState {
  return ["new", "established", "related", "invalid", "untracked"].includes(
    text,
  );
}

const TRANSPORTS: Readonly<Record<string, number>> = {
  tcp: 6,
  udp: 17,
  sctp: 132,
};

function payloadEquals(
  protocol: string,
  field: string,
  right: Json,
  bits: boolean,
): Condition | undefined {
  const end = field.startsWith("s") ? "source" : "destination";
  if (protocol === "ip" || protocol === "ip6") {
    const family = FAMILY_WORDS[protocol] ?? INET;
    if (field === "saddr" || field === "daddr") {
      const range = addressRange(right);
      return (
        range && {
          about: "all",
          conditions: [
            { about: "family", family },
            { about: "address", end, ranges: [range] },
          ],
        }
      );
    }
    const known =
      field === "protocol" || field === "nexthdr"
        ? protocolIs(right)
        : undefined;
    return (
      known && {
        about: "all",
        conditions: [{ about: "family", family }, known],
      }
    );
  }
  const number = TRANSPORTS[protocol];
  // nft leaves the test of the protocol out of what it lists: a port of tcp says it.
  const transport: Condition[] =
    number === undefined ? [] : [{ about: "protocol", numbers: [number] }];
  if (field === "sport" || field === "dport") {
    const range = numberRange(right);
    return (
      range && {
        about: "all",
        conditions: [...transport, { about: "port", end, ranges: [range] }],
      }
    );
  }
  if (protocol === "tcp" && field === "flags") {
    const flags = flagsOf(right);
    const test: Condition = bits
      ? { about: "any-tcp-flag", flags }
      : { about: "tcp-flags", mask: 0xff, value: flags };
    return { about: "all", conditions: [...transport, test] };
  }
  if (
    (field === "type" || field === "code") &&
    (protocol === "icmp" || protocol === "icmpv6")
  )
    return icmpFieldIs(field, protocolNumber(protocol) ?? 0, right);
  return number === undefined
    ? otherProtocol(protocol, right)
    : {
        about: "all",
        conditions: [...transport, unknown(`${protocol} ${field}`)],
      };
}

/** A type or a code by its name or number, or a range of numbers. */
function icmpFieldIs(
  field: "type" | "code",
  protocol: number,
  right: Json,
): Condition | undefined {
  const numberOf = field === "type" ? icmpTypeNumber : icmpCodeNumber;
  const named = numberOf(protocol, textOf(right));
  const range: NumberRange | undefined =
    named === undefined ? numberRange(right) : [named, named];
  return (
    range && {
      about: "all",
      conditions: [
        { about: "protocol", numbers: [protocol] },
        { about: `icmp-${field}`, ranges: [range] },
      ],
    }
  );
}

/** A field of a protocol whose packets doctor does not follow. */
function otherProtocol(protocol: string, right: Json): Condition | undefined {
  const number = protocolNumber(protocol);
  return number === undefined
    ? undefined
    : {
        about: "all",
        conditions: [
          { about: "protocol", numbers: [number] },
          unknown(`${protocol} ${nftText(right)}`),
        ],
      };
}

/** `meta mark & 0xff == 7`, `tcp flags & (syn | ack) == syn` */
function maskedEquals(
  [field = null, mask = null]: readonly Json[],
  right: Json,
): Condition | undefined {
  if (member(member(field, "meta"), "key") === "mark")
    return typeof mask === "number" && typeof right === "number"
      ? { about: "mark", value: right, mask }
      : undefined;
  const payload = member(field, "payload");
  if (member(payload, "protocol") !== "tcp") return undefined;
  if (member(payload, "field") !== "flags") return undefined;
  return {
    about: "all",
    conditions: [
      { about: "protocol", numbers: [6] },
      { about: "tcp-flags", mask: flagsOf(mask), value: flagsOf(right) },
    ],
  };
}

/** TCP flags: a number, a name, several, or several joined by `|`. */
function flagsOf(value: Json): number {
  if (typeof value === "number") return value;
  return listOf(member(value, "|") ?? value)
    .map((one) =>
      typeof one === "object" ? flagsOf(one) : (TCP_FLAGS[textOf(one)] ?? 0),
    )
    .reduce((flags, flag) => flags | flag, 0);
}

function addressRange(right: Json): AddressRange | undefined {
  const prefix = member(right, "prefix");
  const range = member(right, "range");
  const [firstText, lastText] =
    range === undefined
      ? [textOf(member(prefix, "addr") ?? right)]
      : listOf(range).map(textOf);
  const first = parseAddress(firstText ?? "");
  if (!first) return undefined;
  if (range === undefined) {
    const bits = member(prefix, "len");
    const whole = first.length * 8;
    return prefixRange(first, typeof bits === "number" ? bits : whole);
  }
  const last = parseAddress(lastText ?? "");
  return last && { first, last };
}

/** Services whose ports `nft` prints as names if it is asked to; it is not. */
function numberRange(right: Json): NumberRange | undefined {
  const range = member(right, "range");
  const [first, last] = range === undefined ? [right, right] : listOf(range);
  return typeof first === "number" && typeof last === "number"
    ? [first, last]
    : undefined;
}

function mangleSteps(mangle: Json): Step[] {
  const key = member(mangle, "key");
  const value = member(mangle, "value") ?? null;
  if (member(member(key, "meta"), "key") === "mark")
    return [{ then: markVerdict(value) }];
  // A rule that changes an address or a port by hand takes the packet elsewhere.
  const field = member(member(key, "payload"), "field");
  return field === "daddr" || field === "dport"
    ? [{ then: { does: "redirect", to: nftText(value) } }]
    : [];
}

function markVerdict(value: Json): Verdict {
  if (typeof value === "number")
    return { does: "mark", value, mask: 0xffffffff };
  const or = listOf(member(value, "|"));
  if (isMark(or[0]) && typeof or[1] === "number")
    return { does: "mark", value: or[1], mask: or[1] };
  const and = listOf(member(value, "&"));
  if (isMark(and[0]) && typeof and[1] === "number")
    return { does: "mark", value: 0, mask: ~and[1] >>> 0 };
  return { does: "mark-from-elsewhere" };
}

function isMark(value: Json | undefined): boolean {
  return member(member(value, "meta"), "key") === "mark";
}

function unknown(text: string): Condition {
  return { about: "unknown", text };
}
