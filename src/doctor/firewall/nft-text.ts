import { listOf, member, textOf, type Json } from "./json.js";

/** A rule in the language of nft, as far as its JSON is known; what is not known is shown as JSON. */
export function nftRuleText(
  expressions: readonly Json[],
  comment?: Json,
): string {
  const words = expressions
    .filter((one) => member(one, "counter") === undefined)
    .map(nftText);
  if (comment !== undefined) words.push(`comment "${textOf(comment)}"`);
  return words.join(" ");
}

/** An expression of nft in its language. */
export function nftText(json: Json): string {
  if (json === null) return "";
  if (typeof json !== "object") return String(json);
  if (Array.isArray(json))
    return (json as readonly Json[]).map(nftText).join(",");
  const [name = ""] = Object.keys(json);
  const value = member(json, name) ?? null;
  switch (name) {
    case "match":
      return matchText(value);
    case "payload":
      return `${textOf(member(value, "protocol"))} ${textOf(member(value, "field"))}`;
    case "meta": {
      const key = textOf(member(value, "key"));
      return /^[io]if/.test(key) ? key : `meta ${key}`;
    }
    case "ct":
      return `ct ${textOf(member(value, "key"))}`;
    case "fib":
      return `fib ${nftText(member(value, "flags") ?? "")} ${textOf(member(value, "result"))}`;
    case "set":
      if (member(value, "op") !== undefined)
        return `${textOf(member(value, "op"))} ${textOf(member(value, "set"))} ${limitedText(member(value, "elem"), value)}`;
      return `{ ${listOf(value).map(elementText).join(", ")} }`;
    case "range":
      return listOf(value).map(nftText).join("-");
    case "prefix":
      return `${textOf(member(value, "addr"))}/${textOf(member(value, "len"))}`;
    case "concat":
      return listOf(value).map(nftText).join(" . ");
    case "&":
    case "|":
    case "^":
      return listOf(value).map(nftText).join(` ${name} `);
    case "elem":
      return nftText(member(value, "val") ?? "");
    case "vmap":
      return `${nftText(member(value, "key") ?? "")} vmap ${nftText(member(value, "data") ?? "")}`;
    case "jump":
    case "goto":
      return `${name} ${textOf(member(value, "target"))}`;
    case "mangle":
      return `${nftText(member(value, "key") ?? "")} set ${nftText(member(value, "value") ?? "")}`;
    case "log":
      return "log";
    case "meter":
      return `meter ${textOf(member(value, "name"))} ${limitedText(member(value, "key"), value)}`;
    case "ct count":
      return `ct count ${member(value, "inv") === true ? "over " : ""}${textOf(member(value, "val"))}`;
    case "limit":
      return `limit rate ${member(value, "inv") === true ? "over " : ""}${textOf(member(value, "rate"))}/${textOf(member(value, "per"))}`;
    case "dnat":
    case "snat":
    case "redirect": {
      const to = ["addr", "port"].flatMap((key) => member(value, key) ?? []);
      return to.length === 0 ? name : `${name} to ${to.map(nftText).join(":")}`;
    }
    case "xt":
      return textOf(member(value, "name")) || "xt";
    default:
      return value === null || typeof value === "object"
        ? name
        : `${name} ${nftText(value)}`;
  }
}

/** `{ ip saddr limit rate over 10/minute }` */
function limitedText(key: Json | undefined, value: Json): string {
  const statements = listOf(member(value, "stmt") ?? []).map(nftText);
  return `{ ${[nftText(key ?? ""), ...statements].join(" ")} }`;
}

function matchText(match: Json): string {
  const operator = textOf(member(match, "op"));
  const sign = operator === "==" || operator === "in" ? "" : `${operator} `;
  const left = nftText(member(match, "left") ?? "");
  return `${left} ${sign}${nftText(member(match, "right") ?? "")}`;
}

function elementText(element: Json): string {
  if (!Array.isArray(element)) return nftText(element);
  const [key = null, value = null] = element as readonly Json[];
  return `${nftText(key)} : ${nftText(value)}`;
}
