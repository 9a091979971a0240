import { DIRECT_ROUTING, MASQUERADING, TUNNELING } from "../../ipvs/model.js";
import { nearest } from "../../text/nearest.js";
import type { ConfigurationBuilder } from "../configuration-builder.js";
import type { Position } from "../rule-file.js";
import type { Option } from "./sections.js";

const METHODS: ReadonlyMap<string, number> = new Map([
  ["gate", DIRECT_ROUTING],
  ["masq", MASQUERADING],
  ["ipip", TUNNELING],
]);

const MAXIMUM_WEIGHT = 0x7fffffff;
const U32 = 0xffffffff;

/** An address or a host name, and a port or its name. */
export interface HostAndPort {
  readonly host: string;
  readonly port: string | undefined;
}

/** `real = HOST[->HOST][:PORT] METHOD [WEIGHT] ["REQUEST", "RECEIVE"] [l:NUMBER] [u:NUMBER]`. */
export interface ServerLine extends HostAndPort {
  /** The end of a range */
  readonly lastHost: string | undefined;
  readonly forwarding: number;
  readonly weight: number;
  readonly lowerThreshold: number;
  readonly upperThreshold: number;
  readonly parts: Readonly<
    Record<
      | "address"
      | "port"
      | "forwarding"
      | "weight"
      | "lowerThreshold"
      | "upperThreshold",
      Position
    >
  >;
}

const HOST = String.raw`\[[^\]\s]*\]|[\w.-]+?`;
const SERVER = new RegExp(
  String.raw`^(${HOST})(?:->(${HOST}))?(?::([\w-]+))?(?:(\s+)(\S.*))?$`,
);

/** Reads the value of `real`. @returns undefined if it is malformed */
export function readServerLine(
  { value, valueAt }: Option,
  builder: ConfigurationBuilder,
): ServerLine | undefined {
  const [, host, lastHost, port, blanks = "", rest = ""] =
    SERVER.exec(value) ?? [];
  if (host === undefined) {
    builder.error(
      valueAt,
      "form",
      "malformed real server",
      'expected HOST[->HOST][:PORT] METHOD [WEIGHT] ["REQUEST", "RECEIVE"] [l:NUMBER] [u:NUMBER]',
    );
    return undefined;
  }
  const methodColumn =
    valueAt.column +
    value.length -
    rest.length -
    (rest === "" ? blanks.length : 0);
  const forwarding = readMethod(
    /^\S*/.exec(rest)?.[0] ?? "",
    { ...valueAt, column: methodColumn },
    builder,
  );
  if (forwarding === undefined) return undefined;
  const settings = readSettings(rest, methodColumn, valueAt, builder);
  if (!settings) return undefined;
  const { parts, ...values } = settings;
  const portColumn =
    port === undefined
      ? valueAt.column
      : valueAt.column +
        value.length -
        rest.length -
        blanks.length -
        port.length;
  return {
    host,
    lastHost,
    port,
    forwarding,
    ...values,
    parts: {
      address: valueAt,
      port: { ...valueAt, column: portColumn },
      forwarding: { ...valueAt, column: methodColumn },
      ...parts,
    },
  };
}

/** Reads gate, masq or ipip. @returns undefined if it is none of them */
export function readMethod(
  word: string,
  at: Position,
  builder: ConfigurationBuilder,
): number | undefined {
  const forwarding = METHODS.get(word);
  if (forwarding !== undefined) return forwarding;
  const meant = nearest(word, METHODS.keys());
  builder.error(
    at,
    "form",
    word === ""
      ? "missing forwarding method"
      : `unknown forwarding method "${word}"`,
    meant === undefined ? "use gate, masq or ipip" : `did you mean ${meant}?`,
  );
  return undefined;
}

const SETTINGS =
  /^\S+(?:(\s+)([0-9]+)(?![^\s]))?(?:\s+"[^"]*"[, ]\s*"[^"]*")?(?:(\s+l:)([0-9]+))?(?:(\s+u:)([0-9]+))?(\s*)(.*)$/d;

/** Reads what follows the forwarding method. */
function readSettings(
  rest: string,
  column: number,
  at: Position,
  builder: ConfigurationBuilder,
) {
  const match = SETTINGS.exec(rest);
  const place = (group: number) => ({
    ...at,
    column: column + (match?.indices?.[group]?.[0] ?? 0),
  });
  const extra = match?.[8] ?? "";
  if (!match || extra !== "") {
    builder.error(
      match ? place(8) : { ...at, column },
      "form",
      `unexpected "${extra}"`,
      'after the forwarding method: [WEIGHT] ["REQUEST", "RECEIVE"] [l:NUMBER] [u:NUMBER]',
    );
    return undefined;
  }
  const number = (group: number, maximum: number, otherwise: number) => {
    const value = Number(match[group] ?? otherwise);
    if (value <= maximum) return value;
    builder.error(
      place(group),
      "form",
      `${match[group] ?? ""}: expected at most ${maximum}`,
    );
    return undefined;
  };
  const weight = number(2, MAXIMUM_WEIGHT, 1);
  const lowerThreshold = number(4, U32, 0);
  const upperThreshold = number(6, U32, 0);
  if (
    weight === undefined ||
    lowerThreshold === undefined ||
    upperThreshold === undefined
  )
    return undefined;
  return {
    weight,
    lowerThreshold,
    upperThreshold,
    parts: {
      weight: place(2),
      lowerThreshold: place(4),
      upperThreshold: place(6),
    },
  };
}

/** Splits `HOST[:PORT]`. IPv6 addresses are in brackets. */
export function splitHostAndPort(text: string): HostAndPort | undefined {
  const [, host, port] =
    /^(\[[^\]\s]*\]|[\w.+-]+)(?::([\w-]+))?$/.exec(text) ?? [];
  return host === undefined ? undefined : { host, port };
}
