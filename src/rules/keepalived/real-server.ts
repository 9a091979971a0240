import { parseAddress, type Address } from "../../ipvs/address.js";
import type {
  PartPositions,
  SourcePosition,
} from "../configuration-builder.js";
import { readMethod, type ForwardingMethod } from "./forwarding-method.js";
import type { StatementReader } from "./statement-reader.js";
import type { Statement } from "./statements.js";

const U32 = 0xffffffff;
const MAXIMUM_WEIGHT = 0x7fffffff;

const CHECKERS: ReadonlySet<string> = new Set([
  "HTTP_GET",
  "SSL_GET",
  "TCP_CHECK",
  "SMTP_CHECK",
  "DNS_CHECK",
  "MISC_CHECK",
  "BFD_CHECK",
  "UDP_CHECK",
  "PING_CHECK",
  "FILE_CHECK",
]);

/** Keywords that configure checks and notifications, and say nothing about the table. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "notify_up",
  "notify_down",
  "smtp_alert",
  "virtualhost",
  "snmp_name",
  "alpha",
  "connect_timeout",
  "retry",
  "delay_before_retry",
  "warmup",
  "delay_loop",
]);

const KNOWN = [
  "weight",
  "lvs_method",
  "uthreshold",
  "lthreshold",
  "inhibit_on_failure",
  ...CHECKERS,
  ...WITHOUT_EFFECT,
];

/** A real_server block, or a sorry_server. Undefined settings have the value of the virtual_server. */
export interface RealServer {
  readonly at: SourcePosition;
  readonly parts: PartPositions;
  readonly address: Address;
  readonly port: number | undefined;
  readonly weight: number | undefined;
  readonly method: ForwardingMethod | undefined;
  readonly upperThreshold: number;
  readonly lowerThreshold: number;
  /** Whether the server gets weight 0 when a check fails */
  readonly inhibit: boolean | undefined;
  readonly isChecked: boolean;
  /** Whether a check sets the weight */
  readonly hasDynamicWeight: boolean;
  readonly isInvalid: boolean;
}

/** Reads `ADDRESS [PORT]`. @returns undefined if there is no valid address */
export function readServerAddress(
  statement: Statement,
  reader: StatementReader,
): Pick<RealServer, "address" | "port" | "parts"> | undefined {
  const expected = "an IPv4 or IPv6 address";
  const word = reader.word(statement, expected);
  if (!word) return undefined;
  const address = parseAddress(word.text);
  if (!address) {
    reader.invalid(word, expected);
    return undefined;
  }
  const [, portWord] = statement.arguments;
  const port = portWord && reader.numberOf(portWord, 0, 65535);
  if (portWord && port === undefined) return undefined;
  const parts = { address: word.at, ...(portWord && { port: portWord.at }) };
  return { address, port, parts };
}

/** Reads a real_server block. @returns undefined if there is no valid address */
export function readRealServer(
  statement: Statement,
  reader: StatementReader,
): RealServer | undefined {
  const errors = reader.builder.errorCount;
  const server = readServerAddress(statement, reader);
  if (!server) return undefined;
  const parts: Record<string, SourcePosition> = { ...server.parts };
  let weight: number | undefined;
  let method: ForwardingMethod | undefined;
  let upperThreshold = 0;
  let lowerThreshold = 0;
  let inhibit: boolean | undefined;
  let isChecked = false;
  let hasDynamicWeight = false;
  for (const inner of statement.block ?? []) {
    const { keyword, at } = inner;
    if (CHECKERS.has(keyword)) {
      isChecked = true;
      hasDynamicWeight ||= setsWeight(inner);
      continue;
    }
    if (WITHOUT_EFFECT.has(keyword) || !reader.applies(inner)) continue;
    switch (keyword) {
      case "weight":
        weight = reader.number(inner, 0, MAXIMUM_WEIGHT) ?? weight;
        parts["weight"] = at;
        break;
      case "lvs_method":
        method = readMethod(inner, reader) ?? method;
        parts["forwarding"] = parts["tunnel"] = parts["tunnelPort"] = at;
        break;
      case "uthreshold":
        upperThreshold = reader.number(inner, 0, U32) ?? upperThreshold;
        parts["upperThreshold"] = at;
        break;
      case "lthreshold":
        lowerThreshold = reader.number(inner, 0, U32) ?? lowerThreshold;
        parts["lowerThreshold"] = at;
        break;
      case "inhibit_on_failure":
        inhibit = reader.flag(inner) ?? inhibit;
        break;
      default:
        reader.unknown(inner, KNOWN);
    }
  }
  return {
    ...server,
    at: statement.at,
    parts,
    weight,
    method,
    upperThreshold,
    lowerThreshold,
    inhibit,
    isChecked,
    hasDynamicWeight,
    isInvalid: reader.builder.errorCount > errors,
  };
}

/** Whether a check sets the weight of a healthy server. */
function setsWeight({ keyword, block }: Statement): boolean {
  return (
    keyword === "FILE_CHECK" ||
    (block ?? []).some(
      ({ keyword }) => keyword === "misc_dynamic" || keyword === "weight",
    )
  );
}
